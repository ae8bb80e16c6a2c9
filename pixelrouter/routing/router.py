"""The two routers a caller meets: blocking and asynchronous. One engine behind both; only who drives it differs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from pixelrouter.config import Settings, load_settings
from pixelrouter.errors import PixelRouterError
from pixelrouter.money.bindings import Bindings, Group
from pixelrouter.money.totals import By, Day, Span
from pixelrouter.routing import desk, doctor, offline
from pixelrouter.routing.arguments import Arguments
from pixelrouter.routing.batch import BatchResult, prepare, run_async, run_blocking
from pixelrouter.routing.choosing.explanation import Explanation
from pixelrouter.routing.effects import Steps, drive, drive_async
from pixelrouter.routing.events import Notify
from pixelrouter.routing.pricing.price import paid
from pixelrouter.routing.recovering import reconcile as reconciling
from pixelrouter.routing.recovering import resuming
from pixelrouter.routing.recovering.advice import advice
from pixelrouter.routing.recovering.reconcile import Accept, Reconciled
from pixelrouter.routing.tasks import TaskMethods
from pixelrouter.routing.workshop import Workshop
from pixelrouter.types import Attempt, Money, PixelArt, Quote, Task
from pixelrouter.watch import Observer
from pixelrouter.watch.registry import watching
from pixelrouter.wire.client import AsyncWire, Wire

if TYPE_CHECKING:
    import httpx


class _Desk:
    """What both routers share: settings, the workshop, and everything that only looks at the ledger."""

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        keys: Mapping[str, str] | None = None,
        observers: Sequence[Observer | str] = (),
        **options: Any,
    ) -> None:
        self.settings = settings if settings is not None else load_settings(overrides=options)
        self._keys = dict(keys or {})
        self._watch = watching([*(self.settings.observe or ()), *observers])
        self._opening = threading.Lock()
        self._workshop: Workshop | None = None

    def _open(self) -> Workshop:
        with self._opening:
            if self._workshop is None:
                self._workshop = Workshop(self.settings, self._keys, self._watch)
            return self._workshop

    def _shut(self) -> None:
        with self._opening:
            if self._workshop is not None:
                self._workshop.close()
                self._workshop = None

    def dry_run(self, prompt: str, **arguments: Unpack[Arguments]) -> list[dict[str, Any]]:
        """The exact request each candidate would be sent, credentials as ``[redacted]``. Sends nothing."""
        workshop = self._open()
        return desk.dry_run(workshop, workshop.ask(prompt, **arguments))

    def paid(self, prompt: str, **arguments: Unpack[Arguments]) -> Quote | None:
        """A quote of nothing where the same ``generate`` call was paid for before, else None. Asks no vendor."""
        workshop = self._open()
        return paid(workshop.ask(prompt, **arguments), workshop.ledger)

    def raw(self, digest: str) -> bytes:
        """The bytes of a raw image, by its content hash (``art.raws``). Raises StoreError."""
        return self._open().store.get(digest)

    def keep_style(self, style_group: str, task: Task, backend: str, model: str | None = None) -> None:
        """Let a style group that knows no backend yet keep to this one: its images were drawn there."""
        workshop = self._open()
        group = Group(workshop.purse().project, style_group)
        Bindings(workshop.ledger.database).delivered(group, task, backend, model, anew=False)

    def attempts(self, *, live_only: bool = False, limit: int | None = None, since: float = 0.0) -> list[Attempt]:
        """The ledger's attempts, newest first; ``since`` in seconds since the epoch."""
        return self._open().ledger.attempts(live_only=live_only, limit=limit, since=since)

    def jobs(self) -> list[Attempt]:
        """Attempts that are not finished: reserved, sending, accepted, unknown."""
        return self.attempts(live_only=True)

    def advice(self, attempt: Attempt) -> str:
        """What an attempt waits for and what you can do about it, in words; empty where it is simply done."""
        workshop = self._open()
        owner, _ = workshop.ledger.owner_and_body(attempt.id)
        return advice(attempt, worked_on=bool(owner) and workshop.owner.alive(owner))

    def unsettled(self, attempt: str | None = None) -> list[Attempt]:
        """The attempts that :meth:`reconcile` would look into, oldest first; the one named, if it is one of them."""
        return reconciling.unsettled(self._open(), attempt)

    def release(self, attempt: str) -> Attempt:
        """Your word that an attempt of unknown outcome was not charged: its money is free again."""
        return desk.close_unknown(self._open().ledger, attempt, charged=False)

    def settle(self, attempt: str) -> Attempt:
        """Your word that an attempt of unknown outcome was charged: its money is spent."""
        return desk.close_unknown(self._open().ledger, attempt, charged=True)

    def costs(
        self,
        *,
        by: By = "day",
        since: Day = None,
        until: Day = None,
        project: str | None = None,
        run: str | None = None,
    ) -> list[dict[str, Any]]:
        """Spent and held by ``day`` (UTC), ``backend``, ``run``, ``asset`` or ``tag``, as exact decimal strings.

        ``since`` and ``until`` are dates, both included. Raises InvalidRequest for what is no date or grouping.
        """
        return desk.costs(self._open().ledger, by, Span.of(since, until, project, run))

    def write_costs(
        self,
        path: str | Path,
        *,
        since: Day = None,
        until: Day = None,
        project: str | None = None,
        run: str | None = None,
    ) -> Path:
        """The costs as one HTML file with charts, which needs nothing else; the same bounds as :meth:`costs`."""
        return desk.write_costs(self._open(), Path(path), Span.of(since, until, project, run))

    def prices(self, backend: str | None = None) -> list[dict[str, Any]]:
        """The price list: models, formula, unit, source and date of each price."""
        return desk.prices(backend)

    def backends(self) -> list[dict[str, Any]]:
        """Every backend: whether it is configured, its sizes, its licence."""
        return desk.backends(self._open())

    def models(self, backend: str) -> list[dict[str, Any]]:
        """Every model of a backend: tasks, sizes, counts, references, licence. From its bundled table; offline."""
        return desk.models(self._open(), backend)

    def doctor(self) -> list[dict[str, Any]]:
        """Checks of this installation, each with what to do about it."""
        return list(doctor.doctor(self.settings, self._keys))

    def rescue(self, to: str | Path) -> dict[str, Any]:
        """Copy what can be read of a damaged ledger into the new file ``to``; the old one stays as it is.

        Returns what was saved ``whole`` (a count), ``in_part`` and ``lost``. Raises LedgerError where nothing can be
        read, InvalidRequest where ``to`` exists.
        """
        return doctor.rescue(self.settings, Path(to))


class PixelRouter(_Desk, TaskMethods[PixelArt]):
    """From a prompt to finished pixel art, paid at most once.

    ``options`` are the configuration's global options (``backend``, ``route``, ``max_usd``, ``max_usd_per_day``,
    ``state`` …) and win over file and environment; ``keys`` maps backend names to credentials; ``observers`` are told
    of every step, beside those that the option ``observe`` names; ``transport`` is an httpx transport to send through.
    Safe to share between threads. Use it as a context manager, or call ``close()``.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        keys: Mapping[str, str] | None = None,
        observers: Sequence[Observer | str] = (),
        transport: httpx.BaseTransport | None = None,
        **options: Any,
    ) -> None:
        super().__init__(settings=settings, keys=keys, observers=observers, **options)
        self._transport = transport

    @cached_property
    def _wire(self) -> Wire:
        pace, state = offline.longest_pause(self.settings), self.settings.state_dir
        transport = self._transport or offline.transport(self.settings)
        return Wire(transport=transport, watch=self._watch, state=state, sleep=lambda s: time.sleep(min(s, pace)))

    def _drive(self, steps: Steps[Any], stop: threading.Event | None = None) -> Any:
        return drive(steps, self._wire, stop, longest_s=offline.longest_pause(self.settings))

    def generate(self, prompt: str, **arguments: Unpack[Arguments]) -> PixelArt:
        """Pixel art for a prompt: reused if it was bought before, resumed if it is under way, else bought.

        Arguments (all of them in routing.arguments): ``size`` (32, "32x48", (32, 48); the sprite's own pixels),
        ``colors`` (most visible colours), ``palette`` (name, file or list of colours), ``seed``, ``n`` images,
        ``transparent``, ``model``, ``backend`` or ``route``, ``fresh`` (buy anew), ``options`` (the vendor's own),
        ``max_usd``, ``timeout_s``, and how it is finished: ``policy``, ``min_score``, ``dither``, ``mode`` …

        Raises a :mod:`pixelrouter.errors` class; each says whether money moved.
        """
        workshop = self._open()
        art: PixelArt = self._drive(workshop.produce(workshop.ask(prompt, **arguments)))
        return art

    def quote(self, prompt: str, **arguments: Unpack[Arguments]) -> Quote:
        """What the same ``generate`` call would cost. Free; without a key it is the list price."""
        workshop = self._open()
        quote: Quote = self._drive(workshop.price(workshop.ask(prompt, **arguments)))
        return quote

    def explain(self, prompt: str, **arguments: Unpack[Arguments]) -> Explanation:
        """Why the same ``generate`` call would go to which backend: each one's place and every reason. Free."""
        workshop = self._open()
        explanation: Explanation = self._drive(workshop.explain(workshop.ask(prompt, **arguments)))
        return explanation

    def generate_many(
        self,
        requests: Iterable[str | Mapping[str, Any]],
        *,
        max_usd: float | str | None = None,
        concurrency: int | None = None,
        progress: Notify | None = None,
        batch: str | None = None,
        **common: Any,
    ) -> Iterator[BatchResult]:
        """Many requests at once: prompts, or mappings of ``generate`` arguments; ``common`` holds for all.

        Yields a result for each as it comes. ``max_usd`` is one budget for all of them together, and for all calls with
        the same ``batch``, a name of your own. An iterator of requests is read as their turn comes.
        """

        def one(stop: threading.Event, arguments: dict[str, Any]) -> PixelArt:
            workshop = self._open()
            art: PixelArt = self._drive(workshop.produce(workshop.ask(**arguments)), stop)
            return art

        return run_blocking(prepare(requests, common, max_usd, progress, batch), concurrency, one)

    def resume(
        self, attempt: str | None = None, *, timeout_s: float | None = None, progress: Notify | None = None
    ) -> list[PixelArt | PixelRouterError]:
        """Collect the unfinished attempts (or the one named) without a new purchase: art, or why not, for each."""
        outcomes: list[PixelArt | PixelRouterError] = self._drive(
            resuming.resume(self._open(), attempt, timeout_s, progress)
        )
        return outcomes

    def reconcile(
        self,
        attempt: str | None = None,
        *,
        accept: Accept | None = None,
        dry_run: bool = False,
        timeout_s: float | None = None,
        progress: Notify | None = None,
    ) -> list[Reconciled]:
        """Find out what became of the paid requests whose answers were lost (or the one named), and enter it.

        Each by its vendor's own means; the result says how sure that is. What was charged for certain is collected.
        Money that is only likely to be free stays held unless ``accept="likely"``. ``dry_run``: enter nothing.
        """
        steps = reconciling.reconcile(self._open(), attempt, accept, dry_run, timeout_s, progress)
        done: list[Reconciled] = self._drive(steps)
        return done

    def cancel(self, attempt: str) -> Attempt:
        """Ask the vendor to stop a job, and book what it says. Raises InvalidRequest where the vendor cannot."""
        row: Attempt = self._drive(resuming.cancel(self._open(), attempt))
        return row

    def balance(self, backend: str) -> Money | None:
        """What is left on the account at a vendor; None where the vendor does not tell. Free."""
        money: Money | None = self._drive(self._open().balance(backend))
        return money

    def close(self) -> None:
        """Close connections and files. Jobs under way go on at the vendor and can be resumed."""
        if "_wire" in self.__dict__:
            self._wire.close()
            del self.__dict__["_wire"]
        self._shut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncPixelRouter(_Desk, TaskMethods[Awaitable[PixelArt]]):
    """:class:`PixelRouter` for asyncio: the same engine, awaited."""

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        keys: Mapping[str, str] | None = None,
        observers: Sequence[Observer | str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        **options: Any,
    ) -> None:
        super().__init__(settings=settings, keys=keys, observers=observers, **options)
        self._transport = transport

    @cached_property
    def _wire(self) -> AsyncWire:
        pace, state = offline.longest_pause(self.settings), self.settings.state_dir
        transport = self._transport or offline.transport(self.settings)
        return AsyncWire(
            transport=transport, watch=self._watch, state=state, sleep=lambda s: asyncio.sleep(min(s, pace))
        )

    async def _opened(self) -> Workshop:
        return await asyncio.to_thread(self._open) if self.settings.ledger else self._open()

    async def _drive(self, steps: Steps[Any]) -> Any:
        pace = offline.longest_pause(self.settings)
        return await drive_async(steps, self._wire, aside=bool(self.settings.ledger), longest_s=pace)

    async def generate(self, prompt: str, **arguments: Unpack[Arguments]) -> PixelArt:
        """As :meth:`PixelRouter.generate`."""
        workshop = await self._opened()
        art: PixelArt = await self._drive(workshop.produce(workshop.ask(prompt, **arguments)))
        return art

    async def quote(self, prompt: str, **arguments: Unpack[Arguments]) -> Quote:
        """As :meth:`PixelRouter.quote`."""
        workshop = await self._opened()
        quote: Quote = await self._drive(workshop.price(workshop.ask(prompt, **arguments)))
        return quote

    async def explain(self, prompt: str, **arguments: Unpack[Arguments]) -> Explanation:
        """As :meth:`PixelRouter.explain`."""
        workshop = self._open()
        explanation: Explanation = await self._drive(workshop.explain(workshop.ask(prompt, **arguments)))
        return explanation

    def generate_many(
        self,
        requests: Iterable[str | Mapping[str, Any]],
        *,
        max_usd: float | str | None = None,
        concurrency: int | None = None,
        progress: Notify | None = None,
        batch: str | None = None,
        **common: Any,
    ) -> AsyncIterator[BatchResult]:
        """As :meth:`PixelRouter.generate_many`, for ``async for``."""
        ready = prepare(requests, common, max_usd, progress, batch)
        return run_async(ready, concurrency, self.generate)

    async def resume(
        self, attempt: str | None = None, *, timeout_s: float | None = None, progress: Notify | None = None
    ) -> list[PixelArt | PixelRouterError]:
        """As :meth:`PixelRouter.resume`."""
        outcomes: list[PixelArt | PixelRouterError] = await self._drive(
            resuming.resume(await self._opened(), attempt, timeout_s, progress)
        )
        return outcomes

    async def reconcile(
        self,
        attempt: str | None = None,
        *,
        accept: Accept | None = None,
        dry_run: bool = False,
        timeout_s: float | None = None,
        progress: Notify | None = None,
    ) -> list[Reconciled]:
        """As :meth:`PixelRouter.reconcile`."""
        steps = reconciling.reconcile(await self._opened(), attempt, accept, dry_run, timeout_s, progress)
        done: list[Reconciled] = await self._drive(steps)
        return done

    async def cancel(self, attempt: str) -> Attempt:
        """As :meth:`PixelRouter.cancel`."""
        row: Attempt = await self._drive(resuming.cancel(await self._opened(), attempt))
        return row

    async def balance(self, backend: str) -> Money | None:
        """As :meth:`PixelRouter.balance`."""
        money: Money | None = await self._drive((await self._opened()).balance(backend))
        return money

    async def aclose(self) -> None:
        """Close connections and files. Jobs under way go on at the vendor and can be resumed."""
        if "_wire" in self.__dict__:
            await self._wire.aclose()
            del self.__dict__["_wire"]
        await asyncio.to_thread(self._shut)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
