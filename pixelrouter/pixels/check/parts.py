"""Parts of a picture whose pixels are larger than its finest ones, or lie on a grid of their own.

A sprite enlarged and pasted among others has its corners on a coarse grid, a tile of the picture at a time; in art that
was set pixel by pixel some corner in every tile is off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.factors import Codes
from pixelrouter.pixels.check.places import Mask
from pixelrouter.pixels.color import Ints

_TILE = 16  # art pixels
_FEWEST = 8  # corners in a tile, below which it says nothing
_JUNCTIONS = 0.25  # share of them that are more than a lone square's: ornaments are scattered on any grid
_ENOUGH = 48  # corners in such tiles together: a sprite of 12 pixels or more
_DENSE = 0.5  # corners a pixel: with more there is no room for larger pixels
_MOSTLY = 0.8  # share of the telling corners, from which coarse pixels are the rule and another grid the exception


@dataclass(frozen=True)
class Parts:
    """Pixels of ``size`` art pixels ``where`` (tiles of the art): ``larger`` than the others, or on another grid
    (``shifted``). ``share`` is their share of all corners.
    """

    kind: Literal["larger", "shifted"]
    size: int
    share: float
    where: Mask


def parts(values: Codes) -> Parts | None:
    """The parts of art ``(rows, columns)``, one code a pixel, that do not belong; None where all of it is alike."""
    y, x, junction = _corners(values)
    if not _ENOUGH <= len(x) <= _DENSE * values.size:
        return None
    columns = -(-values.shape[1] // _TILE)
    tile = y // _TILE * columns + x // _TILE
    order = np.argsort(tile, kind="stable")
    tile, y, x, junction = tile[order], y[order], x[order], junction[order]
    first = np.flatnonzero(np.concatenate([[True], tile[1:] != tile[:-1]]))
    count = np.diff(np.concatenate([first, [len(tile)]]))
    apart = np.gcd(*(np.abs(at - np.repeat(at[first], count)) for at in (x, y)))
    size = np.gcd.reduceat(apart, first)
    telling = (count >= _FEWEST) & (np.add.reduceat(junction.astype(np.intp), first) > _JUNCTIONS * count)
    coarse = telling & (size >= 2)
    corners = int(count[coarse].sum())
    if corners < _ENOUGH:
        return None
    step = int(np.bincount(size[coarse], count[coarse]).argmax())
    phase = x % step * step + y % step
    if corners > _MOSTLY * int(count[telling].sum()):
        fits = coarse & (size % step == 0)
        usual = int(np.bincount(phase[first[fits]], count[fits]).argmax())
        wrong = fits & (phase[first] != usual)
        if int(count[wrong].sum()) < _ENOUGH:
            return None
        return Parts("shifted", step, float((phase != usual).mean()), _tiles(tile[first[wrong]], values.shape))
    # What lies beside them on the same grid belongs to them, though it has too few corners to tell alone.
    along = np.bincount(phase[first[coarse]], count[coarse]).argmax()
    joined = coarse | ((size % step == 0) & (phase[first] == along) & _beside(tile[first], coarse, columns))
    return Parts("larger", step, float(count[joined].sum()) / len(x), _tiles(tile[first[joined]], values.shape))


def _beside(tile: Ints, found: NDArray[np.bool_], columns: int) -> NDArray[np.bool_]:
    """Which tiles touch one that was found."""
    rows = int(tile.max()) // columns + 1
    wide = np.zeros((rows + 2, columns + 2), dtype=bool)
    wide[tile[found] // columns + 1, tile[found] % columns + 1] = True
    wide[1:-1] |= wide[:-2] | wide[2:]
    return np.asarray((wide[:, 1:-1] | wide[:, :-2] | wide[:, 2:])[tile // columns + 1, tile % columns])


def _corners(values: Codes) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Row and column of the corners where edges bend or meet, and whether more than a lone square's corner is there."""
    one, two, three, four = values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]
    top, bottom, left, right = one == two, three == four, one == three, two == four
    bent = ~((top & bottom) | (left & right))
    y, x = np.nonzero(bent)
    alike = top[y, x].astype(np.int8) + bottom[y, x] + left[y, x] + right[y, x]
    return y, x, alike < 2  # three of four pixels alike make two equal sides


def _tiles(which: Ints, shape: tuple[int, ...]) -> Mask:
    rows, columns = (-(-side // _TILE) for side in shape)
    flagged = np.zeros(rows * columns, dtype=bool)
    flagged[which] = True
    mask = flagged.reshape(rows, columns).repeat(_TILE, axis=0).repeat(_TILE, axis=1)
    return np.asarray(mask[: shape[0], : shape[1]])
