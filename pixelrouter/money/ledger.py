"""The ledger: every attempt that could cost money, on disk before its first byte leaves.

States: ``reserved -> sending -> accepted -> settled | released | unknown``. A reservation is one exclusive transaction
that checks every cap and inserts the row, so no number of threads, processes or machines can push spent plus held over
a cap, and the partial unique index lets one live attempt per request exist. Where the rows lie, in a file or on a
server, is money.database's business.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrouter.errors import LedgerError, OverBudget, RateLimited, redact
from pixelrouter.money.budget import LIVE, Cap, Purse, condition
from pixelrouter.money.database import Database, Session, open_database
from pixelrouter.money.rows import attempt_of, wish_of
from pixelrouter.types import Attempt, Cost, Money, State, Ticket, Unit
from pixelrouter.watch import SILENT, Watch

_LIVE_SQL = "state IN ('reserved','sending','accepted','unknown')"
_USED_SQL = f"COALESCE(SUM(CASE WHEN state = 'settled' THEN charged WHEN {_LIVE_SQL} THEN held ELSE 0 END), 0)"
_MOST = 2**62  # as a limit: all of them

#: Decides, inside the transaction that would let bytes leave, how many seconds to wait first; None: none.
Pause = Callable[[Session], float | None]


@dataclass(frozen=True)
class Labels:
    """What the caller calls a purchase: the asset it is for, tags, and the set of sprites that it belongs to."""

    asset: str = ""
    tags: tuple[str, ...] = ()
    style_group: str = ""


NO_LABELS = Labels()


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
    labels: Labels = field(default=NO_LABELS)
    account: str = ""  # fingerprint of the key: whose balance and whose lists tell of it


@dataclass(frozen=True)
class Reservation:
    """What a reserve led to: a new row (``new``), or the attempt that already stands for the same request."""

    attempt: Attempt
    new: bool


class Ledger:
    """The attempts of one state folder, or of one team. Safe to share between threads.

    ``where``: a file, the address of a server, or a database that is open already, which the caller then closes.
    """

    def __init__(
        self,
        where: Path | str | Database,
        *,
        owner: str,
        clock: Callable[[], float] = time.time,
        watch: Watch = SILENT,
    ) -> None:
        self._lent = not isinstance(where, Path | str)
        self.database = open_database(where) if isinstance(where, Path | str) else where
        self.owner, self._clock, self._watch = owner, clock, watch
        self._left: set[str] = set()  # attempts that we work on no more, where the ledger still says so

    def close(self) -> None:
        """Give the connections back."""
        if not self._lent:
            self.database.close()

    # --- the life of an attempt ---

    def reserve(self, draft: Draft, purse: Purse, caps: Sequence[Cap] = ()) -> Reservation | None:
        """Hold the draft's money, or return the attempt that already stands for the same request.

        None where somebody was faster and has the seed that the router chose: choose another. Raises OverBudget where
        spent plus held plus this hold would pass a cap; nothing is written then.
        """
        with self.database.transaction(exclusive=True) as db:
            if not draft.fresh and (standing := _standing(db, draft.key)):
                return Reservation(standing, new=False)
            if draft.own_seed and draft.seed in _seeds(db, draft.key):
                return None
            for cap in caps:
                _check(db, cap, purse, draft.hold.money)
            values = self._values(draft, purse)
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            db.execute(f"INSERT INTO attempt ({names}) VALUES ({marks})", values)  # noqa: S608  (column names are ours)
            row = db.execute("SELECT * FROM attempt WHERE id = :id", {"id": draft.id}).fetchone()
        attempt = attempt_of(row)
        try:
            self._watch.attempt(attempt)
        except BaseException:  # Ctrl-C while an observer ran: nobody else knows of this row yet
            self.release(attempt.id)
            raise
        return Reservation(attempt, new=True)

    def _values(self, draft: Draft, purse: Purse) -> dict[str, Any]:
        now, money = self._clock(), draft.hold.money
        return {
            "id": draft.id,
            "key": draft.key,
            "slot": f"{draft.key}#{draft.id}" if draft.fresh else draft.key,
            "backend": draft.backend,
            "model": draft.model,
            "state": "reserved",
            "unit": money.unit,
            "held": money.micros,
            "cost_source": draft.hold.source,
            "quoted_unit": money.unit,
            "quoted": money.micros,
            "quoted_source": draft.hold.source,
            "unit_price": None if draft.unit_price is None else draft.unit_price.micros,
            "seed": draft.seed,
            "body": draft.body,
            "prompt": draft.prompt,
            "wish": draft.wish,
            "asset": draft.labels.asset,
            "tags": json.dumps(list(draft.labels.tags)),
            "style_group": draft.labels.style_group,
            "evidence": json.dumps({"account": draft.account} if draft.account else {}),
            "owner": self.owner,
            "run": purse.run,
            "batch": purse.batch,
            "project": purse.project,
            "day": purse.day,
            "created_at": now,
            "updated_at": now,
        }

    def sending(self, attempt: str, pause: Pause | None = None) -> float:
        """The request's bytes may leave from now on, if the answer is 0; else nothing was written.

        ``pause`` may hold it back, because of what others are sending: the answer is then how many seconds to wait
        before asking again.
        """
        with self.database.transaction(exclusive=pause is not None) as db:
            seconds = pause(db) if pause else None
            if seconds is not None and seconds > 0:
                return seconds
            row = self._move_in(db, attempt, "sending", ("reserved",), sent_at=self._clock())
        self._watch.attempt(row)
        return 0.0

    def accepted(self, attempt: str, ticket: Ticket) -> None:
        """The vendor took the job; ``ticket`` finds it again after a crash."""
        self._move(attempt, "accepted", ("sending", "unknown"), **_ticket(ticket))

    def adopt(self, attempt: str, ticket: Ticket) -> bool:
        """Make a job found in the vendor's list ours. False if another attempt has it, or is about to.

        About to is one that sent the same bytes (the same seed, bought twice) and whose answer is still under way.
        """
        row = None
        with self.database.transaction(exclusive=True) as db:
            rival = db.execute(
                "SELECT 1 AS found FROM attempt AS a JOIN attempt AS b ON a.backend = b.backend AND a.id <> b.id"
                " WHERE b.id = :attempt AND (a.ticket_id = :ticket OR (a.state = 'sending' AND a.body = b.body))",
                {"attempt": attempt, "ticket": ticket.id},
            ).fetchone()
            if rival is None:
                row = self._move_in(db, attempt, "accepted", ("sending", "unknown"), **_ticket(ticket))
        if row is not None:
            self._watch.attempt(row)
        return row is not None

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
        with self.database.transaction() as db:
            db.execute(
                "UPDATE attempt SET held = 0, unit = :unit WHERE id = :id AND unit <> :unit AND state <> 'settled'",
                {"id": attempt, "unit": cost.money.unit},
            )
            row = self._move_in(db, attempt, "settled", LIVE, **changes, **_failure(error))
        self._watch.attempt(row)

    def release(self, attempt: str, error: BaseException | None = None) -> None:
        """Nothing was charged: the held money is free again."""
        retry = error.retry_after if isinstance(error, RateLimited) else None
        self._move(
            attempt, "released", LIVE, retry_at=None if retry is None else self._clock() + retry, **_failure(error)
        )

    def unknown(self, attempt: str, error: BaseException | None = None) -> None:
        """Nobody knows whether it was charged: the money stays held."""
        self._move(attempt, "unknown", ("sending", "accepted"), **_failure(error))

    def take_over(self, attempt: str, from_owner: str, state: State) -> bool:
        """Make an attempt ours that nobody works on. False if it has moved on since it was seen in that state."""
        with self.database.transaction() as db:
            cursor = db.execute(
                "UPDATE attempt SET owner = :me WHERE id = :id AND owner = :owner AND state = :state",
                {"me": self.owner, "id": attempt, "owner": from_owner, "state": state},
            )
            return cursor.rowcount == 1

    def disown(self, attempt: str) -> None:
        """We stop working on it: whoever asks for the same next may carry on at once.

        Comes last, after an error too, so that it raises none of its own: what cannot be written now is made up for
        when somebody asks next.
        """
        self._left.add(attempt)
        with suppress(LedgerError):
            self._write_left()

    def _write_left(self) -> None:
        for attempt in tuple(self._left):
            with self.database.transaction() as db:
                values = {"id": attempt, "me": self.owner}
                db.execute("UPDATE attempt SET owner = '' WHERE id = :id AND owner = :me", values)
            self._left.discard(attempt)

    def explain(self, attempt: str, evidence: Mapping[str, Any]) -> None:
        """Write down how a lost outcome was found out, and how surely. The account that was asked stays noted."""
        with self.database.transaction() as db:
            row = db.execute("SELECT evidence FROM attempt WHERE id = :id", {"id": attempt}).fetchone()
            known = (
                {name: value for name, value in json.loads(row["evidence"]).items() if name == "account"} if row else {}
            )
            values = {"id": attempt, "evidence": json.dumps({**known, **evidence})}
            db.execute("UPDATE attempt SET evidence = :evidence WHERE id = :id", values)
        if self._watch and (told := self.get(attempt)):
            self._watch.tell("attempt.explained", backend=told.backend, attempt=told, evidence=evidence)

    def _move(self, attempt: str, to: State, allowed: Sequence[str], **changes: Any) -> None:
        with self.database.transaction() as db:
            row = self._move_in(db, attempt, to, allowed, **changes)
        self._watch.attempt(row)

    def _move_in(self, db: Session, attempt: str, to: State, allowed: Sequence[str], **changes: Any) -> Attempt:
        sets = "".join(f", {name} = :{name}" for name in changes)
        marks = ",".join(f"'{state}'" for state in allowed)
        cursor = db.execute(
            f"UPDATE attempt SET state = :to, updated_at = :now{sets} WHERE id = :id AND state IN ({marks})",  # noqa: S608  (column and state names are ours)
            {"to": to, "now": self._clock(), "id": attempt, **changes},
        )
        moved = cursor.rowcount == 1
        row = db.execute("SELECT * FROM attempt WHERE id = :id", {"id": attempt}).fetchone()
        if not moved:
            raise LedgerError(
                f"Attempt {attempt} is {row['state'] if row else 'missing'} and cannot become {to}.",
                hint="Another process has finished it; `pixelrouter jobs` shows how it stands.",
            )
        return attempt_of(row)

    # --- reading ---

    def standing(self, key: str) -> Attempt | None:
        """The attempt that stands for a request: settled with images, else under way, else paid and lost."""
        with self.database.reading() as db:
            return _standing(db, key)

    def get(self, attempt: str) -> Attempt | None:
        """The attempt of that id; a prefix that names exactly one is enough."""
        with self.database.reading() as db:
            found = db.execute(
                "SELECT * FROM attempt WHERE id = :id OR id LIKE :id || '%' ORDER BY id = :id DESC LIMIT 2",
                {"id": attempt},
            ).fetchall()
        if not found or (len(found) > 1 and found[0]["id"] != attempt):
            return None
        return attempt_of(found[0])

    def owner_and_body(self, attempt: str) -> tuple[str, str]:
        """Who works on the attempt, and the hash of the bytes it sent."""
        if attempt in self._left:
            self._write_left()
        with self.database.reading() as db:
            row = db.execute("SELECT owner, body FROM attempt WHERE id = :id", {"id": attempt}).fetchone()
        return (row["owner"], row["body"])

    def wish(self, attempt: str) -> dict[str, Any]:
        """The request that an attempt serves, without its reference images."""
        with self.database.reading() as db:
            row = db.execute("SELECT wish FROM attempt WHERE id = :id", {"id": attempt}).fetchone()
        return wish_of(attempt, row["wish"] if row else "{}")

    def seeds(self, key: str) -> list[int]:
        """The seeds of the earlier attempts at this request that may have drawn something."""
        with self.database.reading() as db:
            return _seeds(db, key)

    def attempts(
        self, *, live_only: bool = False, since: float = 0.0, run: str | None = None, limit: int | None = None
    ) -> list[Attempt]:
        """Attempts, newest first."""
        where = f"created_at >= :since{f' AND {_LIVE_SQL}' if live_only else ''}{' AND run = :run' if run else ''}"
        values = {"since": since, "run": run, "most": _MOST if limit is None else limit}
        with self.database.reading() as db:
            sql = f"SELECT * FROM attempt WHERE {where} ORDER BY created_at DESC, rowid DESC LIMIT :most"  # noqa: S608  (constants)
            return [attempt_of(row) for row in db.execute(sql, values)]

    def used(self, purse: Purse, scope: Any, unit: Unit = "usd") -> Money:
        """Spent plus held within a scope."""
        with self.database.reading() as db:
            return _used(db, purse, scope, unit)

    def check(self) -> str:
        """The database's own integrity check; "ok" when nothing is wrong."""
        return self.database.check()


def _standing(db: Session, key: str) -> Attempt | None:
    row = db.execute(
        f"SELECT * FROM attempt WHERE key = :key AND (state = 'settled' OR {_LIVE_SQL})"  # noqa: S608  (constant)
        # What is paid and here comes first, then what is under way, then what was paid and lost.
        " ORDER BY (state = 'settled' AND raws <> '[]') DESC, (state <> 'settled') DESC, updated_at DESC LIMIT 1",
        {"key": key},
    ).fetchone()
    return attempt_of(row) if row else None


def _seeds(db: Session, key: str) -> list[int]:
    sql = "SELECT seed FROM attempt WHERE key = :key AND (ticket IS NOT NULL OR state <> 'released')"
    return [row["seed"] for row in db.execute(sql, {"key": key})]


def _used(db: Session, purse: Purse, scope: Any, unit: Unit) -> Money:
    where, values = condition(scope, purse)
    sql = f"SELECT {_USED_SQL} AS used FROM attempt WHERE {where} AND unit = :unit"  # noqa: S608  (constants)
    return Money(int(db.execute(sql, {**values, "unit": unit}).fetchone()["used"]), unit)


def _check(db: Session, cap: Cap, purse: Purse, hold: Money) -> None:
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


def _check_passed(db: Session, cap: Cap, purse: Purse, hold: Money) -> None:
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
        "ticket_id": ticket.id,
        "vendor_request": ticket.extra.get("request_id", ticket.id),
        "error": None,
        "error_type": None,
    }


def _failure(error: BaseException | None) -> dict[str, str | None]:
    if error is None:
        return {"error": None, "error_type": None}
    return {"error": redact(str(error))[:2000], "error_type": type(error).__name__}
