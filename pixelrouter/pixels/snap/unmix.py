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
WINDOW = (
    -0.2,
    0.0,
    0.2,
)  # the points of a cell, from its centre, whose mean stands for it while responses are compared
PROBES = (-0.4, -0.3, 0.3, 0.4)  # the points at which they are compared
_FLOOR = 0.3  # of a frequency's gain, while candidates are compared
_CIRCLE = 32  # length of the Fourier transforms of taps
_CLEAN = 0.009  # unexplained share of a step, below which an image counts as free of noise
_GREY = 10.0  # mean square of the chroma steps, below which an image has no chroma to speak of
_AS_GOOD = 2.0  # times the error of the best blur, up to which an interpolation is believed of a clean image
_KERNEL = 0.3  # cells: the Gaussians that interpolation kernels resemble are wider
_GAIN = 0.99  # of the error without a halo, which one with it has to stay under
_WIDEST = 2.4  # source pixels: the standard deviation of the widest blur that is believed
_BLOCK, _HALO = 20, 6  # cells solved at once, and the neighbours on each side that have a say
_NOISY, _CLEAR = 0.1, 0.02  # regularisation of blurred images and of interpolated ones; 0 would trust the samples


@dataclass(frozen=True)
class Response:
    """How much of a cell arrives at a distance from its centre. ``kind`` is "blur", "bilinear", "cubic" or "lanczos".

    A blur is a Gaussian of ``sigma`` cells; ``amount`` is how much of a halo of ``halo`` cells a sharpening took away.
    """

    kind: str = "blur"
    sigma: float = 0.02
    amount: float = 0.0
    halo: float = 1.0

    def weights(self, u: Doubles) -> Doubles:
        """The weight of a cell at distances ``u`` (cells) from its centre."""
        if self.kind == "bilinear":
            return np.asarray(np.maximum(0, 1 - np.abs(u)))
        if self.kind == "cubic":
            return _cubic(np.abs(u))
        if self.kind == "lanczos":
            return np.asarray(np.where(np.abs(u) < 3, np.sinc(u) * np.sinc(u / 3), 0.0))
        sharp = _blurred_box(u, self.sigma)
        if not self.amount:
            return sharp
        return (1 + self.amount) * sharp - self.amount * _blurred_box(u, float(np.hypot(self.sigma, self.halo)))

    @property
    def leak(self) -> float:
        """The share that the mean over :data:`WINDOW` gets from other cells."""
        return abs(float(1 - _taps(self, np.array(WINDOW))[REACH]))


SHARP = Response()
INTERPOLATED = (Response("bilinear"), Response("cubic"), Response("lanczos"))
_SIGMAS = [float(sigma) for sigma in np.geomspace(0.03, 0.6, 17)]
PLAIN = len(_SIGMAS)  # so many of BLURRED have no halo
BLURRED = tuple(Response("blur", sigma) for sigma in _SIGMAS) + tuple(
    Response("blur", sigma, amount, times * sigma)
    for sigma in _SIGMAS
    for times in (1.7, 2.6)
    for amount in (0.3, 0.6, 0.9)
    if sigma < 0.4
)


@dataclass(frozen=True)
class Evidence:
    """Samples along one axis: ``centers`` (lines, n, channels) are means over :data:`WINDOW`, ``probes`` (4, lines, n,
    channels) lie at :data:`PROBES`.
    """

    centers: Floats
    probes: Floats

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


def _taps(response: Response, at: Doubles) -> Doubles:
    """The weights of cells -REACH..REACH in the mean over points ``at`` (cells from the centre of cell 0); sum 1."""
    weights = response.weights(at[:, None] - np.arange(-REACH, REACH + 1)).mean(axis=0)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


@cache
def _predictors(responses: tuple[Response, ...]) -> Doubles:
    """For every response the taps that turn centres into probes: (responses, probes, 2 * REACH + 1)."""
    around = np.arange(-REACH, REACH + 1) % _CIRCLE
    circle = np.zeros((len(responses), 1, _CIRCLE))
    circle[:, 0, around] = [_taps(r, np.array(WINDOW)) for r in responses]
    gain = np.maximum(np.fft.fft(circle).real, _FLOOR)  # real, as the taps are symmetric
    circle = np.zeros((len(responses), len(PROBES), _CIRCLE))
    circle[..., around] = [[_taps(r, np.array([probe])) for probe in PROBES] for r in responses]
    taps = np.fft.ifft(np.fft.fft(circle) / gain).real[..., around]
    return np.asarray(taps / taps.sum(axis=-1, keepdims=True), dtype=np.float64)


def errors(evidence: Evidence, responses: tuple[Response, ...]) -> Doubles:
    """For every response the mean square of what it leaves unexplained at the probes."""
    count = evidence.centers.shape[1]
    mean = evidence.centers.mean(axis=(0, 1))
    padded = np.pad(evidence.centers - mean, ((0, 0), (REACH, REACH), (0, 0)), "edge")
    lines = len(padded)
    shifted = np.stack([padded[:, k : k + count] for k in range(2 * REACH + 1)], axis=1).reshape(
        lines, 2 * REACH + 1, -1
    )
    targets = (evidence.probes - mean).swapaxes(0, 1).reshape(lines, len(PROBES), -1)
    # Line by line: products this small stay on one thread.
    auto = (shifted @ shifted.swapaxes(1, 2)).sum(axis=0, dtype=np.float64)
    cross = (targets @ shifted.swapaxes(1, 2)).sum(axis=0, dtype=np.float64)
    taps = _predictors(responses)
    explained = 2 * (taps * cross).sum(axis=(1, 2)) - ((taps @ auto) * taps).sum(axis=(1, 2))
    return np.asarray((float(np.square(targets).sum(dtype=np.float64)) - explained) / targets.size, dtype=np.float64)


def fit_responses(luma: Sequence[Evidence], chroma: Sequence[Evidence], period: float) -> tuple[Response, Response]:
    """The responses of luma and chroma, from evidence along one axis or both; ``period`` in source pixels.

    Gaussians and interpolation kernels look alike (a hat is nearly a Gaussian of 0.29 cells), and they ask for opposite
    treatment: an interpolated image has its true colours at the centres. What tells them apart is that an enlargement
    treats luma and chroma alike and leaves hardly anything unexplained, while a blurred image was compressed or is
    noisy as well; and that no blur is many source pixels wide.
    """
    steps = [max(sum(e.step for e in group), 1e-9) for group in (luma, chroma)]
    every = INTERPOLATED + BLURRED
    groups = zip((luma, chroma), steps, strict=True)
    shares = [np.sum([errors(e, every) for e in group], axis=0) / step for group, step in groups]
    smooth, blurred = ([share[part] for share in shares] for part in (slice(None, 3), slice(3, None)))
    colored = steps[1] > _GREY
    ratio = float(smooth[0].min() / max(blurred[0].min(), 1e-9))
    clean = smooth[0].min() < _CLEAN and (not colored or smooth[1].min() < _CLEAN)
    sigma = BLURRED[int(blurred[0][:PLAIN].argmin())].sigma
    wide = sigma * period > _WIDEST and sigma > _KERNEL
    if wide or (clean and ratio < _AS_GOOD):
        weights = [steps[0] ** 0.5, steps[1] ** 0.5 if colored else 0.0]
        together = np.sum([w * np.log(np.maximum(s, 0) + 1e-5) for w, s in zip(weights, smooth, strict=True)], axis=0)
        same = INTERPOLATED[int(np.argmin(together))]
        return same, same
    # A halo is only believed where the image is not clean: clipped white and black look like one.
    halo = blurred[0].min() > _CLEAN
    return _best(blurred[0], halo=halo), _best(blurred[1], halo=halo) if colored else SHARP


def _best(share: Doubles, *, halo: bool) -> Response:
    best = int(share.argmin())
    if best >= PLAIN and (not halo or share[best] > _GAIN * share[:PLAIN].min()):
        best = int(share[:PLAIN].argmin())
    return BLURRED[best]


def unmix(cells: Floats, at: Doubles, response: Response, axis: int) -> Floats:
    """``cells`` (channels, rows, columns) with the share of their neighbours along an axis (1 or 2) taken out.

    ``at`` (n, k) are the points along it, in cell coordinates (cell j is j..j+1), whose mean each value is.
    """
    count = len(at)
    near = np.arange(count)[:, None] + np.arange(-REACH, REACH + 1)
    taps = response.weights(at[:, :, None] - near[:, None, :] - 0.5).mean(axis=1)
    out = np.empty_like(cells)
    strength = _NOISY if response.kind == "blur" else _CLEAR
    for start in range(0, count, _BLOCK):
        stop = min(count, start + _BLOCK)
        low, high = max(0, start - _HALO), min(count, stop + _HALO)
        # A block of the matrix at a time: the whole of it would grow with the square of the cells.
        part = np.zeros((high - low, high - low + 2 * REACH))
        np.put_along_axis(part, near[: high - low] + REACH, taps[low:high], axis=1)
        part = part[:, REACH:-REACH]  # what would reach in from outside is left out
        part = part / part.sum(axis=1, keepdims=True)
        one = np.eye(high - low)
        # Tikhonov's solution, drawn to the samples rather than to zero.
        solved = one + np.linalg.solve(part.T @ part + strength * one, part.T @ (one - part))
        wanted = solved[start - low : stop - low].astype(np.float32)
        if axis == 1:
            out[:, start:stop] = wanted @ cells[:, low:high]
        else:
            out[:, :, start:stop] = cells[:, :, low:high] @ wanted.T
    return out
