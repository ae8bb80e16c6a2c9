"""``finish``: image files, whole folders or a pipe through the post-processor, without any vendor."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import INTERRUPTED, worst
from pixelrouter.cli.output import command, emit, error_data, report, say
from pixelrouter.cli.sources import PIPE, Plan, check_page, check_picture, plan
from pixelrouter.cli.waiting import counting
from pixelrouter.errors import InvalidRequest, PixelRouterError

if TYPE_CHECKING:
    from pixelrouter.pixels import FinishSpec
    from pixelrouter.pixels.batch.batch import BatchReport, FileResult, Step
    from pixelrouter.pixels.batch.executors import Executor

BATCH = "Many files"
_SHOWN = 4  # so many results are drawn in a terminal, and files named in a note

Sources = Annotated[
    list[Path],
    typer.Argument(metavar="FILE|FOLDER|PATTERN…|-", help="Image files, folders of them, or - .", show_default=False),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER|-",
        help="Default: NAME-finished.png beside the file.",
        rich_help_panel=o.OUTPUT,
    ),
]
Explain = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html|FILE.png|FOLDER",
        help="Write a page or a picture that shows what was done.",
        rich_help_panel=o.OUTPUT,
    ),
]
SharedPalette = Annotated[
    bool, typer.Option("--shared-palette", help="One palette over all files.", rich_help_panel=BATCH)
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Files at a time. Default: one a core.", rich_help_panel=BATCH)]
ExecutorName = Annotated[
    str | None, typer.Option("--executor", metavar="local|ray", help="Who does the work.", rich_help_panel=BATCH)
]
RayAddress = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="A running Ray cluster, auto for one here.", rich_help_panel=BATCH)
]


@command()
@o.with_finishing
def finish(
    sources: Sources,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    output: Output = None,
    scale: o.Scale = 1,
    explain: Explain = None,
    shared_palette: SharedPalette = False,
    jobs: Jobs = None,
    executor: ExecutorName = None,
    ray_address: RayAddress = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    *,
    finishing: Mapping[str, Any],
) -> int:
    """Turn images into real pixel art. Free and offline; without --size the native size is found.

    A folder is finished on all cores into the folder -o, and what is done already is skipped the next time.
    """
    with _calm():
        from pixelrouter.pixels import FinishSpec

        wish: dict[str, Any] = {
            "size": o.finished_size(size),
            "palette": o.palette_value(palette),
            "transparent": transparent,
            **({"colors": colors} if colors else {}),  # else the post-processor's own default
            **finishing,
        }
        spec = FinishSpec(**wish)
        if PIPE in sources or output == PIPE:
            if as_json and output in (None, PIPE):
                raise InvalidRequest("stdout cannot hold the image and JSON.", hint="Save the image: -o NAME.png.")
            return _pipe(sources, spec, output, scale, explain, as_json=as_json)
        workers = _executor(executor, jobs, ray_address)
        files = plan(sources, output, explain)
        return _batch(files, spec, workers, scale=scale, shared=shared_palette, as_json=as_json, quiet=quiet)


@contextmanager
def _calm() -> Iterator[None]:
    """An interruption before any file is done: no vendor is involved, so there is little to say."""
    try:
        yield
    except KeyboardInterrupt:
        say("Interrupted. Nothing was finished yet.")
        raise typer.Exit(INTERRUPTED) from None


def _executor(name: str | None, jobs: int | None, address: str | None) -> Executor | None:
    """Who does the work; None for what suits the number of files."""
    if name not in (None, "local", "ray"):
        raise typer.BadParameter(f"{name!r} is no executor: use local or ray.", param_hint="--executor")
    if address and name == "local":
        raise typer.BadParameter("--ray-address goes with --executor ray.", param_hint="--ray-address")
    if not (name or jobs or address):
        return None
    from pixelrouter.pixels.batch.executors import executor

    return executor("ray" if address else name or "local", jobs=jobs, address=address)


def _batch(
    plan: Plan, spec: FinishSpec, executor: Executor | None, *, scale: int, shared: bool, as_json: bool, quiet: bool
) -> int:
    from pixelrouter.pixels.batch.batch import finish_files, write_index
    from pixelrouter.pixels.batch.journal import Journal

    if plan.ignored and not quiet:
        names = ", ".join(path.name for path in plan.ignored[:_SHOWN])
        more = ", …" if len(plan.ignored) > _SHOWN else ""
        say(f"note: left out, since they are no images: {len(plan.ignored)} ({names}{more})")
    teller = _Teller(plan, as_json=as_json, quiet=quiet)
    journal = Journal(plan.folder) if plan.folder else None
    with counting(quiet=quiet or as_json or len(plan.items) < 2) as bar:
        teller.bar = bar

        try:
            result = finish_files(
                plan.items, spec, executor, teller.step, scale=scale, shared_palette=shared, journal=journal
            )
        except KeyboardInterrupt:
            teller.bar = None
            teller.interrupted = True
    if teller.interrupted:
        return teller.interruption()
    if plan.pages:
        write_index(plan.pages, result)
    return teller.end(result)


class _Teller:
    """Tells what becomes of the files, in their order, whichever is done first."""

    def __init__(self, plan: Plan, *, as_json: bool, quiet: bool) -> None:
        self.plan = plan
        self.as_json = as_json
        self.quiet = quiet
        self.bar: Any = None
        self.interrupted = False
        self.waiting: dict[int, FileResult] = {}
        self.told = 0

    def step(self, step: Step) -> None:
        """Takes note of one file. With a bar on the screen everything is told at the end."""
        if self.bar:
            self.bar(step)
        if step.result is not None:
            self.waiting[step.index] = step.result
            if not self.bar and not self.as_json:
                self.tell()

    def tell(self) -> None:
        """The results that are next, as far as they are there."""
        while self.told in self.waiting:
            self._file(self.waiting[self.told])
            self.told += 1

    def _file(self, result: FileResult) -> None:
        report = result.report
        if result.error is not None or report is None:
            return  # at the end, where it is seen
        if not self.quiet and not result.skipped:
            if len(self.plan.items) <= _SHOWN:
                _preview(result.files[0])
            sizes = f"{report.source_size[0]}x{report.source_size[1]} -> {report.size[0]}x{report.size[1]}"
            colours = f"{report.colors_before} -> {report.colors_after} colours"
            say(f"{result.source.name} | {sizes} | {colours} | {report.method}, confidence {report.confidence:.2f}")
            for warning in report.warnings:
                say(f"warning: {warning}")
        for path in result.files:
            print(path)

    def end(self, result: BatchReport) -> int:
        """Everything that is left to say. Returns the exit code."""
        if self.as_json:
            emit([_row(each) for each in result.results])
        else:
            self.tell()
            for source, error in result.errors.items():
                _say_error(error, prefix=f"{source}: " if len(self.plan.items) > 1 else "")
            if len(self.plan.items) > 1 and not self.quiet:
                parts = {"finished": result.finished, "unchanged": result.skipped, "failed": len(result.errors)}
                say(", ".join(f"{count} {word}" for word, count in parts.items() if count))
            if not self.plan.items:
                say("note: no images were found.")
        return worst(result.errors.values())

    def interruption(self) -> int:
        """What to say where Ctrl-C ended the work. Returns the exit code."""
        if self.as_json:
            emit([_row(self.waiting[at]) for at in sorted(self.waiting)])
        else:
            self.tell()
        done = sum(result.error is None for result in self.waiting.values())
        say(f"Interrupted. {done} of {len(self.plan.items)} files are done and kept.")
        if self.plan.folder:
            say("hint:  Run the same command again to finish the rest.")
        return INTERRUPTED


def _row(result: FileResult) -> dict[str, Any]:
    row = result.as_dict()
    return row if result.error is None else {**row, "error": error_data(result.error)}


def _say_error(error: Exception, *, prefix: str = "") -> None:
    """An error of one file. Nothing was paid here, so there is no money to talk about."""
    if not isinstance(error, PixelRouterError):
        report(error, prefix=prefix)
        return
    say(f"error: {prefix}{error.message}")
    if error.hint:
        say(f"hint:  {error.hint}")


def _preview(path: Path) -> None:
    if not sys.stdout.isatty():
        return
    from PIL import Image

    from pixelrouter.cli.preview import show

    with Image.open(path) as image:
        show([image.convert("RGBA")])


def _pipe(
    sources: list[Path], spec: FinishSpec, output: Path | None, scale: int, explain: Path | None, *, as_json: bool
) -> int:
    """One image from stdin, or to stdout, or both."""
    from pixelrouter.pixels.batch.job import Job, make
    from pixelrouter.pixels.batch.journal import write
    from pixelrouter.pixels.decode import MAX_BYTES, read_file

    if len(sources) != 1:
        raise InvalidRequest("A pipe takes one image.", hint="Name files and a folder for several.")
    source = sources[0]
    target = None if output in (None, PIPE) else output
    if target is not None:
        check_picture(target)
    elif sys.stdout.isatty():
        raise InvalidRequest("An image is nothing for a terminal.", hint="Save it: -o NAME.png, or pipe it on.")
    if explain:
        check_page(explain)
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if source == PIPE else read_file(source)
    name = "stdin" if source == PIPE else source.name
    ending = target.suffix if target else ""
    made = make(Job(name, data, spec, scale, ending, explain.suffix.lower() if explain else ""))
    if explain:
        write(explain, made.explanation)
    if target is None:
        sys.stdout.buffer.write(made.data)
        sys.stdout.buffer.flush()
        return 0
    write(target, made.data)
    if as_json:
        emit([{"source": str(source), "files": [str(target)], "palette": made.palette, **made.report.as_dict()}])
    else:
        print(target)
    return 0
