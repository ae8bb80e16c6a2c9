"""The period of a lattice: how far apart the cell borders of each axis lie.

Lines of one lattice lie whole periods apart, so for the right period p the cosine 2 pi lag / p is 1 at every lag that
the autocorrelation of the edge evidence shows. A window of a few periods keeps slow drift from washing that out. On a
logarithmic scale of lags all periods see the same cosine, so one correlation scores them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelrouter.pixels.grid.edges import SUB, Profile
from pixelrouter.pixels.grid.lattice import Doubles

MIN_PERIOD = 1.8  # source pixels; finer lattices are only recognised when they are exact
_RATIO = 0.0075  # between neighbouring periods, as the logarithm of their quotient
_REACH = 4.0  # periods that the window of the autocorrelation reaches
_NEAR = 0.3  # lags below this share of a period say nothing: they are the width of one blurred edge
_SHARE = 0.5  # of the usual density of pairs, below which a window counts for less
_LARGEST_OF = 0.86  # the largest period that scores this share of the best one wins: p/2, p/3 fit as well as p
_ANISOTROPY = 1.13  # the two periods differ by this factor at most
_COMB = 0.025  # share of the period within which the comb is looked for: drift makes side bands further out
_SAME = 0.012  # periods closer than this, as the logarithm of their quotient, are one


def periods(across: Profile, down: Profile) -> tuple[tuple[float, float], float]:
    """The period of each axis in source pixels, and their coherence 0..1. Near-square cells are preferred."""
    longest = max(MIN_PERIOD * 1.1, min(across.length, down.length) / 3)
    tried = np.exp(np.arange(np.log(MIN_PERIOD), np.log(longest), _RATIO))
    correlations = (autocorrelation(across), autocorrelation(down))
    mass = [float(c[0]) for c in correlations]
    if not sum(mass):
        return (1.0, 1.0), 0.0
    scores = [coherence(c, tried) for c in correlations]
    share = min(max(mass[0] / sum(mass), 0.35), 0.65)  # an axis with few edges still has a say
    joint = _joint(scores[0], scores[1], share)
    best = joint.max()
    if best <= 0:
        return (1.0, 1.0), 0.0
    top = int(np.flatnonzero(joint >= _LARGEST_OF * best)[-1])
    while top > 0 and joint[top - 1] > joint[top]:
        top -= 1  # from the slope of the peak to its summit
    found = (_nearby(scores[0], top, tried), _nearby(scores[1], top, tried))
    if abs(np.log(found[0] / found[1])) < _SAME:
        mean = share * found[0] + (1 - share) * found[1]
        found = (mean, mean)
    return found, float(joint[top])


def autocorrelation(profile: Profile) -> Doubles:
    """Of all bands together, for lags 0, 1/SUB, 2/SUB ... source pixels."""
    waves = profile.spectrum
    power = (waves.real**2 + waves.imag**2).sum(axis=0)
    return np.asarray(np.fft.irfft(power)[: profile.bands.shape[1]].clip(0), dtype=np.float64)


@dataclass(frozen=True)
class Comb:
    """The regular lattice that fits an axis best as a whole: ``period`` and ``phase`` (of one line) in source pixels.

    ``strength`` 0..1 says how much of the evidence keeps to it: low where the lattice drifts far.
    """

    period: float
    phase: float
    strength: float


def comb(profile: Profile, period: float) -> Comb:
    """The comb near a period. Over the whole length it is far more exact than the distances between neighbours."""
    waves = profile.spectrum
    size = 2 * (waves.shape[1] - 1)
    power = (waves.real**2 + waves.imag**2).sum(axis=0)
    middle = size / (period * SUB)
    low, high = max(1, int(middle * (1 - _COMB))), min(len(power) - 2, int(middle * (1 + _COMB)) + 1)
    best = low + int(power[low : high + 1].argmax())
    before, here, after = power[best - 1 : best + 2]
    bend = before - 2 * here + after
    if low < best < high and bend < 0:
        period = size / (best + 0.5 * (before - after) / bend) / SUB
    return comb_at(profile, period)


def comb_at(profile: Profile, period: float) -> Comb:
    """The comb of exactly that period."""
    total = profile.total
    wave = np.exp(2j * np.pi / (period * SUB) * np.arange(len(total))) @ total
    strength = float(np.abs(wave) / max(total.sum(), 1e-9))
    return Comb(period, float(np.angle(wave) / (2 * np.pi) % 1 * period), strength)


def coherence(correlation: Doubles, tried: Doubles) -> Doubles:
    """How well each period explains the distances between edges: 1 all of them, 0 as many as by chance.

    ``tried`` holds periods in source pixels, _RATIO apart.
    """
    taps = int(np.log(_REACH / _NEAR) / _RATIO)
    lag = _NEAR * np.exp((np.arange(taps) + 0.5) * _RATIO)  # in periods
    window = 1 - (lag / _REACH) ** 2
    first = np.log(_NEAR * tried[0] * SUB)
    edges = np.exp(first + np.arange(len(tried) + taps) * _RATIO)  # in samples
    running = np.concatenate([[0.0], np.cumsum(correlation)])  # sample i covers i - 0.5 .. i + 0.5
    mass = np.diff(np.interp(edges + 0.5, np.arange(len(running)), running))
    total = np.correlate(mass, window)
    fit = np.correlate(mass, window * np.cos(2 * np.pi * lag))
    usual = float(correlation[: max(2, len(correlation) // 4)].mean())
    # A few pairs of edges that happen to fit are no lattice: a window needs its share of all pairs.
    expected = _SHARE * usual * tried * SUB * float((window * lag).sum() * _RATIO)
    enough = np.minimum(1.0, total / np.maximum(expected, 1e-12))
    return np.asarray(np.where(total > 0, enough * fit / np.maximum(total, 1e-12), 0.0).clip(0), dtype=np.float64)


def _joint(across: Doubles, down: Doubles, share: float) -> Doubles:
    """The score of each period with the best of its neighbours on the other axis: cells are nearly square."""
    reach = int(np.log(_ANISOTROPY) / _RATIO)
    penalty = 0.6 * _RATIO * np.abs(np.arange(-reach, reach + 1))  # a cell that is not square has to earn it

    def best_near(scores: Doubles) -> Doubles:
        padded = np.pad(scores, reach, constant_values=-1.0)
        return np.asarray((np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1) - penalty).max(axis=1))

    return np.maximum(share * across + (1 - share) * best_near(down), (1 - share) * down + share * best_near(across))


def _nearby(scores: Doubles, top: int, tried: Doubles) -> float:
    """The period of one axis near the one both agree on, between the samples by a parabola."""
    reach = int(np.log(_ANISOTROPY) / _RATIO)
    low = max(0, top - reach)
    part = scores[low : top + reach + 1]
    best = low + int((part - 0.3 * _RATIO * np.abs(np.arange(low, low + len(part)) - top)).argmax())
    if 0 < best < len(scores) - 1:
        before, here, after = scores[best - 1 : best + 2]
        bend = before - 2 * here + after
        if bend < 0:
            step = max(-2.0, min(2.0, 0.5 * (before - after) / bend))  # on a straight slope there is no summit near
            return float(tried[best] * np.exp(_RATIO * step))
    return float(tried[best])
