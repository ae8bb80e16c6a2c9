"""Atlases for PixiJS, which are TexturePacker's with animations, and for Phaser.

Read in November 2026: PixiJS 8.22 and @pixi/spritesheet 7.4 (``SpritesheetData``), Phaser 4.2
(``textures/parsers/JSONArray.js``, ``animations/AnimationManager.js``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.aseprite_json import as_array
from pixelrouter.assets.export.listing import Listing, Placed, listing, to_json
from pixelrouter.assets.sprite import Sprite
from pixelrouter.formats.aseprite_marks import Tag

FOREVER = -1  # how often Phaser repeats


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.pixi.json``. PixiJS keeps all frames of a game in one cache, so names begin with the stem: "hero-south";
    a single picture is the stem alone.
    """
    found = listing(sprite, stem)
    alone = len(found.frames) == 1
    names = {frame.name: stem if alone else f"{stem}-{frame.name}" for frame in found.frames}
    return {f"{stem}.pixi.json": to_json(as_pixi(_renamed(found, names)))}


def export_phaser(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.phaser.json``. For films, frames are numbered and tagged as ``load.aseprite`` and
    ``anims.createFromAseprite`` want them; otherwise they have their names, for ``load.atlas``.
    """
    found = listing(sprite, stem)
    if found.animations:
        names = {frame.name: str(number) for number, frame in enumerate(found.frames)}
        found = replace(_renamed(found, names), tags=tuple(map(_playable, found.tags)))
    else:
        found = replace(found, tags=())
    return {f"{stem}.phaser.json": to_json(as_phaser(found))}


def as_pixi(found: Listing) -> dict[str, Any]:
    """Frames by name with anchors, and animations as lists of names: back and forth is written out.

    The milliseconds are each frame's ``duration``; an ``AnimatedSprite`` takes them as ``{texture, time}``.
    """
    meta = {key: value for key, value in found.meta.items() if key not in ("frameTags", "layers", "slices")}
    frames = {frame.name: frame.record | _anchor(frame) for frame in found.frames}
    animations = {one.name: list(one.frames) for one in found.animations}
    return {"frames": frames, "animations": animations, "meta": meta}


def as_phaser(found: Listing) -> dict[str, Any]:
    """Aseprite's array; ``anchor`` becomes a frame's own pivot in Phaser."""
    plain = as_array(found)
    plain["frames"] = [record | _anchor(frame) for record, frame in zip(plain["frames"], found.frames, strict=True)]
    return plain


def as_phaser_animations(found: Listing, key: str) -> dict[str, Any]:
    """What ``load.animation`` reads; ``key`` is the one that the atlas was loaded under.

    Phaser counts ``duration`` of each frame instead of a frame rate.
    """
    animations = [
        {
            "key": one.name,
            "type": "frame",
            "frames": [
                {"key": key, "frame": name, "duration": time} for name, time in zip(one.frames, one.times, strict=True)
            ],
            "duration": sum(one.times),
            "repeat": FOREVER if one.loop else 0,
        }
        for one in found.animations
    ]
    return {"anims": animations, "globalTimeScale": 1}


def _renamed(found: Listing, names: dict[str, str]) -> Listing:
    frames = tuple(replace(frame, name=names[frame.name]) for frame in found.frames)
    animations = tuple(replace(one, frames=tuple(names[name] for name in one.frames)) for one in found.animations)
    return replace(found, frames=frames, animations=animations)


def _playable(tag: Tag) -> Tag:
    """Phaser knows three directions; the fourth would play forward only."""
    return replace(tag, direction="pingpong") if tag.direction == "pingpong_reverse" else tag


def _anchor(frame: Placed) -> dict[str, Any]:
    return {"anchor": {"x": frame.anchor[0], "y": frame.anchor[1]}} if frame.anchor else {}
