"""Clean enlargements by a whole factor, which need no measuring: all edges lie whole factors apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.grid.lattice import Lattice
from pixelrouter.pixels.grid.lines import with_borders
from pixelrouter.types import Grid

_PROBES = 24  # lines that are looked at before all of them are


def find_exact(image: Bytes) -> Lattice | None:
    """The lattice of a clean enlargement by a whole factor: the greatest common divisor of its edges."""
    height, width = image.shape[:2]
    packed = np.ascontiguousarray(image).view(np.uint32)[..., 0]
    steps: list[int] = []
    firsts = []
    for lines in (packed, packed.T):
        few = lines[:: max(1, len(lines) // _PROBES)]
        if _common(_changes(few)) < 2:
            return None
        at = _changes(lines)
        if len(at) < 3:
            return None
        steps.append(_common(at))
        firsts.append(int(at[0]))
    factor = int(np.gcd(steps[0], steps[1]))
    if factor < 2:
        return None
    cuts = [
        with_borders(np.arange(first % factor, length + 1, factor, dtype=np.float64), length, factor)
        for first, length in zip(firsts, (width, height), strict=True)
    ]
    phase = (float(firsts[0] % factor), float(firsts[1] % factor))
    grid = Grid((float(factor), float(factor)), phase, (len(cuts[0]) - 1, len(cuts[1]) - 1), 0.0, 1.0)
    return Lattice(cuts[0], cuts[1], grid)


def _changes(lines: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Where along packed lines ``(lines, length)`` any of them changes."""
    changed = np.zeros(lines.shape[1] - 1, dtype=bool)
    if lines.flags.c_contiguous or len(lines) < lines.shape[1] // 4:
        for start in range(0, len(lines), 64):  # bounds the memory
            part = lines[start : start + 64]
            changed |= (part[:, 1:] != part[:, :-1]).any(axis=0)
    else:
        for start in range(0, len(changed), 64):
            part = lines.T[start : start + 65]
            changed[start : start + 64] = (part[1:] != part[:-1]).any(axis=1)
    return np.flatnonzero(changed) + 1


def _common(places: NDArray[np.intp]) -> int:
    """The greatest common divisor of the distances; large where there are too few to say."""
    return int(np.gcd.reduce(np.diff(places))) if len(places) > 1 else 1 << 30
