"""What the cost page tells, gathered from the ledger: sums, and the attempts that deserve a look. Nothing drawn yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pixelrouter.money.budget import Cap, Purse
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.totals import Span, Sums, Totals, notable
from pixelrouter.types import Attempt, Money, Unit

COSTLIEST, REMARKABLE = 20, 50  # attempts listed, of each kind
_UNITS: tuple[Unit, ...] = ("usd", "generations")


@dataclass(frozen=True)
class CapInForce:
    """A cap of the configuration; ``used`` counts towards it now, None for one that looks at each call alone."""

    cap: Cap
    used: Money | None


@dataclass(frozen=True)
class UnitCosts:
    """Everything in one unit. Groups are in the order to show; ``days`` has each day with costs, and its backends."""

    unit: Unit
    total: Sums
    days: dict[str, dict[str, Sums]]
    backends: dict[str, Sums]
    models: dict[tuple[str, str], Sums]
    assets: dict[str, Sums]
    tags: dict[str, Sums]
    costliest: Sequence[Attempt]
    unknown: Sequence[Attempt]
    under_way: Sequence[Attempt]
    lost: Sequence[Attempt]
    turned_down: Sequence[Attempt]


@dataclass(frozen=True)
class CostReport:
    """The whole page's data. ``at`` is when it was read, in seconds since the epoch."""

    span: Span
    at: float
    units: Sequence[UnitCosts]
    caps: Sequence[CapInForce]
    free: int  # attempts that cost nothing


def gather(ledger: Ledger, span: Span, purse: Purse, caps: Sequence[Cap], at: float) -> CostReport:
    """Read the ledger: the span's costs, and the caps as they stand for ``purse``."""
    totals = Totals(ledger.database, span)
    whole = {name[-1]: sums for name, sums in totals.by().items()}
    units = [_unit(ledger, span, totals, unit, whole[unit]) for unit in _UNITS if unit in whole and _any(whole[unit])]
    used = [None if cap.scope == "call" else ledger.used(purse, cap.scope, cap.limit.unit) for cap in caps]
    in_force = [CapInForce(cap, money) for cap, money in zip(caps, used, strict=True)]
    free = sum(int(row["attempts"]) for row in totals.rows if not row["spent"] and not row["held"])
    return CostReport(span, at, units, in_force, free)


def _any(sums: Sums) -> bool:
    return bool(sums.spent or sums.held or sums.quoted)


def _unit(ledger: Ledger, span: Span, totals: Totals, unit: Unit, total: Sums) -> UnitCosts:
    def groups(name: str) -> dict[str, Sums]:
        found = {group: sums for (group, of), sums in totals.by(name).items() if of == unit and _any(sums)}  # type: ignore[arg-type]  # one of By's
        return dict(sorted(found.items(), key=lambda item: (-item[1].spent - item[1].held, item[0])))

    days: dict[str, dict[str, Sums]] = {}
    for (day, backend, of), sums in sorted(totals.by("day", "backend").items()):
        if of == unit and _any(sums):
            days.setdefault(day, {})[backend] = sums
    models = {
        (backend, model): sums for (backend, model, of), sums in totals.by("backend", "model").items() if of == unit
    }
    dearest = sorted(models.items(), key=lambda item: (-item[1].billed, item[0]))
    database = ledger.database
    return UnitCosts(
        unit=unit,
        total=total,
        days=days,
        backends=groups("backend"),
        models={name: sums for name, sums in dearest if sums.quoted or sums.billed},
        assets=groups("asset"),
        tags=groups("tag"),
        costliest=notable(database, span, unit, "costliest", COSTLIEST),
        unknown=notable(database, span, unit, "unknown", REMARKABLE),
        under_way=notable(database, span, unit, "under way", REMARKABLE),
        lost=notable(database, span, unit, "lost", REMARKABLE),
        turned_down=notable(database, span, unit, "turned_down", REMARKABLE),
    )


@dataclass(frozen=True)
class Bin:
    """A stretch of time on the chart: the days from ``first`` to ``last``, and the micro-units of each backend."""

    first: date
    last: date
    amounts: dict[str, int]

    @property
    def label(self) -> str:
        """The day, or the first and last of them."""
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def bins(days: dict[str, dict[str, Sums]], most: int = 62) -> list[Bin]:
    """The days without gaps, so that time is to scale: single days, or where they are many, weeks or months."""
    if not days:
        return []
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    count = (last - first).days + 1
    start = (
        first if count <= most else first - timedelta(first.weekday()) if count <= 7 * most else first.replace(day=1)
    )
    found: list[Bin] = []
    while start <= last:
        end = start if count <= most else start + timedelta(6) if count <= 7 * most else _end_of_month(start)
        found.append(Bin(start, end, {}))
        start = end + timedelta(1)
    at = 0
    for day, backends in sorted(days.items()):
        while found[at].last < date.fromisoformat(day):
            at += 1
        for backend, sums in backends.items():
            found[at].amounts[backend] = found[at].amounts.get(backend, 0) + sums.spent
    return found


def _end_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
