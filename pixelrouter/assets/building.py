"""The build: what the plan says, done; and the lock, which says what was done.

Money first: what would be spent is known before anything is sent, somebody has to have allowed it, and the router's
ledger has each purchase on disk before its first byte leaves. The lock is written as candidates come, so whatever is
killed, the next build finds what was paid for: in the lock, or in the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from pixelrouter.assets.asset import Manifest
from pixelrouter.assets.lock import Lock, read_lock
from pixelrouter.assets.planning import Plan, Step, look, total_words, usd, with_sources
from pixelrouter.assets.run import Progress, Run, door_of
from pixelrouter.errors import InvalidRequest, LockMismatch, PixelRouterError, SpendingNotAllowed
from pixelrouter.types import Money, Unit

if TYPE_CHECKING:
    from pixelrouter.routing.router import PixelRouter

Mode = Literal["open", "locked", "frozen"]
ALLOW = "PIXELROUTER_ALLOW_SPEND"
CI_FROZEN = (
    "CI is set, so the build is frozen: it makes everything again from lock and store, and spends nothing. To spend "
    f"there, give --max-usd and set {ALLOW}=1."
)
_NO = frozenset({"", "0", "false", "no", "off"})


#: Asked before money is spent; True allows what the plan says it costs.
Confirm = Callable[[Plan], bool]


@dataclass(frozen=True)
class Built:
    """What a build came to. ``written`` and ``removed`` are paths relative to the manifest's folder.

    ``spent`` is what this build cost, by unit. ``errors`` are by asset: the others were built all the same.
    """

    plan: Plan
    lock: Lock
    bought: Mapping[str, int] = field(default_factory=dict)  # candidates by asset, reused ones not counted
    reused: int = 0  # candidates that were paid for before
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    spent: Mapping[Unit, Money] = field(default_factory=dict)
    errors: Mapping[str, PixelRouterError] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def unpicked(self) -> tuple[str, ...]:
        """Assets with several candidates of which nobody has picked one; the first is used."""
        return tuple(
            name
            for name, one in self.lock.assets.items()
            if name in self.plan.manifest.assets and len(one.candidates) > 1 and not one.pick.by
        )

    def raise_first(self) -> Built:
        """Itself; raises the first error, if there is one."""
        for error in self.errors.values():
            raise error
        return self

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "plan": self.plan.as_dict(),
            "bought": dict(self.bought),
            "reused": self.reused,
            "written": list(self.written),
            "removed": list(self.removed),
            "spent": {unit: str(money.amount) for unit, money in self.spent.items()},
            "unpicked": list(self.unpicked),
            "errors": {name: error.as_dict() for name, error in self.errors.items()},
            "dry_run": self.dry_run,
        }


def mode_of(*, locked: bool, frozen: bool, allowed: bool, env: Mapping[str, str] | None = None) -> Mode:
    """Whether a build may look for more than the lock has.

    Where ``CI`` is set it is frozen, unless spending is allowed twice over: ``allowed`` (a limit was given with the
    call) and PIXELROUTER_ALLOW_SPEND=1. PIXELROUTER_FROZEN and PIXELROUTER_LOCKED are the options' twins.
    """
    env = os.environ if env is None else env
    if frozen or _is_set(env, "PIXELROUTER_FROZEN"):
        return "frozen"
    if locked or _is_set(env, "PIXELROUTER_LOCKED"):
        return "locked"
    spends = not _is_set(env, "PIXELROUTER_STAND_IN")  # a test's stand-in charges nobody
    if _is_set(env, "CI") and spends and not (allowed and _is_set(env, ALLOW)):
        return "frozen"
    return "open"


def _is_set(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").strip().lower() not in _NO


def build(
    path: str | os.PathLike[str] | None = None,
    names: Collection[str] | None = None,
    *,
    locked: bool = False,
    frozen: bool = False,
    dry_run: bool = False,
    max_usd: float | str | Decimal | None = None,
    max_generations: float | str | Decimal | None = None,
    confirm: Confirm | None = None,
    free_only: bool = False,
    upgrade_post: bool = False,
    restyle: bool = False,
    force: bool = False,
    prune: bool = False,
    concurrency: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    router: PixelRouter | None = None,
    keys: Mapping[str, str] | None = None,
    wanted: Mapping[str, int] | None = None,
) -> Built:
    """Build the assets of a manifest: buy what is missing, finish what has changed, write the lock.

    ``path`` is an assets.toml or its folder, None for the one of the working folder or above; ``names`` are assets or
    patterns (``items/*``), None for all. Money is spent only up to ``max_usd`` and ``max_generations``, or where
    ``confirm`` says yes to the plan (to both, where both are given); what costs nothing needs neither. ``locked``:
    raise if the lock would change. ``frozen``: write every output again from lock and store, and raise if it is not
    what the lock says; no vendor and no ledger is asked, no socket opened. ``dry_run``: plan only. ``free_only``: what
    would cost money is left out. ``upgrade_post``: finish everything with this version's post-processor. ``restyle``:
    styles may change their backend. ``force``: write over what was changed by
    hand. ``prune``: forget assets that are no longer in the manifest, and delete their files. ``concurrency``:
    purchases at a time; ``jobs``: processes that finish; ``wanted``: how many candidates of some assets there shall be,
    where that is more than the manifest says.

    One asset's error does not stop the others: they are in ``Built.errors``. Raises ConfigError for the manifest or the
    lock, LockMismatch, SpendingNotAllowed, InvalidRequest; each before anything is sent.
    """
    from pixelrouter.assets.manifest import load_manifest

    allowed = max_usd is not None or max_generations is not None
    mode = mode_of(locked=locked, frozen=frozen, allowed=allowed)
    if wanted and mode != "open":
        raise SpendingNotAllowed(
            f"More candidates cannot be drawn in a {mode} build. Nothing was sent.", hint=CI_FROZEN
        )
    manifest = load_manifest(path, inputs=mode != "frozen")
    limits = _limits(max_usd, max_generations)
    lock = read_lock(manifest.lock_path)
    if mode == "frozen":
        return _frozen(manifest, lock, names, force=force, jobs=jobs, progress=progress)
    seen = look(manifest, lock, names=names, force=force, redo=upgrade_post, wanted=wanted)
    plan = with_atlases(seen, lock)
    if mode == "locked":
        _must_agree(plan, lock)
    with ExitStack() as stack:
        door = door_of(stack, manifest, router, keys) if mode == "open" else None
        run = Run(manifest, lock, progress=progress, jobs=jobs, force=force, door=door)
        if plan.of("buy"):
            run.open(restyle=restyle)
            plan = run.priced(plan)
        if free_only:
            plan = replace(plan, steps=tuple(step for step in plan.steps if not (step.pays or step.waits_for)))
        if dry_run:
            return Built(plan, lock, dry_run=True)
        limits = _authorised(plan, limits, confirm)
        try:
            run.buy(plan, limits, concurrency)
            run.finish(plan)
            run.follow_picks()
            run.pack(plan)
            if prune:
                run.prune(plan)
        finally:
            run.keeper.flush()
        return _built(plan, run)


def plan(
    path: str | os.PathLike[str] | None = None,
    names: Collection[str] | None = None,
    *,
    restyle: bool = False,
    force: bool = False,
    upgrade_post: bool = False,
    router: PixelRouter | None = None,
    keys: Mapping[str, str] | None = None,
) -> Plan:
    """What :func:`build` would do and what it would cost. Spends nothing, writes nothing; vendors are asked for prices
    where their keys are set.
    """
    from pixelrouter.assets.manifest import load_manifest

    manifest = load_manifest(path)
    lock = read_lock(manifest.lock_path)
    found = with_atlases(look(manifest, lock, names=names, force=force, redo=upgrade_post), lock)
    if not found.of("buy"):
        return found
    with ExitStack() as stack:
        run = Run(manifest, lock, door=door_of(stack, manifest, router, keys))
        run.open(restyle=restyle)
        return run.priced(found)


def with_atlases(plan: Plan, lock: Lock) -> Plan:
    """The plan with the atlases that have to be packed again."""
    from pixelrouter.assets.packing import stale

    changed = {step.asset.name for step in plan.steps if step.state in ("buy", "finish")}
    return replace(plan, atlases=tuple(stale(plan.manifest, lock, changed)))


# --- money ---


def _limits(max_usd: Any, max_generations: Any) -> dict[Unit, Money]:
    limits: dict[Unit, Money] = {}
    given: tuple[tuple[Unit, Any], ...] = (("usd", max_usd), ("generations", max_generations))
    for unit, amount in given:
        if amount is not None:
            try:
                limits[unit] = Money.of(amount, unit)
            except (ValueError, InvalidOperation) as error:
                raise InvalidRequest(f"max_{unit}: {error}.", hint="Write a number, 2.50 for instance.") from None
    return limits


def _authorised(plan: Plan, limits: Mapping[Unit, Money], confirm: Confirm | None) -> dict[Unit, Money]:
    """The limits of what may be spent. Raises SpendingNotAllowed where the plan does not fit under them."""
    costs = plan.costs
    if limits:
        over = {unit: money for unit, money in costs.items() if unit not in limits or limits[unit] < money}
        if over:
            allowed = total_words(limits)
            raise SpendingNotAllowed(
                f"The build would cost {total_words(costs)}, and {allowed} is allowed. Nothing was sent.",
                costs={unit: str(money.amount) for unit, money in costs.items()},
                hint="Raise the limit, or build some of it: `pixelrouter build NAME`.",
            )
        if confirm is not None and plan.pays and not confirm(plan):
            raise SpendingNotAllowed("Nothing was sent: the plan was turned down.")
        return dict(limits)
    if not plan.pays:
        return {"usd": Money(0), "generations": Money(0, "generations")}
    if confirm is None:
        unknown = f" The price of {', '.join(plan.unpriced[:5])} is not known." if plan.unpriced else ""
        raise SpendingNotAllowed(
            f"The build would cost {total_words(costs)}, and nobody has allowed it.{unknown} Nothing was sent.",
            costs={unit: str(money.amount) for unit, money in costs.items()},
            hint=f"Allow it: build(max_usd={usd(costs)}), or `pixelrouter build --yes --max-usd {usd(costs)}`.",
        )
    if not confirm(plan):
        raise SpendingNotAllowed("Nothing was sent: the plan was turned down.")
    if plan.unpriced:
        return {}  # whoever says yes to an unknown price has the project's own caps
    return dict(costs)


# --- builds that spend nothing ---


def _must_agree(plan: Plan, lock: Lock) -> None:
    """Raise LockMismatch where a build would change the lock: more than a file that is missing on the disk."""
    from pixelrouter.assets.packing import atlas_key

    lock_path = plan.manifest.lock_path.name
    wrong = {step.asset.name: "; ".join(step.reasons) for step in plan.steps if step.state not in ("ready", "finish")}
    out_of_date = "it is to be finished or exported in another way"
    for step in plan.of("finish"):
        if any("is missing" not in reason for reason in step.reasons):
            wrong[step.asset.name] = out_of_date
    wrong |= dict.fromkeys(plan.orphans, "it is in the lock, and no longer in the manifest")
    for name in plan.atlases:
        old = lock.atlases.get(name)
        if old is None or old.key != atlas_key(plan.manifest, lock, plan.manifest.atlases[name]):
            wrong[name] = "the atlas is to be packed again"
    if wrong:
        raise LockMismatch(
            f"{plan.manifest.path.name} and {lock_path} do not agree:",
            assets=wrong,
            hint="Build where spending is allowed, and commit the lock.",
        )


def _frozen(
    manifest: Manifest,
    lock: Lock,
    names: Collection[str] | None,
    *,
    force: bool,
    jobs: int | None,
    progress: Progress | None,
) -> Built:
    """Every output again, from lock and store. What the manifest says of money is not even looked at."""
    wanted = None if names is None else with_sources(manifest, names)
    assets = [one for one in manifest.assets.values() if wanted is None or one.name in wanted]
    missing = {one.name: "it was never built" for one in assets if one.name not in lock.assets}
    run = Run(manifest, lock, progress=progress, jobs=jobs, force=force)
    todo = [(one, lock.assets[one.name]) for one in assets if one.name in lock.assets]
    run.work(todo, compare=True)
    run.pack_frozen(wanted)
    wrong = missing | {name: str(error).removeprefix(f"{name}: ") for name, error in run.errors.items()}
    if wrong:
        raise LockMismatch(
            "A frozen build cannot give what the lock says:",
            assets=wrong,
            hint="Frozen is asked for, or CI is set: build where spending is allowed, and commit lock and raw images.",
        )
    steps = tuple(Step(one, "ready", old.wish, locked=old, kept=old.candidates) for one, old in todo)
    return Built(Plan(manifest, steps), lock, written=tuple(run.written))


def _built(plan: Plan, run: Run) -> Built:
    spent = {unit: money for unit, money in run.spent.items() if money}
    return Built(
        plan,
        run.keeper.lock,
        run.bought,
        run.reused,
        tuple(run.written),
        tuple(run.removed),
        spent,
        run.errors,
    )
