"""What a build would do, and what it would cost: the manifest held against the lock and the files. Changes nothing.

Looking (:func:`look`) needs neither a vendor nor the ledger. Only prices are asked for, and asking is free.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.deliver import out_folder, unchanged
from pixelrouter.assets.keys import ASSET, exporting_key, finishing_key, wish_key
from pixelrouter.assets.lock import Candidate, Lock, Locked
from pixelrouter.errors import ConfigError, InvalidRequest, PixelRouterError
from pixelrouter.files import read_bounded
from pixelrouter.types import Money, Quote, Unit

State = Literal["ready", "finish", "buy", "edited", "failed"]
MAX_IMAGE = 1 << 28  # bytes of a reference image

WORDS: Mapping[State, str] = {
    "ready": "nothing to do",
    "finish": "finish again, free",
    "buy": "buy",
    "edited": "changed by hand",
    "failed": "cannot be built",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One asset: what is to be done with it, and why.

    ``kept`` are the candidates that still serve; ``missing`` the numbers of those to buy. ``quote`` is for one of them,
    ``paid`` how many of them were bought before and only have to be fetched from the ledger. ``wish`` is None while an
    asset that it starts from has not been drawn.
    """

    asset: Asset
    state: State
    wish: str | None
    reasons: tuple[str, ...] = ()
    locked: Locked | None = None
    kept: tuple[Candidate, ...] = ()
    missing: tuple[int, ...] = ()
    waits_for: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    error: PixelRouterError | None = None

    @property
    def reused(self) -> int:
        """How many of the missing candidates are paid for already."""
        return sum(1 for quote in self.quotes if quote.reused)

    @property
    def unpicked(self) -> bool:
        """Whether there is a choice that nobody has made."""
        chosen = self.locked is not None and self.locked.pick.by and self.locked.pick.number in _numbers(self.kept)
        return len(self.kept) + len(self.missing) > 1 and not chosen

    def costs(self) -> dict[Unit, Money]:
        """What the missing candidates would cost, by unit."""
        return _sum(quote.money for quote in self.quotes)

    @property
    def pays(self) -> bool:
        """Whether it would spend money, or might."""
        return self.unpriced or any(self.costs().values())

    @property
    def unpriced(self) -> bool:
        """Whether something would be bought whose price nobody knows."""
        return any(quote.cost.source == "unknown" and not quote.reused for quote in self.quotes)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "asset": self.asset.name,
            "style": self.asset.style,
            "state": self.state,
            "reasons": list(self.reasons),
            "candidates": {"kept": len(self.kept), "missing": len(self.missing), "paid_before": self.reused},
            "unpicked": self.unpicked,
            "backend": next((quote.backend for quote in self.quotes), None),
            "model": next((quote.model for quote in self.quotes), None),
            "costs": {unit: str(money.amount) for unit, money in self.costs().items()},
            "price_known": not self.unpriced,
            "error": self.error.as_dict() if self.error else None,
        }


@dataclass(frozen=True)
class Plan:
    """Every asset's step, in the manifest's order. ``orphans`` are locked, and no longer in the manifest."""

    manifest: Manifest
    steps: tuple[Step, ...]
    orphans: tuple[str, ...] = ()
    atlases: tuple[str, ...] = ()  # to be packed again

    def of(self, state: State) -> tuple[Step, ...]:
        """The steps of one kind."""
        return tuple(step for step in self.steps if step.state == state)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.atlases and all(step.state == "ready" for step in self.steps)

    @cached_property
    def costs(self) -> dict[Unit, Money]:
        """What the whole build would cost, by unit; units are never added up. Empty where it costs nothing."""
        totals = _sum(money for step in self.steps for money in step.costs().values())
        return {unit: money for unit, money in totals.items() if money}

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Assets whose price nobody knows."""
        return tuple(step.asset.name for step in self.steps if step.unpriced)

    @property
    def pays(self) -> bool:
        """Whether the build would spend money, or might."""
        return bool(self.costs or self.unpriced)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready. ``changes`` counts what would be done."""
        states = [step.state for step in self.steps]
        return {
            "assets": [step.as_dict() for step in self.steps],
            "changes": len(states) - states.count("ready") + len(self.atlases),
            "counts": {state: states.count(state) for state in WORDS},
            "orphans": list(self.orphans),
            "atlases": list(self.atlases),
            "costs": {unit: str(money.amount) for unit, money in self.costs.items()},
            "unpriced": list(self.unpriced),
            "unpicked": [step.asset.name for step in self.steps if step.unpicked],
        }


def _sum(amounts: Iterable[Money]) -> dict[Unit, Money]:
    totals: dict[Unit, Money] = {}
    for money in amounts:
        totals[money.unit] = totals.get(money.unit, Money(0, money.unit)) + money
    return totals


def _numbers(candidates: Iterable[Candidate]) -> set[int]:
    return {one.number for one in candidates}


class Contents:
    """The hashes of the images that assets start from: files, and what was picked for other assets."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest, self._files = manifest, dict[str, str]()
        self.picked: dict[str, str | None] = {}  # of assets by name: None while one is not drawn

    def __call__(self, image: str) -> str:
        """Raises KeyError with the asset's name where it has not been drawn; InvalidRequest for a file."""
        if image.startswith(ASSET):
            name = image.removeprefix(ASSET)
            found = self.picked.get(name)
            if found is None:
                raise KeyError(name)
            return found
        if image not in self._files:
            try:
                data = read_bounded(self._manifest.folder / image, MAX_IMAGE)
            except OSError as error:
                why = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
                raise InvalidRequest(f"The image {image} cannot be read: {why}.") from None
            self._files[image] = hashlib.sha256(data).hexdigest()
        return self._files[image]


def drawn(candidate: Candidate) -> str:
    """What an asset that starts from this one is known by: the vendor's pixels, not how they were finished, so that
    another palette makes nobody pay again for what was drawn after it.
    """
    return hashlib.sha256("|".join(candidate.raws).encode()).hexdigest()


def in_order(assets: Mapping[str, Asset]) -> list[Asset]:
    """The assets such that each comes after those it starts from; else in the manifest's order.

    Raises ConfigError where they wait for each other.
    """
    done: dict[str, Asset] = {}
    path: list[str] = []

    def visit(asset: Asset) -> None:
        if asset.name in done:
            return
        if asset.name in path:
            circle = " -> ".join([*path[path.index(asset.name) :], asset.name])
            raise ConfigError(f"assets.toml:{asset.line}: assets start from each other: {circle}.")
        path.append(asset.name)
        for name in starts_from(asset):
            if name not in assets:
                raise ConfigError(f"assets.toml:{asset.line}: {asset.name} starts from {name!r}, which is no asset.")
            visit(assets[name])
        path.pop()
        done[asset.name] = asset

    for asset in assets.values():
        visit(asset)
    return list(done.values())


def starts_from(asset: Asset) -> tuple[str, ...]:
    """The names of the assets whose pictures it needs."""
    images = (*asset.images, *((asset.mask,) if asset.mask else ()))
    return tuple(image.removeprefix(ASSET) for image in images if image.startswith(ASSET))


def serves(candidate: Candidate, asset: Asset) -> bool:
    """Whether a candidate may still be used: its backend is one of those that the manifest names, if it names any."""
    allowed = (asset.backend,) if asset.backend else asset.route
    return allowed is None or candidate.backend in allowed


def look(
    manifest: Manifest,
    lock: Lock,
    *,
    names: Collection[str] | None = None,
    force: bool = False,
    redo: bool = False,
    wanted: Mapping[str, int] | None = None,
) -> Plan:
    """What there is to do; nothing is priced yet. ``names``: only these, and what they start from.

    ``force``: what was changed by hand is written over; ``redo``: everything is finished again; ``wanted``: how many
    candidates there shall be of some, where that is more than the manifest says.
    """
    contents = Contents(manifest)
    among = None if names is None else with_sources(manifest, names)
    out = out_folder(manifest.project, manifest.folder)
    steps: dict[str, Step] = {}
    for asset in in_order(manifest.assets):
        if wanted and wanted.get(asset.name, 0) > asset.n:
            asset = replace(asset, n=wanted[asset.name])
        step = _step(asset, lock.assets.get(asset.name), manifest, contents, out, force=force, redo=redo)
        contents.picked[asset.name] = _picked(step)
        if among is None or asset.name in among:
            steps[asset.name] = step
    ordered = tuple(steps[name] for name in manifest.assets if name in steps)
    orphans = tuple(name for name in lock.assets if name not in manifest.assets)
    return Plan(manifest, ordered, orphans if names is None else ())


def with_sources(manifest: Manifest, names: Collection[str]) -> set[str]:
    """Those names and all they start from. Raises InvalidRequest for one that is not there."""
    wanted: set[str] = set()
    waiting = [name for pattern in names for name in matching(manifest.assets, pattern)]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += starts_from(manifest.assets[name])
    return wanted


def matching(names: Collection[str], pattern: str) -> list[str]:
    """The names that a name or pattern (``items/*``) stands for. Raises InvalidRequest where there is none."""
    import difflib
    from fnmatch import fnmatchcase

    if pattern in names:
        return [pattern]
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        close = difflib.get_close_matches(pattern, names, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(list(names)[:20])}."
        raise InvalidRequest(f"No asset is called {pattern!r}.", hint=hint)
    return found


def _picked(step: Step) -> str | None:
    candidate = chosen(step.kept, step.locked)
    return drawn(candidate) if candidate else None


def chosen(candidates: Sequence[Candidate], locked: Locked | None) -> Candidate | None:
    """The candidate that a person has picked, else the first."""
    by_number = {one.number: one for one in candidates}
    if locked is not None and locked.pick.number in by_number:
        return by_number[locked.pick.number]
    return by_number[min(by_number)] if by_number else None


def _step(
    asset: Asset, old: Locked | None, manifest: Manifest, contents: Contents, out: str, *, force: bool, redo: bool
) -> Step:
    try:
        wish = wish_key(asset, contents)
    except KeyError:
        numbers = tuple(range(1, asset.n + 1))
        waits = tuple(name for name in starts_from(asset) if contents.picked.get(name) is None)
        return Step(asset, "buy", None, (f"waits for {', '.join(waits)}",), old, missing=numbers, waits_for=waits)
    except PixelRouterError as error:
        return Step(asset, "failed", None, (error.message,), old, error=error)
    same = old is not None and old.wish == wish
    kept = tuple(one for one in old.candidates if serves(one, asset)) if old is not None and same else ()
    missing = tuple(number for number in range(1, asset.n + 1) if number not in _numbers(kept))
    # Of candidates that came by rerolling, as many as are wanted will do.
    missing = missing[: max(0, asset.n - len(kept))]
    step = Step(asset, "ready", wish, locked=old, kept=kept, missing=missing)
    if missing and old is not None and old.hand and not same and not force:
        words = (
            f"{', '.join(old.hand)} was drawn over by hand, and the wish has changed since: "
            f"`pixelrouter adopt {asset.name} --release` gives the drawing up, `build --force` writes over it"
        )
        return replace(step, state="edited", reasons=(words,))
    if missing:
        return replace(step, state="buy", reasons=(_why_buy(asset, old, kept, same=same),))
    assert old is not None  # noqa: S101  (it has candidates)
    return _free_step(step, old, manifest, out, force=force, redo=redo)


def _why_buy(asset: Asset, old: Locked | None, kept: Sequence[Candidate], *, same: bool) -> str:
    if old is None:
        return "new"
    if not same:
        return "what is paid for has changed: prompt, size, model, images or the like"
    if not kept:
        names = ", ".join(dict.fromkeys(one.backend for one in old.candidates))
        return f"drawn by {names}, which is no longer among its backends"
    return f"{len(kept)} of {asset.n} candidates are there"


def _free_step(step: Step, old: Locked, manifest: Manifest, out: str, *, force: bool, redo: bool) -> Step:
    """Whether files have to be written again, which costs nothing."""
    candidate = chosen(step.kept, old)
    assert candidate is not None  # noqa: S101  (nothing is missing)
    reasons = []
    if redo:
        reasons.append("everything is finished again")
    if old.finishing != finishing_key(step.asset, candidate):
        reasons.append("it is to be finished in another way, or another candidate was picked")
    if old.exporting != exporting_key(step.asset, manifest.project, out):
        reasons.append("other files are wanted")
    found = {path: unchanged(manifest.folder / path, output) for path, output in old.outputs.items()}
    gone = [path for path, there in found.items() if there is None]
    other = [path for path, there in found.items() if there is False and path not in old.hand]
    if gone:
        reasons.append(f"{gone[0]} is missing" + (f", and {len(gone) - 1} more" if gone[1:] else ""))
    if other and not force and not reasons:  # else saving will see: a build that was killed may have written it
        hint = f"`pixelrouter adopt {step.asset.name}` keeps it, `build --force` writes over it"
        return replace(step, state="edited", reasons=(f"{', '.join(other)} was changed: {hint}",))
    if other and force:
        reasons.append(f"{other[0]} was changed, and is written over")
    return replace(step, state="finish", reasons=tuple(reasons)) if reasons else step


def priced(plan: Plan, quote: Callable[[Step, int], Quote]) -> Plan:
    """The plan with what it would cost. ``quote`` is asked for every candidate to buy; a step it fails for failed."""
    steps = []
    for step in plan.steps:
        if step.state == "buy":
            try:
                step = replace(step, quotes=tuple(quote(step, number) for number in step.missing))
            except PixelRouterError as error:
                step = replace(step, state="failed", reasons=(*step.reasons, error.message), error=error)
        steps.append(step)
    return replace(plan, steps=tuple(steps))


def total_words(costs: Mapping[Unit, Money]) -> str:
    """An amount for a person: "$0.24", "$0.24 and 12 generations", "nothing"."""
    return " and ".join(str(money) for money in costs.values() if money) or "nothing"


def usd(costs: Mapping[Unit, Money]) -> Decimal:
    """The dollars among them."""
    return costs["usd"].amount if "usd" in costs else Decimal(0)
