"""Rules of a picture's use in a game: whether it repeats, and whether what moves stands on one line.

They are measured on the file's own pixels, as an engine takes them, whatever an art pixel's size is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pixelrouter.pixels.check.look import Look
from pixelrouter.pixels.check.motion import Motion, baseline_limit, motion
from pixelrouter.pixels.check.report import KEPT, Box, Verdict, broken
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.tiles.seam import TILEABLE, Axes, seam_score

Size = tuple[int, int]


def seams(look: Look, axes: Axes, cell: Size | None, most: float | None = None) -> Verdict:
    """Repeated, it shows no seam: 100 up to a seam score of 0.5, then 100 times 0.5 / score. Of a sheet every cell."""
    limit = TILEABLE if most is None else most
    scores = [(seam_score(part, axes).score, box) for row in cells(look.rgba, cell) for part, box in row]
    bad = [box for score, box in scores if score > limit]
    if not bad:
        return KEPT
    worst = max(score for score, _ in scores)
    what = f"The seam shows when it repeats: it scores {worst:.2f}, and up to {limit:g} does not show."
    return broken("seam", 100 * limit / worst, what, "`pixelrouter tile seamless` takes it out.", bad)


def sheet(look: Look, cell: Size) -> Verdict:
    """The sheet is made of whole cells: 100 or 0."""
    height, width = look.rgba.shape[:2]
    if width % cell[0] == 0 and height % cell[1] == 0:
        return KEPT
    what = f"The sheet of {width}x{height} is not made of cells of {cell[0]}x{cell[1]}."
    return broken("size", 0, what, "Pack the frames again: pixelrouter sheet pack --method grid.", count=1)


def steadiness(films: Sequence[Sequence[tuple[Bytes, Box]]], most: float | None = None) -> Verdict:
    """The feet stay on one line: 100, or 100 times what may pass / how far the frame that strays most is off.

    4 % of the height may pass, and at least 1 pixel. ``films``: frames with their boxes.
    """
    found: list[tuple[float, float, Motion, Box]] = []
    for film in films:
        seen = motion([frame for frame, _ in film])
        if seen is None:
            continue
        limit = baseline_limit(film[0][0].shape[0]) if most is None else most
        if seen.baseline > limit:
            found.append((seen.baseline, limit, seen, film[seen.frames[0]][1]))
    if not found:
        return KEPT
    off, limit, seen, _ = max(found, key=lambda one: one[0] / max(one[1], 0.1))
    what = f"The feet of frame {seen.frames[0]} are {off:g} pixels off the others' line; {limit:g} may pass."
    advice = "Register the frames: pixelrouter sheet register. A jump is none: leave --frames out."
    return broken("jitter", min(99.0, 100 * limit / off), what, advice, [box for *_, box in found])


def cells(rgba: Bytes, cell: Size | None) -> Iterator[list[tuple[Bytes, Box]]]:
    """The rows of a sheet: each cell and its box in pixels. Without ``cell`` the whole is one."""
    width, height = cell or (rgba.shape[1], rgba.shape[0])
    for top in range(0, rgba.shape[0] - height + 1, height):
        yield [
            (rgba[top : top + height, left : left + width], (left, top, left + width, top + height))
            for left in range(0, rgba.shape[1] - width + 1, width)
        ]
