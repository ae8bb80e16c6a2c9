"""``costs``: what was spent, and what is held."""

from __future__ import annotations

import sys
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.output import command, emit, say, table

if TYPE_CHECKING:
    from pixelrouter.types import Unit

BY = ("day", "backend", "run", "asset", "tag")  # as money.totals has them, which takes its time to load
By = Annotated[str, typer.Option(metavar="|".join(BY), help="Add up by this.")]
Date = Annotated[str | None, typer.Option(metavar="DATE", help="A UTC day, 2026-11-21; included.")]
Page = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with charts, too.")]


@command()
def costs(
    by: By = "day",
    since: Date = None,
    until: Date = None,
    project: Annotated[str | None, typer.Option(help="Of this project only.")] = None,
    run: Annotated[str | None, typer.Option(help="Of this run only.")] = None,
    html: Page = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", rich_help_panel=o.OUTPUT)] = False,
    as_json: o.AsJson = False,
) -> None:
    """Show what was spent and what is held. Dollars and vendors' own credits are never added up."""
    if by not in BY:
        raise typer.BadParameter(f"{by!r} is none of {', '.join(BY)}.", param_hint="--by")
    if as_csv and as_json:
        raise typer.BadParameter("--csv and --json are two ways to print the same: use one of them.")
    from pixelrouter import PixelRouter

    within: dict[str, Any] = {"since": since, "until": until, "project": project, "run": run}
    with PixelRouter() as router:
        rows = router.costs(by=cast("Literal['day', 'backend', 'run', 'asset', 'tag']", by), **within)
        page = router.write_costs(html, **within) if html else None
    if as_json:
        emit(rows)
    elif as_csv:
        from pixelrouter.reports.rows import as_csv as csv_of

        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(newline="")  # the lines have their ends already
        sys.stdout.write(csv_of(rows))
    elif page is None and not rows:
        say("Nothing was spent within these bounds." if any(within.values()) else "Nothing was spent yet.")
    elif page is None:
        _cost_table(by, rows)
    if page is not None:
        say(f"The page: {page}") if as_json or as_csv else print(page)


def _cost_table(by: str, rows: list[dict[str, Any]]) -> None:
    """What a person asks first; the other columns are in the CSV, the JSON and on the page."""
    odd = [name for name in ("unknown", "lost", "turned_down") if any(Decimal(row[name]) for row in rows)]
    cells = [
        [
            row["group"] or "-",
            *(_money(row[name], row["unit"]) for name in ("spent", "held", *odd)),
            _difference(row),
            row["attempts"],
            ", ".join(row["sources"]),
        ]
        for row in rows
    ]
    names = {"unknown": "of it unclear", "lost": "no image", "turned_down": "turned down"}
    table([by, "spent", "held", *(names[name] for name in odd), "over quote", "attempts", "as the cost is"], cells)


def _difference(row: dict[str, Any]) -> str:
    """How much more was billed than quoted; with a minus where it was less."""
    from pixelrouter.types import Money

    micros = int(Decimal(row["over_quote"]) * 1_000_000)
    sign = "-" if micros < 0 else ""
    return f"{sign}{Money(abs(micros), row['unit'])}"


def _money(amount: str, unit: Unit) -> str:
    from pixelrouter.types import Money

    return str(Money.of(amount, unit))
