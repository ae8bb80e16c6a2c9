"""What was spent and what is held, added up: by day, backend, model, run, asset or tag. Units are never added up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from pixelrouter.errors import InvalidRequest
from pixelrouter.money.database import Database
from pixelrouter.money.rows import attempt_of
from pixelrouter.types import Attempt, Unit

By = Literal["day", "backend", "run", "asset", "tag"]
BY = ("day", "backend", "run", "asset", "tag")
Day = str | date | None

_NAMES = ("day", "backend", "model", "run", "asset", "tags", "unit", "state", "cost_source")
_LOST = "state = 'settled' AND raws = '[]' AND charged > 0"
_TURNED_DOWN = "state = 'settled' AND charged > 0 AND evidence LIKE :turned"


@dataclass(frozen=True)
class Span:
    """Which attempts count: those reserved from ``since`` to ``until`` (UTC dates, both included; empty: no bound), of
    one project or run where that is not None.
    """

    since: str = ""
    until: str = ""
    project: str | None = None
    run: str | None = None

    @classmethod
    def of(cls, since: Day = None, until: Day = None, project: str | None = None, run: str | None = None) -> Span:
        """From what a caller gives. Raises InvalidRequest for what is no date."""
        first, last = _day(since, "since"), _day(until, "until")
        if first and last and first > last:
            raise InvalidRequest(f"since={first} is after until={last}.", hint="Both days are included.")
        return cls(first, last, project, run)

    def where(self) -> tuple[str, dict[str, Any]]:
        """The SQL condition, with its parameters."""
        parts = {
            "since": "day >= :since" if self.since else "",
            "until": "day <= :until" if self.until else "",
            "project": "project = :project" if self.project is not None else "",
            "run": "run = :run" if self.run is not None else "",
        }
        kept = {name: part for name, part in parts.items() if part}
        return " AND ".join(kept.values()) or "1 = 1", {name: getattr(self, name) for name in kept}


def _day(value: Day, name: str) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, datetime):
        value = (value.astimezone(UTC) if value.tzinfo else value).date()
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value).strip())).isoformat()
    except ValueError:
        raise InvalidRequest(f"{name}={value!r} is no date.", hint="Write year-month-day: 2026-11-21.") from None


@dataclass
class Sums:
    """Amounts in micro-units of one ``unit``, over the attempts of a group.

    ``held`` is what caps count beside ``spent``: under way, and of unknown outcome (``unknown``, a part of it).
    ``lost`` (charged, and no image came) and ``turned_down`` (by the caller's own quality gate) are parts of ``spent``.
    ``quoted`` and ``billed`` compare the attempts that were quoted in the unit they were billed in.
    """

    unit: Unit
    spent: int = 0
    held: int = 0
    unknown: int = 0
    lost: int = 0
    turned_down: int = 0
    quoted: int = 0
    billed: int = 0
    attempts: int = 0
    sources: set[str] = field(default_factory=set)

    def add(self, row: Any) -> None:
        """Count a row of :class:`Totals`."""
        for name in ("spent", "held", "unknown", "lost", "turned_down", "quoted", "billed", "attempts"):
            setattr(self, name, getattr(self, name) + int(row[name]))
        if row["state"] == "settled":
            self.sources.add(row["cost_source"])


class Totals:
    """The sums of a span, read from the ledger once; grouped afterwards, so that all groupings tell of one moment."""

    def __init__(self, database: Database, span: Span) -> None:
        where, values = span.where()
        held = "state IN ('reserved','sending','accepted','unknown')"
        amounts = {
            "spent": ("state = 'settled'", "charged"),
            "held": (held, "held"),
            "unknown": ("state = 'unknown'", "held"),
            "lost": (_LOST, "charged"),
            "turned_down": (_TURNED_DOWN, "charged"),
            "quoted": ("state = 'settled' AND quoted_unit = unit", "quoted"),
            "billed": ("state = 'settled' AND quoted_unit = unit", "charged"),
        }
        sums = [
            f"COALESCE(SUM(CASE WHEN {when} THEN {what} ELSE 0 END), 0) AS {name}"
            for name, (when, what) in amounts.items()
        ]
        names = ", ".join(_NAMES)
        with database.reading() as db:
            self.rows = db.execute(
                f"SELECT {names}, COUNT(*) AS attempts, MIN(created_at) AS first, {', '.join(sums)}"  # noqa: S608  (constants)
                f" FROM attempt WHERE {where} GROUP BY {names} ORDER BY MIN(created_at)",
                {**values, "turned": _MARK},
            ).fetchall()

    def by(self, *names: Literal["day", "backend", "model", "run", "asset", "tag"]) -> dict[tuple[str, ...], Sums]:
        """Sums by group and, as the last part of its name, unit; in the order of their first attempts.

        An attempt with several tags counts for each of them, one without any for "".
        """
        groups: dict[tuple[str, ...], Sums] = {}
        for row in self.rows:
            for name in _groups(row, names):
                groups.setdefault((*name, row["unit"]), Sums(row["unit"])).add(row)
        return groups


_MARK = '%"turned_down": {%'  # as the gate's evidence is written; inside a JSON text the quotes would be escaped


def _groups(row: Any, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    tags = (json.loads(row["tags"]) or [""]) if "tag" in names else [""]
    for tag in tags:
        yield tuple(tag if name == "tag" else row[name] or "" for name in names)


Kind = Literal["costliest", "lost", "turned_down", "unknown", "under way"]


def notable(database: Database, span: Span, unit: Unit, kind: Kind, limit: int) -> list[Attempt]:
    """The attempts that deserve a look, the dearest first."""
    where, values = span.where()
    which = {
        "costliest": "state = 'settled' AND charged > 0",
        "lost": _LOST,
        "turned_down": _TURNED_DOWN,
        "unknown": "state = 'unknown'",
        "under way": "state IN ('reserved','sending','accepted') AND held > 0",
    }[kind]
    if kind == "turned_down":
        values = {**values, "turned": _MARK}
    sql = (
        f"SELECT * FROM attempt WHERE {where} AND unit = :unit AND {which}"  # noqa: S608  (constants)
        " ORDER BY COALESCE(charged, held) DESC, created_at DESC LIMIT :most"
    )
    with database.reading() as db:
        return [attempt_of(row) for row in db.execute(sql, {**values, "unit": unit, "most": limit})]
