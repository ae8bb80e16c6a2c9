"""One build under way: what is bought and finished, written and entered in the lock, and how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.buy import Buyer, candidate_of, told
from pixelrouter.assets.deliver import remove
from pixelrouter.assets.keeper import Keeper
from pixelrouter.assets.lock import Candidate, Lock, Locked, Pick
from pixelrouter.assets.planning import Plan, Step, chosen, look, priced
from pixelrouter.assets.shelf import shelf_of
from pixelrouter.assets.work import Done, Job, work, work_off
from pixelrouter.errors import InvalidRequest, PixelRouterError
from pixelrouter.types import Money, PixelArt, Unit

if TYPE_CHECKING:
    from pixelrouter.config import Settings
    from pixelrouter.routing.router import PixelRouter


@dataclass(frozen=True, slots=True)
class BuildStep:
    """How far a build is. ``doing`` is "buying", "finishing" or "packing"; ``spent`` what it has cost so far."""

    doing: str
    done: int
    total: int
    asset: str = ""
    spent: Mapping[Unit, Money] = field(default_factory=dict)


Progress = Callable[[BuildStep], None]
#: Gives the build its router, the same one every time.
Door = Callable[[], "PixelRouter"]


class Run:
    """One build under way."""

    def __init__(
        self,
        manifest: Manifest,
        lock: Lock,
        *,
        progress: Progress | None = None,
        jobs: int | None = None,
        force: bool = False,
        door: Door | None = None,
    ) -> None:
        self.manifest, self._progress, self._jobs, self._force = manifest, progress, jobs, force
        self._door = door
        self.keeper = Keeper(manifest.lock_path, lock)
        self.shelf = shelf_of(manifest)
        self.written: list[str] = []
        self.removed: list[str] = []
        self.errors: dict[str, PixelRouterError] = {}
        self.spent: dict[Unit, Money] = {}
        self.bought: dict[str, int] = {}
        self.reused = 0
        self._done_buying = self._total = 0
        self._router: PixelRouter | None = None
        self._buyer: Buyer | None = None

    # --- buying ---

    def open(self, *, restyle: bool) -> None:
        """Have a router to buy from."""
        assert self._door is not None  # noqa: S101  (a frozen build has none, and buys nothing)
        self._router = self._door()
        self._buyer = Buyer(self._router, self.manifest, self, restyle=restyle)

    def priced(self, plan: Plan) -> Plan:
        """The plan with prices, and what the lock knows told to the router."""
        assert self._buyer is not None  # noqa: S101  (opened before)
        self._remember(plan.steps)
        self._buyer.know(plan)
        return priced(plan, self._buyer.quote)

    def get(self, digest: str) -> bytes:
        """A raw image, from the shelf or, where the team's store is elsewhere, from the router."""
        if digest not in self.shelf:
            if self._router is None and self._door is not None and settings_of(self.manifest).ledger:
                self._router = self._door()
            if self._router is not None:
                self.shelf.keep(digest, self._router.raw(digest))
        return self.shelf.get(digest)

    def buy(self, plan: Plan, limits: Mapping[Unit, Money], concurrency: int | None) -> None:
        """Get every missing candidate that can be had, wave by wave: first what others start from.

        All waves are one batch to the router, so that the limit holds for them together, whatever is still held.
        """
        steps = {step.asset.name: step for step in plan.of("buy")}
        self._total = sum(len(step.missing) for step in steps.values())
        batch = {"batch": uuid.uuid4().hex, "concurrency": concurrency, **_caps(limits)}
        while steps:
            ready = [step for step in steps.values() if not any(name in steps for name in step.waits_for)]
            for step in ready:
                del steps[step.asset.name]
            self._wave(self._ready(ready), batch)

    def _ready(self, steps: list[Step]) -> list[Step]:
        """The steps with their wishes, now that what they start from is there; those without it are left out."""
        waiting = {step.asset.name: step.asset.n for step in steps if step.waits_for}
        if not waiting:
            return steps
        again = look(self.manifest, self.keeper.lock, names=waiting, wanted=waiting)
        self._remember(again.steps)
        found = {step.asset.name: step for step in again.steps}
        ready = [step for step in steps if not step.waits_for]
        for name in waiting:
            step = found[name]
            if step.waits_for:
                words = f"{name} starts from {', '.join(step.waits_for)}, which could not be drawn."
                self.errors[name] = InvalidRequest(words)
            elif step.state == "buy":
                ready.append(step)
            elif step.state == "failed" and step.error:
                self.errors[name] = step.error
            elif step.state == "finish" and step.locked is not None:
                self._one(step.asset, step.locked)
        return ready

    def _remember(self, steps: Iterable[Step]) -> None:
        """What has been drawn, for assets that start from it."""
        assert self._buyer is not None  # noqa: S101  (opened before)
        for step in steps:
            if candidate := chosen(step.kept, step.locked):
                self._buyer.drawn[step.asset.name] = (step.asset, candidate)

    def _wave(self, steps: list[Step], batch: Mapping[str, Any]) -> None:
        """Buy the candidates of these steps; each asset is finished and locked as soon as its last one is there."""
        assert self._router is not None  # noqa: S101  (opened before)
        asked: dict[int, tuple[Step, int]] = {}  # under way, by the request's number
        left = {step.asset.name: len(step.missing) for step in steps}
        came: dict[str, list[Candidate]] = {}
        for result in self._router.generate_many(self._requests(steps, asked), **batch):
            step, number = asked.pop(result.index)
            name = step.asset.name
            if result.art is None:
                self.errors[name] = told(name, result.error or PixelRouterError("nothing came"))
            else:
                came.setdefault(name, []).append(self._arrived(name, result.art, number))
            left[name] -= 1
            self._done_buying += 1
            self._tell("buying", self._done_buying, self._total, name)
            if not left[name] and name in came:
                self._bought(step, came.pop(name))

    def _requests(self, steps: Iterable[Step], asked: dict[int, tuple[Step, int]]) -> Iterator[dict[str, Any]]:
        """What the router is asked for, one after the other as it has hands for them: ten thousand cost no memory."""
        assert self._buyer is not None  # noqa: S101  (opened before)
        index = 0
        for step in steps:
            try:
                wishes = [(number, self._buyer.wish(step, number)) for number in step.missing]
            except PixelRouterError as error:
                self.errors[step.asset.name] = told(step.asset.name, error)
                continue
            for number, wish in wishes:
                asked[index] = (step, number)
                index += 1
                yield wish

    def _arrived(self, name: str, art: PixelArt, number: int) -> Candidate:
        """One candidate: booked, its raw images in the project's own folder too."""
        if art.reused:
            self.reused += 1
        else:
            self.bought[name] = self.bought.get(name, 0) + 1
            unit, cost = art.cost.money.unit, art.cost.money
            self.spent[unit] = self.spent.get(unit, Money(0, unit)) + cost
        for digest in art.raws:
            self._shelve(digest)
        return candidate_of(art, number)

    def _shelve(self, digest: str) -> None:
        """Have a raw image in the project's own folder too. An error is told when it is needed."""
        if self._router is not None and self.manifest.project.store is not None:
            self.shelf.keep(digest, self._router.raw(digest))

    def _bought(self, step: Step, came: list[Candidate]) -> None:
        """Lock what came, and finish the asset."""
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

    def _one(self, asset: Asset, entry: Locked) -> None:
        """Finish one asset in this process."""
        try:
            self._done(asset, entry, work(self._job(asset, entry)))
        except PixelRouterError as error:
            self._failed(asset, error)

    def _job(self, asset: Asset, entry: Locked, *, compare: bool = False) -> Job:
        if self._door is not None:
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
        self.written += done.delivered.written
        gone = {path: one for path, one in before.outputs.items() if path not in done.locked.outputs}
        if gone:  # what another asset writes by now, or a person has adopted, stays
            others = {
                path for entry in self.keeper.lock.assets.values() if entry is not before for path in entry.outputs
            }
            gone = {path: one for path, one in gone.items() if path not in others and path not in before.hand}
        self.removed += remove(gone, self.manifest.folder)
        self.keeper.put(asset.name, done.locked)

    def _failed(self, asset: Asset, error: PixelRouterError) -> None:
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
                entry, written = pack_atlas(self.manifest, self.keeper.lock, name, self, force=self._force)
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
                _, written = pack_atlas(self.manifest, self.keeper.lock, name, self, compare=locked, force=self._force)
                self.written += written
            except PixelRouterError as error:
                self.errors.setdefault(name, error)

    def prune(self, plan: Plan) -> None:
        """Forget what is no longer in the manifest, and delete its files if nobody has changed them."""
        for name in plan.orphans:
            self.removed += remove(self.keeper.lock.assets[name].outputs, self.manifest.folder)
            self.keeper.drop(name)

    def _tell(self, doing: str, done: int, total: int, asset: str) -> None:
        if self._progress is not None:
            self._progress(BuildStep(doing, done, total, asset, dict(self.spent)))


def _caps(limits: Mapping[Unit, Money]) -> dict[str, Any]:
    """The limits as the router takes them. Generations have no cap for many requests at once; each call has it."""
    return {f"max_{unit}": str(limit.amount) for unit, limit in limits.items()}


def door_of(stack: ExitStack, manifest: Manifest, router: PixelRouter | None, keys: Mapping[str, str] | None) -> Door:
    """The way to a router: the caller's, or one of the build's own, which is opened when it is needed first."""

    @cache
    def door() -> PixelRouter:
        from pixelrouter.routing.router import PixelRouter

        return router or stack.enter_context(PixelRouter(settings=settings_of(manifest), keys=keys))

    return door


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
