"""Shared fixtures: a state folder of one's own, no environment of the developer's, a Retro Diffusion simulator."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import PixelRouter, backends
from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.testing.postgres import PostgresServer, missing

KEY = "rdpk-simulator-0001"
# A shell without job control starts what it puts in the background with Ctrl-C ignored, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
CREDENTIALS = {variable for name in backends.names() for variable in backends.load(name).credentials}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, key or home folder of the developer's reaches a test."""
    for name in list(os.environ):
        # Where CI is set, builds are frozen.
        if name.startswith("PIXELROUTER_") or name in CREDENTIALS or name in ("CI", "GITHUB_ACTIONS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One real PostgreSQL server for all tests that ask for it."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    if why := missing():
        pytest.skip(why)
    with PostgresServer() as server:
        yield server


@pytest.fixture
def team_ledger(postgres: PostgresServer) -> str:
    """The address of an empty ledger of one's own on the server."""
    return postgres.new()


@pytest.fixture(autouse=True)
def ledger_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> str:
    """Where routers keep their ledger: ``file``, or ``server`` for tests marked with :data:`both_ledgers`."""
    where: str = getattr(request, "param", "file")
    if where == "server":
        monkeypatch.setenv("PIXELROUTER_LEDGER", request.getfixturevalue("team_ledger"))
        monkeypatch.setenv("PIXELROUTER_LEASE_S", "2")
    return where


#: Marks tests that have to hold for a ledger in a file and for a team's ledger alike.
both_ledgers = pytest.mark.parametrize(
    "ledger_at", ["file", pytest.param("server", marks=pytest.mark.slow)], indirect=True
)


@pytest.fixture
def sim() -> Iterator[RetroDiffusionSimulator]:
    """A Retro Diffusion of one's own on a real socket."""
    with RetroDiffusionSimulator(keys=(KEY,), balance="10") as simulator:
        yield simulator


@pytest.fixture
def make_router(sim: RetroDiffusionSimulator, tmp_path: Path) -> Iterator[Callable[..., PixelRouter]]:
    """Routers that share one state folder and buy at the simulator; ``rd`` holds settings of the backend."""
    made: list[PixelRouter] = []

    def make(*, rd: dict[str, Any] | None = None, **options: Any) -> PixelRouter:
        section = {"base_url": sim.url, "poll_s": 0.01, "timeout_s": 5, **(rd or {})}
        options = {"state": tmp_path / "state", "backend": "retrodiffusion", "timeout_s": 20, **options}
        if "route" in options:
            options.pop("backend")
        router = PixelRouter(keys={"retrodiffusion": KEY}, backends={"retrodiffusion": section}, **options)
        made.append(router)
        return router

    yield make
    for router in made:
        router.close()
