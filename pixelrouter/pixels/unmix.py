"""Unmixing: what blur or smooth enlargement mixed between neighbouring cells is taken apart again.

A cell of width 1 reaches a point at distance ``u`` from its centre with a weight, its response: a box for nearest
neighbour, a blurred box after a blur, a hat for bilinear, Keys' cubic, Lanczos' windowed sinc. Which response an image
has is measured without knowing the truth: the samples at the centres of the cells, unmixed under a candidate and mixed
again, must give the samples near the borders. Only the correlations of the centres enter that comparison, so every
candidate costs a few small products. Then one regularised linear system per axis gives the colours.

Sources: R. Keys, "Cubic convolution interpolation for digital image processing", 1981 (a = -0.5, as in Pillow);
C. Duchon, "Lanczos filtering in one and two dimensions", 1979; A. Tikhonov's regularisation, 1963.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import erf

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Floats

Doubles = NDArray[np.float64]

REACH = 5  # neighbours on each side that a response can touch
PROBES = (-0.4, -0.3, 0.3, 0.4)  # where in a cell, from its centre, candidates are compared
_WIDEST = 0.6  # cells; a wider blur cannot be undone
_FLOOR = 0.3  # of a frequency's gain, while candidates are compared
_CIRCLE = 32  # length of the Fourier transforms of taps
_CLEAN = 0.009  # unexplained share of a step, below which an image counts as free of noise
_GREY = 10.0  # mean square of the chroma steps, below which an image has no chroma to speak of
_BETTER, _AS_GOOD = 0.75, 2.0  # times the error of the best Gaussian; the second for clean images only
_BLOCK, _HALO = 64, 6  # cells solved at once, and the neighbours on each side that have a say


@dataclass(frozen=True)
class Response:
    """How much of a cell arrives at a distance from its centre. ``kind`` is "blur", "bilinear", "cubic" or "lanczos".

    A blur is a Gaussian of ``sigma`` source pixels; ``amount`` is how much of a halo ``halo`` pixels wider a sharpening
    took away again.
    """

    kind: str = "blur"
    sigma: float = 0.25
    amount: float = 0.0
    halo: float = 1.0

    def weights(self, u: Doubles, period: float) -> Doubles:
        """The weight at distances ``u`` (cells) for cells of ``period`` source pixels."""
        if self.kind == "bilinear":
            return np.maximum(0, 1 - np.abs(u))
        if self.kind == "cubic":
            return _cubic(np.abs(u))
        if self.kind == "lanczos":
            return np.where(np.abs(u) < 3, np.sinc(u) * np.sinc(u / 3), 0.0)
        sharp = _blurred_box(u, self.sigma / period)
        if not self.amount:
            return sharp
        return (1 + self.amount) * sharp - self.amount * _blurred_box(
            u, float(np.hypot(self.sigma, self.halo)) / period
        )

    def leak(self, period: float, window: Doubles) -> float:
        """The share that a mean over the points ``window`` (cells from the centre) gets from other cells."""
        return float(1 - _taps(self, period, window[None, :])[0, REACH])


SHARP = Response()
INTERPOLATED = (Response("bilinear"), Response("cubic"), Response("lanczos"))
_SIGMAS = [float(sigma) for sigma in np.geomspace(0.25, 3.2, 13)]
PLAIN = len(_SIGMAS)  # so many of BLURRED have no halo
BLURRED = tuple(Response("blur", sigma) for sigma in _SIGMAS) + tuple(
    Response("blur", sigma, amount, halo)
    for sigma in _SIGMAS
    for halo in (1.6, 2.4)
    for amount in (0.3, 0.6, 0.9)
    if halo > sigma
)


@dataclass(frozen=True)
class Evidence:
    """Samples along one axis. ``centers`` (lines, n, channels) are means over the points ``window`` (cells from the
    centre) along the axis, ``probes`` (4, lines, n, channels) lie at :data:`PROBES`; ``period`` in source pixels.
    """

    centers: Floats
    probes: Floats
    period: float
    window: Doubles

    @property
    def step(self) -> float:
        """The mean square of the differences between neighbouring cells."""
        return float(np.mean(np.diff(self.centers, axis=1) ** 2)) if self.centers.shape[1] > 1 else 0.0


def _cubic(u: Doubles) -> Doubles:
    near = (1.5 * u - 2.5) * u * u + 1
    far = ((-0.5 * u + 2.5) * u - 4) * u + 2
    return np.where(u < 1, near, np.where(u < 2, far, 0.0))


@cache
def _normal_table() -> tuple[Doubles, Doubles]:
    z = np.linspace(-5, 5, 1001)
    return z, np.array([0.5 + 0.5 * erf(v / 2**0.5) for v in z])


def _blurred_box(u: Doubles, sigma: float) -> Doubles:
    table = _normal_table()  # numpy has no erf
    return np.interp((u + 0.5) / sigma, *table) - np.interp((u - 0.5) / sigma, *table)


def _taps(response: Response, period: float, points: Doubles) -> Doubles:
    """The weights of cells -REACH..REACH for each row of ``points`` (cells from the centre of cell 0), sum 1."""
    weights = response.weights(points[..., None] - np.arange(-REACH, REACH + 1), period).mean(axis=-2)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), dtype=np.float64)


@cache
def _predictors(period: float, window: tuple[float, ...], responses: tuple[Response, ...]) -> Doubles:
    """For every response the taps that turn centres into probes: (responses, probes, 2 * REACH + 1)."""
    middle = np.stack([_taps(r, period, np.array([window]))[0] for r in responses])
    probes = np.stack([_taps(r, period, np.array(PROBES)[:, None]) for r in responses])
    around = np.arange(-REACH, REACH + 1) % _CIRCLE
    circle = np.zeros((len(responses), 1, _CIRCLE))
    circle[:, 0, around] = middle
    gain = np.maximum(np.fft.fft(circle).real, _FLOOR)  # the taps are symmetric
    circle = np.zeros((len(responses), len(PROBES), _CIRCLE))
    circle[..., around] = probes
    taps = np.fft.ifft(np.fft.fft(circle) / gain).real[..., around]
    return np.asarray(taps / taps.sum(axis=-1, keepdims=True), dtype=np.float64)


def errors(evidence: Evidence, responses: tuple[Response, ...]) -> Doubles:
    """For every response the mean square of what it leaves unexplained at the probes."""
    count = evidence.centers.shape[1]
    mean = evidence.centers.mean(axis=(0, 1))
    padded = np.pad(evidence.centers - mean, ((0, 0), (REACH, REACH), (0, 0)), "edge")
    shifted = np.stack([padded[:, k : k + count] for k in range(2 * REACH + 1)]).reshape(2 * REACH + 1, -1)
    targets = (evidence.probes - mean).reshape(len(PROBES), -1)
    auto = (shifted @ shifted.T).astype(np.float64)
    cross = (targets @ shifted.T).astype(np.float64)
    power = float(np.vdot(targets, targets))
    # A whole-number key lets images of one kind share the taps.
    taps = _predictors(round(evidence.period, 2), tuple(evidence.window.tolist()), responses)
    explained = 2 * np.einsum("rpk,pk->r", taps, cross) - np.einsum("rpk,kl,rpl->r", taps, auto, taps, optimize=True)
    return np.asarray((power - explained) / targets.size, dtype=np.float64)


def fit_responses(luma: Sequence[Evidence], chroma: Sequence[Evidence]) -> tuple[Response, Response]:
    """The responses of luma and chroma, from evidence along both axes.

    Gaussians and interpolation kernels look alike (a hat is nearly a Gaussian of 0.29 cells), and they ask for opposite
    treatment: an interpolated image has its true colours at the centres. What tells them apart is that an enlargement
    treats luma and chroma alike and leaves hardly anything unexplained, while a blurred image was compressed or is
    noisy as well.
    """
    groups = (luma, chroma)
    steps = [max(sum(e.step for e in group), 1e-9) for group in groups]
    smooth = [sum(errors(e, INTERPOLATED) for e in group) / step for group, step in zip(groups, steps, strict=True)]
    blurred = [sum(errors(e, BLURRED) for e in group) / step for group, step in zip(groups, steps, strict=True)]
    colored = steps[1] > _GREY
    ratio = float(smooth[0].min() / max(blurred[0].min(), 1e-9))
    clean = smooth[0].min() < _CLEAN and (not colored or smooth[1].min() < _CLEAN)
    if ratio < _BETTER or (clean and ratio < _AS_GOOD):
        weights = [steps[0] ** 0.5, steps[1] ** 0.5 if colored else 0.0]
        together = sum(weight * np.log(np.maximum(s, 0) + 1e-5) for s, weight in zip(smooth, weights, strict=True))
        same = INTERPOLATED[int(np.argmin(together))]
        return same, same
    # A halo is only believed where the image is not clean: clipped white and black look like one.
    known = len(BLURRED) if blurred[0].min() > _CLEAN else PLAIN
    return BLURRED[int(blurred[0][:known].argmin())], BLURRED[int(blurred[1][:known].argmin())] if colored else SHARP


def unmix(cells: Floats, at: Doubles, response: Response, period: float, strength: float) -> Floats:
    """``cells`` (..., n) with the share of their neighbours along the last axis taken out.

    ``at`` (n, k) are the points, in cell coordinates (cell j is j..j+1), whose mean each value is. ``strength`` is the
    regularisation: 0 trusts the samples wholly.
    """
    count = len(at)
    out = np.empty_like(cells)
    for start in range(0, count, _BLOCK):
        stop = min(count, start + _BLOCK)
        low, high = max(0, start - _HALO), min(count, stop + _HALO)
        weights = response.weights(at[low:high, :, None] - np.arange(low, high) - 0.5, period).mean(axis=1)
        weights /= weights.sum(axis=1, keepdims=True)
        one = np.eye(high - low)
        solved = one + np.linalg.solve(weights.T @ weights + strength * one, weights.T @ (one - weights))
        out[..., start:stop] = cells[..., low:high] @ solved[start - low : stop - low].T.astype(np.float32)
    return out
