"""Looking at the ledger: what stands for a request, what there is, what is used of a budget."""

from __future__ import annotations

import re
from typing import Any

from pixelrouter.money.budget import LIVE_SQL, Purse
from pixelrouter.money.caps import used
from pixelrouter.money.database import Database, Session
from pixelrouter.money.rows import attempt_of, wish_of
from pixelrouter.types import Attempt, Money, Unit

MOST = 2**62  # as a limit: all of them
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Reading:
    """Everything that only looks. What is read may be old when it is used."""

    database: Database

    def standing(self, key: str) -> Attempt | None:
        """The attempt that stands for a request: settled with images, else under way, else paid and lost."""
        with self.database.reading() as db:
            return standing(db, key)

    def get(self, attempt: str) -> Attempt | None:
        """The attempt of that id; a prefix that names exactly one is enough."""
        if not _ID.fullmatch(attempt):  # neither nothing nor a pattern names an attempt
            return None
        with self.database.reading() as db:
            found = db.execute(
                "SELECT * FROM attempt WHERE id = :id OR id LIKE :id || '%' ORDER BY id = :id DESC LIMIT 2",
                {"id": attempt},
            ).fetchall()
        if not found or (len(found) > 1 and found[0]["id"] != attempt):
            return None
        return attempt_of(found[0])

    def wish(self, attempt: str) -> dict[str, Any]:
        """The request that an attempt serves, without its reference images."""
        with self.database.reading() as db:
            row = db.execute("SELECT wish FROM attempt WHERE id = :id", {"id": attempt}).fetchone()
        return wish_of(attempt, row["wish"] if row else "{}")

    def seeds(self, key: str) -> list[int]:
        """The seeds of the earlier attempts at this request that may have drawn something."""
        with self.database.reading() as db:
            return seeds(db, key)

    def attempts(
        self, *, live_only: bool = False, since: float = 0.0, run: str | None = None, limit: int | None = None
    ) -> list[Attempt]:
        """Attempts, newest first."""
        where = f"created_at >= :since{f' AND {LIVE_SQL}' if live_only else ''}{' AND run = :run' if run else ''}"
        values = {"since": since, "run": run, "most": MOST if limit is None else limit}
        with self.database.reading() as db:
            sql = f"SELECT * FROM attempt WHERE {where} ORDER BY created_at DESC, rowid DESC LIMIT :most"  # noqa: S608  (constants)
            return [attempt_of(row) for row in db.execute(sql, values)]

    def used(self, purse: Purse, scope: Any, unit: Unit = "usd") -> Money:
        """Spent plus held within a scope."""
        with self.database.reading() as db:
            return used(db, purse, scope, unit)

    def check(self) -> str:
        """The database's own integrity check; "ok" when nothing is wrong."""
        return self.database.check()


def standing(db: Session, key: str) -> Attempt | None:
    """The attempt that stands for a request."""
    row = db.execute(
        f"SELECT * FROM attempt WHERE key = :key AND (state = 'settled' OR {LIVE_SQL})"  # noqa: S608  (constant)
        # What is paid and here comes first, then what is under way, then what was paid and lost.
        " ORDER BY (state = 'settled' AND raws <> '[]') DESC, (state <> 'settled') DESC, updated_at DESC LIMIT 1",
        {"key": key},
    ).fetchone()
    return attempt_of(row) if row else None


def seeds(db: Session, key: str) -> list[int]:
    """The seeds of the earlier attempts at a request that may have drawn something."""
    sql = "SELECT seed FROM attempt WHERE key = :key AND (ticket IS NOT NULL OR state <> 'released')"
    return [row["seed"] for row in db.execute(sql, {"key": key})]
