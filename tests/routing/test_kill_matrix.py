"""The kill matrix in small, and that its judge sees what it is there to see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import PixelRouter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX")
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def figures(script: str, *arguments: str) -> Any:
    """What a script of benchmarks/ prints with --json. It says what is wrong on stderr, and ends with status 1."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def assert_survived(told: dict[str, Any], kills: int) -> None:
    assert told["kills"] >= kills
    assert told["most_charges_per_request"] == 1
    ends = [told[end] for end in ("delivered", "unknown", "told_as_charged_and_lost")]
    assert sum(sum(end.values()) for end in ends) == sum(told["requests"].values())
    assert told["unknown"].get("retrodiffusion-v2", 0) == 0  # its idempotency key always tells


def test_a_round_of_kills_is_survived() -> None:
    assert_survived(figures("crash.py", "--kills", "3", "--lives", "2", "--seed", "2", "--vendor", "retrodiffusion"), 3)


@pytest.mark.slow
def test_kills_at_every_vendor_are_survived() -> None:
    told = figures("crash.py", "--kills", "40", "--seed", "5")
    assert_survived(told, 40)
    assert {kind.split("-")[0] for kind in told["requests"]} == {"retrodiffusion", "replicate", "fal", "pixellab"}
    passed = set(told["kills_by_point"]) | set(told["never_killed_at"])
    for place in ("Ledger.reserve", "Ledger.sending", "Wire.paid", "Ledger.accepted", "Store.put", "Ledger.settle"):
        assert {f"before {place}", f"after {place}"} <= passed


# --- the judge ---


@pytest.fixture
def round_of_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A market, a router there, a request, and what judges them."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from crash_judge import Books, Lines
    from market import KEYS, Market, Request

    with Market(["replicate"]) as market:
        options = {"state": str(tmp_path / "state"), "keys": KEYS, "backends": market.sections(), "timeout_s": 5}
        request = Request("replicate-1", "replicate")
        books = Books(options, market, [request])
        books.delivered = {request.id}
        with PixelRouter(**options) as router:
            router.generate(**request.arguments)

            def judge(lines: Any = None) -> str:
                return "; ".join(books.judge(lines or Lines()))

            assert judge() == ""
            yield router, request, judge, market


def test_the_judge_sees_a_second_charge(round_of_one: Any) -> None:
    router, request, judge, _ = round_of_one
    router.generate(**request.arguments, fresh=True)
    assert "was charged 2 times for one step" in judge()


def test_the_judge_sees_a_charge_that_the_ledger_does_not_show(round_of_one: Any, tmp_path: Path) -> None:
    _, request, judge, market = round_of_one
    keys = {"replicate": market.simulators["replicate"].default_keys[0]}
    with PixelRouter(state=tmp_path / "other", keys=keys, backends=market.sections(), timeout_s=5) as other:
        other.generate(**{**request.arguments, "prompt": "a blue potion [replicate-2]"})
    told = judge()
    assert "and the ledger shows" in told
    assert "charged for what nobody asked for" in told


def test_the_judge_sees_a_file_that_is_gone_or_changed(round_of_one: Any) -> None:
    router, _, judge, _ = round_of_one
    store = router._open().store
    path = store.path(router.attempts()[0].raws[0])
    path.write_bytes(b"something else")
    assert "changed or damaged" in judge()
    path.unlink()
    assert "is gone" in judge()


def test_the_judge_sees_two_different_deliveries(round_of_one: Any) -> None:
    from crash_judge import Lines

    _, request, judge, _ = round_of_one
    lines = Lines()
    lines.delivered[request.id] |= {(("a",), "1"), (("b",), "2")}
    assert "delivered as 2 different images" in judge(lines)


def test_the_judge_sees_an_attempt_left_behind(round_of_one: Any) -> None:
    router, request, judge, market = round_of_one
    market.simulators["replicate"].fault("job_stuck")
    with pytest.raises(Exception, match="not collected yet"):
        router.generate(**request.arguments, fresh=True, timeout_s=0.3)
    assert "still accepted after the quiet runs" in judge()
