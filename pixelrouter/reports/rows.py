"""Costs as rows of exact decimals, and as CSV: the columns and their order are a promise."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from pixelrouter.errors import InvalidRequest
from pixelrouter.money.database import Database
from pixelrouter.money.totals import BY, By, Span, Sums, Totals
from pixelrouter.types import Money

COLUMNS = (
    *("group", "unit", "spent", "held", "unknown", "lost", "turned_down"),
    *("quoted", "billed", "over_quote", "attempts", "sources"),
)
_IN_TIME = ("day", "run")  # the others: the dearest first


def rows(database: Database, by: By, span: Span) -> list[dict[str, Any]]:
    """One row a group and unit. Raises InvalidRequest for a grouping that does not exist."""
    if by not in BY:
        raise InvalidRequest(f"Costs cannot be grouped by {by!r}.", hint=f"Use one of: {', '.join(BY)}.")
    groups = list(Totals(database, span).by(by).items())
    if by == "day":
        groups.sort(key=lambda item: item[0])
    elif by not in _IN_TIME:
        groups.sort(key=lambda item: (item[1].unit != "usd", -item[1].spent, -item[1].held, item[0]))
    return [row(name, sums) for (name, _), sums in groups]


def row(group: str, sums: Sums) -> dict[str, Any]:
    """A group's sums, amounts as exact decimal strings in ``unit``."""
    amounts = ("spent", "held", "unknown", "lost", "turned_down", "quoted", "billed")
    exact = {name: str(Money(getattr(sums, name), sums.unit).amount) for name in amounts}
    over = str(Money(sums.billed - sums.quoted, sums.unit).amount)
    told = {"group": group, "unit": sums.unit, **exact, "over_quote": over, "attempts": sums.attempts}
    return {**told, "sources": sorted(sums.sources)}


def as_csv(table: Sequence[Mapping[str, Any]]) -> str:
    """The rows as RFC 4180 has it: a header, lines that end in CR LF, quotes where they are needed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in table:
        writer.writerow([" ".join(one[name]) if name == "sources" else one[name] for name in COLUMNS])
    return text.getvalue()
