"""How still an animation stands: feet, height and middle of the figure, frame against frame.

Measured is the frame that strays furthest from the median of all, not the mean over them: one frame out of line is what
an eye sees. What leaves the ground on purpose (a jump, a fall) is known by its words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.sheets.content import bounds, find_contents

# Shares of the cell's height and width, and of the figure's own height, that may pass; never less than so many pixels.
BASELINE, BASELINE_LEAST = 0.04, 1.0
HEIGHT, HEIGHT_LEAST = 0.10, 2.0
MIDDLE, MIDDLE_LEAST = 0.15, 3.0

_AIRBORNE = re.compile(
    r"(?<![a-z])(?:jump|leap|hop|bounc|fly|flies|flight|float|hover|fall|climb|swim|dive|roll|flip|somersault|land|"
    r"crouch|duck|sit|sleep|die|dies|dying|dead|death|hurt|explo|spawn|appear|vanish|teleport|spin|ladder)"
)
_LIVELY = re.compile(r"(?<![a-z])(?:run|sprint|gallop|trot|dash|danc|skip)")  # both feet leave the ground a little


@dataclass(frozen=True, slots=True)
class Motion:
    """How far the frame that strays most is off the median of all, in pixels.

    ``baseline``: the lowest row of the figure; ``height``: its height; ``middle``: its centre of mass across.
    ``frames``: which frame (from 0) that is, for each of the three. ``figure``: the median height.
    """

    baseline: float
    height: float
    middle: float
    frames: tuple[int, int, int]
    figure: float


def motion(frames: Sequence[Bytes]) -> Motion | None:
    """Frames ``(h, w, 4)`` of one size measured; None where fewer than two show anything."""
    rows = []
    for number, content in enumerate(find_contents(list(frames))):
        box = bounds(content.shown)
        if box is None:
            continue
        columns = content.shown.sum(axis=0)
        middle = float(columns @ (np.arange(len(columns)) + 0.5) / columns.sum())
        rows.append((number, float(box[3]), float(box[3] - box[1]), middle))
    if len(rows) < 2:
        return None
    values = np.array(rows)
    apart = np.abs(values[:, 1:] - np.median(values[:, 1:], axis=0))
    worst = apart.argmax(axis=0)
    numbers = tuple(int(values[at, 0]) for at in worst)
    baseline, height, middle = (round(float(apart[at, column]), 2) for column, at in enumerate(worst))
    return Motion(baseline, height, middle, numbers, float(np.median(values[:, 2])))  # type: ignore[arg-type]  # three


def leaves_the_ground(*words: str) -> bool:
    """Whether a name or an action speaks of what leaves the ground, or does not keep its shape, on purpose."""
    return any(_AIRBORNE.search(word.lower()) for word in words)


def baseline_limit(height: int, *words: str) -> float:
    """How many pixels the feet may stray in a cell of that height: 4 %, at least 1; twice that where they run."""
    limit = max(BASELINE_LEAST, BASELINE * height)
    return 2 * limit if any(_LIVELY.search(word.lower()) for word in words) else limit
