"""Samples: which pixels of an image speak for a cell, and the colour that most of them agree on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats, Ints
from pixelrouter.pixels.grid.edges import premultiplied
from pixelrouter.pixels.grid.lattice import Doubles

SIDE = 3  # samples across a cell, and as many down
_SHARE = 0.2  # of a cell, from its centre, where the outer samples lie
_BLOCK = 9.0  # source pixels a cell from which on a sample is the mean of 2 x 2 pixels (3 x 3 from twice that on)
_SORT9 = (  # the comparisons of a sorting network for nine values (R. W. Floyd, in Knuth, TAOCP 3, 5.3.4)
    *((0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (0, 3), (3, 6), (0, 3), (1, 4)),
    *((4, 7), (1, 4), (2, 5), (5, 8), (2, 5), (1, 3), (5, 7), (2, 6), (4, 6), (2, 4), (2, 3), (5, 6)),
)
_SIDES = (3, 5, 1, 7)  # which samples lie left, right, above and below the middle one
_AT_ONCE = 1 << 15  # cells read at once: bounds the memory, and stays in the cache
_APART = 24  # levels between samples of one cell, beyond noise, that make it a cell of two colours


Shift = tuple[Floats, Floats]


@dataclass(frozen=True)
class Points:
    """Where an axis is sampled: ``pixels`` (cells, SIDE, block), ``at`` (cells, SIDE * block) in cell coordinates."""

    pixels: Ints
    at: Doubles
    period: float


@dataclass(frozen=True)
class Cells:
    """What was read of the cells: ``colors`` (rows, columns, 4), and ``sides`` (4, rows, columns), how many levels the
    samples left, right, above and below differ from the middle one.
    """

    colors: Bytes
    sides: Bytes


def points(cuts: Doubles, length: int) -> Points:
    """The sample points of an axis of ``length`` pixels."""
    widths = np.diff(cuts)
    period = float(np.median(widths))
    block = 1 if period < _BLOCK else 2 if period < 2 * _BLOCK else 3
    center = (cuts[1:] + cuts[:-1]) / 2
    first = center[:, None] + widths[:, None] * np.linspace(-_SHARE, _SHARE, SIDE) - (block - 1) / 2
    pixels = np.floor(first).astype(np.intp)[..., None] + np.arange(block)
    pixels = pixels.clip(0, length - 1)
    at = np.interp(pixels.reshape(len(center), -1) + 0.5, whole(cuts), np.arange(len(cuts)))
    return Points(pixels, at, period)


def whole(cuts: Doubles) -> Doubles:
    """The cut lines with the outer ones where they would be if the border of the picture had cut no cell off."""
    out = cuts.astype(np.float64)
    usual = float(np.median(np.diff(cuts)))
    out[0] = min(out[0], out[1] - 0.95 * usual)
    out[-1] = max(out[-1], out[-2] + 0.95 * usual)
    return out


def read(rgba: Bytes, rows: Points, columns: Points, shift: Shift | None = None) -> Cells:
    """Reads every cell. ``shift`` says how many source pixels right and down of its place each one is read."""
    size = (len(rows.pixels), len(columns.pixels))
    cells = Cells(np.empty((*size, 4), np.uint8), np.empty((4, *size), np.uint8))
    for part, samples in _gathered(rgba, rows, columns, shift):
        middle = samples[len(samples) // 2]
        for k, side in enumerate(_SIDES):
            cells.sides[k, part] = apart(samples[side], middle)
        cells.colors[part] = robust(samples)
    return cells


def apart(one: Bytes, other: Bytes) -> Bytes:
    """How many levels two arrays (..., 4) differ, in the channel that differs most."""
    return _widest(np.maximum(one, other) - np.minimum(one, other))


def _widest(levels: Bytes) -> Bytes:
    """The largest of the four channels; several times faster than a reduction over so short an axis."""
    pairs = np.maximum(levels[..., :2], levels[..., 2:])
    return np.asarray(np.maximum(pairs[..., 0], pairs[..., 1]))


def mean(rgba: Bytes, rows: Points, columns: Points, shift: Shift | None = None) -> Floats:
    """The mean of the samples of every cell, ``(rows, columns, 4)``, colour scaled by alpha; arguments as for read."""
    total = np.zeros((len(rows.pixels), len(columns.pixels), 4), dtype=np.uint16)
    for part, samples in _gathered(rgba, rows, columns, shift):
        for sample in premultiplied(samples.reshape(-1, *samples.shape[2:])).reshape(samples.shape):
            total[part] += sample
    return total.astype(np.float32) / np.float32(SIDE * SIDE)


def _gathered(rgba: Bytes, rows: Points, columns: Points, shift: Shift | None) -> Iterator[tuple[slice, Bytes]]:
    """Slices of rows of cells, with the samples ``(SIDE * SIDE, rows, columns, 4)`` of each; row by row in a cell."""
    packed = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    step = max(1, _AT_ONCE // len(columns.pixels))
    for start in range(0, len(rows.pixels), step):
        part = slice(start, start + step)
        place = rows.pixels[part]
        if shift is None:
            yield part, _gather(packed, place, columns.pixels)
        else:
            yield part, _gather_shifted(packed, place, columns.pixels, (shift[0][part], shift[1][part]))


def _gather(packed: NDArray[np.uint32], rows: Ints, columns: Ints) -> Bytes:
    """The samples of cells, ``(SIDE * SIDE, rows, columns, 4)``; row by row within a cell."""
    tall, wide = rows.shape[2], columns.shape[2]
    out = np.empty((SIDE * SIDE, len(rows), len(columns), 4), dtype=np.uint8)
    total = np.empty(out.shape[1:], dtype=np.uint16)
    for down in range(SIDE):
        lines = [packed[rows[:, down, i]] for i in range(tall)]
        for across in range(SIDE):
            at = out[down * SIDE + across]
            if tall * wide == 1:
                np.take(lines[0], columns[:, across, 0], axis=1, out=at.view(np.uint32)[..., 0])
                continue
            total[:] = tall * wide // 2
            for line in lines:
                for i in range(wide):
                    total += line.take(columns[:, across, i], axis=1).view(np.uint8).reshape(total.shape)
            np.floor_divide(total, tall * wide, out=at, casting="unsafe")
    return out


def _gather_shifted(packed: NDArray[np.uint32], rows: Ints, columns: Ints, shift: Shift) -> Bytes:
    """The same where every cell has a place of its own; one pixel a sample."""
    height, width = packed.shape
    right, down = (np.rint(part).astype(np.int32) for part in shift)
    out = np.empty((SIDE * SIDE, *right.shape, 4), dtype=np.uint8)
    for k in range(SIDE * SIDE):
        y = rows[:, k // SIDE, rows.shape[2] // 2].astype(np.int32)[:, None] + down
        x = columns[:, k % SIDE, columns.shape[2] // 2].astype(np.int32) + right
        out[k].view(np.uint32)[..., 0] = packed[y.clip(0, height - 1), x.clip(0, width - 1)]
    return out


def robust(samples: Bytes) -> Bytes:
    """One colour a cell from ``(9, rows, columns, 4)``: the mean of the middle five of the nine samples.

    The median alone would keep noise, the mean alone would mix two cells. Cells that hold two colours take the one
    that most of their samples have.
    """
    ordered = list(samples.copy())
    spare = np.empty_like(ordered[0])
    for low, high in _SORT9:
        np.minimum(ordered[low], ordered[high], out=spare)
        np.maximum(ordered[low], ordered[high], out=ordered[high])
        ordered[low], spare = spare, ordered[low]
    spread = ordered[7] - ordered[1]
    usual = int(np.median(spread[..., :3]))
    if usual:
        total = np.full(spare.shape, 2, dtype=np.uint16)
        for middle in ordered[2:7]:
            total += middle
        out = (total // 5).astype(np.uint8)
    else:  # no noise to average: a colour of the image, to the bit
        out = ordered[4].copy()
    torn = (_widest(spread) > usual * 3 + _APART) | ((ordered[0][..., 3] < 128) != (ordered[8][..., 3] < 128))
    if torn.any():
        out[torn] = _majority(samples[:, torn], clean=usual <= 1)
    hidden = out[..., 3] < 128
    out[..., 3] = 255
    out[hidden] = 0
    return out


def _majority(samples: Bytes, *, clean: bool) -> Bytes:
    """For ``(9, n, 4)`` samples of cells that hold two colours: the colour on the side that most samples are on.

    ``clean``: it is the colour of one sample, not the mean of several.
    """
    opaque = samples[..., 3] >= 128
    visible = opaque.sum(axis=0) * 2 > len(samples)
    counts = opaque == visible  # samples of the other kind of alpha have no say in the colour
    color = samples[..., :3].astype(np.int16)
    low = np.where(counts[..., None], color, 255).min(axis=0)
    high = np.where(counts[..., None], color, 0).max(axis=0)
    channel = (high - low).argmax(axis=-1)[:, None]
    cut = np.take_along_axis(low + high, channel, axis=1)[:, 0]
    upper = 2 * np.take_along_axis(color, channel[None], axis=2)[..., 0] > cut
    more = (upper & counts).sum(axis=0) * 2 > counts.sum(axis=0)
    chosen = counts & (upper == more)
    mean = (color * chosen[..., None]).sum(axis=0) / np.maximum(chosen.sum(axis=0), 1)[:, None]
    out = np.empty((samples.shape[1], 4), dtype=np.uint8)
    if clean:
        far = np.where(chosen, np.abs(color - mean).sum(axis=-1), np.inf)
        out[:, :3] = color[far.argmin(axis=0), np.arange(len(out))]
    else:
        out[:, :3] = np.rint(mean)
    out[:, 3] = np.where(visible, 255, 0)
    return out
