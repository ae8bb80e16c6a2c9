"""The images of a team, beside its ledger: bytes by content hash, in the same database and as durable as it."""

from __future__ import annotations

import hashlib

from pixelrouter.errors import ConnectionLost
from pixelrouter.money.database import Database


class Raws:
    """Raw bytes on the server. Raises LedgerError where it cannot be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def where(self) -> str:
        """The server in words, without any password."""
        return self._database.where

    def write(self, data: bytes) -> str:
        """Keep bytes, durably, and return their hash. The same bytes again change nothing."""
        digest = hashlib.sha256(data).hexdigest()
        sql = "INSERT INTO raw (digest, data) VALUES (:digest, :data) ON CONFLICT (digest) DO NOTHING"
        for _ in range(2):
            try:
                with self._database.transaction() as db:
                    db.execute(sql, {"digest": digest, "data": data})
                return digest
            except ConnectionLost as error:  # harmless to do again
                lost = error
        raise lost

    def read(self, digest: str) -> bytes | None:
        """The bytes with that hash; None where there are none, or others."""
        with self._database.reading() as db:
            row = db.execute("SELECT data FROM raw WHERE digest = :digest", {"digest": digest}).fetchone()
        data = None if row is None else bytes(row["data"])
        return data if data is not None and hashlib.sha256(data).hexdigest() == digest else None

    def has(self, digest: str) -> bool:
        """Whether there is an image of that hash."""
        with self._database.reading() as db:
            sql = "SELECT 1 AS found FROM raw WHERE digest = :digest"
            return db.execute(sql, {"digest": digest}).fetchone() is not None
