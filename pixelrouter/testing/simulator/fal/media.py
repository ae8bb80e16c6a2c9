"""fal's storage and CDN over HTTP: upload tokens, uploads in one step and in two, public downloads.

Shapes: github.com/fal-ai/fal, fal_client 1.0.3.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from pixelrouter.testing.simulator.fal.gate import Gate
from pixelrouter.testing.simulator.fal.platform import iso
from pixelrouter.testing.simulator.fal.problems import detail
from pixelrouter.testing.simulator.fal.routes import Route
from pixelrouter.testing.simulator.fal.storage import Storage
from pixelrouter.testing.simulator.server import Received, Reply

_TOKEN_SECONDS = 3600
_BYTES = "application/octet-stream"


class Media:
    """The handlers, each for one route. ``lock`` guards ``storage``."""

    def __init__(self, origin: str, clock: Callable[[], float], lock: AbstractContextManager[Any], gate: Gate) -> None:
        self.storage = Storage(origin)
        self._origin, self._clock, self._lock, self._gate = origin, clock, lock, gate
        self._tokens: set[str] = set()

    def token(self, request: Received, _: Route) -> Reply:
        self._gate.check(request, "storage")
        token = secrets.token_hex(8)
        with self._lock:
            self._tokens.add(token)
        until = iso(self._clock() + _TOKEN_SECONDS).replace("Z", "+00:00")  # the SDK compares it with an aware time
        return Reply.of_json({"token": token, "token_type": "Bearer", "base_url": self._origin, "expires_at": until})

    def upload(self, request: Received, _: Route) -> Reply:
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            if scheme != "Bearer" or token not in self._tokens:
                raise detail("Invalid token", 401)
            name = request.headers.get("x-fal-file-name")
            url = self.storage.put(request.body, request.headers.get("content-type", _BYTES), name)
        return Reply.of_json({"access_url": url})

    def initiate(self, request: Received, _: Route) -> Reply:
        """The first of two steps. The second, a PUT, needs no key: its URL is the secret."""
        self._gate.check(request, "storage")
        given = request.json if isinstance(request.json, dict) else {}
        with self._lock:
            ticket, url = self.storage.promise(str(given.get("file_name", "upload.bin")))
        return Reply.of_json({"upload_url": f"{self._origin}/storage/put/{ticket}", "file_url": url})

    def put(self, request: Received, route: Route) -> Reply:
        with self._lock:
            kept = self.storage.keep(route.request_id, request.body, request.headers.get("content-type", _BYTES))
        return Reply(200) if kept else Reply(404)

    def download(self, request: Received, _: Route) -> Reply:
        """A file. Public: no key is asked for, and none should come."""
        with self._lock:
            file = self.storage.get(request.path)
        if file is None:
            raise detail("Not Found", 404)
        headers = {"Cache-Control": "public, max-age=5184000, immutable", "Access-Control-Allow-Origin": "*"}
        return Reply(200, file.data, {"Content-Type": file.content_type, **headers})
