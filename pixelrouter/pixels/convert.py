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
from pixelrouter.pixels.fit import inner_size, keep_aspect
from pixelrouter.pixels.grid import Lattice
from pixelrouter.types import Grid

_SAMPLES = 6  # samples a cell across and down, at most: a line of a sixth of a cell is still seen
_BAND = 2_000_000  # samples in memory at once, and half of the source pixels
_ROUNDS = 3  # Lloyd iterations of the two colours; more change nothing visible
_ALIKE, _APART = 0.05, 0.16  # OKLab distance of a cell's two colours: below, their average; above, one of the two
_LINE, _INKED = 0.12, 0.24  # darker or lighter than what is around by so much: the weakest line; a line for sure
_SLANT = 0.7  # directions whose changes differ by less than this ratio both count as across: slanted lines have no gaps
_HALO = 2  # rows of cells that a band sees beyond its own
_INK, _FAINT = 0.06, 0.03  # share of a cell times contrast that a line has, and what continues it
_REACH = 3  # cells by which a line is continued where it is faint


def convert(rgba: Bytes, size: tuple[int, int], cells: tuple[int, int] | None = None) -> Bytes:
    """A picture ``(h, w, 4)`` as pixel art of ``size`` (width, height), without a colour limit yet.

    ``cells``: how many of them the picture itself fills, if its aspect ratio is not to decide; the rest is padding.

    Alpha is the average of a cell, and its colour that of the visible part (premultiplied averages). A very different
    aspect ratio is kept and padded, as by ``resample``. A picture of that size already comes back unchanged.
    """
    return keep_aspect(rgba, size, _downscale, cells)


def conversion(
    have: tuple[int, int], size: tuple[int, int] | None, cell: tuple[float, float] | None
) -> tuple[Lattice, list[str]]:
    """The regular lattice, of confidence 0, that a picture of ``have`` pixels is converted with, and what to warn of.

    ``size`` in cells is the one asked for; without it ``cell``, the source pixels a cell, gives it.
    """
    if size:
        columns, rows = inner_size(have, size)
    else:
        columns, rows = (max(1, round(h / c)) for h, c in zip(have, cell or (1, 1), strict=True))
    grid = Grid((have[0] / columns, have[1] / rows), (0.0, 0.0), (columns, rows))
    lattice = Lattice(np.linspace(0, have[0], columns + 1), np.linspace(0, have[1], rows + 1), grid)
    if not size or size == (columns, rows):
        return lattice, []
    padded = f"The picture keeps its proportions: it fills {columns}x{rows} of {size[0]}x{size[1]}"
    return lattice, [f"{padded}, and the rest was padded. Crop it first to fill it all."]


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
    """What is known of each cell ``(rows, columns, ...)``; colours in OKLab.

    ``base`` is the average, or the larger of two colours that differ; ``line`` the colour of the thin structure that
    crosses the cell, and ``ink`` how much of it there is: contrast times share.
    """

    base: Floats
    line: Floats
    ink: Floats
    alpha: Floats


def _cells(rgba: Bytes, size: tuple[int, int]) -> _Cells:
    """Every cell, a band of rows after the other, which bounds the memory."""
    columns, rows = size
    across = min(_SAMPLES, math.ceil(rgba.shape[1] / columns))
    down = min(_SAMPLES, math.ceil(rgba.shape[0] / rows))
    step = max(1, min(_BAND // (columns * across * down), 2 * _BAND * rows // (rgba.shape[0] * rgba.shape[1])))
    bands = []
    for first in range(0, rows, step):
        last = min(rows, first + step)
        start, stop = max(0, first - _HALO), min(rows, last + _HALO)
        light, alpha = _sampled(rgba, size, (across, down), start, stop)
        cells = _describe(light, alpha, (across, down))
        bands.append([part[first - start : last - start] for part in cells])
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

    def shrink(plane: NDArray[np.floating]) -> Floats:
        small = np.asarray(
            Image.fromarray(plane.astype(np.float32, copy=False)).resize(fine, Image.Resampling.BOX, box=box)
        )
        cells = small.reshape(last - first, down, columns, across).transpose(0, 2, 1, 3)
        return np.asarray(cells.reshape(last - first, columns, down * across), dtype=np.float32)

    alpha = None if (part[..., 3] == 255).all() else part[..., 3].astype(np.float32) / 255
    light = np.empty((last - first, columns, down * across, 3), dtype=np.float32)
    for channel in range(3):
        plane = LINEAR[part[..., channel]]
        light[..., channel] = shrink(plane if alpha is None else plane * alpha)
    return light, np.ones(light.shape[:-1], dtype=np.float32) if alpha is None else shrink(alpha)


def _describe(light: Floats, alpha: Floats, samples: tuple[int, int]) -> tuple[Floats, Floats, Floats, Floats]:
    """The parts of :class:`_Cells` for samples ``(rows, columns, n, 3)`` of linear light times alpha."""
    weight = alpha.sum(axis=-1)
    lab = linear_to_oklab(np.divide(light, np.maximum(alpha, 1e-3)[..., None], dtype=np.float32))
    clear = alpha < 0.5
    # What is transparent counts as the opposite of any line, so an outline around a figure is one as well.
    hats = (_filled(np.where(clear, 1, lab[..., 0]), samples), _filled(np.where(clear, 0, -lab[..., 0]), samples))
    thin = np.maximum(*hats) * alpha
    ink = thin.sum(axis=-1) / np.maximum(weight, 1e-6)
    # The middle of a line counts most; its soft rim is half background.
    strong = thin * (thin >= 0.6 * thin.max(axis=-1, keepdims=True))
    line = np.einsum("...n,...nc->...c", strong, lab) / np.maximum(strong.sum(axis=-1), 1e-6)[..., None]
    # What the line covers does not count for the rest of the cell, unless there is nothing else in it.
    rest = np.clip((_INKED - thin) / (_INKED - _LINE), 1e-3, 1)
    ground = alpha * rest
    mean = np.einsum("...n,...nc->...c", rest, light) / np.maximum(ground.sum(axis=-1), 1e-6)[..., None]
    return _base(lab, ground, linear_to_oklab(mean.astype(np.float32))), line, ink, alpha.mean(axis=-1)


def _filled(lightness: Floats, samples: tuple[int, int]) -> Floats:
    """How much darker each sample ``(rows, columns, n)`` is than what is wider than a cell: the black top-hat, which is
    what a morphological closing fills (Meyer 1979).
    """
    rows, columns, _ = lightness.shape
    across, down = samples
    plane = lightness.reshape(rows, columns, down, across).swapaxes(1, 2).reshape(rows * down, columns * across)
    window = (down + 1, across + 1)
    hat = -_largest(-_largest(plane, window), window, back=True) - plane
    return hat.reshape(rows, down, columns, across).swapaxes(1, 2).reshape(lightness.shape)


def _largest(plane: Floats, window: tuple[int, int], *, back: bool = False) -> Floats:
    """Each value of ``(h, w)`` replaced by the largest in a window around it.

    An even window reaches farther before than after; ``back`` mirrors it, so that two in a row shift nothing.
    """
    for axis, width in enumerate(window):
        before = (width - 1) // 2 if back else width // 2
        edges = [(0, 0), (0, 0)]
        edges[axis] = (before, width - 1 - before)
        padded = np.pad(plane, edges, mode="edge")
        reach = 1
        while reach < width:  # doubling: the largest of 1, 2, 4 ... neighbours
            step = min(reach, width - reach)
            length = padded.shape[axis] - step
            padded = np.maximum(padded.take(range(length), axis), padded.take(range(step, length + step), axis))
            reach += step
        plane = padded
    return plane


def _base(lab: Floats, alpha: Floats, mean: Floats) -> Floats:
    """The average of samples ``(..., n, 3)``, or where they are of two colours, the larger one.

    2-means weighted by ``alpha``, from the sample farthest from the average and the one farthest from that.
    """
    weight = alpha.sum(axis=-1)
    one = _farthest(lab, mean, alpha)
    other = _farthest(lab, one, alpha)
    total = np.einsum("...n,...nc->...c", alpha, lab)
    for _ in range(_ROUNDS):
        axis = other - one
        middle = ((other + one) * axis).sum(axis=-1) / 2
        first = np.where(np.einsum("...nc,...c->...n", lab, axis) < middle[..., None], alpha, 0)
        mass = first.sum(axis=-1)
        sums = np.einsum("...n,...nc->...c", first, lab)
        one = sums / np.maximum(mass, 1e-6)[..., None]
        other = (total - sums) / np.maximum(weight - mass, 1e-6)[..., None]
    larger = np.where((2 * mass > weight)[..., None], one, other)
    apart = np.linalg.norm(one - other, axis=-1, keepdims=True)
    return np.asarray(mean + np.clip((apart - _ALIKE) / (_APART - _ALIKE), 0, 1) * (larger - mean))


def _farthest(lab: Floats, point: Floats, alpha: Floats) -> Floats:
    """Of ``(..., n, 3)`` the visible sample farthest from ``(..., 3)``."""
    gap = ((lab - point[..., None, :]) ** 2).sum(axis=-1) * (alpha > 0.5)
    return np.asarray(np.take_along_axis(lab, gap.argmax(axis=-1)[..., None, None], axis=-2)[..., 0, :])


def _choose(cells: _Cells) -> Floats:
    """One colour a cell: the line that crosses it where one shall be seen, else its base."""
    contrast = np.linalg.norm(cells.line - cells.base, axis=-1)
    # A cell that will be transparent cannot carry the line, so it shall not take it from one that can.
    ink = np.where((contrast >= _LINE) & (cells.alpha >= 0.5), cells.ink, 0)
    return np.where(_crest(ink)[..., None], cells.line, cells.base)


def _crest(ink: Floats) -> NDArray[np.bool_]:
    """Where there is ink enough, and no more of it in the cells across the line: lines stay one cell wide.

    Across is the direction in which the ink changes most, in a cell and, with less weight, around it.
    """
    change, top = [], []
    for axis in (0, 1):
        before, after = _neighbours(ink, axis)
        own = (ink - before) ** 2 + (ink - after) ** 2
        change.append(own + _around(own) / 16)
        top.append((ink >= before) & (ink > after))
    one, other = (top[axis] & (change[axis] >= _SLANT * change[1 - axis]) for axis in (0, 1))
    crest = one | other
    line = crest & (ink >= _INK)
    faint = crest & (ink >= _FAINT)
    for _ in range(_REACH):  # hysteresis, as Canny has it: what continues a line may be fainter than what begins one
        line = faint & (_around(line.astype(np.float32)) > 0)
    return np.asarray(line)


def _around(values: Floats) -> Floats:
    """Each cell four times, the four beside it twice, and the four at its corners, added up."""
    for axis in (0, 1):
        before, after = _neighbours(values, axis)
        values = before + 2 * values + after
    return values


def _neighbours(values: Floats, axis: int) -> tuple[Floats, Floats]:
    """The values of the cells before and after along an axis; at the border those of the cell itself."""
    length = values.shape[axis]
    index = np.arange(length)
    return values.take(np.maximum(index - 1, 0), axis), values.take(np.minimum(index + 1, length - 1), axis)
