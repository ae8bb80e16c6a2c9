"""Both wires, no proxy of the developer's, and a raw server that does as it is told."""

from __future__ import annotations

import pytest

from tests.hostile.raw import RawServer
from tests.wire.conftest import Driver

KEY = "rdpk-hostile-0123456789"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=["sync", "async"])
def driver(request):
    made = Driver(request.param)
    yield made
    made.close()


@pytest.fixture
def raw():
    """``raw(act)`` opens a raw server."""
    servers = []

    def make(act, **options):
        servers.append(RawServer(act, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
