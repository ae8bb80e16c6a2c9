"""A real HTTP server that does as it is told, a clock that never waits, and one driver for both wires."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pixelrouter.wire.client import AsyncWire, RetryBudget, Wire
from pixelrouter.wire.guard import HostRules


class Server:
    """``on(path, *steps)``: each request to the path takes the next step, the last one stays.

    A step is a status, ``(status, headers, body)``, or a function of the handler.
    """

    def __init__(self):
        self.accepts = 0
        self.seen = []  # (method, path, headers, body)
        self.release = threading.Event()  # set when a test is over, so that no handler outlives it
        self._steps = defaultdict(list)
        self._lock = threading.Lock()
        outer = self

        class Listener(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                accepted = super().get_request()
                outer.accepts += 1
                return accepted

            def handle_error(self, request, client_address):
                """Clients that hang up are part of these tests."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with outer._lock:
                    outer.seen.append((self.command, self.path, dict(self.headers.items()), body))
                    steps = outer._steps[self.path.partition("?")[0]]
                    step = steps.pop(0) if len(steps) > 1 else (steps or [404])[0]
                if callable(step):
                    step(self)
                    return
                status, headers, content = step if isinstance(step, tuple) else (step, {}, b"{}")
                self.reply(status, headers, content)

            def reply(self, status, headers, content):
                self.send_response(status)
                for name, value in {"Content-Length": len(content), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_CONNECT = answer  # noqa: N815 - the names http.server looks for

            def log_message(self, *_):
                pass

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def on(self, path, *steps):
        self._steps[path] = list(steps)

    def paths(self):
        return [path for _, path, _, _ in self.seen]

    def close(self):
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # Faults, for use as steps.

    def silent(self, handler):
        """Take the request and never answer."""
        self.release.wait(10)
        handler.close_connection = True

    @staticmethod
    def drop(handler):
        """Take the request and reset the connection."""
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()

    @staticmethod
    def short(handler):
        """Promise ten bytes, send four, hang up."""
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"four")
        handler.close_connection = True


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def make_server():
    servers = []

    def make():
        servers.append(Server())
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture
def rules(server):
    return HostRules((server.url,))


class FakeClock:
    """Monotonic seconds that pass only while somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.sleeps = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds):
        self.sleep(seconds)


@pytest.fixture
def clock():
    return FakeClock()


class Driver:
    """The same calls through either wire, from sync tests. The event loop lives as long as the fixture."""

    def __init__(self, kind):
        self.kind = kind
        self.runner = asyncio.Runner() if kind == "async" else None
        self.wires = []

    def wire(self, *, sleeps=None, **settings):
        """A new wire; ``sleeps`` is a FakeClock to sleep on."""
        if sleeps is not None:
            settings["sleep"] = sleeps.async_sleep if self.runner else sleeps.sleep
        self.wires.append((AsyncWire if self.runner else Wire)(**settings))
        return self.wires[-1]

    def run(self, result):
        return self.runner.run(result) if self.runner else result

    def paid(self, wire, request, rules, *, timeout_s=5.0):
        async def go():
            return await wire.paid(request, rules, timeout_s=timeout_s)

        return self.runner.run(go()) if self.runner else wire.paid(request, rules, timeout_s=timeout_s)

    def free(self, wire, request, rules, *, budget=None, deadline=None, timeout_s=5.0, **rest):
        rest = {"purpose": "ask for the job", "timeout_s": timeout_s, "deadline": deadline, **rest}
        rest["budget"] = budget or RetryBudget()

        async def go():
            return await wire.free(request, rules, **rest)

        return self.runner.run(go()) if self.runner else wire.free(request, rules, **rest)

    def close(self):
        for wire in self.wires:
            if self.runner:
                self.runner.run(wire.aclose())
            else:
                wire.close()
        if self.runner:
            self.runner.close()


@pytest.fixture(params=["sync", "async"])
def driver(request):
    made = Driver(request.param)
    yield made
    made.close()
