"""Looking at one frame: how large its pixels are, and the art in it at one pixel a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.factors import Codes, Factor, mixed_factor, stretched, whole_factor
from pixelrouter.pixels.check.parts import Parts, parts
from pixelrouter.pixels.check.places import Mask, rectangles, spread
from pixelrouter.pixels.check.report import Box
from pixelrouter.pixels.check.setness import setness
from pixelrouter.pixels.color import Bytes, Floats, Ints, to_oklab, unpack
from pixelrouter.pixels.grid import THRESHOLD, find_lattice

_HALF = 0.5  # of setness
_FEWEST = 8  # cells; what looks like fewer is the drawing, not its pixels
_STRONG = 32  # levels of 255
_SINGLE = 0.02  # share of single pixels, above which a picture is at 1x whatever else looks like a grid
_SMALL, _NARROW, _FEW = 256, 5, 64  # pixels of the longer side, pixels of a cell, colours: of these an enlarged picture
_SHORT = 0.05  # has fewer runs of one pixel than this share, since its soft edges would have more colours
_TINY = 3  # pixels of a cell, about as large as the details of art at 1x
_LOOSE = 0.15  # share of changes off the grid, from which a picture with hard edges has none
_BLOCKY = 0.4  # the same of art from larger blocks: enlarged without smoothing by 1.5 to 8.6, art has 0.34 at most
Kind = Literal["whole", "mixed", "native", "uneven", "none"]


@dataclass(frozen=True)
class Look:
    """One frame ``(h, w, 4)`` and its art.

    ``kind``: "whole" is an enlargement by a whole factor, "mixed" one with smaller pixels in it (``mixed`` says of
    them), "native" at one pixel a pixel, "uneven" has pixels of different sizes or soft edges, "none" shows no pixels
    that are larger than its own (it may be at native size). ``parts`` of a "whole" or "native" one are larger than the
    rest, or on another grid.
    ``art`` is ``(rows, columns, 4)``, ``x`` and ``y`` are its cut lines in pixels of the frame, ends included.
    """

    rgba: Bytes
    kind: Kind
    art: Bytes
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    confidence: float
    mixed: Factor | None = None
    parts: Parts | None = None

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Pixels of the frame in one of the art, across and down."""
        across, down = (_typical(np.diff(cuts), even=self.kind != "uneven") for cuts in (self.x, self.y))
        return (round(across, 2), round(down, 2))

    @property
    def cells(self) -> tuple[int, int]:
        """Width and height of the art."""
        return (self.art.shape[1], self.art.shape[0])

    @cached_property
    def codes(self) -> Codes:
        """One number a pixel of the frame, the same for the same look: whatever is clear is 0."""
        return codes(self.rgba)

    @cached_property
    def art_codes(self) -> Codes:
        """The same of the art."""
        return self.codes if self.art is self.rgba else codes(self.art)

    @cached_property
    def clear(self) -> Mask:
        """Where the art is transparent."""
        return np.asarray(self.art[..., 3] == 0)

    @cached_property
    def lab(self) -> Floats:
        """OKLab of the art, ``(rows, columns, 3)``; what is clear lies far from every colour."""
        lab = oklab_of(self.art_codes)
        lab[self.clear] = (-1.0, 0.0, 0.0)
        return lab

    @cached_property
    def colors(self) -> tuple[Bytes, NDArray[np.intp]]:
        """The visible colours of the frame ``(n, 3)`` and how many pixels each has."""
        visible = self.rgba[..., 3] > 0
        values, counts = np.unique(self.codes[visible] & np.uint32(0xFFFFFF), return_counts=True)
        return unpack_codes(values), counts

    @cached_property
    def setness(self) -> float:
        """See :func:`pixelrouter.pixels.check.setness.setness`."""
        return setness(self.rgba, self.codes, len(self.colors[0]))

    @cached_property
    def off_grid(self) -> tuple[float, int]:
        """The share of the colour changes that are off the cut lines, and how many those are."""
        off = total = 0
        for values, cuts in ((self.codes, self.x), (self.codes.T, self.y)):
            changes = (values[:, 1:] != values[:, :-1]).sum(axis=0)
            on = np.zeros(values.shape[1] + 1, dtype=bool)
            on[np.rint(cuts).astype(np.intp).clip(0, values.shape[1])] = True
            off += int(changes[~on[1:-1]].sum())
            total += int(changes.sum())
        return off / max(1, total), off

    @property
    def has_pixels(self) -> bool:
        """Whether there is art in it at all, and no photo or smooth drawing."""
        return self.kind not in ("none", "native") or self.setness > _HALF

    def boxes(self, flagged: Mask) -> list[Box]:
        """The flagged pixels of the art as boxes of the frame."""
        x, y = np.rint(self.x).astype(int), np.rint(self.y).astype(int)
        left, top, right, bottom = rectangles(flagged)
        return list(zip(x[left].tolist(), y[top].tolist(), x[right].tolist(), y[bottom].tolist(), strict=True))

    def spans(self, places: Ints, *, turned: bool) -> list[Box]:
        """Places ``(n, 3)`` of the art, row, left and right, as boxes of the frame; ``turned`` ones are column, top and
        bottom.
        """
        x, y = np.rint(self.x).astype(int), np.rint(self.y).astype(int)
        line, first, last = places[spread(len(places))].T
        sides = (x[line], y[first], x[line + 1], y[last]) if turned else (x[first], y[line], x[last], y[line + 1])
        return list(zip(*(side.tolist() for side in sides), strict=True))


def at_native(rgba: Bytes) -> Look:
    """A frame that is known to be art at one pixel a pixel, so that nothing has to be found out."""
    height, width = rgba.shape[:2]
    x, y = np.arange(width + 1, dtype=np.float64), np.arange(height + 1, dtype=np.float64)
    return Look(rgba, "native", rgba, x, y, 1.0)


def _typical(sides: NDArray[np.float64], *, even: bool) -> float:
    """The size of cells: uneven ones have it only on average, and those that the border cuts have no say."""
    return float(np.median(sides)) if even or len(sides) < 4 else float(np.mean(sides[1:-1]))


def look(rgba: Bytes) -> Look:
    """The frame, its kind and its art."""
    height, width = rgba.shape[:2]
    values = codes(rgba)
    unit = whole_factor(values) or Factor(1, (0, 0))
    fine = values[unit.phase[1] :: unit.size, unit.phase[0] :: unit.size]
    # What is smaller shows in the art at its finest, whatever the picture was enlarged by since.
    factor = mixed_factor(fine)
    if factor is not None:
        factor = factor.times(unit, values.shape)
    elif unit.size > 1:
        factor = unit
    if factor is not None:
        x, y = factor.cuts(width, 0), factor.cuts(height, 1)
        mixed = factor if factor.off else None
        seen = Look(rgba, "mixed" if mixed else "whole", _middles(rgba, x, y), x, y, 1.0, mixed)
        return seen if mixed else replace(seen, parts=parts(seen.art_codes))
    x, y = np.arange(width + 1, dtype=np.float64), np.arange(height + 1, dtype=np.float64)
    lattice = find_lattice(rgba)
    confidence = lattice.grid.confidence
    native = Look(rgba, "native", rgba, x, y, confidence)
    if (doubled := stretched(values)) is not None:
        return Look(rgba, "uneven", _middles(rgba, *doubled), *doubled, 1.0)
    few = min(lattice.grid.size) < _FEWEST or min(lattice.grid.period) < 2
    if lattice.grid.native or few or (native.setness > _HALF and _at_1x(native, min(lattice.grid.period))):
        return replace(native, parts=parts(values)) if native.setness > _HALF else native
    if confidence >= THRESHOLD:
        uneven = Look(rgba, "uneven", _middles(rgba, lattice.x, lattice.y), lattice.x, lattice.y, confidence)
        # Few colours are no soft edges, and then every change of an enlarged picture lies on its lines.
        small = max(width, height) <= _SMALL
        hard = small and len(native.colors[0]) <= _FEW and native.setness > _HALF
        if not hard or uneven.off_grid[0] <= (_LOOSE if min(lattice.grid.period) <= _TINY else _BLOCKY):
            return uneven
        return replace(native, parts=parts(values))
    return replace(native, kind="none")


def _middles(rgba: Bytes, x: NDArray[np.float64], y: NDArray[np.float64]) -> Bytes:
    """The pixel in the middle of each cell, as it is: a check makes nothing better."""
    rows, columns = (((cuts[1:] + cuts[:-1]) / 2).astype(np.intp) for cuts in (y, x))
    return np.ascontiguousarray(rgba[rows[:, None], columns])


def codes(rgba: Bytes) -> Codes:
    """``0xAABBGGRR`` for each pixel of ``(h, w, 4)``, 0 for whatever is clear."""
    packed = np.ascontiguousarray(rgba).view("<u4")[..., 0]
    return np.where(rgba[..., 3] == 0, np.uint32(0), packed)


def unpack_codes(values: Codes) -> Bytes:
    """The colours ``(n, 3)`` of codes."""
    return unpack(values)[:, ::-1]


def oklab_of(values: Codes) -> Floats:
    """OKLab ``(..., 3)`` of codes: each distinct one is worked out once."""
    distinct, inverse = np.unique(values, return_inverse=True)
    return np.asarray(to_oklab(unpack_codes(distinct))[inverse.reshape(values.shape)], dtype=np.float32)


def _at_1x(look: Look, period: float) -> bool:
    """Whether there is detail of one pixel, so that a grid of larger ones that seems to be there cannot be."""
    if _single_pixels(look.rgba) > _SINGLE:
        return True
    if max(look.cells) > _SMALL or period > _NARROW or len(look.colors[0]) > _FEW:
        return False
    across, down = look.codes[:, 1:] != look.codes[:, :-1], (look.codes[1:] != look.codes[:-1]).T
    short = sum(int((changed[:, 1:] & changed[:, :-1]).sum()) for changed in (across, down))
    return short > _SHORT * int(across.sum() + down.sum())


def _single_pixels(rgba: Bytes) -> float:
    """The share of strong changes that the next pixel takes back exactly: an enlarged picture has next to none."""
    values, single, changes = codes(rgba), 0, 0
    planes = np.where((values == 0)[..., None], np.uint8(0), rgba)
    for turned in (False, True):
        same = values.T if turned else values
        strong = np.zeros((same.shape[0], same.shape[1] - 1), dtype=bool)
        for channel in range(4):
            plane = planes[..., channel].T if turned else planes[..., channel]
            strong |= np.maximum(plane[:, 1:], plane[:, :-1]) - np.minimum(plane[:, 1:], plane[:, :-1]) > _STRONG
        single += int((strong[:, :-1] & (same[:, 2:] == same[:, :-2])).sum())
        changes += int(strong.sum())
    return single / max(1, changes)
