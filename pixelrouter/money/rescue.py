"""What can be read of a damaged ledger, copied into a new one. The damaged file is never opened itself, only a copy.

SQLite stops at the first bad page it meets, so rows are fetched one at a time, by numbers gathered from the table and
from every index, from both ends. Where a row's own page is lost, the indexes still tell its key, its state and its
money: it is entered without the rest, so that caps go on counting it and nobody buys it again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrouter.errors import InvalidRequest, LedgerError
from pixelrouter.money.rows import attempt_of
from pixelrouter.money.sqlite import SQLite

_HEADER = 100  # bytes, of the first page: https://www.sqlite.org/fileformat.html section 1.3, 2026-11-21
_MOST_BYTES = 1 << 34  # a longer file is not made up
_GAP = 1_000_000  # row numbers tried between those that are known
#: Columns that an attempt can do without, and what stands in them then.
_EMPTY = {"delivery": "{}", "tags": "[]", "evidence": "{}", "raws": "[]", "wish": "{}", "ticket": None}
_LOST = "lost with a page of a damaged ledger"


@dataclass
class Rescued:
    """What came of it: attempts copied whole, in part (without ``_EMPTY`` columns, or from the indexes), and lost."""

    whole: int = 0
    in_part: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"whole": self.whole, "in_part": self.in_part, "lost": self.lost}


def readable(damaged: Path) -> Rescued:
    """What :func:`rescue` would copy. Raises LedgerError where nothing can be read."""
    with tempfile.TemporaryDirectory() as scratch:
        return _copy_rows(damaged, Path(scratch), Path(scratch, "new.db"))


def rescue(damaged: Path, to: Path) -> Rescued:
    """Copy what can be read into a new ledger ``to``, which must not exist yet.

    Raises LedgerError where nothing can be read, or where the new file cannot be written, and InvalidRequest where
    there is one of that name.
    """
    if os.path.lexists(to):
        raise InvalidRequest(f"{to} exists already; nothing was overwritten.", hint="Name a file that does not exist.")
    try:
        with tempfile.TemporaryDirectory(dir=to.parent) as scratch:
            new = Path(scratch, "new.db")
            rescued = _copy_rows(damaged, Path(scratch), new)
            _copy_to_new(new, to)
    except OSError as error:
        raise LedgerError(f"The new ledger {to} cannot be written: {error}.", hint="Choose another place.") from error
    return rescued


def _copy_to_new(source: Path, to: Path) -> None:
    with source.open("rb") as old, to.open("xb") as file:  # never over a file that has come meanwhile
        try:
            shutil.copyfileobj(old, file)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            to.unlink()
            raise


def _copy_rows(damaged: Path, scratch: Path, new: Path) -> Rescued:
    rescued = Rescued()
    with _opened_copy(damaged, scratch) as old, closing(SQLite(new)) as ledger, ledger.transaction() as db:
        for number in _numbers(old):
            row, whole = _row(old, number), True
            if row is None:
                row, whole = _from_indexes(old, number), False
            outcome = None if row is None else _enter(db, row)
            if row is None or outcome is None:
                rescued.lost.append(f"row {number}")
            elif whole and outcome:
                rescued.whole += 1
            else:
                rescued.in_part.append(str(row["id"]))
        for table in ("binding", "balance"):
            _copy_table(old, db, table)
    return rescued


@contextmanager
def _opened_copy(damaged: Path, scratch: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the ledger with its write-ahead log, in which a table of attempts can be found."""
    copy = scratch / "copy.db"
    try:
        shutil.copyfile(damaged, copy)
        for end in ("-wal", "-journal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(damaged.with_name(damaged.name + end), copy.with_name(copy.name + end))
    except OSError as error:
        raise LedgerError(f"The ledger {damaged} cannot be read: {error.strerror or error}.") from error
    for mend in (_as_it_is, _with_new_first_page):
        with suppress(sqlite3.Error):
            mend(copy, scratch)
            with closing(sqlite3.connect(copy, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                db.text_factory = lambda data: data.decode("utf-8", "replace")
                db.execute("PRAGMA writable_schema = ON")  # and with it, no complaint about a bad schema
                if next(_scan(db, "SELECT rowid FROM attempt"), None) is None and not _empty(db):
                    continue
                yield db
                return
    raise LedgerError(
        f"Nothing can be read of the ledger {damaged}.",
        hint="Restore it from a backup; the vendors' own bills show what was paid.",
    )


def _as_it_is(copy: Path, scratch: Path) -> None:
    """As it is, but as long as it was: SQLite reads nothing at all of a file that was cut off."""
    with copy.open("rb") as file:
        head = file.read(_HEADER)
    size = int.from_bytes(head[16:18], "big") * int.from_bytes(head[28:32], "big")
    if head[:6] == b"SQLite" and copy.stat().st_size < size <= _MOST_BYTES:
        os.truncate(copy, size)


def _with_new_first_page(copy: Path, scratch: Path) -> None:
    """Put a new ledger's first page over the damaged one: it says where the tables begin, at the same pages always."""
    fresh = scratch / "fresh.db"
    SQLite(fresh).close()
    with fresh.open("rb") as file:
        head = bytearray(file.read(_HEADER))
        size = int.from_bytes(head[16:18], "big")
        page = head + file.read(size - _HEADER)
    pages = copy.stat().st_size // size
    if pages < 2:
        return
    page[28:32] = pages.to_bytes(4, "big")  # how many pages there are
    page[24:28] = page[92:96] = (1).to_bytes(4, "big")  # the change counter, and the version that number is valid for
    with copy.open("r+b") as file:
        file.write(page)


def _scan(db: sqlite3.Connection, sql: str) -> Iterator[Any]:
    """The rows of a statement up to the first that cannot be read."""
    with suppress(sqlite3.Error):
        yield from db.execute(sql)


def _empty(db: sqlite3.Connection) -> bool:
    """Whether the table is there and nothing is wrong with its having no rows."""
    return bool(db.execute("SELECT COUNT(*) = 0 FROM attempt").fetchone()[0]) and (
        db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    )


def _numbers(db: sqlite3.Connection) -> list[int]:
    """The row numbers of all attempts that anything in the file still tells of."""
    indexes = [row["name"] for row in _scan(db, "SELECT name FROM sqlite_master WHERE type = 'index'")]
    sources = ["NOT INDEXED", *(f'INDEXED BY "{name}"' for name in indexes)]
    found: set[int] = set()
    for source in sources:
        for order in ("ASC", "DESC"):
            sql = f"SELECT rowid AS number FROM attempt {source} ORDER BY rowid {order}"  # noqa: S608  (names of ours)
            found |= {row["number"] for row in _scan(db, sql if "NOT" in source else sql.partition(" ORDER")[0])}
    if found and max(found) - min(found) < _GAP:
        found |= set(range(min(found), max(found) + 1))
    return sorted(found)


def _row(db: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    try:
        row = db.execute("SELECT * FROM attempt NOT INDEXED WHERE rowid = ?", (number,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else dict(row)


def _from_indexes(db: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """A row put together from the indexes that hold its key, its state and its money; None if one is missing."""
    found: dict[str, Any] = {}
    for index, columns in (
        ("sqlite_autoindex_attempt_1", "id"),
        ("attempt_by_key", "key"),
        ("spent_by_day", "day, project, unit, state, charged, held"),
        ("spent_by_run", "run"),
        ("attempt_by_backend", "backend, created_at"),
    ):
        sql = f'SELECT {columns} FROM attempt INDEXED BY "{index}" WHERE +rowid = {number}'  # noqa: S608  (ours)
        row = next(_scan(db, sql), None)
        if row is None:
            return None
        found |= dict(row)
    live = {"sending": "unknown", "accepted": "unknown"}  # without its ticket
    state = live.get(found["state"], found["state"])
    return {**found, "state": state, "seed": 0, "prompt": f"({_LOST})", "error_type": "LedgerError", "error": _LOST}


def _enter(db: Any, row: Mapping[str, Any]) -> bool | None:
    """Write a row into the new ledger: True as it was, False with columns emptied, None if it cannot be."""
    known = {name["name"] for name in db.execute("PRAGMA table_info(attempt)")}
    values = _completed({name: value for name, value in row.items() if name in known})
    steps: tuple[tuple[bool, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
        (True, lambda values: values),
        (False, _plain),
        (False, lambda values: {**_plain(values), "slot": f"{values['key']}#{values['id']}"}),
    )
    for whole, change in steps:
        try:
            changed = change(values)
            names, marks = ", ".join(changed), ", ".join(f":{name}" for name in changed)
            db.execute("SAVEPOINT one")
            db.execute(f"INSERT INTO attempt ({names}) VALUES ({marks})", changed)  # noqa: S608  (names of ours)
            attempt_of(db.execute("SELECT * FROM attempt WHERE id = :id", {"id": changed["id"]}).fetchone())
        except (sqlite3.Error, LedgerError, KeyError, TypeError, OverflowError):
            db.execute("ROLLBACK TO one")
        else:
            return whole
        finally:
            with suppress(sqlite3.Error):
                db.execute("RELEASE one")
    return None


def _completed(row: dict[str, Any]) -> dict[str, Any]:
    """With what an older version did not write, or an index does not hold."""
    standard = {
        "slot": row.get("key"),
        "cost_source": "unknown",
        "owner": "",
        "batch": "",
        "updated_at": row.get("created_at"),
        "quoted": max(row.get("held") or 0, row.get("charged") or 0),
        "quoted_unit": row.get("unit"),
        "quoted_source": row.get("cost_source", "unknown"),
    }
    return {**standard, **row, "owner": ""}  # nobody works on it while it is rescued


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Without the columns that hold JSON. A job without its ticket has an unknown outcome."""
    state = "unknown" if row["state"] == "accepted" else row["state"]
    return {
        **row,
        **_EMPTY,
        "state": state,
        "created_at": _time(row, "created_at"),
        "updated_at": _time(row, "updated_at"),
    }


def _time(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return value if isinstance(value, float) and 0 <= value < 1e11 else 0.0


def _copy_table(old: sqlite3.Connection, new: Any, table: str) -> None:
    for row in _scan(old, f"SELECT * FROM {table}"):  # noqa: S608  (a name of ours)
        names, marks = ", ".join(row.keys()), ", ".join(f":{name}" for name in row.keys())  # noqa: SIM118  (a Row is no dict)
        with suppress(sqlite3.Error):
            new.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", dict(row))  # noqa: S608  (ours)
