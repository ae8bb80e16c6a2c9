"""What was spent and what is held, added up: by day, backend, run, asset or tag."""

from __future__ import annotations

import json
from typing import Any, Literal

from pixelrouter.money.budget import LIVE
from pixelrouter.money.database import Database

By = Literal["day", "backend", "run", "asset", "tag"]
BY = ("day", "backend", "run", "asset", "tag")
_COLUMNS = {"day": "day", "backend": "backend", "run": "run", "asset": "asset", "tag": "tags"}


def totals(database: Database, by: By) -> list[dict[str, Any]]:
    """One row a group and unit, in micro-units: ``spent``, ``held``, ``quoted`` and ``billed`` (of what has a bill in
    the quote's unit), ``attempts`` and the ``sources`` of the costs. An attempt with several tags counts for each.
    """
    column = _COLUMNS[by]
    live = ",".join(f"'{state}'" for state in LIVE)
    with database.reading() as db:
        rows = db.execute(
            f"SELECT {column} AS name, unit, state, cost_source, COUNT(*) AS attempts,"  # noqa: S608  (constants)
            " COALESCE(SUM(CASE WHEN state = 'settled' THEN charged END), 0) AS spent,"
            f" COALESCE(SUM(CASE WHEN state IN ({live}) THEN held END), 0) AS held,"
            " COALESCE(SUM(CASE WHEN state = 'settled' AND quoted_unit = unit THEN quoted END), 0) AS quoted,"
            " COALESCE(SUM(CASE WHEN state = 'settled' AND quoted_unit = unit THEN charged END), 0) AS billed,"
            " MIN(created_at) AS first"
            f" FROM attempt GROUP BY {column}, unit, state, cost_source"
        ).fetchall()
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: float(row["first"])):
        names = (json.loads(row["name"]) or [""]) if by == "tag" else [row["name"]]
        for name in names:
            new = {"name": name, "unit": row["unit"], "sources": set()}
            group = groups.setdefault((name, row["unit"]), new)
            for key in ("attempts", "spent", "held", "quoted", "billed"):
                group[key] = group.get(key, 0) + int(row[key])
            if row["state"] == "settled":
                group["sources"].add(row["cost_source"])
    return [{**group, "sources": sorted(group["sources"])} for group in groups.values()]
