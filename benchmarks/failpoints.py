"""Where a worker process can be killed: before and after every commit, every send and every step of a store.

They are patched into the product from outside, in the worker alone; the product knows nothing of them.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market import request_in

from pixelrouter.money.balances import Balances
from pixelrouter.money.bindings import Bindings
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.raws import Raws
from pixelrouter.money.sqlite import SQLite
from pixelrouter.routing.workshop import Workshop
from pixelrouter.store import Store
from pixelrouter.wire.client import AsyncWire, Wire

_READING = {"standing", "get", "owner_and_body", "wish", "seeds", "attempts", "used", "check", "close"}
#: Every method of the ledger that writes; one that is added later is found here by itself.
WRITING = tuple(
    name
    for name, value in vars(Ledger).items()
    if callable(value) and not name.startswith("_") and name not in _READING
)
#: What else is written to a ledger's database in the course of a purchase.
_OTHERS: tuple[tuple[type[Any], str], ...] = (
    (Balances, "note"),
    (Bindings, "claim"),
    (Bindings, "delivered"),
    (Raws, "write"),
)
#: What free calls are made for, in the words that the product gives them.
FREE = (
    "look at the job",
    "download the image",
    "find a lost job",
    "read the balance",
    "read the catalogue",
    "ask for the price",
)
_PLACES = (
    *(f"Ledger.{name}" for name in WRITING),
    *(f"the COMMIT of {name}" for name in WRITING if name != "still_sending"),  # that one looks, and commits nothing
    "Balances.note",
    "the COMMIT of Balances.note",
    "Wire.paid",
    *(f"Wire.free ({purpose})" for purpose in FREE),
    "Store.put",
    "an fsync in Store.put",
    "the rename in Store.put",
)
#: Every place to be killed at that is known beforehand.
POINTS = tuple(f"{when} {place}" for place in _PLACES for when in ("before", "after"))

_inside: ContextVar[str] = ContextVar("inside", default="")  # the method of ledger or store that is at work
_request: ContextVar[str] = ContextVar("request", default="")  # the id of the request that is worked on
_latest = ""  # the one that any thread began last


@dataclass(frozen=True)
class Target:
    """Die when ``point`` is passed for the ``number``-th time; any point where it is empty.

    ``moment``: die that many seconds after the start, wherever that is. ``lingers``: seconds to stand there first,
    with the log saying so, while others come to wait for this one.
    """

    point: str = ""
    number: int = 1
    moment: float | None = None
    lingers: float = 0.0


class Log:
    """What a worker says: one JSON object a line, each written at once, so that no kill can tear or lose one."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **said: Any) -> None:
        os.write(self._file, json.dumps(said).encode() + b"\n")


class Failpoints:
    """Counts the points that this process passes, and kills it at its target."""

    def __init__(self, log: Log, target: Target | None) -> None:
        self._log, self._target = log, target
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()
        if target is not None and target.moment is not None:
            threading.Thread(target=self._die_later, args=(target.moment,), daemon=True).start()

    def pass_by(self, point: str) -> None:
        """The process is there now, and perhaps no further."""
        with self._lock:  # other threads stand still meanwhile, so exactly one death is written down
            self._passed[point] += 1
            if self._passed[point] == 1:
                self._log.write(passed=point, request=_request.get())
            target = self._target
            if target is None or target.moment is not None or target.point not in ("", point):
                return
            count = self._passed[point] if target.point else self._passed.total()
            if count == target.number:
                if target.lingers:
                    self._log.write(lingers=point)
                    time.sleep(target.lingers)
                self._die(point)

    def _die_later(self, seconds: float) -> None:
        time.sleep(seconds)
        with self._lock:
            self._die("at any moment")

    def _die(self, point: str) -> None:
        self._log.write(killed=point, request=_request.get() or _latest)
        os.kill(os.getpid(), signal.SIGKILL)

    # --- patching ---

    def install(self, databases: tuple[type[Any], ...] = (SQLite,)) -> None:
        """Patch the product in this process, for good."""
        for name in WRITING:
            self._around(Ledger, name, lambda _, name=name: f"Ledger.{name}", inside=name)
        for owner, name in _OTHERS:
            self._around(
                owner, name, lambda _, label=f"{owner.__name__}.{name}": label, inside=f"{owner.__name__}.{name}"
            )
        for database in databases:
            self._around_commit(database)
        self._around(Store, "put", lambda _: "Store.put", inside="Store.put")
        for name, what in (("fsync", "an fsync"), ("replace", "the rename"), ("rename", "the rename")):
            self._around(os, name, lambda _, what=what: f"{what} in Store.put", only_inside="Store.put")
        self._around(Wire, "paid", lambda _: "Wire.paid")
        self._around(Wire, "free", lambda purpose: f"Wire.free ({purpose})")
        self._around_async("paid", lambda _: "Wire.paid")
        self._around_async("free", lambda purpose: f"Wire.free ({purpose})")
        self._remember_request()

    def _around(
        self, owner: Any, name: str, label: Callable[[str], str], *, inside: str = "", only_inside: str = ""
    ) -> None:
        real = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if only_inside and _inside.get() != only_inside:
                return real(*args, **kwargs)
            token = _inside.set(inside) if inside else None
            try:
                with self._points(label(kwargs.get("purpose", ""))):
                    return real(*args, **kwargs)
            finally:
                if token is not None:
                    _inside.reset(token)

        setattr(owner, name, watched)

    def _around_async(self, name: str, label: Callable[[str], str]) -> None:
        real = getattr(AsyncWire, name)

        async def watched(*args: Any, **kwargs: Any) -> Any:
            with self._points(label(kwargs.get("purpose", ""))):
                return await real(*args, **kwargs)

        setattr(AsyncWire, name, watched)

    @contextmanager
    def _points(self, place: str) -> Iterator[None]:
        self.pass_by(f"before {place}")
        try:
            yield
        except BaseException:
            self.pass_by(f"after {place}, which failed")
            raise
        self.pass_by(f"after {place}")

    def _around_commit(self, database: type[Any]) -> None:
        real = database.transaction

        @contextmanager
        def watched(*args: Any, **kwargs: Any) -> Iterator[Any]:
            place = f"the COMMIT of {_inside.get() or 'something else'}"
            with real(*args, **kwargs) as session:
                yield session
                self.pass_by(f"before {place}")  # all is said, and the commit comes next
            self.pass_by(f"after {place}")

        setattr(database, "transaction", watched)  # noqa: B010  (a patch, and the type checker shall not see it)

    def _remember_request(self) -> None:
        real = Workshop.ask

        def ask(workshop: Any, prompt: str, **arguments: Any) -> Any:
            _work_on(prompt)
            return real(workshop, prompt, **arguments)

        setattr(Workshop, "ask", ask)  # noqa: B010  (as above)


def _work_on(prompt: str) -> None:
    global _latest  # a worker has one life, and this is its state
    if request := request_in(prompt):
        _latest = request
        _request.set(request)
