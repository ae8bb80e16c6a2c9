"""The gallery on a local port, so that a click picks: to this machine only, and to nobody who does not know the token.

Any page that a browser has open can send requests to a local port, and a name of its own can be made to lead there (DNS
rebinding). So the address has a random token in it, the Host header has to be this machine's, a pick has to be JSON and
to come from the page itself, and no answer allows another site to read it. Nothing here can spend money.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pixelrouter.assets.gallery.page import data, page
from pixelrouter.assets.gallery.reading import Reader
from pixelrouter.errors import InvalidRequest, PixelRouterError

HOST = "127.0.0.1"
MAX_BODY = 1 << 16
_NOT_FOUND = (HTTPStatus.NOT_FOUND, {"error": "There is nothing here. Use the address that was printed."})

Picked = Callable[[str, int], object]  # by the asset's name and the candidate's number; raises PixelRouterError
Answer = tuple[HTTPStatus, Mapping[str, Any] | str]


class GalleryServer(ThreadingHTTPServer):
    """Serves a :class:`Reader`'s gallery at :attr:`url`; ``serve_forever()`` until ``shutdown()``.

    ``pick`` is called with an asset's name and a candidate's number for every click. ``port`` 0 takes a free one.
    Raises InvalidRequest where the port is taken.
    """

    daemon_threads = True

    def __init__(self, reader: Reader, pick: Picked, *, port: int = 0) -> None:
        self.reader, self.pick = reader, pick
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InvalidRequest(f"Port {port} cannot be used: {error}.", hint="Leave --port out.") from None

    @property
    def url(self) -> str:
        """The address of the page, with its token: whoever has it can pick."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a browser that was sent here by its own address says in Host."""
        return (f"{HOST}:{self.server_port}", f"localhost:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    server: GalleryServer
    server_version, sys_version = "pixelrouter", ""
    timeout = 20  # seconds; a connection that says nothing does not hold its thread for ever

    def do_GET(self) -> None:
        self._answer(*self._guarded(self._get))

    def do_POST(self) -> None:
        self._answer(*self._guarded(self._post))

    def _guarded(self, act: Callable[[str], Answer]) -> Answer:
        host = self.headers.get("Host", "")
        if host not in self.server.hosts:
            return HTTPStatus.FORBIDDEN, {"error": "This server answers to its own address only."}
        token, _, name = self.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return _NOT_FOUND
        try:
            return act(name)
        except PixelRouterError as error:
            return HTTPStatus.CONFLICT, {"error": " ".join(filter(None, (error.message, error.hint)))}

    def _get(self, name: str) -> Answer:
        if name == "":
            return HTTPStatus.OK, page(self.server.reader.gallery(), live=True)
        if name == "data.json":
            return HTTPStatus.OK, data(self.server.reader.gallery(), live=True)
        if name == "version":
            return HTTPStatus.OK, {"version": self.server.reader.version()}
        return _NOT_FOUND

    def _post(self, name: str) -> Answer:
        if name != "pick":
            return _NOT_FOUND
        origin = self.headers.get("Origin")
        if origin not in {f"http://{host}" for host in self.server.hosts}:
            return HTTPStatus.FORBIDDEN, {"error": "Picks are taken from the gallery's own page only."}
        if self.headers.get_content_type() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"error": "A pick is sent as JSON."}
        wish = self._body()
        if wish is None:
            return HTTPStatus.BAD_REQUEST, {"error": 'A pick is {"name": "potion", "number": 2}.'}
        self.server.pick(*wish)
        return HTTPStatus.OK, {"name": wish[0], "number": wish[1]}

    def _body(self) -> tuple[str, int] | None:
        """The asset's name and the candidate's number; None for anything else."""
        try:
            length = int(self.headers.get("Content-Length", ""))
            told = json.loads(self.rfile.read(length)) if 0 < length <= MAX_BODY else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(told, dict):
            return None
        name, number = told.get("name"), told.get("number")
        if not isinstance(name, str) or not isinstance(number, int) or isinstance(number, bool):
            return None
        return name, number

    def _answer(self, status: HTTPStatus, content: Mapping[str, Any] | str) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        body = text.encode()
        kind = "text/html" if isinstance(content, str) else "application/json"
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "frame-ancestors 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address holds the token, and a page asks once a second."""
