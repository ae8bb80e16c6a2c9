"""Ledgers of some attempts, and the ways in which a file can be damaged."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from pixelrouter.money.budget import Purse
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.types import Cost, Money, Ticket

PURSE = Purse(run="run", project="game", day="2026-11-21")
PAGE = 4096
COUNT = 60
PRICE = 25_000  # micro-dollars


def draft(number: int) -> Draft:
    return Draft(
        id=f"{number:032x}",
        key=f"{number:064x}",
        backend="fal",
        model="m",
        hold=Cost(Money(PRICE), "quoted"),
        seed=7,
        prompt=f"potion number {number} " * 20,
        wish='{"prompt": "a potion", "width": 32, "height": 32}',
    )


def fill(path: Path, count: int = COUNT) -> None:
    """A ledger of settled attempts, the last one still at the vendor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_filled(count))


@cache
def _filled(count: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.db")
        _fill(path, count)
        return path.read_bytes()


def _fill(path: Path, count: int) -> None:
    ledger = Ledger(path, owner="")
    for number in range(count):
        row = draft(number)
        ledger.reserve(row, PURSE)
        ledger.sending(row.id)
        ledger.accepted(row.id, Ticket(f"job-{number}"))
        if number < count - 1:
            ledger.settle(row.id, Cost(Money(PRICE), "reported"), raws=[f"{number:064x}"])
    ledger.close()


def _overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def _pages_of(path: Path, name: str) -> list[int]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
    db.close()
    page = path.read_bytes()[(root - 1) * PAGE : root * PAGE]
    if page[0] in (0x0A, 0x0D):  # a leaf is all there is
        return [root]
    cells = int.from_bytes(page[3:5], "big")
    offsets = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
    return [int.from_bytes(page[at : at + 4], "big") for at in offsets]


def _leaf(path: Path, name: str, data: bytes) -> None:
    """Overwrite a leaf in the middle of a table or an index."""
    pages = _pages_of(path, name)
    _overwrite(path, (pages[len(pages) // 2] - 1) * PAGE, data)


def _forget_index_entry(path: Path) -> None:
    """An index that lacks an entry, as only a full check finds."""
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA writable_schema = ON")
        sql = "SELECT sql FROM sqlite_master WHERE name = 'attempt_by_key'"
        whole = db.execute(sql).fetchone()[0]
        db.execute("UPDATE sqlite_master SET sql = replace(sql, '(key, state)', '(key, state) WHERE seed = 8')"
                   " WHERE name = 'attempt_by_key'")  # fmt: skip
    db.close()
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("REINDEX attempt_by_key")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'attempt_by_key'", (whole,))
        db.execute("PRAGMA journal_mode = WAL")
    db.close()


def _replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


#: name -> what is done to a closed ledger. None of them may be opened, written or sent from.
DAMAGE: dict[str, Callable[[Path], object]] = {
    "header": lambda path: _overwrite(path, 0, b"\xff" * 100),
    "first page": lambda path: _overwrite(path, 0, bytes(PAGE)),
    "a page of the table, zeros": lambda path: _leaf(path, "attempt", bytes(PAGE)),
    "a page of the table, noise": lambda path: _leaf(path, "attempt", bytes(range(256)) * 16),
    "a page of an index": lambda path: _leaf(path, "attempt_by_key", bytes(PAGE)),
    "an index that lacks an entry": _forget_index_entry,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4 + 7]),
    "text": lambda path: path.write_text("a proof of purchase, once" * 200),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": _replaced_by_a_folder,
    "another program's": _another_program,
    "a newer version's": _newer,
    "a log of noise": lambda path: path.with_name(f"{path.name}-wal").write_bytes(b"\x93noise" * 2000),
}
#: name -> how many of COUNT attempts a rescue must bring home at least, in whole or in part.
RESCUED = {
    "header": COUNT,
    "first page": COUNT,
    "a page of the table, zeros": COUNT,
    "a page of the table, noise": COUNT,
    "a page of an index": COUNT,
    "an index that lacks an entry": COUNT,
    "cut off": COUNT // 4,
    "a newer version's": COUNT,
    "a log of noise": COUNT,
}


def some(names: Iterable[str]) -> list[ParameterSet]:
    """The names as parameters; all but a few of each kind are for the gate."""
    quick = {"header", "a page of the table, zeros", "an index that lacks an entry", "a folder"}
    return [pytest.param(name, marks=() if name in quick else (pytest.mark.slow,)) for name in names]
