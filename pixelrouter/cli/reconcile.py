"""``reconcile``: what became of paid requests whose answers were lost, how sure that is, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import tell
from pixelrouter.cli.exits import exit_code, worst
from pixelrouter.cli.files import check_folder, save_named, slug
from pixelrouter.cli.output import command, emit, error_data, say, table
from pixelrouter.cli.waiting import progress
from pixelrouter.errors import OutcomeUnknown

if TYPE_CHECKING:
    from pixelrouter.routing.recovering.reconcile import Reconciled

_MEANS = {"list": "vendor's list", "resend": "idempotency key", "balance": "balance", "hand": "by hand", "": "-"}


@command(pays=True)
def reconcile(
    attempt: Annotated[
        str | None, typer.Argument(metavar="ID", help="An attempt, as `pixelrouter jobs` lists it.")
    ] = None,
    accept: Annotated[
        str | None, typer.Option(metavar="likely", help="Take what is only likely for certain, and enter it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and enter nothing.")] = False,
    timeout: o.Timeout = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to save images.")] = Path(),
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Find out what lost requests came to, by each vendor's own means. Buys nothing; collects what is found."""
    if accept not in (None, "likely"):
        raise typer.BadParameter(f"{accept!r} is not 'likely'.", param_hint="--accept")
    if output.suffix.lower() == ".png":
        raise typer.BadParameter("several images may come: name a folder.", param_hint="--output")
    check_folder(output)
    from pixelrouter import PixelRouter

    word = cast("Literal['likely'] | None", accept)
    done: list[tuple[Reconciled, list[str]]] = []
    with PixelRouter() as router:
        for row in router.unsettled(attempt):  # each is saved before the next is asked about
            with progress(quiet=quiet or as_json) as notify:
                made = router.reconcile(row.id, accept=word, dry_run=dry_run, timeout_s=timeout, progress=notify)
            done += [(one, _saved(one, output, scale, quiet=quiet or as_json)) for one in made]
    if as_json:
        emit([_data(one, files) for one, files in done])
    elif not done:
        say("No attempt of unknown outcome.")
    else:
        _show([one for one, _ in done], quiet=quiet)
        for file in (file for _, files in done for file in files):
            print(file)
    return _exit_code([one for one, _ in done])


def _saved(one: Reconciled, folder: Path, scale: int, *, quiet: bool) -> list[str]:
    if one.art is None:
        return []
    name = slug(one.attempt.asset or one.attempt.prompt)
    files = save_named(one.art, name, scale=scale, folder=folder)
    if not quiet:
        tell(one.art, [], quiet=False)
    return [str(file) for file in files]


def _data(one: Reconciled, files: list[str]) -> dict[str, Any]:
    error = {"error": error_data(one.error)} if one.error else {}
    return {**one.as_dict(), **error, "settled": one.settled, "files": files}


def _show(done: list[Reconciled], *, quiet: bool) -> None:
    """The table on stdout; on stderr, what each verdict rests on."""
    rows = [
        [
            one.attempt.id[:12],
            one.attempt.backend,
            one.attempt.cost,
            one.attempt.state,
            one.evidence.outcome,
            one.evidence.sure or "-",
            _MEANS[one.evidence.means],
            _next(one),
        ]
        for one in done
    ]
    table(["attempt", "backend", "amount", "now", "verdict", "how sure", "by", "what to do next"], rows)
    if not quiet:
        for one in done:
            if one.evidence.words:
                say(f"{one.attempt.id[:12]}: {one.evidence.text}")


def _next(one: Reconciled) -> str:
    if one.settled and one.evidence.outcome != "charged":
        collected = "nothing: the image is here" if one.art else "`pixelrouter resume` collects it"
        return collected if one.evidence.outcome == "found" else "nothing: the money is free again"
    takes = one.evidence.outcome == "found" and not one.evidence.next  # a dry run
    return one.evidence.next or ("`pixelrouter reconcile` collects it" if takes else "-")


def _exit_code(done: list[Reconciled]) -> int:
    """0 where every outcome is known and nothing was lost; else as the error of the first that is not."""
    code = worst(one.error for one in done if one.error is not None)
    open_ones = any(not one.settled for one in done)
    return code or (exit_code(OutcomeUnknown("")) if open_ones else 0)
