"""Files read whatever they may be, and written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


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
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.chmod(0o666 & ~_umask())  # mkstemp makes files that nobody else can read
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o22)
    os.umask(mask)
    return mask
