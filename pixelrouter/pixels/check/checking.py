"""The check: every rule on every frame, the worst frame of each counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.check import color_rules, grid_rules, shape_rules, together
from pixelrouter.pixels.check.look import Look, at_native, look
from pixelrouter.pixels.check.motion import motion
from pixelrouter.pixels.check.report import KEPT, PASS, Box, CheckReport, Rule, Verdict
from pixelrouter.pixels.color import Bytes, parse_hex
from pixelrouter.pixels.colors.palette import resolve_palette
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.tiles.seam import Axes


@dataclass(frozen=True)
class _Wish:
    """What the caller knows of the picture."""

    colors: int | None
    palette: Bytes | None
    size: tuple[int, int] | None
    cell: tuple[int, int] | None = None
    tile: Axes | None = None
    max_seam: float | None = None


@dataclass(frozen=True)
class _Row:
    """One rule: its name, title, weight, and how it is measured. Its meaning is the measure's own docstring."""

    name: str
    title: str
    weight: float
    measure: Callable[[Look, _Wish], Verdict]
    documented: Callable[..., Verdict]


def _plain(name: str, title: str, weight: float, measure: Callable[[Look], Verdict]) -> _Row:
    return _Row(name, title, weight, lambda seen, _: measure(seen), measure)


def _drawing(name: str, title: str, weight: float, measure: Callable[[Look], Verdict]) -> _Row:
    """A rule about how pixels were set; where there are none it has nothing to say."""
    return _Row(name, title, weight, lambda seen, _: measure(seen) if seen.has_pixels else KEPT, measure)


# In the order they are told. The weight is what breaking the rule everywhere costs: what makes it no pixel art at all
# costs everything, a matter of taste little.
_RULES = (
    _plain("pixel-size", "one pixel size", 1.0, grid_rules.pixel_size),
    _plain("grid", "one grid", 0.8, grid_rules.one_grid),
    _Row(
        "colors",
        "few colours",
        0.5,
        lambda seen, wish: color_rules.few_colors(seen, wish.colors, wish.palette),
        color_rules.few_colors,
    ),
    _plain("alpha", "no partial alpha", 0.5, color_rules.partial_alpha),
    _plain("hidden", "nothing under alpha 0", 0.05, color_rules.hidden_color),
    _plain("duplicates", "no near-duplicate colours", 0.3, color_rules.near_duplicates),
    _drawing("orphans", "no stray pixels", 0.3, shape_rules.orphans),
    _drawing("noise", "no noise", 0.6, shape_rules.noise),
    _drawing("jaggies", "even lines", 0.15, shape_rules.jaggies),
    _drawing("banding", "no banding", 0.1, shape_rules.banding),
)
_SIZE = _Row("size", "the size asked for", 1.0, lambda seen, wish: _sized(seen, wish), grid_rules.size)
_SHEET = _Row("size", "whole cells", 1.0, lambda seen, wish: together.sheet(seen, wish.cell or (1, 1)), together.sheet)
_SEAM = _Row(
    "seam",
    "no seam",
    1.0,
    lambda seen, wish: together.seams(seen, wish.tile or "both", wish.cell, wish.max_seam),
    together.seams,
)
_JITTER = Rule("jitter", "steady feet", 100.0, 1.0, " ".join((together.steadiness.__doc__ or "").split()))
#: The names of all rules.
NAMES = (*(row.name for row in _RULES), "size", "seam", "jitter")


def check(
    image: Source,
    *,
    colors: int | None = None,
    palette: Any = None,
    size: tuple[int, int] | None = None,
    threshold: float = PASS,
    cell: tuple[int, int] | None = None,
    tile: Axes | None = None,
    moves: bool = False,
    max_seam: float | None = None,
    max_jitter: float | None = None,
    native: bool = False,
    required: Sequence[str] = (),
) -> CheckReport:
    """How true an image is to pixel art: a score of 0..100 for every rule and for the whole, and what is wrong where.

    ``image`` is a PIL image, encoded bytes or a path, at native size or enlarged by a whole factor; of a moving picture
    every frame is checked. ``colors`` is the most colours it may have (default 64), ``palette`` (a name, a file or
    colours) the only ones, ``size`` how many pixels the art should be, ``(width, height)``. It ``passed`` if its score
    reaches ``threshold``, and no rule of ``required`` is broken anywhere.

    ``cell``: it is a sheet of cells of so many of the file's pixels. ``tile`` "both", "x" or "y": it, or each cell,
    repeats without a seam (``max_seam``: 0.5). ``moves``: its frames, or each row of the sheet, are an animation whose
    feet stay on one line (``max_jitter`` pixels: 4 % of the height, at least 1). ``native``: every pixel of the file is
    one of the art, which coarse shapes alone do not tell for certain.

    Raises UnreadableImage, UnknownPalette, InvalidRequest for a threshold out of range and a rule that is unknown.
    """
    if not 0 <= threshold <= 100:
        raise InvalidRequest(f"A score of {threshold} is outside 0 to 100.")
    if unknown := [name for name in required if name not in NAMES]:
        raise InvalidRequest(f"There is no rule {unknown[0]!r}.", hint=f"The rules are: {', '.join(NAMES)}.")
    wish = _Wish(colors, None if palette is None else parse_hex(resolve_palette(palette)), size, cell, tile, max_seam)
    sized = (_SIZE,) if size is not None else (_SHEET,) if cell is not None else ()
    rows = (*_RULES, *sized, *((_SEAM,) if tile is not None else ()))
    looks: list[Look] = []
    verdicts: list[list[Verdict]] = []
    for frame in decode(image).frames:
        seen = (at_native if native else look)(np.asarray(frame))
        looks.append(seen)
        verdicts.append([row.measure(seen, wish) for row in rows])
    first = looks[0]
    rules = tuple(
        Rule(row.name, row.title, min(frame[at].score for frame in verdicts), row.weight, _meaning(row))
        for at, row in enumerate(rows)
    )
    weights = {**{row.name: row.weight for row in rows}, _JITTER.name: _JITTER.weight}
    findings = [
        replace(finding, frame=number)
        for number, frame in enumerate(verdicts)
        for verdict in frame
        for finding in verdict.findings
    ]
    if moves:
        steady = together.steadiness(_films([seen.rgba for seen in looks], cell), max_jitter)
        rules = (*rules, replace(_JITTER, score=steady.score))
        findings += steady.findings
    return CheckReport(
        size=(first.rgba.shape[1], first.rgba.shape[0]),
        cells=first.cells,
        pixel_size=first.pixel_size,
        colors=max(len(seen.colors[0]) for seen in looks),
        rules=rules,
        findings=tuple(sorted(findings, key=lambda finding: -finding.severity * weights[finding.rule])),
        threshold=threshold,
        frames=len(looks),
        required=tuple(required),
    )


def _films(frames: Sequence[Bytes], cell: tuple[int, int] | None) -> list[list[tuple[Bytes, Box]]]:
    """The animations in it: each row of a sheet, or all frames of a moving picture."""
    rows = [row for frame in frames for row in together.cells(frame, cell)]
    return rows if cell is not None else [[one for row in rows for one in row]]


def with_motion(
    reports: Sequence[CheckReport], images: Sequence[Source], most: float | None = None
) -> list[CheckReport]:
    """The reports of stills that are the frames of one animation, with the rule of steady feet in all of them; what
    breaks it is told of the frame that does. ``most``: pixels that may pass.
    """
    frames = [np.asarray(decode(image).image) for image in images]
    steady = together.steadiness(_films(frames, None), most)
    worst = motion(frames)
    out = []
    for at, report in enumerate(reports):
        broken = worst is not None and at == worst.frames[0]
        rule = replace(_JITTER, score=steady.score if broken else 100.0)
        found = steady.findings if broken else ()
        out.append(replace(report, rules=(*report.rules, rule), findings=(*found, *report.findings)))
    return out


def _sized(seen: Look, wish: _Wish) -> Verdict:
    return grid_rules.size(seen, wish.size or seen.cells)


def _meaning(row: _Row) -> str:
    return " ".join((row.documented.__doc__ or "").split())
