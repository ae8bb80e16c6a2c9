"""Processes on one ledger: no cap is passed, one sprite is paid for once, and a dead buyer's work is taken over."""

from __future__ import annotations

import sys

import pytest

from tests.routing.test_kill_matrix import figures

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX")


def test_processes_race_for_caps_and_sprites() -> None:
    told = figures("race.py", "--quick", "--processes", "3", "--requests", "3")
    assert not any(race["wrong"] for race in told)
    caps = [race for race in told if "overshoot" in race]
    assert {float(race["overshoot"].strip("$").split()[0]) for race in caps} == {0.0}
    assert all(race["refused"] for race in caps)
    assert all(race["different images"] == 1 for race in told if race not in caps)


@pytest.mark.slow
def test_eight_processes_race_at_every_vendor() -> None:
    told = figures("race.py", "--requests", "6")
    assert not any(race["wrong"] for race in told)
    assert len([race for race in told if "overshoot" in race]) == 7
