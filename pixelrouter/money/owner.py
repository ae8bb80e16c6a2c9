"""Is the router that started an attempt still alive? Told by a lock file that the operating system frees at its death.

A process id alone would lie: ids are reused, and containers share them. A lock held on an open file is dropped by the
kernel however the process ends, SIGKILL and power loss included.
"""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Owner:
    """One router's proof of life. ``id`` goes into the attempts it works on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.id = uuid.uuid4().hex
        self._path = folder / f"{self.id}.lock"
        self._file = self._path.open("xb")
        _lock(self._file)

    def alive(self, owner: str) -> bool:
        """Whether the router called ``owner`` still runs. A dead one's file is cleared away."""
        if owner == self.id:
            return not self._file.closed
        path = self._folder / f"{owner}.lock"
        try:
            file = path.open("rb+")
        except OSError:
            return False
        with file:
            if not _lock(file):
                return True
            if os.name != "nt":
                path.unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Give the lock back; attempts left behind may be taken over."""
        if not self._file.closed:
            self._file.close()
            with contextlib.suppress(OSError):
                self._path.unlink()
