"""What a sheet holds: frames with names and places, tags, clips and pivots. Every JSON export is written from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, Literal

from pixelrouter.assets.export.clips import clips, plain, unique
from pixelrouter.assets.export.tagging import frame_tags
from pixelrouter.assets.sprite import Sprite
from pixelrouter.formats.aseprite_marks import Key, Slice, Tag
from pixelrouter.pixels.sheets.records import Box, frame_record, meta_record

_DEPTH = 2  # of JSON that has lines of its own: frames of a sheet
_SLICE_COLOR = "#0000ffff"  # what Aseprite gives a slice of nobody's choice


@dataclass(frozen=True, slots=True)
class Placed:
    """One frame: its name, its box on the sheet, where that part begins in the frame, the frame's own size.

    ``anchor``: the pivot, 0..1 from the upper left, None where the sprite has none.
    """

    name: str
    box: Box
    offset: tuple[int, int]
    size: tuple[int, int]
    duration: int
    anchor: tuple[float, float] | None = None

    @property
    def record(self) -> dict[str, Any]:
        """As JSON, without its name."""
        return frame_record(self.box, self.offset, self.size, self.duration)


@dataclass(frozen=True, slots=True)
class Animation:
    """A clip unrolled: names of frames in the order in which they show."""

    name: str
    frames: tuple[str, ...]
    times: tuple[int, ...]
    loop: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A sheet and all that is on it. ``moving``: some of it is an animation."""

    image: str
    size: tuple[int, int]
    frames: tuple[Placed, ...]
    tags: tuple[Tag, ...] = ()
    animations: tuple[Animation, ...] = ()
    slices: tuple[Slice, ...] = ()
    layer: str = ""
    pixels: Literal["I8", "RGBA8888"] = "I8"
    moving: bool = False

    @property
    def meta(self) -> dict[str, Any]:
        """What Aseprite tells of a sheet, with tags, layers and slices."""
        more = {
            "frameTags": [_tag(tag) for tag in self.tags],
            "layers": [{"name": self.layer, "opacity": 255, "blendMode": "normal"}],
            "slices": [_slice(one) for one in self.slices],
        }
        return meta_record(self.image, self.size, self.pixels, more)


def frame_names(sprite: Sprite) -> tuple[str, ...]:
    """A name for each frame, no two the same."""
    return unique(plain(sprite.frame_name(number)) for number in range(len(sprite.frames)))


def listing(sprite: Sprite, stem: str) -> Listing:
    """What is on the sprite's own sheet, ``STEM.png``."""
    width = max(box[2] for box in sprite.boxes)
    height = max(box[3] for box in sprite.boxes)
    boxes = zip(frame_names(sprite), sprite.boxes, sprite.times, strict=True)
    frames = tuple(Placed(name, box, (0, 0), sprite.size, time, sprite.pivot) for name, box, time in boxes)
    return Listing(
        f"{stem}.png",
        (width, height),
        frames,
        frame_tags(sprite),
        animations(sprite, tuple(frame.name for frame in frames)),
        pivot_slices(sprite),
        plain(sprite.name),
        moving=sprite.moves,
    )


def animations(sprite: Sprite, names: tuple[str, ...]) -> tuple[Animation, ...]:
    """The sprite's clips by the names of its frames. Stills have none, and a single view is none."""
    if len(sprite.frames) == 1:
        return ()
    found = [clip for clip in clips(sprite) if sprite.moves or len(clip.frames) > 1]
    return tuple(
        Animation(clip.name, tuple(names[number] for number in clip.frames), clip.times, sprite.loop) for clip in found
    )


def pivot_slices(sprite: Sprite, frame: int = 0) -> tuple[Slice, ...]:
    """A slice over the whole frame that carries the pivot, which Aseprite has no other place for."""
    if sprite.pivot is None:
        return ()
    return (Slice(plain(sprite.name), (Key(frame, (0, 0, *sprite.size), pivot_pixel(sprite)),)),)


def pivot_pixel(sprite: Sprite) -> tuple[int, int] | None:
    """The pivot in whole pixels from the upper left of a frame, halves rounded up."""
    if sprite.pivot is None:
        return None
    return floor(sprite.pivot[0] * sprite.size[0] + 0.5), floor(sprite.pivot[1] * sprite.size[1] + 0.5)


def to_json(value: Mapping[str, Any]) -> bytes:
    """The bytes of a JSON file: one frame a line, and the same everywhere."""
    return (_lines(value, 0) + "\n").encode()


def _lines(value: Any, depth: int) -> str:
    if depth == _DEPTH or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_lines(one, depth + 1)}" for key, one in value.items()]
    else:
        parts = [_lines(one, depth + 1) for one in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    gap = "\n" + "  " * depth
    return f"{opening}{gap}  " + f",{gap}  ".join(parts) + f"{gap}{closing}"


def _tag(tag: Tag) -> dict[str, Any]:
    plain_tag = {"name": tag.name, "from": tag.first, "to": tag.last, "direction": tag.direction}
    return plain_tag | ({"repeat": str(tag.repeat)} if tag.repeat else {})


def _slice(one: Slice) -> dict[str, Any]:
    keys = []
    for key in one.keys:
        x, y, width, height = key.box
        record: dict[str, Any] = {"frame": key.frame, "bounds": {"x": x, "y": y, "w": width, "h": height}}
        if key.pivot:
            record["pivot"] = {"x": key.pivot[0], "y": key.pivot[1]}
        keys.append(record)
    return {"name": one.name, "color": _SLICE_COLOR, "keys": keys}
