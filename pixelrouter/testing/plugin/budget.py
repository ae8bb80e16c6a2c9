"""One limit over a whole run: tests that may pay take turns, on all xdist workers, and add up what is spent.

Each such test has a state folder of its own, because a picture that another test has bought would be reused, and so be
missing from this one's recording. What the tests before spent or still hold is read from their ledgers, which lie on
disk before a byte is sent: a worker that is killed in the middle of a purchase has not made room for another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

_PATIENCE_S = 3600.0  # for the tests before


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Nobody else has the turn meanwhile. SQLite's lock is one that the system gives back when its process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "turn.db", timeout=_PATIENCE_S, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


def spent(folder: Path) -> dict[str, Decimal]:
    """Spent and held by the tests of the run so far, by unit."""
    from pixelrouter.routing.router import PixelRouter

    sums: dict[str, Decimal] = {}
    for ledger in sorted(folder.glob("*/ledger.db")):
        with PixelRouter(state=ledger.parent, ledger="", backend="procedural") as router:
            for row in router.costs(by="backend"):
                booked = Decimal(row["spent"]) + Decimal(row["held"])
                sums[row["unit"]] = sums.get(row["unit"], Decimal(0)) + booked
    return sums
