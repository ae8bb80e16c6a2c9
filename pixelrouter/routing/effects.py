"""What the engine may ask of the world, and the two drivers that do it: the only place where sync and async differ.

The engine is a generator that yields effects and is sent their results, so it is written once. The synchronous driver
blocks, the asynchronous one awaits; computing (drawing, finishing) runs in a worker thread there, because an event loop
must not stand still while numpy works.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from pixelrouter.types import HttpRequest
from pixelrouter.wire.client import AsyncWire, RetryBudget, Wire
from pixelrouter.wire.guard import HostRules

R = TypeVar("R")


@dataclass(frozen=True)
class Paid:
    """Send a request that can cost money: once."""

    request: HttpRequest
    rules: HostRules
    timeout_s: float


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


Effect = Paid | Free | Sleep | Work
Steps = Generator[Effect, Any, R]


def drive(steps: Steps[R], wire: Wire) -> R:
    """Run the steps, blocking."""

    def perform(effect: Effect) -> Any:
        match effect:
            case Paid():
                return wire.paid(effect.request, effect.rules, timeout_s=effect.timeout_s)
            case Free():
                return wire.free(effect.request, effect.rules, **_free_arguments(effect))
            case Sleep():
                return time.sleep(effect.seconds)
            case Work():
                return effect.run()

    try:
        effect = next(steps)
        while True:
            try:
                result = perform(effect)
            except BaseException as error:  # noqa: BLE001  (Ctrl-C too: the engine must write down where it stood)
                effect = steps.throw(error)
            else:
                effect = steps.send(result)
    except StopIteration as stop:
        value: R = stop.value
        return value


async def drive_async(steps: Steps[R], wire: AsyncWire) -> R:
    """Run the steps on the event loop."""

    async def perform(effect: Effect) -> Any:
        match effect:
            case Paid():
                return await wire.paid(effect.request, effect.rules, timeout_s=effect.timeout_s)
            case Free():
                return await wire.free(effect.request, effect.rules, **_free_arguments(effect))
            case Sleep():
                return await asyncio.sleep(effect.seconds)
            case Work():
                return await asyncio.to_thread(effect.run)

    try:
        effect = next(steps)
        while True:
            try:
                result = await perform(effect)
            except BaseException as error:  # noqa: BLE001  (cancellation too: the engine must write down where it stood)
                effect = steps.throw(error)
            else:
                effect = steps.send(result)
    except StopIteration as stop:
        value: R = stop.value
        return value


def _free_arguments(effect: Free) -> dict[str, Any]:
    names = ("timeout_s", "deadline", "budget", "purpose", "download", "attempts")
    return {name: getattr(effect, name) for name in names}
