"""Stopping a command in the middle and having its job afterwards: real processes, a simulator on a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from pixelrouter.testing.simulator.replicate import ReplicateSimulator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
DRAW = ("generate", "a red potion", "--size", "64")


@pytest.fixture
def vendor(home, monkeypatch):
    """Replicate, whose jobs take ten minutes of simulated time, and which keeps results for an hour."""
    with ReplicateSimulator(job_seconds=600) as simulator:
        monkeypatch.setenv("REPLICATE_API_TOKEN", simulator.keys[0])
        monkeypatch.setenv("PIXELROUTER_BACKEND", "replicate")
        monkeypatch.setenv("PIXELROUTER_BACKENDS_REPLICATE_BASE_URL", simulator.url)
        monkeypatch.setenv("PIXELROUTER_BACKENDS_REPLICATE_POLL_S", "0.1")
        yield simulator


@pytest.fixture
def left(process, vendor, cli_json):
    """``left(SIGINT, *args)``: a command that was stopped once its job was accepted; what it said, and its code."""

    def stop(number, *args):
        with process(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            patience = time.monotonic() + 60
            while not [job for job in cli_json("jobs") if job["state"] == "accepted"]:
                assert time.monotonic() < patience
                time.sleep(0.05)
            running.send_signal(number)
            out, err = running.communicate(timeout=60)
        return running.returncode, out.decode(), err.decode()

    return stop


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "Interrupted."),
        pytest.param(signal.SIGTERM, 143, "Terminated.", marks=pytest.mark.slow),
    ],
)
def test_a_stopped_command_says_what_goes_on_and_how_to_have_it(cli, cli_json, home, vendor, left, number, code, word):
    returned, out, err = left(number, *DRAW)
    (job,) = cli_json("jobs")
    assert returned == code
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith(word)
    for part in (job["ticket"], job["held"], f"pixelrouter resume {job['id'][:12]}", "held", "bought twice"):
        assert part in err
    assert job["age_s"] >= 0
    assert job["id"][:12] in job["next"]
    shown = cli("jobs").stdout
    assert job["next"] in shown
    assert job["held"] in shown
    vendor.advance(1200)
    again = cli(*DRAW)  # the same command collects
    assert again.exit_code == 0, again.output
    assert (home / "a-red-potion.png").is_file()
    assert vendor.paid_posts == len(vendor.charges) == 1
    assert cli_json("jobs") == []


@pytest.mark.slow
def test_json_says_it_too(left):
    returned, out, err = left(signal.SIGINT, *DRAW, "--json")
    assert returned == 130
    assert "pixelrouter resume" in json.loads(out)["error"]["message"]
    assert "Traceback" not in err


@pytest.mark.slow
def test_resume_collects_several_by_name_and_a_second_one_does_nothing_twice(cli, cli_json, process, home, vendor):
    for wish in (("a red potion",), ("a red potion", "--seed", "7"), ("a green potion",)):
        assert cli("generate", *wish, "--size", "64", "--timeout", "0.3").exit_code == 8
    assert len(cli_json("jobs")) == 3
    vendor.advance(1200)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    runs = [process("resume", "-o", "late", **pipes) for _ in range(2)]
    for run in runs:
        with run:
            _, err = run.communicate(timeout=60)
        assert run.returncode == 0, err.decode()
    names = {file.name for file in (home / "late").iterdir()}
    assert names == {"a-red-potion.png", "a-red-potion-2.png", "a-green-potion.png"}
    assert vendor.paid_posts == len(vendor.charges) == 3
    assert cli_json("jobs") == []
    assert {job["state"] for job in cli_json("jobs", "--all")} == {"settled"}
    assert "No job to collect." in cli("resume").stderr


def test_a_result_that_the_vendor_has_deleted(cli, cli_json, vendor):
    assert cli(*DRAW, "--timeout", "0.3").exit_code == 8
    vendor.advance(3 * 3600)
    (told,) = cli_json("resume", code=6)
    (job,) = cli_json("jobs", "--all")
    error = told["error"]
    assert error["type"] == "ResultExpired"
    assert error["vendor_request"] == job["vendor_request"] == job["ticket"]
    assert error["paid_at"]
    assert error["charged"] == f"${job['charged']}"
    assert job["state"] == "settled"
    assert job["vendor_request"] in job["next"]
    assert "lost by the vendor" in cli("jobs", "--all").stdout
    again = cli(*DRAW)
    assert again.exit_code == 6
    for part in (job["vendor_request"], "--fresh", "was charged"):
        assert part in again.stderr
    assert vendor.paid_posts == 1
    (row,) = cli_json("costs", "--by", "backend")
    assert row["lost"] == row["spent"] == job["charged"]
    assert cli(*DRAW, "--fresh", "--timeout", "0.3").exit_code == 8
    assert vendor.paid_posts == 2
