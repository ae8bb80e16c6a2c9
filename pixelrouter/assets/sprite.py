"""Finished pixel art as the exporters get it: frames of one size, one palette, and what a game wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, Any

from pixelrouter.assets.asset import FrameTag
from pixelrouter.types import Task

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SHEET = 4096  # pixels a side that every graphics card takes; longer films are broken into rows
DEFAULT_MS = 100  # of a frame whose maker set no time; Aseprite's own default


@dataclass(frozen=True, slots=True)
class Sprite:
    """One asset, finished. ``frames`` are PIL images in mode "P", all of one size and with the same palette.

    ``names`` are those of views and tiles ("south", "wang-0110", "walk/0"), empty where there are none; ``durations``
    milliseconds of each frame of an animation, empty for stills. ``transparent_index``: the palette entry that is
    clear, None where every pixel is opaque.
    """

    name: str
    frames: tuple[Image, ...]
    palette: tuple[str, ...]
    task: Task = "image"
    names: tuple[str, ...] = ()
    durations: tuple[int, ...] = ()
    loop: bool = True
    tags: tuple[FrameTag, ...] = ()
    pivot: tuple[float, float] | None = None
    pixels_per_unit: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # what goes into the file where provenance is asked for

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` of a frame in pixels."""
        return self.frames[0].size

    @property
    def moves(self) -> bool:
        """Whether the frames are meant to be shown one after the other."""
        return self.task == "animation" and len(self.frames) > 1

    def frame_name(self, number: int) -> str:
        """The name of a frame: its own, or its number."""
        return self.names[number] if number < len(self.names) and self.names[number] else str(number)

    @property
    def times(self) -> tuple[int, ...]:
        """Milliseconds of every frame."""
        times = self.durations or (0,) * len(self.frames)
        return tuple(time or DEFAULT_MS for time in times)

    @property
    def columns(self) -> int:
        """How many cells a row of the sheet has: films lie in one row while it fits, sets by row or in a square."""
        count, width = len(self.frames), self.size[0]
        rows = {name.partition("/")[0] for name in self.names if "/" in name}
        if rows and count % len(rows) == 0:
            return count // len(rows)
        if self.task == "tileset" and count == 16:
            return 4
        if self.moves:
            return min(count, max(1, MAX_SHEET // width))
        return isqrt(count - 1) + 1

    @property
    def boxes(self) -> tuple[tuple[int, int, int, int], ...]:
        """``(left, top, right, bottom)`` of each frame on the sheet."""
        width, height = self.size
        places = (divmod(at, self.columns) for at in range(len(self.frames)))
        return tuple((x * width, y * height, (x + 1) * width, (y + 1) * height) for y, x in places)

    @property
    def sheet(self) -> Image:
        """All frames on one indexed image: equal cells, no space between them; a single frame as it is."""
        from PIL import Image

        if len(self.frames) == 1:
            return self.frames[0]
        first = self.frames[0]
        boxes = self.boxes
        size = (max(box[2] for box in boxes), max(box[3] for box in boxes))
        clear = first.info.get("transparency", 0)
        sheet = Image.new("P", size, clear if isinstance(clear, int) else 0)
        sheet.putpalette(first.getpalette() or [], first.palette.mode if first.palette else "RGB")
        sheet.info.update({key: first.info[key] for key in ("transparency",) if key in first.info})
        for frame, box in zip(self.frames, boxes, strict=True):
            sheet.paste(frame, box[:2])
        return sheet
