"""A PixelLab for each test and a plain client, which holds every good answer against the published documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from tests.testing.pixellab import published
from tests.testing.pixellab.bodies import KEY

_GOOD = 300


def _hold_against_the_document(answer: httpx.Response) -> None:
    """What the simulator took must be a valid request, and what it answered a documented answer."""
    request = answer.request
    version, _, rest = request.url.path.lstrip("/").partition("/")
    if answer.status_code >= _GOOD or version not in ("v1", "v2"):
        return
    answer.read()
    try:
        value = answer.json()
    except ValueError:
        return  # spoilt by a fault
    if request.content:
        published.check_request(version, request.method, f"/{rest}", json.loads(request.content))
    published.check_answer(version, request.method, f"/{rest}", answer.status_code, value)


def client_of(sim: PixelLabSimulator, *, check: bool = True) -> httpx.Client:
    hooks: dict[str, list[Any]] = {"response": [_hold_against_the_document] if check and published.at_hand() else []}
    # verify=False: plain HTTP needs no certificates, and loading them takes longer than most of these tests.
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.Client(base_url=sim.url, headers=headers, timeout=10, verify=False, event_hooks=hooks)


Start = Callable[..., tuple[PixelLabSimulator, httpx.Client]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a PixelLab with these settings, and a client for it."""
    made: list[Any] = []

    def started(*, check: bool = True, **settings: Any) -> tuple[PixelLabSimulator, httpx.Client]:
        simulator = PixelLabSimulator(**settings).start()
        client = client_of(simulator, check=check)
        made.extend((simulator.stop, client.close))
        return simulator, client

    yield started
    for close in reversed(made):
        close()


@pytest.fixture
def sim() -> Iterator[PixelLabSimulator]:
    with PixelLabSimulator() as simulator:
        yield simulator


@pytest.fixture
def client(sim: PixelLabSimulator) -> Iterator[httpx.Client]:
    with client_of(sim) as plain:
        yield plain
