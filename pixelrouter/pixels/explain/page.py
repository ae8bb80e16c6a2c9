"""The page that explains one finished image, and the index over the pages of a batch: HTML without any script.

Images are inlined, and what is drawn over them is SVG, so the lines stay sharp at every zoom. Zoom and grid are
switched by radio buttons and check boxes that the style sheet reads.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
from PIL import Image

from pixelrouter.pixels.explain.explain import CLOSE, FULL_HEAT, HEAT, Axis, Explanation, Swatch, enlargement, verdict
from pixelrouter.pixels.grid import THRESHOLD
from pixelrouter.pixels.grid.lattice import Doubles
from pixelrouter.types import Report

_ZOOMS = (1, 2, 4, 8)

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #5d6678; --ground: #f6f7f9; --card: #fff; --line: #d9dde5;
  --accent: #3557d6; --bad: #b3261e; --cut: #e0119d; --even: #0a8f9c; --check: #e6e8ee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #9aa3b5; --ground: #14171d; --card: #1c2029;
  --line: #313846; --accent: #8fa8ff; --bad: #ff8a80; --cut: #ff5cc8; --even: #3fd9e6; --check: #2a303c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--ground); }
h1 { font-size: 1.35rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
p { margin: .3rem 0; }
.soft, figcaption { color: var(--soft); }
.bad { color: var(--bad); }
section, figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem;
  margin: 1rem 0 0; min-width: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 1rem;
  align-items: start; }
.view { overflow: auto; max-height: 85vh; margin-top: .5rem; }
.stage { position: relative; width: calc(min(100%, var(--w) * 1px) * var(--zoom, 1)); aspect-ratio: var(--ratio);
  background: repeating-conic-gradient(var(--check) 0 25%, transparent 0 50%) 0 0 / 16px 16px; }
.stage img, .stage svg { position: absolute; inset: 0; width: 100%; height: 100%; }
img { image-rendering: pixelated; }
.tools { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: .6rem 0;
  background: var(--ground); }
.tools input { accent-color: var(--accent); }
path { fill: none; vector-effect: non-scaling-stroke; }
.cut { stroke: var(--cut); stroke-width: 1px; } .even { stroke: var(--even); stroke-width: 1px; stroke-dasharray: 3 3; }
.axis { stroke: var(--line); stroke-width: 1px; } .curve { stroke: var(--cut); stroke-width: 1.5px; }
.doubt .cut { stroke-dasharray: 6 4; }
body:has(#cuts:not(:checked)) .cut, body:has(#even:not(:checked)) .even { display: none; }
.plot { display: block; width: 100%; height: 60px; }
.meter { position: relative; height: .8rem; border-radius: .4rem; background: var(--check); margin: .6rem 0 1.4rem; }
.meter b { position: absolute; inset: 0 auto 0 0; border-radius: .4rem; background: var(--accent); }
.meter i { position: absolute; top: -.25rem; height: 1.3rem; border-left: 2px solid var(--ink); font-size: .75rem;
  font-style: normal; line-height: 3.6rem; padding-left: .2rem; white-space: nowrap; color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  font-weight: normal; font-variant-numeric: tabular-nums; }
th { color: var(--soft); }
.swatches { display: flex; flex-wrap: wrap; gap: .4rem; padding: 0; margin: 0; list-style: none; }
.swatches li { width: 4.9rem; font-size: .72rem; line-height: 1.3; }
.swatches span { display: block; height: 1.6rem; border-radius: 4px; border: 1px solid var(--line); }
.ramp { height: .7rem; border-radius: 3px; margin-top: .5rem; }
.ends { display: flex; justify-content: space-between; font-size: .8rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; margin-top: 1rem; }
.cards section { margin: 0; overflow-wrap: anywhere; }
.cards .thumb { width: 100%; height: 9rem; object-fit: contain; }
a { color: var(--accent); }
"""


@dataclass(frozen=True)
class Card:
    """One file in the index: its name, its page, its PNG file, and what finishing says."""

    name: str
    link: str | None
    image: bytes
    report: Report | None
    error: str = ""


def page(story: Explanation, title: str) -> str:
    """The page about one image."""
    report = story.finished.report
    ways = {"native": "taken as it is", "snap": "snapped to its grid"}
    facts = [
        f"{_by(report.source_size)} &rarr; {_by(report.size)}",
        f"{report.colors_before:,} &rarr; {report.colors_after:,} colours",
        html.escape(ways.get(report.method, report.method)),
    ]
    head = f'<h1>{html.escape(title)}</h1>\n<p class="soft">{" &middot; ".join(facts)}</p>\n'
    head += "".join(f'<p class="bad">Warning: {html.escape(text)}</p>\n' for text in report.warnings)
    parts = [_pictures(story), _confidence(story), _grid(story), _palettes(story), _changes(story), _difference(story)]
    return _document(title, f"{head}{_tools(story)}\n<main>\n{''.join(parts)}</main>")


def index(cards: Sequence[Card]) -> str:
    """The index over a batch: a card for each file, which links to its page."""
    done = sum(not card.error for card in cards)
    head = f'<h1>{done} of {len(cards)} images finished</h1>\n<div class="cards">\n'
    return _document("Finished images", head + "\n".join(map(_card, cards)) + "\n</div>")


def _card(card: Card) -> str:
    name = html.escape(card.name)
    if card.error or card.report is None:
        return f'<section><p>{name}</p><p class="bad">{html.escape(card.error)}</p></section>'
    report = card.report
    title = f'<a href="{quote(card.link)}">{name}</a>' if card.link else name
    count = len(report.warnings)
    notes = f' &middot; <span class="bad">{count} warning{"s" * (count != 1)}</span>' if count else ""
    return (
        f'<section><img class="thumb" src="{_uri(card.image)}" alt="{name}"><p>{title}</p>'
        f'<p class="soft">{_by(report.source_size)} &rarr; {_by(report.size)}, {report.colors_after} colours<br>'
        f"{html.escape(report.method)}, confidence {report.confidence:.2f}{notes}</p></section>"
    )


def _tools(story: Explanation) -> str:
    """Radio buttons and check boxes that the style sheet reads."""
    zooms = " ".join(
        f'<label><input type="radio" name="zoom" id="z{zoom}"{" checked" * (zoom == 1)}> {zoom}&times;</label>'
        for zoom in _ZOOMS
    )
    boxes = ""
    if story.gridded:
        wide = min(story.lattice.grid.period) * enlargement(story.source.size) / story.thinning >= CLOSE
        boxes = (
            f'<label><input type="checkbox" id="cuts"{" checked" if wide else ""}> cut lines</label>'
            '<label><input type="checkbox" id="even"> an even grid, to see the drift</label>'
        )
    return f'<div class="tools"><span>Zoom: {zooms}</span>{boxes}</div>'


def _pictures(story: Explanation) -> str:
    width, height = story.source.size
    result = story.finished.indexed
    lines = ""
    if story.gridded:
        x, y = story.axes
        paths = [("even", x.even, y.even), ("cut", x.cuts, y.cuts)]
        lines = f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none">' + "".join(
            f'<path class="{name}" d="{_lines(across, down, width, height)}"/>' for name, across, down in paths
        )
        lines += "</svg>"
    caption = "Input"
    if story.gridded:
        caption = "Input with the grid that was found" if story.believed else "Input with a guess, not believed"
    if story.thinning > 1:
        caption += f", shown at 1/{story.thinning}"
    factor = enlargement(result.size)
    return (
        f'<div class="pair{" doubt" * (not story.believed)}"><figure><figcaption>{caption}</figcaption>'
        f"{_stage(Image.fromarray(story.view), enlargement(story.source.size), lines)}</figure>"
        f"<figure><figcaption>Result, enlarged {factor} times</figcaption>{_stage(result, factor)}"
        f'<figcaption>at 1&times;</figcaption><img src="{_uri(_png(result))}" alt="result at 1x" '
        f'width="{result.width}" height="{result.height}"></figure></div>\n'
    )


def _stage(image: Image.Image, factor: int, over: str = "") -> str:
    width, height = image.size
    return (
        f'<div class="view"><div class="stage" style="--w: {width * factor}; --ratio: {width} / {height}">'
        f'<img src="{_uri(_png(image))}" alt="">{over}</div></div>'
    )


def _lines(x: Doubles, y: Doubles, width: int, height: int) -> str:
    """Lines through the whole picture, as the data of an SVG path."""
    return "".join([*(f"M{at:.6g} 0V{height}" for at in x), *(f"M0 {at:.6g}H{width}" for at in y)])


def _confidence(story: Explanation) -> str:
    report = story.finished.report
    if report.method in ("native", "convert"):
        return f"<section><h2>Grid</h2><p>{verdict(report.confidence, report.method)}</p></section>\n"
    return (
        f"<section><h2>Confidence {report.confidence:.2f}</h2>"
        f'<div class="meter"><b style="width: {report.confidence:.1%}"></b>'
        f'<i style="left: {THRESHOLD:.1%}">threshold {THRESHOLD}</i></div>'
        f"<p>{verdict(report.confidence, report.method)}</p>"
        '<p class="soft">0 to 1: how surely the picture is pixel art that was enlarged.</p></section>\n'
    )


def _grid(story: Explanation) -> str:
    if not story.gridded:
        return ""
    rows = "".join(
        f"<tr><td>{axis.name}</td><td>{axis.period:.3f}</td><td>{axis.phase:.3f}</td><td>{len(axis.cuts) - 1}</td>"
        f"<td>{axis.drift:.2f}</td></tr>"
        for axis in story.axes
    )
    plots = "".join(f"<div><p>{axis.name}: {_plot(axis)}</p></div>" for axis in story.axes)
    return (
        "<section><h2>The grid, in source pixels</h2><table><tr><th>axis</th><th>period</th><th>phase</th>"
        f"<th>cells</th><th>drift</th></tr>{rows}</table>"
        f'<p class="soft">Drift: how far each cut line is from an even grid.</p>{plots}</section>\n'
    )


def _plot(axis: Axis) -> str:
    """A curve of how far each line inside the picture is from its even place."""
    offsets = axis.offsets[1:-1]
    reach = max(1.0, axis.drift)
    at = (np.arange(len(offsets)) + 0.5) / max(1, len(offsets)) * 400
    points = " ".join(f"{x:.1f} {30 - 26 * offset / reach:.1f}" for x, offset in zip(at, offsets, strict=True))
    return (
        f'&plusmn;{reach:.1f} px<svg viewBox="0 0 400 60" preserveAspectRatio="none" class="plot">'
        f'<path class="axis" d="M0 30H400"/><path class="curve" d="M{points or "0 30"}"/></svg>'
    )


def _palettes(story: Explanation) -> str:
    report = story.finished.report
    shown = len(story.before)
    if report.colors_before > shown:
        pixels = sum(swatch.count for swatch in story.before) / max(1, story.visible)
        before = f"{report.colors_before:,}; the {shown} most frequent shades, {pixels:.0%} of the pixels"
    else:
        before = f"all {shown}"
    return (
        f'<div class="pair"><section><h2>Colours before: {before}</h2>{_swatches(story.before)}</section>'
        f"<section><h2>Palette after: {len(story.after)}</h2>{_swatches(story.after)}</section></div>\n"
    )


def _swatches(swatches: Sequence[Swatch]) -> str:
    items = "".join(
        f'<li><span style="background: {swatch.color}"></span>{swatch.color}<br>'
        f'<small class="soft">{swatch.count:,}</small></li>'
        for swatch in swatches
    )
    return f'<ul class="swatches">{items}</ul>'


def _changes(story: Explanation) -> str:
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in story.changes)
    return f"<section><h2>What was changed</h2><table>{rows}</table></section>\n"


def _difference(story: Explanation) -> str:
    ramp = ", ".join(HEAT)
    return (
        "<figure><figcaption>Difference between the input and the result laid back over it (OKLab distance)"
        f"</figcaption>{_stage(story.heat, enlargement(story.source.size))}"
        f'<div class="ramp" style="background: linear-gradient(90deg, {ramp})"></div>'
        f'<div class="ends soft"><span>0</span><span>{FULL_HEAT} and more</span></div></figure>\n'
    )


def _document(title: str, body: str) -> str:
    zooms = "\n".join(f"body:has(#z{zoom}:checked) {{ --zoom: {zoom}; }}" for zoom in _ZOOMS)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}{zooms}\n</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}&times;{size[1]}"
