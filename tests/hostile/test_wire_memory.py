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
#: Three times the largest answer that is let in: a buffer that grows is there twice for a moment, where it cannot be
#: made longer in its place.
MOST_MB = 3 * 64
BODIES = {
    "declared": flood(OK + b"Content-Length: 1073741824\r\n\r\n", MB),
    "undeclared": flood(OK + b"\r\n", MB),
    "chunked": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + MB + b"\r\n"),
    "small chunks": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nxy\r\n" * 10_000),
    "declared as small": flood(OK + b"Content-Length: 1000\r\n\r\n", MB),
}
#: The text once more, the strings in it, and a million small objects. An astral letter has four bytes in both.
MOST_JSON_MB = 3 * 64 + 128
JSON = {
    "one string": 'b"[\\"" + b"A" * (2**26 - 4) + b"\\"]"',
    "lists": 'b"[" + b"[]," * (2**26 // 3 - 10) + b"1]"',
    "half a million objects": 'b"[" + b"{\\"a\\":1}," * 490_000 + b"1]"',
    "brackets and letters": 'b"[]" * 101 + b"x" * (2**26 - 300)',
    "quotes": 'b"[]" * 101 + b"\\\\\\"" * (2**25 - 300)',
    "astral letters": '("[\\"" + "\\U0001f600" * (2**24 - 4) + "\\"]").encode()',
    "half pairs": 'b"[\\"" + b"\\\\ud800" * (2**26 // 6 - 4) + b"\\"]"',
}
CHILD = """
import json, pathlib, resource, sys
import httpx
from pixelrouter.errors import PixelRouterError
from pixelrouter.types import HttpRequest
from pixelrouter.wire.client import RetryBudget, Wire
from pixelrouter.wire.guard import HostRules

def grown():
    if sys.platform == "linux":  # ru_maxrss also counts the process that started this one
        status = pathlib.Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2

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
@pytest.mark.parametrize("name", JSON)
def test_sixty_four_megabytes_of_json_cost_little_memory(name):
    """The largest answer there can be, in the shapes that grow most when they are read."""
    head = CHILD[: CHILD.index("rest = ")] + "from pixelrouter.types import HttpResponse\n"
    code = (
        f"{head}body = {JSON[name]}\nstart, said = grown(), None\n"
        "try:\n    HttpResponse(200, {}, body).json()\n"
        "except PixelRouterError as error:\n    said = type(error).__name__\n"
        "print(json.dumps({'grown': grown() - start, 'said': said}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert json.loads(done.stdout)["grown"] < MOST_JSON_MB


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
    assert grown < MOST_MB
