"""Enlargement by a whole factor: exact, or of most of a picture with smaller pixels in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.places import Mask

Codes = NDArray[np.uint32]

_DOMINANT = 0.8  # share of the changes on one coarser grid, from which the others are pixels of another size
_FACTORS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16)


@dataclass(frozen=True)
class Factor:
    """Pixels of ``size`` image pixels, the first whole one at ``phase`` (x, y); ``off`` is the share of colour changes
    that are not on that grid, ``where`` the pixels ``(h, w)`` at those.
    """

    size: int
    phase: tuple[int, int]
    off: float = 0.0
    where: Mask | None = None

    def cuts(self, length: int, axis: int) -> NDArray[np.float64]:
        """The cut lines along an axis (0: x), from 0 to its length."""
        lines = np.arange(self.phase[axis], length, self.size, dtype=np.float64)
        return np.unique(np.concatenate([[0.0], lines, [float(length)]]))


def whole_factor(values: Codes) -> Factor | None:
    """The factor of an exact enlargement, at least 2; None where it is none.

    It is the greatest common divisor of the distances between lines where colours change.
    """
    columns = np.flatnonzero((values[:, 1:] != values[:, :-1]).any(axis=0)) + 1
    rows = np.flatnonzero((values[1:] != values[:-1]).any(axis=1)) + 1
    if len(columns) + len(rows) < 3:
        return None
    size = int(np.gcd.reduce(np.concatenate([np.diff(columns), np.diff(rows)])))
    if size < 2:
        return None
    first = (int(columns[0]) % size if len(columns) else 0, int(rows[0]) % size if len(rows) else 0)
    return Factor(size, first)


def mixed_factor(values: Codes) -> Factor | None:
    """The largest factor whose grid most changes keep to, though not all; None where there is none."""
    across = values[:, 1:] != values[:, :-1]
    down = values[1:] != values[:-1]
    for size in reversed(_FACTORS):
        if min(values.shape) < 6 * size:
            continue
        x, y = _off(across.sum(axis=0), size), _off(down.sum(axis=1), size)
        if x is None or y is None or max(x[0], y[0]) > 1 - _DOMINANT:
            continue
        where = np.zeros(values.shape, dtype=bool)
        where[:, 1:] |= across & x[1]
        where[1:] |= down & y[1][:, None]
        return Factor(size, (x[2], y[2]), (x[0] + y[0]) / 2, where)
    return None


def _off(changes: NDArray[np.intp], size: int) -> tuple[float, Mask, int] | None:
    """The share of the changes (one count a line) off the best grid of that size, which lines those are, its phase."""
    total = int(changes.sum())
    if not total:
        return None
    rest = (np.arange(len(changes)) + 1) % size
    best = int(np.bincount(rest, changes, minlength=size).argmax())
    off = rest != best
    return float(changes[off].sum()) / total, off, best
