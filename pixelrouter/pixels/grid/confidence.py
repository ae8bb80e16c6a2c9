"""How sure it is that an image is enlarged pixel art with its cells where a lattice says.

A lattice can be laid over any image: whoever looks for lines finds some. So the image is asked how much more it
changes across the lattice's lines than between them. In a photo, a gradient, text or noise every place is like every
other, wherever the lines happen to lie; in enlarged pixel art nothing is. Where the lattice came from plays no part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats
from pixelrouter.pixels.grid.lattice import Doubles, Lattice

# At this confidence and above an image counts as enlarged pixel art. Both errors are rare there: fewer than one in a
# hundred enlarged images whose grid was found lie below, fewer than one in twenty images without a grid above.
# benchmarks/pixels.py prints both shares.
THRESHOLD = 0.4

Samples = NDArray[np.int16]

_PLACES = np.array(
    [0.125, 0.375, 0.625, 0.875]
)  # where a cell is sampled: steps between lie at lines, quarters, middle
_ROWS = np.array([[0.35], [0.5], [0.65]])  # three rows of a cell are added up, which takes the edge off noise
_BUDGET = 24_000  # samples an axis, so the cost does not grow with the image
_FEWEST_LINES = 24
_TRACE = (0.5, 6.0)  # levels: a difference that a painter or a camera makes and a palette does not
_ROUNDING = 0.5  # levels: what whole numbers alone make of a slow gradient says nothing
_SMOOTH = 0.15  # bend below minus this: an interpolation
_ENOUGH = 100  # cells from which on their number says nothing

# A logistic regression over enlarged images of ten kinds and images without a grid, its weights rounded.
_CONTRAST, _FLATNESS, _BEND, _TRACES, _CELLS, _BIAS = 4.0, 10.0, -5.0, -17.0, 4.5, -3.3


def confidence(image: Bytes, lattice: Lattice) -> float:
    """0..1 for premultiplied ``(h, w, 4)`` and its lattice; 0 for fewer than two cells a side, and for single pixels.

    Five measures of either axis, put into a logistic function:

    - contrast: of the squared steps between neighbouring samples, the share on the lines less the share in the middles
      of the cells; 1 for a hard enlargement, 0 where the lines mean nothing. The weaker axis counts.
    - flatness: how much more the middles of neighbouring cells differ than the two ends of one cell, squared, as a
      share of both. The weaker axis counts.
    - bend: where second differences lie, 1 beside the lines (hard edges), -1 in the middles (smooth interpolation). It
      lets an image that has no steps, because it was enlarged smoothly, be told from one that has no cells.
    - traces: the share of neighbouring cells that differ by a few levels only, less the share that noise makes of that
      kind inside the cells. A photo enlarged by a whole factor has perfect cells, but no palette. Not counted where
      the image was enlarged smoothly.
    - cells: a few cells agree by chance.
    """
    columns, rows = len(lattice.x) - 1, len(lattice.y) - 1
    height, width = image.shape[:2]
    if min(columns, rows) < 2 or columns > width / 1.5 or rows > height / 1.5:
        return 0.0
    across = _measures(_samples(image, lattice.x, lattice.y))
    down = _measures(_samples(image.transpose(1, 0, 2), lattice.y, lattice.x))
    contrast, flatness = np.minimum(across, down)[:2]
    bend, traces = (across + down)[2:] / 2
    few = np.log(min(columns * rows, _ENOUGH) / _ENOUGH)
    score = _CONTRAST * contrast + _FLATNESS * flatness + _BEND * bend + _TRACES * traces + _CELLS * few + _BIAS
    return float(1 / (1 + np.exp(-score)))


def _samples(image: Bytes, x: Doubles, y: Doubles) -> Samples:
    """``(channels, lines, cells, 4)``: four samples of every cell along x, in rows of cells spread over the image."""
    cells, rows = len(x) - 1, len(y) - 1
    lines = min(rows, max(_FEWEST_LINES, _BUDGET // (4 * cells)))
    pick = np.linspace(0, rows - 1, lines).astype(np.intp)
    at = np.floor(y[pick] + np.diff(y)[pick] * _ROWS).astype(np.intp).clip(0, image.shape[0] - 1)
    total = image[at[0]].astype(np.int16)
    total += image[at[1]]
    total += image[at[2]]
    places = np.floor(x[:-1, None] + np.diff(x)[:, None] * _PLACES).astype(np.intp).clip(0, image.shape[1] - 1)
    samples = total.take(places.reshape(-1), axis=1)
    channels = 3 if (samples[..., 3] == 255 * len(_ROWS)).all() else 4
    planes = np.moveaxis(samples[..., :channels], -1, 0)
    return np.ascontiguousarray(planes).reshape(channels, lines, cells, len(_PLACES))


def _measures(samples: Samples) -> Floats:
    """Contrast, flatness, bend and traces along one axis."""
    run = samples.reshape(*samples.shape[:2], -1)
    step = _size(run[..., 1:] - run[..., :-1])  # every fourth from index 3 on crosses a line
    power = [float((step[:, place::4] ** 2).sum()) for place in range(4)]
    contrast = (power[3] - power[1]) / (sum(power) + _ROUNDING * step.size)
    second = _size(run[..., 2:] - 2 * run[..., 1:-1] + run[..., :-2])  # index i is about sample i + 1
    beside = float(second[:, 2::4].sum() + second[:, 3::4].sum())
    middle = float(second[:, 0::4].sum() + second[:, 1::4].sum())
    bend = (beside - middle) / (beside + middle + _ROUNDING * second.size)
    centers = samples[..., 1] + samples[..., 2]
    between = _size(centers[..., 1:] - centers[..., :-1]) / np.float32(2)
    within = _size(samples[..., 3] - samples[..., 0])
    apart, alike = float((between**2).sum()) / between.size, float((within**2).sum()) / within.size
    flatness = (apart - alike) / (apart + alike + _ROUNDING)
    # Smooth interpolation rings: it leaves traces of its own beside every edge.
    hard = min(max(1 + bend / _SMOOTH, 0.0), 1.0)
    traces = hard * max(0.0, _trace_share(between) - _trace_share(step[:, 1::4]))
    return np.array([contrast, flatness, bend, traces], dtype=np.float32)


def _size(difference: Samples) -> Floats:
    """The largest difference of any channel, in levels of one row."""
    return np.asarray(np.abs(difference).max(axis=0) / np.float32(len(_ROWS)), dtype=np.float32)


def _trace_share(difference: Floats) -> float:
    return float(((difference > _TRACE[0]) & (difference < _TRACE[1])).mean())
