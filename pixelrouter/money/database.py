"""Where a ledger lies: a file (SQLite), or a server that a team shares (PostgreSQL).

Two databases, one set of statements, written so that both understand them, with ``:name`` parameters. What differs
is in the two modules that keep to this protocol: how a writer keeps others out, and how a connection is had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from pixelrouter.errors import ConfigError

SCHEMA_VERSION = 3

#: How a ledger of an older version becomes one of the next: version -> statements. On a server it began with 3.
UPGRADES: dict[int, tuple[str, ...]] = {
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


class Rows(Protocol):
    """What a statement led to. A row is asked for its columns by name."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Session(Protocol):
    """A connection inside a transaction or a look."""

    def execute(self, sql: str, parameters: Mapping[str, Any] = ..., /) -> Rows: ...


class Database(Protocol):
    """A ledger's tables. Safe to share between threads; every error comes out as a LedgerError."""

    @property
    def where(self) -> str:
        """The place in words, without any password."""

    @property
    def remote(self) -> bool:
        """Whether a statement may take as long as a network does: an event loop must not wait for it."""

    def reading(self) -> AbstractContextManager[Session]:
        """A look at the ledger; what is read may be old when it is used."""

    def transaction(self, doing: str = "written", *, exclusive: bool = False) -> AbstractContextManager[Session]:
        """All or nothing, durable when it returns.

        ``exclusive``: no other exclusive transaction runs meanwhile, so that what it reads holds until it has written.
        """

    def check(self) -> str:
        """The database's own check of its integrity; "ok" when nothing is wrong."""

    def close(self) -> None:
        """Give the connections back."""


def open_database(where: Path | str) -> Database:
    """The ledger in that file, or on that server (``postgresql://user@host/database``)."""
    if isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        from pixelrouter.money.postgres import Postgres

        return Postgres(where)
    if isinstance(where, str) and "://" in where:
        raise ConfigError(  # without the address: it may hold a password
            "The address of the team's ledger is of no known kind.",
            hint='Write ledger = "postgresql://user@host/name".',
        )
    from pixelrouter.money.sqlite import SQLite

    return SQLite(Path(where))


def schema() -> str:
    """The statements that make the tables, each of them harmless where its table is there."""
    return resources.files("pixelrouter.money").joinpath("schema.sql").read_text("utf-8")
