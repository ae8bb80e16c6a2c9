"""The doctor: checks of an installation, each on its own, so that one that fails hides no other. Offline, and free.

Nothing is opened for writing before it is known what it is: a ledger that is damaged, locked, of another version or no
ledger at all is reported with what can still be read of it, and left as it is.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pixelrouter import backends as registry
from pixelrouter.config import Settings
from pixelrouter.errors import ConfigError, InvalidRequest, LedgerError, StoreError, redact
from pixelrouter.money import rescue as rescuing
from pixelrouter.money.database import Database, open_database
from pixelrouter.money.raws import Raws
from pixelrouter.money.rows import attempt_of
from pixelrouter.money.sqlite import SQLite
from pixelrouter.routing.ask import lacking
from pixelrouter.routing.team_store import TeamStore
from pixelrouter.store import Store
from pixelrouter.types import Attempt

LEAST_FREE = 100_000_000  # bytes: below, the disk counts as nearly full
_BUSY_S = 2.0  # how long a ledger that somebody holds is waited for
_PROBE = bytes(64 * 1024)
_SHOWN = 3  # of a list of many
Row = dict[str, Any]


def _row(check: str, ok: bool, detail: str, fix: str = "") -> Row:
    return {"check": check, "ok": ok, "detail": redact(detail), "fix": "" if ok else redact(fix)}


def doctor(settings: Settings, keys: Mapping[str, str]) -> Iterator[Row]:
    """Every check as a row: ``check``, ``ok``, ``detail``, ``fix``."""
    yield _python()
    yield _row("config", True, str(settings.config_file or "no config file; defaults and environment"))
    yield from _known_names(settings)
    yield from _state(settings.state_dir)
    yield from _books(settings)
    has = importlib.util.find_spec("imagequant") is not None
    yield _row("imagequant", True, "installed" if has else "not installed, and needed only for quantizer='imagequant'")
    yield from _backends(settings, keys)


def without_settings(error: ConfigError) -> list[Row]:
    """The checks that can be made where the configuration itself cannot be read."""
    return [_python(), _row("config", False, error.message, error.hint or "Correct it; the other checks need it.")]


def rescue(settings: Settings, to: Path) -> dict[str, Any]:
    """Copy what can be read of the ledger into the new file ``to``; see :mod:`pixelrouter.money.rescue`."""
    if settings.ledger:
        raise InvalidRequest("A ledger on a server is no file.", hint="Its server has tools of its own: pg_dump.")
    ledger = settings.state_dir / "ledger.db"
    return {"ledger": str(ledger), "saved_as": str(to), **rescuing.rescue(ledger, to).as_dict()}


def _python() -> Row:
    return _row("python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or newer.")


def _known_names(settings: Settings) -> Iterator[Row]:
    try:
        settings.check_backend_names(registry.names())
    except ConfigError as error:
        yield _row("config", False, error.message, error.hint or "")


# --- the disk ---


def _state(folder: Path) -> Iterator[Row]:
    """Whether the folder of ledger and store takes a file, or would if it were made."""
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    fix = "Free space, fix its permissions, or set PIXELROUTER_STATE to another folder."
    try:
        if not there.is_dir():
            raise NotADirectoryError(f"{there} is no folder")
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield _row("state", False, f"{folder} cannot be written: {error}", fix)
        return
    yield _row("state", True, str(folder))
    free = shutil.disk_usage(there).free
    yield _row("disk", free >= LEAST_FREE, f"{free // 1_000_000} MB free", "Free space before anything is bought.")


# --- ledger and store ---


def _books(settings: Settings) -> Iterator[Row]:
    path = settings.state_dir / "ledger.db"
    if not settings.ledger and not os.path.lexists(path):
        yield _row("ledger", True, f"{path}: none yet; the first purchase makes it")
        return
    try:
        database = open_database(settings.ledger) if settings.ledger else SQLite(path, busy_s=_BUSY_S)
    except LedgerError as error:
        yield _row("ledger", False, error.message, error.hint or "")
        if not settings.ledger:
            yield from _salvage(path)
        return
    try:
        yield from _ledger(database)
        attempts, unreadable = _attempts(database)
        yield _row("ledger rows", not unreadable, _several(unreadable, "rows are not as they were written"), _RESCUE)
        yield from _outcomes(attempts)
        folder = settings.state_dir / "store"
        yield _store(TeamStore(folder, Raws(database)) if settings.ledger else Store(folder), attempts)
    except LedgerError as error:
        yield _row("ledger rows", False, error.message, error.hint or "")
        if not settings.ledger:
            yield from _salvage(path)
    finally:
        database.close()


_RESCUE = (
    "`pixelrouter doctor --rescue FILE` copies what can be read into a new ledger. Keep the old one: it is the only"
    " record of what was paid."
)


def _ledger(database: Database) -> Iterator[Row]:
    """Is it whole, and can it be written just now?"""
    integrity = database.check()
    yield _row("ledger", integrity == "ok", f"{database.where}: {' '.join(integrity.split())}", _RESCUE)
    try:
        with database.transaction():
            pass
    except LedgerError as error:
        yield _row("ledger writable", False, error.message, error.hint or "")
    else:
        yield _row("ledger writable", True, "yes")


def _salvage(path: Path) -> Iterator[Row]:
    """What can be read of a ledger that cannot be used."""
    try:
        found = rescuing.readable(path)
    except (LedgerError, OSError, sqlite3.Error) as error:
        yield _row("ledger rows", False, str(error), "Restore the ledger from a backup.")
    else:
        detail = f"{found.whole} attempts can be read, {len(found.in_part)} in part, {len(found.lost)} are lost"
        yield _row("ledger rows", False, detail, _RESCUE)


def _attempts(database: Database) -> tuple[list[Attempt], list[str]]:
    """The attempts, and the ids of those that cannot be read."""
    attempts, unreadable = [], []
    with database.reading() as db:
        for row in db.execute("SELECT * FROM attempt"):
            try:
                attempts.append(attempt_of(row))
            except LedgerError:
                unreadable.append(str(row["id"])[:12])
    return attempts, unreadable


def _outcomes(attempts: list[Attempt]) -> Iterator[Row]:
    unknown = [a for a in attempts if a.state == "unknown"]
    fix = "`pixelrouter reconcile` finds out what became of them, as far as the vendors can tell."
    yield _row("outcomes", not unknown, f"{len(unknown)} attempts with unknown outcome", fix)


def _store(store: Store, attempts: list[Attempt]) -> Row:
    paid = dict.fromkeys(raw for a in attempts if a.state == "settled" for raw in a.raws)
    wrong = [f"{raw[:12]} {problem} {store.folder}" for raw in paid if (problem := _problem(store, raw))]
    fix = "Restore the store folder from a backup; those images would have to be bought again."
    return _row("store", not wrong, _several(wrong, "paid images are missing or damaged"), fix)


def _problem(store: Store, raw: str) -> str | None:
    try:
        return store.problem(raw)
    except StoreError as error:  # a row whose list holds something else than hashes
        return f"({error.message}) is not in"


def _several(found: list[str], what: str) -> str:
    if not found:
        return "all as they should be"
    more = ", ..." if len(found) > _SHOWN else ""
    return f"{len(found)} {what}: {', '.join(found[:_SHOWN])}{more}"


# --- backends ---


def _backends(settings: Settings, keys: Mapping[str, str]) -> Iterator[Row]:
    replaying = settings.cassette is not None and settings.cassette_mode == "replay"
    for name in registry.names():
        check, chosen = f"backend {name}", name in settings.candidates()
        try:
            cls = registry.load(name)
            settings.backend_settings(name, cls.settings_type)
            key, source = (True, "argument") if name in keys else settings.credential(cls.credentials)
        except ConfigError as error:
            yield _row(check, False, error.message, error.hint or "")
            continue
        if missing := lacking(cls):
            fix = f"{getattr(cls, 'install', '')}, or choose another backend."
            yield _row(check, not chosen, f"not installed: {', '.join(missing)}", fix)
        elif not cls.credentials:
            yield _row(check, True, "needs no key")
        elif key is None and replaying:
            yield _row(check, True, "needs no key to replay recorded answers")
        else:
            detail = f"key from {source}" if key else f"{cls.credentials[0]} is not set"
            fix = f"Set {cls.credentials[0]}, or choose another backend."
            yield _row(check, key is not None or not chosen, detail, fix)
