"""What observers are told, and who tells them. An observer can watch money move; it can never stop it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from pixelrouter.errors import redact
from pixelrouter.types import Attempt
from pixelrouter.watch.event import Event, plain

_log = logging.getLogger("pixelrouter")

#: The router's call that is being worked on, here: in this thread, or in this task of an event loop.
_CALL: ContextVar[str] = ContextVar("pixelrouter_call", default="")


class Observer(Protocol):
    """Anything that wants to know. Called on the thread that works, so it should be quick; several may call at once.

    Whatever it raises is logged, the first time, and dropped. Only KeyboardInterrupt and SystemExit go through: they
    are how Ctrl-C and a signal end a program, and such may come while an observer runs. The ledger then stands as after
    any other Ctrl-C: nothing is paid twice and nothing is lost.
    """

    def notice(self, event: Event) -> None:
        """Something happened."""


class Watch:
    """Tells every observer of one router. Never called inside a transaction or while a lock is held."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._failed: set[int] = set()  # which observers have failed before, by place

    def __bool__(self) -> bool:
        """Whether anybody watches."""
        return bool(self._observers)

    @contextlib.contextmanager
    def call(self, call: str) -> Iterator[None]:
        """Whatever happens in here, in this thread or task, belongs to that call."""
        if not self._observers:
            yield
            return
        token = _CALL.set(call)
        try:
            yield
        finally:
            _CALL.reset(token)

    def tell(
        self, name: str, *, call: str = "", backend: str = "", attempt: Attempt | None = None, **details: Any
    ) -> None:
        """Hand an event to every observer. ``details`` are made JSON-ready, without credentials."""
        if not self._observers:
            return
        event = Event(name, time.time(), call or _CALL.get(), backend, attempt, plain(details))
        for place, observer in enumerate(self._observers):
            try:
                observer.notice(event)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001  (an observer must never stop what it observes)
                self._dropped(place, observer, name, error)

    def attempt(self, row: Attempt) -> None:
        """An attempt has changed its state, durably."""
        if self._observers:
            self.tell(f"attempt.{row.state}", backend=row.backend, attempt=row)

    def _dropped(self, place: int, observer: Observer, name: str, error: BaseException) -> None:
        if place in self._failed:
            return
        self._failed.add(place)
        with contextlib.suppress(Exception):  # a log handler may fail as well
            _log.warning(
                "The observer %s failed at %s: %s. Its failures are dropped from now on without a word.",
                type(observer).__name__,
                name,
                redact(repr(error)),
            )


SILENT = Watch()
