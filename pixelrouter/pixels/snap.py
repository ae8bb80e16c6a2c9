"""Snapping: one colour for every cell of the grid, never a mixture of two cells."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.grid import THRESHOLD, Lattice, find_lattice
from pixelrouter.pixels.grid.lattice import Doubles

_SAMPLES = np.linspace(0.28, 0.72, 5)  # where in a cell it is sampled, as shares of its width


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
    """The ``(rows, columns, 4)`` bytes of a lattice's cells. Alpha is 0 or 255, decided by the majority of a cell."""
    columns = _positions(lattice.x, rgba.shape[1])
    rows = _positions(lattice.y, rgba.shape[0])
    out = np.empty((len(rows), len(columns), 4), dtype=np.uint8)
    for start in range(0, len(rows), 64):  # bounds the memory
        part = rows[start : start + 64]
        block = rgba[part[:, None, :, None], columns[None, :, None, :]]
        out[start : start + 64] = _cell_colors(block.reshape(*block.shape[:2], -1, 4))
    return out


def _positions(cuts: Doubles, length: int) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    inner = cuts[:-1, None] + np.diff(cuts)[:, None] * _SAMPLES[None, :]
    return np.floor(inner).astype(np.intp).clip(0, length - 1)


def _cell_colors(samples: Bytes) -> Bytes:
    """One RGBA colour for each ``(..., n, 4)``: the mean of the half of the samples closest to their median.

    The median alone would keep noise, the mean alone would mix two cells.
    """
    opaque = samples[..., 3] >= 128
    visible = opaque.mean(axis=-1) >= 0.5
    color = samples[..., :3].astype(np.float32)
    # Samples of the other kind of alpha have no say in the colour.
    masked = np.where(opaque[..., None], color, np.nan)
    masked[~visible] = 0.0
    middle = np.nanmedian(masked, axis=-2, keepdims=True)
    distance = np.abs(masked - middle).sum(axis=-1)
    distance = np.where(np.isnan(distance), np.inf, distance)
    keep = distance <= np.partition(distance, samples.shape[-2] // 4, axis=-1)[..., samples.shape[-2] // 4, None]
    keep &= np.isfinite(distance)
    mean = (np.nan_to_num(masked) * keep[..., None]).sum(axis=-2) / np.maximum(keep.sum(axis=-1), 1)[..., None]
    out = np.zeros((*visible.shape, 4), dtype=np.uint8)
    out[..., :3] = np.where(visible[..., None], np.rint(mean), 0)
    out[..., 3] = np.where(visible, 255, 0)
    return out
