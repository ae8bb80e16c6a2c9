"""Packing: many images on one sheet, nothing rotated, nothing blended, the same images always in the same places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.sheets.content import Box
from pixelrouter.pixels.sheets.frames import trim as trimmed
from pixelrouter.pixels.sheets.records import frame_record, meta_record

Method = Literal["grid", "shelf", "maxrects"]
Sizes = Sequence[tuple[int, int]]
Places = list[tuple[int, int]]

MAX_SHEET = 16384  # pixels a side; no graphics card takes a larger texture
_WIDTHS = 12  # how many widths of a sheet are tried


@dataclass(frozen=True)
class Packed:
    """A sheet in RGBA and where each image lies on it, in the order they were given.

    ``boxes``: ``(left, top, right, bottom)`` without spacing and extrusion. ``offsets``: where that part begins in its
    image ``(x, y)``, and ``sizes`` the image's own (width, height); both differ from the box where it was trimmed.
    """

    image: Image.Image
    boxes: tuple[Box, ...]
    offsets: tuple[tuple[int, int], ...]
    sizes: tuple[tuple[int, int], ...]

    def unpack(self) -> tuple[Image.Image, ...]:
        """The images as they were given, to the visible pixel."""
        out = []
        for box, offset, size in zip(self.boxes, self.offsets, self.sizes, strict=True):
            part = self.image.crop(box)
            if part.size != size:
                whole = Image.new("RGBA", size)
                whole.paste(part, offset)
                part = whole
            out.append(part)
        return tuple(out)

    def as_dict(
        self, image: str = "", names: Sequence[str] | None = None, durations: Sequence[int] | None = None
    ) -> dict[str, Any]:
        """JSON-ready, in the array format of Aseprite's exporter, which Phaser, PixiJS and others read.

        ``image``: the sheet's file name; ``names`` of the frames, by default their numbers; ``durations`` in ms.
        """
        frames = []
        for at, (box, offset, size) in enumerate(zip(self.boxes, self.offsets, self.sizes, strict=True)):
            time = (durations[at] if durations else 0) or 100
            name = names[at] if names else str(at)
            frames.append({"filename": name, **frame_record(box, offset, size, time)})
        return {"frames": frames, "meta": meta_record(image, self.image.size)}


def pack(
    images: Sequence[Source],
    method: Method = "maxrects",
    *,
    columns: int | None = None,
    spacing: int = 0,
    margin: int = 0,
    extrude: int = 0,
    trim: bool = False,
    power_of_two: bool = False,
) -> Packed:
    """Images on one transparent sheet.

    "grid": equal cells, row by row, ``columns`` of them or about as many as rows; an image smaller than the largest
    lies in the upper left of its cell. "shelf": in rows, the tallest first. "maxrects": as tight as maximal rectangles
    make it. ``spacing`` pixels lie between two images and ``margin`` around all; ``extrude`` repeats the border pixels
    of each image outwards, so that no neighbour bleeds in when a game scales. ``trim`` takes transparent margins off.
    ``power_of_two``: both sides of the sheet are powers of two.

    Raises InvalidRequest without images, for numbers below 0, and for a sheet of more than MAX_SHEET pixels a side.
    """
    if not images:
        raise InvalidRequest("There are no images to pack.")
    if method not in get_args(Method):
        raise InvalidRequest(f"method={method!r} is unknown.", hint=f"Use one of: {', '.join(get_args(Method))}.")
    if min(spacing, margin, extrude) < 0 or (columns is not None and columns < 1):
        raise InvalidRequest("spacing, margin and extrude are 0 or more, columns 1 or more.")
    sources = [decode(image).image for image in images]
    parts = [trimmed(one) if trim else (one, (0, 0, *one.size)) for one in sources]
    room = 2 * extrude + spacing  # every image brings the spacing on its right and lower side along
    sizes = [(part.width + room, part.height + room) for part, _ in parts]
    edge = 2 * margin - spacing  # so the last spacing of a row is not part of the sheet
    if method == "grid":
        places, used = _grid(sizes, columns)
    else:
        places, used = _tightest(sizes, _shelves if method == "shelf" else _maxrects, edge, power_of_two)
    width, height = (_side(length + edge, power_of_two) for length in used)
    if max(width, height) > MAX_SHEET:
        raise InvalidRequest(
            f"The sheet would have {width}x{height} pixels.", hint=f"{MAX_SHEET} a side are the most: make two sheets."
        )
    sheet = np.zeros((height, width, 4), dtype=np.uint8)
    boxes = []
    for (part, _), (x, y) in zip(parts, places, strict=True):
        left, top = x + margin + extrude, y + margin + extrude
        boxes.append((left, top, left + part.width, top + part.height))
        _draw(sheet, np.asarray(part), left, top, extrude)
    offsets = tuple((box[0], box[1]) for _, box in parts)
    return Packed(Image.fromarray(sheet), tuple(boxes), offsets, tuple(one.size for one in sources))


def _draw(sheet: Bytes, part: Bytes, left: int, top: int, extrude: int) -> None:
    wide = np.pad(part, ((extrude, extrude), (extrude, extrude), (0, 0)), mode="edge") if extrude else part
    sheet[top - extrude : top + part.shape[0] + extrude, left - extrude : left + part.shape[1] + extrude] = wide


def _side(length: int, power_of_two: bool) -> int:
    return 1 << (length - 1).bit_length() if power_of_two else length


def _grid(sizes: Sizes, columns: int | None) -> tuple[Places, tuple[int, int]]:
    """Row by row in cells as large as the largest; and the used width and height."""
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    across = min(columns or isqrt(len(sizes) - 1) + 1, len(sizes))
    places = [(at % across * width, at // across * height) for at in range(len(sizes))]
    return places, (across * width, -(-len(sizes) // across) * height)


def _tightest(sizes: Sizes, method: Any, edge: int, power_of_two: bool) -> tuple[Places, tuple[int, int]]:
    """The best of several widths: least area, then the squarest, then the narrowest."""
    order = sorted(range(len(sizes)), key=lambda at: (-sizes[at][1], -sizes[at][0], at))
    ordered = [sizes[at] for at in order]
    best: tuple[tuple[int, ...], Places, tuple[int, int]] | None = None
    for width in _widths(sizes, edge, power_of_two):
        places = method(ordered, width)
        used = (
            max(x + size[0] for (x, _), size in zip(places, ordered, strict=True)),
            max(y + size[1] for (_, y), size in zip(places, ordered, strict=True)),
        )
        sides = [_side(length + edge, power_of_two) for length in used]
        rank = (max(sides) > MAX_SHEET, sides[0] * sides[1], max(sides), sides[0])
        if best is None or rank < best[0]:
            back: Places = [(0, 0)] * len(sizes)
            for at, place in zip(order, places, strict=True):
                back[at] = place
            best = (rank, back, used)
    assert best is not None  # noqa: S101 - there is always one width
    return best[1], best[2]


def _widths(sizes: Sizes, edge: int, power_of_two: bool) -> list[int]:
    """Widths worth trying: from the widest image to twice the side of a square."""
    least = max(size[0] for size in sizes)
    square = isqrt(sum(w * h for w, h in sizes)) + 1
    if power_of_two:
        first = _side(least + edge, True)
        powers = [first << at for at in range(max(1, (2 * square).bit_length() - first.bit_length() + 2))]
        return [power - edge for power in powers]
    most = max(least, 2 * square)
    return sorted({least + (most - least) * at // (_WIDTHS - 1) for at in range(_WIDTHS)} | {max(least, square)})


def _shelves(sizes: Sizes, width: int) -> Places:
    places: Places = []
    x = y = height = 0
    for across, down in sizes:
        if x + across > width:
            x, y, height = 0, y + height, 0
        places.append((x, y))
        x, height = x + across, max(height, down)
    return places


def _maxrects(sizes: Sizes, width: int) -> Places:
    """Maximal rectangles (Jylänki, "A thousand ways to pack the bin", 2010), in a strip without end: the highest free
    place first, the leftmost of those.
    """
    far = sum(size[1] for size in sizes) + 1
    free: NDArray[np.int64] = np.array([[0, 0, width, far]], dtype=np.int64)  # left, top, right, bottom
    places: Places = []
    for across, down in sizes:
        fits = np.flatnonzero((free[:, 2] - free[:, 0] >= across) & (free[:, 3] - free[:, 1] >= down))
        x, y = free[fits[np.lexsort((free[fits, 0], free[fits, 1]))[0]], :2].tolist()
        places.append((x, y))
        free = _split(free, (x, y, x + across, y + down))
    return places


def _split(free: NDArray[np.int64], box: Box) -> NDArray[np.int64]:
    """The maximal free rectangles after a box was taken out of them."""
    left, top, right, bottom = box
    hit = (free[:, 0] < right) & (free[:, 2] > left) & (free[:, 1] < bottom) & (free[:, 3] > top)
    pieces = []
    for column, value in ((2, left), (0, right), (3, top), (1, bottom)):
        piece = free[hit].copy()
        piece[:, column] = value
        pieces.append(piece)
    cut = np.concatenate(pieces)
    cut = np.unique(cut[(cut[:, 0] < cut[:, 2]) & (cut[:, 1] < cut[:, 3])], axis=0)
    every = np.concatenate([free[~hit], cut])
    # Only a new piece can lie inside another rectangle.
    inside = (
        (cut[:, None, :2] >= every[None, :, :2]).all(axis=2) & (cut[:, None, 2:] <= every[None, :, 2:]).all(axis=2)
    ).sum(axis=1) > 1
    return np.concatenate([free[~hit], cut[~inside]])
