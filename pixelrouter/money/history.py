"""What the ledger remembers of a backend lately: how requests ended, how long they took, how long it wants to be left.

Only questions, asked of rows that are there anyway, so every process and machine that shares the ledger gets the same
answers, and they survive a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from pixelrouter.money.database import Session

LATELY_S = 24 * 3600.0  # an outcome older than this says nothing about how a vendor is now
LONGEST_COOLING_S = 3600.0  # a vendor that wants to be left alone for longer is asked again after an hour
SAMPLES = 20  # the purchases by which a backend's speed is judged


@dataclass(frozen=True)
class Outcome:
    """How one request that was sent ended. ``at`` is when that was known, in seconds since the epoch."""

    state: str  # settled, released or unknown
    error: str | None  # the error's class
    at: float


@dataclass(frozen=True)
class Latency:
    """How long a backend takes for an image: the median of the last ``samples`` purchases, in seconds."""

    seconds: float
    samples: int


def outcomes(db: Session, backend: str, model: str | None, since: float, most: int) -> list[Outcome]:
    """How the requests ended that were sent since then, the one sent last first; what still runs is left out."""
    rows = db.execute(
        "SELECT state, error_type, updated_at FROM attempt WHERE backend = :backend AND model = :model"
        " AND sent_at >= :since AND state IN ('settled','released','unknown') ORDER BY sent_at DESC LIMIT :most",
        {"backend": backend, "model": model, "since": since, "most": most},
    )
    return [Outcome(row["state"], row["error_type"], row["updated_at"]) for row in rows]


def under_way(db: Session, backend: str, model: str | None, since: float) -> list[str]:
    """Who works on the requests that were sent since then and have not ended."""
    rows = db.execute(
        "SELECT owner FROM attempt WHERE backend = :backend AND model = :model AND sent_at >= :since"
        " AND state IN ('sending','accepted') AND owner <> ''",
        {"backend": backend, "model": model, "since": since},
    )
    return [row["owner"] for row in rows]


def cooling_until(db: Session, backend: str, now: float) -> float:
    """Until when the vendor asked to be left alone (seconds since the epoch), by its last refusals; 0 if it did not."""
    row = db.execute(
        "SELECT MAX(CASE WHEN retry_at < updated_at + :longest THEN retry_at ELSE updated_at + :longest END) AS until"
        " FROM attempt WHERE backend = :backend AND sent_at >= :since AND retry_at > :now",
        {"backend": backend, "now": now, "longest": LONGEST_COOLING_S, "since": now - LATELY_S},
    ).fetchone()
    until = 0.0 if row is None or row["until"] is None else float(row["until"])
    return min(until, now + LONGEST_COOLING_S) if until > now else 0.0


def latency(db: Session, backend: str, model: str | None) -> Latency | None:
    """How long the backend takes from sending a request to having its image; None where that was never seen.

    What one call sent and another collected (after Ctrl-C, or a crash) is left out: it tells when somebody came to
    look. Such a row has no owner any more, for whoever carries on with an attempt disowns it.
    """
    rows = db.execute(
        "SELECT COALESCE(sent_at, created_at) AS began, updated_at FROM attempt WHERE backend = :backend"
        " AND model = :model AND state = 'settled' AND error_type IS NULL AND owner <> ''"
        " ORDER BY created_at DESC LIMIT :most",
        {"backend": backend, "model": model, "most": SAMPLES},
    )
    took = [max(0.0, row["updated_at"] - row["began"]) for row in rows]
    return Latency(median(took), len(took)) if took else None


def owners(db: Session, backend: str) -> set[str]:
    """Everyone who works on a request to the backend that is reserved or under way."""
    rows = db.execute(
        "SELECT DISTINCT owner FROM attempt WHERE backend = :backend AND state IN ('reserved','sending','accepted')",
        {"backend": backend},
    )
    return {row["owner"] for row in rows if row["owner"]}
