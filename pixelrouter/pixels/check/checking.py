"""The check: every rule on every frame, the worst frame of each counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.check import color_rules, grid_rules, shape_rules
from pixelrouter.pixels.check.look import Look, look
from pixelrouter.pixels.check.report import KEPT, PASS, CheckReport, Rule, Verdict
from pixelrouter.pixels.color import Bytes, parse_hex
from pixelrouter.pixels.colors.palette import resolve_palette
from pixelrouter.pixels.decode import Source, decode


@dataclass(frozen=True)
class _Wish:
    """What the caller knows of the picture."""

    colors: int | None
    palette: Bytes | None
    size: tuple[int, int] | None


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


def check(
    image: Source,
    *,
    colors: int | None = None,
    palette: Any = None,
    size: tuple[int, int] | None = None,
    threshold: float = PASS,
) -> CheckReport:
    """How true an image is to pixel art: a score of 0..100 for every rule and for the whole, and what is wrong where.

    ``image`` is a PIL image, encoded bytes or a path, at native size or enlarged by a whole factor; of a moving picture
    every frame is checked. ``colors`` is the most colours it may have (default 64), ``palette`` (a name, a file or
    colours) the only ones, ``size`` how many pixels the art should be, ``(width, height)``. It ``passed`` if its score
    reaches ``threshold``. Raises UnreadableImage, UnknownPalette, InvalidRequest for a threshold out of range.
    """
    if not 0 <= threshold <= 100:
        raise InvalidRequest(f"A score of {threshold} is outside 0 to 100.")
    wish = _Wish(colors, None if palette is None else parse_hex(resolve_palette(palette)), size)
    rows = (*_RULES, _SIZE) if size is not None else _RULES
    looks: list[Look] = []
    verdicts: list[list[Verdict]] = []
    for frame in decode(image).frames:
        seen = look(np.asarray(frame))
        looks.append(seen)
        verdicts.append([row.measure(seen, wish) for row in rows])
    first = looks[0]
    rules = tuple(
        Rule(row.name, row.title, min(frame[at].score for frame in verdicts), row.weight, _meaning(row))
        for at, row in enumerate(rows)
    )
    weights = {row.name: row.weight for row in rows}
    findings = (
        replace(finding, frame=number)
        for number, frame in enumerate(verdicts)
        for verdict in frame
        for finding in verdict.findings
    )
    return CheckReport(
        size=(first.rgba.shape[1], first.rgba.shape[0]),
        cells=first.cells,
        pixel_size=first.pixel_size,
        colors=max(len(seen.colors[0]) for seen in looks),
        rules=rules,
        findings=tuple(sorted(findings, key=lambda finding: -finding.severity * weights[finding.rule])),
        threshold=threshold,
        frames=len(looks),
    )


def _sized(seen: Look, wish: _Wish) -> Verdict:
    return grid_rules.size(seen, wish.size or seen.cells)


def _meaning(row: _Row) -> str:
    return " ".join((row.documented.__doc__ or "").split())
