"""The example in docs/simulators.md runs and prints what the page says; its table names every fault."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pixelrouter.testing import Faults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "simulators.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [promised] = re.findall(r"It prints `(.*?)`", PAGE)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == (f"{promised}\n", "")


def test_every_fault_is_in_the_table() -> None:
    rows = "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(Faults) <= set(re.findall(r"`(\w+)`", rows))
