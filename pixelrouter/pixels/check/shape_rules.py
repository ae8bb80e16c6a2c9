"""The rules of drawing: no stray pixels, no noise, even lines, no colour bands that hug each other.

What the terms mean is common knowledge among pixel artists, for instance Derek Yu's "Pixel Art Tutorial" (2009) and
the Pixel Joint wiki on jaggies and banding; the measures are our own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.look import Look
from pixelrouter.pixels.check.places import Mask
from pixelrouter.pixels.check.report import KEPT, Box, Verdict, broken
from pixelrouter.pixels.color import Floats

_UNLIKE = 0.10  # OKLab distance from every neighbour that makes a pixel stand alone
_ORPHANS = (0.01, 0.12)  # share of the pixels: a few eyes and sparks cost nothing, one pixel in eight leaves nothing
_FEW_PIXELS = 400  # with fewer a share says little: an icon of 8x8 is eyes and buttons
_FAINT = 0.03  # OKLab distance of changes that are hardly seen: noise, or a photo's texture
_NOISE = (0.12, 0.45)  # share of neighbours that differ so faintly
_OUTLINE = 0.15  # OKLab distance across a line or outline
_JAGGED = (0.06, 0.40)  # share of the steps of lines that are jagged
_FEW_STEPS = 24  # with fewer steps a share says little
_BANDS = (0.10, 0.50)  # share of the runs that end where the runs above and below end
_LONG = 3  # pixels a run has at least, to be part of a band


def orphans(look: Look) -> Verdict:
    """No pixel stands alone, unlike all its eight neighbours. Dithering has the same colour again two pixels on, and
    up to one pixel in a hundred may be an eye or a spark.
    """
    values = look.art_codes
    if min(values.shape) < 3:
        return KEPT
    lab = look.lab
    alone = np.ones(values.shape, dtype=bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        unlike = _distance(lab, dy, dx) > _UNLIKE
        here, there = _pair(values.shape, dy, dx)
        alone[here] &= unlike
        alone[there] &= unlike
    alone &= ~look.clear & ~_dithered(values)
    # At the border nobody knows the other neighbours.
    alone[[0, -1]] = False
    alone[:, [0, -1]] = False
    count = int(alone.sum())
    share = count / max(_FEW_PIXELS, int((~look.clear).sum()))
    score = _falling(share, _ORPHANS)
    if score == 100:
        return KEPT
    what = f"{count} stray pixels are unlike everything around them."
    return broken("orphans", score, what, "Paint them over, or finish with fewer --colors.", look.boxes(alone), count)


def noise(look: Look) -> Verdict:
    """Neighbours are the same, or differ so that it is seen: up to 12 % faint differences cost nothing."""
    faint = np.zeros(look.art_codes.shape, dtype=bool)
    count, pairs = 0, 0
    for dy, dx in ((0, 1), (1, 0)):
        distance = _distance(look.lab, dy, dx)
        here, there = _pair(faint.shape, dy, dx)
        same = look.art_codes[here] == look.art_codes[there]
        slight = (distance < _FAINT) & ~same
        faint[here] |= slight
        count += int(slight.sum())
        pairs += int((~(look.clear[here] & look.clear[there])).sum())
    share = count / max(1, pairs)
    score = _falling(share, _NOISE)
    if score == 100:
        return KEPT
    what = f"Noise: {share:.0%} of the neighbours differ so little that it is hardly seen."
    return broken(
        "noise", score, what, "Finish it with fewer --colors, or with --merge 0.03.", look.boxes(faint), count
    )


def jaggies(look: Look) -> Verdict:
    """Lines have even steps: in a stair of runs none is two pixels shorter or longer than both its neighbours."""
    boxes: list[Box] = []
    count, steps = 0, 0
    for turned in (False, True):
        lab = look.lab.transpose(1, 0, 2) if turned else look.lab
        places, total = _jagged_runs(lab)
        steps += total
        count += len(places)
        boxes += look.spans(places, turned=turned)
    share = count / max(_FEW_STEPS, steps)
    score = _falling(share, _JAGGED)
    if score == 100:
        return KEPT
    what = f"{count} jagged places: {share:.0%} of the steps of lines are uneven."
    return broken("jaggies", score, what, "Let the runs of a line grow or shrink evenly.", boxes, count)


def banding(look: Look) -> Verdict:
    """Shades do not hug each other: of three stacked runs, lighter by lighter, not all begin and end together."""
    boxes: list[Box] = []
    count, total = 0, 0
    for turned in (False, True):
        values = look.art_codes.T if turned else look.art_codes
        light = (look.lab[..., 0].T if turned else look.lab[..., 0]).astype(np.float32)
        places, runs = _hugging(values, light)
        count += len(places)
        total += runs
        boxes += look.spans(places, turned=turned)
    share = count / max(_FEW_STEPS, total)
    score = _falling(share, _BANDS)
    if score == 100:
        return KEPT
    what = f"{count} bands: {share:.0%} of the runs of shade end exactly with the shades beside them."
    return broken("banding", score, what, "Let the bands of a shade differ in length.", boxes, count)


def _falling(share: float, limits: tuple[float, float]) -> float:
    """100 up to the first limit, 0 from the second."""
    return 100 * (1 - min(1.0, max(0.0, (share - limits[0]) / (limits[1] - limits[0]))))


def _pair(shape: tuple[int, ...], dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The pixels that have a neighbour ``(dy, dx)`` away, and those neighbours."""
    height, width = shape[:2]
    here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
    there = (slice(dy, height), slice(max(0, dx), width + min(0, dx)))
    return here, there


def _distance(lab: Floats, dy: int, dx: int) -> Floats:
    """OKLab distance of every pixel to its neighbour ``(dy, dx)`` away."""
    here, there = _pair(lab.shape, dy, dx)
    square = np.zeros(lab[here].shape[:2], dtype=np.float32)
    for channel in range(3):
        square += (lab[..., channel][here] - lab[..., channel][there]) ** 2
    return np.asarray(np.sqrt(square), dtype=np.float32)


def _dithered(values: NDArray[np.uint32]) -> Mask:
    """Where the same colour comes again two pixels on, in at least two directions: a pattern, not a stray pixel."""
    again = np.zeros(values.shape, dtype=np.int8)
    for dy, dx in ((0, 2), (2, 0), (2, 2), (2, -2), (1, 2), (1, -2), (2, 1), (2, -1), (0, 4), (4, 0)):
        if values.shape[0] <= dy or values.shape[1] <= abs(dx):
            continue
        here, there = _pair(values.shape, dy, dx)
        same = (values[here] == values[there]).astype(np.int8)
        again[here] += same
        again[there] += same
    return np.asarray(again >= 2)


def _jagged_runs(lab: Floats) -> tuple[NDArray[np.intp], int]:
    """``(n, 3)`` row, left and right of jagged runs, and how many inner steps of stairs there are.

    A run is a piece of an outline along one row. The next step of a stair begins one row on, exactly where it ends.
    """
    if len(lab) < 4:
        return np.zeros((0, 3), dtype=np.intp), 0
    line = np.pad(_distance(lab, 1, 0) > _OUTLINE, ((0, 0), (1, 1)))
    edges = np.diff(line.astype(np.int8), axis=1)
    row, left = np.nonzero(edges == 1)
    _, right = np.nonzero(edges == -1)
    width = lab.shape[1] + 1
    starts = row * width + left  # sorted, since nonzero goes row by row
    length = right - left
    found, total = [], 0
    for down in (1, -1):
        following = _at(starts, (row + down) * width + right)
        has = following >= 0
        middle = np.flatnonzero(has)
        after = following[middle]
        # The run before: whoever has this one as its next.
        before = np.full(len(row), -1, dtype=np.intp)
        before[following[has]] = np.flatnonzero(has)
        inner = before[middle] >= 0
        middle, after, first = middle[inner], after[inner], before[middle[inner]]
        one, two, three = length[first], length[middle], length[after]
        shorter = (one - two >= 2) & (three - two >= 2)
        longer = (two - one >= 2) & (two - three >= 2)
        even = np.abs(one - three) <= 1
        found.append(middle[(shorter | longer) & even])
        total += len(middle)
    hit = np.unique(np.concatenate(found))
    return np.stack([row[hit], left[hit], right[hit]], axis=1), total


def _hugging(values: NDArray[np.uint32], light: Floats) -> tuple[NDArray[np.intp], int]:
    """``(n, 3)`` row, left and right of runs whose neighbours above and below have the same ends, each lighter than
    the one before, and how many runs are long enough.
    """
    height, width = values.shape
    change = np.ones((height, width + 1), dtype=bool)
    change[:, 1:-1] = values[:, 1:] != values[:, :-1]
    row, at = np.nonzero(change)
    inside = row[1:] == row[:-1]
    row, left, right = row[:-1][inside], at[:-1][inside], at[1:][inside]
    visible = values[row, left] != 0
    # A run across the whole picture is a ground, and grounds may lie on each other.
    long = visible & (right - left >= _LONG) & (right - left < width)
    key = (row * (width + 1) + left) * (width + 1) + right
    keys = np.sort(key[long])
    up = _at(keys, key - (width + 1) ** 2) >= 0
    below = _at(keys, key + (width + 1) ** 2) >= 0
    hit = np.flatnonzero(long & up & below & (row > 0) & (row < height - 1))
    one, two, three = (light[row[hit] + step, left[hit]] for step in (-1, 0, 1))
    steady = ((one < two) & (two < three)) | ((one > two) & (two > three))
    hit = hit[steady]
    return np.stack([row[hit], left[hit], right[hit]], axis=1), int(long.sum())


def _at(ordered: NDArray[np.intp], wanted: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where each wanted value is in an ordered array, -1 where it is not."""
    if not len(ordered):
        return np.full(len(wanted), -1, dtype=np.intp)
    place = np.searchsorted(ordered, wanted).clip(0, len(ordered) - 1)
    return np.where(ordered[place] == wanted, place, -1)
