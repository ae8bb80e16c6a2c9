"""Cut lines that follow the drift of a lattice, once its period is known.

The cuts come from dynamic programming over all positions: evidence collected, minus a spring for every step that is
longer or shorter than the period.
"""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.grid.edges import SUB, Profile
from pixelrouter.pixels.grid.lattice import Doubles
from pixelrouter.pixels.grid.period import Comb

_STEPS = 18  # positions tried a period
_FEW_STEPS = 14  # the same where steps are remembered
_STIFF = 10.0  # spring of a step
_SOFT, _BENDING = 2.0, 10.0  # springs of a step and of its change, where the lattice drifts
_SHORTEST, _LONGEST = 0.6, 1.45  # periods between two lines
_BORDER = 0.35  # evidence of the picture's borders, which usually are borders of cells as well
_DOUBTFUL = 0.15  # periods from one half
_PULL = 0.15  # evidence of a line of the comb, times its strength
_STRONG = 1.5  # evidence of one line counts at most this often as much as that of a typical one


def cut_lines(profile: Profile, comb: Comb) -> Doubles:
    """Positions in source pixels of the lines between cells, ascending, border slivers left out.

    Where there is no evidence, they keep to the comb.
    """
    evidence, scale = _evidence(profile, comb, _STEPS)
    path = _best_path(evidence, _STIFF) * scale
    return _centred(profile, path, scale)


def drifting_lines(profile: Profile, comb: Comb) -> Doubles:
    """The same for a lattice whose cells change their width along the way."""
    evidence, scale = _evidence(profile, comb, _FEW_STEPS)
    path = _best_smooth_path(evidence, _FEW_STEPS, _SOFT, _BENDING) * scale
    return _centred(profile, path, scale)


def _evidence(profile: Profile, comb: Comb, steps: int) -> tuple[Doubles, float]:
    """Evidence 0.._STRONG at positions ``period / steps`` apart, and how far that is in source pixels."""
    evidence = _resampled(profile, comb.period / steps)
    scale = profile.length / (len(evidence) - 1)
    lines = max(1, round(profile.length / comb.period))
    strong = np.partition(evidence, max(0, len(evidence) - 2 * lines))[-2 * lines :].mean()
    if strong > 0:
        evidence = np.minimum(evidence / strong, _STRONG)
    evidence += (
        _PULL * comb.strength * np.cos(2 * np.pi * (np.arange(len(evidence)) * scale - comb.phase) / comb.period)
    )
    evidence[0] += _BORDER
    evidence[-1] += _BORDER
    return evidence, scale


def _resampled(profile: Profile, bin_width: float) -> Doubles:
    """The evidence around positions about ``bin_width`` source pixels apart, from the first border to the last."""
    count = max(2, round(profile.length / bin_width) + 1)
    running = np.concatenate([[0.0], np.cumsum(profile.total)])
    edges = (np.arange(count + 1) - 0.5) * (profile.length / (count - 1)) * SUB + 0.5
    bins = np.diff(np.interp(edges, np.arange(len(running)), running))
    padded = np.pad(bins, 1)
    return np.asarray(0.25 * padded[:-2] + 0.5 * bins + 0.25 * padded[2:], dtype=np.float64)


def _best_path(evidence: Doubles, stiffness: float) -> Doubles:
    """Viterbi over positions, _STEPS to a period. Blocks shorter than the shortest step have no inner ties."""
    size = len(evidence)
    shortest, longest = int(_SHORTEST * _STEPS), int(_LONGEST * _STEPS) + 1
    step = np.arange(shortest, longest + 1)
    cost = stiffness * (step / _STEPS - 1) ** 2
    back = longest + np.arange(shortest)[:, None] - step[None, :]  # from the first position of a block
    within = np.arange(shortest)
    padded = -(-size // shortest) * shortest
    score = np.full(padded + longest, -np.inf)  # shifted by longest: positions before the picture are -inf
    came = np.full(padded, -1, dtype=np.intp)
    gain = np.pad(evidence, (0, padded - size))
    for start in range(0, padded, shortest):
        options = score[start + back]
        options -= cost
        best = options.argmax(axis=1)
        value = options[within, best]
        if start <= _STEPS:
            # A path may begin anywhere in the first period.
            fresh = (start + within <= _STEPS) & (value < 0)
            came[start : start + shortest] = np.where(fresh, -1, start + within - step[best])
            value = np.where(fresh, 0.0, value)
        else:
            came[start : start + shortest] = start + within - step[best]
        score[longest + start : longest + start + shortest] = value + gain[start : start + shortest]
    tail = max(0, size - 1 - _STEPS)
    position = tail + int(score[longest + tail : longest + size].argmax())
    path = []
    while position >= 0:
        path.append(position)
        position = int(came[position])
    return np.array(path[::-1], dtype=np.float64)


def _best_smooth_path(evidence: Doubles, steps: int, stiffness: float, bending: float) -> Doubles:
    """As :func:`_best_path`, with a second spring against every change from one step to the next.

    Drift changes the width of cells little by little; a line too many or too few changes it at once.
    """
    size = len(evidence)
    shortest, longest = int(_SHORTEST * steps), int(_LONGEST * steps) + 1
    step = np.arange(shortest, longest + 1)
    cost = bending * ((step[:, None] - step[None, :]) / steps) ** 2  # this step, the one before
    stretch = stiffness * (step / steps - 1) ** 2
    back = longest + np.arange(shortest)[:, None] - step[None, :]
    padded = -(-size // shortest) * shortest
    score = np.full((padded + longest, len(step)), -np.inf)
    came = np.full((padded, len(step)), -1, dtype=np.int16)
    gain = np.pad(evidence, (0, padded - size))
    for start in range(0, padded, shortest):
        options = score[start + back]
        options -= cost
        best = options.argmax(axis=2)
        value = np.take_along_axis(options, best[..., None], axis=2)[..., 0]
        if start <= steps:
            fresh = (start + np.arange(shortest) <= steps)[:, None] & (value < 0)
            best = np.where(fresh, -1, best)
            value = np.where(fresh, 0.0, value)
        came[start : start + shortest] = best
        score[longest + start : longest + start + shortest] = value - stretch + gain[start : start + shortest, None]
    tail = max(0, size - 1 - steps)
    last = score[longest + tail : longest + size]
    offset, kind = np.unravel_index(int(last.argmax()), last.shape)
    position, choice = tail + int(offset), int(kind)
    path = []
    while position >= 0:
        path.append(position)
        before = int(came[position, choice])
        if before < 0:
            break
        position, choice = position - int(step[choice]), before
    return np.array(path[::-1], dtype=np.float64)


def _centred(profile: Profile, lines: Doubles, reach: float) -> Doubles:
    """Each line moved to the centre of the evidence within ``reach`` source pixels around it."""
    total = profile.total
    at = np.arange(len(total)) / SUB
    weight = np.concatenate([[0.0], np.cumsum(total)])
    moment = np.concatenate([[0.0], np.cumsum(total * at)])
    low = np.clip(np.ceil((lines - reach) * SUB), 0, len(total)).astype(np.intp)
    high = np.clip(np.floor((lines + reach) * SUB) + 1, 0, len(total)).astype(np.intp)
    mass = weight[high] - weight[low]
    inner = (mass > 0) & (lines > 0) & (lines < profile.length)
    return np.where(inner, (moment[high] - moment[low]) / np.maximum(mass, 1e-12), lines)


def evidence_at(profile: Profile, lines: Doubles) -> Doubles:
    """The evidence within half a source pixel of each line; the borders of the picture have none."""
    near = np.convolve(profile.total, np.ones(SUB + 1), mode="same")
    near[: SUB + 1] = 0
    near[-SUB - 1 :] = 0
    return np.asarray(near[np.rint(lines * SUB).astype(np.intp).clip(0, len(near) - 1)], dtype=np.float64)


def with_borders(cuts: Doubles, length: int, period: float) -> Doubles:
    """Cuts that span the picture: cells cut off by its border are kept from half a period on.

    Two doubtful ends are judged together: if nothing was cut off, what is left over makes whole cells.
    """
    inner = cuts[(cuts > 0) & (cuts < length)]
    if not len(inner):
        return np.array([0.0, float(length)])
    first, last = inner[0] / period, (length - inner[-1]) / period
    keep = [first >= 0.5, last >= 0.5]
    if abs(first - 0.5) < _DOUBTFUL and abs(last - 0.5) < _DOUBTFUL:
        keep = [first >= last, last > first]
    inner = np.concatenate([[0.0] if keep[0] else [], inner, [float(length)] if keep[1] else []])
    return inner if len(inner) > 1 else np.array([0.0, float(length)])
