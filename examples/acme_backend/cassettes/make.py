"""Write the cassettes of Acme Sprites: ``python cassettes/make.py [FOLDER]``.

Nobody can record a vendor that does not exist, so each cassette says ``documented``. What is asked is the router's own
traffic; the answers are the simulator's, moved to the vendor's addresses. For a real vendor, write the answers from its
manual as long as you have no key, and record them (``cassette_mode="record"``) as soon as you have one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from acme_backend import ORIGIN
from acme_backend.simulator import AcmeSimulator

from pixelrouter import PixelRouter
from pixelrouter.errors import PixelRouterError
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "Acme Sprites does not exist: these are the answers of its simulator (acme_backend.simulator), which was written "
    "from the imaginary manual at the head of acme_backend/__init__.py. Nothing was recorded from a live vendor"
)
DAY = dt.date(2026, 11, 21)
CDN = "https://cdn.acme.example"
POTION: dict[str, Any] = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7}


class Written(httpx.BaseTransport):
    """A network that is the simulator, and keeps what was said. Half a minute passes after each exchange."""

    def __init__(self, cassette: Cassette, simulator: AcmeSimulator) -> None:
        self._cassette, self._simulator = cassette, simulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        here, body = self._simulator.url, request.read()
        url = str(request.url).replace(ORIGIN, here).replace(CDN, here)
        heard = httpx.request(request.method, url, headers=request.headers, content=body, trust_env=False)
        content = heard.content.replace(here.encode(), CDN.encode())
        self._cassette.append(
            request.method, str(request.url), body, status=heard.status_code, headers=heard.headers, content=content
        )
        self._simulator.advance(30)
        kept = {name: value for name, value in heard.headers.items() if name != "content-length"}
        return httpx.Response(heard.status_code, headers=kept, content=content, request=request)


def write(folder: Path, fault: str = "", delivery: str = "url", **wish: Any) -> None:
    """One scenario: a purchase, and all that is said in it."""
    for old in folder.glob("*"):
        old.unlink()
    cassette = Cassette.documented(folder, source=SOURCE, day=DAY)
    with AcmeSimulator(job_seconds=50) as simulator, tempfile.TemporaryDirectory() as state:
        if fault:
            simulator.fault(fault)
        router = PixelRouter(
            backend="acme",
            state=state,
            keys={"acme": simulator.keys[0]},
            backends={"acme": {"poll_s": 0, "delivery": delivery}},
            transport=Written(cassette, simulator),
        )
        with router, contextlib.suppress(PixelRouterError):
            router.generate(**POTION | wish)


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    write(root / "success")
    write(root / "embedded", delivery="base64", transparent=True, n=2)
    write(root / "turnaround", task="views", views=4)
    write(root / "validation_error", options={"outline": "dotted"})
    write(root / "no_credit", "no_balance")
    write(root / "rate_limited", "rate_limit")
    write(root / "content_policy", "moderated")
    write(root / "busy", "overloaded")
    write(root / "failed_job", "job_failed")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
