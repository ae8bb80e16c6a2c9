"""Events for logs: one line each through the logging module, or as JSON for a build machine."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from pixelrouter.watch.event import Event

_LEVELS = {
    "call.started": logging.INFO,
    "call.finished": logging.INFO,
    "call.failed": logging.ERROR,
    "attempt.settled": logging.INFO,
    "attempt.released": logging.INFO,
    "attempt.unknown": logging.WARNING,
    "attempt.shared": logging.INFO,
    "attempt.explained": logging.INFO,
    "free.repeated": logging.WARNING,
    "slot.waiting": logging.INFO,
    "quality.rejected": logging.WARNING,
}
_HIDDEN = ("prompt_hash",)  # in the record's fields, but not in the line


def level(event: Event) -> int:
    """How important it is: steps DEBUG, money and ends of calls INFO, trouble WARNING, a failed call ERROR."""
    usual = _LEVELS.get(event.name, logging.DEBUG)
    failed = event.name in ("attempt.settled", "attempt.released") and event.attempt is not None and event.attempt.error
    return logging.WARNING if failed else usual


def line(event: Event) -> str:
    """The event as one line of text, without line breaks."""
    words = [event.name, event.backend]
    if event.attempt is not None:
        row = event.attempt
        words += [row.model or "", f"attempt={row.id[:12]}", f"cost={row.cost}"]
        words += [f"error={row.error}"] if row.error else []
    words += [f"{name}={_short(value)}" for name, value in event.details.items() if _worth(name, value)]
    words += [f"call={event.call[:8]}"] if event.call else []
    text = " ".join(word for word in words if word)
    return "".join(char if char.isprintable() else " " for char in text)


def _worth(name: str, value: object) -> bool:
    return name not in _HIDDEN and value not in (None, "", [], {}, False)


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and {"amount", "unit"} <= set(value):
        return f"{value['amount']} {value['unit']}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


class Logging:
    """One line an event on the logger ``pixelrouter``; the record has the fields of the event as its own.

    ``record.event``, ``record.call``, ``record.backend``, ``record.attempt`` (the id) and ``record.pixelrouter``, the
    whole event as JSON-ready data. Prompts are hashed. Which lines are shown, and where, is set up as for any logger.
    """

    def __init__(self, logger: logging.Logger | str = "pixelrouter") -> None:
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger

    def notice(self, event: Event) -> None:
        """Log it."""
        importance = level(event)
        if not self._logger.isEnabledFor(importance):
            return
        fields = {
            "event": event.name,
            "call": event.call,
            "backend": event.backend,
            "attempt": event.attempt.id if event.attempt else "",
            "pixelrouter": event.as_dict(),
        }
        self._logger.log(importance, "%s", line(event), extra=fields)


class JsonLines:
    """One JSON object a line (https://jsonlines.org): to a file that is appended to, or a stream; by default stderr.

    ``prompts`` writes the prompts themselves, which are else hashed.
    """

    def __init__(self, target: Path | str | IO[str] | None = None, *, prompts: bool = False) -> None:
        self._target = Path(target) if isinstance(target, str) else target
        self._prompts = prompts
        self._lock = threading.Lock()

    def notice(self, event: Event) -> None:
        """Write it, in one piece."""
        text = json.dumps(event.as_dict(prompts=self._prompts), default=str) + "\n"
        with self._lock:
            if isinstance(self._target, Path):
                with self._target.open("a", encoding="utf-8") as file:
                    file.write(text)
            else:
                stream = self._target or sys.stderr
                stream.write(text)
                stream.flush()
