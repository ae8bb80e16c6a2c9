"""Places as boxes: the flagged pixels of a mask, gathered into few rectangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.report import MOST_BOXES, Box
from pixelrouter.pixels.color import Ints

Mask = NDArray[np.bool_]


def rectangles(flagged: Mask) -> tuple[Ints, Ints, Ints, Ints]:
    """Left, top, right and bottom (outside) of rectangles that hold the flagged pixels of ``(h, w)`` and no others.

    Runs along the rows; runs below each other with the same ends are one. At most MOST_BOXES, evenly spread.
    """
    edges = np.diff(np.pad(flagged, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, left = np.nonzero(edges == 1)
    _, right = np.nonzero(edges == -1)
    order = np.lexsort((row, right, left))
    row, left, right = row[order], left[order], right[order]
    goes_on = (np.diff(row) == 1) & (np.diff(left) == 0) & (np.diff(right) == 0)
    first = np.concatenate([[True], ~goes_on])[: len(row)]
    last = np.concatenate([~goes_on, [True]])[: len(row)]
    left, top, right, bottom = left[first], row[first], right[first], row[last] + 1
    reading = np.lexsort((left, top))
    some = reading[spread(len(reading))]
    return left[some], top[some], right[some], bottom[some]


def boxes(flagged: Mask) -> list[Box]:
    """The rectangles of flagged pixels as boxes."""
    return list(zip(*(side.tolist() for side in rectangles(flagged)), strict=True))


def spread(count: int) -> Ints:
    """At most MOST_BOXES of so many places, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_BOXES)).astype(np.intp))
