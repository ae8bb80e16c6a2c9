"""The rules of the pixel grid: pixels of one size, all on one grid, as many as were asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.check.look import Look, Mask
from pixelrouter.pixels.check.report import KEPT, Verdict, broken

_UNEVEN = 40.0  # the most for pixels that are found, but not of one whole size
_DOMINANT = 0.8  # share of the changes on one coarser grid, from which the others are pixels of another size
_FACTORS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
_MIXED = 3.0  # how fast changes off the grid cost


def pixel_size(look: Look) -> Verdict:
    """Every pixel has one size: 1x, or a whole factor. Uneven or soft pixels get 40 at most, no pixels at all 0."""
    if look.kind == "whole":
        return KEPT
    if look.kind == "uneven":
        evenness = 1 - min(1.0, 2 * _spread(look))
        across, down = look.pixel_size
        return broken(
            "pixel-size",
            _UNEVEN * evenness,
            f"The pixels are about {across:g}x{down:g} image pixels, uneven or with soft edges.",
            "Run `pixelrouter finish` on it: that puts every pixel on one grid.",
            count=1,
        )
    if look.setness < 1:
        return broken(
            "pixel-size",
            100 * look.setness,
            "No pixels of one size: the picture is like a photo, a painting or a smooth drawing.",
            "Finish it with a --pixel-size if it was enlarged, or convert it: --mode convert --size 64.",
            count=1,
        )
    mixed = _mixed(look)
    if mixed is None:
        return KEPT
    factor, share, where = mixed
    return broken(
        "pixel-size",
        min(70.0, 100 * (1 - _MIXED * share)),
        f"Mixed pixel sizes: most pixels are {factor}x{factor}, {share:.0%} of the edges belong to smaller ones.",
        f"Draw the small parts again at {factor}x{factor}, or the whole at 1x.",
        look.boxes(where),
        int(where.sum()),
    )


def one_grid(look: Look) -> Verdict:
    """The share of colour changes that lie on the lines of one grid; 0 where there is no grid at all."""
    if look.kind == "whole":
        return KEPT
    if look.kind != "uneven":
        if look.setness == 1:
            return KEPT
        return broken(
            "grid",
            100 * look.setness,
            f"No pixel grid was found (confidence {look.confidence:.2f}).",
            "Finish it with a --pixel-size if it was enlarged, or convert it: --mode convert --size 64.",
            count=1,
        )
    off, total = 0.0, 0
    for values, cuts in ((look.codes, look.x), (look.codes.T, look.y)):
        changes = (values[:, 1:] != values[:, :-1]).sum(axis=0)
        lines = np.rint(cuts).astype(np.intp)
        on = np.zeros(values.shape[1] + 1, dtype=bool)
        on[lines.clip(0, values.shape[1])] = True
        off += float(changes[~on[1:-1]].sum())
        total += int(changes.sum())
    share = off / max(1, total)
    if not share:
        return KEPT
    return broken(
        "grid",
        100 * (1 - share),
        f"{share:.0%} of the colour changes are off the lines of the grid.",
        "Run `pixelrouter finish` on it: that puts every pixel on one grid.",
        count=int(off),
    )


def size(look: Look, wanted: tuple[int, int]) -> Verdict:
    """As many pixels as were asked for: 100 or 0."""
    if look.cells == wanted:
        return KEPT
    have = f"{look.cells[0]}x{look.cells[1]}"
    want = f"{wanted[0]}x{wanted[1]}"
    return broken("size", 0, f"The art is {have}, not {want}.", f"Finish it with --size {want}.", count=1)


def _spread(look: Look) -> float:
    """Standard deviation of the cell sizes, as a share of the size; cells that the border cuts are left out."""
    shares = [float(np.std(sides) / np.mean(sides)) for cuts in (look.x, look.y) if len(sides := np.diff(cuts)[1:-1])]
    return max(shares, default=0.0)


def _mixed(look: Look) -> tuple[int, float, Mask] | None:
    """Factor of the coarser grid that most changes keep to, the share that does not, and where those changes are."""
    across = look.codes[:, 1:] != look.codes[:, :-1]
    down = look.codes[1:] != look.codes[:-1]
    for factor in reversed(_FACTORS):
        if min(look.codes.shape) < 6 * factor:
            continue
        sides = (_off(across.sum(axis=0), factor), _off(down.sum(axis=1), factor))
        if any(side is None for side in sides):
            continue
        (share_x, off_x), (share_y, off_y) = (side for side in sides if side is not None)
        if max(share_x, share_y) > 1 - _DOMINANT:
            continue
        where = np.zeros(look.codes.shape, dtype=bool)
        where[:, 1:] |= across & off_x
        where[1:] |= down & off_y[:, None]
        return factor, (share_x + share_y) / 2, where
    return None


def _off(changes: NDArray[np.intp], factor: int) -> tuple[float, Mask] | None:
    """The share of the changes (one count a line) off the best grid of that factor, and which lines those are."""
    total = int(changes.sum())
    if not total:
        return None
    rest = (np.arange(len(changes)) + 1) % factor
    best = int(np.bincount(rest, changes, minlength=factor).argmax())
    off = rest != best
    return float(changes[off].sum()) / total, off
