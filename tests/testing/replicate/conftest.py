"""A Replicate simulator and a plain client for each test: nothing of pixelrouter's own wire."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from tests.testing.replicate.asking import asker


@pytest.fixture
def sim() -> Iterator[ReplicateSimulator]:
    with ReplicateSimulator() as simulator:
        yield simulator


@pytest.fixture
def client(sim: ReplicateSimulator) -> Iterator[httpx.Client]:
    with asker(sim) as plain:
        yield plain
