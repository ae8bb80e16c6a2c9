"""Keeping still what stands still: cells of an animation that differ by no more than noise take one colour.

Each frame alone would put a cell that lies between two palette colours into one here and into the other there: it
flickers. So the colours of a cell over time are grouped first, the nearest together, and each group takes its mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pixelrouter.pixels.color import Bytes, Floats, Ints

_SPREAD = 5.0  # standard deviations of the noise that a group reaches from its first colour
_MOST = 10  # levels a channel: what differs by more is never taken for noise
_GROUPS = 8  # colours that a cell takes in turn; later ones stay as they are
_TO_DEVIATION = 1.3  # from the mean of the smaller half of the differences of two frames to their noise's deviation


def steady(frames: Sequence[Bytes]) -> list[Bytes]:
    """Frames ``(h, w, 4)`` of one size with what only noise changes made the same in all of them.

    Where a background comes back after something passed over it, it comes back in the same colour. Without noise (most
    cells are the same, to the bit) nothing changes. No channel moves by more than 10 levels.
    """
    if len(frames) < 2:
        return list(frames)
    stack = np.stack(frames)
    reach = min(_SPREAD * _noise(stack), _MOST)
    if reach <= 0:
        return list(frames)
    return list(_grouped(stack, reach))


def _noise(stack: Bytes) -> float:
    """The standard deviation of the noise of a cell, in levels, from the half of the cells that change least.

    That half stands still in all but the wildest animations.
    """
    changes = [
        np.abs(after[..., :3].astype(np.int16) - before[..., :3]).mean(axis=-1)[(before[..., 3] & after[..., 3]) == 255]
        for before, after in pairwise(stack)
    ]
    every = np.concatenate(changes)
    if not len(every):
        return 0.0
    half = np.partition(every, len(every) // 2)[: len(every) // 2 + 1]
    return float(half.mean()) * _TO_DEVIATION


def _grouped(stack: Bytes, reach: float) -> Bytes:
    """Each cell's colours over time replaced by the mean of the largest group within ``reach``."""
    means, sizes = _groups(stack, reach)
    rows, columns = np.ogrid[: stack.shape[1], : stack.shape[2]]
    out = stack.copy()
    for at, frame in enumerate(stack):
        within = np.abs(means - frame.astype(np.float32)).max(axis=-1) <= reach
        best = np.where(within, sizes, 0).argmax(axis=0)
        out[at] = np.where(within.any(axis=0)[..., None], means[best, rows, columns], frame)
    return out


def _groups(stack: Bytes, reach: float) -> tuple[Floats, Ints]:
    """Up to 8 colours ``(8, h, w, 4)`` of each cell, and how many frames each stands for, 0 for none.

    A colour begins a group if no earlier group began within ``reach`` of it. That first one stays the centre, so a slow
    fade is no single group.
    """
    height, width = stack.shape[1:3]
    first = np.full((_GROUPS, height, width, 4), np.inf, dtype=np.float32)
    total = np.zeros((_GROUPS, height, width, 4), dtype=np.float32)
    size = np.zeros((_GROUPS, height, width), dtype=np.intp)
    rows, columns = np.ogrid[:height, :width]
    for frame in stack:
        color = frame.astype(np.float32)
        gap = np.abs(first - color).max(axis=-1)  # alpha counts: what is transparent is no shade of black
        best = gap.argmin(axis=0)
        used = (size > 0).sum(axis=0)
        group = np.where(gap[best, rows, columns] <= reach, best, used)
        y, x = np.nonzero(group < _GROUPS)
        into = group[y, x]
        began = size[into, y, x] == 0
        first[into[began], y[began], x[began]] = color[y[began], x[began]]
        total[into, y, x] += color[y, x]
        size[into, y, x] += 1
    means = np.where(size[..., None] > 0, np.rint(total / np.maximum(size, 1)[..., None]), np.inf)
    return means.astype(np.float32), size
