"""Who is alive, where several machines share a ledger: a lease on the server, renewed until its holder dies.

All times are the server's, as machines' clocks differ. A lease that has lapsed is never taken up again, because others
may have acted on it: its holder becomes somebody new, and in the same transaction takes along what nobody has taken
from it. What a machine that was suspended wrote down as its own before may then be somebody else's, so the ledger asks
for the owner where that matters, and money.ledger asks for a lease that holds before paid bytes leave.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
import weakref
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from pixelrouter.errors import LedgerError
from pixelrouter.money.budget import LIVE
from pixelrouter.money.database import Database, Session

LEASE_S = 20.0  # a killed worker's jobs are free after at most this long
_BEATS = 4  # renewals within one lease, so that one that fails is not the end
_KEPT_S = 86_400.0  # how long a dead worker's row is kept, for people who look at the table

# clock_timestamp() goes on within a transaction, now() does not.
_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
_LIVE = ",".join(f"'{state}'" for state in LIVE)


class Lease:
    """A worker on any machine. Safe to share between threads; a forked child is a worker of its own.

    ``seconds``: how long a lease lasts unless it is renewed, which a thread in the background does.
    """

    def __init__(self, database: Database, seconds: float = LEASE_S) -> None:
        self._database, self._seconds = database, seconds
        self._guard = threading.Lock()
        self._closed = False
        self._start()

    def _start(self) -> None:
        self._guard, self._over = threading.Lock(), threading.Event()
        self._process, self._id = os.getpid(), ""
        self._names: tuple[str, ...] = ()
        self._enter()
        beat = threading.Thread(
            target=_renew_for_ever,
            args=(weakref.ref(self), self._over, self._seconds / _BEATS),
            name="pixelrouter-lease",
            daemon=True,
        )
        self._finalizer = weakref.finalize(self, self._over.set)
        beat.start()

    @property
    def id(self) -> str:
        """The router's name, until its lease is lost."""
        if self._process != os.getpid() and not self._closed:
            self._start()  # a child that used its parent's name would die and live with it
        return self._id

    @property
    def names(self) -> Sequence[str]:
        """The name, and those it had before."""
        return (self.id, *self._names)

    def alive(self, owner: str) -> bool:
        """Whether the router called ``owner`` still has a lease."""
        if owner == self._id and self._process == os.getpid():
            return not self._closed
        with self._database.reading() as db:
            sql = f"SELECT 1 AS found FROM worker WHERE id = :id AND until > {_NOW}"  # noqa: S608  (constants)
            return db.execute(sql, {"id": owner}).fetchone() is not None

    def holds(self, db: Session) -> bool:
        """Whether the lease lasts half its time at least, by the server's clock."""
        sql = f"SELECT 1 AS found FROM worker WHERE id = :id AND until > {_NOW} + :rest"  # noqa: S608  (constants)
        return db.execute(sql, {"id": self.id, "rest": self._seconds / 2}).fetchone() is not None

    def fresh(self) -> bool:
        """Whether the lease surely lasts still, by this machine's clocks: counted from before it was asked for."""
        monotonic, wall = self._renewed
        # The one clock stands still on some systems while the machine is suspended, the other may be set back.
        return max(time.monotonic() - monotonic, time.time() - wall) < self._seconds

    def renew(self) -> None:
        """Make the lease last its full time from now; where it has lapsed, become somebody new."""
        with self._guard:
            if self._closed or self._process != os.getpid():
                return
            asked = (time.monotonic(), time.time())
            with self._database.transaction() as db:
                sql = f"UPDATE worker SET until = {_NOW} + :seconds WHERE id = :id AND until > {_NOW}"  # noqa: S608  (constants)
                held = db.execute(sql, {"id": self._id, "seconds": self._seconds}).rowcount == 1
            if held:
                self._renewed = asked
            else:
                self._enter()

    def _enter(self) -> None:
        """A new name, with everything of the old one's that nobody has taken: who takes it over changes its owner."""
        asked, new = (time.monotonic(), time.time()), uuid.uuid4().hex
        values = {
            "id": new,
            "old": self._id,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "seconds": self._seconds,
        }
        self._names = (*self._names, new)  # known before it is written: another thread may meet it at once
        with self._database.transaction() as db:
            db.execute(f"DELETE FROM worker WHERE id = :old OR until < {_NOW} - {_KEPT_S}", values)  # noqa: S608  (constants)
            db.execute(
                f"INSERT INTO worker (id, host, process, until) VALUES (:id, :host, :process, {_NOW} + :seconds)",  # noqa: S608  (constants)
                values,
            )
            if self._id:
                db.execute("UPDATE attempt SET owner = :id WHERE owner = :old", values)
        self._id, self._renewed = new, asked

    def free(self, db: Session, tried: Collection[str]) -> Any:
        """The newest unfinished row that nobody works on, locked until the commit; others pass it over meanwhile."""
        return db.execute(
            f"SELECT a.* FROM attempt AS a WHERE a.state IN ({_LIVE}) AND a.id <> ALL(:tried)"  # noqa: S608  (constants)
            f" AND NOT EXISTS (SELECT 1 FROM worker AS w WHERE w.id = a.owner AND w.until > {_NOW})"
            " ORDER BY a.created_at DESC, a.rowid DESC LIMIT 1 FOR UPDATE OF a SKIP LOCKED",
            {"tried": list(tried)},
        ).fetchone()

    def close(self) -> None:
        """Give the lease back; attempts left behind may be taken over."""
        if self._closed or self._process != os.getpid():
            return
        self._finalizer()
        with self._guard:
            self._closed = True
            if not self.fresh():
                return  # the server was not to be had: the lease lapses by itself
            with suppress(LedgerError), self._database.transaction() as db:
                db.execute("DELETE FROM worker WHERE id = :id", {"id": self._id})


def _renew_for_ever(worker: weakref.ref[Lease], over: threading.Event, pause_s: float) -> None:
    """Until the lease is closed or forgotten. It is not kept alive by its own heartbeat."""
    while not over.wait(pause_s):
        lease = worker()
        if lease is None:
            return
        with suppress(LedgerError):  # the server cannot be reached just now; the next beat asks again
            lease.renew()
        del lease
