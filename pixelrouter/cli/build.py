"""``plan``, ``build``, ``pick``, ``reroll`` and ``adopt``: a game's assets.toml on the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED, worst
from pixelrouter.cli.output import command, emit, error_data, report, say, table
from pixelrouter.errors import InvalidRequest, SpendingNotAllowed

if TYPE_CHECKING:
    from pixelrouter.assets import BuildStep, Built, Plan
    from pixelrouter.assets.building import Confirm

MONEY = o.MONEY
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Assets or patterns; all without.")]
Manifest = Annotated[
    Path | None, typer.Option("--manifest", "-m", metavar="FILE", help="The assets.toml, or its folder.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; needs --max-usd to spend.", rich_help_panel=MONEY)]
BuildUsd = Annotated[float | None, typer.Option("--max-usd", min=0, help="Most dollars.", rich_help_panel=MONEY)]
BuildGenerations = Annotated[
    float | None, typer.Option("--max-generations", min=0, help="Most generations.", rich_help_panel=MONEY)
]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="Its number, from 1.")]
By = Annotated[str | None, typer.Option("--by", metavar="WHO", help="Who decided; default: git's user.name.")]
_SHOWN = 40  # rows of a plan in a terminal


@command()
def plan(
    names: Names = None,
    manifest: Manifest = None,
    restyle: o.Restyle = False,
    force: Annotated[bool, typer.Option("--force", help="As with build.")] = False,
    upgrade_post: Annotated[bool, typer.Option("--upgrade-post", help="As with build.")] = False,
    all_rows: Annotated[bool, typer.Option("--all", help="List what there is nothing to do with, too.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Leave with 3 if there is something to do.")] = False,
    as_json: o.AsJson = False,
) -> int:
    """Say what a build would do and cost. Spends nothing, changes nothing."""
    from pixelrouter import assets

    found = assets.plan(manifest, names or None, restyle=restyle, force=force, upgrade_post=upgrade_post)
    if as_json:
        emit(found.as_dict())
    else:
        show(found, everything=all_rows)
    failed = [step.error for step in found.steps if step.error]
    return worst(failed) or (CHECK_FAILED if exit_code and not found.is_empty else 0)


@command(pays=True)
def build(
    names: Names = None,
    manifest: Manifest = None,
    yes: Yes = False,
    max_usd: BuildUsd = None,
    max_generations: BuildGenerations = None,
    locked: Annotated[bool, typer.Option("--locked", help="Fail if the lock would change. Spends nothing.")] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Everything again from lock and store; opens no socket.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only.", rich_help_panel=MONEY)] = False,
    upgrade_post: Annotated[
        bool, typer.Option("--upgrade-post", help="Finish everything with this version's post-processor. Free.")
    ] = False,
    restyle: o.Restyle = False,
    force: Annotated[bool, typer.Option("--force", help="Write over what was changed by hand.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget assets that the manifest no longer has, and delete their files.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Build again whenever the manifest changes.")] = False,
    concurrency: Annotated[int | None, typer.Option(min=1, max=256, help="Purchases at a time.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Processes that finish.")] = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Build what has changed: buy what is missing, finish the rest again for nothing, write the lock.

    It asks before it spends; --yes --max-usd N answers beforehand. Where CI is set it is --frozen, unless that and
    PIXELROUTER_ALLOW_SPEND=1 allow spending. The paths that were written are printed.
    """
    from pixelrouter import assets
    from pixelrouter.assets.building import CI_FROZEN, mode_of

    allowed = max_usd is not None or max_generations is not None
    asked = {**os.environ, "CI": ""}
    if not quiet and mode_of(locked=locked, frozen=frozen, allowed=allowed) != mode_of(
        locked=locked, frozen=frozen, allowed=allowed, env=asked
    ):
        say(CI_FROZEN)
    wish: dict[str, Any] = {
        "locked": locked,
        "frozen": frozen,
        "dry_run": dry_run,
        "upgrade_post": upgrade_post,
        "restyle": restyle,
        "force": force,
        "prune": prune,
        "concurrency": concurrency,
        "jobs": jobs,
    }

    def once(**limits: Any) -> Built:
        with steps(quiet=quiet or as_json) as progress:
            return assets.build(manifest, names or None, **wish, **limits, progress=progress)

    if watch:
        if as_json:
            raise InvalidRequest("--watch and --json exclude each other.")
        return _watch(manifest, once, max_usd if yes else None, quiet=quiet)
    confirm = None if yes and allowed else asking(as_json=as_json)
    return tell(once(max_usd=max_usd, max_generations=max_generations, confirm=confirm), quiet=quiet, as_json=as_json)


def _watch(manifest: Path | None, once: Callable[..., Built], max_usd: float | None, *, quiet: bool) -> int:
    """Build after every change. ``max_usd`` is for all of these builds together; without it, only what is free."""
    from decimal import Decimal

    from pixelrouter.assets.planning import total_words, usd
    from pixelrouter.assets.watching import watching

    left = None if max_usd is None else Decimal(str(max_usd))

    def again() -> int:
        nonlocal left
        try:
            built = once(max_usd=left) if left is not None else once()
        except SpendingNotAllowed as error:
            report(error, pays=True)
            built = once(free_only=True)
        if left is not None:
            left -= usd(built.spent)
            say(f"{total_words(built.spent)} spent, ${left} left.")
        return tell(built, quiet=quiet)

    return watching(manifest, again, lambda error: report(error, pays=True), say)


@command()
def pick(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The asset.")],
    number: Number,
    by: By = None,
    manifest: Manifest = None,
    as_json: o.AsJson = False,
) -> None:
    """Choose one of an asset's candidates. Free: its files are written again from what was bought."""
    from pixelrouter import assets

    entry = assets.pick(manifest, name, number, by=by)
    if as_json:
        emit({"asset": name, "pick": entry.pick.number, "by": entry.pick.by, "files": list(entry.outputs)})
        return
    say(f"{name}: candidate {entry.pick.number} of {len(entry.candidates)}, picked by {entry.pick.by}")
    print("\n".join(entry.outputs))


@command(pays=True)
def reroll(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Assets or patterns.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=64, help="How many more of each.")] = 1,
    manifest: Manifest = None,
    yes: Yes = False,
    max_usd: BuildUsd = None,
    max_generations: BuildGenerations = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw more candidates of an asset, to choose from with pick. Costs what a candidate costs."""
    from pixelrouter import assets

    allowed = max_usd is not None or max_generations is not None
    with steps(quiet=quiet or as_json) as progress:
        built = assets.reroll(
            manifest,
            names,
            count=count,
            max_usd=max_usd,
            max_generations=max_generations,
            confirm=None if yes and allowed else asking(as_json=as_json),
            progress=progress,
        )
    return tell(built, quiet=quiet, as_json=as_json)


@command()
def adopt(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The asset.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A PNG or .aseprite; without, the picture in its place.")
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Give it up: write the asset as it was bought.")] = False,
    note: Annotated[str, typer.Option("--note", help="A word for the lock.")] = "",
    by: By = None,
    manifest: Manifest = None,
    as_json: o.AsJson = False,
) -> None:
    """Keep what was drawn over by hand: builds leave the picture alone, and export it as it is."""
    from pixelrouter import assets

    entry = assets.release(manifest, name) if release else assets.adopt(manifest, name, file, by=by, note=note)
    if as_json:
        emit({"asset": name, "by_hand": list(entry.hand), "files": list(entry.outputs)})
        return
    say(
        f"{name}: {', '.join(entry.hand)} is kept as it was drawn"
        if entry.hand
        else f"{name}: written as it was bought"
    )
    print("\n".join(entry.outputs))


# --- words ---


def asking(*, as_json: bool) -> Confirm:
    """How the person is asked before money is spent; where nobody can answer, that is refused with the way out."""

    def confirm(found: Plan) -> bool:
        from pixelrouter.assets.planning import total_words, usd

        costs = total_words(found.costs)
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise SpendingNotAllowed(
                f"The build would cost {costs}{_unknown(found)}, and nobody is there to ask. Nothing was sent.",
                costs={unit: str(money.amount) for unit, money in found.costs.items()},
                hint=f"`pixelrouter plan` shows it; `--yes --max-usd {usd(found.costs)}` allows it.",
            )
        show(found, out=say)
        print(f"Spend {costs}{_unknown(found)}? [y/N] ", end="", file=sys.stderr, flush=True)  # stdout is for data
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return confirm


def _unknown(found: Plan) -> str:
    if not found.unpriced:
        return ""
    names = ", ".join(found.unpriced[:3]) + (" …" if found.unpriced[3:] else "")
    return f" and what nobody can say for {names}"


def show(found: Plan, *, everything: bool = False, out: Callable[[str], None] | None = None) -> None:
    """A plan as a table, and its sum in words."""
    from pixelrouter.assets.planning import WORDS, total_words

    rows = [step for step in found.steps if everything or step.state != "ready"]
    if rows and out is None:
        cells = [[WORDS[s.state], s.asset.name, _count(s), _price(s), "; ".join(s.reasons)] for s in rows]
        table(["", "asset", "candidates", "costs", "why"], cells)
    elif rows and out is not None:
        for step in rows[:_SHOWN]:
            out(f"  {WORDS[step.state]:<20} {step.asset.name}  {_price(step)}  {'; '.join(step.reasons)}")
        if rows[_SHOWN:]:
            out(f"  and {len(rows) - _SHOWN} more")
    counts = {word: len(found.of(state)) for state, word in WORDS.items()}
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    say(f"{', '.join(parts) or 'no assets'}. It costs {total_words(found.costs)}{_unknown(found)}.")
    for name in found.orphans:
        say(f"{name} is locked and no longer in the manifest; `pixelrouter build --prune` removes it.")
    for name in found.atlases:
        say(f"The atlas {name} is to be packed, free.")


def _count(step: Any) -> str:
    kept, missing = len(step.kept), len(step.missing)
    return f"{kept}+{missing}" if missing else str(kept)


def _price(step: Any) -> str:
    if not step.missing:
        return "-"
    if step.waits_for and not step.quotes:
        return "?"
    amounts = " + ".join(str(money) for money in step.costs().values() if money)
    notes = [
        note for note, true in (("price unknown", step.unpriced), (f"{step.reused} paid before", step.reused)) if true
    ]
    return " ".join([amounts or "free", *(f"({note})" for note in notes)])


def tell(built: Built, *, quiet: bool, as_json: bool = False) -> int:
    """What a build came to; its exit code."""
    if as_json:
        emit({**built.as_dict(), "errors": {name: error_data(error) for name, error in built.errors.items()}})
        return worst(built.errors.values())
    if built.dry_run:
        show(built.plan)
        return worst(built.errors.values())
    for path in built.written:
        print(path)
    for error in built.errors.values():
        report(error, pays=True)
    if not quiet:
        say(_summary(built))
        waiting = built.unpicked
        if waiting:
            more = f" and {len(waiting) - 5} more" if waiting[5:] else ""
            say(
                f"{', '.join(waiting[:5])}{more}: the first of several candidates is used. `pixelrouter gallery` shows "
                "them, `pixelrouter pick NAME NUMBER` chooses."
            )
    return worst(built.errors.values())


def _summary(built: Built) -> str:
    from pixelrouter.assets.planning import total_words

    bought = sum(built.bought.values())
    parts = [
        f"{bought} drawn" if bought else "",
        f"{built.reused} paid before" if built.reused else "",
        f"{len(built.written)} files written" if built.written else "",
        f"{len(built.removed)} removed" if built.removed else "",
        f"{len(built.errors)} failed" if built.errors else "",
    ]
    return f"{', '.join(filter(None, parts)) or 'nothing to do'}. Cost: {total_words(built.spent)}."


@contextmanager
def steps(*, quiet: bool) -> Iterator[Callable[[BuildStep], None] | None]:
    """The callback to hand to a build, which draws how far it is and what it has cost; None where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from pixelrouter.assets.planning import total_words

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[spent]}", markup=False),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    task = bar.add_task("building", total=None, spent="")

    def update(step: BuildStep) -> None:
        bar.start()  # only now: a question may have been asked before
        words = f"{step.doing} {step.asset[:30]}"
        bar.update(task, description=words, total=step.total, completed=step.done, spent=total_words(step.spent))

    try:
        yield update
    finally:
        bar.stop()
