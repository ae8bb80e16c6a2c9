"""What the engine may ask of the world, and the two drivers that do it: the only place where sync and async differ.

The engine is a generator that yields effects and is sent their results, so it is written once. The synchronous driver
blocks, the asynchronous one awaits; computing (drawing, finishing) runs in a worker thread there, because an event loop
must not stand still while numpy works. Where the ledger is on a server, so does everything the engine itself does.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from pixelrouter.routing.interrupts import Brake, Kept
from pixelrouter.types import HttpRequest, HttpResponse
from pixelrouter.wire.client import AsyncWire, RetryBudget, Wire
from pixelrouter.wire.guard import HostRules

R = TypeVar("R")


@dataclass(frozen=True)
class Paid:
    """Send a request that can cost money: once. ``ready`` runs right before its first byte leaves, and may raise."""

    request: HttpRequest
    rules: HostRules
    timeout_s: float
    ready: Callable[[], None] | None = None


@dataclass(frozen=True)
class Free:
    """Send a request that costs nothing; repeated on trouble, never past ``deadline`` (monotonic seconds)."""

    request: HttpRequest
    rules: HostRules
    timeout_s: float
    budget: RetryBudget
    purpose: str
    deadline: float | None = None
    download: bool = False
    attempts: int | None = None


@dataclass(frozen=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Compute something on this machine."""

    run: Callable[[], Any]


class NotBegun(asyncio.CancelledError):
    """Cancelled before a paid request was begun: no byte of it has left."""


Effect = Paid | Free | Sleep | Work
Steps = Generator[Effect, Any, R]


def drive(steps: Steps[R], wire: Wire, stop: threading.Event | None = None, *, longest_s: float = float("inf")) -> R:
    """Run the steps, blocking. Ctrl-C, or setting ``stop``, ends them where nothing paid is lost by it.

    ``longest_s``: no pause is longer, whatever the steps ask for.
    """

    def perform(effect: Effect, brake: Brake) -> Any:
        match effect:
            case Paid():
                return brake.paying(lambda: wire.paid(effect.request, effect.rules, **_paid_arguments(effect)))
            case Free():
                return brake.loosely(lambda: wire.free(effect.request, effect.rules, **_free_arguments(effect)))
            case Sleep():
                return brake.sleep(min(effect.seconds, longest_s))
            case Work():
                return brake.loosely(effect.run)

    with Brake(stop) as brake:
        try:
            effect = next(steps)
            while True:
                try:
                    result = perform(effect, brake)
                except BaseException as error:  # noqa: BLE001  (Ctrl-C too: the engine must write down where it stood)
                    effect = steps.throw(error)
                else:
                    effect = steps.send(result)
        except StopIteration as end:
            value: R = end.value
            return value


async def drive_async(steps: Steps[R], wire: AsyncWire, *, aside: bool = False, longest_s: float = float("inf")) -> R:
    """Run the steps on the event loop. A cancellation ends them where nothing paid is lost by it.

    ``longest_s``: see :func:`drive`. ``aside``: between two effects they wait for a server (a team's ledger), so they
    take each step in a worker thread.
    """
    kept: Kept[HttpResponse] = Kept()
    advance = _advance_aside if aside else _advance
    context = contextvars.copy_context()  # one for all steps, whichever thread they are on

    async def perform(effect: Effect) -> Any:
        if isinstance(effect, Paid):
            if kept.cancelled is not None:
                raise NotBegun
            return await kept.to_its_end(wire.paid(effect.request, effect.rules, **_paid_arguments(effect)))
        kept.check()
        match effect:
            case Free():
                return await wire.free(effect.request, effect.rules, **_free_arguments(effect))
            case Sleep():
                return await asyncio.sleep(min(effect.seconds, longest_s))
            case Work():
                return await asyncio.to_thread(effect.run)

    try:
        step = await advance(lambda: next(steps), kept, context)
        while not isinstance(step, _End):
            try:
                result = await perform(step)
            except BaseException as error:  # noqa: BLE001  (cancellation too: the engine must write down where it stood)
                step = await advance(partial(steps.throw, error), kept, context)
            else:
                step = await advance(partial(steps.send, result), kept, context)
    finally:
        kept.check()
    value: R = step.value
    return value


@dataclass(frozen=True)
class _End(Generic[R]):
    """The steps are over; what they returned."""

    value: R


Step = Callable[[], Effect]


def _taken(step: Step) -> Effect | _End[Any]:
    try:
        return step()
    except StopIteration as end:  # which no future and no coroutine can raise
        return _End(end.value)


async def _advance(step: Step, kept: Kept[HttpResponse], context: contextvars.Context) -> Effect | _End[Any]:
    """To the next effect, on the event loop."""
    return _taken(step)


async def _advance_aside(step: Step, kept: Kept[HttpResponse], context: contextvars.Context) -> Effect | _End[Any]:
    """To the next effect, in a worker thread. A cancellation that comes meanwhile waits: what is written is written."""
    taking = asyncio.get_running_loop().run_in_executor(None, context.run, _taken, step)
    while not taking.done():
        try:
            await asyncio.wait({taking})
        except asyncio.CancelledError as cancelled:
            kept.cancelled = cancelled
    return taking.result()


def _paid_arguments(effect: Paid) -> dict[str, Any]:
    return {"timeout_s": effect.timeout_s, "ready": effect.ready}


def _free_arguments(effect: Free) -> dict[str, Any]:
    names = ("timeout_s", "deadline", "budget", "purpose", "download", "attempts")
    return {name: getattr(effect, name) for name in names}
