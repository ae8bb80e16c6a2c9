"""Tiles that repeat: how visible their seam is, how they look side by side, and how the seam is taken out.

The seam score compares the step across the seam with the steps between neighbouring pixels inside the tile. Steps are
distances in OKLab, premultiplied by alpha. With the mean step m and the standard deviation s over the n lines inside,
a seam whose mean step is t scores ``(t - m) / (3 s (1 + 4 / n) + 0.15 m + 0.005)``, and at least 0. A seam that
repeats a line inside, a joint between bricks for instance, is no more visible than that line: t is at most m plus the
smallest difference between the seam and a line inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.color import Bytes, Floats, to_oklab
from pixelrouter.pixels.decode import Source, decode

Axes = Literal["both", "x", "y"]

# A seam up to this score is no more visible than what lies inside. Of textures made to repeat 96 of 100 stay under it,
# of cropped photos 97 of 100 lie above (measured in November 2026 on 142 and 104 tiles of 16 to 256 pixels).
TILEABLE = 0.5

_BAND = 256  # rows at a time: bounds the memory
_SHIFTS = 48  # places in the tile that a patch may come from
_LEAST = 6  # pixels: in a smaller tile there is no room for a patch
_WIDEST = 96  # pixels: how far a cut may lie from the seam
_FAR = np.float32(1e9)
_BETTER = 0.75  # of the seam's step, above which the edge of a patch is no better
_ALONE = 3  # times the largest step elsewhere in a row, below which an edge drowns in the texture


@dataclass(frozen=True)
class Seam:
    """How visible a tile's seam is where its left meets its right side (``x``), and its upper its lower one (``y``).

    0: as smooth as the tile is inside; :data:`TILEABLE` is where it begins to show; cropped photos have 1 to 20. An
    axis that was not asked about is None. ``score`` is the worst of them.
    """

    x: float | None
    y: float | None

    @property
    def score(self) -> float:
        return max(value for value in (self.x, self.y, 0.0) if value is not None)

    @property
    def tileable(self) -> bool:
        """Whether it can be repeated without anyone seeing where."""
        return self.score <= TILEABLE

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "score": self.score, "tileable": self.tileable, "threshold": TILEABLE}


def seam_score(source: Source, axes: Axes = "both") -> Seam:
    """How visible the seam of a tile is when it is repeated. Raises UnreadableImage and InvalidRequest."""
    _check(axes)
    rgba = np.asarray(decode(source).image)
    across = _wrap(rgba) if axes != "y" else None
    return Seam(across, _wrap(rgba.transpose(1, 0, 2)) if axes != "x" else None)


def _wrap(rgba: Bytes) -> float:
    """The score of the seam between the last and the first column of ``(h, w, 4)``."""
    return stands_out(_steps(rgba[start : start + _BAND]) for start in range(0, len(rgba), _BAND))


def _steps(rgba: Bytes) -> tuple[Floats, Floats]:
    """Between the columns of ``(h, w, 4)``: the steps inside ``(h, w - 1, 4)``, and across the seam ``(h, 4)``."""
    looks = appearance(rgba)
    return np.diff(looks, axis=1), looks[:, 0] - looks[:, -1]


def appearance(rgba: Bytes) -> Floats:
    """``(..., 4)``: OKLab times alpha, and alpha, so that what is transparent looks alike."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.concatenate([to_oklab(rgba[..., :3]) * alpha, alpha], axis=-1)


def stands_out(parts: Iterator[tuple[Floats, Floats]]) -> float:
    """The seam score from steps inside ``(h, n, 4)`` and across the seam ``(h, 4)``, given in bands of rows."""
    inside, seam, unlike, rows = np.zeros(0), 0.0, np.zeros(0), 0
    for inner, across in parts:
        lengths, differences = _length(inner).sum(axis=0), _length(inner - across[:, None]).sum(axis=0)
        inside, unlike = (lengths, differences) if not rows else (inside + lengths, unlike + differences)
        seam, rows = seam + float(_length(across).sum()), rows + len(across)
    count = len(inside)
    if not count:
        return 0.0
    inside, usual = inside / rows, float(inside.mean()) / rows
    step = min(seam / rows, usual + float(unlike.min()) / rows)
    ordinary = 3 * float(inside.std()) * (1 + 4 / count) + 0.15 * usual + 0.005
    return max(0.0, (step - usual) / ordinary)


def _length(steps: Floats) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("...c,...c->...", steps, steps)), dtype=np.float64)


def preview(source: Source, columns: int = 3, rows: int = 3, *, scale: int = 1) -> Image.Image:
    """The tile repeated ``columns`` by ``rows`` times, RGBA, every pixel enlarged by ``scale``."""
    if min(columns, rows, scale) < 1:
        raise InvalidRequest("columns, rows and scale are 1 or more.")
    repeated = np.tile(np.asarray(decode(source).image), (rows, columns, 1))
    return Image.fromarray(repeated.repeat(scale, axis=0).repeat(scale, axis=1))


def make_seamless(source: Source, axes: Axes = "both") -> Image.Image:
    """The tile in RGBA at its own size, its seam covered; the middle stays as it is.

    A patch from elsewhere in the tile is laid over each seam, its two edges cut where it differs least from what lies
    below: minimum error boundary cuts (Efros and Freeman, "Image quilting for texture synthesis and transfer", 2001),
    closed, so that they meet themselves when the tile repeats. Nothing is blended: every pixel is one of the tile. An
    axis whose seam does not show, would not get better (the ends of a smooth shading meet nowhere), or that has less
    than 6 pixels, stays as it is.
    """
    _check(axes)
    rgba = np.asarray(decode(source).image)
    if axes != "y":
        rgba = _mended(rgba)
    if axes != "x":
        rgba = _mended(rgba.transpose(1, 0, 2)).transpose(1, 0, 2)
    before, after = seam_score(source), seam_score(Image.fromarray(np.ascontiguousarray(rgba)))
    worse = after.score > before.score
    return decode(source).image.copy() if worse else Image.fromarray(np.ascontiguousarray(rgba))


def _check(axes: str) -> None:
    if axes not in get_args(Axes):
        raise InvalidRequest(f"axes={axes!r} is unknown.", hint=f"Use one of: {', '.join(get_args(Axes))}.")


def _mended(rgba: Bytes) -> Bytes:
    """``(h, w, 4)`` with a patch over the seam between its last and its first column, if that makes it better."""
    width = rgba.shape[1]
    before = _wrap(rgba)
    if width < _LEAST or before <= TILEABLE:
        return rgba
    middle = width // 2
    turned = np.roll(rgba, middle, axis=1)  # the seam now lies before the middle column
    reach = min(_WIDEST, max(2, width // 6))
    looks = appearance(turned)
    shift = _best_shift(looks, middle, reach)
    patch = np.roll(turned, shift, axis=1)
    unlike = _unlike(looks, np.roll(looks, shift, axis=1))
    left = middle - reach + _closed_path(unlike[:, middle - reach : middle])
    right = middle + 1 + _closed_path(unlike[:, middle + 1 : middle + reach])
    column = np.arange(width)[None, :]
    covered = (column >= left[:, None]) & (column < right[:, None])
    whole = np.where(covered[..., None], patch, turned)
    if _only_moved(looks, appearance(whole), middle, reach):
        return rgba
    mended = np.roll(whole, -middle, axis=1)
    return mended if _wrap(mended) < before else rgba


def _only_moved(before: Floats, after: Floats, middle: int, reach: int) -> bool:
    """Whether the patch's own edge shows about as much as the seam that it covers, and nothing else does: no patch from
    within a smooth shading meets both of its ends.
    """
    steps, left = _length(np.diff(before, axis=1)), _length(np.diff(after, axis=1))
    seam = float(steps[:, middle - 1].mean())
    edge = float(left[:, middle - reach - 1 : middle + reach].max(axis=1).mean())
    steps[:, middle - reach - 1 : middle + reach] = 0
    return edge > _BETTER * seam and edge > _ALONE * float(steps.max(axis=1).mean())


def _unlike(one: Floats, other: Floats) -> Floats:
    """``(h, w)``: how badly it shows to go from one picture to the other before a column: how far they differ there."""
    apart = _length(one - other).astype(np.float32)
    return np.asarray(apart + np.roll(apart, 1, axis=1), dtype=np.float32)


def _best_shift(looks: Floats, middle: int, reach: int) -> int:
    """By how much to turn the tile so that its own middle part is the best patch over the seam."""
    width = looks.shape[1]
    # Its own seam, turned along, must lie outside of the patch.
    possible = np.arange(reach + 1, width - reach)
    possible = possible[:: max(1, len(possible) // _SHIFTS)]
    cost = []
    for shift in possible.tolist():
        unlike = _unlike(looks, np.roll(looks, shift, axis=1))
        both = (unlike[:, middle - reach : middle], unlike[:, middle + 1 : middle + reach])
        cost.append(sum(float(_least(part).min()) for part in both))
    return int(possible[int(np.argmin(cost))])


def _least(cost: Floats) -> Floats:
    """``(n,)``: the least sum on a way down through ``(h, n)``, one column aside at most from row to row."""
    total: Floats = np.asarray(cost[0], dtype=np.float32)
    for row in cost[1:]:
        total = np.asarray(row + _beside(total), dtype=np.float32)
    return total


def _beside(total: Floats) -> Floats:
    """The least of each value and its two neighbours in the last axis."""
    wide = np.pad(total, [(0, 0)] * (total.ndim - 1) + [(1, 1)], constant_values=_FAR)
    return np.asarray(np.minimum(np.minimum(wide[..., :-2], wide[..., 2:]), total), dtype=np.float32)


def _closed_path(cost: Floats) -> NDArray[np.intp]:
    """The cheapest way down through ``(h, n)`` that ends beside where it began: the column in each row ``(h,)``."""
    height, count = cost.shape
    start = np.where(np.eye(count, dtype=np.bool_), cost[0], _FAR).astype(np.float32)
    total = start  # one row for each column it may begin in
    for row in cost[1:]:
        total = np.asarray(row + _beside(total), dtype=np.float32)
    first = int(_beside(total).diagonal().argmin()) if height > 1 else int(cost[0].argmin())
    sums = [start[first]]
    for row in cost[1:]:
        sums.append(np.asarray(row + _beside(sums[-1]), dtype=np.float32))
    path = np.empty(height, dtype=np.intp)
    at = first
    for row in range(height - 1, -1, -1):
        low = max(0, at - 1)
        at = low + int(sums[row][low : at + 2].argmin())
        path[row] = at
    return path
