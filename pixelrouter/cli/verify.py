"""``verify``: a build's files held against manifest and lock, offline; the exit code says whether they are fit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED
from pixelrouter.cli.output import command, emit, say, table
from pixelrouter.errors import StoreError

if TYPE_CHECKING:
    from pixelrouter.assets.verification import VerifyReport

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME|PATTERN…]", help="Assets; default: all.", show_default=False)
]
Manifest = Annotated[Path, typer.Option("--manifest", "-m", metavar="FILE", help="The manifest.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="RULE[:PATTERN]", help="Leave a rule out, for all or for some assets or files."),
]
MaxJitter = Annotated[
    float | None, typer.Option(min=0, help="Pixels that feet may stray: 4 % of the cell's height, at least 1.")
]
MaxSeam = Annotated[float | None, typer.Option(min=0, help="Highest seam score that passes: 0.5.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes for many files; default: one a core.")]
Junit = Annotated[
    Path | None, typer.Option(metavar="FILE.xml", help="Write a JUnit report as well.", rich_help_panel=o.OUTPUT)
]
Github = Annotated[
    bool | None,
    typer.Option(
        "--github/--no-github", help="Annotations for GitHub; default: in GitHub Actions.", rich_help_panel=o.OUTPUT
    ),
]


@command()
def verify(
    names: Names = None,
    manifest: Manifest = Path("assets.toml"),
    strict: Strict = False,
    ignore: Ignore = None,
    max_jitter: MaxJitter = None,
    max_seam: MaxSeam = None,
    jobs: Jobs = None,
    junit: Junit = None,
    github: Github = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Say whether the files of a build are what manifest and lock say, and fit for a game. Free, offline, no key.

    Leaves with 3 if they are not.
    """
    from pixelrouter.assets.verification import verify as run

    report = run(
        manifest,
        names or None,
        strict,
        ignore=ignore or (),
        max_jitter=max_jitter,
        max_seam=max_seam,
        jobs=jobs,
    )
    if junit is not None:
        _save_junit(report, junit)
    if as_json:
        emit(report.as_dict())
    else:
        _tell(report, quiet=quiet)
    if github if github is not None else os.environ.get("GITHUB_ACTIONS") == "true":
        _annotate(report, manifest, to_stderr=as_json)
    return 0 if report.passed else CHECK_FAILED


def _save_junit(report: VerifyReport, path: Path) -> None:
    from pixelrouter.assets.verification.formats import junit
    from pixelrouter.files import write_whole

    try:
        write_whole(path, junit(report).encode())
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}.") from error


def _annotate(report: VerifyReport, manifest: Path, *, to_stderr: bool) -> None:
    """GitHub reads commands from either stream; data on stdout stays data."""
    from pixelrouter.assets.verification.formats import github

    root = Path(os.environ.get("GITHUB_WORKSPACE", "."))
    for line in github(report, root, manifest.absolute().parent):
        say(line) if to_stderr else print(line)


def _tell(report: VerifyReport, *, quiet: bool) -> None:
    """The issues as a table on stdout; on stderr what to do about each, and the sum."""
    if report.issues:
        rows = [
            (
                one.severity,
                one.asset or "-",
                f"{one.file}:{one.line}" if one.file and one.line else one.file or "-",
                one.rule,
                one.message,
            )
            for one in report.issues
        ]
        table(("", "asset", "place", "rule", "what is wrong"), rows)
    if quiet:
        return
    told = [(one.asset, one.rule, one.advice) for one in report.issues]
    for asset, rule, advice in dict.fromkeys(told):
        say(f"{asset or 'the build'}, {rule}: {advice}")
    for file in report.adopted:
        say(f"adopted: {file}")
    parts = (f"{len(report.assets)} assets", f"{report.files} files", f"{len(report.errors)} errors")
    verdict = "passed" if report.passed else "failed"
    say(f"{verdict}: {', '.join(parts)}, {len(report.warnings)} warnings")
