"""Where frames lie on a sheet, as JSON: the records that Aseprite and TexturePacker write and most engines read.

Field names and types as in Aseprite's exporter (src/app/doc_exporter.cpp in github.com/aseprite/aseprite, read in
November 2026). ``scale`` is a text there, and so it is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two outside, as Pillow has them

APP = "pixelrouter"
VERSION = "1.3"  # of Aseprite, whose JSON this is


def frame_record(box: Box, offset: tuple[int, int], size: tuple[int, int], duration: int) -> dict[str, Any]:
    """One frame: ``box`` on the sheet, ``offset`` of that part in the frame, the frame's own ``size``, milliseconds."""
    width, height = box[2] - box[0], box[3] - box[1]
    return {
        "frame": {"x": box[0], "y": box[1], "w": width, "h": height},
        "rotated": False,
        "trimmed": (width, height) != size,
        "spriteSourceSize": {"x": offset[0], "y": offset[1], "w": width, "h": height},
        "sourceSize": {"w": size[0], "h": size[1]},
        "duration": duration,
    }


def meta_record(
    image: str,
    size: tuple[int, int],
    pixels: Literal["I8", "RGBA8888"] = "RGBA8888",
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The sheet: its file name, its size, and whether it is indexed ("I8"); ``more`` comes last."""
    return {
        "app": APP,
        "version": VERSION,
        "image": image,
        "format": pixels,
        "size": {"w": size[0], "h": size[1]},
        "scale": "1",
        **(more or {}),
    }
