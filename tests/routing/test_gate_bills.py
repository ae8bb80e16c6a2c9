"""What a gated call says of money: every answer, good or bad, names exactly what this call paid, and to whom.

The judge is what the simulators charged, on one or several vendors in one route.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import (
    ChargedWithoutImage,
    IncompleteDelivery,
    JobFailed,
    OutcomeUnknown,
    PixelRouterError,
    QualityRejected,
    StillRunning,
)
from pixelrouter.testing.shop import Shop
from pixelrouter.types import Money
from tests.routing.test_gate import illustrator, routed
from tests.routing.test_races import at_once

Open = Callable[..., Shop]
PROMPT = "a small wooden cart"
FILM: dict[str, Any] = {"task": "animation", "action": "walks", "size": 64}
#: Colours that look the same: whatever is finished in them is turned down.
NEVER: dict[str, Any] = {"min_score": 100, "palette": ["#606060", "#616161"]}
SHEET: dict[str, Any] = {"task": "views", "views": "2x2", "size": 32}


def options_of(*shops: Shop, **options: Any) -> dict[str, Any]:
    """A router's options with the shops alone on its route."""
    return {**routed(*shops), "route": [shop.name for shop in shops], **options}


def ask(options: dict[str, Any], **call: Any) -> Any:
    """What one call in a router of its own returns or raises."""
    with PixelRouter(**options) as router:
        try:
            return router.generate(**{"prompt": PROMPT, "size": 32, **call})
        except PixelRouterError as error:
            return error


def taken(*shops: Shop) -> Money:
    return sum((shop.simulator.charged_total for shop in shops), start=Money(0))


def booked(shop: Shop) -> Money:
    """What the ledger has as spent; where a vendor does not say what it charged, that is what was held."""
    with PixelRouter(state=shop.state) as router:
        return sum((row.cost.money for row in router.attempts() if row.state == "settled"), start=Money(0))


def check_books(*shops: Shop) -> None:
    with PixelRouter(state=shops[0].state) as router:
        for shop in shops:
            shop.check_money(router)


def test_a_failed_job_that_was_charged_is_part_of_what_the_call_paid(shops: Open) -> None:
    fal, replicate = illustrator(shops), shops("replicate")
    replicate.simulator.fault("job_failed", refund=False)
    error = ask(options_of(fal, replicate), min_score=80)
    assert isinstance(error, QualityRejected)
    assert [type(one) for one in error.errors] == [QualityRejected, JobFailed]
    assert error.charged == booked(fal)
    assert error.charged.micros > fal.simulator.charged_total.micros


@pytest.mark.parametrize(("vendor", "wish"), [("fal", SHEET), ("pixellab", FILM)])
def test_a_plan_of_two_purchases_names_both(shops: Open, vendor: str, wish: dict[str, Any]) -> None:
    shop = shops(vendor)
    first = ask(options_of(shop), **wish, **NEVER)
    assert isinstance(first, QualityRejected)
    assert shop.simulator.paid_posts == 2
    assert first.charged == taken(shop)
    for _ in range(4):
        again = ask(options_of(shop), **wish, **NEVER)
        assert isinstance(again, QualityRejected)
        assert again.charged == Money(0)
    assert shop.simulator.paid_posts == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("job_stuck", StillRunning),
        ("lose_reply", OutcomeUnknown),
        ("truncated_image", ChargedWithoutImage),
    ],
)
def test_an_error_at_the_second_tells_what_the_first_cost(
    shops: Open, fault: str, kind: type[PixelRouterError]
) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion")
    retro.simulator.fault(fault)
    options = options_of(fal, retro, timeout_s=3)
    options["backends"]["retrodiffusion"]["api_version"] = "v1" if fault == "lose_reply" else "v2"
    error = ask(options, min_score=80)
    assert isinstance(error, kind)
    assert "fal" in error.message
    assert str(fal.simulator.charged_total) in error.message
    assert ask(options_of(fal), min_score=80).stored[0][:12] in error.message
    assert fal.simulator.paid_posts == 1
    check_books(fal, retro)


def test_reject_after_a_score_forgets_nothing(shops: Open) -> None:
    """The first is turned down for its score, the second for its missing grid, and reject ends the route there."""
    retro, fal = shops("retrodiffusion"), illustrator(shops)
    error = ask(options_of(retro, fal), prompt="a knight", policy="reject", **NEVER)
    assert isinstance(error, QualityRejected)
    assert (retro.simulator.paid_posts, fal.simulator.paid_posts) == (1, 1)
    assert len(error.stored) == 2
    assert error.charged == taken(retro, fal)


def test_dollars_and_generations_are_told_apart(shops: Open) -> None:
    fal, pixellab = illustrator(shops), shops("pixellab", account="subscription", generations="100")
    error = ask(options_of(fal, pixellab), **NEVER)
    assert isinstance(error, QualityRejected)
    for one in error.errors:
        assert str(one.charged) in error.message


def test_a_free_backend_does_not_blur_what_was_paid(shops: Open) -> None:
    pixellab = shops("pixellab", account="subscription", generations="100")
    options = options_of(pixellab)
    options["route"] = ["procedural", "pixellab"]
    error = ask(options, **NEVER)
    assert isinstance(error, QualityRejected)
    assert error.charged is not None
    assert error.charged.unit == "generations"


def test_what_was_free_is_not_said_to_be_paid(shops: Open) -> None:
    pixellab = shops("pixellab")
    options = options_of(pixellab)
    options["route"] = ["procedural", "pixellab"]
    error = ask(options, **NEVER)
    assert "$0 " not in error.message


def test_too_few_images_are_told_beside_the_score(shops: Open) -> None:
    fal = illustrator(shops)
    fal.simulator.fault("fewer_images")
    art = ask(routed(fal), n=3, min_score=80)
    assert art.backend == "procedural"
    assert "IncompleteDelivery" in art.attempts[0].error


def test_many_threads_share_both_purchases_and_their_costs_add_up(shops: Open) -> None:
    fal, pixellab = illustrator(shops), shops("pixellab", job_seconds=0.1)
    options = options_of(fal, pixellab, timeout_s=30)
    arts = at_once([lambda: ask(options, min_score=80)] * 6)
    assert [art.backend for art in arts] == ["pixellab"] * 6
    assert (fal.simulator.paid_posts, pixellab.simulator.paid_posts) == (1, 1)
    assert sum((art.cost.money for art in arts), start=Money(0)) == taken(fal, pixellab)
    assert all([row.backend for row in art.attempts] == ["fal", "pixellab"] for art in arts)


def test_many_threads_that_are_all_turned_down_pay_once_between_them(shops: Open) -> None:
    fal, pixellab = illustrator(shops), shops("pixellab", job_seconds=0.1)
    options = options_of(fal, pixellab, timeout_s=30)
    errors = at_once([lambda: ask(options, **NEVER)] * 6)
    assert {type(error) for error in errors} == {QualityRejected}
    assert (fal.simulator.paid_posts, pixellab.simulator.paid_posts) == (1, 1)
    assert sum((error.charged for error in errors), start=Money(0)) == taken(fal, pixellab)


@pytest.mark.slow
def test_a_call_out_of_time_buys_no_second(shops: Open) -> None:
    fal, pixellab = illustrator(shops), shops("pixellab")

    def slow(event: Any) -> None:
        if event.stage == "finish" and event.message == "turned down":
            time.sleep(3)

    error = ask(options_of(fal, pixellab, timeout_s=2), min_score=80, progress=slow)
    assert isinstance(error, QualityRejected)
    assert pixellab.simulator.paid_posts == 0
    assert error.charged == taken(fal)
    art = ask(options_of(fal, pixellab), min_score=80)
    assert art.backend == "pixellab"
    assert (fal.simulator.paid_posts, pixellab.simulator.paid_posts) == (1, 1)


def test_an_incomplete_second_tells_of_the_first(shops: Open) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion")
    retro.simulator.fault("fewer_images")
    error = ask(options_of(fal, retro), n=2, min_score=60)
    assert isinstance(error, IncompleteDelivery)
    assert error.art is not None
    assert [row.backend for row in error.art.attempts] == ["fal", "retrodiffusion"]
    for _ in range(2):
        ask(options_of(fal, retro), n=2, min_score=60)
    assert (fal.simulator.paid_posts, retro.simulator.paid_posts) == (1, 1)


def test_four_candidates_five_times(shops: Open) -> None:
    vendors = [illustrator(shops), shops("replicate"), shops("pixellab"), shops("retrodiffusion")]
    options = options_of(*vendors)
    total = Money(0)
    for number in range(5):
        found = ask(options, **NEVER, dither=("none", "bayer2")[number % 2])
        assert isinstance(found, QualityRejected)
        total = total + (found.charged or Money(0))
    assert [shop.simulator.paid_posts for shop in vendors] == [1, 1, 1, 1]
    assert total == booked(vendors[0])
    check_books(*vendors)


def test_spend_again_never_asks_the_same_twice_in_a_call(shops: Open) -> None:
    fal, pixellab, retro = illustrator(shops), shops("pixellab"), shops("retrodiffusion")
    pixellab.simulator.fault("lose_reply")
    art = ask(options_of(fal, pixellab, retro), min_score=60, on_unknown="spend_again")
    assert art.backend == "retrodiffusion"
    assert [row.backend for row in art.attempts] == ["fal", "pixellab", "retrodiffusion"]
    again = ask(options_of(fal, pixellab, retro), min_score=60, on_unknown="spend_again")
    assert (again.backend, again.reused) == ("retrodiffusion", True)
    assert [shop.simulator.paid_posts for shop in (fal, pixellab, retro)] == [1, 1, 1]
    check_books(fal, pixellab, retro)


WORKER = """
import json, os, signal, sys
from pixelrouter import PixelRouter
from pixelrouter.money.ledger import Ledger
from pixelrouter.wire.client import Wire
options, call, point = map(json.loads, sys.argv[1:])
when, where, number = point
cls, method = where.split(".")
cls = {"Ledger": Ledger, "Wire": Wire}[cls]
real, seen = getattr(cls, method), []
def deadly(*args, **kwargs):
    seen.append(1)
    last = len(seen) == number
    if last and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = real(*args, **kwargs)
    if last:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
setattr(cls, method, deadly)
art = PixelRouter(**options).generate(**call)
print(art.backend, art.cost.money.micros)
"""


def worker(options: dict[str, Any], call: dict[str, Any], point: tuple[str, str, int]) -> subprocess.Popen[bytes]:
    told = [json.dumps(part, default=str) for part in (options, {"prompt": PROMPT, "size": 32, **call}, point)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return subprocess.Popen([sys.executable, "-c", WORKER, *told], env=environment, stdout=subprocess.PIPE)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
@pytest.mark.parametrize(
    "point",
    [
        ("after", "Ledger.settle", 1),
        pytest.param(("after", "Ledger.reserve", 2), marks=pytest.mark.slow),
        pytest.param(("before", "Wire.paid", 2), marks=pytest.mark.slow),
        ("after", "Wire.paid", 2),
        pytest.param(("before", "Ledger.settle", 2), marks=pytest.mark.slow),
        pytest.param(("after", "Ledger.settle", 2), marks=pytest.mark.slow),
    ],
    ids=lambda point: " ".join(map(str, point)),
)
def test_a_kill_at_either_purchase_is_paid_once(shops: Open, point: tuple[str, str, int]) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion")
    options = options_of(fal, retro, timeout_s=20)
    killed = worker(options, {"min_score": 60}, point)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    for number in range(3):
        art = ask(options, min_score=60)
        assert art.backend == "retrodiffusion"
        assert [row.backend for row in art.attempts] == ["fal", "retrodiffusion"]
        assert art.reused is (number > 0 or point == ("after", "Ledger.settle", 2))
    assert (len(fal.simulator.charges), len(retro.simulator.charges)) == (1, 1)
    check_books(fal, retro)


def test_processes_share_both_purchases_and_their_costs_add_up(shops: Open) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion", job_seconds=0.2)
    options = options_of(fal, retro, timeout_s=30)
    workers = [worker(options, {"min_score": 60}, ("before", "Ledger.settle", 0)) for _ in range(3)]
    told = [one.communicate(timeout=90)[0].split() for one in workers]
    assert [name for name, _ in told] == [b"retrodiffusion"] * 3
    assert sum(int(micros) for _, micros in told) == taken(fal, retro).micros
    assert (fal.simulator.paid_posts, retro.simulator.paid_posts) == (1, 1)


def test_a_route_is_recorded_and_replayed_without_a_vendor(shops: Open, tmp_path: Path) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion")
    options = options_of(fal, retro)
    art = ask({**options, "cassette": tmp_path / "tape", "cassette_mode": "record"}, min_score=60, seed=4)
    replayed = {**options, "state": tmp_path / "other", "cassette": tmp_path / "tape", "cassette_mode": "replay"}
    again = ask({**replayed, "keys": {}}, min_score=60, seed=4)
    assert (again.backend, again.image.tobytes()) == (art.backend, art.image.tobytes())
    assert [row.error for row in again.attempts] == [row.error for row in art.attempts]
    assert (fal.simulator.paid_posts, retro.simulator.paid_posts) == (1, 1)
