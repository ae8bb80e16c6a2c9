"""What observers are told, and who tells them. An observer can watch money move; it can never stop it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pixelrouter.errors import redact
from pixelrouter.types import Attempt

_log = logging.getLogger("pixelrouter")


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``at`` is in seconds since the epoch; ``call`` names the router's call it belongs to.

    ``name`` is one of: ``call.started``, ``call.finished``, ``call.failed``; ``candidate.chosen``,
    ``candidate.passed``; ``attempt.reserved``, ``attempt.sending``, ``attempt.accepted``, ``attempt.settled``,
    ``attempt.released``, ``attempt.unknown``. ``attempt`` is the ledger's row where there is one.
    """

    name: str
    at: float
    call: str = ""
    backend: str = ""
    attempt: Attempt | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Observer(Protocol):
    """Anything that wants to know. Called on the thread that works; whatever it raises is logged and dropped."""

    def notice(self, event: Event) -> None:
        """Something happened."""


class Watch:
    """Tells every observer of one router."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)
        self._calls: dict[str, str] = {}  # the call that works on an attempt

    def tell(
        self, name: str, *, call: str = "", backend: str = "", attempt: Attempt | None = None, **details: Any
    ) -> None:
        """Hand an event to every observer."""
        if not self._observers:
            return
        event = Event(name, time.time(), call, backend, attempt, details)
        for observer in self._observers:
            try:
                observer.notice(event)
            except Exception as error:  # noqa: BLE001  (an observer must never stop what it observes)
                _log.warning("an observer failed at %s: %s", name, redact(repr(error)))

    def works_on(self, call: str, attempt: str) -> None:
        """From now on events of that attempt belong to that call."""
        if self._observers:
            self._calls[attempt] = call

    def attempt(self, row: Attempt) -> None:
        """An attempt has changed its state, durably."""
        if self._observers:
            ended = row.state in ("settled", "released", "unknown")
            call = (self._calls.pop if ended else self._calls.get)(row.id, "") or ""
            self.tell(f"attempt.{row.state}", call=call, backend=row.backend, attempt=row)


SILENT = Watch()
