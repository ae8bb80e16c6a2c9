"""The grey and white squares with which image models draw "transparent": found at the border of a picture.

Two colours must share the border, about half each, with next to nothing between them, and change places along a
horizontal and a vertical side in steps of one length. Where the squares are regular it is known which colour shows
where, so that a white shirt on a grey square stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.alpha.ground import noise_tolerance
from pixelrouter.pixels.alpha.surface import Doubles, Places, Surface, border, length, mode
from pixelrouter.pixels.color import Bytes, Floats

_APART = 20.0  # bytes between the two colours, at the least
_PURE = 0.3  # of that, within which a border pixel has one of them
_TURNS = 4  # changes along a side, at the least
_AGREE = 0.97  # share of the border that must agree with squares before they are believed

Side = tuple[float, float]  # pitch and offset of squares along one axis, in pixels


@dataclass(frozen=True)
class Checkerboard:
    """Squares of two colours: pitch and offset in y and x, None where they are too irregular to say.

    ``flip``: which colour the square at offset 0, 0 has. ``tolerance``: bytes that still count as ground.
    """

    first: Surface
    second: Surface
    tolerance: float
    squares: tuple[Side, Side] | None = None
    flip: bool = False

    def at(self, y: Places, x: Places) -> Floats:
        """The ground's colours ``(n, 3)`` at rows and columns ``(n,)``; their mean where squares are irregular."""
        one, two = self.first.at(y, x), self.second.at(y, x)
        if self.squares is None:
            return np.asarray((one + two) / 2, dtype=np.float32)
        return np.asarray(np.where(self._shows_second(y, x)[:, None], two, one))

    def distance(self, rgb: Bytes) -> Floats:
        """How far each pixel of ``(h, w, 3)`` is from the ground, in bytes: ``(h, w)``.

        Where two squares meet, either colour and every mixture of them will do.
        """
        one, two = self.first.distance(rgb), self.second.distance(rgb)
        way = length(self.first.coefficients[0, 0] - self.second.coefficients[0, 0])
        # Height over the third side of the triangle: the distance to the line between the two colours.
        along = ((one**2 - two**2 + way**2) / (2 * way)).clip(0, way)
        either = np.sqrt(np.maximum(one**2 - 2 * along * (one**2 - two**2 + way**2) / (2 * way) + along**2, 0))
        if self.squares is None:
            return np.asarray(either, dtype=np.float32)
        rows, columns = np.arange(rgb.shape[0])[:, None], np.arange(rgb.shape[1])[None, :]
        shown = np.where(self._shows_second(rows, columns), two, one)
        return np.asarray(np.where(self._is_seam(rows, columns), either, shown), dtype=np.float32)

    def agrees(self, y: Places, x: Places, second: NDArray[np.bool_]) -> bool:
        """Whether the squares say the same as ``(n,)`` observations that the second colour shows, nearly always."""
        clear = ~self._is_seam(y, x)
        return bool(clear.any()) and bool((self._shows_second(y, x) == second)[clear].mean() >= _AGREE)

    def _shows_second(self, y: Places, x: Places) -> NDArray[np.bool_]:
        rows, columns = (np.floor(phase) for phase in self._phases(y, x))
        return np.asarray((rows + columns) % 2 == (0 if self.flip else 1))

    def _is_seam(self, y: Places, x: Places) -> NDArray[np.bool_]:
        """Whether a pixel is so close to the edge of a square that either colour may show."""
        near = np.zeros(1, dtype=np.bool_)
        for phase, (pitch, _) in zip(self._phases(y, x), self.squares or (), strict=True):
            near = near | (np.abs(phase - np.rint(phase)) * pitch <= max(1.0, pitch / 16))
        return near

    def _phases(self, y: Places, x: Places) -> list[NDArray[np.floating]]:
        return [(at + 0.5 - offset) / pitch for at, (pitch, offset) in zip((y, x), self.squares or (), strict=True)]


def find_checkerboard(rgb: Bytes) -> Checkerboard | None:
    """The checkerboard of a picture ``(h, w, 3)``, or None if its border has none."""
    shape = rgb.shape[0], rgb.shape[1]
    y, x = border(*shape)
    colors = rgb[y, x].astype(np.float64)
    first = mode(colors, _APART)
    one = length(colors - first)
    if (one > _APART).mean() < 0.2:
        return None
    second = mode(colors[one > _APART], _APART)
    two = length(colors - second)
    apart = float(length(first - second))
    nearest = np.minimum(one, two)
    pure = nearest <= _PURE * apart
    shares = (pure & (one < two)).mean(), (pure & (two <= one)).mean()
    # A slow gradient has all the colours between two, a checkerboard next to none.
    if min(shares) < 0.2 or sum(shares) < 0.6 or (~pure & (nearest <= apart)).mean() > 0.2:
        return None
    down = _side(rgb[:, 0], rgb[:, -1], first, second)
    across = _side(rgb[0], rgb[-1], first, second)
    if down is None or across is None or max(down[0], across[0]) > 1.5 * min(down[0], across[0]):
        return None
    tolerance = min(noise_tolerance(nearest[pure]), apart / 3)
    surfaces = Surface.flat(shape, first), Surface.flat(shape, second)
    for flip in (False, True):
        regular = Checkerboard(*surfaces, tolerance, (down, across), flip)
        if regular.agrees(y[pure], x[pure], (two < one)[pure]):
            return regular
    return Checkerboard(*surfaces, tolerance)


def _side(one: Bytes, other: Bytes, first: Doubles, second: Doubles) -> Side | None:
    """Pitch and offset of the squares along two opposite sides, whichever shows them; None if neither does."""
    return _steps(one.astype(np.float64), first, second) or _steps(other.astype(np.float64), first, second)


def _steps(line: Doubles, first: Doubles, second: Doubles) -> Side | None:
    """Pitch and offset of squares along one side ``(n, 3)``, or None if it does not alternate evenly."""
    one, two = length(line - first), length(line - second)
    known = np.flatnonzero(np.minimum(one, two) <= length(first - second) / 2)
    label = (two < one)[known]
    turns = np.flatnonzero(label[1:] != label[:-1])
    if len(turns) < _TURNS:
        return None
    cuts = (known[turns] + known[turns + 1] + 1) / 2
    gaps = np.diff(cuts)
    pitch = float(np.median(gaps))
    if (np.abs(gaps - pitch) <= max(1.0, 0.25 * pitch)).mean() < 0.7:
        return None
    slope, offset = np.polyfit(np.rint((cuts - cuts[0]) / pitch), cuts, 1)
    return (float(slope), float(offset)) if slope >= 1.0 else None
