"""Is the router that started an attempt still alive? Told by a lock file that the operating system frees at its death.

A process id alone would lie: ids are reused, and containers share them. A lock held on an open file is dropped by the
kernel however the process ends, SIGKILL and power loss included. It works on one machine only; machines that share a
ledger go by money.lease.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
import weakref
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

from pixelrouter.files import try_lock
from pixelrouter.money.budget import LIVE
from pixelrouter.money.database import Session

_NAME = re.compile(r"[0-9a-f]{32}")


class Worker(Protocol):
    """One router's proof of life. ``id`` goes into the attempts it works on; it changes where the proof was lost."""

    @property
    def id(self) -> str: ...

    @property
    def names(self) -> Sequence[str]:
        """The id, and those it had before: what bears one of them nobody has taken from us."""

    def alive(self, owner: str) -> bool:
        """Whether the router called ``owner`` still runs."""

    def holds(self, db: Session) -> bool:
        """Whether nobody can take us for dead soon; asked in the transaction that lets paid bytes leave."""

    def fresh(self) -> bool:
        """The same, from this machine's own clock and without asking anybody."""

    def renew(self) -> None:
        """Make the proof last longer. Where it was lost: be somebody new, with all that nobody took from us."""

    def free(self, db: Session, tried: Collection[str]) -> Any:
        """The row of the newest unfinished attempt that nobody works on, kept from others until the commit; or None."""

    def close(self) -> None:
        """Give the proof back; attempts left behind may be taken over."""


class Owner:
    """A worker on this machine, whose proof is a lock file. A forked child is a worker of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._enter()
        _OWNERS.add(self)

    def _enter(self) -> None:
        self._process, self._id = os.getpid(), uuid.uuid4().hex
        self._path = self._folder / f"{self._id}.lock"
        self._file = self._path.open("xb")
        try_lock(self._file)

    @property
    def id(self) -> str:
        """The router's name."""
        if self._process != os.getpid():
            self._enter()
        return self._id

    @property
    def names(self) -> Sequence[str]:
        """The one name."""
        return (self.id,)

    def alive(self, owner: str) -> bool:
        """Whether the router called ``owner`` still runs. A dead one's file is cleared away."""
        if owner == self._id:
            return not self._file.closed
        if not _NAME.fullmatch(owner):  # a ledger that somebody else wrote must not name a file to be cleared away
            return False
        path = self._folder / f"{owner}.lock"
        try:
            file = path.open("rb+")
        except FileNotFoundError:
            return False
        except OSError:
            return True  # another user's, or no more files may be opened: rather wait than take over
        with file:
            if not try_lock(file):
                return True
            if os.name != "nt":
                path.unlink(missing_ok=True)
        return False

    def holds(self, db: Session) -> bool:
        """Always: the kernel frees a lock at its holder's death only."""
        return True

    def fresh(self) -> bool:
        """Always."""
        return True

    def renew(self) -> None:
        """Nothing to do."""

    def free(self, db: Session, tried: Collection[str]) -> Any:
        """The newest unfinished row that nobody works on; SQLite has one writer at a time, which keeps it ours."""
        return free_row(db, tried, lambda owner: not self.alive(owner))

    def close(self) -> None:
        """Give the lock back; attempts left behind may be taken over."""
        if not self._file.closed and self._process == os.getpid():
            self._file.close()
            with contextlib.suppress(OSError):
                self._path.unlink()


class Named:
    """A worker that is a name and nothing else: what it leaves is free for whoever comes."""

    def __init__(self, name: str) -> None:
        self.id, self.names = name, (name,)

    def alive(self, owner: str) -> bool:
        """Only itself."""
        return owner == self.id

    def holds(self, db: Session) -> bool:
        """Always."""
        return True

    def fresh(self) -> bool:
        """Always."""
        return True

    def renew(self) -> None:
        """Nothing to do."""

    def free(self, db: Session, tried: Collection[str]) -> Any:
        """The newest unfinished row of anybody else."""
        return free_row(db, tried, lambda owner: owner != self.id)

    def close(self) -> None:
        """Nothing to give back."""


def free_row(db: Session, tried: Collection[str], free: Any) -> Any:
    """The newest unfinished row, not among ``tried``, whose owner is ``free``."""
    live = ",".join(f"'{state}'" for state in LIVE)
    sql = f"SELECT * FROM attempt WHERE state IN ({live}) ORDER BY created_at DESC, rowid DESC"  # noqa: S608  (constants)
    rows = db.execute(sql).fetchall()
    return next((row for row in rows if row["id"] not in tried and free(row["owner"])), None)


_OWNERS: weakref.WeakSet[Owner] = weakref.WeakSet()


def _let_go_in_child() -> None:
    """A child that kept its parent's lock open would keep a dead parent alive."""
    for owner in list(_OWNERS):
        owner._file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
