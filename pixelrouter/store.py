"""Raw vendor bytes by content hash, each file written whole or not at all.

An image counts as delivered only once it is here: written to a temporary file, flushed to the disk, renamed, and the
folder flushed too, so that a power cut leaves either the whole file or none.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from pixelrouter.errors import StoreError


class Store:
    """A folder of files named by the SHA-256 of their content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the bytes with that hash lie, or would lie."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise StoreError(f"{digest!r} is not a content hash.")
        return self.folder / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their hash. Raises StoreError if the disk will not take them."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        if target.exists():
            return digest
        part = None
        try:
            new = not target.parent.is_dir()
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
            part = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            _sync_folder(target.parent)
            if new:
                _sync_folder(self.folder)
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise StoreError(
                f"The image cannot be stored in {self.folder}: {error}.",
                hint="Free space or fix permissions, then run the same again: a paid job is collected, not bought.",
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with that hash. Raises StoreError if they are gone or were changed."""
        try:
            data = self.path(digest).read_bytes()
        except OSError as error:
            raise StoreError(
                f"The stored image {digest[:12]} is gone from {self.folder}.",
                hint="Restore the folder from a backup, or buy the image anew with fresh=True (--fresh).",
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreError(
                f"The stored image {digest[:12]} in {self.folder} was changed or damaged.",
                hint="Restore the file from a backup, or buy the image anew with fresh=True (--fresh).",
            )
        return data

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).exists()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder for flushing; its rename is journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
