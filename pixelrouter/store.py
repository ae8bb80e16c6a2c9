"""Raw vendor bytes by content hash, each file written whole or not at all.

An image counts as delivered only once it is here: written to a temporary file, flushed to the disk, renamed, and the
folder flushed too, so that a power cut leaves either the whole file or none. What lies here is trusted for nothing but
its hash: a file, link, pipe or folder in an image's place counts as the image only if its content is.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from pixelrouter.errors import StoreError
from pixelrouter.files import read_bounded

MAX_BYTES = 1 << 30  # of one file; more than any answer that is read
_LEFTOVER_S = 3600.0  # an unfinished file this much older than a new one was left by a crash
_ANEW = "or buy the image anew with fresh=True (--fresh)."
_HINTS = {
    "is gone from": f"Restore the folder from a backup, {_ANEW}",
    "was changed or damaged in": f"Restore the file from a backup, {_ANEW}",
    "is no file in": f"Remove what lies in its place and restore the file from a backup, {_ANEW}",
}


class Store:
    """A folder of files named by the SHA-256 of their content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._swept = False

    def path(self, digest: str) -> Path:
        """Where the bytes with that hash lie, or would lie."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise StoreError(f"{digest[:80]!r} is not a content hash.")
        return self.folder / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their hash. Raises StoreError if the disk will not take them.

        Whatever else lies in their place is replaced: a damaged file, a link to somewhere.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        try:
            if not _is_whole(target, digest):
                self._write(target, data)
            _sync_folder(target.parent)  # also where another process wrote it, and may have died before this
            _sync_folder(self.folder)
        except OSError as error:
            raise StoreError(
                f"The image cannot be stored in {self.folder}: {error}.",
                hint="Free space or fix permissions, then run the same again: a paid job is collected, not bought.",
            ) from error
        return digest

    def _write(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.parent.is_symlink():
            raise OSError(f"{target.parent} is a link to another folder")
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".part-")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._sweep(part.stat().st_mtime)
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise

    def _sweep(self, now: float) -> None:
        """Clear away unfinished files that crashes have left, once. ``now`` is the time by the disk's own clock."""
        if self._swept:
            return
        self._swept = True
        for part in [*self.folder.glob(".part-*"), *self.folder.glob("??/.part-*")]:
            with suppress(OSError):
                if part.lstat().st_mtime < now - _LEFTOVER_S:
                    part.unlink()

    def get(self, digest: str) -> bytes:
        """The bytes with that hash. Raises StoreError if they are gone or were changed."""
        data, problem = _read(self.path(digest), digest)
        if data is None:
            data, _ = _read(_aside() / digest, digest)
        if data is None:
            hint = _HINTS.get(problem, "Give yourself the right to read it.")
            raise StoreError(f"The stored image {digest[:12]} {problem} {self.folder}.", hint=hint)
        return data

    def put_aside(self, data: bytes) -> str:
        """Keep bytes that :meth:`put` cannot take, in the system's temporary folder, and return their hash.

        The last resort for a picture that came with the answer and cannot be had again; :meth:`get` finds it there.
        Raises StoreError if that cannot be written either.
        """
        digest = hashlib.sha256(data).hexdigest()
        folder = _aside()
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or (os.name != "nt" and found.st_uid != os.getuid()):
                raise OSError(f"{folder} belongs to somebody else")
            if not _is_whole(folder / digest, digest):
                Store(folder)._write(folder / digest, data)
        except OSError as error:
            raise StoreError(f"The image cannot be kept in {folder} either: {error}.", hint="Free space.") from error
        return digest

    def problem(self, digest: str) -> str | None:
        """What is wrong with the stored bytes of that hash, in words; None if they are here, whole and unchanged."""
        return _read(self.path(digest), digest)[1] or None

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).exists()


def _aside() -> Path:
    user = "" if os.name == "nt" else f"-{os.getuid()}"  # Windows has a temporary folder for each user
    return Path(tempfile.gettempdir(), f"pixelrouter{user}")


def _is_whole(path: Path, digest: str) -> bool:
    """Whether the bytes lie there themselves: not behind a link, which may lead to another disk."""
    return not path.is_symlink() and _read(path, digest)[0] is not None


def _read(path: Path, digest: str) -> tuple[bytes | None, str]:
    """The bytes with that hash; or None, and why they are not to be had. Never waits for a pipe or a device."""
    try:
        data = read_bounded(path, MAX_BYTES)
    except FileNotFoundError:
        return None, "is gone from"
    except OSError as error:
        if path.exists() and not path.is_file():
            return None, "is no file in"
        return None, f"cannot be read ({error.strerror or error}) in"
    if hashlib.sha256(data).hexdigest() != digest:
        return None, "was changed or damaged in"
    return data, ""


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder for flushing; its rename is journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
