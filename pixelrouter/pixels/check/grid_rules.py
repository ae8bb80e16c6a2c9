"""The rules of the pixel grid: pixels of one size, all on one grid, as many as were asked for."""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.check.factors import Factor
from pixelrouter.pixels.check.look import Look
from pixelrouter.pixels.check.parts import Parts
from pixelrouter.pixels.check.places import boxes
from pixelrouter.pixels.check.report import KEPT, Verdict, broken

_UNEVEN = 40.0  # the most for pixels that are found, but not of one whole size
_MIXED, _MOST_MIXED = 3.0, 70.0  # how fast changes off the grid cost, and the most that is left


def pixel_size(look: Look) -> Verdict:
    """Every pixel has one size: 1x, or a whole factor. Mixed sizes get 70 at most, uneven or soft pixels 40, none 0."""
    if look.parts is not None and look.parts.kind == "larger":
        return _larger_parts(look, look.parts)
    if look.kind == "whole":
        return KEPT
    if look.kind == "uneven":
        evenness = 1 - min(1.0, 2 * _spread(look))
        across, down = look.pixel_size
        return broken(
            "pixel-size",
            _UNEVEN * evenness,
            f"The pixels are about {across:g}x{down:g} image pixels, uneven or with soft edges.",
            "Run `pixelrouter finish` on it: that puts every pixel on one grid. If it was drawn so, say --native.",
            count=1,
        )
    if look.mixed is not None:
        side, share = f"{look.mixed.size}x{look.mixed.size}", look.mixed.off
        return _at_small_pixels(
            "pixel-size",
            look.mixed,
            min(_MOST_MIXED, 100 * (1 - _MIXED * share)),
            f"Mixed pixel sizes: most pixels are {side}, {share:.1%} of the edges belong to smaller ones.",
            f"Draw the small parts again at {side}, or the whole at 1x.",
        )
    if look.setness < 1:
        return broken(
            "pixel-size",
            100 * look.setness,
            "No pixels of one size: the picture is like a photo, a painting or a smooth drawing.",
            "Finish it with a --pixel-size if it was enlarged, or convert it: --mode convert --size 64.",
            count=1,
        )
    return KEPT


def one_grid(look: Look) -> Verdict:
    """The share of colour changes that lie on the lines of one grid; 0 where there is no grid at all."""
    if look.parts is not None and look.parts.kind == "shifted":
        return _shifted_parts(look, look.parts)
    if look.kind == "whole":
        return KEPT
    if look.mixed is not None:
        share = look.mixed.off
        what = f"{share:.1%} of the edges are off the grid of most pixels."
        return _at_small_pixels("grid", look.mixed, 100 * (1 - share), what, "Move them onto it.")
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
    share, off = look.off_grid
    if not share:
        return KEPT
    return broken(
        "grid",
        100 * (1 - share),
        f"{share:.0%} of the colour changes are off the lines of the grid.",
        "Run `pixelrouter finish` on it: that puts every pixel on one grid.",
        count=off,
    )


def size(look: Look, wanted: tuple[int, int]) -> Verdict:
    """As many pixels as were asked for: 100 or 0."""
    if look.cells == wanted:
        return KEPT
    have = f"{look.cells[0]}x{look.cells[1]}"
    want = f"{wanted[0]}x{wanted[1]}"
    return broken("size", 0, f"The art is {have}, not {want}.", f"Finish it with --size {want}.", count=1)


def _larger_parts(look: Look, found: Parts) -> Verdict:
    small, large = (f"{factor * look.pixel_size[0]:g}x{factor * look.pixel_size[1]:g}" for factor in (1, found.size))
    return broken(
        "pixel-size",
        min(_MOST_MIXED, 100 * (1 - _MIXED * min(found.share, 1 - found.share))),
        f"Mixed pixel sizes: the smallest are {small}, {found.share:.0%} of the corners belong to parts at {large}.",
        f"Draw those parts again at {small}, or everything at {large}.",
        look.boxes(found.where),
        int(found.where.sum()),
    )


def _shifted_parts(look: Look, found: Parts) -> Verdict:
    large = f"{found.size * look.pixel_size[0]:g}x{found.size * look.pixel_size[1]:g}"
    return broken(
        "grid",
        min(_MOST_MIXED, 100 * (1 - found.share)),
        f"Two grids: the pixels are {large}, and {found.share:.0%} of the corners are off the grid of the others.",
        "Move those parts by a part of a pixel, onto the grid of the rest.",
        look.boxes(found.where),
        int(found.where.sum()),
    )


def _at_small_pixels(rule: str, mixed: Factor, score: float, what: str, advice: str) -> Verdict:
    where = mixed.where if mixed.where is not None else np.zeros((0, 0), dtype=bool)
    return broken(rule, score, what, advice, boxes(where), int(where.sum()))


def _spread(look: Look) -> float:
    """Standard deviation of the cell sizes, as a share of the size; cells that the border cuts are left out."""
    shares = [float(np.std(sides) / np.mean(sides)) for cuts in (look.x, look.y) if len(sides := np.diff(cuts)[1:-1])]
    return max(shares, default=0.0)
