"""Snapping: one colour for every cell of the grid, never a mixture of two cells.

Where the image is sharp, a cell's colour is what its samples agree on (:mod:`~pixelrouter.pixels.snap.sampling`). Where
blur or smooth enlargement reached across the cells, it is taken apart again (:mod:`~pixelrouter.pixels.snap.unmix`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.pixels.color import Bytes, Floats
from pixelrouter.pixels.decode import Source, to_array
from pixelrouter.pixels.grid import THRESHOLD, Lattice, find_lattice
from pixelrouter.pixels.grid.edges import premultiplied
from pixelrouter.pixels.grid.lattice import Doubles
from pixelrouter.pixels.snap.mesh import local_shift
from pixelrouter.pixels.snap.sampling import Cells, Points, apart, mean, points, read, whole
from pixelrouter.pixels.snap.unmix import PROBES, WINDOW, Evidence, Response, fit_responses, unmix

_SMALLEST = 4  # cells a side, below which there are no neighbours to learn from
_LINES, _MEASURED = 32, 8192  # lines of cells an axis, and cells on them, that the blur is measured on, at most
_LEAK = 0.012  # share of a sample that comes from other cells, below which there is nothing to take apart
_FLAT = 2  # levels between the samples of a cell that is one colour
# JFIF's colour space, in which codecs and decoders of latent images blur: luma, blue and red less luma.
_LUMA = (0.299, 0.587, 0.114)
_BLUE, _RED = 0.564, 0.713


def snap_image(image: Source) -> Image.Image:
    """The image at its native size, RGBA: grid and colours of the cells, no colour limit.

    An image that is at 1x already, or that has no grid, comes back unchanged. Raises UnreadableImage.
    """
    rgba = to_array(image)
    lattice = find_lattice(rgba)
    if lattice.grid.native or lattice.grid.confidence < THRESHOLD:
        return Image.fromarray(rgba)
    return Image.fromarray(snap(rgba, lattice))


def snap(rgba: Bytes, lattice: Lattice) -> Bytes:
    """The ``(rows, columns, 4)`` bytes of a lattice's cells. Alpha is 0 or 255, decided a cell at a time; colour is
    zero under alpha 0.
    """
    columns = points(lattice.x, rgba.shape[1])
    rows = points(lattice.y, rgba.shape[0])
    cells = read(rgba, rows, columns)
    if min(cells.colors.shape[:2]) < _SMALLEST or not _soft(cells):
        return cells.colors
    shift = local_shift(rgba, lattice)
    if shift is not None:
        cells = read(rgba, rows, columns, shift)
        if not _soft(cells):
            return cells.colors
    right, down = shift if shift is not None else (None, None)
    across = _evidence(rgba, lattice.x, rows, right)
    along = _evidence(rgba.transpose(1, 0, 2), lattice.y, columns, None if down is None else down.T)
    luma, chroma = fit_responses((across[0], along[0]), (across[1], along[1]), min(rows.period, columns.period))
    if not (_leaks(luma) or _leaks(chroma)):
        return cells.colors
    return _unmixed(cells.colors, mean(rgba, rows, columns, shift), (rows, columns), luma, chroma)


def _leaks(response: Response) -> bool:
    """Whether cells reach into each other's samples; smoothly enlarged ones do wherever a sample is off the centre."""
    return response.kind != "blur" or response.leak > _LEAK


def _soft(cells: Cells) -> bool:
    """Whether cells that differ from their neighbour are unlike themselves as well: a cheap look before measuring."""
    left, right, above, below = cells.sides
    colors = cells.colors
    for facing, changes in (
        (np.maximum(right[:, :-1], left[:, 1:]), apart(colors[:, 1:], colors[:, :-1])),
        (np.maximum(below[:-1], above[1:]), apart(colors[1:], colors[:-1])),
    ):
        noise = 2 * int(np.partition(facing, facing.size // 5, axis=None)[facing.size // 5])
        changed = changes > noise
        if (changed & (facing > noise + _FLAT)).sum() > 0.1 * changed.sum():
            return True
    return False


def _evidence(rgba: Bytes, cuts: Doubles, across: Points, shift: Floats | None) -> tuple[Evidence, Evidence]:
    """What the axis of ``cuts`` says about blur in luma (with alpha) and in chroma; x, or y with the image transposed.

    Lines of pixels through the middle of lines of cells (``across``) are read between pixels by Keys' cubic.
    """
    count = min(_LINES, max(_LINES // 3, _MEASURED // len(cuts)))
    chosen = np.unique(np.linspace(0, len(across.pixels) - 1, count).astype(np.intp))
    read = across.pixels[chosen].reshape(len(chosen), -1)
    total = np.zeros((len(chosen), rgba.shape[1], 4), dtype=np.uint16)
    for k in range(read.shape[1]):
        total += premultiplied(rgba[read[:, k]])
    lines = np.moveaxis(_to_ycc(total) / np.float32(read.shape[1]), 0, -1)
    edges = whole(cuts)
    if len(edges) > 9:  # cells cut off by the border are not whole
        edges = edges[1:-1]
    center, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    if shift is not None:
        shift = shift[chosen]
        center = center + (shift[:, 1:-1] if len(center) < shift.shape[1] else shift)
    found = np.stack([_between(lines, center + width * offset) for offset in (*WINDOW, *PROBES)])
    centers, probes = found[: len(WINDOW)].mean(axis=0), found[len(WINDOW) :]
    luma, chroma = (Evidence(centers[..., k], probes[..., k]) for k in ([0, 3], [1, 2]))
    return luma, chroma


def _between(lines: Floats, at: Doubles) -> Floats:
    """``(lines, n, channels)`` at positions ``(n,)`` or ``(lines, n)`` between the pixels, by cubic convolution."""
    at = np.atleast_2d(at) - 0.5
    left = np.floor(at).astype(np.intp)
    share = (at - left).astype(np.float32)[..., None]
    last = lines.shape[1] - 1
    number = np.arange(len(lines))[:, None]
    a, b, c, d = (lines[number, (left + k).clip(0, last)] for k in (-1, 0, 1, 2))
    out = b + 0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)))
    return np.asarray(out, dtype=np.float32)


def _unmixed(colors: Bytes, means: Floats, axes: tuple[Points, Points], luma: Response, chroma: Response) -> Bytes:
    """The colours with the shares of other cells taken out of their means; luma that has none stays what it was."""
    planes = _to_ycc(means)
    if not _leaks(luma):
        planes[0] = _to_ycc(premultiplied(colors))[0]
    solid = bool((colors[..., 3] == 255).all())
    for response, used in ((luma, [0] if solid else [0, 3]), (chroma, [1, 2])):
        if _leaks(response):
            part = unmix(planes[used], axes[0].at, response, 1)
            planes[used] = unmix(part, axes[1].at, response, 2)
    alpha = planes[3]
    visible = alpha >= 128
    scale = visible * (255 / np.maximum(alpha, 128)).astype(np.float32)
    out = np.zeros_like(colors)
    for k, plane in enumerate(_to_rgb(planes)):
        out[..., k] = np.rint(plane * scale).clip(0, 255)
    out[..., 3] = np.where(visible, 255, 0)
    return out


def _to_ycc(rgba: Bytes | NDArray[np.uint16] | Floats) -> Floats:
    """Planes (4, ...) of luma, blue less luma, red less luma and alpha."""
    red, green, blue, alpha = (rgba[..., k].astype(np.float32) for k in range(4))
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    return np.stack([luma, _BLUE * (blue - luma), _RED * (red - luma), alpha])


def _to_rgb(planes: Floats) -> tuple[Floats, Floats, Floats]:
    luma = planes[0]
    blue, red = luma + planes[1] / _BLUE, luma + planes[2] / _RED
    return red, (luma - _LUMA[0] * red - _LUMA[2] * blue) / _LUMA[1], blue
