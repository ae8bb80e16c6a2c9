"""The simulator as a server: as a program, steered from another process, under load, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.testing.simulator import Received, Reply
from tests.testing.simulator_asking import submit

PROGRAM = [sys.executable, "-m", "pixelrouter.testing.simulator"]
ROOT = Path(__file__).parents[2]


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program and the one line that it printed."""
    child = subprocess.Popen(
        [*PROGRAM, "retrodiffusion", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert child.stdout is not None
        yield child, child.stdout.readline()
    finally:
        child.kill()
        child.communicate()


def test_the_program_says_where_it_is_and_stops_cleanly() -> None:
    options = ("--balance", "1", "--key", "rdpk-mine", "--fault", "rate-limit:2")
    with program(*options) as (child, line):
        url = line.split()[0]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert f'[backends.retrodiffusion] base_url = "{url}"' in line
        assert "RETRODIFFUSION_API_KEY=rdpk-mine" in line
        with httpx.Client(base_url=url, headers={"X-RD-Token": "rdpk-mine"}) as client:
            assert [submit(client).status_code for _ in range(3)] == [429, 429, 200]
            state = client.get("/_sim/state").json()
        assert (state["paid_posts"], state["balance_micros"], state["charged_micros"]) == (3, 975_000, 25_000)
        child.send_signal(signal.SIGTERM if os.name == "posix" else signal.SIGBREAK)  # type: ignore[attr-defined,unused-ignore]  # SIGBREAK is Windows only
        rest, errors = child.communicate(timeout=20)
        assert (child.returncode, rest, errors) == (0, "", "")


@pytest.mark.skipif(os.name != "posix", reason="Windows cannot send Ctrl-C to one child")
def test_the_program_stops_on_ctrl_c() -> None:
    with program() as (child, line):
        assert line
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=20)
        assert (child.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--fault", "lost-reply"], 2, "no fault named 'lost_reply'"),
        (["--fault", "late:x"], 2, "--fault"),
        (["--balance", "much"], 2, "not an amount of money"),
        (["--port", "99999"], 1, "cannot listen on 127.0.0.1 port 99999"),
    ],
)
def test_the_program_refuses_wrong_options(options: list[str], status: int, message: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "retrodiffusion", *options], capture_output=True, text=True, cwd=ROOT, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr


def test_a_taken_port_is_told() -> None:
    with RetroDiffusionSimulator() as sim:
        port = sim.url.rpartition(":")[2]
        done = subprocess.run(
            [*PROGRAM, "retrodiffusion", "--port", port],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr


def test_another_process_can_steer(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    wanted = {"name": "rate_limit", "times": 2, "on": "balance", "retry_after": 9}
    assert client.post("/_sim/fault", json=wanted).json() == {"ok": True}
    assert client.get("/v2/inferences/credits").headers["Retry-After"] == "9"
    submit(client, key="k")
    state = client.get("/_sim/state").json()
    assert state["charges"] == [sim.charges[0].as_dict()]
    assert (state["paid_posts"], state["requests"], state["faults_waiting"]) == (1, 2, 1)
    before = sim.now()
    assert client.post("/_sim/advance", json={"seconds": 3600}).json() == {"ok": True}
    assert sim.now() - before >= 3600
    assert client.post("/_sim/reset").json() == {"ok": True}
    state = client.get("/_sim/state").json()
    assert (state["paid_posts"], state["requests"], state["faults_waiting"], state["charges"]) == (0, 0, 0, [])
    assert state["balance_micros"] == 10_000_000


def test_wrong_steering_is_told(client: httpx.Client) -> None:
    answer = client.post("/_sim/fault", json={"name": "lost"})
    assert answer.status_code == 400
    assert "lose_reply" in answer.json()["error"]
    assert client.post("/_sim/advance", json={}).status_code == 400
    assert client.get("/_sim/nothing").status_code == 404


def test_a_reset_forgets_keys_too(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    first = submit(client, key="k").json()
    sim.reset()
    assert sim.requests == []
    assert submit(client, key="k").json() != first
    assert len(sim.charges) == 1


def test_fifty_connections_at_once(sim: RetroDiffusionSimulator) -> None:
    start = threading.Barrier(50)

    def ask(_: int) -> int:
        with httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}, timeout=30, verify=False) as client:
            start.wait()
            return submit(client).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(ask, range(50))) == {200}
    assert len(sim.charges) == 50


def test_one_connection_carries_many_requests(sim: RetroDiffusionSimulator) -> None:
    host, port = sim.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw, raw.makefile("rb") as answers:
        for _ in range(3):
            raw.sendall(b"GET /v2/status HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := answers.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"Content-Length" else length
            assert b"rd_fast" in answers.read(length)
    assert len(sim.requests) == 3


def test_a_body_of_unknown_length_is_refused(client: httpx.Client) -> None:
    assert client.post("/v2/inferences", content=iter([b"{}"])).status_code == 411


def test_stopping_ends_connections_and_threads() -> None:
    before = set(threading.enumerate())
    with RetroDiffusionSimulator() as sim, httpx.Client(base_url=sim.url) as client:
        sim.fault("late", on="status", seconds=60)

        def wait_for_status() -> None:
            with suppress(httpx.HTTPError):
                client.get("/v2/status")

        sleeping = threading.Thread(target=wait_for_status)
        sleeping.start()
        while len(sim.faults):  # until the request has arrived
            threading.Event().wait(0.005)
        sim.stop()
        sleeping.join(10)
    assert not sleeping.is_alive()
    assert set(threading.enumerate()) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{sim.url}/v2/status")


def test_a_bug_in_the_simulator_does_not_look_like_a_vendor() -> None:
    class Broken(RetroDiffusionSimulator):
        def answer(self, request: Received) -> Reply:
            raise KeyError("oops")

    with Broken() as sim:
        answer = httpx.get(f"{sim.url}/v2/status")
    assert (answer.status_code, answer.json()) == (599, {"simulator_bug": "KeyError: 'oops'"})
