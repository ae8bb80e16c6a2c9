"""Which request is which: fal's hosts and paths, as the simulator lays them side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pixelrouter.testing.simulator.server import Received

_ID = r"(?P<endpoint>[^/]+/[^/]+(?:/[^/]+)*?)"
_ROUTES: tuple[tuple[str, str, str, str], ...] = (  # (pattern, method, kind of request, route)
    (r"/files/upload", "POST", "upload", "upload"),
    (r"/files/.+", "GET", "download", "download"),
    (r"/storage/auth/token", "POST", "upload", "token"),
    (r"/storage/upload/initiate", "POST", "upload", "initiate"),
    (r"/storage/put/(?P<id>[^/]+)", "PUT", "upload", "put"),
    (r"/v1/(?P<endpoint>models/pricing)", "GET", "quote", "platform"),
    (r"/v1/(?P<endpoint>models/pricing/estimate)", "POST", "quote", "platform"),
    (r"/v1/(?P<endpoint>models/requests/by-endpoint)", "GET", "list", "platform"),
    (r"/v1/(?P<endpoint>models/billing-events)", "GET", "list", "platform"),
    (r"/v1/(?P<endpoint>account/billing)", "GET", "balance", "platform"),
    (r"/v1/(?P<endpoint>models)", "GET", "styles", "platform"),
    (rf"/{_ID}/requests/(?P<id>[^/]+)/status/stream", "GET", "poll", "stream"),
    (rf"/{_ID}/requests/(?P<id>[^/]+)/status", "GET", "poll", "poll"),
    (rf"/{_ID}/requests/(?P<id>[^/]+)/cancel", "PUT", "cancel", "cancel"),
    (rf"/{_ID}/requests/(?P<id>[^/]+)(?:/response)?", "GET", "result", "result"),
    (r"/run/(?P<endpoint>.+)", "POST", "submit", "run"),
    (r"/(?P<endpoint>(?!v1/|files/|storage/|run/).+)", "POST", "submit", "submit"),
)
_COMPILED = tuple((re.compile(pattern), method, kind, name) for pattern, method, kind, name in _ROUTES)


@dataclass(frozen=True)
class Route:
    """A request's kind (what a fault waits for), its route, the endpoint and the request id in its path."""

    kind: str
    name: str
    endpoint: str = ""
    request_id: str = ""


def route_of(request: Received) -> Route:
    """The route of a request: ``method`` where only another method would do, ``lost`` where there is none."""
    other_method = False
    for pattern, method, kind, name in _COMPILED:
        match = pattern.fullmatch(request.path)
        if match is None:
            continue
        if method == request.method:
            found = match.groupdict()
            return Route(kind, name, found.get("endpoint", ""), found.get("id", ""))
        other_method = True
    return Route("other", "method" if other_method else "lost")
