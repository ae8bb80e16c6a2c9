"""Local warp: where the cells of a place lie beside the cut lines that hold for the whole picture.

Generated images drift locally: the eyes of a face half a cell off the rows below. Along every line of cells the edges
are demodulated with the lattice: an edge on a cut line has phase 0, one a quarter of a cell later a quarter turn. The
phases are averaged over a neighbourhood of cells, weighted by the strength of the edges; the angle that remains is the
displacement. (The method is that of fringe analysis: M. Takeda, "Fourier-transform method of fringe-pattern analysis",
1982.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats
from pixelrouter.pixels.grid import Lattice
from pixelrouter.pixels.grid.edges import premultiplied
from pixelrouter.pixels.grid.lattice import Doubles

Phases = NDArray[np.complex64]

_PATCHES = 6  # a side: the picture is looked at in so many patches, to see whether it is warped at all
_LINES = 32  # lines of cells that look reads, at most
_GAIN = 1.12  # times the evidence of straight lines that local ones must have to be worth it
_SHARP = 0.36  # of the weight of all edges that must agree within a patch: a smooth image has edges everywhere
_NEAR, _FAR = (
    2,
    6,
)  # cells: the neighbourhood that says where a cell lies, and the one that is asked where that is silent
_FAR_SHARE = 0.1
_CAP = 96  # levels from which on an edge counts no more


def local_shift(rgba: Bytes, lattice: Lattice) -> tuple[Floats, Floats] | None:
    """How far (source pixels, right and down) each cell lies off the lattice: two (rows, columns), or None where the
    straight lines explain the image. Cells of less than eight a side have no neighbourhood and stay.
    """
    if min(len(lattice.x), len(lattice.y)) < 9:
        return None
    turned = rgba.transpose(1, 0, 2)
    looks = [_look(rgba, lattice.x, lattice.y), _look(turned, lattice.y, lattice.x)]
    if max(gain for gain, _ in looks) < _GAIN or min(agreement for _, agreement in looks) < _SHARP:
        return None
    right = _displacement(_phases(rgba, lattice.x, lattice.y, slice(None))[0])
    down = _displacement(_phases(turned, lattice.y, lattice.x, slice(None))[0]).T
    # From the cut lines to the cells between them, from cells to pixels.
    width, height = (np.diff(cuts).astype(np.float32) for cuts in (lattice.x, lattice.y))
    right = np.asarray((right[:, 1:] + right[:, :-1]) / 2 * width, dtype=np.float32)
    down = np.asarray((down[1:] + down[:-1]) / 2 * height[:, None], dtype=np.float32)
    return right, down


def _look(rgba: Bytes, along: Doubles, across: Doubles) -> tuple[float, float]:
    """How much more edges agree with each other within patches than with the straight lines, and what share of their
    weight agrees there at all.
    """
    count = len(across) - 1
    chosen = np.unique(np.linspace(0, count - 1, _LINES).astype(np.intp))
    phases, weight = _phases(rgba, along, across, chosen)
    rows = np.arange(len(phases)) * _PATCHES // len(phases)
    columns = np.arange(phases.shape[1]) * _PATCHES // phases.shape[1]
    patch = (rows[:, None] * _PATCHES + columns).ravel()
    real, imaginary = (np.bincount(patch, part.ravel(), _PATCHES**2) for part in (phases.real, phases.imag))
    local = float(np.hypot(real, imaginary).sum())
    return local / max(float(real.sum()), 1e-6), local / max(weight, 1e-6)


def _phases(rgba: Bytes, along: Doubles, across: Doubles, chosen: slice | NDArray[np.intp]) -> tuple[Phases, float]:
    """For the chosen lines of cells, at every cut line: the edges around it, each turned by its place in the cell. And
    the weight of all edges.
    """
    middle = ((across[1:] + across[:-1]) / 2)[chosen]
    read = np.floor(middle).astype(np.intp).clip(1, len(rgba) - 1)
    lines = premultiplied(rgba[read]).astype(np.int16)
    lines += premultiplied(rgba[read - 1])
    step = np.abs(np.diff(lines, axis=1)).max(axis=-1).astype(np.float32) / 2
    # What most places have is noise.
    step = np.minimum(step - 2.5 * float(np.median(step)), _CAP).clip(0)
    at = np.interp(np.arange(1, rgba.shape[1]), along, np.arange(len(along)))
    turn = np.exp(2j * np.pi * at).astype(np.complex64)
    nearest = np.rint(at).astype(np.intp)
    starts = np.searchsorted(nearest, np.arange(len(along)))
    out = np.zeros((len(step), len(along)), dtype=np.complex64)
    filled = np.flatnonzero(np.bincount(nearest, minlength=len(along)))
    out[:, filled] = np.add.reduceat(step * turn, starts[filled], axis=1)
    return out, float(step.sum())


def _displacement(phases: Phases) -> Floats:
    """In cells. The far neighbourhood moves less than half a cell; the near one is measured from there, so that it may
    move further.
    """
    far = _blur(phases, _FAR)
    near = _blur(phases, _NEAR) + _FAR_SHARE * far
    return np.asarray((np.angle(far) + np.angle(near * far.conj())) / (2 * np.pi), dtype=np.float32)


def _blur(values: Phases, reach: int) -> Phases:
    """Twice the mean over 2 * reach + 1 neighbours along both axes: a triangle window."""
    for axis in (0, 1):
        for _ in range(2):
            pad = [(0, 0), (0, 0)]
            pad[axis] = (reach + 1, reach)
            total = np.cumsum(np.pad(values, pad), axis=axis)
            size = values.shape[axis]
            upper, lower = np.arange(size) + 2 * reach + 1, np.arange(size)
            values = (total.take(upper, axis=axis) - total.take(lower, axis=axis)) / (2 * reach + 1)
    return np.asarray(values, dtype=np.complex64)
