"""Cut lines that follow the drift of a lattice, once its period is known.

The cuts come from dynamic programming over all positions: evidence collected, minus a spring for every step that is
longer or shorter than the period.
"""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.color import Floats
from pixelrouter.pixels.grid.edges import SUB, Profile
from pixelrouter.pixels.grid.lattice import Doubles


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
