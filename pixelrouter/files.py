"""Files read whatever they may be, and written whole or not at all."""

from __future__ import annotations

import filecmp
import hashlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: IO[bytes]) -> bool:
        """Lock an open file for this process; False where somebody else has. The lock ends with the process."""
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(file: IO[bytes]) -> bool:
        """Lock an open file for this process; False where somebody else has. The lock ends with the process."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a regular file. Raises OSError for anything else, and for one of more than ``most`` bytes.

    Never waits: a pipe that is opened the usual way blocks until somebody writes into it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a name that no file can have
        raise OSError(str(error)) from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("it is no regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(handle)
    if len(data) > most:
        raise OSError(f"it has more than {most} bytes")
    return data


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that it is never half written. Makes its folder.

    Raises OSError. A link is replaced, not followed.
    """
    with writing_whole(path) as file:
        file.write(data)


@contextmanager
def writing_whole(path: Path) -> Iterator[IO[bytes]]:
    """The same for a file that is written bit by bit; what lies there stays as it is if it says the same already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        if path.is_file() and not path.is_symlink() and filecmp.cmp(part, path, shallow=False):
            part.unlink()
            return
        part.chmod(0o666 & ~_umask())  # mkstemp makes files that nobody else can read
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o22)
    os.umask(mask)
    return mask


@contextmanager
def alone_with(path: Path, *, timeout_s: float = 30.0) -> Iterator[None]:
    """Keep every other process that asks for the same from changing ``path`` meanwhile. Raises TimeoutError.

    The lock file lies in the system's temporary folder, so that none is left beside a file that is committed.
    """
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    user = "" if os.name == "nt" else f"-{os.getuid()}"
    folder = Path(tempfile.gettempdir(), f"pixelrouter{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    end = time.monotonic() + timeout_s
    with (folder / f"{name}.lock").open("ab") as file:
        while not try_lock(file):
            if time.monotonic() > end:
                raise TimeoutError(f"another process has been changing {path} for too long")
            time.sleep(0.02)
        yield
