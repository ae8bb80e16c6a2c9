"""Charts as inline SVG, without any script: stacked columns over time, and bars.

Places are percentages, so a chart takes the width there is and its text stays as large as the page's. Colours are
classes (``c0`` … ``c7``) that the style sheet gives a shade for light and for dark. Every mark has a title, which
browsers show as a tooltip; the figures themselves are in a table beside each chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pixelrouter.reports.text import escaped
from pixelrouter.types import Money, Unit

COLORS = 8  # more groups share the last one, "others"
_FEWEST = 12  # columns that would fill the width; fewer stand in the middle


@dataclass(frozen=True)
class Part:
    """A piece of a bar or column: its class (colour or pattern), its micro-units, its tooltip."""

    kind: str
    micros: int
    title: str


def columns(stacks: Sequence[Sequence[Part]], labels: Sequence[str], unit: Unit, name: str) -> str:
    """Stacked columns with an axis of round amounts; ``labels`` stand below, as many as there is room for."""
    top = max((sum(part.micros for part in stack) for stack in stacks), default=0)
    ticks = _ticks(top)
    full = ticks[-1]
    width = 100 / max(_FEWEST, len(stacks))
    start = (100 - width * len(stacks)) / 2
    lines = "".join(f'<line x1="0" x2="100%" y1="{_at(tick, full)}" y2="{_at(tick, full)}"/>' for tick in ticks)
    rects = []
    for at, stack in enumerate(stacks):
        below = 0
        for part in stack:
            height = 100 * part.micros / full
            rects.append(
                f'<rect class="{part.kind}" x="{_number(start + width * (at + 0.14))}%"'
                f' width="{_number(width * 0.72)}%" height="{_number(height)}%"'
                f' y="{_number(100 - 100 * below / full - height)}%">'
                f"<title>{escaped(part.title)}</title></rect>"
            )
            below += part.micros
    scale = "".join(f'<span style="bottom:{_number(100 * tick / full)}%">{Money(tick, unit)}</span>' for tick in ticks)
    step = -(-len(labels) // 8)
    shown = [(at, text) for at, text in enumerate(labels) if at % step == 0]
    below_axis = "".join(
        f'<span class="{"minor" * (number % 2)}" style="left:{_number(start + width * (at + 0.5))}%">'
        f"{escaped(text)}</span>"
        for number, (at, text) in enumerate(shown)
    )
    return (
        f'<div class="columns"><div class="scale" aria-hidden="true">{scale}</div>'
        f'<svg role="img" aria-label="{escaped(name)}"><g class="grid">{lines}</g>{"".join(rects)}</svg>'
        f'<div class="days" aria-hidden="true">{below_axis}</div></div>'
    )


def bar(parts: Sequence[Part], full: int, name: str) -> str:
    """One bar of parts end to end, ``full`` micro-units wide in all."""
    places = [0]
    for part in parts:
        places.append(places[-1] + part.micros)
    rects = "".join(
        f'<rect class="{part.kind}" x="{_number(100 * left / full)}%" width="{_number(100 * (right - left) / full)}%"'
        f' height="100%"><title>{escaped(part.title)}</title></rect>'
        for part, (left, right) in zip(parts, pairwise(places), strict=True)
        if right > left
    )
    return f'<svg class="bar" role="img" aria-label="{escaped(name)}">{rects}</svg>'


def patterns() -> str:
    """The hatches of what is held and of what is unclear: they must be told apart without colours, too."""
    lines = {
        "held": '<path class="hatch" d="M0 6L6 0M-1 1L1 -1M5 7L7 5"/>',
        "unclear": '<path class="hatch" d="M0 0L6 6M0 6L6 0"/>',
    }
    made = "".join(
        f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect class="{name}-ground" width="6" height="6"/>{path}</pattern>'
        for name, path in lines.items()
    )
    return f'<svg width="0" height="0" aria-hidden="true" class="defs"><defs>{made}</defs></svg>'


def _ticks(top: int) -> list[int]:
    """From 0 up to at least ``top``, three to six of them, in steps of 1, 2 or 5 times a power of ten."""
    step = 1
    for factor in (f * 10**power for power in range(20) for f in (1, 2, 5)):
        step = factor
        if top <= 4 * factor:
            break
    return [step * n for n in range(-(-max(1, top) // step) + 1)]


def _at(tick: int, full: int) -> str:
    return f"{_number(100 - 100 * tick / full)}%"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
