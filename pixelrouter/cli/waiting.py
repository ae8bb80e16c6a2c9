"""The progress bar while a request is under way: on stderr, only on a terminal, gone when it is over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixelrouter.pixels.batch.batch import Step
    from pixelrouter.routing.events import ProgressEvent

WORDS = {
    "reuse": "looking for an earlier purchase",
    "quote": "asking for the price",
    "submit": "sending the request",
    "wait": "waiting for the image",
    "download": "downloading",
    "draw": "drawing",
    "finish": "finishing",
}


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[ProgressEvent], None] | None]:
    """The callback to hand to the router; None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # loaded only where there is a terminal to draw on
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def update(event: ProgressEvent) -> None:
            words = event.message or WORDS.get(event.stage, event.stage)
            total = None if event.fraction is None else 1.0
            bar.update(task, description=f"{event.backend}: {words}", total=total, completed=event.fraction or 0.0)

        yield update


@contextmanager
def counting(*, quiet: bool) -> Iterator[Callable[[Step], None] | None]:
    """The callback to hand to a batch, which draws how many files are done; None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(32), MofNCompleteColumn(), TimeRemainingColumn())
    words = {"palette": "counting colours", "finish": "finishing"}
    # stdout stays what it is: it may be a pipe, and this is stderr's terminal.
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("starting", total=None)

        def update(step: Step) -> None:
            bar.update(task, description=words.get(step.stage, step.stage), total=step.total, completed=step.done)

        yield update
