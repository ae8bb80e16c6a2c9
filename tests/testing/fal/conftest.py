"""A simulated fal and a plain client for each test: nothing of pixelrouter's own wire, which the simulator judges."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pixelrouter.testing.simulator.fal import FalSimulator
from tests.testing.fal.asking import HEADERS


@pytest.fixture
def sim() -> Iterator[FalSimulator]:
    with FalSimulator() as simulator:
        yield simulator


@pytest.fixture
def client(sim: FalSimulator) -> Iterator[httpx.Client]:
    # verify=False: plain HTTP needs no certificates, and loading them takes longer than most of these tests.
    with httpx.Client(base_url=sim.url, headers=HEADERS, timeout=10, verify=False) as plain:
        yield plain
