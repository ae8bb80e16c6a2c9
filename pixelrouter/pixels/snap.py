"""Snapping: one colour for every cell of the grid, never a mixture of two cells.

Where the image is sharp, a cell's colour is what its samples agree on (:mod:`~pixelrouter.pixels.sampling`). Where blur
or smooth enlargement reached across the cells, it is taken apart again (:mod:`~pixelrouter.pixels.unmix`).
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from pixelrouter.pixels.color import Bytes, Floats
from pixelrouter.pixels.grid import THRESHOLD, Lattice, find_lattice
from pixelrouter.pixels.grid.edges import premultiplied
from pixelrouter.pixels.grid.lattice import Doubles
from pixelrouter.pixels.sampling import Points, gather, points, robust, whole
from pixelrouter.pixels.unmix import PROBES, WINDOW, Evidence, Response, fit_responses, unmix

_LINES = 32  # lines of cells an axis that the blur is measured on, at most
_LEAK = 0.012  # share of a sample that comes from other cells, below which there is nothing to take apart
_FLAT = 2  # levels between the samples of a cell that is one colour
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float32
)  # JFIF: the colour space in which both codecs and decoders of latent images blur
_FROM_YCC = np.linalg.inv(_TO_YCC).astype(np.float32)


def snap_image(image: Image.Image) -> Image.Image:
    """The image at its native size, RGBA: grid and colours of the cells, no colour limit.

    An image that is at 1x already, or that has no grid, comes back unchanged.
    """
    rgba = np.asarray(image.convert("RGBA"))
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
    samples = gather(rgba, rows, columns)
    colors = robust(samples)
    if min(colors.shape[:2]) < 4 or not _soft(samples, colors):
        return colors
    luma, chroma = fit_responses(
        *zip(
            _evidence(rgba, lattice.x, rows),
            _evidence(rgba.transpose(1, 0, 2), lattice.y, columns),
            strict=True,
        ),
        period=min(rows.period, columns.period),
    )
    return _unmixed(samples, colors, (rows, columns), luma, chroma)


def _soft(samples: Bytes, colors: Bytes) -> bool:
    """Whether cells that differ from their neighbour are unlike themselves as well: a cheap look before measuring."""
    changes = (colors[:, 1:] != colors[:, :-1]).any(axis=-1)
    first, last = samples[3, :, 1:], samples[5, :, :-1]  # of the middle line: the sides that face each other
    inner = samples[4].astype(np.int16)
    unlike = (np.abs(first - inner[:, 1:]) > _FLAT).any(axis=-1)
    unlike |= (np.abs(last - inner[:, :-1]) > _FLAT).any(axis=-1)
    return bool((unlike & changes).sum() > 0.1 * changes.sum())


def _evidence(rgba: Bytes, cuts: Doubles, across: Points) -> tuple[Evidence, Evidence]:
    """What the axis of ``cuts`` says about blur in luma (with alpha) and in chroma; x, or y with the image transposed.

    Lines of pixels through the middle of lines of cells (``across``) are read between pixels by Keys' cubic.
    """
    chosen = np.unique(np.linspace(0, len(across.pixels) - 1, _LINES).astype(np.intp))
    read = across.pixels[chosen].reshape(len(chosen), -1)
    total = np.zeros((len(chosen), rgba.shape[1], 4), dtype=np.uint16)
    for k in range(read.shape[1]):
        total += premultiplied(rgba[read[:, k]])
    lines = _to_ycc(total.astype(np.float32) / read.shape[1])
    edges = whole(cuts)
    if len(edges) > 9:  # cells cut off by the border are not whole
        edges = edges[1:-1]
    center, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    found = np.stack([_between(lines, center + width * offset) for offset in (*WINDOW, *PROBES)])
    centers, probes = found[: len(WINDOW)].mean(axis=0), found[len(WINDOW) :]
    luma, chroma = (Evidence(centers[..., k], probes[..., k]) for k in ([0, 3], [1, 2]))
    return luma, chroma


def _between(lines: Floats, at: Doubles) -> Floats:
    """``(lines, n, channels)`` at positions between the pixels, by cubic convolution."""
    at = at - 0.5
    left = np.floor(at).astype(np.intp)
    share = (at - left).astype(np.float32)[None, :, None]
    last = lines.shape[1] - 1
    a, b, c, d = (lines[:, (left + k).clip(0, last)] for k in (-1, 0, 1, 2))
    out = b + 0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)))
    return np.asarray(out, dtype=np.float32)


def _unmixed(samples: Bytes, colors: Bytes, axes: tuple[Points, Points], luma: Response, chroma: Response) -> Bytes:
    """The colours with the shares of other cells taken out; a channel that has none keeps its robust colour."""
    leaky = [response.kind != "blur" or response.leak > _LEAK for response in (luma, chroma)]
    if not any(leaky):
        return colors
    mean = np.zeros(colors.shape, dtype=np.uint16)
    for sample in samples:
        mean += premultiplied(sample)
    planes = np.ascontiguousarray(np.moveaxis(_to_ycc(mean.astype(np.float32) / len(samples)), -1, 0))
    if not leaky[0]:
        planes[0] = _to_ycc(premultiplied(colors).astype(np.float32))[..., 0]
    solid = bool((colors[..., 3] == 255).all())
    for response, used in ((luma, [0] if solid else [0, 3]), (chroma, [1, 2])):
        if leaky[used[0] > 0]:
            part = unmix(planes[used], axes[0].at, response, 1)
            planes[used] = unmix(part, axes[1].at, response, 2)
    alpha = planes[3]
    visible = alpha >= 128
    rgb = np.moveaxis(planes[:3], 0, -1) @ _FROM_YCC.T * (255 / np.maximum(alpha, 128))[..., None]
    out = np.zeros_like(colors)
    out[..., :3] = np.where(visible[..., None], np.rint(rgb).clip(0, 255), 0)
    out[..., 3] = np.where(visible, 255, 0)
    return out


def _to_ycc(rgba: Floats) -> Floats:
    out = rgba.copy()
    out[..., :3] = rgba[..., :3] @ _TO_YCC.T
    return out
