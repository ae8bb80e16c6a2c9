"""Reading a file that may be anything: a pipe that never speaks, a device without an end, something of gigabytes."""

from __future__ import annotations

import os
import stat
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
