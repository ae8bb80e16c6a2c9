"""The store of a team: an image lies on the server before it counts as delivered, and on each machine that used it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pixelrouter.errors import LedgerError, StoreError
from pixelrouter.money.raws import Raws
from pixelrouter.store import Store


class TeamStore(Store):
    """A folder that is a cache of what lies on the server. What is read from either is checked against its hash."""

    def __init__(self, folder: Path, raws: Raws) -> None:
        super().__init__(folder)
        self._raws = raws

    def put(self, data: bytes) -> str:
        """Store bytes on the server, durably, and return their hash. Raises StoreError if it will not take them."""
        try:
            digest = self._raws.write(data)
        except LedgerError as error:
            raise StoreError(
                f"The image cannot be stored with the team's ledger: {error.message}",
                hint="Run the same again once the server can be reached: a paid job is collected, not bought.",
            ) from error
        with suppress(StoreError):  # without the cache it is read from the server again
            super().put(data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with that hash, from here or else from the server. Raises StoreError if neither has them."""
        try:
            return super().get(digest)
        except StoreError as error:
            missing = error
        try:
            data = self._raws.read(digest)
        except LedgerError as error:
            raise StoreError(f"{missing.message} The team's server has it, maybe: {error.message}") from error
        if data is None:
            raise missing
        with suppress(StoreError):
            super().put(data)
        return data

    def problem(self, digest: str) -> str | None:
        """What is wrong with the stored bytes of that hash; None if this machine or the server has them, unchanged."""
        here = super().problem(digest)
        return None if here is None or self._raws.has(digest) else here

    def __contains__(self, digest: str) -> bool:
        return super().__contains__(digest) or self._raws.has(digest)
