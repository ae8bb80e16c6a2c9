"""docs/simulator-fal.md: its example runs, its tables name every knob, fault and endpoint; the program starts."""

from __future__ import annotations

import inspect
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from pixelrouter.testing.simulator import Faults
from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.testing.simulator.fal.faults import FAL_FAULTS
from tests.testing.fal.asking import HEADERS, SHEET, body

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "simulator-fal.md").read_text(encoding="utf-8")


def named_in_rows() -> set[str]:
    rows = "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    return set(re.findall(r"`(\w+)`", rows))


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [promised] = re.findall(r"It prints `(.*?)`", PAGE)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (f"{promised}\n", "")


def test_every_fault_and_knob_is_in_a_table() -> None:
    assert {*Faults, *FAL_FAULTS} <= named_in_rows()
    assert set(inspect.signature(FalSimulator).parameters) <= named_in_rows()


def test_as_a_program() -> None:
    command = [sys.executable, "-m", "pixelrouter.testing.simulator", "fal", "--balance", "1", "--fault", "bare-submit"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[0]
        assert "FAL_KEY=fal-sim:1" in line
        assert "[backends.fal]" in line
        first, second = (httpx.post(f"{url}/{SHEET}", json=body(), headers=HEADERS).json() for _ in range(2))
        assert ("status_url" in first, "status_url" in second) == (False, True)
        assert httpx.get(f"{url}/_sim/state").json()["charged_micros"] == 64_000
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
