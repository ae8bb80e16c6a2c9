"""Answers of a gigabyte: what the process that asks grows by, measured in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.raw import MB, OK, RawServer, bomb, flood, packed

ROOT = Path(__file__).resolve().parents[2]
#: Two copies of the largest answer that is let in, and what sockets and the allocator need.
MOST_MB = 2 * 64 + 64
BODIES = {
    "declared": flood(OK + b"Content-Length: 1073741824\r\n\r\n", MB),
    "undeclared": flood(OK + b"\r\n", MB),
    "chunked": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + MB + b"\r\n"),
    "small chunks": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nxy\r\n" * 10_000),
    "declared as small": flood(OK + b"Content-Length: 1000\r\n\r\n", MB),
}
CHILD = """
import json, resource, sys, time
import httpx
from pixelrouter.errors import PixelRouterError
from pixelrouter.types import HttpRequest
from pixelrouter.wire.client import RetryBudget, Wire
from pixelrouter.wire.guard import HostRules

def grown():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)

rest = {"deadline": None, "budget": RetryBudget(), "purpose": "read it", "attempts": 1}
start, said = grown(), []
with Wire() as wire:
    for url in json.loads(sys.argv[1]):
        rules, request = HostRules((url,)), HttpRequest("POST", url + "/x", json={})
        for way in (
            lambda: wire.paid(request, rules, timeout_s=3),
            lambda: wire.free(request, rules, timeout_s=3, **rest),
            lambda: wire.free(request, rules, timeout_s=3, download=True, **rest),
        ):
            try:
                said.append(len(way().content))
            except (PixelRouterError, httpx.HTTPError) as error:
                said.append(type(error).__name__)
print(json.dumps({"grown": grown() - start, "said": said}))
"""


def grow(acts):
    """What came of a paid call, a free call and a download at each server, and the megabytes that the process grew."""
    servers = [RawServer(act) for act in acts]
    try:
        words = [sys.executable, "-c", CHILD, json.dumps([server.url for server in servers])]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, env=environment, check=True)
    finally:
        for server in servers:
            server.close()
    told = json.loads(done.stdout)
    return told["said"], told["grown"]


def check(names, said):
    for number, name in enumerate(names):
        paid, free, download = said[3 * number : 3 * number + 3]
        if name == "declared as small":
            assert (paid, free, download) == (1000, 1000, 1000)
        else:
            assert paid in ("UnexpectedAnswer", "ReadTimeout"), name
            assert (free, download) == ("WireError", "WireError"), name


def test_a_body_without_end_is_cut_off():
    names = ["declared", "chunked"]
    said, grown = grow([BODIES[name] for name in names])
    check(names, said)
    assert grown < MOST_MB


@pytest.mark.slow
def test_bodies_of_a_gigabyte_cost_little_memory():
    said, grown = grow(BODIES.values())
    check(BODIES, said)
    assert grown < MOST_MB


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_of_a_gigabyte_costs_little_memory(layers):
    said, grown = grow([packed(", ".join(["gzip"] * layers), bomb(layers, megabytes=1024))])
    check(["bomb"], said)
    assert grown < MOST_MB + 64  # the packed answer, the unpacked one, and the last piece of it
