"""Lattices that are too fine: a whole fraction of the period fits the edges as well as the period itself."""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.grid.edges import SUB, Profile
from pixelrouter.pixels.grid.lattice import Doubles
from pixelrouter.pixels.grid.lines import evidence_at
from pixelrouter.pixels.grid.smooth import Interpolation

_ONE_CLASS = 0.8  # share of the evidence on every k-th line, above which the lines between are not lines
_ONE_CLASS_AXIS = 0.7  # the same for each axis alone; a true lattice has at most 0.7 on one class
_ALL_ON_ONE = 0.97  # share of the edges around every k-th line of an interpolation, from which on it is a blur
_LINES_A_CLASS = 6  # in a part that is judged at once


def blurred(profiles: tuple[Profile, Profile], smooth: Interpolation) -> int:
    """By which factor the cells of an image that seems smoothly enlarged are larger: blur looks like interpolation.

    Then all edges lie around every k-th line of the finer lattice.
    """
    best = 1
    for factor in range(2, 9):
        least = 1.0
        for profile, period, center in zip(profiles, smooth.period, smooth.center, strict=True):
            total = profile.total
            line = np.floor((np.arange(len(total)) / SUB - center % period) / period).astype(np.intp) + 1
            evidence = np.bincount(line, total)
            if len(evidence) < 2 * factor:
                return best
            most = 0.0
            for part in np.array_split(np.arange(len(evidence)), max(1, len(evidence) // (_LINES_A_CLASS * factor))):
                most += float(np.bincount(part % factor, evidence[part], minlength=factor).max())
            least = min(least, most / max(float(evidence.sum()), 1e-9))
        if least > _ALL_ON_ONE:
            best = factor
    return best


def thinning(profiles: tuple[Profile, Profile], lines: list[Doubles]) -> int:
    """By which factor the lines lie too close: where only every k-th line has evidence, those are the grid."""
    best = 1
    for factor in range(2, 7):
        most, total = np.zeros(2), np.zeros(2)
        for axis, (profile, at) in enumerate(zip(profiles, lines, strict=True)):
            if len(at) < 2 * factor:
                return best
            # Noise puts evidence everywhere: what counts is what a line has beyond the gaps between lines.
            beyond = evidence_at(profile, at) - evidence_at(profile, (at[1:] + at[:-1]) / 2).mean()
            # Part by part, since one line too many in the middle exchanges the classes.
            for part in np.array_split(np.arange(len(at)), max(1, len(at) // (_LINES_A_CLASS * factor))):
                shares = np.bincount(part % factor, beyond[part], minlength=factor).clip(0)
                most[axis] += shares.max()
                total[axis] += shares.sum()
        if (most >= _ONE_CLASS_AXIS * total).all() and most.sum() > _ONE_CLASS * total.sum():
            best = factor
    return best
