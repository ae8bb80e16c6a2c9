"""Ctrl-C and cancellation: they may leave a job at the vendor, but never an answer that money hangs on.

A job can be left at any moment, as its ticket is on disk. The answer to a paid request cannot: until it is written down
nobody knows whether it was charged, and a vendor without a list of jobs never tells. So an interruption waits for that
one answer, at most the exchange's time limit, and for what the ledger is writing. A second interruption does not wait.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, Generic, Self, TypeVar

R = TypeVar("R")
_WAITING = (
    "Interrupted while a paid request is under way: waiting for its answer, so that it is not lost. "
    "Interrupt again to give it up."
)
_log = logging.getLogger("pixelrouter")


class Terminated(KeyboardInterrupt):
    """SIGTERM, where :func:`terminate` is its handler: the same as Ctrl-C, from another program."""


def terminate(number: int, frame: FrameType | None) -> None:
    """A handler of SIGTERM."""
    raise Terminated


class Brake(AbstractContextManager["Brake"]):
    """Holds signals back in the main thread except where :meth:`loosely` runs something; gives them back at the end.

    Of signals it knows those handled by Python's own Ctrl-C and by :func:`terminate`; a handler of the caller's is left
    alone. ``stop``: where the work is one of many in threads, which no signal reaches, setting it interrupts them.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop
        self._loose = self._paying = False
        self._held_back: int | None = None
        self._theirs: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if handler is signal.default_int_handler or handler is terminate:
                    self._theirs[number] = handler
                    signal.signal(number, self._signalled)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._theirs.items():
            signal.signal(number, handler)
        self._give_back(None)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        again, self._held_back = self._held_back is not None, number
        if self._loose or again:
            self._give_back(frame)
        elif self._paying:
            _log.warning(_WAITING)

    def _give_back(self, frame: FrameType | None) -> None:
        if self._held_back is not None:
            number, self._held_back = self._held_back, None
            self._theirs[number](number, frame)

    def paying(self, send: Callable[[], R]) -> R:
        """Run what must not be interrupted. Raises KeyboardInterrupt at the second interruption only."""
        self._paying = True
        try:
            return send()
        finally:
            self._paying = False

    def loosely(self, run: Callable[[], R]) -> R:
        """Run what may be interrupted. Raises KeyboardInterrupt, and at once where one was held back."""
        self._loose = True
        try:
            self._give_back(None)
            if self._stop is not None and self._stop.is_set():
                raise KeyboardInterrupt
            return run()
        finally:
            self._loose = False

    def sleep(self, seconds: float) -> None:
        """Sleep, loosely, or until stopped."""
        if self._stop is None:
            self.loosely(lambda: time.sleep(seconds))
        elif self._stop.wait(seconds):
            raise KeyboardInterrupt


class Kept(Generic[R]):
    """An awaited answer that a cancellation waits for. ``cancelled`` is the cancellation that came meanwhile."""

    def __init__(self) -> None:
        self.cancelled: asyncio.CancelledError | None = None

    async def to_its_end(self, sending: Coroutine[Any, Any, R]) -> R:
        """What ``sending`` returns or raises. A second cancellation gives it up: raises CancelledError."""
        task = asyncio.ensure_future(sending)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError as cancelled:
            if task.done():
                self.cancelled = None if task.cancelled() else cancelled
                return task.result()
            _log.warning(_WAITING)
            self.cancelled = cancelled
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self.cancelled = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        return task.result()

    def check(self) -> None:
        """Raise the cancellation that was held back."""
        if self.cancelled is not None:
            cancelled, self.cancelled = self.cancelled, None
            raise cancelled
