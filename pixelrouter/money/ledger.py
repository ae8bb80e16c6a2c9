"""The ledger: every attempt that could cost money, on disk before its first byte leaves.

States: ``reserved -> sending -> accepted -> settled | released | unknown``. A reservation is one exclusive transaction
that checks every cap and inserts the row, so no number of threads, processes or machines can push spent plus held over
a cap, and the partial unique index lets one live attempt per request exist. Where the rows lie, in a file or on a
server, is money.database's business.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pixelrouter.errors import ConnectionLost, LedgerError, RateLimited, TakenOver
from pixelrouter.money.budget import LIVE, Cap, Purse
from pixelrouter.money.caps import check
from pixelrouter.money.columns import of_draft, of_failure, of_ticket
from pixelrouter.money.database import Database, Session, open_database
from pixelrouter.money.draft import NO_LABELS, Draft, Labels, Reservation
from pixelrouter.money.owner import Named, Worker
from pixelrouter.money.reading import Reading, seeds, standing
from pixelrouter.money.rows import attempt_of
from pixelrouter.types import Attempt, Cost, State, Ticket
from pixelrouter.watch import SILENT, Watch

__all__ = ["NO_LABELS", "Draft", "Labels", "Ledger", "Pause", "Reservation"]

R = TypeVar("R")

#: Decides, inside the transaction that would let bytes leave, how many seconds to wait first; None: none.
Pause = Callable[[Session], float | None]


class Ledger(Reading):
    """The attempts of one state folder, or of one team. Safe to share between threads.

    ``where``: a file, the address of a server, or a database that is open already, which the caller then closes.
    ``owner``: the worker that it writes for. Every change of state may be asked for again where the connection to a
    server was lost in the middle of it: it then finds its own trace, and writes nothing twice.
    """

    def __init__(
        self,
        where: Path | str | Database,
        *,
        owner: str | Worker,
        clock: Callable[[], float] = time.time,
        watch: Watch = SILENT,
    ) -> None:
        self._lent = not isinstance(where, Path | str)
        self.database = open_database(where) if isinstance(where, Path | str) else where
        self._worker: Worker = Named(owner) if isinstance(owner, str) else owner
        self._clock, self._watch = clock, watch
        self._left: set[str] = set()  # attempts that we work on no more, where the ledger still says so

    @property
    def owner(self) -> str:
        """The name of the worker that it writes for."""
        return self._worker.id

    def close(self) -> None:
        """Give the connections back."""
        if not self._lent:
            self.database.close()

    def _write(self, body: Callable[[Session, bool], R], *, exclusive: bool = False) -> R:
        """Run ``body`` as a transaction; again where the connection was lost, told that it may have been written.

        Whatever became of the first, it is over before the second can write: its locks stand in the way until then.
        """
        for again in (False, True, True):
            try:
                with self.database.transaction(exclusive=exclusive) as db:
                    return body(db, again)
            except ConnectionLost as error:
                lost = error
        raise lost

    # --- the life of an attempt ---

    def reserve(self, draft: Draft, purse: Purse, caps: Sequence[Cap] = ()) -> Reservation | None:
        """Hold the draft's money, or return the attempt that already stands for the same request.

        None where somebody was faster and has the seed that the router chose: choose another. Raises OverBudget where
        spent plus held plus this hold would pass a cap; nothing is written then.
        """
        values = of_draft(draft, purse, self.owner, self._clock())
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)

        def body(db: Session, again: bool) -> Reservation | None:
            if again and (written := _row(db, draft.id)):
                return Reservation(attempt_of(written), new=True)
            if not draft.fresh and (found := standing(db, draft.key)):
                return Reservation(found, new=False)
            if draft.own_seed and draft.seed in seeds(db, draft.key):
                return None
            for cap in caps:
                check(db, cap, purse, draft.hold.money)
            db.execute(f"INSERT INTO attempt ({names}) VALUES ({marks})", values)  # noqa: S608  (column names are ours)
            return Reservation(attempt_of(_row(db, draft.id)), new=True)

        try:
            reservation = self._write(body, exclusive=True)
        except ConnectionLost:
            self._left.add(draft.id)  # should it have been written: nobody works on it
            raise
        if reservation is None or not reservation.new:
            return reservation
        try:
            self._watch.attempt(reservation.attempt)
        except BaseException:  # Ctrl-C while an observer ran: nobody else knows of this row yet
            self.release(draft.id)
            raise
        return reservation

    def sending(self, attempt: str, pause: Pause | None = None) -> float:
        """The request's bytes may leave from now on, if the answer is 0; else nothing was written.

        ``pause`` may hold it back, because of what others are sending: the answer is then how many seconds to wait
        before asking again. Raises LedgerError where somebody took the attempt for abandoned.
        """
        now = self._clock()

        def body(db: Session, again: bool) -> float | Attempt | None:
            if not self._worker.holds(db):
                return None
            seconds = pause(db) if pause else None
            if seconds is not None and seconds > 0:
                return seconds
            return self._move_in(db, again, attempt, "sending", ("reserved",), now, {"sent_at": now}, ours=True)

        for _ in range(3):
            row = self._write(body, exclusive=pause is not None)
            if row is not None:
                break
            self._worker.renew()  # we were away for so long that others may think us dead
        else:
            raise LedgerError(f"The ledger {self.database.where} is too slow to send anything. Nothing was sent.")
        if isinstance(row, float):
            return row
        self._watch.attempt(row)
        return 0.0

    def still_sending(self, attempt: str) -> None:
        """Ask this right before bytes leave. Raises LedgerError where somebody may have taken the attempt meanwhile.

        Costs nothing unless this machine was away, suspended or cut off from the server, since :meth:`sending`.
        """
        if self._worker.fresh():
            return
        self._worker.renew()
        with self.database.reading() as db:
            row = _row(db, attempt)
        if not self._worker.fresh() or row is None or row["state"] != "sending" or not self._ours(row):
            raise _taken(attempt, row, "sent")

    def accepted(self, attempt: str, ticket: Ticket) -> None:
        """The vendor took the job; ``ticket`` finds it again after a crash."""

        def same(row: Any) -> bool:
            further = row["state"] == "settled" and not self._ours(row)
            return (row["state"] == "accepted" or further) and row["ticket_id"] == ticket.id

        self._move(attempt, "accepted", ("sending", "unknown"), of_ticket(ticket), done=same)

    def adopt(self, attempt: str, ticket: Ticket) -> bool:
        """Make a job found in the vendor's list ours. False if another attempt has it, or is about to.

        About to is one that sent the same bytes (the same seed, bought twice) and whose answer is still under way.
        """
        now = self._clock()

        def body(db: Session, again: bool) -> Attempt | None:
            rival = db.execute(
                "SELECT 1 AS found FROM attempt AS a JOIN attempt AS b ON a.backend = b.backend AND a.id <> b.id"
                " WHERE b.id = :attempt AND (a.ticket_id = :ticket OR (a.state = 'sending' AND a.body = b.body))",
                {"attempt": attempt, "ticket": ticket.id},
            ).fetchone()
            if rival is not None:
                return None
            return self._move_in(db, again, attempt, "accepted", ("sending", "unknown"), now, of_ticket(ticket))

        row = self._write(body, exclusive=True)
        if row is not None:
            self._watch.attempt(row)
        return row is not None

    def moved(self, attempt: str, ticket: Ticket) -> None:
        """The job goes on under another address; its id stays."""
        self._move(attempt, "accepted", ("accepted",), {"ticket": ticket.dumps()})

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

        def in_unit(db: Session) -> None:
            db.execute(
                "UPDATE attempt SET held = 0, unit = :unit WHERE id = :id AND unit <> :unit AND state <> 'settled'",
                {"id": attempt, "unit": cost.money.unit},
            )

        def same(row: Any) -> bool:
            image, bill = (row["state"], row["raws"]), (row["charged"], row["unit"])
            return bool(raws) and (image, bill) == (("settled", changes["raws"]), (cost.money.micros, cost.money.unit))

        self._move(attempt, "settled", LIVE, {**changes, **of_failure(error)}, first=in_unit, done=same)

    def release(self, attempt: str, error: BaseException | None = None) -> None:
        """Nothing was charged: the held money is free again. Only who works on the attempt can say so."""
        retry = error.retry_after if isinstance(error, RateLimited) else None
        retry_at = None if retry is None else self._clock() + retry
        self._move(attempt, "released", LIVE, {"retry_at": retry_at, **of_failure(error)}, ours=True)

    def unknown(self, attempt: str, error: BaseException | None = None) -> None:
        """Nobody knows whether it was charged: the money stays held. Only who works on it can say so."""
        self._move(attempt, "unknown", ("sending", "accepted"), of_failure(error), ours=True)

    # --- who works on it ---

    def take_over(self, attempt: str, from_owner: str, state: State) -> bool:
        """Make an attempt ours that nobody works on. False if it has moved on since it was seen in that state."""

        def body(db: Session, again: bool) -> bool:
            cursor = db.execute(
                "UPDATE attempt SET owner = :me WHERE id = :id AND owner = :owner AND state = :state",
                {"me": self.owner, "id": attempt, "owner": from_owner, "state": state},
            )
            return cursor.rowcount == 1 or (again and self._ours(_row(db, attempt)))

        return self._write(body)

    def claim(self, tried: Collection[str] = ()) -> Attempt | None:
        """The newest unfinished attempt that nobody works on and that is not among ``tried``: it is ours now.

        Each is handed out once, to whichever machine asks first. None where there is no more.
        """
        seen = ""

        def body(db: Session, again: bool) -> Attempt | None:
            nonlocal seen
            row = _row(db, seen) if again and seen else None
            if row is None or not self._ours(row):
                row = self._worker.free(db, tried)
            if row is None:
                return None
            seen = row["id"]
            db.execute("UPDATE attempt SET owner = :me WHERE id = :id", {"me": self.owner, "id": seen})
            return attempt_of(row)

        self._write_left()
        return self._write(body, exclusive=True)

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
            names, values = _marks(self._worker.names)
            with self.database.transaction() as db:
                sql = f"UPDATE attempt SET owner = '' WHERE id = :id AND owner IN ({names})"  # noqa: S608  (marks)
                db.execute(sql, {"id": attempt, **values})
            self._left.discard(attempt)

    def _ours(self, row: Any) -> bool:
        return row is not None and row["owner"] in self._worker.names

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

    def _move(
        self,
        attempt: str,
        to: State,
        allowed: Sequence[str],
        changes: Mapping[str, Any],
        *,
        ours: bool = False,
        first: Callable[[Session], None] | None = None,
        done: Callable[[Any], bool] | None = None,
    ) -> None:
        """Change a state. ``done``: whether the same was written before, by us or by who took the attempt from us."""
        now = self._clock()

        def body(db: Session, again: bool) -> Attempt | None:
            if first:
                first(db)
            try:
                return self._move_in(db, again, attempt, to, allowed, now, changes, ours=ours)
            except LedgerError:
                row = _row(db, attempt)
                if done and row is not None and done(row):
                    return None
                raise

        if (moved := self._write(body)) is not None:
            self._watch.attempt(moved)

    def _move_in(
        self,
        db: Session,
        again: bool,
        attempt: str,
        to: State,
        allowed: Sequence[str],
        now: float,
        changes: Mapping[str, Any],
        *,
        ours: bool = False,
    ) -> Attempt:
        """``again``: it may have been written before; its own time stamp tells. ``ours``: only while we work on it."""
        sets = "".join(f", {name} = :{name}" for name in changes)
        states = ",".join(f"'{state}'" for state in allowed)
        names, values = _marks(self._worker.names)
        owned = f" AND owner IN ({names})" if ours else ""
        cursor = db.execute(
            f"UPDATE attempt SET state = :to, updated_at = :now{sets} WHERE id = :id AND state IN ({states}){owned}",  # noqa: S608  (column and state names are ours)
            {"to": to, "now": now, "id": attempt, **values, **changes},
        )
        moved, row = cursor.rowcount == 1, _row(db, attempt)
        if not moved and not (again and row is not None and (row["state"], row["updated_at"]) == (to, now)):
            raise (
                _taken(attempt, row, to)
                if row is not None and row["state"] in allowed
                else LedgerError(
                    f"Attempt {attempt} is {row['state'] if row else 'missing'} and cannot become {to}.",
                    hint="Another process has finished it; `pixelrouter jobs` shows how it stands.",
                )
            )
        return attempt_of(row)

    def owner_and_body(self, attempt: str) -> tuple[str, str]:
        """Who works on the attempt, and the hash of the bytes it sent."""
        if attempt in self._left:
            self._write_left()
        with self.database.reading() as db:
            row = db.execute("SELECT owner, body FROM attempt WHERE id = :id", {"id": attempt}).fetchone()
        return (row["owner"], row["body"])


def _row(db: Session, attempt: str) -> Any:
    return db.execute("SELECT * FROM attempt WHERE id = :id", {"id": attempt}).fetchone()


def _marks(names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Parameters for a list of names, in SQL and as values."""
    values = {f"ours_{number}": name for number, name in enumerate(names)}
    return ", ".join(f":{name}" for name in values), values


def _taken(attempt: str, row: Any, to: str) -> TakenOver:
    return TakenOver(
        f"Attempt {attempt[:12]} cannot be {to}: this machine did not answer for so long that another one carries on"
        f" with it ({row['state'] if row else 'missing'}). Nothing was sent twice.",
        hint="Make the same call again: the image is collected or reused, not bought a second time.",
    )
