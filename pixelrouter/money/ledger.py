"""The ledger: every attempt that could cost money, on disk before its first byte leaves.

States: ``reserved -> sending -> accepted -> settled | released | unknown``. A reservation is one transaction under
``BEGIN IMMEDIATE`` that checks every cap and inserts the row, so no number of threads or processes can push spent plus
held over a cap, and the partial unique index lets one live attempt per request exist. SQLite in WAL mode with
``synchronous=FULL``: a commit has reached the disk when it returns.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pixelrouter.errors import LedgerError, OverBudget, redact
from pixelrouter.money.budget import LIVE, Cap, Purse, condition
from pixelrouter.money.database import Database
from pixelrouter.types import Attempt, Cost, CostSource, Money, State, Ticket, Unit

_LIVE_SQL = "state IN ('reserved','sending','accepted','unknown')"
_USED_SQL = f"COALESCE(SUM(CASE WHEN state = 'settled' THEN charged WHEN {_LIVE_SQL} THEN held ELSE 0 END), 0)"


@dataclass(frozen=True)
class Draft:
    """An attempt about to be reserved. ``hold`` is the amount to keep back, with its source."""

    id: str
    key: str
    backend: str
    model: str | None
    hold: Cost
    seed: int
    prompt: str
    body: str = ""  # hash of the exact bytes to be sent
    fresh: bool = False  # True: buy anew although the same was bought before
    wish: str = "{}"  # the request as JSON
    unit_price: Money | None = None  # of one billable unit, where the vendor bills units
    own_seed: bool = False  # True: the router chose the seed, so that no two purchases draw the same


@dataclass(frozen=True)
class Reservation:
    """What a reserve led to: a new row (``new``), or the attempt that already stands for the same request."""

    attempt: Attempt
    new: bool


class Ledger(Database):
    """The attempts of one state folder. Safe to share between threads; every thread has its own connection."""

    def __init__(self, path: Path, *, owner: str, clock: Callable[[], float] = time.time) -> None:
        super().__init__(path)
        self.owner, self._clock = owner, clock

    # --- the life of an attempt ---

    def reserve(self, draft: Draft, purse: Purse, caps: Sequence[Cap] = ()) -> Reservation | None:
        """Hold the draft's money, or return the attempt that already stands for the same request.

        None where somebody was faster and has the seed that the router chose: choose another. Raises OverBudget where
        spent plus held plus this hold would pass a cap; nothing is written then.
        """
        now = self._clock()
        slot = f"{draft.key}#{draft.id}" if draft.fresh else draft.key
        with self._transaction("written") as db:
            if not draft.fresh and (standing := self._standing(db, draft.key)):
                return Reservation(standing, new=False)
            if draft.own_seed and draft.seed in _seeds(db, draft.key):
                return None
            for cap in caps:
                _check(db, cap, purse, draft.hold.money)
            db.execute(
                "INSERT INTO attempt (id, key, slot, backend, model, state, unit, held, cost_source, quoted_unit,"
                " quoted, quoted_source, unit_price, seed, body, prompt, wish, owner, run, batch, project, day,"
                " created_at, updated_at) VALUES"
                " (?, ?, ?, ?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(draft.id, draft.key, slot, draft.backend, draft.model),
                    *(draft.hold.money.unit, draft.hold.money.micros, draft.hold.source),
                    *(draft.hold.money.unit, draft.hold.money.micros, draft.hold.source),
                    None if draft.unit_price is None else draft.unit_price.micros,
                    *(draft.seed, draft.body, draft.prompt, draft.wish, self.owner),
                    *(purse.run, purse.batch, purse.project, purse.day, now, now),
                ),
            )
            row = db.execute("SELECT * FROM attempt WHERE id = ?", (draft.id,)).fetchone()
        return Reservation(_attempt(row), new=True)

    def sending(self, attempt: str) -> None:
        """The request's bytes may leave from now on."""
        self._move(attempt, "sending", ("reserved",))

    def accepted(self, attempt: str, ticket: Ticket) -> None:
        """The vendor took the job; ``ticket`` finds it again after a crash."""
        self._move(attempt, "accepted", ("sending", "unknown"), **_ticket(ticket))

    def adopt(self, attempt: str, ticket: Ticket) -> bool:
        """Make a job found in the vendor's list ours. False if another attempt has it, or is about to.

        About to is one that sent the same bytes (the same seed, bought twice) and whose answer is still under way.
        """
        with self._transaction("written") as db:
            rival = db.execute(
                "SELECT 1 FROM attempt AS a JOIN attempt AS b ON a.backend = b.backend AND a.id <> b.id"
                " WHERE b.id = :attempt AND (json_extract(a.ticket, '$.id') = :ticket"
                " OR (a.state = 'sending' AND a.body = b.body))",
                {"attempt": attempt, "ticket": ticket.id},
            ).fetchone()
            if rival is None:
                self._move_in(db, attempt, "accepted", ("sending", "unknown"), **_ticket(ticket))
            return rival is None

    def moved(self, attempt: str, ticket: Ticket) -> None:
        """The job goes on under another address; its id stays."""
        self._move(attempt, "accepted", ("accepted",), ticket=ticket.dumps())

    def settle(
        self,
        attempt: str,
        cost: Cost,
        *,
        raws: Sequence[str] = (),
        names: Sequence[str] = (),
        notes: Sequence[str] = (),
        error: BaseException | None = None,
    ) -> None:
        """Book the charge, in the unit it was made in. Call it only once the raw bytes are durably stored.

        ``names`` and ``notes`` belong to the raws; ``error`` tells why there are none.
        """
        changes = {
            "charged": cost.money.micros,
            "cost_source": cost.source,
            "raws": json.dumps(list(raws)),
            "delivery": json.dumps({"names": list(names), "notes": list(notes)}),
        }
        with self._transaction("written") as db:
            db.execute(
                "UPDATE attempt SET held = 0, unit = :unit WHERE id = :id AND unit <> :unit AND state <> 'settled'",
                {"id": attempt, "unit": cost.money.unit},
            )
            self._move_in(db, attempt, "settled", LIVE, **changes, **_failure(error))

    def release(self, attempt: str, error: BaseException | None = None) -> None:
        """Nothing was charged: the held money is free again."""
        self._move(attempt, "released", LIVE, **_failure(error))

    def unknown(self, attempt: str, error: BaseException | None = None) -> None:
        """Nobody knows whether it was charged: the money stays held."""
        self._move(attempt, "unknown", ("sending", "accepted"), **_failure(error))

    def take_over(self, attempt: str, from_owner: str, state: State) -> bool:
        """Make an attempt ours that nobody works on. False if it has moved on since it was seen in that state."""
        with self._transaction("written") as db:
            cursor = db.execute(
                "UPDATE attempt SET owner = ? WHERE id = ? AND owner = ? AND state = ?",
                (self.owner, attempt, from_owner, state),
            )
            return cursor.rowcount == 1

    def disown(self, attempt: str) -> None:
        """We stop working on it: whoever asks for the same next may carry on at once."""
        with self._transaction("written") as db:
            db.execute("UPDATE attempt SET owner = '' WHERE id = ? AND owner = ?", (attempt, self.owner))

    def _move(self, attempt: str, to: State, allowed: Sequence[str], **changes: Any) -> None:
        with self._transaction("written") as db:
            self._move_in(db, attempt, to, allowed, **changes)

    def _move_in(self, db: sqlite3.Connection, attempt: str, to: State, allowed: Sequence[str], **changes: Any) -> None:
        sets = "".join(f", {name} = :{name}" for name in changes)
        marks = ",".join(f"'{state}'" for state in allowed)
        cursor = db.execute(
            f"UPDATE attempt SET state = :to, updated_at = :now{sets} WHERE id = :id AND state IN ({marks})",  # noqa: S608  (column and state names are ours)
            {"to": to, "now": self._clock(), "id": attempt, **changes},
        )
        if cursor.rowcount != 1:
            row = db.execute("SELECT state FROM attempt WHERE id = ?", (attempt,)).fetchone()
            state = row["state"] if row else "missing"
            raise LedgerError(
                f"Attempt {attempt} is {state} and cannot become {to}.",
                hint="Another process has finished it; `pixelrouter jobs` shows how it stands.",
            )

    # --- reading ---

    @staticmethod
    def _standing(db: sqlite3.Connection, key: str) -> Attempt | None:
        row = db.execute(
            f"SELECT * FROM attempt WHERE key = ? AND (state = 'settled' OR {_LIVE_SQL})"  # noqa: S608  (constant)
            # What is paid and here comes first, then what is under way, then what was paid and lost.
            " ORDER BY (state = 'settled' AND raws <> '[]') DESC, (state <> 'settled') DESC, updated_at DESC LIMIT 1",
            (key,),
        ).fetchone()
        return _attempt(row) if row else None

    def standing(self, key: str) -> Attempt | None:
        """The attempt that stands for a request: settled with images, else under way, else paid and lost."""
        with self._wrapped("read"):
            return self._standing(self._db(), key)

    def get(self, attempt: str) -> Attempt | None:
        """The attempt of that id; a prefix that names exactly one is enough."""
        with self._wrapped("read"):
            rows = self._db().execute(
                "SELECT * FROM attempt WHERE id = :id OR id LIKE :id || '%' ORDER BY id = :id DESC LIMIT 2",
                {"id": attempt},
            )
            found = rows.fetchall()
        if not found or (len(found) > 1 and found[0]["id"] != attempt):
            return None
        return _attempt(found[0])

    def owner_and_body(self, attempt: str) -> tuple[str, str]:
        """Who works on the attempt, and the hash of the bytes it sent."""
        with self._wrapped("read"):
            row = self._db().execute("SELECT owner, body FROM attempt WHERE id = ?", (attempt,)).fetchone()
        return (row["owner"], row["body"])

    def wish(self, attempt: str) -> dict[str, Any]:
        """The request that an attempt serves, without its reference images."""
        with self._wrapped("read"):
            row = self._db().execute("SELECT wish FROM attempt WHERE id = ?", (attempt,)).fetchone()
        wish: dict[str, Any] = json.loads(row["wish"]) if row else {}
        return wish

    def seeds(self, key: str) -> list[int]:
        """The seeds of the earlier attempts at this request that may have drawn something."""
        with self._wrapped("read"):
            return _seeds(self._db(), key)

    def attempts(
        self, *, live_only: bool = False, since: float = 0.0, run: str | None = None, limit: int | None = None
    ) -> list[Attempt]:
        """Attempts, newest first."""
        where = f"created_at >= ?{f' AND {_LIVE_SQL}' if live_only else ''}{' AND run = ?' if run else ''}"
        parameters: list[Any] = [since, *([run] if run else []), -1 if limit is None else limit]
        with self._wrapped("read"):
            sql = f"SELECT * FROM attempt WHERE {where} ORDER BY created_at DESC, rowid DESC LIMIT ?"  # noqa: S608  (constants)
            return [_attempt(row) for row in self._db().execute(sql, parameters)]

    def used(self, purse: Purse, scope: Any, unit: Unit = "usd") -> Money:
        """Spent plus held within a scope."""
        with self._wrapped("read"):
            return _used(self._db(), purse, scope, unit)

    def totals(self, by: str) -> list[dict[str, Any]]:
        """Spent and held by ``day``, ``backend`` or ``run``, one row a group and unit, in micro-units, with sources."""
        column = {"day": "day", "backend": "backend", "run": "run"}[by]
        with self._wrapped("read"):
            rows = self._db().execute(
                f"SELECT {column} AS name, unit, COUNT(*) AS attempts,"  # noqa: S608  (one of three constants)
                " COALESCE(SUM(CASE WHEN state = 'settled' THEN charged END), 0) AS spent,"
                f" COALESCE(SUM(CASE WHEN {_LIVE_SQL} THEN held END), 0) AS held,"
                " COALESCE(SUM(CASE WHEN state = 'settled' AND quoted_unit = unit THEN quoted END), 0) AS quoted,"
                " COALESCE(SUM(CASE WHEN state = 'settled' AND quoted_unit = unit THEN charged END), 0) AS billed,"
                " json_group_object(COALESCE(cost_source, ''), 1) FILTER (WHERE state = 'settled') AS sources"
                f" FROM attempt GROUP BY {column}, unit ORDER BY MIN(created_at)"
            )
            return [{**dict(row), "sources": sorted(json.loads(row["sources"] or "{}"))} for row in rows]

    def check(self) -> str:
        """SQLite's own integrity check; "ok" when nothing is wrong."""
        with self._wrapped("read"):
            return str(self._db().execute("PRAGMA integrity_check").fetchone()[0])


def _seeds(db: sqlite3.Connection, key: str) -> list[int]:
    sql = "SELECT seed FROM attempt WHERE key = ? AND (ticket IS NOT NULL OR state <> 'released')"
    return [row["seed"] for row in db.execute(sql, (key,))]


def _used(db: sqlite3.Connection, purse: Purse, scope: Any, unit: Unit) -> Money:
    where, parameters = condition(scope, purse)
    sql = f"SELECT {_USED_SQL} FROM attempt WHERE {where} AND unit = ?"  # noqa: S608  (constants)
    return Money(int(db.execute(sql, (*parameters, unit)).fetchone()[0]), unit)


def _check(db: sqlite3.Connection, cap: Cap, purse: Purse, hold: Money) -> None:
    if cap.limit.unit != hold.unit:
        _check_passed(db, cap, purse, hold)
        return
    used = Money(0, hold.unit) if cap.scope == "call" else _used(db, purse, cap.scope, hold.unit)
    left = Money(max(0, cap.limit.micros - used.micros - cap.kept_back), hold.unit)  # a bill may have passed the cap
    if hold.micros > 0 and left < hold:
        raise OverBudget(
            f"{hold} does not fit under the cap of {cap.limit} for {cap.label}: {left} is left"
            f"{cap.other_step}. Nothing was sent and nothing was charged.",
            hint=f"Raise {cap.option}, ask for fewer or smaller images, or look at `pixelrouter costs`.",
            scope=cap.scope,
            quote=hold,
            left=left,
        )


def _check_passed(db: sqlite3.Connection, cap: Cap, purse: Purse, hold: Money) -> None:
    """A plan that has run out goes on in dollars: once its bills have passed a dollar cap, nothing more is bought."""
    if hold.unit == "usd" or cap.scope == "call" or not hold:
        return
    used = _used(db, purse, cap.scope, cap.limit.unit)
    if used.micros + cap.kept_back > cap.limit.micros:
        raise OverBudget(
            f"The cap of {cap.limit} for {cap.label} is passed: {used} is spent or held, and an account that pays with "
            f"{hold.unit} may be billed in dollars. Nothing was sent and nothing was charged.",
            hint=f"Raise {cap.option}, or look at `pixelrouter costs` and at what is left of the plan.",
            scope=cap.scope,
            quote=hold,
            left=Money(0, cap.limit.unit),
        )


def _ticket(ticket: Ticket) -> dict[str, str | None]:
    return {
        "ticket": ticket.dumps(),
        "vendor_request": ticket.extra.get("request_id", ticket.id),
        "error": None,
        "error_type": None,
    }


def _failure(error: BaseException | None) -> dict[str, str | None]:
    if error is None:
        return {"error": None, "error_type": None}
    return {"error": redact(str(error))[:2000], "error_type": type(error).__name__}


def _attempt(row: sqlite3.Row) -> Attempt:
    unit = cast("Unit", row["unit"])
    delivery = json.loads(row["delivery"])
    return Attempt(
        id=row["id"],
        key=row["key"],
        backend=row["backend"],
        model=row["model"],
        state=cast("State", row["state"]),
        held=Money(row["held"], unit),
        charged=None if row["charged"] is None else Money(row["charged"], unit),
        cost_source=cast("CostSource", row["cost_source"]),
        seed=row["seed"],
        ticket=Ticket.loads(row["ticket"]) if row["ticket"] else None,
        error=f"{row['error_type']}: {row['error']}" if row["error_type"] else None,
        raws=tuple(json.loads(row["raws"])),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        prompt=row["prompt"],
        run=row["run"],
        vendor_request=row["vendor_request"],
        quoted=Cost(Money(row["quoted"], row["quoted_unit"]), cast("CostSource", row["quoted_source"])),
        unit_price=None if row["unit_price"] is None else Money(row["unit_price"], row["quoted_unit"]),
        names=tuple(delivery.get("names", ())),
        notes=tuple(delivery.get("notes", ())),
    )
