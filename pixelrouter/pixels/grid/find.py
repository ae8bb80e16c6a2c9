"""Finding the pixel grid of an image: an exact enlargement, a lattice with drift, or none at all.

What is found is judged by :mod:`~pixelrouter.pixels.grid.confidence`, which knows nothing of how it was found.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import to_array
from pixelrouter.pixels.grid.confidence import THRESHOLD, confidence
from pixelrouter.pixels.grid.edges import Profile, edge_profile, premultiplied, scan_lines
from pixelrouter.pixels.grid.exact import find_exact
from pixelrouter.pixels.grid.lattice import Doubles, Lattice
from pixelrouter.pixels.grid.lines import cut_lines, drifting_lines, evidence_at, with_borders
from pixelrouter.pixels.grid.multiples import blurred, thinning
from pixelrouter.pixels.grid.native import is_native, single_pixels
from pixelrouter.pixels.grid.period import MIN_PERIOD, Comb, comb, comb_at, periods
from pixelrouter.pixels.grid.smooth import find_interpolation
from pixelrouter.types import Grid

_SOFT, _SOFT_UNSURE = 0.395, 0.45  # sharpness below which an image may have been enlarged smoothly ...
_UNSURE = 0.3  # ... the second where the coherence of its edges is below this; then more lines are averaged as well
_CLOSER, _CLOSER_SPAN = (14, 192), 3  # lines averaged and lines read; pixels a step is wide
_FINE, _SHARP = 2.6, 0.55  # periods below the first need edges sharper than the second
_SINGLE = 0.05  # share of single pixels that no enlarged image has
_MANY = 160  # cells along a side, from which on they may be parts of larger ones
_FEWEST = 16  # cells along a side, that larger ones are looked for among
_TOO_FEW = 100  # cells
_DRIFTS = 0.035  # spread of the mean widths of three cells, in periods, above which the lattice drifts
_SEEN = 0.15  # of the mean evidence of a line, to count as seen
_BOUND = 0.5  # cells that drift moves a line at most
_JITTER = 0.3  # the same in source pixels: less is rounding


def detect_grid(image: Image.Image) -> Grid:
    """The pixel grid of an image: period and phase per axis, cells, drift, confidence 0..1, native or not."""
    return find_lattice(to_array(image)).grid


def find_lattice(
    rgba: Bytes, cell: tuple[float, float] | None = None, origin: tuple[float, float] | None = None
) -> Lattice:
    """The lattice of ``(h, w, 4)`` bytes.

    ``cell`` (x and y, source pixels) is the period, instead of the one that would be found; lines still follow edges.
    ``origin`` (x and y of one corner of a cell) makes the lattice regular from there. Both are believed: confidence 1.
    """
    image = premultiplied(rgba)
    height, width = image.shape[:2]
    if cell is not None:
        if origin is None and max(cell) > 1:
            return _followed_by(image, cell)
        return _regular(cell, origin or (0.0, 0.0), width, height)
    found = _detected(image)
    if origin is None or found.grid.native:
        return found
    return _regular(found.grid.period, origin, width, height)


def _detected(image: Bytes) -> Lattice:
    height, width = image.shape[:2]
    if exact := find_exact(image):
        # A photo enlarged by a whole factor has cells too, but is no pixel art. A few cells are too few to judge.
        judged = _judged(image, exact)
        few = (len(exact.x) - 1) * (len(exact.y) - 1) < _TOO_FEW
        return exact if few or judged.grid.confidence >= THRESHOLD else judged
    if min(width, height) < 3 * MIN_PERIOD:
        return Lattice.native(width, height, 0.0)  # too small for anything but 1x
    if single_pixels(image) > _SINGLE and is_native(image):
        return Lattice.native(width, height, 0.0)
    lines = (scan_lines(image, 1), scan_lines(image, 0))
    profiles = (edge_profile(lines[0]), edge_profile(lines[1]))
    found, score = periods(*profiles)
    sharpness = min(profile.sharpness for profile in profiles)
    if min(found) < _FINE and sharpness < _SHARP:
        score = 0.0  # compressed colour, stored at half the resolution
    soft = sharpness < (_SOFT if score >= _UNSURE else _SOFT_UNSURE) or not any(p.bands.any() for p in profiles)
    smooth = find_interpolation(*lines) if soft else None
    if smooth is None and score < _UNSURE:
        lines = (scan_lines(image, 1, *_CLOSER), scan_lines(image, 0, *_CLOSER))
        closer = (edge_profile(lines[0], _CLOSER_SPAN), edge_profile(lines[1], _CLOSER_SPAN))
        again, better = periods(*closer)
        if better > score:
            profiles, found, score = closer, again, better
        if score < _UNSURE:
            smooth = find_interpolation(*lines)
    if smooth is not None:
        factor = blurred(profiles, smooth)
        if factor == 1:
            corner = (smooth.center[0] + smooth.period[0] / 2, smooth.center[1] + smooth.period[1] / 2)
            return _coarser(image, _judged(image, _regular(smooth.period, corner, width, height)))
        found, score = (smooth.period[0] * factor, smooth.period[1] * factor), 1.0
    if score <= 0:
        return Lattice.native(width, height, 0.0, at_1x=is_native(image))
    lattice = _judged(image, _built(profiles, found))
    if lattice.grid.confidence < THRESHOLD and is_native(image):
        return Lattice.native(width, height, lattice.grid.confidence)
    return _coarser(image, lattice) if max(lattice.grid.size) > _MANY else lattice


def _coarser(image: Bytes, fine: Lattice) -> Lattice:
    """The lattice of an image that was enlarged twice, if the cells of a fine one make up coarser cells."""
    columns, rows = ((cuts[1:] + cuts[:-1]) / 2 for cuts in (fine.x, fine.y))
    cells = image[rows.astype(np.intp)[:, None], columns.astype(np.intp)[None, :]]
    if min(cells.shape[:2]) < _FEWEST or fine.grid.confidence < THRESHOLD:
        return fine
    inner = _detected(cells)
    if inner.grid.native or min(inner.grid.period) < _FINE or inner.grid.confidence < THRESHOLD:
        return fine
    x, y = (np.interp(at, np.arange(len(cuts)), cuts) for at, cuts in ((inner.x, fine.x), (inner.y, fine.y)))
    period = (inner.grid.period[0] * fine.grid.period[0], inner.grid.period[1] * fine.grid.period[1])
    drift = max(inner.grid.drift * max(fine.grid.period), fine.grid.drift)
    grid = Grid(period, (float(x[0] % period[0]), float(y[0] % period[1])), inner.grid.size, drift)
    lattice = _judged(image, Lattice(x, y, grid))
    return lattice if lattice.grid.confidence >= THRESHOLD else fine


def _judged(image: Bytes, lattice: Lattice) -> Lattice:
    return replace(lattice, grid=replace(lattice.grid, confidence=confidence(image, lattice)))


def _regular(cell: tuple[float, float], corner: tuple[float, float], width: int, height: int) -> Lattice:
    """A lattice that does not drift, from one corner of a cell; believed."""
    lengths = (width, height)
    period = (float(min(cell[0], width)), float(min(cell[1], height)))
    phase = (float(corner[0] % period[0]), float(corner[1] % period[1]))
    x, y = (with_borders(np.arange(phase[k], lengths[k], period[k]), lengths[k], period[k]) for k in (0, 1))
    return Lattice(x, y, Grid(period, phase, (len(x) - 1, len(y) - 1), 0.0, 1.0))


def _followed_by(image: Bytes, cell: tuple[float, float]) -> Lattice:
    """The lattice of a period that was given; believed."""
    profiles = (edge_profile(scan_lines(image, 1)), edge_profile(scan_lines(image, 0)))
    combs = [comb_at(profile, min(one, profile.length)) for profile, one in zip(profiles, cell, strict=True)]
    lines = [cut_lines(profile, one) for profile, one in zip(profiles, combs, strict=True)]
    lattice = _laid(profiles, combs, lines)
    return replace(lattice, grid=replace(lattice.grid, confidence=1.0))


def _built(profiles: tuple[Profile, Profile], found: tuple[float, float]) -> Lattice:
    """Cut lines at about those periods."""
    combs = [comb(profile, period) for profile, period in zip(profiles, found, strict=True)]
    lines = [cut_lines(profile, one) for profile, one in zip(profiles, combs, strict=True)]
    factor = thinning(profiles, lines)
    if factor > 1:
        combs = [comb(profile, period * factor) for profile, period in zip(profiles, found, strict=True)]
        lines = [cut_lines(profile, one) for profile, one in zip(profiles, combs, strict=True)]
    for _ in range(2):
        if not any(_drifts(one, at) for one, at in zip(combs, lines, strict=True)):
            break
        widths = _widths(profiles, lines)
        lines = [
            drifting_lines(profile, comb_at(profile, width)) if _drifts(one, at) else at
            for profile, one, at, width in zip(profiles, combs, lines, widths, strict=True)
        ]
    return _laid(profiles, combs, lines)


def _drifts(one: Comb, lines: Doubles) -> bool:
    """Whether the widths of cells change from region to region. From one cell to the next is jitter, not drift."""
    if len(lines) < 8:
        return False
    widths = np.convolve(np.diff(lines)[1:-1], np.full(3, 1 / 3), mode="valid")
    return bool(widths.std() >= max(_DRIFTS * one.period, _JITTER))


def _widths(profiles: tuple[Profile, Profile], lines: list[Doubles]) -> tuple[float, float]:
    """The mean width of the cells of each axis, from those that have evidence on both sides.

    Drift is bounded, so over many cells the mean is right; where two means could be the same, cells are square.
    """
    means, errors = [], []
    for profile, at in zip(profiles, lines, strict=True):
        evidence = evidence_at(profile, at)
        seen = evidence > _SEEN * evidence.mean()
        both = seen[1:] & seen[:-1]
        if both.sum() < 4:
            both[:] = True
        means.append(float(np.diff(at)[both].mean()))
        errors.append(_BOUND / float(both.sum()))
    if abs(np.log(means[0] / means[1])) < errors[0] + errors[1]:
        share = errors[1] / (errors[0] + errors[1])
        means = [share * means[0] + (1 - share) * means[1]] * 2
    return means[0], means[1]


def _laid(profiles: tuple[Profile, Profile], combs: list[Comb], lines: list[Doubles]) -> Lattice:
    """The lattice of the lines of both axes; its confidence is not judged yet."""
    cuts, slopes, phases, drift = [], [], [], 0.0
    for profile, one, found in zip(profiles, combs, lines, strict=True):
        number = np.arange(len(found))
        slope, start = np.polyfit(number, found, 1) if len(found) > 2 else (one.period, found[0])
        drift = max(drift, float(np.abs(found - (slope * number + start)).max()))
        slopes.append(float(slope))
        phases.append(float(start % slope))
        cuts.append(with_borders(found, profile.length, float(slope)))
    x, y = cuts
    return Lattice(x, y, Grid((slopes[0], slopes[1]), (phases[0], phases[1]), (len(x) - 1, len(y) - 1), drift))
