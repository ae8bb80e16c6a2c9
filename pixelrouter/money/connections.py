"""The connections to a team's ledger that the threads of one process take turns with.

Opened when they are needed and by whoever needs one, so that an error tells why, and a server that comes back is found
at once; psycopg's own pool reconnects in the background, later and later, and keeps the reason to itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

Connection = psycopg.Connection[DictRow]
_PAUSE_S = 0.2


class Connections:
    """At most ``most`` connections; whoever wants one more waits.

    ``wait_s``: how long, and for how long a server that is gone is waited for.
    """

    def __init__(self, conninfo: str, most: int, wait_s: float) -> None:
        self._conninfo, self._wait_s = conninfo, wait_s
        self._turns = threading.BoundedSemaphore(most)
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection, to be given back as it was: outside a transaction. Raises psycopg.OperationalError."""
        if not self._turns.acquire(timeout=self._wait_s):
            raise psycopg.OperationalError("too many threads want to use it at once")
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._turns.release()

    def _take(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect(time.monotonic() + self._wait_s)

    def _connect(self, until: float) -> Connection:
        """A new connection. A server that is just being started again is waited for."""
        while True:
            try:
                return connect(self._conninfo)
            except psycopg.OperationalError:
                if time.monotonic() + _PAUSE_S > until:
                    raise
            time.sleep(_PAUSE_S)

    def _give_back(self, connection: Connection) -> None:
        if self._closed or connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close those that nobody uses; the others follow when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


def connect(conninfo: str) -> Connection:
    """A connection on which transactions are opened by hand."""
    # Nothing is prepared: a pooler between us and the server may send each transaction to another of its connections.
    return Connection.connect(conninfo, autocommit=True, row_factory=dict_row, prepare_threshold=None)
