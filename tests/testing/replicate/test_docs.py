"""docs/simulator-replicate.md: its example prints what it says, its tables name what there is. And the program runs."""

from __future__ import annotations

import inspect
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from tests.testing.replicate.asking import KEY

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "simulator-replicate.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [promised] = re.findall(r"It prints `(.*?)`", PAGE)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (f"{promised}\n", "")


def test_the_tables_name_everything() -> None:
    rows = "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`(\w+)", rows))
    arguments = set(inspect.signature(ReplicateSimulator).parameters) - {"host", "port"}  # as with every simulator
    assert arguments | set(map(str, ReplicateSimulator.vendor_faults)) <= named


def test_as_a_program() -> None:
    command = [sys.executable, "-m", "pixelrouter.testing.simulator", "replicate", "--balance", "0.01"]
    command += ["--fault", "starting-forever", "--job-seconds", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            url = line.split()[0]
            assert f"REPLICATE_API_TOKEN={KEY}" in line
            order = {"input": {"prompt": "x", "width": 64, "height": 64}}
            answer = httpx.post(
                f"{url}/v1/models/retro-diffusion/rd-fast/predictions",
                json=order,
                headers={"Authorization": f"Bearer {KEY}"},
            )
            assert answer.status_code == 402  # the balance is a cent
            assert httpx.get(f"{url}/_sim/state").json()["faults_waiting"] == 1
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
