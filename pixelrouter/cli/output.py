"""What reaches the terminal: data on stdout, messages on stderr, and errors as one clear sentence."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec

import typer

from pixelrouter.cli.exits import BUG, exit_code
from pixelrouter.errors import (
    AllFailed,
    ChargedWithoutImage,
    JobFailed,
    OutcomeUnknown,
    PixelRouterError,
    QualityRejected,
    redact,
)
from pixelrouter.routing.interrupts import Terminated

P = ParamSpec("P")
_NOTHING = (
    "No job of this command waits at a vendor: run it again, and what was paid for is reused. "
    "`pixelrouter resume` collects what earlier ones left."
)


def say(message: str) -> None:
    """One message for the person, on stderr."""
    print(printable(message), file=sys.stderr)


def emit(data: Any) -> None:
    """Data as JSON, on stdout."""
    print(json.dumps(data, indent=2, default=str))


def printable(text: str) -> str:
    """``text`` without control characters: a vendor's message must not steer the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows as a table on stdout: fitted to a terminal, one whole line a row in a pipe."""
    from rich import box  # loaded here, since most commands never draw a table
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    piped = not sys.stdout.isatty()
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        grid.add_column(column, no_wrap=piped, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(printable(str(cell))) for cell in row))  # Text: nothing in a cell is markup
    console = Console(width=1000 if piped else None)
    with console.capture() as drawn:  # printed by ourselves: rich turns a reader that left into exit code 1
        console.print(grid, highlight=False)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def money_line(error: PixelRouterError) -> str:
    """Did money move? In words, with the amount where the error knows it."""
    if isinstance(error, JobFailed):
        if error.charged is None:
            return "the vendor does not say whether it charged; `pixelrouter costs` shows what is booked"
        return f"{error.charged} was charged" if error.charged else "nothing was charged"
    if isinstance(error, AllFailed):
        return "; ".join(dict.fromkeys(money_line(e) for e in error.errors)) or "nothing was charged"
    if isinstance(error, ChargedWithoutImage | QualityRejected) and error.charged is not None:
        return f"{error.charged} was charged" if error.charged else "nothing was charged"
    if isinstance(error, OutcomeUnknown) and error.held is not None:
        return f"{error.held} is held until the outcome is known"
    return {
        "no": "nothing was charged",
        "yes": "the request was charged",
        "held": "the amount is held until the outcome is known",
        "see": "`pixelrouter costs` shows what is booked",
    }[error.money]


def error_data(error: BaseException) -> dict[str, Any]:
    """An error as JSON-ready data, with its exit code."""
    if isinstance(error, PixelRouterError):
        return {**error.as_dict(), "exit_code": exit_code(error)}
    message = interrupted(error) if isinstance(error, KeyboardInterrupt) else redact(str(error))
    return {"type": type(error).__name__, "message": message, "money": "see", "exit_code": exit_code(error)}


def interrupted(error: KeyboardInterrupt) -> str:
    """What an interruption left behind, and how to have it."""
    word = "Terminated." if isinstance(error, Terminated) else "Interrupted."
    notes: list[str] = getattr(error, "__notes__", [])
    return " ".join([word, *map(redact, notes or [_NOTHING])])


def report(error: BaseException, *, pays: bool = False, prefix: str = "") -> None:
    """An error on stderr. ``pays``: the command could have cost something, so the money is always mentioned."""
    if isinstance(error, KeyboardInterrupt):
        say(interrupted(error))
    elif isinstance(error, PixelRouterError):
        say(f"error: {prefix}{error.message}")
        if error.hint:
            say(f"hint:  {error.hint}")
        if pays or error.money != "no":
            say(f"money: {money_line(error)}")
    else:
        say(redact("".join(traceback.format_exception(error))))
        say("error: this is a bug in pixelrouter. Please report the traceback above.")


def command(*, pays: bool = False) -> Callable[[Callable[P, int | None]], Callable[P, None]]:
    """Make a function a command: its errors become one message and an exit code, its result the exit code.

    With ``--json`` (the parameter ``as_json``) an error is the object ``{"error": {...}}`` on stdout as well.
    """

    def decorate(function: Callable[P, int | None]) -> Callable[P, None]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                code = function(*args, **kwargs) or 0
                sys.stdout.flush()
            except BrokenPipeError:
                # The reader (`| head`) has had enough. Python would fail again when it flushes at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                code = 0
            except (Exception, KeyboardInterrupt) as error:
                if isinstance(error, typer.Exit | typer.BadParameter):
                    raise
                if kwargs.get("as_json"):
                    emit({"error": error_data(error)})
                if not kwargs.get("as_json") or exit_code(error) == BUG:
                    report(error, pays=pays)
                code = exit_code(error)
            raise typer.Exit(code)

        return wrapped

    return decorate
