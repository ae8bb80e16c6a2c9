"""What a batch has done already: a journal in the folder of the results, so that a second run skips what is there.

One line of JSON for each finished file, appended when the file is in place; at the end the journal is rewritten as a
whole, sorted, and moved into its place. Each line has a checksum: one that was cut off or damaged counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pixelrouter.errors import StoreError

NAME = ".pixelrouter.jsonl"


def digest(data: bytes) -> str:
    """The content hash: SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that none is ever half written. Raises StoreError."""
    # Beside it, and no longer than the name itself: 255 bytes are the most that a disk takes.
    part = path.with_name(f".{digest(path.name.encode(errors='surrogateescape'))[:16]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Make room, or choose another place."
        ) from error


class Journal:
    """The journal of one folder. Raises StoreError where it cannot be written.

    An entry is JSON-ready data under a name. ``files`` in it maps paths, relative to the folder, to content hashes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self._entries: dict[str, dict[str, Any]] = {}
        self._used: set[str] = set()
        lines: list[str] = []
        with suppress(OSError):
            if self.path.is_file():  # a device may have no end
                lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            if entry := _read(line):
                self._entries[entry["name"]] = entry

    def find(self, name: str, *, source: str, key: str) -> dict[str, Any] | None:
        """The entry of that name, if it was made of that content by those wishes and its files are still as made."""
        entry = self._entries.get(name)
        if entry is None or entry.get("source") != source or entry.get("key") != key:
            return None
        if not all(self._hash(self.folder / file) == made for file, made in entry["files"].items()):
            return None
        self._used.add(name)
        return entry

    def add(self, name: str, *, source: str, key: str, files: dict[Path, bytes], **facts: Any) -> None:
        """Note an entry whose files are in place."""
        made = {Path(os.path.relpath(path, self.folder)).as_posix(): digest(data) for path, data in files.items()}
        entry = {"name": name, "source": source, "key": key, "files": made, **facts}
        self._entries[name] = entry
        self._used.add(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                # Begins with a line break: the last line may have been cut off.
                file.write(b"\n" + _line(entry))
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def close(self) -> None:
        """Rewrite the journal, sorted. Entries whose files are gone, and what no one asked for, are dropped.

        Where there is no room for that, the journal stays as it is: its lines count as well.
        """
        kept = [entry for name, entry in sorted(self._entries.items()) if name in self._used or self._lives(entry)]
        if kept:
            with suppress(StoreError):
                write(self.path, b"\n".join(_line(entry) for entry in kept) + b"\n")

    def _lives(self, entry: dict[str, Any]) -> bool:
        return any((self.folder / file).exists() for file in entry["files"])

    @staticmethod
    def _hash(path: Path) -> str | None:
        try:
            return digest(path.read_bytes())
        except OSError:
            return None


def _line(entry: dict[str, Any]) -> bytes:
    """An entry as a line, with a checksum of the rest."""
    return _json({**entry, "sum": digest(_json(entry))})


def _read(line: str) -> dict[str, Any] | None:
    """The entry of a line; None if it is not as it was written."""
    try:
        entry = json.loads(line)
        return entry if entry.pop("sum") == digest(_json(entry)) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
