"""A server that knows no HTTP: it takes a connection and does whatever it is told, down to the bytes."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable

OK = b"HTTP/1.1 200 OK\r\n"
MB = bytes(1024 * 1024)


class RawServer:
    """``act(connection)`` is run for every connection, after its request has been read unless ``deaf``.

    ``accepts`` counts connections, ``requests`` keeps the head of each request that was read.
    """

    def __init__(self, act: Callable[[socket.socket], None], *, deaf: bool = False, wrap=None):
        self.accepts = 0
        self.requests: list[bytes] = []
        self._act, self._deaf, self._wrap = act, deaf, wrap
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.stop = threading.Event()
        self.url = f"{'https' if wrap else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while not self.stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepts += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):
            connection.settimeout(10)
            if self._wrap:
                connection = self._wrap(connection)
                self._open.append(connection)
            if not self._deaf:
                self.requests.append(read_request(connection))
            self._act(connection)
        connection.close()

    def close(self):
        self.stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in (self._thread, *self._threads):
            thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_request(connection):
    """The head of one request; its body is read and dropped."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")), 0)
    got = len(body)
    while got < length:
        part = connection.recv(65536)
        if not part:
            break
        got += len(part)
    return head


# --- what it may do ---------------------------------------------------------------------------------------------------


def say(data: bytes):
    """Answer with these bytes, and hang up."""
    return lambda connection: connection.sendall(data)


def keep(data: bytes):
    """Answer with these bytes, and leave the connection open."""

    def act(connection):
        connection.sendall(data)
        with contextlib.suppress(TimeoutError):
            connection.recv(1)

    return act


def drip(start: bytes, forever: bytes, pause: float = 0.02):
    """Answer with ``start`` at once and then with ``forever``, a byte now and then."""

    def act(connection):
        connection.sendall(start)
        while True:
            for byte in forever:
                connection.sendall(bytes([byte]))
                time.sleep(pause)

    return act


def flood(start: bytes, forever: bytes):
    """Answer with ``start`` and then with ``forever``, as fast as it goes."""

    def act(connection):
        connection.sendall(start)
        while True:
            connection.sendall(forever)

    return act


def half_close(connection):
    """Say that nothing will come, and leave it open."""
    connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(TimeoutError):
        connection.recv(1)


def packed(name: str, body: bytes):
    """A whole answer under a Content-Encoding."""
    return say(OK + f"Content-Encoding: {name}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def bomb(layers: int = 1, form: str = "gzip", megabytes: int = 400) -> bytes:
    """So many megabytes of zeros, packed ``layers`` times."""
    squeeze = gzip.compress if form == "gzip" else zlib.compress
    packer = zlib.compressobj(1, zlib.DEFLATED, 31 if form == "gzip" else 15)
    data = b"".join(packer.compress(MB) for _ in range(megabytes)) + packer.flush()
    for _ in range(layers - 1):
        data = squeeze(data)
    return data
