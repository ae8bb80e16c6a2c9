"""The cost page: one HTML file that needs nothing else. No script, no font, no address: it works from a memory stick.

Prompts, names and vendors' messages are strangers' words, so every text is escaped, and the page forbids itself to load
or run anything (Content-Security-Policy).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from pixelrouter.errors import InvalidRequest
from pixelrouter.money.totals import Sums
from pixelrouter.reports import charts
from pixelrouter.reports.charts import Part
from pixelrouter.reports.costs import CapInForce, CostReport, UnitCosts, bins
from pixelrouter.reports.text import count, cut, escaped
from pixelrouter.types import Attempt, Money, Unit

_UNIT_NAMES: Mapping[Unit, str] = {"usd": "Dollars", "generations": "PixelLab generations"}
_BARS = 12  # of one chart; the rest is one bar
_COIN = ("..####..", ".#oooo#.", "#ooLLoo#", "#oLoooo#", "#oLoooo#", "#ooLLoo#", ".#oooo#.", "..####..")
_METAL = {"#": "#8a5a12", "o": "#f0b429", "L": "#fff1b8"}


def page(report: CostReport, project: str = "") -> str:
    """The page as HTML."""
    title = f"What the art of {project} cost" if project else "What the art cost"
    several = len(report.units) > 1
    body = "".join(_unit(one, several=several) for one in report.units) or _nothing(report)
    style = resources.files("pixelrouter.reports").joinpath("costs.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escaped(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{charts.patterns()}\n"
        f"<header>{_coin()}<div><h1>{escaped(title)}</h1>"
        f'<p class="soft">{_range(report)}</p></div></header>\n<main>\n{_caps(report.caps)}{body}</main>\n'
        f"<footer>{_notes(report)}</footer>\n</body>\n</html>\n"
    )


def write(text: str, path: Path) -> Path:
    """Write a page beside its place and move it there, so that none is ever half written. Raises InvalidRequest."""
    part = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, "utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidRequest(f"The page {path} cannot be written: {why}.", hint="Name a file: costs.html.") from error
    return path


def _range(report: CostReport) -> str:
    span, days = report.span, sorted({day for unit in report.units for day in unit.days})
    first = span.since or (days[0] if days else "")
    last = span.until or (days[-1] if days else "")
    when = f"{first} to {last}" if first and last and first != last else first or last or "all days"
    parts = [when, f"run {span.run}" if span.run else ""]
    read = datetime.fromtimestamp(report.at, UTC).strftime("%Y-%m-%d %H:%M")
    return " &middot; ".join([*(escaped(part) for part in parts if part), f"as of {read}; all days in UTC"])


def _nothing(report: CostReport) -> str:
    free = f" {report.free:,} images were drawn for nothing." if report.free else ""
    return f"<section><h3>Nothing was spent, and nothing is held.</h3><p>{free}</p></section>\n"


def _notes(report: CostReport) -> str:
    notes = [
        "Dollars and generations have no exchange rate and are never added up.",
        "A purchase counts on the day it was reserved, as caps count it, and for the asset and tags of the call that"
        " bought it; whoever reuses it pays nothing and is not shown. An attempt with several tags counts for each.",
    ]
    if report.free:
        notes.append(f"{report.free:,} attempts cost nothing.")
    return "".join(f"<p>{note}</p>" for note in notes)


# --- caps ---


def _caps(caps: Sequence[CapInForce]) -> str:
    if not caps:
        return '<p class="note">No cap is set: max_usd_per_day and its like limit what can be spent.</p>\n'
    rows = "".join(_cap(one) for one in caps)
    return f"<section><h3>Caps in force</h3>{rows}</section>\n"


def _cap(one: CapInForce) -> str:
    cap, limit = one.cap, one.cap.limit
    name = f'<span class="name" title="{escaped(cap.option)}">{escaped(cap.label)}</span>'
    if one.used is None:
        return f'<div class="row wide">{name}<span class="amount">{limit}</span></div>'
    over = one.used.micros > limit.micros
    full = max(one.used.micros, limit.micros, 1)
    words = f"{one.used} of {limit} spent or held"
    drawn = charts.bar([Part("over" if over else "main", one.used.micros, words)], full, f"{cap.label}: {words}")
    used = str(one.used).removesuffix(f" {limit.unit}")
    return f'<div class="row wide">{name}{drawn}<span class="amount">{used} of {limit}</span></div>'


# --- one unit ---


def _unit(costs: UnitCosts, *, several: bool) -> str:
    heading = f"<h2>{_UNIT_NAMES[costs.unit]}</h2>\n" if several or costs.unit != "usd" else ""
    colors = {name: f"c{min(at, charts.COLORS - 1)}" for at, name in enumerate(costs.backends)}
    parts = [
        _tiles(costs),
        _by_day(costs, colors),
        '<div class="pair">',
        _groups("By backend", costs.backends, colors, costs.unit),
        _quotes(costs),
        _groups("By asset", costs.assets, {}, costs.unit, nameless="no asset named"),
        _groups("By tag", costs.tags, {}, costs.unit, nameless="no tag"),
        "</div>",
        _attempts("Outcome unknown: the money stays held until the vendor's bill is clear", costs.unknown),
        _attempts("Paid, and no image came: complain with the vendor's id", costs.lost),
        _attempts("Turned down by your own quality gate", costs.turned_down),
        _attempts("Under way", costs.under_way),
        _attempts("The costliest purchases", costs.costliest),
    ]
    return heading + "\n".join(part for part in parts if part) + "\n"


def _tiles(costs: UnitCosts) -> str:
    total, unit = costs.total, costs.unit

    def tile(name: str, micros: int, words: str, *, alarm: bool = False) -> str:
        kind = "alarm" if alarm and micros else ""
        amount = Money(micros, unit)
        return f'<li class="{kind}"><span>{name}</span><b>{amount}</b><small>{words}</small></li>'

    over = total.billed - total.quoted
    tiles = [
        tile("Spent", total.spent, count(total.attempts, "attempt")),
        tile("Held, under way", total.held - total.unknown, "not finished yet"),
        tile("Held, outcome unknown", total.unknown, "may have been charged", alarm=True),
        tile("Paid, no image came", total.lost, "part of what was spent", alarm=True),
        tile("Turned down", total.turned_down, "part of what was spent"),
        tile("Billed over quote", over, f"quoted {Money(total.quoted, unit)}"),
    ]
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _by_day(costs: UnitCosts, colors: Mapping[str, str]) -> str:
    stretches = bins(costs.days)
    stacks = [
        [
            Part(colors[name], one.amounts[name], f"{one.label}: {name} {Money(one.amounts[name], costs.unit)}")
            for name in costs.backends
            if one.amounts.get(name)
        ]
        for one in stretches
    ]
    length = (stretches[0].last - stretches[0].first).days + 1
    what = "Spent per day" if length == 1 else "Spent per week" if length == 7 else "Spent per month"
    peak = max(stretches, key=lambda one: sum(one.amounts.values()))
    most = Money(sum(peak.amounts.values()), costs.unit)
    name = f"{what}, {stretches[0].first} to {stretches[-1].last}, by backend; most: {most} on {peak.label}"
    pattern = "%Y-%m" if length > 7 else "%d %b"
    drawn = charts.columns(stacks, [one.first.strftime(pattern) for one in stretches], costs.unit, name)
    rows = [
        [day, backend, _figure(Money(sums.spent, costs.unit)), _figure(Money(sums.held, costs.unit))]
        for day, backends in costs.days.items()
        for backend, sums in backends.items()
    ]
    names = [name for name in costs.backends if any(one.amounts.get(name) for one in stretches)]
    legend = _legend([(colors[name], name) for name in names[: charts.COLORS - 1]], len(names))
    details = _details(["day", "backend", "spent", "held"], rows)
    return f"<figure><h3>{what}</h3>{legend}{drawn}{details}</figure>"


def _legend(entries: Sequence[tuple[str, str]], groups: int) -> str:
    if groups < 2:
        return ""
    shown = [*entries, *([("c7", count(groups - len(entries), "other"))] if groups > len(entries) else [])]
    items = "".join(
        f'<li><svg aria-hidden="true"><rect class="{kind}" width="100%" height="100%"/></svg>{escaped(name)}</li>'
        for kind, name in shown
    )
    return f'<ul class="legend">{items}</ul>'


def _groups(
    title: str, groups: Mapping[str, Sums], colors: Mapping[str, str], unit: Unit, nameless: str = "unnamed"
) -> str:
    """Bars, the dearest first: spent, then what is held, then what is unclear."""
    if not groups or set(groups) == {""}:
        return ""
    full = max(sums.spent + sums.held for sums in groups.values()) or 1
    shown = list(groups.items())[: _BARS if len(groups) > _BARS + 1 else None]
    rest = list(groups.items())[len(shown) :]
    bars = [_bar(name or nameless, sums, colors.get(name, "main"), unit, full) for name, sums in shown]
    if rest:
        others = Sums(unit)
        for _, sums in rest:
            others.spent, others.held, others.unknown = (
                others.spent + sums.spent,
                others.held + sums.held,
                others.unknown + sums.unknown,
            )
        # A bar as long as all the others together would make these too short to read.
        bars.append(_bar(count(len(rest), "other"), others, "c7", unit, max(full, others.spent + others.held)))
    legend = _legend(_kinds(groups.values()), 2) if any(sums.held for sums in groups.values()) else ""
    rows = [
        [name or nameless, *(_figure(Money(micros, unit)) for micros in _amounts(sums)), _figure(f"{sums.attempts:,}")]
        for name, sums in groups.items()
    ]
    table = _details(["", "spent", "held", "unknown", "no image", "turned down", "attempts"], rows)
    return f"<figure><h3>{title}</h3>{legend}{''.join(bars)}{table}</figure>"


def _amounts(sums: Sums) -> tuple[int, ...]:
    return sums.spent, sums.held - sums.unknown, sums.unknown, sums.lost, sums.turned_down


def _kinds(sums: Iterable[Sums]) -> list[tuple[str, str]]:
    found = list(sums)
    held, unclear = any(one.held > one.unknown for one in found), any(one.unknown for one in found)
    return [("main", "spent"), *([("held", "under way")] * held), *([("unclear", "outcome unknown")] * unclear)]


def _bar(name: str, sums: Sums, kind: str, unit: Unit, full: int) -> str:
    under_way = sums.held - sums.unknown
    parts = [
        Part(kind, sums.spent, f"{name}: {Money(sums.spent, unit)} spent"),
        Part("held", under_way, f"{name}: {Money(under_way, unit)} held, under way"),
        Part("unclear", sums.unknown, f"{name}: {Money(sums.unknown, unit)} held, outcome unknown"),
    ]
    whole = Money(sums.spent + sums.held, unit)
    drawn = charts.bar(parts, full, f"{name}: {whole}")
    label = f'<span class="name" title="{escaped(name)}">{escaped(name)}</span>'
    return f'<div class="row">{label}{drawn}<span class="amount">{whole}</span></div>'


def _quotes(costs: UnitCosts) -> str:
    """What each model was quoted at, above what it was billed."""
    if not costs.models:
        return ""
    unit, full = costs.unit, max(max(sums.quoted, sums.billed) for sums in costs.models.values()) or 1
    bars, rows = [], []
    for (backend, model), sums in costs.models.items():
        name = f"{backend} {model}".strip()
        over = sums.billed - sums.quoted
        tone = "more" if over > 0 else "less" if over < 0 else "soft"
        quoted, billed = Money(sums.quoted, unit), Money(sums.billed, unit)
        drawn = [
            charts.bar([Part("quoted", sums.quoted, f"{name}: quoted {quoted}")], full, f"{name}: quoted {quoted}"),
            charts.bar([Part("main", sums.billed, f"{name}: billed {billed}")], full, f"{name}: billed {billed}"),
        ]
        lines = f'{escaped(model)}<br><span class="soft">{escaped(backend)}</span>'
        label = f'<span class="name" title="{escaped(name)}">{lines}</span>'
        double = f'<div class="double">{"".join(drawn)}</div>'
        bars.append(f'<div class="row">{label}{double}<span class="amount {tone}">{_difference(sums)}</span></div>')
        rows.append([name, _figure(quoted), _figure(billed), _figure(Money(over, unit))])
    rest = len(bars) - _BARS
    more = f'<p class="note">{count(rest, "other model")} in the table.</p>' if rest > 0 else ""
    legend = _legend([("quoted", "quoted"), ("main", "billed")], 2)
    table = _details(["backend and model", "quoted", "billed", "difference"], rows)
    return f"<figure><h3>Quoted and billed</h3>{legend}{''.join(bars[:_BARS])}{more}{table}</figure>"


def _difference(sums: Sums) -> str:
    over = sums.billed - sums.quoted
    if not over:
        return "as quoted"
    share = f" ({100 * abs(over) / sums.quoted:.1f} %)" if sums.quoted else ""
    return f"{'+' * (over > 0)}{Money(over, sums.unit)}{share}"


# --- attempts ---


def _attempts(title: str, attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return ""
    rows = "".join(_attempt(row) for row in attempts)
    heads = "".join(
        f"<th{' class=figure' if name in ('cost', 'quoted') else ''}>{name}</th>"
        for name in ("when", "backend and model", "for", "prompt", "quoted", "cost", "vendor's id", "attempt")
    )
    return (
        f'<section><h3>{title}</h3><div class="scroll"><table class="attempts"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _attempt(row: Attempt) -> str:
    when = datetime.fromtimestamp(row.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    labels = " ".join([row.asset, *(f"#{tag}" for tag in row.tags)]).strip()
    error = f'<br><span class="note">{escaped(cut(row.error, 160))}</span>' if row.error else ""
    turned = row.evidence.get("turned_down")
    if isinstance(turned, Mapping):
        error += f'<br><span class="note">{escaped(cut(str(turned.get("why", "")), 160))}</span>'
    quoted = str(row.quoted.money) if row.quoted else ""
    vendor = row.vendor_request or (row.ticket.id if row.ticket else "")
    cells = [
        f'<td class="when">{when}</td>',
        f"<td>{escaped(row.backend)}<br><span class=soft>{escaped(cut(row.model or '', 60))}</span></td>",
        f'<td class="labels">{escaped(cut(labels, 60))}</td>',
        f'<td class="words">{escaped(cut(row.prompt, 120))}{error}</td>',
        f"<td class=figure>{quoted}</td>",
        f"<td class=figure>{row.cost.money}<br><span class=soft>{row.cost.source}</span></td>",
        f'<td class="id">{escaped(cut(vendor, 80))}</td>',
        f'<td class="id">{escaped(row.id[:12])}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


# --- parts ---


def _details(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The figures behind a chart, for whoever cannot see it, and for whoever wants them exactly."""
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        '<details><summary>The figures as a table</summary><div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


class _Figure(str):
    """A number in a table: it stands on the right."""

    __slots__ = ()


def _figure(value: object) -> _Figure:
    return _Figure(value)


def _cell(text: str) -> str:
    return f"<td class=figure>{escaped(text)}</td>" if isinstance(text, _Figure) else f"<td>{escaped(text)}</td>"


def _coin() -> str:
    pixels = "".join(
        f'<rect x="{x}" y="{y}" width="1" height="1" fill="{_METAL[mark]}"/>'
        for y, line in enumerate(_COIN)
        for x, mark in enumerate(line)
        if mark in _METAL
    )
    return f'<svg viewBox="0 0 8 8" aria-hidden="true">{pixels}</svg>'
