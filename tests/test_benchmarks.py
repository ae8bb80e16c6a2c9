"""The figures' scripts run, and the one that judges the books finds them right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def run(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), *arguments],
        capture_output=True,
        text=True,
        timeout=1800,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_mix_with_faults_leaves_books_that_agree_with_every_vendor() -> None:
    text = run("vendors.py", "--only-mix", "--requests", "400")
    assert text.count("agrees") == 4
    assert "DIFFERS" not in text


def test_the_pairs_of_both_ledgers_are_counted_and_judged() -> None:
    text = run("ledger.py", "--seconds", "0.5", "--processes", "2")
    assert "the sum of all was exact" in text
    assert "| SQLite | 2 |" in text


def test_the_processor_time_of_each_vendor_is_printed() -> None:
    text = run("vendors.py", "--requests", "20")
    assert text.count("of our own processor time") == 4


def test_lost_answers_become_known_and_no_verdict_is_wrong() -> None:
    rows = json.loads(run("unknowns.py", "--losses", "4", "--json"))["rows"]
    assert {row["way"]: row["unknown"] + row["wrong"] for row in rows} == {row["way"]: 0 for row in rows}
    assert sum(row["uncovered_micros"] for row in rows) == 0
    assert next(row for row in rows if row["way"] == "retrodiffusion v2")["certain"] == 4
    fooled = json.loads(run("unknowns.py", "--losses", "4", "--json", "--fooled"))["rows"]
    assert sum(row["uncovered_micros"] for row in fooled) == 0
