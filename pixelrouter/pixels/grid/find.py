"""Finding the pixel grid of an image: an exact enlargement, a lattice with drift, or none at all.

What is found is judged by :mod:`~pixelrouter.pixels.grid.confidence`, which knows nothing of how it was found.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.grid.confidence import THRESHOLD, confidence
from pixelrouter.pixels.grid.edges import Profile, edge_profile, premultiplied, scan_lines
from pixelrouter.pixels.grid.lattice import Doubles, Lattice
from pixelrouter.pixels.grid.lines import cut_lines, drifting_lines, evidence_at, with_borders
from pixelrouter.pixels.grid.native import is_native
from pixelrouter.pixels.grid.period import MIN_PERIOD, Comb, comb, comb_at, periods
from pixelrouter.pixels.grid.smooth import Interpolation, find_interpolation
from pixelrouter.types import Grid

_SOFT, _SOFT_UNSURE = 0.395, 0.45  # sharpness below which an image may have been enlarged smoothly ...
_UNSURE = 0.3  # ... the second where the coherence of its edges is below this
_NOISY = 0.45  # coherence below which more lines are averaged, over wider steps, and what is clearer counts
_CLOSER_GROUP, _CLOSER_SPAN = 14, 3
_PROBES = 24  # lines that are looked at before all of them are
_ONE_CLASS = 0.8  # share of the evidence on every k-th line, above which the lines between are not lines
_ONE_CLASS_AXIS = 0.7  # the same for each axis alone; a true lattice has at most 0.7 on one class
_LINES_A_CLASS = 6
_DRIFTS = 0.06  # spread of the widths of cells, in periods, above which the lattice drifts
_JITTER = 0.4  # the same in source pixels: less is rounding


def detect_grid(image: Image.Image) -> Grid:
    """The pixel grid of an image: period and phase per axis, cells, drift, confidence 0..1, native or not."""
    return find_lattice(np.asarray(image.convert("RGBA"))).grid


def find_lattice(
    rgba: Bytes, cell: tuple[float, float] | None = None, origin: tuple[float, float] | None = None
) -> Lattice:
    """The lattice of ``(h, w, 4)`` bytes. ``cell`` (x and y, source pixels) overrides the period, ``origin`` (x and y of
    one corner of a cell) the phase.
    """
    image = premultiplied(rgba)
    height, width = image.shape[:2]
    if cell is None and origin is None:
        if exact := _exact(image):
            return exact
        if min(width, height) < 3 * MIN_PERIOD:
            return Lattice.native(width, height, 0.0)  # too small for anything but 1x
    lines = (scan_lines(image, 1), scan_lines(image, 0))
    profiles = (edge_profile(lines[0]), edge_profile(lines[1]))
    if cell is not None:
        return _build(*profiles, (min(cell[0], width), min(cell[1], height)), 1.0)
    found, score = periods(*profiles)
    sharpness = min(profile.sharpness for profile in profiles)
    soft = sharpness < (_SOFT if score >= _UNSURE else _SOFT_UNSURE) or not any(p.bands.any() for p in profiles)
    if soft and (smooth := find_interpolation(*lines)):
        return _judged(image, _uniform(smooth, width, height))
    if score < _NOISY:
        closer = [edge_profile(scan_lines(image, axis, _CLOSER_GROUP), _CLOSER_SPAN) for axis in (1, 0)]
        again, better = periods(*closer)
        if better > score:
            profiles, found, score = (closer[0], closer[1]), again, better
    if score <= 0:
        return Lattice.native(width, height, 0.0, at_1x=is_native(image))
    lattice = _judged(image, _build(*profiles, found, score))
    if lattice.grid.confidence < THRESHOLD and is_native(image):
        return Lattice.native(width, height, lattice.grid.confidence)
    return lattice


def _judged(image: Bytes, lattice: Lattice) -> Lattice:
    return replace(lattice, grid=replace(lattice.grid, confidence=confidence(image, lattice)))


def _uniform(smooth: Interpolation, width: int, height: int) -> Lattice:
    """The lattice of a smooth enlargement, which does not drift."""
    cuts, phases = [], []
    for period, center, length in zip(smooth.period, smooth.center, (width, height), strict=True):
        phase = (center + period / 2) % period
        cuts.append(with_borders(np.arange(phase, length, period), length, period))
        phases.append(phase)
    x, y = cuts
    grid = Grid(smooth.period, (phases[0], phases[1]), (len(x) - 1, len(y) - 1))
    return Lattice(x, y, grid)


def _exact(image: Bytes) -> Lattice | None:
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


def _build(across: Profile, down: Profile, periods: tuple[float, float], score: float) -> Lattice:
    """Cut lines at about those periods."""
    profiles = (across, down)
    combs = [comb(profile, period) for profile, period in zip(profiles, periods, strict=True)]
    first = [cut_lines(profile, one) for profile, one in zip(profiles, combs, strict=True)]
    factor = _thinning(profiles, first) if score < 1 else 1  # a given period is not questioned
    if factor > 1:
        combs = [comb(profile, period * factor) for profile, period in zip(profiles, periods, strict=True)]
        first = [cut_lines(profile, one) for profile, one in zip(profiles, combs, strict=True)]
    first = [_followed(*each) for each in zip(profiles, combs, first, strict=True)]
    cuts, slopes, phases, drift = [], [], [], 0.0
    for profile, one, lines in zip(profiles, combs, first, strict=True):
        period = one.period
        number = np.arange(len(lines))
        slope, start = np.polyfit(number, lines, 1) if len(lines) > 2 else (period, lines[0])
        drift = max(drift, float(np.abs(lines - (slope * number + start)).max()))
        slopes.append(float(slope))
        phases.append(float(start % slope))
        cuts.append(with_borders(lines, profile.length, float(slope)))
    x, y = cuts
    size = (len(x) - 1, len(y) - 1)
    return Lattice(x, y, Grid((slopes[0], slopes[1]), (phases[0], phases[1]), size, drift, min(1.0, score)))


def _followed(profile: Profile, one: Comb, lines: Doubles) -> Doubles:
    """The lines, found again with springs made for drift where they do drift."""
    for _ in range(2):
        if len(lines) < 6:
            break
        widths = np.diff(lines)
        if widths[1:-1].std() < max(_DRIFTS * one.period, _JITTER):
            break
        period = float((lines[-1] - lines[0]) / len(widths))
        lines = drifting_lines(profile, comb_at(profile, period))
    return lines


def _thinning(profiles: tuple[Profile, Profile], lines: list[Doubles]) -> int:
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
