"""What a sprite shows one frame after the other: clips with names, from frame tags, directions and plain films.

Engines play a list of frames and know nothing of ping-pong, so a clip is unrolled: every frame as often as it shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.sprite import Sprite

DEFAULT = "default"  # of a sprite with one clip and no name for it, as Godot has it


@dataclass(frozen=True, slots=True)
class Clip:
    """``frames`` are numbers of the sprite's frames in the order in which they show, ``times`` their milliseconds."""

    name: str
    frames: tuple[int, ...]
    times: tuple[int, ...]


def clips(sprite: Sprite) -> tuple[Clip, ...]:
    """The sprite's clips: one a frame tag; without tags one a direction ("walk/0" and "walk/1" are both of "walk");
    without names the film as a whole, or one a frame where nothing moves. Each has a name of its own.

    A film may be shorter than its tags say: what is not there is left out, and so is a tag without a frame.
    """
    tagged = [(tag.name, _unrolled(tag, sprite)) for tag in sprite.tags] if sprite.moves else []
    parts = [(name, numbers) for name, numbers in tagged if numbers]
    if not parts:
        groups: dict[str, list[int]] = {}
        for number in range(len(sprite.frames)):
            groups.setdefault(_group(sprite, number), []).append(number)
        parts = [(name, tuple(numbers)) for name, numbers in groups.items()]
    times = sprite.times
    names = unique(plain(name) for name, _ in parts)
    return tuple(
        Clip(name, numbers, tuple(times[number] for number in numbers))
        for name, (_, numbers) in zip(names, parts, strict=True)
    )


def plain(text: str) -> str:
    """A name without characters that do not show: XML has no way to write some of them."""
    return "".join(letter if letter.isprintable() else "_" for letter in text)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names in their order; one that was there before gets a number: "walk", "walk-2"."""
    found: dict[str, None] = {}
    for name in names:
        free, count = name, 1
        while free in found:
            count += 1
            free = f"{name}-{count}"
        found[free] = None
    return tuple(found)


def _group(sprite: Sprite, number: int) -> str:
    """The clip that an untagged frame belongs to."""
    name, _, index = sprite.frame_name(number).rpartition("/")
    if name and index.isdecimal():
        return name
    if sprite.moves or len(sprite.frames) == 1:
        return DEFAULT
    return sprite.frame_name(number)


def _unrolled(tag: FrameTag, sprite: Sprite) -> tuple[int, ...]:
    """The frames of a tag in the order in which they show, once through.

    A ping-pong that loops has its ends once each, since the next round brings them again; one that is played once
    comes back to where it began.
    """
    there = tuple(range(tag.first, min(tag.last + 1, len(sprite.frames))))
    if tag.direction in ("reverse", "pingpong_reverse"):
        there = there[::-1]
    if tag.direction in ("forward", "reverse"):
        return there
    return there + there[-2:0:-1] if sprite.loop else there + there[-2::-1]
