"""Where the images of a sheet lie: in equal cells, between gutters, or in the four quarters of a sheet of views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.sheets.content import Box, Content, Mask, find_content

By = Literal["cells", "gutters", "views"]

_MOST = 4096  # images of one sheet; more are noise taken for sprites
_SMALL = 0.12  # of the area of the larger images, below which a part may belong to its neighbour
_MIDDLE = 0.3  # a sheet of views is divided between this share of its side and what is left of it on the other
_LACKING = 20  # the part of its side that the last cell may lack
_RULE = 48  # a drawn line between cells takes two pixels, or this part of the side
_SAME = 24  # sRGB steps within which the pixels of a drawn line are one colour
_ALL = 0.98  # share of a line that is one colour where it was drawn


@dataclass(frozen=True)
class Slicing:
    """How a sheet is cut. Raises InvalidRequest.

    ``by`` "cells": equal cells of ``cell`` (width, height) pixels, or ``grid`` (columns, rows) of them; ``margin``
    pixels lie around all of them and ``spacing`` pixels between two, as in Tiled and Aseprite. "gutters": along the
    empty lines between the sprites, ``min_gutter`` lines at least, rows and columns as uneven as they are; ``join``
    gives small parts close to a sprite, sparks and shadows, to that sprite. "views": the four quarters of a 2x2 sheet.
    ``skip_empty`` leaves out cells that show nothing.
    """

    by: By = "gutters"
    cell: tuple[int, int] | None = None
    grid: tuple[int, int] | None = None
    margin: int = 0
    spacing: int = 0
    min_gutter: int = 1
    join: bool = True
    skip_empty: bool = False

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise InvalidRequest(f"by={self.by!r} is unknown.", hint=f"Use one of: {', '.join(get_args(By))}.")
        if self.by == "cells" and (self.cell is None) == (self.grid is None):
            raise InvalidRequest(
                "Equal cells need their size or their number, not both.", hint="Give cell=(32, 32) or grid=(4, 2)."
            )
        if self.by != "cells" and (self.cell or self.grid or self.margin or self.spacing):
            raise InvalidRequest("cell, grid, margin and spacing go with by='cells' only.")
        for name, pair in (("cell", self.cell), ("grid", self.grid)):
            if pair is not None and (len(pair) != 2 or min(pair) < 1):
                raise InvalidRequest(f"{name}={pair!r} is not two numbers from 1.")
        if self.margin < 0 or self.spacing < 0:
            raise InvalidRequest("margin and spacing are 0 or more pixels.")
        if self.min_gutter < 1:
            raise InvalidRequest("min_gutter is 1 or more pixels.")


def slice_sheet(source: Source, slicing: Slicing) -> tuple[Image.Image, ...]:
    """The images of a sheet in RGBA, row by row. Raises as :func:`slice_boxes` does."""
    image = decode(source).image
    return tuple(image.crop(box) for box in slice_boxes(image, slicing))


def slice_boxes(source: Source, slicing: Slicing) -> tuple[Box, ...]:
    """Where they lie: ``(left, top, right, bottom)`` in pixels, row by row.

    Raises UnreadableImage, and InvalidRequest where there is nothing to find in that way.
    """
    image = decode(source).image
    rgba = np.asarray(image)
    if slicing.by == "cells":
        boxes = cell_boxes(image.size, slicing)
    elif slicing.by == "views":
        boxes = view_boxes(rgba)
    else:
        return gutter_boxes(rgba, slicing.min_gutter, join=slicing.join)
    if slicing.skip_empty:
        shown = find_content(rgba).shown
        boxes = tuple(box for box in boxes if shown[box[1] : box[3], box[0] : box[2]].any())
    return boxes


def cell_boxes(size: tuple[int, int], slicing: Slicing) -> tuple[Box, ...]:
    """Equal cells of a sheet of ``size`` (width, height). Raises InvalidRequest where none fits.

    A cell that the border cuts off does not count, unless a twentieth is all that it lacks. A ``grid`` that does not
    divide evenly is shared out fairly.
    """
    spans = [_spans(size[axis], slicing, axis) for axis in (0, 1)]
    if not all(spans) or len(spans[0]) * len(spans[1]) > _MOST:
        raise InvalidRequest(
            f"The sheet of {size[0]}x{size[1]} pixels cannot be cut that way.",
            hint=f"Check cell, grid, margin and spacing; at least one cell has to fit, and at most {_MOST} may.",
        )
    return tuple((left, top, right, bottom) for top, bottom in spans[1] for left, right in spans[0])


def _spans(length: int, slicing: Slicing, axis: int) -> list[tuple[int, int]]:
    margin, spacing = slicing.margin, slicing.spacing
    if slicing.cell is not None:
        side = slicing.cell[axis]
        # Tiled counts the margin once: what is left over on the far side may be anything, if it is not a margin too.
        far = margin if (length - 2 * margin + spacing) % (side + spacing) == 0 else 0
        # The cells of an enlarged sheet are seldom whole: the last one may lack what rounding took.
        count = max(0, (length - margin - far + spacing + side // _LACKING) // (side + spacing))
        starts = [margin + at * (side + spacing) for at in range(count)]
        return [(start, min(start + side, length)) for start in starts]
    count = slicing.grid[axis] if slicing.grid else 1
    room = length - 2 * margin - (count - 1) * spacing
    if room < count:
        return []
    edges = [round(room * at / count) for at in range(count + 1)]
    return [(margin + at * spacing + a, margin + at * spacing + b) for at, (a, b) in enumerate(pairwise(edges))]


def view_boxes(rgba: Bytes) -> tuple[Box, ...]:
    """The four quarters of a 2x2 sheet ``(h, w, 4)``, divided in the middle or, where that would cut through something,
    along the emptiest line near it.
    """
    height, width = rgba.shape[:2]
    if width < 2 or height < 2:
        raise InvalidRequest(f"A sheet of {width}x{height} pixels has no four quarters.")
    shown = _unruled(rgba, find_content(rgba))
    x, y = _middle(shown.sum(axis=0)), _middle(shown.sum(axis=1))
    return (0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)


def _middle(shown: NDArray[np.intp]) -> int:
    """Before which line to cut: the emptiest one in the middle part, the most central of those."""
    length = len(shown)
    first, last = max(1, int(_MIDDLE * length)), max(2, int(np.ceil((1 - _MIDDLE) * length)))
    at = np.arange(first, min(last, length - 1) + 1)
    # A cut before line i runs between the lines i - 1 and i: it is clean where either of them is empty.
    cost = np.minimum(shown[at - 1], shown[at])
    return int(at[np.lexsort((np.abs(2 * at - length), cost))[0]])


def gutter_boxes(rgba: Bytes, min_gutter: int = 1, *, join: bool = True) -> tuple[Box, ...]:
    """Around the sprites of a sheet ``(h, w, 4)``, tight, row by row. Raises InvalidRequest where it finds none.

    Recursive X-Y cuts (Nagy and Seth, "Hierarchical representation of optically scanned documents", 1984): first along
    the empty rows, then each strip along its empty columns, and so on. The ground may be transparent, one colour, a
    slow gradient or a
    checkerboard, noisy, or ruled with thin lines.
    """
    content = find_content(rgba)
    shown = _unruled(rgba, content)
    if content.covered and shown.all():
        raise InvalidRequest(
            "There are no gutters: the sheet is covered to its border.",
            hint="Say how the images lie: cells of WxH pixels, or CxR of them.",
        )
    boxes = _cut(shown, min_gutter)
    if not boxes:
        raise InvalidRequest("The sheet is empty: nothing lies on its ground.")
    return tuple(_joined(boxes) if join else boxes)


def _cut(shown: Mask, gutter: int) -> list[Box]:
    found: list[Box] = []
    waiting: list[Box] = [(0, 0, shown.shape[1], shown.shape[0])]
    while waiting:
        left, top, right, bottom = waiting.pop()
        part = shown[top:bottom, left:right]
        rows = _runs(np.asarray(part.any(axis=1)), gutter)
        columns = _runs(np.asarray(part.any(axis=0)), gutter)
        if len(rows) > 1:
            waiting += [(left, top + start, right, top + stop) for start, stop in reversed(rows)]
        elif len(columns) > 1:
            waiting += [(left + start, top, left + stop, bottom) for start, stop in reversed(columns)]
        elif rows:
            found.append((left + columns[0][0], top + rows[0][0], left + columns[0][1], top + rows[0][1]))
        if len(found) + len(waiting) > _MOST:
            raise InvalidRequest(
                f"More than {_MOST} parts lie on the sheet: that is noise, not sprites.",
                hint="Finish the sheet first, raise min_gutter, or say how large the cells are.",
            )
    return found


def _runs(used: Mask, gutter: int) -> list[tuple[int, int]]:
    """Start and stop of what is used; fewer unused lines than ``gutter`` divide nothing."""
    step = np.diff(np.concatenate([[False], used, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(step == 1), np.flatnonzero(step == -1)
    wide = starts[1:] - stops[:-1] >= gutter
    firsts = starts[np.concatenate([[True], wide])] if len(starts) else starts
    lasts = stops[np.concatenate([wide, [True]])] if len(stops) else stops
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _joined(boxes: Sequence[Box]) -> list[Box]:
    """Small parts given to the sprite beside them, if that is clearly nearer than sprites are to each other."""
    around = np.array(boxes, dtype=np.int64)
    area = (around[:, 2] - around[:, 0]) * (around[:, 3] - around[:, 1])
    big = area >= _SMALL * np.quantile(area, 0.75, method="higher")
    if big.all():
        return list(boxes)
    large, small = around[big], around[~big]
    apart = _gaps(large, large).astype(np.float64)
    np.fill_diagonal(apart, np.inf)
    # One sprite alone has no neighbours to measure by; its own size says what is near.
    usual = float(np.median(apart.min(axis=1))) if len(large) > 1 else float((large[:, 2:] - large[:, :2]).max()) / 2
    gaps = _gaps(small, large)
    owner, near = gaps.argmin(axis=1), gaps.min(axis=1) * 3 < usual
    for one in np.flatnonzero(near):
        home = large[owner[one]]
        home[:2], home[2:] = np.minimum(home[:2], small[one, :2]), np.maximum(home[2:], small[one, 2:])
    kept = around.copy()
    kept[big] = large
    stay = big.copy()
    stay[~big] = ~near
    left, top, right, bottom = kept[stay].T.tolist()
    return list(zip(left, top, right, bottom, strict=True))


def _gaps(some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Empty lines between each of ``(n, 4)`` and each of ``(m, 4)`` boxes, the larger of across and down."""
    before = some[:, None, :2] - others[None, :, 2:]
    after = others[None, :, :2] - some[:, None, 2:]
    return np.asarray(np.maximum(before, after).max(axis=2).clip(0), dtype=np.int64)


def _unruled(rgba: Bytes, content: Content) -> Mask:
    """What is shown, without thin lines of one colour that were drawn from border to border between the cells.

    On a ground such a line stands alone. Where the cells cover everything, all lines have one colour.
    """
    shown = content.shown
    rows, columns = _drawn(rgba, shown), _drawn(rgba.transpose(1, 0, 2), shown.T)
    if not rows.any() and not columns.any():
        return shown
    if content.covered:
        colors = np.concatenate([rgba[rows].reshape(-1, 4), rgba[:, columns].reshape(-1, 4)])
        color = np.median(colors, axis=0)
        rows &= np.abs(np.median(rgba, axis=1) - color).max(axis=1) <= _SAME
        columns &= np.abs(np.median(rgba, axis=0) - color).max(axis=1) <= _SAME
    else:
        rows &= _alone(rows, np.asarray((shown & ~columns).any(axis=1)))
        columns &= _alone(columns, np.asarray((shown & ~rows[:, None]).any(axis=0)))
    out = shown.copy()
    out[rows] = False
    out[:, columns] = False
    return out


def _drawn(rgba: Bytes, shown: Mask) -> Mask:
    """``(h,)``: which rows are one colour from border to border, and few of them together."""
    flat = np.asarray(shown.mean(axis=1) >= _ALL)
    lines = rgba[flat].astype(np.int16)  # few, where there is a ground
    if len(lines):
        near = np.abs(lines - np.median(lines, axis=1, keepdims=True)).max(axis=2) <= _SAME
        flat[flat] = near.mean(axis=1) >= _ALL
    thin = np.zeros_like(flat)
    for start, stop in _runs(flat, 1):
        thin[start:stop] = stop - start <= max(2, len(flat) // _RULE)
    return thin


def _alone(lines: Mask, used: Mask) -> Mask:
    """Which of the lines have nothing beside them."""
    alone = np.zeros_like(lines)
    for start, stop in _runs(lines, 1):
        alone[start:stop] = not used[max(0, start - 1) : start].any() and not used[stop : stop + 1].any()
    return alone
