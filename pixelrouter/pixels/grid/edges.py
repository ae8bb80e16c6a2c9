"""Edge evidence: where along an axis do the colours of an image change, and how surely is that a cell border?

The image is read in a bounded number of scan lines, so the cost grows with the width of a line, not with the area.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats
from pixelrouter.pixels.grid.lattice import Doubles

SUB = 4  # profile samples a source pixel
BANDS = 8  # separate profiles, so that lines that drift differently do not smear each other
GROUP = 6  # neighbouring lines summed: noise falls, edges stay
LINES = 112  # scan lines read at most

Steps = NDArray[np.int16]


@dataclass(frozen=True)
class ScanLines:
    """``values`` ``(length, lines, channels)``, each line the sum of ``group`` neighbouring ones of the image."""

    values: Steps
    group: int


@dataclass(frozen=True)
class Profile:
    """Edge evidence along one axis: ``bands`` is (BANDS, SUB * length + 1), sample i at i / SUB source pixels.

    ``length`` is the number of pixels along the axis; ``sharpness`` how much of a typical edge happens within one
    pixel, 0..1: near 1 for hard edges, low for a blurred or smoothly enlarged image.
    """

    bands: Floats
    length: int
    sharpness: float

    @cached_property
    def total(self) -> Doubles:
        """The evidence of all bands together."""
        return np.asarray(self.bands.sum(axis=0), dtype=np.float64)

    @cached_property
    def spectrum(self) -> NDArray[np.complex128]:
        """Of every band, at frequencies k / (its padded length) a sample; padded for linear autocorrelation."""
        # Noise makes edges everywhere, a lattice only on its lines: the median is what lies between them.
        lines = (self.bands - np.median(self.bands, axis=1, keepdims=True)).clip(0)
        return np.asarray(np.fft.rfft(lines, _fast_length(2 * lines.shape[1]), axis=1), dtype=np.complex128)


def _fast_length(least: int) -> int:
    """The smallest even length from ``least`` on whose Fourier transform is fast: a power of two times 1, 9, 5 or 3."""
    power = 1 << max(3, (least - 1).bit_length() - 1)
    return next(n for n in (power, power * 9 // 8, power * 5 // 4, power * 3 // 2, power * 2) if n >= least)


def premultiplied(rgba: Bytes) -> Bytes:
    """``(h, w, 4)`` with colour scaled by alpha, so that hidden colours make no edges."""
    alpha = rgba[..., 3]
    if alpha.min(initial=255) == 255:
        return rgba
    packed = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    out = np.where(alpha == 0, np.uint32(0), packed).view(np.uint8).reshape(rgba.shape)
    partial = np.flatnonzero((alpha != 0) & (alpha != 255))  # few, as a rule: outlines
    pixels = out.reshape(-1, 4)
    some = pixels[partial]
    some[:, :3] = (some[:, :3].astype(np.uint16) * some[:, 3:] + 127) // 255
    pixels[partial] = some
    return out


def scan_lines(image: Bytes, axis: int, group: int = GROUP, count: int = LINES) -> ScanLines:
    """Scan lines along ``axis`` (1: x, 0: y) of premultiplied ``(h, w, 4)``, each the sum of ``group`` neighbours.

    Few neighbours where there are few; alpha is left out where it says nothing.
    """
    across = image.shape[1 - axis]
    group = min(group, max(1, across // 32))
    count = min(count, across - group + 1)
    first = np.linspace(0, across - group, count).astype(np.intp)
    packed = np.ascontiguousarray(image).view(np.uint32)[..., 0]  # one element a pixel: gathered in one go
    total = np.zeros((image.shape[axis], count, 4), dtype=np.int16)
    for extra in range(group):
        lines = packed.take(first + extra, axis=1 - axis)
        if axis == 1:
            lines = np.ascontiguousarray(lines.T)
        total += lines.view(np.uint8).reshape(*lines.shape, 4)
    channels = 3 if image[..., 3].min(initial=255) == 255 else 4
    return ScanLines(total[..., :channels], group)


def edge_profile(scan: ScanLines, span: int = 1) -> Profile:
    """The profile of scan lines. ``span`` (odd): how far apart the pixels of a step are, 3 for blurred edges."""
    lines, group = scan.values, scan.group
    length, count, channels = lines.shape
    size = SUB * length + 1
    nothing = Profile(np.zeros((BANDS, size), dtype=np.float32), length, 1.0)
    if length < span + 2:
        return nothing
    step = np.zeros((length + 1, count), dtype=np.int16)  # step i lies between pixels i - 1 and i
    half = span // 2
    for channel in range(channels):
        plane = np.ascontiguousarray(lines[..., channel])
        target = step[1 + half : length - half]
        np.maximum(target, np.abs(plane[span:] - plane[:-span]), out=target)
    middle = step[1:-1]
    histogram = np.bincount(middle.ravel())
    floor = max(4.0 * group, 3.0 * _percentile(histogram, 0.3))
    # A plateau counts as a peak: an edge in the middle of a pixel makes two equal steps, and a strict local maximum
    # would miss it.
    at, row = np.nonzero((middle >= step[:-2]) & (middle >= step[2:]) & (middle > floor))
    if not len(at):
        return nothing
    flat = at * count + row
    steps = step.ravel()
    before, height, after = (steps.take(flat + count * k).astype(np.float32) for k in range(3))
    weight = _weights(np.bincount(height.astype(np.intp)), floor)[height.astype(np.intp)]
    offset = (after - before) / (before + height + after)
    position = np.rint((at + 1 + offset) * SUB).astype(np.intp)
    bands = np.bincount(row * BANDS // count * size + position, weight, minlength=BANDS * size)
    sharpness = float((weight * height).sum() / max(1e-6, float((weight * (before + height + after)).sum())))
    return Profile(bands.reshape(BANDS, size).astype(np.float32), length, sharpness)


def _weights(heights: NDArray[np.intp], floor: float) -> Floats:
    """The weight 0..1 of an edge by its height, from the histogram of all heights.

    Contrast counts up to half of what the typical strong edge has, so a few hard outlines do not drown the rest.
    """
    value = np.arange(len(heights))
    energy = np.cumsum(heights * value.astype(np.float64) ** 2)
    typical = float(np.searchsorted(energy, energy[-1] / 2))
    full = max(1.5 * floor, 0.5 * typical)
    return np.asarray(np.clip((value - 0.5 * floor) / (full - 0.5 * floor), 0, 1), dtype=np.float32)


def _percentile(histogram: NDArray[np.intp], share: float) -> float:
    return float(np.searchsorted(np.cumsum(histogram), share * histogram.sum()))
