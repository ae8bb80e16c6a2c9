"""A proxy before a PostgreSQL server that loses answers: what was sent arrives, and the connection breaks instead."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self


class Lossy:
    """Listens on a Unix socket in ``folder`` and passes everything on to the server's socket.

    ``lose(word)``: when a client next sends ``word``, the server gets it and answers, and the client gets nothing.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder, self._server = folder, server
        self.lost = 0
        self._word = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def lose(self, word: str) -> None:
        self._word = word.encode()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(str(self._server))
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)
                    if ready is client and self._word and self._word in data:
                        self._word, self.lost = b"", self.lost + 1
                        server.recv(65536)  # it has done what it was told
                        return
