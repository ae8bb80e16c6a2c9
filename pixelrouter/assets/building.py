"""The build: what the plan says, done; and the lock, which says what was done.

Money first: what would be spent is known before anything is sent, somebody has to have allowed it, and the router's
ledger has each purchase on disk before its first byte leaves. The lock is written as candidates come, so whatever is
killed, the next build finds what was paid for: in the lock, or in the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.keeper import Keeper
from pixelrouter.assets.lock import Candidate, Lock, Locked, Pick, read_lock
from pixelrouter.assets.planning import Plan, Step, look, priced, total_words, usd
from pixelrouter.assets.shelf import Shelf
from pixelrouter.assets.work import Done, Job, work, work_off
from pixelrouter.errors import (
    InvalidRequest,
    LockMismatch,
    PixelRouterError,
    SpendingNotAllowed,
)
from pixelrouter.types import Money, Unit

if TYPE_CHECKING:
    from pixelrouter.assets.buy import Buyer
    from pixelrouter.config import Settings
    from pixelrouter.routing.router import PixelRouter

Mode = Literal["open", "locked", "frozen"]
ALLOW = "PIXELROUTER_ALLOW_SPEND"
CI_FROZEN = (
    "CI is set, so the build is frozen: it makes everything again from lock and store, and spends nothing. To spend "
    f"there, give --max-usd and set {ALLOW}=1."
)
_NO = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class BuildStep:
    """How far a build is. ``doing`` is "buying", "finishing" or "packing"; ``spent`` what it has cost so far."""

    doing: str
    done: int
    total: int
    asset: str = ""
    spent: Mapping[Unit, Money] = field(default_factory=dict)


Progress = Callable[[BuildStep], None]
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
        run = _Run(manifest, lock, progress=progress, jobs=jobs, force=force)
        if plan.of("buy"):
            run.open(stack, router, keys, restyle=restyle)
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
        return run.built(plan)


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
        run = _Run(manifest, lock)
        run.open(stack, router, keys, restyle=restyle)
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
    from pixelrouter.assets.planning import with_sources

    wanted = None if names is None else with_sources(manifest, names)
    assets = [one for one in manifest.assets.values() if wanted is None or one.name in wanted]
    missing = {one.name: "it was never built" for one in assets if one.name not in lock.assets}
    run = _Run(manifest, lock, progress=progress, jobs=jobs, force=force)
    todo = [(one, lock.assets[one.name]) for one in assets if one.name in lock.assets]
    run.work(todo, compare=True)
    run.pack_frozen(wanted)
    wrong = missing | {name: str(error) for name, error in run.errors.items()}
    if wrong:
        raise LockMismatch(
            "A frozen build cannot give what the lock says:",
            assets=wrong,
            hint="Frozen is asked for, or CI is set: build where spending is allowed, and commit lock and raw images.",
        )
    steps = tuple(Step(one, "ready", old.wish, locked=old, kept=old.candidates) for one, old in todo)
    return Built(Plan(manifest, steps), lock, written=tuple(run.written))


# --- the work ---


class _Run:
    """One build under way."""

    def __init__(
        self,
        manifest: Manifest,
        lock: Lock,
        *,
        progress: Progress | None = None,
        jobs: int | None = None,
        force: bool = False,
    ) -> None:
        self.manifest, self._progress, self._jobs, self._force = manifest, progress, jobs, force
        self.keeper = Keeper(manifest.lock_path, lock)
        self.shelf = shelf_of(manifest)
        self.written: list[str] = []
        self.removed: list[str] = []
        self.errors: dict[str, PixelRouterError] = {}
        self.spent: dict[Unit, Money] = {}
        self.bought: dict[str, int] = {}
        self.reused = 0
        self._router: PixelRouter | None = None
        self._buyer: Buyer | None = None

    def built(self, plan: Plan) -> Built:
        spent = {unit: money for unit, money in self.spent.items() if money}
        return Built(
            plan,
            self.keeper.lock,
            self.bought,
            self.reused,
            tuple(self.written),
            tuple(self.removed),
            spent,
            self.errors,
        )

    # --- buying ---

    def open(
        self, stack: ExitStack, router: PixelRouter | None, keys: Mapping[str, str] | None, *, restyle: bool
    ) -> None:
        """Have a router: the caller's, or one of this build's own."""
        from pixelrouter.assets.buy import Buyer

        if router is None:
            from pixelrouter.routing.router import PixelRouter

            router = stack.enter_context(PixelRouter(settings=settings_of(self.manifest), keys=keys))
        self._router = router
        self._buyer = Buyer(router, self.manifest, self, restyle=restyle)

    def priced(self, plan: Plan) -> Plan:
        """The plan with prices, and what the lock knows told to the router."""
        assert self._buyer is not None  # noqa: S101  (opened before)
        self._remember(plan.steps)
        self._buyer.know(plan)
        return priced(plan, self._buyer.quote)

    def get(self, digest: str) -> bytes:
        """A raw image, from the shelf or, where the team's store is elsewhere, from the router."""
        if digest not in self.shelf and self._router is not None:
            self.shelf.keep(digest, self._router.raw(digest))
        return self.shelf.get(digest)

    def buy(self, plan: Plan, limits: Mapping[Unit, Money], concurrency: int | None) -> None:
        """Get every missing candidate that can be had, wave by wave: first what others start from."""
        steps = {step.asset.name: step for step in plan.of("buy")}
        total, done = sum(len(step.missing) for step in steps.values()), 0
        while steps:
            ready = [step for step in steps.values() if not any(name in steps for name in step.waits_for)]
            for step in ready:
                del steps[step.asset.name]
            done = self._wave([now for step in ready if (now := self._ready(step))], limits, concurrency, done, total)

    def _ready(self, step: Step) -> Step | None:
        """The step with its wish, now that what it starts from is there; None where that could not be had."""
        if not step.waits_for:
            return step
        again = look(self.manifest, self.keeper.lock, names=[step.asset.name], wanted={step.asset.name: step.asset.n})
        found = next(one for one in again.steps if one.asset.name == step.asset.name)
        if found.waits_for:
            self.errors[step.asset.name] = InvalidRequest(
                f"{step.asset.name} starts from {found.waits_for[0]}, which could not be drawn."
            )
            return None
        self._remember(again.steps)
        if found.state == "buy":
            return found
        self._settle_free(found)
        return None

    def _remember(self, steps: Iterable[Step]) -> None:
        """What has been drawn, for assets that start from it."""
        from pixelrouter.assets.planning import chosen

        assert self._buyer is not None  # noqa: S101  (opened before)
        for step in steps:
            if candidate := chosen(step.kept, step.locked):
                self._buyer.drawn[step.asset.name] = (step.asset, candidate)

    def _wave(
        self, steps: list[Step], limits: Mapping[Unit, Money], concurrency: int | None, done: int, total: int
    ) -> int:
        """Buy the candidates of these steps; each asset is finished and locked as soon as its last one is there."""
        from pixelrouter.assets.buy import candidate_of, told

        assert self._buyer is not None  # noqa: S101  (opened before)
        assert self._router is not None  # noqa: S101
        wishes: list[tuple[Step, int]] = []
        requests: list[dict[str, Any]] = []
        for step in steps:
            try:
                mine = [(step, number) for number in step.missing]
                requests += [self._buyer.wish(step, number) for _, number in mine]
                wishes += mine
            except PixelRouterError as error:
                self.errors[step.asset.name] = error
        left = {step.asset.name: len(step.missing) for step in steps}
        came: dict[str, list[Candidate]] = {}
        for result in self._router.generate_many(requests, concurrency=concurrency, **self._caps(limits)):
            step, number = wishes[result.index]
            name = step.asset.name
            if result.art is None:
                self.errors[name] = told(name, result.error or PixelRouterError("nothing came"))
            else:
                art = result.art
                self._account(name, art.cost.money, reused=art.reused)
                for digest in art.raws:
                    self._shelve(digest)
                came.setdefault(name, []).append(candidate_of(art, number))
            left[name] -= 1
            done += 1
            self._tell("buying", done, total, name)
            if not left[name] and name in came:
                self._bought(step, came.pop(name))
        return done

    def _shelve(self, digest: str) -> None:
        """Have a raw image in the project's own folder too. An error is told when it is needed."""
        if self._router is not None and self.manifest.project.store is not None:
            self.shelf.keep(digest, self._router.raw(digest))

    def _caps(self, limits: Mapping[Unit, Money]) -> dict[str, Any]:
        """What may still be spent. Generations have no cap for many requests at once: each call has what is left."""
        left = {
            unit: Money(max(0, limit.micros - self.spent.get(unit, Money(0, unit)).micros), unit)
            for unit, limit in limits.items()
        }
        caps: dict[str, Any] = {"max_usd": str(left["usd"].amount)} if "usd" in left else {}
        return caps | ({"max_generations": str(left["generations"].amount)} if "generations" in left else {})

    def _account(self, name: str, cost: Money, *, reused: bool) -> None:
        if reused:
            self.reused += 1
            return
        self.bought[name] = self.bought.get(name, 0) + 1
        self.spent[cost.unit] = self.spent.get(cost.unit, Money(0, cost.unit)) + cost

    def _bought(self, step: Step, came: list[Candidate]) -> None:
        """Lock what came, and finish the asset."""
        from pixelrouter.assets.planning import chosen

        candidates = tuple(sorted((*step.kept, *came), key=lambda one: one.number))
        old = step.locked
        numbers = {one.number for one in candidates}
        pick = old.pick if old and step.kept and old.pick.number in numbers else Pick(candidates[0].number)
        entry = Locked(
            wish=step.wish or "",
            candidates=candidates,
            pick=pick,
            finishing="",
            exporting="",
            algorithm=old.algorithm if old else "",
            style=step.asset.style,
            size=step.asset.size,
            outputs=old.outputs if old else {},
            hand=old.hand if old and step.kept else {},
        )
        self.keeper.put(step.asset.name, entry)
        if (picked := chosen(candidates, entry)) and self._buyer is not None:
            self._buyer.drawn[step.asset.name] = (step.asset, picked)
        self._one(step.asset, entry)

    # --- finishing ---

    def _settle_free(self, step: Step) -> None:
        if step.state == "finish" and step.locked is not None:
            self._one(step.asset, step.locked)

    def _one(self, asset: Asset, entry: Locked) -> None:
        """Finish one asset in this process."""
        try:
            self._done(asset, entry, work(self._job(asset, entry)))
        except PixelRouterError as error:
            self._failed(asset, error)

    def _job(self, asset: Asset, entry: Locked, *, compare: bool = False) -> Job:
        if self._router is not None:
            for digest in entry.picked.raws:
                self.get(digest)
        return Job(
            asset,
            entry,
            self.manifest.project,
            self.manifest.folder,
            self.shelf.folders,
            compare=compare,
            force=self._force,
        )

    def _done(self, asset: Asset, before: Locked, done: Done) -> None:
        from pixelrouter.assets.deliver import remove

        self.written += done.delivered.written
        kept = {path for entry in self.keeper.lock.assets.values() for path in entry.outputs} - set(before.outputs)
        gone = {path: one for path, one in before.outputs.items() if path not in done.locked.outputs}
        gone = {path: one for path, one in gone.items() if path not in kept and path not in before.hand}
        self.removed += remove(gone, self.manifest.folder)
        self.keeper.put(asset.name, done.locked)

    def _failed(self, asset: Asset, error: PixelRouterError) -> None:
        from pixelrouter.assets.buy import told

        self.errors.setdefault(asset.name, told(asset.name, error))

    def finish(self, plan: Plan) -> None:
        """Finish again what needs it, on every core."""
        self.errors |= {step.asset.name: step.error for step in plan.of("failed") if step.error}
        for step in plan.of("edited"):
            self.errors[step.asset.name] = InvalidRequest(f"{step.asset.name}: {step.reasons[0]}.")
        self.work([(step.asset, step.locked) for step in plan.of("finish") if step.locked])

    def work(self, todo: list[tuple[Asset, Locked]], *, compare: bool = False) -> None:
        """Finish assets from their locked candidates; ``compare``: only to what the lock says."""
        jobs, whose = [], []
        for asset, entry in todo:
            try:
                jobs.append(self._job(asset, entry, compare=compare))
                whose.append((asset, entry))
            except PixelRouterError as error:
                self._failed(asset, error)
        for count, (number, result) in enumerate(work_off(jobs, self._jobs), 1):
            asset, entry = whose[number]
            if isinstance(result, PixelRouterError):
                self._failed(asset, result)
            elif compare:
                self.written += result.delivered.written
            else:
                self._done(asset, entry, result)
            self._tell("finishing", count, len(jobs), asset.name)

    def follow_picks(self) -> None:
        """Write the files of candidates that somebody has picked while the build went on."""
        self.keeper.flush()
        while self.keeper.overtaken:
            name = self.keeper.overtaken.pop()
            self._one(self.manifest.assets[name], self.keeper.lock.assets[name])
            self.keeper.flush()

    def pack(self, plan: Plan) -> None:
        """Pack the atlases whose assets or settings have changed."""
        from pixelrouter.assets.packing import pack_atlas

        for count, name in enumerate(plan.atlases, 1):
            try:
                entry, written = pack_atlas(self.manifest, self.keeper.lock, name, self)
            except PixelRouterError as error:
                self.errors.setdefault(name, error)
            else:
                self.written += written
                self.keeper.put_atlas(name, entry)
            self._tell("packing", count, len(plan.atlases), name)

    def pack_frozen(self, wanted: Collection[str] | None) -> None:
        """The atlases of the lock again; they have to come out the same."""
        from pixelrouter.assets.packing import pack_atlas

        for name, locked in self.keeper.lock.atlases.items():
            atlas = self.manifest.atlases.get(name)
            if atlas is None or (wanted is not None and not set(atlas.assets) & set(wanted)) or self.errors:
                continue
            try:
                _, written = pack_atlas(self.manifest, self.keeper.lock, name, self, compare=locked)
                self.written += written
            except PixelRouterError as error:
                self.errors.setdefault(name, error)

    def prune(self, plan: Plan) -> None:
        """Forget what is no longer in the manifest, and delete its files if nobody has changed them."""
        from pixelrouter.assets.deliver import remove

        for name in plan.orphans:
            self.removed += remove(self.keeper.lock.assets[name].outputs, self.manifest.folder)
            self.keeper.drop(name)

    def _tell(self, doing: str, done: int, total: int, asset: str) -> None:
        if self._progress is not None:
            self._progress(BuildStep(doing, done, total, asset, dict(self.spent)))


def settings_of(manifest: Manifest) -> Settings:
    """The settings of the game that the manifest belongs to. What an asset shall look like is the manifest's alone to
    say, so that the same manifest and lock give the same files whatever a config file or the environment says.
    """
    from pixelrouter.config import load_settings

    project = manifest.project
    caps = {"max_usd_per_project": project.budget_usd, "max_generations_per_project": project.budget_generations}
    settings = load_settings(
        start=manifest.folder,
        overrides={"project": project.name or None, **{name: cap for name, cap in caps.items() if cap is not None}},
    )
    looks = {"size": None, "colors": None, "palette": None, "transparent": None, "policy": "snap", "min_score": None}
    return settings.model_copy(update=looks)


def shelf_of(manifest: Manifest) -> Shelf:
    """Where the raw images of a manifest lie."""
    from pixelrouter.config import load_settings

    own = load_settings(start=manifest.folder).state_dir / "store"
    return Shelf(*filter(None, (manifest.project.store, own)))
