"""Scripts stopped by Ctrl-C, SIGTERM and SIGKILL in the middle of a job: the same script again collects it.

Real processes against simulators on real sockets. What a vendor took is counted by the simulator.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.testing.shop import Shop

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and SIGTERM are POSIX signals")
Open = Callable[..., Shop]
ROOT = Path(__file__).resolve().parents[2]

HEAD = "import asyncio, json, sys\nfrom pixelrouter import AsyncPixelRouter, PixelRouter\n"
HEAD += "options, call = map(json.loads, sys.argv[1:])\n"
SCRIPTS = {
    "sync": """
with PixelRouter(**options) as router:
    print(router.generate(**call).reused)
""",
    "async": """
async def main():
    async with AsyncPixelRouter(**options) as router:
        print((await router.generate(**call)).reused)
asyncio.run(main())
""",
    "many": """
with PixelRouter(**options) as router:
    for result in router.generate_many([{**call, "prompt": f"{call['prompt']} {i}"} for i in range(3)]):
        print(result.unwrap().reused)
""",
    "many-async": """
async def main():
    async with AsyncPixelRouter(**options) as router:
        async for result in router.generate_many([{**call, "prompt": f"{call['prompt']} {i}"} for i in range(3)]):
            print(result.unwrap().reused)
asyncio.run(main())
""",
}
PURCHASES = {"sync": 1, "async": 1, "many": 3, "many-async": 3}
#: vendor -> a call whose job takes its time, and how many purchases it is made of.
CALLS: dict[str, tuple[dict[str, Any], int]] = {
    "retrodiffusion": ({"prompt": "a red potion", "size": 64}, 1),
    "replicate": ({"prompt": "a red potion", "size": 64}, 1),
    "fal": ({"prompt": "a cart", "task": "views", "views": "2x2", "size": 32}, 2),
    "pixellab": ({"prompt": "a baker", "size": 32, "model": "character-4", "task": "views", "views": "4"}, 1),
}


class Script:
    """One script at one vendor, to be started again and again."""

    def __init__(self, shop: Shop, kind: str, call: dict[str, Any]) -> None:
        self.shop = shop
        options = shop.options(timeout_s=60)
        options["backends"][shop.name] |= {"timeout_s": 20, "poll_s": 0.2}
        arguments = [json.dumps({**options, "state": str(shop.state)}), json.dumps(call)]
        self._running: list[subprocess.Popen[str]] = []
        self._command = [sys.executable, "-c", HEAD + SCRIPTS[kind], *arguments]

    def start(self) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._running.append(
            subprocess.Popen(self._command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return self._running[-1]

    def close(self) -> None:
        """End what a failed test left running."""
        for process in self._running:
            process.kill()
            with process:
                pass

    def states(self) -> list[str]:
        return [row.state for row in self.shop.router().attempts()]

    def until(self, state: str, count: int) -> None:
        """Wait until so many attempts are in that state."""
        patience = time.monotonic() + 60
        while self.states().count(state) < count:
            assert time.monotonic() < patience, self.states()
            time.sleep(0.05)


Write = Callable[..., Script]


@pytest.fixture
def script(shops: Open) -> Iterator[Write]:
    """``script("fal", "sync", call, job_seconds=600)``: a script, and the shop that it buys at."""
    with ExitStack() as stack:

        def write(vendor: str, kind: str, call: dict[str, Any], **knobs: Any) -> Script:
            made = Script(shops(vendor, **knobs), kind, call)
            stack.callback(made.close)
            return made

        yield write


def stop(process: subprocess.Popen[str], number: int) -> str:
    """Send the signal; what the process wrote to stderr. A job takes ten minutes, so it must not wait for one."""
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -number, err
    return err


def check_paid_once(script: Script, purchases: int, out: str) -> None:
    simulator = script.shop.simulator
    assert simulator.paid_posts == len(simulator.charges) == purchases, out
    assert set(script.states()) == {"settled"}
    script.shop.check_money(script.shop.router())


@pytest.mark.parametrize(
    ("vendor", "kind", "number"),
    [
        ("replicate", "sync", signal.SIGINT),
        pytest.param("fal", "sync", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("replicate", "many", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("retrodiffusion", "async", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("pixellab", "sync", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("retrodiffusion", "many-async", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("pixellab", "many", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("pixellab", "async", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("replicate", "sync", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_the_same_script_again_collects(script: Write, vendor: str, kind: str, number: int) -> None:
    call, steps = CALLS[vendor]
    ours = script(vendor, kind, call, job_seconds=600)
    shop = ours.shop
    many = PURCHASES[kind]
    process = ours.start()
    ours.until("accepted", many)
    err = stop(process, number)
    assert ours.states() == ["accepted"] * many
    if number == signal.SIGINT:
        for row in shop.router().jobs():
            assert f"pixelrouter resume {row.id[:12]}" in err
            assert row.ticket is not None
            assert row.ticket.id in err
        assert "stays held" in err
    # In simulated time the job is done now; a second step takes ten minutes of its own.
    shop.simulator.advance(700)
    again = ours.start()
    if steps > 1:
        ours.until("settled", many)
        ours.until("accepted", many)
        shop.simulator.advance(700)
    out, err = again.communicate(timeout=90)
    assert again.returncode == 0, err
    check_paid_once(ours, many * steps, out)


def test_an_answer_that_is_under_way_is_waited_for(script: Write) -> None:
    """PixelLab has no list: were the answer given up, nobody could tell whether it was charged."""
    ours = script("pixellab", "sync", {"prompt": "a red potion", "size": 64, "model": "pixflux"})
    shop = ours.shop
    shop.simulator.fault("late", seconds=1.5)
    process = ours.start()
    while not shop.simulator.paid_posts:
        time.sleep(0.02)
    err = stop(process, signal.SIGINT)
    assert "waiting for its answer" in err
    assert "pixelrouter resume" in err
    assert ours.states() == ["accepted"]
    shop.check_money(shop.router())
    (art,) = shop.router().resume()
    assert not isinstance(art, Exception)
    check_paid_once(ours, 1, "")


@pytest.mark.slow
def test_a_second_ctrl_c_gives_the_answer_up(script: Write) -> None:
    ours = script("replicate", "sync", CALLS["replicate"][0])
    shop = ours.shop
    shop.simulator.fault("late", seconds=15)
    process = ours.start()
    while not shop.simulator.paid_posts:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    err = stop(process, signal.SIGINT)
    assert "is not known" in err
    assert ours.states() == ["unknown"]
    shop.check_money(shop.router())
    shop.router().generate(**CALLS["replicate"][0])  # found in the vendor's list
    check_paid_once(ours, 1, "")


@pytest.mark.slow
@pytest.mark.parametrize("vendor", CALLS)
@pytest.mark.parametrize("kind", SCRIPTS)
def test_stopped_at_any_moment(script: Write, vendor: str, kind: str) -> None:
    """Stopped again and again at random moments, then left alone: every purchase was made once."""
    call, steps = CALLS[vendor]
    chance = random.Random(f"{vendor} {kind}")
    ours = script(vendor, kind, call, job_seconds=1.5)
    shop = ours.shop
    for _ in range(4):
        process = ours.start()
        time.sleep(chance.uniform(0.4, 2.5))
        process.send_signal(chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGKILL)))
        process.communicate(timeout=60)
        shop.check_money(shop.router())
    last = ours.start()
    _, err = last.communicate(timeout=90)
    if "unknown" in ours.states():  # killed while an answer was under way, at a vendor that nobody can ask
        assert vendor == "pixellab", err
        assert "OutcomeUnknown" in err
        assert len(shop.simulator.charges) <= PURCHASES[kind] * steps
        shop.check_money(shop.router())
        return
    assert last.returncode == 0, err
    simulator = shop.simulator
    assert len(simulator.charges) == PURCHASES[kind] * steps
    assert set(ours.states()) <= {"settled", "released"}
    shop.check_money(shop.router())
