"""Enlargement without smoothing: by a whole factor, of most of a picture, or by a factor between one and two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.places import Mask

Codes = NDArray[np.uint32]

_DOMINANT = 0.8  # share of the changes on one coarser grid, from which the others are pixels of another size
_FACTORS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
_BLANK = 4  # places in a row without a change, which are the drawing's own
_EXPLAINED = 0.5  # share of the shorter ones that a factor between one and two has to explain
_WRONG = 0.15  # share of its doubled lines that may change: where two are equally near, rounding takes either
_CHANCE = 1e-5  # the most that both axes together may owe to chance
_ALIKE = 0.05  # how much the factors across and down may differ
_READ = 640  # pixels of the wider side; larger pictures are hardly enlarged by so little
_PERIOD = 16  # lines, the longest pattern that is looked for
_REPEATS = 0.6  # share of the changes that come again, which makes a pattern of what looks like doubled lines


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

    def times(self, unit: Factor, shape: tuple[int, ...]) -> Factor:
        """The same factor, found in art that ``unit`` enlarges, in pixels of the whole picture ``(h, w)``."""
        if unit.size == 1 or self.where is None:
            return self
        where = np.zeros(shape, dtype=bool)
        across, down = unit.phase
        inner = self.where.repeat(unit.size, axis=0).repeat(unit.size, axis=1)
        inner = inner[: shape[0] - down, : shape[1] - across]
        where[down : down + inner.shape[0], across : across + inner.shape[1]] = inner
        phase = (self.phase[0] * unit.size + across, self.phase[1] * unit.size + down)
        return Factor(self.size * unit.size, phase, self.off, where)


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


@dataclass(frozen=True)
class _Doubled:
    """A factor between one and two along one axis: its cut lines, and how likely chance alone draws the same."""

    factor: float
    cuts: NDArray[np.float64]
    chance: float


def stretched(values: Codes) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The cut lines (x, y) of an enlargement between one and two, in which some lines are doubled, evenly spread.

    Below a factor of two every grid detector sees single pixels; but no artist doubles each third column and row.
    """
    across = _doubled(values)
    if across is None or (down := _doubled(values.T)) is None:
        return None
    if across.chance * down.chance > _CHANCE or abs(across.factor / down.factor - 1) > _ALIKE:
        return None
    return across.cuts, down.cuts


def _doubled(values: Codes) -> _Doubled | None:
    """The likeliest factor along the columns. A column that was doubled has no change on its left, in any row."""
    width = values.shape[1]
    if not 8 <= width <= _READ:
        return None
    changes = values[:, 1:] != values[:, :-1]
    changed = changes.any(axis=0)
    edges = np.diff(np.concatenate([[True], changed, [True]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
    known = np.ones(width - 1, dtype=bool)
    for start, end in zip(starts, ends, strict=True):
        if end - start >= _BLANK:
            known[start:end] = False
    still = ~changed & known
    if not 0 < int(still.sum()) < int(known.sum()) or _repeats(changes):
        return None
    share = float(still.sum() / known.sum())
    sides = np.arange(width // 2 + 1, width)  # how wide it may have been
    place = (2 * np.arange(width) + 1) * sides[:, None]
    doubled, other = (np.diff((place - tie) // (2 * width), axis=1) == 0 for tie in (0, 1))
    # Where two lines are equally near, rounding doubles either: one column or the next has no change then.
    firm, either = doubled & other, other & ~doubled
    after = np.concatenate([still[1:], [False]])
    right = (firm & still).sum(axis=1) + (either & (still | after)).sum(axis=1)
    wrong = (firm & changed).sum(axis=1) + (either & ~still & ~after & known).sum(axis=1)
    count = np.where(wrong <= _WRONG * right, right - 2 * wrong, 0)
    best = int(count.argmax())
    if right[best] < _EXPLAINED * int(still.sum()) or not count[best]:
        return None
    inner = np.flatnonzero(~doubled[best]) + 1
    cuts = np.concatenate([[0.0], inner, [float(width)]])
    return _Doubled(width / float(sides[best]), cuts, min(1.0, len(sides) * share ** int(count[best])))


def _repeats(changes: Mask) -> bool:
    """Whether changes come again after a few columns: a woven pattern, whose lines are evenly doubled by design."""
    total = max(1, int(changes.sum()))
    steps = range(2, min(_PERIOD, changes.shape[1] // 2) + 1)
    return any(int((changes[:, step:] & changes[:, :-step]).sum()) > _REPEATS * total for step in steps)
