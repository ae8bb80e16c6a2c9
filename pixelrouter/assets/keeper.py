"""Who writes the lock: now and then while a build runs, and never over what somebody has picked meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pixelrouter.assets.lock import Lock, Locked, LockedAtlas, read_lock, write_lock
from pixelrouter.errors import ConfigError
from pixelrouter.files import alone_with

_NEVER = (0, 0, 0)  # no file has this stamp
_SHARE = 20  # a build spends at most about one part in so many of its time on writing the lock


def change(path: Path, how: Callable[[Lock], Lock]) -> Lock:
    """Read the lock, change it, write it; nobody else changes it in between. What it is then. Raises ConfigError."""
    try:
        with alone_with(path):
            lock = how(read_lock(path))
            write_lock(path, lock)
            return lock
    except (TimeoutError, OSError) as error:
        raise ConfigError(f"{path.name} cannot be changed: {error}.") from None


class Keeper:
    """The lock of a build under way. ``lock`` is what it says now; on the disk it is at most a little behind."""

    def __init__(self, path: Path, lock: Lock) -> None:
        self._path = path
        self._assets, self._atlases = dict(lock.assets), dict(lock.atlases)
        self._changed: dict[str, Locked | None] = {}
        self._packed: dict[str, LockedAtlas] = {}
        self._next = 0.0
        self._on_disk = lock
        self._written: tuple[int, int, int] | None = _NEVER
        self.overtaken: set[str] = set()  # assets of which somebody has picked another candidate meanwhile

    @property
    def lock(self) -> Lock:
        """What the lock says now."""
        return Lock(self._assets, self._atlases)

    def put(self, name: str, entry: Locked) -> None:
        """Enter an asset."""
        self._assets[name] = self._changed[name] = entry
        self._flush_if_due()

    def put_atlas(self, name: str, entry: LockedAtlas) -> None:
        """Enter an atlas."""
        self._atlases[name] = self._packed[name] = entry

    def drop(self, name: str) -> None:
        """Forget an asset."""
        self._assets.pop(name, None)
        self._changed[name] = None

    def _flush_if_due(self) -> None:
        if time.monotonic() >= self._next:
            self.flush()

    def flush(self) -> None:
        """Write what has changed since the last time. Raises ConfigError."""
        if not (self._changed or self._packed):
            return
        start = time.monotonic()
        try:
            with alone_with(self._path):
                # What only we have written since need not be read again, which takes as much memory as the lock.
                ours = _stamp(self._path) == self._written
                lock = self._merged(self._on_disk if ours else read_lock(self._path))
                write_lock(self._path, lock)
                self._on_disk = lock
                self._written = _stamp(self._path)
        except (TimeoutError, OSError) as error:
            raise ConfigError(f"{self._path.name} cannot be changed: {error}.") from None
        self._assets, self._atlases = dict(lock.assets), dict(lock.atlases)
        self._changed, self._packed = {}, {}
        end = time.monotonic()
        self._next = end + _SHARE * (end - start)

    def _merged(self, there: Lock) -> Lock:
        assets = dict(there.assets)
        for name, entry in self._changed.items():
            if entry is None:
                assets.pop(name, None)
            else:
                assets[name] = _keeping_pick(assets.get(name), entry)
                if assets[name].pick != entry.pick:
                    self.overtaken.add(name)
        return Lock(assets, {**there.atlases, **self._packed})


def _keeping_pick(there: Locked | None, mine: Locked) -> Locked:
    """The build's entry, with a pick that a person has made since it began."""
    if there is None or there.wish != mine.wish or not there.pick.by or there.pick.at <= mine.pick.at:
        return mine
    if there.pick.number not in {one.number for one in mine.candidates}:
        return mine
    return replace(there, candidates=mine.candidates)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Another value as soon as the file is another, or was written to; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
