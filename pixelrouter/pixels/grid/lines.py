"""From edge evidence to a lattice: the period of an axis, and cut lines that follow its drift.

The period comes from the autocorrelation of the evidence: lines of one lattice lie whole periods apart, so for the
right period p the cosine 2 pi lag / p is 1 at every lag that occurs. A window of a few periods keeps slow drift from
washing that out. The cuts come from dynamic programming over all positions: evidence collected, minus a spring for
every step that is longer or shorter than the period.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Floats
from pixelrouter.pixels.grid.edges import SUB, Profile

MIN_PERIOD = 2.6  # source pixels; finer lattices are only recognised when they are exact
_REACH = 4.0  # periods that the window of the autocorrelation reaches
_NEAR = 0.3  # lags below this share of a period say nothing: they are the width of one blurred edge
_SHARE = 0.5  # of the usual density of pairs, below which a window counts for less

Doubles = NDArray[np.float64]


def candidates(longest: float) -> Doubles:
    """Periods to try, one and a half percent apart."""
    top = max(longest, MIN_PERIOD)
    return np.geomspace(MIN_PERIOD, top, max(2, int(np.log(top / MIN_PERIOD) / 0.015) + 1))


def autocorrelation(profile: Profile) -> Doubles:
    """Of all bands together, for lags 0, 1/SUB, 2/SUB ... source pixels."""
    size = profile.bands.shape[1]
    padded = 1 << (2 * size - 1).bit_length()
    # Noise makes edges everywhere, a lattice only on its lines: the median is what lies between them.
    lines = (profile.bands - np.median(profile.bands, axis=1, keepdims=True)).clip(0)
    spectrum = np.fft.rfft(lines, padded, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    return np.asarray(np.fft.irfft(power, padded)[:size].clip(0), dtype=np.float64)


def coherence(correlation: Doubles, periods: Doubles, reach: float = _REACH) -> Doubles:
    """How well each period explains the distances between edges: 1 all of them, 0 as many as by chance."""
    out = np.zeros(len(periods))
    usual = float(correlation[: max(2, len(correlation) // 4)].mean())
    for index, period in enumerate(periods):
        low, high = int(_NEAR * period * SUB), min(int(reach * period * SUB), len(correlation) - 1)
        if high <= low:
            continue
        lag = np.arange(low, high + 1) / (period * SUB)
        window = 1 - (lag / reach) ** 2
        mass = correlation[low : high + 1] * window
        total = mass.sum()
        if total > 0:
            # A few pairs of edges that happen to fit are no lattice: a window needs its share of all pairs.
            enough = min(1.0, float(total / (_SHARE * usual * window.sum()))) if usual > 0 else 0.0
            out[index] = max(0.0, enough * float(mass @ np.cos(2 * np.pi * lag)) / total)
    return out


def cut_lines(profile: Profile, period: float, stiffness: float) -> Doubles:
    """Positions in source pixels of the lines between cells, ascending, border slivers left out."""
    evidence = _smooth(profile.total, 0.06 * period * SUB)
    lines = max(1, round(profile.length / period))
    strong = np.sort(evidence)[-lines * max(1, int(0.12 * period * SUB)) :].mean()
    if strong > 0:
        evidence = np.minimum(evidence / strong, 1.5)
    # The borders of the picture are usually borders of cells as well.
    evidence[0] += 0.35
    evidence[-1] += 0.35
    path = _best_path(evidence, period * SUB, stiffness)
    return path / SUB


def _smooth(values: Floats, sigma: float) -> Doubles:
    sigma = max(1.0, sigma)
    reach = int(3 * sigma + 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.asarray(values, dtype=np.float64), kernel, mode="full")[reach:-reach]


def _best_path(evidence: Doubles, period: float, stiffness: float) -> Doubles:
    """Viterbi over positions (samples). Steps of 0.6 to 1.45 periods; blocks shorter than a step have no inner ties."""
    size = len(evidence)
    shortest, longest = max(1, int(0.6 * period)), int(1.45 * period) + 1
    step = np.arange(shortest, longest + 1)
    cost = stiffness * (step / period - 1) ** 2
    score = np.full(size + longest, -np.inf)  # shifted by longest: positions before the picture are -inf
    came = np.full(size, -1, dtype=np.intp)
    for start in range(0, size, shortest):
        at = np.arange(start, min(start + shortest, size))
        options = score[longest + at[:, None] - step[None, :]] - cost
        best = options.argmax(axis=1)
        value = options[np.arange(len(at)), best]
        # A path may begin anywhere in the first period.
        begins = at <= period
        fresh = begins & (value < 0)
        came[at] = np.where(fresh, -1, at - step[best])
        score[longest + at] = evidence[at] + np.where(fresh, 0.0, value)
    tail = max(0, size - 1 - int(period))
    position = tail + int(score[longest + tail :].argmax())
    path = []
    while position >= 0:
        path.append(position)
        position = int(came[position])
    return np.array(path[::-1], dtype=np.float64)


def evidence_at(profile: Profile, lines: Doubles) -> Doubles:
    """The evidence within half a source pixel of each line; the borders of the picture have none."""
    near = np.convolve(profile.total, np.ones(SUB + 1), mode="same")
    near[: SUB + 1] = 0
    near[-SUB - 1 :] = 0
    return np.asarray(near[np.rint(lines * SUB).astype(np.intp).clip(0, len(near) - 1)], dtype=np.float64)


def with_borders(cuts: Doubles, length: int, period: float) -> Doubles:
    """Cuts that span the picture: cells cut off by its border are kept from half a period on."""
    inner = cuts[(cuts > 0) & (cuts < length)]
    if not len(inner):
        return np.array([0.0, float(length)])
    if inner[0] >= 0.5 * period:
        inner = np.concatenate([[0.0], inner])
    if length - inner[-1] >= 0.5 * period:
        inner = np.concatenate([inner, [float(length)]])
    if len(inner) < 2:
        return np.array([0.0, float(length)])
    return inner
