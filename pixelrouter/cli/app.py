"""The application: every command by name, and the console entry point."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer

from pixelrouter.cli.booking import costs
from pixelrouter.cli.build import adopt, build, pick, plan, reroll
from pixelrouter.cli.check import check
from pixelrouter.cli.dataset import dataset
from pixelrouter.cli.explain import explain
from pixelrouter.cli.finish import finish
from pixelrouter.cli.gallery import gallery
from pixelrouter.cli.generate import generate, quote
from pixelrouter.cli.info import backends, balance, doctor, prices
from pixelrouter.cli.init import init
from pixelrouter.cli.jobs import cancel, jobs, resume
from pixelrouter.cli.palette import palette
from pixelrouter.cli.reconcile import reconcile
from pixelrouter.cli.report import provenance, report
from pixelrouter.cli.schema import schema
from pixelrouter.cli.sheet import sheet
from pixelrouter.cli.tasks import animate, edit, inpaint, remove_background, rotate, tileset
from pixelrouter.cli.tile import tile
from pixelrouter.cli.verify import verify
from pixelrouter.routing.interrupts import terminate

app = typer.Typer(
    name="pixelrouter",
    help="One call from prompt to finished pixel art, paid at most once.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
DRAWING: tuple[Callable[..., object], ...] = (
    *(generate, edit, inpaint, rotate, animate, tileset, remove_background),
    *(quote, explain, finish, check),
)
BOOKS: tuple[Callable[..., object], ...] = (costs, prices, balance, jobs, resume, reconcile, cancel, doctor, backends)
BUILDING: tuple[Callable[..., object], ...] = (init, schema, plan, build, pick, reroll, adopt, gallery, verify, report)
for run in (*DRAWING, *BOOKS, *BUILDING):
    app.command(run.__name__.replace("_", "-"))(run)
app.add_typer(palette)
app.add_typer(sheet)
app.add_typer(tile)
app.add_typer(provenance)
app.add_typer(dataset)


def _version(wanted: bool) -> None:
    if wanted:
        from pixelrouter import __version__

        print(f"pixelrouter {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One call from prompt to finished pixel art, paid at most once."""


def main() -> None:
    """The console script. Leaves with one of the exit codes in :mod:`pixelrouter.cli.exits`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console of few letters must not turn a message into a crash
    signal.signal(signal.SIGTERM, terminate)
    log = logging.getLogger("pixelrouter")  # what `observe = ["logging"]` says, and warnings, are messages: stderr
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    app()
