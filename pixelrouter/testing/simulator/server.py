"""A small HTTP/1.1 server for vendor simulators: real sockets, a log of what arrived, faults down to the socket.

A vendor's simulator derives from `Simulator` and says what to answer; everything about HTTP is here. Only the standard
library is used, so that a simulator runs wherever Python does.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Fault, FaultQueue, Faults, FaultSpec
from pixelrouter.types import Money

CONTROL = "/_sim/"  # no vendor has paths below this prefix
_BLOCK = 64 * 1024
NGINX_502 = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Received:
    """One request as it arrived. Header names are in lower case; ``at`` is seconds since the epoch."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; None where it is empty or not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Reply:
    """One answer, and how it is to travel.

    ``hang_up`` closes the connection without a byte of answer (``reset`` with a TCP reset). ``wait`` is seconds before
    the answer. ``declared`` is a false Content-Length. ``padding`` is a number of spaces sent after the body, within
    the declared length. ``drip`` is (bytes, seconds): the body goes out in such pieces, with such pauses.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: Literal["close", "reset"] | None = None
    wait: float = 0.0
    declared: int | None = None
    padding: int = 0
    drip: tuple[int, float] | None = None

    @classmethod
    def of_json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        body = json.dumps(value, separators=(",", ":")).encode()
        return cls(status, body, {"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def nginx_502(cls) -> Reply:
        """What a gateway in front of a vendor answers when the vendor's own answer does not come."""
        return cls(502, NGINX_502, {"Content-Type": "text/html", "Server": "nginx"})

    @classmethod
    def hung_up(cls, fault: Fault) -> Reply:
        return cls(hang_up="reset" if fault.params["reset"] else "close")


def spoil(reply: Reply, fault: Fault) -> Reply:
    """The good ``reply`` of a request that the vendor took, spoilt on its way by a fault of the phase *after*."""
    match fault.name:
        case Faults.LOSE_REPLY:
            return Reply.hung_up(fault)
        case Faults.LATE:
            return replace(reply, wait=fault.params["seconds"])
        case Faults.BAD_GATEWAY_HTML:
            return Reply.nginx_502()
        case Faults.GARBAGE_JSON:
            return Reply(200, b'{"status":"acc', {"Content-Type": "application/json"})
        case Faults.SLOW_DRIP:
            return replace(reply, drip=(fault.params["chunk"], fault.params["delay"]))
        case Faults.HUGE_BODY:
            # Spaces after JSON are still JSON: only a reader that counts the bytes is safe.
            return replace(reply, padding=max(0, fault.params["size"] - len(reply.body)))
        case Faults.TRUNCATED_DOWNLOAD:
            return replace(reply, body=reply.body[: len(reply.body) // 2], declared=len(reply.body))
    return reply


class Simulator(ABC):
    """A vendor on a local port. A context manager; `start` and `stop` do the same by hand.

    ``vendor`` is the backend's name, ``key_variable`` the environment variable that holds its key, ``default_keys`` the
    tokens it accepts unless told others, ``vendor_faults`` the misbehaviours that only this vendor has.

    ``host`` and ``port`` are where to listen; port 0 takes a free one. The listening socket is open from the first
    moment, so `url` is known and no connection is refused.
    """

    vendor: ClassVar[str]
    key_variable: ClassVar[str]
    default_keys: ClassVar[tuple[str, ...]]
    vendor_faults: ClassVar[Mapping[str, FaultSpec]] = {}
    keys: tuple[str, ...]

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.faults = FaultQueue()
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self._requests: list[Received] = []
        self._ahead = 0.0
        self.list_lag = 0.0  # seconds until a job shows in the vendor's lists; a test sets it
        self._listener = _Listener((host, port), self)
        self._thread: threading.Thread | None = None

    # What a vendor's simulator says about itself.

    @abstractmethod
    def answer(self, request: Received) -> Reply:
        """The vendor's answer to one request. Called in parallel from many threads."""

    @property
    @abstractmethod
    def charges(self) -> list[Charge]:
        """Every charge, oldest first; a refunded one stays, and says so."""

    @property
    @abstractmethod
    def charged_total(self) -> Money:
        """What the vendor took, less what it gave back."""

    @property
    @abstractmethod
    def paid_posts(self) -> int:
        """How many requests that cost money arrived, whatever became of them."""

    def backend_settings(self) -> dict[str, Any]:
        """What ``[backends.NAME]`` must say to talk to this simulator instead of the vendor."""
        return {"base_url": self.url}

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What the vendor knows, JSON-ready, for GET /_sim/state."""

    @abstractmethod
    def forget(self) -> None:
        """Back to the state after construction. Called under `lock`."""

    # What a test does with it.

    @property
    def url(self) -> str:
        """The origin (scheme, host, port), without a slash at the end."""
        host, port = self._listener.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def requests(self) -> list[Received]:
        """Every request so far, oldest first; those under /_sim/ are left out."""
        with self.lock:
            return list(self._requests)

    def fault(self, name: str, times: int = 1, *, on: str | None = None, **params: Any) -> None:
        """Misbehave on the next ``times`` matching requests. See `Faults` for the names and what they do.

        ``on`` is the kind of request to wait for, where the fault's own is not what you want: ``submit``, ``quote``,
        ``poll``, ``list``, ``download``, ``balance``, ``styles``, ``status``, ``other``, or ``any``.
        Raises ValueError for a fault or a parameter that does not exist.
        """
        self.faults.add(Fault.of(name, on, self.vendor_faults, **params), times)

    def advance(self, seconds: float) -> None:
        """Let the vendor's clock jump ahead: signed URLs expire and jobs finish without anyone waiting."""
        with self.lock:
            self._ahead += seconds

    def now(self) -> float:
        """The vendor's clock, in seconds since the epoch."""
        return time.time() + self._ahead

    def move_balance(self, by: Money) -> None:
        """Let somebody else use the same account: what is left changes by that much, and no charge of ours is made."""
        raise NotImplementedError(f"the {self.vendor} simulator has no account that others use")

    def reset(self) -> None:
        """Forget every request, fault, job and charge."""
        with self.lock:
            self._requests.clear()
            self._ahead = self.list_lag = 0.0
            self.faults.clear()
            self.forget()

    def start(self) -> Self:
        """Begin to answer, on a thread of its own."""
        # The short interval is how long `stop` may have to wait.
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), name=self.url, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and the port. A second call does nothing."""
        self.stopping.set()
        if self._thread is not None:
            self._listener.shutdown()
            self._thread.join()
            self._thread = None
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # What the connection threads do with it.

    def receive(self, request: Received) -> Reply:
        """Log the request and answer it. An error in the simulator itself is answered with 599 and its text."""
        if request.path.startswith(CONTROL):
            return self._control(request)
        with self.lock:
            self._requests.append(request)
        try:
            return self.answer(request)
        except Exception as error:  # noqa: BLE001  a bug here must not look like a vendor's lost reply
            return Reply.of_json({"simulator_bug": f"{type(error).__name__}: {error}"}, 599)

    def _control(self, request: Received) -> Reply:
        """The endpoints for another process: state, fault, reset, advance."""
        verb = (request.method, request.path.removeprefix(CONTROL))
        given = request.json if isinstance(request.json, dict) else {}
        try:
            match verb:
                case ("GET", "state"):
                    return Reply.of_json(self.state())
                case ("POST", "fault"):
                    self.fault(given.pop("name", ""), **given)
                case ("POST", "reset"):
                    self.reset()
                case ("POST", "advance"):
                    self.advance(float(given["seconds"]))
                case _:
                    return Reply.of_json({"error": "GET state, POST fault, POST reset, POST advance"}, 404)
        except (ValueError, TypeError, KeyError) as error:
            return Reply.of_json({"error": str(error)}, 400)
        return Reply.of_json({"ok": True})


class _Listener(ThreadingHTTPServer):
    """The port. Keeps its connections and threads, so that stopping leaves neither behind."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._open_lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._open_lock:
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are what a simulator is for: not worth a traceback."""

    def server_close(self) -> None:
        super().server_close()
        with self._open_lock:
            left = dict(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in left.values():
            thread.join(2)


class _Connection(BaseHTTPRequestHandler):
    """One connection, kept alive over its requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def parse_request(self) -> bool:
        """Send every method to `exchange`; the vendor's routes decide which exist."""
        if not super().parse_request():
            return False
        setattr(self, f"do_{self.command}", self.exchange)
        return True

    def exchange(self) -> None:
        """Read one request, answer it."""
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            length = -1
        if length < 0 or "Transfer-Encoding" in self.headers:
            self._send(Reply.of_json({"error": "this simulator reads bodies with a Content-Length"}, 411))
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(length)
        self._send(self.server.simulator.receive(Received(self.command, parts.path, query, headers, body, time.time())))

    def _send(self, reply: Reply) -> None:
        if reply.wait:
            self.server.simulator.stopping.wait(reply.wait)
        if reply.hang_up:
            self._hang_up(reset=reply.hang_up == "reset")
            return
        length = len(reply.body) + reply.padding if reply.declared is None else reply.declared
        try:
            phrase = HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [
            f"HTTP/1.1 {reply.status} {phrase}",
            f"Date: {self.date_time_string(self.server.simulator.now())}",
            f"Content-Length: {length}",
        ]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        body = b"" if self.command == "HEAD" else reply.body
        if reply.declared is not None:
            self.close_connection = True  # the promised bytes never come
        if reply.drip is None:
            self.wfile.write(head + body)
            for sent in range(0, reply.padding, _BLOCK):
                self.wfile.write(b" " * min(_BLOCK, reply.padding - sent))
        else:
            self._drip(head, body, *reply.drip)

    def _drip(self, head: bytes, body: bytes, size: int, pause: float) -> None:
        self.wfile.write(head)
        for start in range(0, len(body), max(1, size)):
            if self.server.simulator.stopping.wait(pause):
                self.close_connection = True
                return
            self.wfile.write(body[start : start + max(1, size)])

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            # Closing with a linger of zero makes the kernel send RST in place of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: stderr belongs to the tests."""
