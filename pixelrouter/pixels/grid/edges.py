"""Edge evidence: where along an axis do the colours of an image change, and how surely is that a cell border?

The image is read in a bounded number of scan lines, so the cost grows with the width of a line, not with the area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats

SUB = 4  # profile samples a source pixel
BANDS = 8  # separate profiles, so that rows that drift differently do not smear each other
_LINES = 384  # scan lines (averages of up to three neighbours) read at most


@dataclass(frozen=True)
class Profile:
    """Edge evidence along one axis: ``bands`` is (BANDS, SUB * length + 1), sample i at i / SUB source pixels.

    ``length`` is the number of pixels along the axis; ``spikes`` the share of strong edges that belong to features one
    pixel wide, of which true 1x art is full and an enlarged image has none.
    """

    bands: Floats
    length: int
    spikes: float

    @property
    def total(self) -> Floats:
        """The evidence of all bands together."""
        return np.asarray(self.bands.sum(axis=0), dtype=np.float32)


def premultiplied(rgba: Bytes) -> Bytes:
    """``(h, w, 4)`` with colour scaled by alpha, so that hidden colours make no edges."""
    if (rgba[..., 3] == 255).all():
        return rgba
    out = rgba.copy()
    alpha = rgba[..., 3:].astype(np.uint16)
    out[..., :3] = (rgba[..., :3] * alpha + 127) // 255
    return out


def edge_profile(image: Bytes, *, curvature: bool = False) -> Profile:
    """The profile along x of premultiplied ``(h, w, 4)`` bytes; transpose the image for y.

    ``curvature`` looks at the second difference instead: a smoothly enlarged image has no steps, but it has kinks,
    which mark the centres of its cells.
    """
    width = image.shape[1]
    channels = 4 if (image[..., 3] != 255).any() else 3
    lines = _scan_lines(image[..., :channels])
    signed = np.diff(lines, axis=1)
    if curvature:
        # Sample i now sits on the pixel centre i + 1.5 - 0.5; pad so that it keeps the index of a step.
        signed = np.pad(np.diff(signed, axis=1), ((0, 0), (0, 1), (0, 0)))
    step = np.abs(signed).max(axis=2)
    shift = 0.5 if curvature else 0.0
    spikes = 0.0 if curvature else _spike_share(signed, step)
    bands = np.zeros((BANDS, SUB * width + 1), dtype=np.float32)
    if width < 3 or not step.any():
        return Profile(bands, width, spikes)
    row, at, weight, offset = _peaks(step)
    position = np.rint((at + 1 + shift + offset) * SUB).astype(np.intp).clip(0, SUB * width)
    band = row * BANDS // len(step)
    flat = np.bincount(band * bands.shape[1] + position, weight, minlength=bands.size)
    return Profile(flat.reshape(bands.shape).astype(np.float32), width, spikes)


def _scan_lines(image: Bytes) -> Floats:
    """At most _LINES lines, each the average of three neighbours where there are enough: noise falls, edges stay."""
    height = len(image)
    group = 3 if height >= 96 else 1
    count = min(_LINES, height - group + 1)
    first = np.linspace(0, height - group, count).astype(np.intp)
    total = image[first].astype(np.float32)
    for extra in range(1, group):
        total += image[first + extra]
    return np.asarray(total / group, dtype=np.float32)


def _peaks(step: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats, Floats]:
    """Row, index, weight 0..1 and sub-pixel offset of each edge.

    A plateau counts as a peak: an edge that falls in the middle of a pixel makes two equal steps, and a strict local
    maximum would miss it.
    """
    padded = np.pad(step, ((0, 0), (1, 1)))
    left, right = padded[:, :-2], padded[:, 2:]
    floor = max(4.0, 3.0 * float(np.percentile(step, 30)))
    row, at = np.nonzero((step >= left) & (step >= right) & (step > floor))
    height = step[row, at]
    if not len(height):
        empty = np.zeros(0, dtype=np.float32)
        return row, at, empty, empty
    before, after = left[row, at], right[row, at]
    offset = (after - before) / (before + height + after)
    # Contrast counts up to half of what the typical strong edge has, so a few hard outlines do not drown the rest.
    order = np.sort(height)
    energy = np.cumsum(order.astype(np.float64) ** 2)
    typical = float(order[np.searchsorted(energy, energy[-1] / 2)])
    full = max(1.5 * floor, 0.5 * typical)
    weight = np.clip((height - 0.5 * floor) / (full - 0.5 * floor), 0, 1)
    return row, at, weight.astype(np.float32), offset.astype(np.float32)


def _spike_share(signed: Floats, step: Floats) -> float:
    """The share of strong steps that the very next step takes back."""
    if signed.shape[1] < 2:
        return 0.0
    strong = 0.5 * float(step.max())
    if strong < 8:
        return 0.0
    channel = np.abs(signed).argmax(axis=2)
    value = np.take_along_axis(signed, channel[..., None], axis=2)[..., 0]
    following = np.take_along_axis(signed[:, 1:], channel[:, :-1, None], axis=2)[..., 0]
    first = value[:, :-1]
    back = (first * following < 0) & (np.abs(first) > strong) & (np.abs(following) > strong)
    return float(back.sum() / max(1, (np.abs(value) > strong).sum()))
