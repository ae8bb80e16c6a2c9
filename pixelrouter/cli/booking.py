"""``costs``, ``jobs`` and ``resume``: what the ledger knows, and what can still be collected."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import tell
from pixelrouter.cli.exits import worst
from pixelrouter.cli.files import check_folder, save_named, slug
from pixelrouter.cli.output import command, emit, error_data, report, say, table
from pixelrouter.cli.waiting import progress
from pixelrouter.errors import IncompleteDelivery, PixelRouterError

if TYPE_CHECKING:
    from pixelrouter.types import Attempt, Unit

By = Annotated[str, typer.Option(metavar="day|backend|run", help="Add up by this.")]
AttemptId = Annotated[str | None, typer.Argument(metavar="ID", help="An attempt, as `pixelrouter jobs` lists it.")]


@command()
def costs(by: By = "day", as_json: o.AsJson = False) -> None:
    """Show what was spent and what is held. Dollars and vendors' own credits are never added up."""
    if by not in ("day", "backend", "run"):
        raise typer.BadParameter(f"{by!r} is none of day, backend, run.", param_hint="--by")
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        rows = router.costs(by=cast("Literal['day', 'backend', 'run']", by))
    if as_json:
        emit(rows)
    elif not rows:
        say("Nothing was spent yet.")
    else:
        cells = [
            [
                row["group"] or "-",
                *(_money(row[key], row["unit"]) for key in ("spent", "held")),
                _difference(row),
                row["attempts"],
                ", ".join(row["sources"]),
            ]
            for row in rows
        ]
        table([by, "spent", "held", "over quote", "attempts", "as the cost is"], cells)


@command()
def jobs(
    everything: Annotated[bool, typer.Option("--all", help="Finished attempts too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --all: at most this many, newest first.")] = 50,
    as_json: o.AsJson = False,
) -> None:
    """List attempts that are not finished: what runs, and what became unclear."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        attempts = router.attempts(limit=limit) if everything else router.jobs()
    if as_json:
        emit([attempt.as_dict() for attempt in attempts])
    elif not attempts:
        say("No attempts." if everything else "No unfinished jobs.")
    else:
        rows = [
            [a.id[:12], a.state, _time(a.created_at), a.backend, a.model or "-", a.cost, _short(a)] for a in attempts
        ]
        table(["id", "state", "started", "backend", "model", "cost", "prompt"], rows)


@command(pays=True)
def resume(
    attempt: AttemptId = None,
    everything: Annotated[bool, typer.Option("--all", help="Every unfinished job (the default without ID).")] = False,
    charged: Annotated[
        bool | None,
        typer.Option("--charged/--not-charged", help="You looked at the vendor's bill: close this unclear attempt."),
    ] = None,
    timeout: o.Timeout = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to save.")] = Path(),
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Collect jobs that were paid for and not delivered. Buys nothing."""
    if attempt and everything:
        raise typer.BadParameter("give an ID or --all, not both.")
    if charged is not None and not attempt:
        raise typer.BadParameter("--charged and --not-charged need the ID of one attempt.")
    if output.suffix.lower() == ".png":
        raise typer.BadParameter("several images may come: name a folder.", param_hint="--output")
    check_folder(output)
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        if attempt and charged is not None:
            closed = router.settle(attempt) if charged else router.release(attempt)
            emit(closed.as_dict()) if as_json else say(f"{closed.id} is {closed.state}: {closed.cost}")
            return 0
        with progress(quiet=quiet or as_json) as notify:
            results = router.resume(attempt, timeout_s=timeout, progress=notify)
    from pixelrouter.types import PixelArt

    done: list[dict[str, Any]] = []
    for result in results:
        if isinstance(result, PixelRouterError):
            done.append({"error": error_data(result)})
            if not as_json:
                report(result, pays=True)
        art = result.art if isinstance(result, IncompleteDelivery) else result
        if not isinstance(art, PixelArt):
            continue
        files = save_named(art, slug(art.request.prompt if art.request else ""), scale=scale, folder=output)
        done.append({**art.as_dict(), "files": [str(file) for file in files]})
        if not as_json:
            tell(art, files, quiet=quiet)
    if as_json:
        emit(done)
    elif not results and not quiet:
        say("No job to collect.")
    return worst(result for result in results if isinstance(result, PixelRouterError))


@command()
def cancel(
    attempt: Annotated[str, typer.Argument(metavar="ID", help="An attempt, as `pixelrouter jobs` lists it.")],
    as_json: o.AsJson = False,
) -> None:
    """Ask the vendor to stop a job, and book what it says. Not every vendor can."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        row = router.cancel(attempt)
    emit(row.as_dict()) if as_json else say(f"{row.id} is {row.state}: {row.cost}")


def _difference(row: dict[str, Any]) -> str:
    """How much more was billed than quoted; with a minus where it was less."""
    from pixelrouter.types import Money

    micros = int(Decimal(row["over_quote"]) * 1_000_000)
    sign = "-" if micros < 0 else ""
    return f"{sign}{Money(abs(micros), row['unit'])}"


def _money(amount: str, unit: Unit) -> str:
    from pixelrouter.types import Money

    return str(Money.of(amount, unit))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _short(attempt: Attempt) -> str:
    return attempt.prompt if len(attempt.prompt) <= 40 else f"{attempt.prompt[:39]}\N{HORIZONTAL ELLIPSIS}"
