"""The ledger on a server that a team shares: PostgreSQL, durable commits, and the schema.

Every transaction says itself what it needs (isolation, durability, time limits), in the one message that begins it,
so that neither the server's defaults nor a connection pooler between us can weaken a promise. Every error comes out
as a LedgerError that says what to do, without the password.
"""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pixelrouter.errors import ConfigError, ConnectionLost, LedgerError, PixelRouterError, register_secret
from pixelrouter.money.database import SCHEMA_VERSION, UPGRADES, Rows, Session, schema

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
except ImportError as missing:
    raise ConfigError(
        f"A team's ledger needs a package that is not installed ({missing}). Nothing was sent.",
        hint="pip install 'pixelrouter[postgres]'",
    ) from missing

from pixelrouter.money.connections import Connection, Connections, connect

WAIT_S = 30  # for a free connection or a lock, as long as SQLite waits for another writer
CONNECTIONS = 8  # at most, a process; a server's default is 100 for everybody
_UNREACHABLE = (
    "Check that the server runs and that the address is right. Then run the same again: whatever was under way is found"
    " in the ledger and collected, not bought again."
)
_ABANDONED: list[Connections] = []

# PostgreSQL's advisory locks are named by two numbers: ours ("pixe"), and which: 0 for setting up, else a table's.
_LOCK = 0x70697865
# READ COMMITTED: each statement sees what was committed before it, so what is read under the lock is true until the
# commit. A holder whose machine was suspended is thrown out by the server, or it would keep the whole team waiting.
_BEGIN = f"""
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
SET LOCAL lock_timeout = '{WAIT_S}s';
SET LOCAL idle_in_transaction_session_timeout = '10s';
"""
_ALONE = f"SELECT pg_advisory_xact_lock({_LOCK}, 'attempt'::regclass::oid::integer);"
_SETTING_UP = f"SELECT pg_advisory_xact_lock({_LOCK}, 0);"

#: What a connection gets unless the address says otherwise; all of it libpq's.
_DEFAULTS = {
    "application_name": "pixelrouter",
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}


class Postgres:
    """A ledger on a server. Safe to share between threads, and in a process forked from the one that opened it."""

    remote = True

    def __init__(self, url: str) -> None:
        self._conninfo, self.where = _address(url)
        self._guard = threading.Lock()
        self._process = 0
        self._connections: Connections | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._migrate()

    # --- connections ---

    def _pool(self) -> Connections:
        with self._guard:
            if self._connections is None or self._process != os.getpid():
                if self._connections is not None and self._finalizer is not None:
                    self._finalizer.detach()  # a forked child must not even close its parent's connections
                    _ABANDONED.append(self._connections)
                self._connections = Connections(self._conninfo, CONNECTIONS, WAIT_S)
                self._process = os.getpid()
                self._finalizer = weakref.finalize(self, self._connections.close)
            return self._connections

    @contextmanager
    def _wrapped(self, doing: str) -> Iterator[None]:
        """Every error in here comes out as a LedgerError."""
        try:
            yield
        except PixelRouterError:
            raise
        except psycopg.errors.LockNotAvailable as error:
            raise self._error(
                doing, error, "Another machine holds it; wait a moment, then run the same again."
            ) from error
        except psycopg.OperationalError as error:
            raise self._error(doing, error, _UNREACHABLE) from error
        except psycopg.Error as error:
            hint = "`pixelrouter doctor` checks it; the role needs to read and write, and for the set-up to create."
            raise self._error(doing, error, hint) from error
        except (OverflowError, ValueError) as error:  # a number or a text that the driver refuses
            raise self._error(doing, error, "Write it in another way; nothing was written.") from error

    def _error(self, doing: str, error: Exception, hint: str, kind: type[LedgerError] = LedgerError) -> LedgerError:
        return kind(f"The ledger {self.where} cannot be {doing}: {' '.join(str(error).split())}.", hint=hint)

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Connection]:
        """A connection on which ``begin`` went well. One that died while it lay idle is replaced: nothing was done."""
        for _ in range(CONNECTIONS + 1):  # more than may lie idle
            with self._pool().one() as connection:
                try:
                    connection.execute(begin.encode())
                except psycopg.Error as error:
                    if not connection.closed:
                        raise
                    died = error
                    continue
                yield connection
                return
        raise died

    # --- the protocol ---

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at the ledger; what is read may be old when it is used."""
        with self._wrapped("read"), self._begun("") as connection:
            yield _Session(connection)

    @contextmanager
    def transaction(self, doing: str = "written", *, exclusive: bool = False) -> Iterator[Session]:
        """All or nothing, durable when it returns. ConnectionLost: nobody can tell whether it was written."""
        with self._transaction(doing, _BEGIN + (_ALONE if exclusive else "")) as db:
            yield db

    @contextmanager
    def _transaction(self, doing: str, begin: str) -> Iterator[Session]:
        with self._wrapped(doing), self._begun(begin) as connection:
            try:
                try:
                    yield _Session(connection)
                except BaseException:
                    if not connection.closed:
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except psycopg.Error as error:
                if connection.closed:
                    raise self._error(doing, error, _UNREACHABLE, ConnectionLost) from error
                raise

    def check(self) -> str:
        """Whether the server keeps what it is given; "ok" when nothing is wrong."""
        with self.reading() as db:
            if str(_one(db, "SELECT current_setting('fsync') AS value")) != "on":
                return "the server runs with fsync = off: a power cut can destroy the ledger"
            return "ok"

    def close(self) -> None:
        """Give the connections back."""
        with self._guard:
            if self._process == os.getpid() and self._finalizer is not None:
                self._finalizer()
            self._connections = self._finalizer = None

    # --- the schema ---

    def _migrate(self) -> None:
        with self._wrapped("opened"):
            connect(self._conninfo).close()  # says at once, and in the server's words, what is wrong
        with self.reading() as db:
            if _version(db) == SCHEMA_VERSION:
                return
        with self._transaction("set up", _BEGIN + _SETTING_UP) as db:
            version = _version(db)  # again: another process may have been first
            if version > SCHEMA_VERSION:
                raise LedgerError(
                    f"The ledger {self.where} was written by a newer pixelrouter (version {version}).",
                    hint="Upgrade pixelrouter; nothing was changed.",
                )
            for old in range(version, SCHEMA_VERSION) if version else ():
                for statement in UPGRADES[old]:
                    db.execute(dialect(statement))
            if version != SCHEMA_VERSION:
                for statement in dialect(schema()).split(";\n"):
                    if statement.strip():
                        db.execute(statement)
                db.execute("CREATE TABLE IF NOT EXISTS ledger_version (version BIGINT NOT NULL)")
                db.execute("DELETE FROM ledger_version")
                db.execute("INSERT INTO ledger_version (version) VALUES (:version)", {"version": SCHEMA_VERSION})


class _Session:
    """A connection that understands ``:name`` parameters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> Rows:
        return self._connection.execute(placeholders(sql).encode(), parameters or {})


def _one(db: Session, sql: str) -> Any:
    row = db.execute(sql).fetchone()
    return None if row is None else row["value"]


def _version(db: Session) -> int:
    """The ledger's version; 0 where there is none yet."""
    if not _one(db, "SELECT to_regclass('ledger_version') IS NOT NULL AS value"):
        return 0
    return int(_one(db, "SELECT version AS value FROM ledger_version") or 0)


_TOKEN = re.compile(r"(?P<text>'(?:[^']|'')*')|(?P<cast>::)|:(?P<name>[A-Za-z_]\w*)|(?P<percent>%)")


@lru_cache(maxsize=512)
def placeholders(sql: str) -> str:
    """The statement with psycopg's ``%(name)s`` for each ``:name``, and every other percent sign doubled."""

    def written(token: re.Match[str]) -> str:
        if token["name"]:
            return f"%({token['name']})s"
        return token[0].replace("%", "%%")

    return _TOKEN.sub(written, sql)


_WORDS = (
    (r"--[^\n]*", ""),
    (r"\bINTEGER\b", "BIGINT"),
    (r"\bREAL\b", "DOUBLE PRECISION"),
    (r"\bBLOB\b", "BYTEA"),
    (r"\)\s*STRICT\b", ")"),
    # SQLite numbers the rows of every table by itself.
    (r"(CREATE TABLE IF NOT EXISTS \w+ \()", r"\1 rowid BIGINT GENERATED ALWAYS AS IDENTITY,"),
)


def dialect(script: str) -> str:
    """The schema's statements in PostgreSQL's words."""
    for pattern, replacement in _WORDS:
        script = re.sub(pattern, replacement, script)
    return script


def _address(url: str) -> tuple[str, str]:
    """How libpq is told to connect, and the same for people: without the password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        # Not the reason: it quotes the address, and with it the password.
        raise ConfigError(
            "The address of the team's ledger cannot be read.",
            hint='Write ledger = "postgresql://user@host:5432/database"; special characters as %xx.',
        ) from None
    for secret in (parts.get("password"), parts.get("sslpassword"), os.environ.get("PGPASSWORD")):
        if secret:
            register_secret(str(secret))
            register_secret(quote(str(secret), safe=""))
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    where = f"postgresql://{user}{parts.get('host') or ''}{port}/{parts.get('dbname') or ''}"
    if found := re.search(r"search_path\s*=\s*([^\s]+)", str(parts.get("options") or "")):
        where += f" (schema {found[1]})"
    return make_conninfo("", **{**_DEFAULTS, **{k: v for k, v in parts.items() if v is not None}}), where
