"""Many assets on one sheet: packed, indexed where 256 colours hold them, with a list for each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pixelrouter.assets.asset import Atlas
from pixelrouter.assets.export import Files
from pixelrouter.assets.export.aseprite_json import as_array, as_hash
from pixelrouter.assets.export.clips import DEFAULT, plain
from pixelrouter.assets.export.listing import (
    Animation,
    Listing,
    Placed,
    animations,
    frame_names,
    pivot_slices,
    to_json,
)
from pixelrouter.assets.export.pixi import as_phaser, as_phaser_animations, as_pixi
from pixelrouter.assets.export.tagging import frame_tags
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest
from pixelrouter.formats.aseprite_marks import Slice, Tag

if TYPE_CHECKING:
    from PIL.Image import Image

    from pixelrouter.pixels.sheets.pack import Packed


def _phaser(found: Listing, stem: str) -> Files:
    files = {f"{stem}.phaser.json": to_json(as_phaser(replace(found, tags=())))}
    if found.animations:
        files[f"{stem}.anims.json"] = to_json(as_phaser_animations(found, stem))
    return files


#: What each format makes of the list and the stem; another format is another line.
WRITERS: Mapping[str, Callable[[Listing, str], Files]] = {
    "aseprite-json": lambda found, stem: {f"{stem}.json": to_json(as_array(found))},
    "aseprite-json-hash": lambda found, stem: {f"{stem}.hash.json": to_json(as_hash(found))},
    "pixi": lambda found, stem: {f"{stem}.pixi.json": to_json(as_pixi(found))},
    "phaser": _phaser,
}


def export_atlas(atlas: Atlas, sprites: Sequence[Sprite], stem: str, folder: str) -> Files:
    """``STEM.png`` and a list of its frames in each of ``atlas.formats``.

    Frames are named for their asset, "potion", or "hero/0" and "hero/south" where it has several. Frames that are
    the same to the pixel share a place. The boxes leave out what extrusion adds. The PNG is indexed where all colours
    fit into 256 entries and alpha is hard. Raises InvalidRequest without sprites, for an unknown format, and for a
    sheet too large.
    """
    if unknown := [name for name in atlas.formats if name not in WRITERS]:
        raise InvalidRequest(f"An atlas has no format {unknown[0]!r}.", hint=f"Use one of: {', '.join(WRITERS)}.")
    if not sprites:
        raise InvalidRequest(f"The atlas {atlas.name!r} has no sprites.", hint="Look at the patterns of its assets.")
    sheet = _pack(atlas, sprites)
    image = _indexed(sheet.packed.image)
    found = replace(_listing(sheet, sprites, stem), pixels="I8" if image.mode == "P" else "RGBA8888")
    from pixelrouter.formats.tables import compressed

    files = {f"{stem}.png": compressed(image, "PNG", optimize=True)}
    for name in atlas.formats:
        files |= WRITERS[name](found, stem)
    return files


@dataclass(frozen=True, slots=True)
class _Sheet:
    """``places``: for each frame of each sprite, in order, which of the packed images shows it."""

    packed: Packed
    places: tuple[int, ...]


def _pack(atlas: Atlas, sprites: Sequence[Sprite]) -> _Sheet:
    """Every picture once, in the order of its first frame."""
    from pixelrouter.pixels.sheets.pack import pack

    seen: dict[tuple[tuple[int, int], bytes], int] = {}
    images: list[Image] = []
    places = []
    for sprite in sprites:
        for frame in sprite.frames:
            image = frame.convert("RGBA")
            at = seen.setdefault((image.size, image.tobytes()), len(images))
            if at == len(images):
                images.append(image)
            places.append(at)
    packed = pack(
        images,
        atlas.method,
        spacing=atlas.spacing,
        margin=atlas.margin,
        extrude=atlas.extrude,
        trim=atlas.trim,
        power_of_two=atlas.power_of_two,
    )
    return _Sheet(packed, tuple(places))


def _indexed(image: Image) -> Image:
    """The sheet with a palette where it has no more colours than one holds, else as it is."""
    import numpy as np
    from PIL import Image as Images

    from pixelrouter.formats.tables import indexed

    found = indexed([np.asarray(image)])
    if found is None:
        return image
    out = Images.fromarray(found.frames[0])
    out.putpalette(found.table.tobytes())
    if found.clear:
        out.info["transparency"] = 0
    return out


def _listing(sheet: _Sheet, sprites: Sequence[Sprite], stem: str) -> Listing:
    frames: list[Placed] = []
    tags: list[Tag] = []
    played: list[Animation] = []
    slices: list[Slice] = []
    places = iter(sheet.places)
    for sprite in sprites:
        start, names = len(frames), _names(sprite)
        frames += _placed(sheet.packed, sprite, names, places)
        tags += [
            replace(tag, name=_joined(sprite, tag.name), first=start + tag.first, last=start + tag.last)
            for tag in frame_tags(sprite)
        ]
        played += [replace(one, name=_joined(sprite, one.name)) for one in animations(sprite, names)]
        slices += pivot_slices(sprite, start)
    return Listing(
        f"{stem}.png",
        sheet.packed.image.size,
        tuple(frames),
        tuple(tags),
        tuple(played),
        tuple(slices),
        stem,
        moving=any(sprite.moves for sprite in sprites),
    )


def _names(sprite: Sprite) -> tuple[str, ...]:
    if len(sprite.frames) == 1:
        return (plain(sprite.name),)
    return tuple(f"{plain(sprite.name)}/{name}" for name in frame_names(sprite))


def _joined(sprite: Sprite, name: str) -> str:
    """The name of a tag or clip on a sheet of many sprites; a film's only one is the sprite's own."""
    whole = plain(sprite.name)
    return whole if name in (whole, DEFAULT) else f"{whole}/{name}"


def _placed(packed: Packed, sprite: Sprite, names: tuple[str, ...], places: Iterator[int]) -> list[Placed]:
    return [
        Placed(name, packed.boxes[at], packed.offsets[at], packed.sizes[at], time, sprite.pivot)
        for name, time, at in zip(names, sprite.times, places, strict=False)  # `places` goes on with the next sprite
    ]
