"""A simulator and a plain client for each test: nothing of pixelrouter's own wire, which the simulator has to judge."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pixelrouter.testing import RetroDiffusionSimulator

KEY = "rdpk-sim-1"


@pytest.fixture
def sim() -> Iterator[RetroDiffusionSimulator]:
    with RetroDiffusionSimulator() as simulator:
        yield simulator


@pytest.fixture
def client(sim: RetroDiffusionSimulator) -> Iterator[httpx.Client]:
    # verify=False: plain HTTP needs no certificates, and loading them takes longer than most of these tests.
    with httpx.Client(base_url=sim.url, headers={"X-RD-Token": KEY}, timeout=10, verify=False) as plain:
        yield plain
