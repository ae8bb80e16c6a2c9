"""The ledger as a file: SQLite, one connection a thread, durable commits, and the schema with its upgrades.

WAL mode with ``synchronous=FULL``: a commit has reached the disk when it returns. Every error of SQLite's comes out as
a LedgerError that says what to do.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixelrouter.errors import LedgerError
from pixelrouter.money.database import SCHEMA_VERSION, Session, schema

#: How a ledger of an older version becomes one of the next: version -> statements.
_UPGRADES = {
    1: (
        "ALTER TABLE attempt ADD COLUMN quoted INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE attempt ADD COLUMN quoted_unit TEXT NOT NULL DEFAULT 'usd'",
        "ALTER TABLE attempt ADD COLUMN quoted_source TEXT NOT NULL DEFAULT 'unknown'",
        "ALTER TABLE attempt ADD COLUMN unit_price INTEGER",
        "ALTER TABLE attempt ADD COLUMN delivery TEXT NOT NULL DEFAULT '{}'",
        "UPDATE attempt SET quoted = held, quoted_unit = unit, quoted_source = cost_source",
    ),
    2: (
        "ALTER TABLE attempt ADD COLUMN sent_at REAL",
        "ALTER TABLE attempt ADD COLUMN ticket_id TEXT",
        "ALTER TABLE attempt ADD COLUMN retry_at REAL",
        "ALTER TABLE attempt ADD COLUMN asset TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE attempt ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE attempt ADD COLUMN style_group TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE attempt ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}'",
        "UPDATE attempt SET ticket_id = json_extract(ticket, '$.id')",
    ),
}


class SQLite:
    """A ledger file. Safe to share between threads."""

    remote = False

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._finalizer = weakref.finalize(self, _close_all, self._connections)
        with self.wrapped("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._migrate(self.connection())

    @contextmanager
    def wrapped(self, doing: str) -> Iterator[None]:
        """Every error in here comes out as a LedgerError."""
        try:
            yield
        except (sqlite3.Error, OSError, OverflowError) as error:  # a number too large for SQLite is the last
            text = str(error)
            if "locked" in text or "busy" in text:
                hint = "Another process holds it; wait for it to end, then run the same command again."
            elif "malformed" in text or "not a database" in text:
                hint = "Keep the file; `pixelrouter doctor` says what can be read. Move it away to start a new ledger."
            else:
                hint = "Check the folder's free space and permissions, or set PIXELROUTER_STATE to another folder."
            raise LedgerError(f"The ledger {self.path} cannot be {doing}: {text}.", hint=hint) from error

    def connection(self) -> sqlite3.Connection:
        """The one of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Autocommit: transactions are opened by hand, so that IMMEDIATE is ours to choose.
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            with self._guard:
                self._connections.append(connection)  # before anything can fail, so that it is closed in any case
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA busy_timeout = 30000")
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection = connection
        return connection

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at the ledger; what is read may be old when it is used."""
        with self.wrapped("read"):
            yield self.connection()

    @contextmanager
    def transaction(self, doing: str = "written", *, exclusive: bool = False) -> Iterator[Session]:
        """All or nothing. One writer at a time in any case, so ``exclusive`` adds nothing here."""
        with self.wrapped(doing):
            db = self.connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _migrate(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return
        with self.transaction("set up"):
            version = db.execute("PRAGMA user_version").fetchone()[0]  # again: another process may have been first
            if version == 0:
                version = SCHEMA_VERSION
            while version in _UPGRADES:
                for statement in _UPGRADES[version]:
                    db.execute(statement)
                version += 1
            if version == SCHEMA_VERSION:
                for statement in _statements(schema()):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version}")
            if version > SCHEMA_VERSION:
                raise LedgerError(
                    f"The ledger {self.path} was written by a newer pixelrouter (version {version}).",
                    hint="Upgrade pixelrouter; nothing was changed.",
                )

    def check(self) -> str:
        """SQLite's own integrity check; "ok" when nothing is wrong."""
        with self.reading() as db:
            return str(db.execute("PRAGMA integrity_check").fetchone()[0])

    def close(self) -> None:
        """Close every thread's connection."""
        self._finalizer()
        self._local = threading.local()
        self._finalizer = weakref.finalize(self, _close_all, self._connections)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Set write-ahead logging, which lasts for the file.

    The switch needs the file to itself and, unlike any other statement, does not wait for that (SQLite's busy timeout
    is not asked), so several processes that open a new ledger at once would fail: wait here.
    """
    until = time.monotonic() + 30
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _statements(script: str) -> Iterator[str]:
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
