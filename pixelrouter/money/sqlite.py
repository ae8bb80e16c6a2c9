"""The ledger as a file: SQLite, one connection a thread, durable commits, and the schema with its upgrades.

WAL mode with ``synchronous=FULL``: a commit has reached the disk when it returns. Every error of SQLite's comes out as
a LedgerError that says what to do. A file that cannot be trusted is not used: one that is damaged, that belongs to
another program or a newer version, or that was deleted or replaced while it was open.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pixelrouter.errors import LedgerError, PixelRouterError
from pixelrouter.money.database import SCHEMA_VERSION, UPGRADES, Session, schema

BUSY_S = 30.0  # how long a statement waits for another process that is writing
_INHERITED: list[object] = []  # a forked child's: kept, so that they are not closed
_CHECKED_BYTES = 32 * 1024 * 1024  # a ledger up to this size is checked through at each opening
_LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")  # https://www.sqlite.org/fileformat.html section 4.1
_OTHER = "Check the folder's free space and permissions, or set PIXELROUTER_STATE to another folder."
_DAMAGED = (
    "Keep the file: it is the record of what was paid. `pixelrouter doctor` says what can be read, and"
    " `pixelrouter doctor --rescue FILE` copies that into a new ledger."
)
#: What to do about SQLite's error codes, by their lowest byte: https://www.sqlite.org/rescode.html, 2026-11-21.
_HINTS = {
    sqlite3.SQLITE_BUSY: "Another process holds it; wait for it to end, then run the same command again.",
    sqlite3.SQLITE_LOCKED: "Another process holds it; wait for it to end, then run the same command again.",
    sqlite3.SQLITE_FULL: "The disk is full: free space, then run the same command again.",
    sqlite3.SQLITE_READONLY: "It may only be read: give yourself the right to write the file and its folder.",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


class SQLite:
    """A ledger file. Safe to share between threads."""

    remote = False

    def __init__(self, path: Path, *, busy_s: float | None = None) -> None:
        self.path, self.where = path, str(path)
        self._busy_s = BUSY_S if busy_s is None else busy_s
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard, self._process = threading.Lock(), os.getpid()
        self._finalizer = weakref.finalize(self, _close_all, self._connections)
        self._identity: tuple[int, int] | None = None  # of the file, once it is open
        self._wal_is_there = False
        try:
            with self.wrapped("opened"):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._refuse_emptied()
                self._refuse_bad_log()
                connection = self.connection()
                self._migrate(connection)
                self._look_through(connection)
                self._identity = _identity(path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def wrapped(self, doing: str) -> Iterator[None]:
        """Every error in here comes out as a LedgerError."""
        try:
            yield
        except PixelRouterError:
            raise
        except (sqlite3.Error, OSError, OverflowError, ValueError) as error:  # a number or a text that SQLite refuses
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            hint = _HINTS.get(code, _DAMAGED if str(error).startswith("no such ") else _OTHER)
            raise LedgerError(f"The ledger {self.path} cannot be {doing}: {error}.", hint=hint) from error

    def connection(self) -> sqlite3.Connection:
        """The one of this thread. Raises LedgerError if the file is no longer the one that was opened."""
        self._check_place()
        if self._process != os.getpid():
            self._leave_to_parent()
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Autocommit: transactions are opened by hand, so that IMMEDIATE is ours to choose.
            connection = sqlite3.connect(self.path, timeout=self._busy_s, isolation_level=None, check_same_thread=False)
            with self._guard:
                self._connections.append(connection)  # before anything can fail, so that it is closed in any case
            if len(self._connections) > 1:  # the first one stays: with the last, SQLite removes the -wal file
                self._local.last_breath = _LastBreath(connection, self._connections)
            connection.row_factory = sqlite3.Row
            self._refuse_foreign(connection)
            _switch_to_wal(connection, self._busy_s)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -256")  # KiB: SQLite's 2 MiB a thread would be 512 MiB for 256
            self._local.connection = connection
        return connection

    def _leave_to_parent(self) -> None:
        """A forked child must neither use nor close its parent's connections: https://www.sqlite.org/howtocorrupt.html"""
        self._finalizer.detach()
        _INHERITED.append((self._local, self._connections))
        self._local, self._connections, self._process = threading.local(), [], os.getpid()
        self._finalizer = weakref.finalize(self, _close_all, self._connections)

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
                self._refuse_newer(db)  # another process may have upgraded the file while this one had it open
                yield db
                db.execute("COMMIT")
            except BaseException:
                self._roll_back(db)
                raise
            self._wal_is_there = True

    def _roll_back(self, db: sqlite3.Connection) -> None:
        """Leave no transaction open, whatever has failed; after some errors SQLite has rolled back by itself."""
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        if db.in_transaction:  # not even that: the next statement of this thread gets a new connection
            self._local.connection = None
            with self._guard, suppress(ValueError):
                self._connections.remove(db)
            db.close()

    def _check_place(self) -> None:
        """A file that is deleted or replaced can still be written by those who have it open, and nobody will see it."""
        if self._identity is None:
            return
        wal = self.path.with_name(f"{self.path.name}-wal")
        if _identity(self.path) == self._identity and (not self._wal_is_there or wal.exists()):
            return
        raise LedgerError(
            f"The ledger {self.path} (or its -wal file) was moved, deleted or replaced while it was in use."
            " Nothing was sent.",
            hint="Put it back and start the program again; `pixelrouter doctor` says what is there.",
        )

    def _refuse_emptied(self) -> None:
        """Raise LedgerError where the file is empty and images lie beside it: it was cut off, and is no new ledger."""
        if self.path.is_file() and not self.path.stat().st_size and any((self.path.parent / "store").glob("??/*")):
            raise LedgerError(
                f"The ledger {self.path} is empty, though there are images beside it that were entered in it.",
                hint="Restore it from a backup. To begin a new ledger, delete the empty file: what was bought before"
                " would then be bought again.",
            )

    def _refuse_bad_log(self) -> None:
        """Raise LedgerError where the write-ahead log is none: SQLite would pass over it, and what it held is gone."""
        wal = self.path.with_name(f"{self.path.name}-wal")
        if wal.is_file():
            with wal.open("rb") as file:
                magic = file.read(4)
            if magic.strip(b"\0") and magic not in _LOG_MAGIC:
                raise LedgerError(
                    f"The log {wal} of the latest purchases is damaged. Nothing was sent.",
                    hint=f"{_DAMAGED} What only the log held is lost: compare with the vendors' bills.",
                )

    def _refuse_foreign(self, db: sqlite3.Connection) -> None:
        """Raise LedgerError for a ledger of a newer version and a database of another program; neither is changed."""
        version = self._refuse_newer(db)
        tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if (version or tables) and "attempt" not in tables:
            raise LedgerError(
                f"{self.path} is no ledger, but a database with other tables. Nothing was changed.",
                hint="Set PIXELROUTER_STATE to another folder.",
            )

    def _refuse_newer(self, db: sqlite3.Connection) -> int:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"The ledger {self.path} was written by a newer pixelrouter (version {version}).",
                hint="Upgrade pixelrouter; nothing was changed.",
            )
        return version

    def _look_through(self, db: sqlite3.Connection) -> None:
        """Raise LedgerError for a damaged file: a row or an index entry that is missing would be bought again.

        Takes a few milliseconds for a thousand attempts, so the largest ledgers are left to ``pixelrouter doctor``.
        """
        if self.path.stat().st_size <= _CHECKED_BYTES:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                why = " ".join(str(found).split())
                raise LedgerError(f"The ledger {self.path} is damaged: {why}. Nothing was sent.", hint=_DAMAGED)

    def _migrate(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return
        with self.transaction("set up"):
            version = db.execute("PRAGMA user_version").fetchone()[0]  # again: another process may have been first
            if version == 0:
                version = SCHEMA_VERSION
            while version in UPGRADES:
                for statement in UPGRADES[version]:
                    db.execute(statement)
                version += 1
            if version == SCHEMA_VERSION:
                for statement in _statements(schema()):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version}")

    def check(self) -> str:
        """SQLite's own integrity check; "ok" when nothing is wrong."""
        with self.reading() as db:
            return str(db.execute("PRAGMA integrity_check").fetchone()[0])

    def close(self) -> None:
        """Close every thread's connection."""
        self._finalizer()
        self._wal_is_there = False  # the last one to close takes it away
        self._local = threading.local()
        self._finalizer = weakref.finalize(self, _close_all, self._connections)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells the file from any other of that name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _switch_to_wal(connection: sqlite3.Connection, busy_s: float) -> None:
    """Set write-ahead logging, which lasts for the file.

    The switch needs the file to itself and, unlike any other statement, does not wait for that (SQLite's busy timeout
    is not asked), so several processes that open a new ledger at once would fail: wait here.
    """
    until = time.monotonic() + busy_s
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


class _LastBreath:
    """Kept by a thread alone, so that it goes when the thread does, and closes the thread's connection.

    Otherwise every batch of requests, which has threads of its own, would leave its connections open.
    """

    def __init__(self, connection: sqlite3.Connection, connections: list[sqlite3.Connection]) -> None:
        weakref.finalize(self, _close_one, connection, connections)


def _close_one(connection: sqlite3.Connection, connections: list[sqlite3.Connection]) -> None:
    with suppress(ValueError):
        connections.remove(connection)  # without the lock: this may run wherever garbage is collected
    connection.close()


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        with suppress(sqlite3.Error):  # on a full disk the WAL stays, and the next who opens the ledger reads it
            connections.pop().close()


def _statements(script: str) -> Iterator[str]:
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
