"""Smoothly enlarged images: no edge is left, but the interpolation betrays where it had its samples.

Between two samples an interpolating curve is calm, at a sample it bends: the mean of the second difference over many
scan lines rises and falls with the period of the enlargement, highest at the middles of the cells (A. C. Gallagher,
"Detection of linear and cubic interpolation in JPEG compressed images", 2005, for the periodicity).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Floats
from pixelrouter.pixels.grid.edges import ScanLines, Steps
from pixelrouter.pixels.grid.lattice import Doubles

_SPANS = (1, 2, 3, 4, 6, 8, 12, 18, 26)  # of the second difference, in source pixels
_LINES = 64  # scan lines looked at
_SHORTEST = 3.2  # source pixels; below it there is no calm between two samples
_ANISOTROPY = 0.12  # the two periods differ by this at most, as the logarithm of their quotient
_FITTED = 12  # scan lines that an interpolation is fitted to
_TRIED = 12  # peaks of a spectrum that are looked at
_AROUND = 1.35  # frequencies within this factor are compared
_HILL, _NEEDLE = 0.8, 1.8  # spreads by which a frequency stands out: to be looked at, to be sure
_ROUGH = 1.15  # of the colours of cells; below it they are samples of something smooth
_CLOSE, _FAR = 0.2, 0.6  # misfits of linear and cubic interpolation that need no third
_LONGER = 0.97  # frequencies lower by this factor are another period
_EXPLAINED = 0.33  # a misfit up to this is an interpolation: right periods leave 0.04 to 0.27, wrong ones above 0.4

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class Interpolation:
    """A smooth enlargement: ``period`` and the middle of one cell per axis in source pixels, ``misfit`` 0..1."""

    period: tuple[float, float]
    center: tuple[float, float]
    misfit: float


def find_interpolation(across: ScanLines, down: ScanLines) -> Interpolation | None:
    """The enlargement that explains the scan lines along x and along y, or None."""
    both = [
        np.ascontiguousarray(scan.values[:, :: max(1, scan.values.shape[1] // _LINES)].transpose(2, 0, 1))
        for scan in (across, down)
    ]
    lengths = [lines.shape[1] for lines in both]
    size = 4 << max(lengths).bit_length()
    windowed = [{span: _windowed(lines, span) for span in _SPANS if lines.shape[1] > 4 * span} for lines in both]
    waves = [np.abs(spectrum(each, size)) for each in windowed]
    needles = [_standing_out(wave) for wave in waves]
    tried: dict[tuple[int, int], tuple[float, float, float]] = {}

    def explained(axis: int, peak: int) -> bool:
        if (axis, peak) not in tried:
            period = size / _summit(waves[axis], peak)
            center = _center(windowed[axis][min(_span(period), max(windowed[axis]))], period)
            tried[axis, peak] = (period, center, misfit(both[axis], period, center))
            if tried[axis, peak][2] <= _EXPLAINED and roughness(both[axis], period, center) < _ROUGH:
                tried[axis, peak] = (period, center, 1.0)
        return tried[axis, peak][2] <= _EXPLAINED

    sure, best = False, None
    for pair in _pairs(needles[0], needles[1], size, min(lengths) / 5):
        if explained(0, pair[0]) and explained(1, pair[1]):
            sure = sure or all(needle[1][peak] >= _NEEDLE for needle, peak in zip(needles, pair, strict=True))
            # Half a period explains an image as well as the whole one does, twice a period never.
            if best is None or sum(pair) < _LONGER * sum(best):
                best = pair
    if best is None or not sure:
        return None
    (x, middle, error), (y, center, other) = tried[0, best[0]], tried[1, best[1]]
    return Interpolation((x, y), (middle, center), (error + other) / 2)


def _standing_out(amplitude: Doubles) -> tuple[Doubles, Doubles]:
    """How far each frequency stands out of those around it, as it is and in units of their own spread.

    The content of a picture makes hills, an interpolation makes a needle.
    """
    index = np.arange(len(amplitude))
    low, high = (index / _AROUND).astype(np.intp), np.minimum(index * _AROUND + 2, len(amplitude)).astype(np.intp)

    def around(values: Doubles) -> Doubles:
        running = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray((running[high] - running[low]) / np.maximum(high - low, 1), dtype=np.float64)

    height = amplitude - around(amplitude)
    return height, height / np.sqrt(around(height**2) + 1e-12)


def _pairs(
    across: tuple[Doubles, Doubles], down: tuple[Doubles, Doubles], size: int, longest: float
) -> list[tuple[int, int]]:
    """Frequencies of x and y that stand out, together and about the same; the highest needles first."""
    lowest, highest = max(2, int(size / longest)), int(size / _SHORTEST)
    tops = [_summits(*axis, lowest, highest) for axis in (across, down)]
    found: dict[tuple[int, int], float] = {}
    for x in tops[0]:
        for y in tops[1]:
            apart = abs(np.log(x / y))
            if apart <= _ANISOTROPY:
                # A cell that is not square has to earn it.
                found[x, y] = float((across[0][x] + down[0][y]) * (1 - 2 * apart))
    return sorted(found, key=lambda pair: -found[pair])[: 2 * _TRIED]


def _summits(height: Doubles, spreads: Doubles, lowest: int, highest: int) -> list[int]:
    part, needle = height[lowest - 1 : highest + 2], spreads[lowest : highest + 1]
    tops = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] >= part[2:]) & (needle >= _HILL))
    highest_ones, sharpest = tops[np.argsort(-part[tops + 1])][:_TRIED], tops[np.argsort(-needle[tops])][:_TRIED]
    return sorted({int(top) + lowest for top in (*highest_ones, *sharpest)})


def _summit(amplitude: Doubles, peak: int) -> float:
    before, here, after = amplitude[peak - 1 : peak + 2]
    bend = before - 2 * here + after
    return peak + (0.5 * (before - after) / bend if bend < 0 else 0.0)


def _center(windowed: Doubles, period: float) -> float:
    """Where the bend is strongest: the middle of a cell."""
    wave = np.exp(-2j * np.pi / period * (np.arange(len(windowed)) + 0.5)) @ windowed
    return float(-np.angle(wave) / (2 * np.pi) * period % period)


def _span(period: float) -> int:
    return max(span for span in _SPANS if span <= max(1.0, period / 4))


def _windowed(lines: Steps, span: int) -> Doubles:
    out = bends(lines, span).astype(np.float64)
    out[span:-span] *= np.hanning(lines.shape[1] - 2 * span)
    return out


def spectrum(windowed: dict[int, Doubles], size: int) -> Complexes:
    """How strongly the bend (by span) rises and falls at each frequency ``k / size`` a source pixel, as a share."""
    out = np.zeros(size // 2 + 1, dtype=np.complex128)
    period = size / np.maximum(np.arange(len(out)), 1)
    for at, span in enumerate(_SPANS):
        if span not in windowed:
            break
        longest = 4 * _SPANS[at + 1] if at + 1 < len(_SPANS) else np.inf
        fits = (period >= (4 * span if at else 0)) & (period < longest)
        out[fits] = np.fft.rfft(windowed[span], size)[fits] / max(float(windowed[span].sum()), 1e-9)
    return out


def bends(lines: Steps, span: int) -> Floats:
    """Mean bend of scan lines ``(channels, length, lines)`` at every pixel, strong ones capped."""
    length = lines.shape[1]
    most = np.zeros((length - 2 * span, lines.shape[2]), dtype=np.int16)
    for plane in lines:
        bend = plane[2 * span :] + plane[: -2 * span]
        bend -= 2 * plane[span:-span]
        np.maximum(most, np.abs(bend, out=bend), out=most)
    heights = np.bincount(most.ravel())
    value = np.arange(len(heights))
    energy = np.cumsum(heights * value.astype(np.float64) ** 2)
    typical = max(1, int(np.searchsorted(energy, energy[-1] / 2)))
    out = np.zeros(length, dtype=np.float32)
    out[span:-span] = np.minimum(most, typical // 2 + 1).mean(axis=1)
    return out


def misfit(lines: Steps, period: float, center: float) -> float:
    """How badly interpolation between the middles of cells explains ``(channels, length, lines)``: 0 perfectly.

    ``center`` is the middle of one cell. Linear, cubic and Lanczos interpolation are tried, and
    measured against flat cells, which are as good at 1.
    """
    _, length, count = lines.shape
    some = np.concatenate([plane[:, :: max(1, count // _FITTED)] for plane in lines], axis=1).astype(np.float32)
    first = center % period
    number = int((length - 0.5 - first) // period) + 1
    if number < 6:
        return 1.0
    middles = first + np.arange(number) * period - 0.5
    low = np.floor(middles).astype(np.intp).clip(0, length - 2)
    share = (middles - low).clip(0, 1)[:, None].astype(np.float32)
    samples = some[low] * (1 - share) + some[low + 1] * share
    at = (np.arange(length) - middles[0]) / period
    inside = np.flatnonzero((at >= 2) & (at < number - 3))
    cell = np.floor(at[inside]).astype(np.intp)
    fraction = (at[inside] - cell)[:, None]
    truth = some[inside]
    flat = float(np.abs(truth - samples[np.rint(at[inside]).astype(np.intp)]).mean())
    errors = []
    for kernel, reach in ((_linear, 1), (_cubic, 2), (_lanczos, 3)):
        taps = np.arange(1 - reach, reach + 1)
        weights = kernel(taps[None, :] - fraction)
        weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        guess = np.zeros_like(truth)
        for tap, weight in zip(taps, weights.T, strict=True):
            guess += samples[cell + tap] * weight[:, None]
        errors.append(float(np.abs(truth - guess).mean()) / max(flat, 1e-6))
        if kernel is _cubic and not _CLOSE < min(errors) < _FAR:
            break  # Lanczos would not change the verdict
    return min(errors)


def roughness(lines: Steps, period: float, center: float) -> float:
    """How little the colours of three cells in a row lie on a line: 1.4 to 2 in pixel art, near 0 in a gradient.

    At half the true period every other cell is an interpolated one, and it is about 1.
    """
    at = np.arange(center % period, lines.shape[1] - 1, period).astype(np.intp)
    cells = lines[:, at].astype(np.float32)
    steps = np.abs(np.diff(cells, axis=1)).max(axis=0).mean()
    turns = np.abs(np.diff(cells, n=2, axis=1)).max(axis=0).mean()
    return float(turns / max(float(steps), 1e-6))


def _linear(x: Doubles) -> Doubles:
    return (1 - np.abs(x)).clip(0)


def _cubic(x: Doubles) -> Doubles:
    x = np.abs(x)
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0.0))


def _lanczos(x: Doubles) -> Doubles:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)
