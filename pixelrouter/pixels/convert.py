"""Converting photos and paintings: a downscale that keeps outlines, for pictures that have no pixel grid at all.

Plain averages turn edges and thin lines into mush, and picking single pixels turns texture into noise. Here every cell
is split into its two colours first (2-means in OKLab, as k-centroid downscalers do), and then one of three is taken:

- the average in linear light where the two are much alike: flat parts and soft texture;
- the larger of the two where they differ: an edge stays an edge;
- the smaller of the two where it is a line or a spot: it differs from the cells on both sides, and no cell across the
  line holds more of it (non-maximum suppression, as in Canny's edge detector, 1986), so a line stays one cell wide.

Ideas: Öztireli and Gross, "Perceptually based downscaling of images" (2015), and Kopf et al., "Content-adaptive image
downscaling" (2013), who show that averages lose what the eye looks for; the k-centroid downscale of Astropulse and the
outline expansion of PixelOE (KohakuBlueLeaf), which keep extremes in pixel art. The algorithm here is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.pixels.color import LINEAR, Bytes, Floats, from_oklab, linear_to_oklab
from pixelrouter.pixels.fit import keep_aspect

_SAMPLES = 6  # samples a cell across and down, at most: a line of a sixth of a cell is still seen
_BAND = 2_000_000  # samples in memory at once
_ROUNDS = 3  # Lloyd iterations of the two colours; more change nothing visible
_ALIKE, _APART = 0.05, 0.16  # OKLab distance of a cell's two colours: below, their average; above, one of the two
_LINE = 0.12  # OKLab distance of a line from the cells on both its sides, at least
_INK = 0.06  # share of a cell times OKLab distance that a line has at least


def convert(rgba: Bytes, size: tuple[int, int]) -> Bytes:
    """A picture ``(h, w, 4)`` as pixel art of ``size`` (width, height), without a colour limit yet.

    Alpha is the average of a cell, and its colour that of the visible part (premultiplied averages). A very different
    aspect ratio is kept and padded, as by ``resample``. A picture of that size already comes back unchanged.
    """
    return keep_aspect(rgba, size, _downscale)


def _downscale(rgba: Bytes, size: tuple[int, int]) -> Bytes:
    if (rgba.shape[1], rgba.shape[0]) == size:
        return rgba
    cells = _cells(rgba, size)
    lab = _choose(cells)
    out = np.zeros((size[1], size[0], 4), dtype=np.uint8)
    alpha = np.rint(cells.alpha * 255)
    out[..., :3] = np.where(alpha[..., None] > 0, from_oklab(lab), 0)
    out[..., 3] = alpha
    return out


@dataclass(frozen=True)
class _Cells:
    """What is known of each cell ``(rows, columns, ...)``: its average and its two colours in OKLab.

    ``share`` is how much of the cell the smaller colour fills, 0..0.5.
    """

    mean: Floats
    major: Floats
    minor: Floats
    share: Floats
    alpha: Floats


def _cells(rgba: Bytes, size: tuple[int, int]) -> _Cells:
    """Every cell's colours, a band of rows after the other, which bounds the memory."""
    columns, rows = size
    across = min(_SAMPLES, math.ceil(rgba.shape[1] / columns))
    down = min(_SAMPLES, math.ceil(rgba.shape[0] / rows))
    step = max(1, _BAND // (columns * across * down))
    bands = []
    for first in range(0, rows, step):
        last = min(rows, first + step)
        linear, alpha = _sampled(rgba, (columns, rows), (across, down), first, last)
        bands.append(_two_colors(linear, alpha))
    return _Cells(*(np.concatenate(parts) for parts in zip(*bands, strict=True)))


def _sampled(
    rgba: Bytes, size: tuple[int, int], samples: tuple[int, int], first: int, last: int
) -> tuple[Floats, Floats]:
    """Linear light ``(rows, columns, samples, 3)`` of the cells of some rows, times alpha, and alpha itself."""
    height, width = rgba.shape[:2]
    (columns, rows), (across, down) = size, samples
    top, bottom = first * height / rows, last * height / rows
    part = rgba[math.floor(top) : math.ceil(bottom)]
    box = (0.0, top - math.floor(top), float(width), bottom - math.floor(top))
    fine = (columns * across, (last - first) * down)

    def shrink(plane: Floats) -> Floats:
        small = np.asarray(Image.fromarray(plane).resize(fine, Image.Resampling.BOX, box=box))
        cells = small.reshape(last - first, down, columns, across).transpose(0, 2, 1, 3)
        return np.asarray(cells.reshape(last - first, columns, down * across), dtype=np.float32)

    opaque = bool((part[..., 3] == 255).all())
    alpha = None if opaque else part[..., 3].astype(np.float32) / 255
    planes = [LINEAR[part[..., channel]] for channel in range(3)]
    light = np.stack([shrink(plane if alpha is None else plane * alpha) for plane in planes], axis=-1)
    return light, np.ones(light.shape[:-1], dtype=np.float32) if alpha is None else shrink(alpha)


def _two_colors(light: Floats, alpha: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The parts of :class:`_Cells` for samples ``(..., n, 3)``: 2-means in OKLab, weighted by alpha.

    The start are the sample farthest from the average and the one farthest from that, so a thin line is found.
    """
    weight = alpha.sum(axis=-1)
    mean = linear_to_oklab(light.sum(axis=-2) / np.maximum(weight, 1e-6)[..., None])
    lab = linear_to_oklab(light / np.maximum(alpha, 1e-3)[..., None])
    far = _farthest(lab, mean, alpha)
    other = _farthest(lab, far, alpha)
    for _ in range(_ROUNDS):
        axis = other - far
        middle = ((other + far) * axis).sum(axis=-1) / 2
        first = np.where(np.einsum("...nc,...c->...n", lab, axis) < middle[..., None], alpha, 0)
        mass = first.sum(axis=-1)
        sums = np.einsum("...n,...nc->...c", first, lab)
        total = np.einsum("...n,...nc->...c", alpha, lab)
        far = sums / np.maximum(mass, 1e-6)[..., None]
        other = (total - sums) / np.maximum(weight - mass, 1e-6)[..., None]
    share = mass / np.maximum(weight, 1e-6)
    swap = (share > 0.5)[..., None]
    return mean, np.where(swap, far, other), np.where(swap, other, far), np.minimum(share, 1 - share), alpha.mean(axis=-1)


def _farthest(lab: Floats, point: Floats, alpha: Floats) -> Floats:
    """Of ``(..., n, 3)`` the visible sample farthest from ``(..., 3)``."""
    gap = ((lab - point[..., None, :]) ** 2).sum(axis=-1) * (alpha > 0.5)
    return np.take_along_axis(lab, gap.argmax(axis=-1)[..., None, None], axis=-2)[..., 0, :]


def _choose(cells: _Cells) -> Floats:
    """One colour a cell: the average, the larger or the smaller of its two."""
    apart = np.linalg.norm(cells.major - cells.minor, axis=-1)
    sharp = np.clip((apart - _ALIKE) / (_APART - _ALIKE), 0, 1)[..., None]
    lab = cells.mean + sharp * (cells.major - cells.mean)
    return np.where(_lines(cells)[..., None], cells.minor, lab)


def _lines(cells: _Cells) -> NDArray[np.bool_]:
    """Where the smaller colour of a cell is a thin line or a spot that shall win."""
    found = np.zeros(cells.share.shape, dtype=np.bool_)
    for axis in (0, 1):
        before, after = _neighbours(cells.major, axis)
        contrast = np.minimum(_distance(cells.minor, before), _distance(cells.minor, after))
        contrast = np.minimum(contrast, _distance(cells.minor, cells.major))
        ink = cells.share * contrast * (contrast >= _LINE)
        less, more = _neighbours(ink, axis)
        found |= (ink >= _INK) & (ink >= less) & (ink > more)
    return found


def _neighbours(values: Floats, axis: int) -> tuple[Floats, Floats]:
    """The values of the cells before and after along an axis; at the border those of the cell itself."""
    length = values.shape[axis]
    index = np.arange(length)
    return values.take(np.maximum(index - 1, 0), axis), values.take(np.minimum(index + 1, length - 1), axis)


def _distance(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.linalg.norm(one - other, axis=-1))
