"""How many requests a backend gets at once, and a minute: counted over all who share the ledger.

Decided inside the transaction that lets a request leave, so no number of processes can pass a limit. First come, first
served: a request waits until those that were reserved before it, and whose router lives, have gone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pixelrouter.money.database import Session

MINUTE_S = 60.0
NEXT_LOOK_S = 0.05  # for the first in the queue; whoever stands further back looks less often
LONGEST_LOOK_S = 1.0


@dataclass(frozen=True)
class Limits:
    """Most jobs under way at once, and most requests within any 60 seconds (None: as many as one likes)."""

    concurrency: int
    per_minute: int | None = None


@dataclass(frozen=True)
class Wait:
    """How many seconds to wait before asking again, and at least how many the wait is going to be in all."""

    seconds: float
    at_least: float
    why: str


def wait_for(db: Session, attempt: str, backend: str, limits: Limits, now: float, dead: Collection[str]) -> Wait | None:
    """None if a reserved attempt may leave now. ``dead``: owners that are known not to live any more."""
    rows = db.execute(
        "SELECT id, state, owner, created_at FROM attempt WHERE backend = :backend"
        " AND state IN ('reserved','sending','accepted')",
        {"backend": backend},
    ).fetchall()
    mine = next(((row["created_at"], row["id"]) for row in rows if row["id"] == attempt), (now, attempt))
    living = [row for row in rows if row["id"] != attempt and row["owner"] and row["owner"] not in dead]
    ahead = sum(row["state"] == "reserved" and (row["created_at"], row["id"]) < mine for row in living)
    running = sum(row["state"] != "reserved" for row in living)
    full = running + ahead - limits.concurrency
    if full >= 0:
        pause = min(LONGEST_LOOK_S, NEXT_LOOK_S * (full + 1))
        return Wait(pause, 0.0, f"{running} of {limits.concurrency} slots are taken, {ahead} wait before us")
    return None if limits.per_minute is None else _minute(db, backend, limits.per_minute, ahead, now)


def _minute(db: Session, backend: str, most: int, ahead: int, now: float) -> Wait | None:
    rows = db.execute(
        "SELECT sent_at FROM attempt WHERE backend = :backend AND sent_at > :since ORDER BY sent_at DESC LIMIT :most",
        {"backend": backend, "since": now - MINUTE_S, "most": most},
    )
    sent = [row["sent_at"] for row in rows]  # the last first
    if len(sent) + ahead < most:
        return None
    why = f"{len(sent)} of {most} requests a minute are sent, {ahead} wait before us"
    # One may go when the oldest of the last `most` is a minute old; those ahead take as many places before us.
    first = _left(sent[most - 1], now) if len(sent) == most else 0.0
    place = most - 1 - ahead
    ours = _left(sent[place], now) if 0 <= place < len(sent) else NEXT_LOOK_S
    return Wait(min(max(ours, NEXT_LOOK_S), LONGEST_LOOK_S), first, why)


def _left(sent_at: float, now: float) -> float:
    """Seconds until a request is a minute old, whatever another machine's clock says."""
    return min(MINUTE_S, max(0.0, sent_at + MINUTE_S - now))
