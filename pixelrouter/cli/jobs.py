"""``jobs``, ``resume`` and ``cancel``: what was begun and not brought home, and how to have it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import tell
from pixelrouter.cli.exits import worst
from pixelrouter.cli.files import check_folder, save_named, slug
from pixelrouter.cli.output import command, emit, error_data, report, say, table
from pixelrouter.cli.waiting import progress
from pixelrouter.errors import IncompleteDelivery, PixelRouterError

if TYPE_CHECKING:
    from pixelrouter.types import Attempt, PixelArt

AttemptId = Annotated[str | None, typer.Argument(metavar="ID", help="An attempt, as `pixelrouter jobs` lists it.")]
_AGES = (("d", 24 * 3600), ("h", 3600), ("min", 60), ("s", 1))


@command()
def jobs(
    everything: Annotated[bool, typer.Option("--all", help="Finished attempts too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --all: at most this many, newest first.")] = 50,
    as_json: o.AsJson = False,
) -> None:
    """List attempts that are not finished: what runs, what became unclear, and what to do about each."""
    from pixelrouter import PixelRouter

    now = time.time()
    with PixelRouter() as router:
        attempts = router.attempts(limit=limit) if everything else router.jobs()
        advice = [router.advice(attempt) for attempt in attempts]
    if as_json:
        pairs = zip(attempts, advice, strict=True)
        emit([{**row.as_dict(), "age_s": round(now - row.created_at, 3), "next": next_} for row, next_ in pairs])
    elif not attempts:
        say("No attempts." if everything else "No unfinished jobs.")
    else:
        labelled = any(row.asset or row.tags for row in attempts)
        rows = [
            [
                row.id[:12],
                row.state,
                _age(now - row.created_at),
                row.backend,
                row.model or "-",
                row.cost,
                next_,
                *([_labels(row)] if labelled else []),
                _short(row),
            ]
            for row, next_ in zip(attempts, advice, strict=True)
        ]
        cost = "cost" if everything else "held"
        heads = ["id", "state", "age", "backend", "model", cost, "what now", *(["for"] * labelled), "prompt"]
        table(heads, rows)


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
        # Oldest first, as vendors do not keep results for long; each is saved before the next is waited for.
        rows = [attempt] if attempt else [row.id for row in reversed(router.jobs())]
        outcomes: list[PixelArt | PixelRouterError] = []
        done: list[dict[str, Any]] = []
        for row in rows:
            with progress(quiet=quiet or as_json) as notify:
                results = router.resume(row, timeout_s=timeout, progress=notify)
            outcomes += results
            for result in results:
                done += _saved(result, output, scale, as_json=as_json, quiet=quiet)
    if as_json:
        emit(done)
    elif not outcomes and not quiet:
        say("No job to collect.")
    return worst(result for result in outcomes if isinstance(result, PixelRouterError))


def _saved(
    result: PixelArt | PixelRouterError, folder: Path, scale: int, *, as_json: bool, quiet: bool
) -> list[dict[str, Any]]:
    """Save what came, and tell of it or of why it did not; the same as data."""
    told: list[dict[str, Any]] = []
    art: PixelArt | None
    if isinstance(result, PixelRouterError):
        told.append({"error": error_data(result)})
        if not as_json:
            report(result, pays=True)
        art = result.art if isinstance(result, IncompleteDelivery) else None
    else:
        art = result
    if art is not None:
        files = save_named(art, _name(art), scale=scale, folder=folder)
        told.append({**art.as_dict(), "files": [str(file) for file in files]})
        if not as_json:
            tell(art, files, quiet=quiet)
    return told


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


def _age(seconds: float) -> str:
    unit, size = next((pair for pair in _AGES if seconds >= pair[1]), _AGES[-1])
    return f"{max(0, int(seconds // size))} {unit}"


def _name(art: PixelArt) -> str:
    """What its files are called: by what the sprite is for, else by its prompt, else by what was done."""
    asset = art.attempts[-1].asset if art.attempts else ""
    request = art.request
    return slug(asset or (request.prompt or request.task.replace("_", " ") if request else ""))


def _labels(attempt: Attempt) -> str:
    """What it is for: the asset, then the tags."""
    return " ".join([attempt.asset, *(f"#{tag}" for tag in attempt.tags)]).strip() or "-"


def _short(attempt: Attempt) -> str:
    return attempt.prompt if len(attempt.prompt) <= 40 else f"{attempt.prompt[:39]}\N{HORIZONTAL ELLIPSIS}"
