"""Killed with SIGKILL before and after every commit and send, at each vendor, then run again: each step paid once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.errors import OutcomeUnknown

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
ROOT = Path(__file__).resolve().parents[2]

#: Dies at the n-th call of a method of the ledger, the wire or the store, before it does its work or after.
WORKER = """
import json, os, signal, sys
from pixelrouter import PixelRouter
from pixelrouter.money.ledger import Ledger
from pixelrouter.store import Store
from pixelrouter.wire.client import Wire
point, options, call = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
when, where, number = point.split()
cls, method = where.split(".")
cls = {"Ledger": Ledger, "Store": Store, "Wire": Wire}[cls]
real, calls = getattr(cls, method), []
def deadly(*args, **kwargs):
    calls.append(1)
    if len(calls) < int(number):
        return real(*args, **kwargs)
    if when == "after":
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(cls, method, deadly)
PixelRouter(**options).generate(**call)
"""


@dataclass(frozen=True)
class Plan:
    """A request at a vendor, and in order what it does: ``Class.method`` of one step, again for the next.

    ``found``: the vendor can tell what became of a lost submit. ``inline``: the image comes with its answer.
    """

    vendor: str
    call: dict[str, Any]
    steps: int = 1
    found: bool = False
    inline: bool = False
    moved: bool = False
    lost: bool = False  # the first submit's answer is lost

    @property
    def points(self) -> list[str]:
        """Every place to die at."""
        places = ["Ledger.reserve", "Ledger.sending", "Wire.paid", "Ledger.accepted", "Store.put", "Ledger.settle"]
        if self.moved:
            places.append("Ledger.moved")
        if self.lost:
            places = ["Ledger.unknown", "Ledger.adopt", "Ledger.settle"]
        numbers = range(1, self.steps + 1)
        found = [f"{when} {place} {n}" for place in places for n in numbers for when in ("before", "after")]
        return [*found, "before Store.put 2", "after Store.put 2"] if self.inline else found

    def is_open(self, point: str) -> bool:
        """Whether a death there leaves a question that nobody can answer."""
        place = point.rpartition(" ")[0]
        if place in ("after Ledger.sending", "before Wire.paid"):
            return True  # bytes may have left; that none did cannot be seen from outside
        if self.inline and point in ("before Store.put 1", "after Store.put 1"):
            return True
        return not self.found and place in ("after Wire.paid", "before Ledger.accepted")


PLANS = {
    "replicate": Plan("replicate", {"prompt": "a red potion", "size": 64}, found=True),
    "replicate-lost": Plan("replicate", {"prompt": "a red potion", "size": 64}, found=True, lost=True),
    "fal": Plan("fal", {"prompt": "a red potion", "size": 32}, found=True, moved=True),
    "fal-lost": Plan("fal", {"prompt": "a red potion", "size": 32}, found=True, moved=True, lost=True),
    "fal-two-steps": Plan(
        "fal", {"prompt": "a cart", "task": "views", "views": "2x2", "size": 32}, steps=2, found=True, moved=True
    ),
    "pixflux": Plan("pixellab", {"prompt": "a red potion", "size": 64, "model": "pixflux"}, inline=True),
    "character-4": Plan(
        "pixellab",
        {"prompt": "a baker", "size": 32, "model": "character-4", "task": "views", "views": "4"},
        found=True,
    ),
    "tileset": Plan(
        "pixellab",
        {"prompt": "grass", "size": 32, "task": "tileset", "tiles": "wang", "upper": "stone"},
        found=True,
        moved=True,
    ),
}
#: The deaths that a plain run tries; the gate tries them all.
QUICK = {
    ("replicate", "after Wire.paid 1"),
    ("replicate-lost", "after Ledger.adopt 1"),
    ("fal", "after Ledger.moved 1"),
    ("fal-two-steps", "after Ledger.settle 1"),
    ("fal-two-steps", "after Wire.paid 2"),
    ("pixflux", "before Ledger.accepted 1"),
    ("pixflux", "before Ledger.settle 1"),
    ("character-4", "after Ledger.accepted 1"),
    ("tileset", "before Ledger.moved 1"),
}
CASES = [
    pytest.param(name, point, marks=() if (name, point) in QUICK else pytest.mark.slow)
    for name, plan in PLANS.items()
    for point in plan.points
]


def test_the_quick_cases_are_among_all() -> None:
    assert {tuple(case.values) for case in CASES} >= QUICK


@pytest.mark.slow
@pytest.mark.parametrize(("name", "point"), CASES)
def test_a_kill_anywhere_is_paid_once(shops: Any, name: str, point: str) -> None:
    plan = PLANS[name]
    shop = shops(plan.vendor)
    if plan.lost:
        shop.simulator.fault("lose_reply")
    options = {**shop.options(), "state": str(shop.state)}
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, point, json.dumps(options), json.dumps(plan.call)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
    )
    assert worker.returncode == -signal.SIGKILL, worker.stderr.decode()

    router = shop.router(timeout_s=20)
    shop.check_money(router)
    if plan.is_open(point):
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                router.generate(**plan.call)
        assert shop.simulator.paid_posts <= int(point.split()[-1])
        assert [attempt.state for attempt in router.jobs()] == ["unknown"]
    else:
        art = router.generate(**plan.call)
        assert art.size == (plan.call["size"], plan.call["size"])
        again = shop.router().generate(**plan.call)
        assert again.reused
        assert again.names == art.names
        assert [image.tobytes() for image in again.images] == [image.tobytes() for image in art.images]
        assert shop.simulator.paid_posts == len(shop.simulator.charges) == plan.steps
        assert not router.jobs()
    assert len(shop.simulator.charges) <= plan.steps
    shop.check_money(router)
    for attempt in router.attempts():
        if attempt.state == "settled":
            assert all(raw in router._open().store for raw in attempt.raws)
    assert router._open().ledger.check() == "ok"
