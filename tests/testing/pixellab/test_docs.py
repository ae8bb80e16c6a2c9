"""The example in docs/simulator-pixellab.md runs; its tables name every fault and setting; the program starts."""

from __future__ import annotations

import inspect
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from tests.testing.pixellab.bodies import KEY

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "simulator-pixellab.md").read_text(encoding="utf-8")
TABLES = "".join(line for line in PAGE.splitlines() if line.startswith("| `"))


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [promised] = re.findall(r"It prints `(.*?)`", PAGE)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (f"{promised}\n", "")


def test_the_tables_are_whole() -> None:
    named = set(re.findall(r"`(\w+)", TABLES))
    assert {*PixelLabSimulator.vendor_faults, *inspect.signature(PixelLabSimulator).parameters} - {
        "job_failed"
    } <= named
    for name, parameter in inspect.signature(PixelLabSimulator).parameters.items():
        if name not in ("host", "port"):
            shown = re.search(rf"`{name}=([^`]+)`", PAGE)
            assert shown, name
            assert shown[1].replace('"', "'") == repr(parameter.default).replace("0.0", "0"), name


def test_the_program() -> None:
    command = [sys.executable, "-m", "pixelrouter.testing.simulator", "pixellab", "--balance", "3.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = line.split()[0]
            answer = httpx.get(f"{url}/v1/balance", headers={"Authorization": f"Bearer {KEY}"})
            assert answer.json() == {"type": "usd", "usd": 3.5}
            assert f"PIXELLAB_SECRET={KEY}" in line
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
