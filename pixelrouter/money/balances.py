"""What vendors said was left on an account, and what the ledger can explain of how that changed.

The difference of two readings, less everything else that the ledger knows to have been charged in between, is what a
request with a lost answer has cost. Whatever may have been charged before or after either reading makes it worthless,
and is named rather than guessed at. Amounts are whole micro-units.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pixelrouter.money.database import Database
from pixelrouter.money.rows import attempt_of
from pixelrouter.types import Attempt, Billing, HttpRequest, Money, Unit

KEPT_S = 30 * 24 * 3600  # seconds that a reading is kept
LOOKED_AT = 50  # readings before a request that are tried: the newest that no other purchase touches is used


def account_of(request: HttpRequest) -> str:
    """A fingerprint of the credentials that a request carries: tells accounts apart, and nothing about the key.

    Empty where it carries none.
    """
    secrets = "\n".join(sorted(secret.get_secret_value() for secret in request.secrets.values()))
    return hashlib.sha256(b"pixelrouter account\n" + secrets.encode()).hexdigest()[:16] if secrets else ""


@dataclass(frozen=True)
class Reading:
    """What was left on an account at a moment (seconds since the epoch)."""

    money: Money
    at: float


@dataclass(frozen=True)
class Movement:
    """How an account changed between two readings around a request.

    ``fell`` is by how much it fell (negative: it rose), ``booked`` what other purchases are known to have cost in
    between, ``open`` what each of those of unknown outcome holds. ``unclear`` names the attempts that may have been
    charged on either side of a reading, or an unknown sum: with any of them, nothing can be told.
    """

    start: Reading
    end: Reading
    fell: int
    booked: int = 0
    open: tuple[int, ...] = ()
    unclear: tuple[str, ...] = ()

    @property
    def unexplained(self) -> int:
        """Micro-units by which the account fell and that nothing else explains."""
        return self.fell - self.booked


class Balances:
    """The readings in one ledger. Safe to share between threads."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def note(self, backend: str, account: str, money: Money) -> Reading:
        """Write down what was read now; readings older than a month go."""
        reading = Reading(money, self._clock())
        values = {"backend": backend, "account": account, "unit": money.unit, "micros": money.micros}
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO balance (backend, account, unit, micros, read_at)"
                " VALUES (:backend, :account, :unit, :micros, :at)",
                {**values, "at": reading.at},
            )
            old = "DELETE FROM balance WHERE backend = :backend AND account = :account AND read_at < :old"
            db.execute(old, {"backend": backend, "account": account, "old": reading.at - KEPT_S})
        return reading

    def before(self, backend: str, account: str, unit: Unit, at: float) -> list[Reading]:
        """The readings up to a moment, newest first."""
        return self._readings(backend, account, unit, "read_at <= :at ORDER BY read_at DESC", at)

    def after(self, backend: str, account: str, unit: Unit, at: float) -> list[Reading]:
        """The readings from a moment on, oldest first."""
        return self._readings(backend, account, unit, "read_at >= :at ORDER BY read_at", at)

    def _readings(self, backend: str, account: str, unit: Unit, which: str, at: float) -> list[Reading]:
        values = {"backend": backend, "account": account, "unit": unit, "at": at, "most": LOOKED_AT}
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT micros, read_at FROM balance WHERE backend = :backend AND account = :account"  # noqa: S608  (``which`` is one of two constants)
                f" AND unit = :unit AND {which} LIMIT :most",
                values,
            ).fetchall()
        return [Reading(Money(row["micros"], unit), row["read_at"]) for row in rows]

    def movement(
        self, attempt: Attempt, account: str, now: Reading, billing: Billing, *, later_than: float = 0.0
    ) -> Movement | None:
        """How the account moved around ``attempt``; None where it was not read before the attempt.

        Until ``now``, if nothing else of the time is open; else until the first reading of the past at which nothing
        was, as what is lost later must not blur what was clear. ``later_than``: end at a reading after that one. Where
        there is none, between the newest reading before and ``now``, with what touches it.
        """
        sent, unit = attempt.sent_at or attempt.created_at, attempt.held.unit
        others = self._others(attempt, account)
        starts = self.before(attempt.backend, account, unit, sent)
        known = self.after(attempt.backend, account, unit, max(sent + billing.lost_s, later_than))
        ends = [now, *(end for end in known if later_than < end.at < now.at)]
        found = [_explained(attempt, start, end, billing, others) for end in ends for start in starts]
        clear = [one for one in found if not one.unclear]
        return next((one for one in (*(one for one in clear if not one.open), *clear, *found)), None)

    def _others(self, attempt: Attempt, account: str) -> list[Attempt]:
        """Every other attempt whose bytes left for this account. One that names no account may be of this one."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM attempt WHERE backend = :backend AND id <> :id AND sent_at IS NOT NULL",
                {"backend": attempt.backend, "id": attempt.id},
            ).fetchall()
        return [one for one in map(attempt_of, rows) if one.evidence.get("account", account) == account]


Part = Literal["outside", "booked", "open", "unclear"]


def _explained(attempt: Attempt, start: Reading, end: Reading, billing: Billing, others: Iterable[Attempt]) -> Movement:
    booked, left_open, unclear = 0, [], []
    for other in others:
        match _part(other, attempt.held.unit, start.at, end.at, billing):
            case "booked":
                booked += other.charged.micros if other.charged else 0
            case "open":
                left_open.append((other.charged or other.held).micros)
            case "unclear":
                unclear.append(other.id)
    fell = start.money.micros - end.money.micros
    return Movement(start, end, fell, booked, tuple(left_open), tuple(unclear))


def _part(other: Attempt, unit: Unit, start: float, end: float, billing: Billing) -> Part:
    """What another attempt has to do with the account's change between two moments."""
    sent = other.sent_at or other.created_at
    never_taken = other.state == "released" and other.ticket is None
    if never_taken or sent >= end:
        return "outside"
    same = other.held.unit == unit and (other.quoted is None or other.quoted.money.unit == unit)
    guessed = other.evidence.get("sure") == "likely"
    if other.state in ("settled", "released") and not guessed:
        shown = other.updated_at + billing.told_s
        if shown <= start:
            return "outside"
        whole = sent >= start and shown <= end
        told = other.cost_source == "reported" or other.evidence.get("means") == "hand"
        exact = other.state == "released" or told
        return "booked" if whole and exact and same else "unclear"
    if other.state == "unknown" or guessed:
        again = other.evidence.get("resent_at")
        if (again if isinstance(again, int | float) else sent) + billing.lost_s <= start:
            return "outside"  # whatever it cost shows in both readings
        return "open" if sent >= start and same else "unclear"
    return "unclear"
