"""Many ask at once: the same thing is bought once, different things never share a job, and no cap is passed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import OutcomeUnknown, OverBudget, PixelRouterError
from pixelrouter.money.ledger import Ledger
from pixelrouter.testing.shop import Shop
from pixelrouter.types import VIEW_NAMES, Cost, Money
from tests.conftest import both_ledgers
from tests.money.test_ledger import PURSE, draft
from tests.routing.meddler import Meddler

pytestmark = both_ledgers
ROOT = Path(__file__).resolve().parents[2]
CART = {"prompt": "a cart", "task": "views", "views": "2x2", "size": 32}
POTION = {"prompt": "a red potion", "size": 64}
Open = Callable[..., Shop]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call returns or raises, all of them begun together."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        except PixelRouterError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


# --- the same thing, asked for by many ---


@pytest.mark.parametrize("own_routers", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["routers", "threads"])
def test_the_same_plan_at_once_buys_each_step_once(shops: Open, own_routers: bool) -> None:
    shop = shops("fal", job_seconds=0.1)
    one = shop.router(timeout_s=30)
    routers = [shop.router(timeout_s=30) if own_routers else one for _ in range(6)]
    arts = at_once([lambda router=router: router.rotate(**_without_task(CART)) for router in routers])
    assert [getattr(art, "names", art) for art in arts] == [VIEW_NAMES["2x2"]] * 6
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 2
    paid = sum((art.cost.money for art in arts), start=Money(0))
    assert paid == shop.simulator.charged_total  # what the calls say they cost is what was taken, once
    shop.check_money(one)


def test_the_same_plan_from_processes_buys_each_step_once(shops: Open) -> None:
    shop = shops("fal")
    script = "import json, sys; from pixelrouter import PixelRouter; o, c = map(json.loads, sys.argv[1:]);"
    script += " print(len(PixelRouter(**o).generate(**c).names))"
    options = {**shop.options(timeout_s=30), "state": str(shop.state)}
    command = [sys.executable, "-c", script, json.dumps(options), json.dumps(CART)]
    workers = [
        subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE) for _ in range(3)
    ]
    assert [worker.communicate(timeout=60)[0].split() for worker in workers] == [[b"4"]] * 3
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 2


def test_many_who_look_for_one_lost_job_all_get_it(shops: Open) -> None:
    shop = shops("replicate", job_seconds=0.1)
    shop.simulator.fault("lose_reply")
    shop.simulator.fault("garbage_json", on="list")
    with pytest.raises(OutcomeUnknown):
        shop.router().generate(**POTION)
    one = shop.router(timeout_s=30)
    routers = [one, one, one, shop.router(timeout_s=30), shop.router(timeout_s=30)]
    found = at_once([lambda router=router: router.resume()[0].raws for router in routers])
    assert len(set(found)) == 1
    assert found[0], found
    assert shop.simulator.paid_posts == 1
    assert [attempt.state for attempt in one.attempts()] == ["settled"]


def test_an_attempt_that_moved_on_is_not_taken_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", owner="me")
    reservation = ledger.reserve(draft(1), PURSE)
    assert reservation is not None
    seen = reservation.attempt
    ledger.sending(seen.id)
    ledger.unknown(seen.id)
    ledger.disown(seen.id)
    # Whoever saw it "reserved" would release its money, and buy again.
    assert not ledger.take_over(seen.id, "", seen.state)
    assert ledger.take_over(seen.id, "", "unknown")
    ledger.close()


# --- different things that look the same ---


def test_parallel_fresh_purchases_draw_differently(shops: Open) -> None:
    shop = shops("replicate")
    router = shop.router(timeout_s=30)
    arts = at_once([lambda: router.generate(**POTION, fresh=True) for _ in range(6)])
    assert len({art.seed for art in arts}) == 6
    assert len({art.raws for art in arts}) == 6
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 6
    shop.check_money(router)


def test_a_job_whose_own_answer_is_under_way_is_nobody_elses(shops: Open) -> None:
    shop = shops("replicate")
    taken, go_on = threading.Event(), threading.Event()

    def hold_back(request: httpx.Request, response: httpx.Response) -> None:
        if request.method == "POST":
            taken.set()
            assert go_on.wait(20)

    slow, lost = shop.router(transport=Meddler(hold_back), timeout_s=30), shop.router()
    with ThreadPoolExecutor(1) as pool:
        slow_art = pool.submit(slow.generate, **POTION, seed=7, fresh=True)
        assert taken.wait(20)
        shop.simulator.fault("lose_before")  # the second never reaches the vendor, and finds the first one's job
        with pytest.raises(OutcomeUnknown):
            lost.generate(**POTION, seed=7, fresh=True)
        go_on.set()
        art = slow_art.result(30)
    assert art.attempts[-1].state == "settled"
    (outcome,) = lost.resume()
    assert isinstance(outcome, OutcomeUnknown)  # the vendor never took it, and the job in the list is the other's
    states = {attempt.id: attempt.state for attempt in lost.attempts()}
    assert sorted(states.values()) == ["settled", "unknown"]
    assert shop.simulator.paid_posts == 2
    shop.check_money(lost)


def test_two_lost_twins_take_a_job_each(shops: Open) -> None:
    shop = shops("replicate")
    for _ in range(2):
        shop.simulator.fault("lose_reply")
        shop.simulator.fault("garbage_json", on="list")
        with pytest.raises(OutcomeUnknown):
            shop.router().generate(**POTION, seed=7, fresh=True)
    router = shop.router()
    assert len(router.resume()) == 2
    tickets = [attempt.ticket.id for attempt in router.attempts() if attempt.ticket]
    assert len(set(tickets)) == 2
    assert [attempt.state for attempt in router.attempts()] == ["settled", "settled"]
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 2


def test_a_lost_job_with_the_same_seed_and_other_images_is_not_mistaken(shops: Open) -> None:
    from PIL import Image

    shop = shops("fal")
    red, blue = Image.new("RGB", (32, 32), "#cc2222"), Image.new("RGB", (32, 32), "#2222cc")
    call = {"prompt": "with a hat", "size": 32, "seed": 7}
    shop.simulator.fault("lose_before")
    with pytest.raises(OutcomeUnknown):
        shop.router().edit(image=red, **call)
    shop.simulator.fault("lose_reply")
    shop.simulator.fault("garbage_json", on="list")
    with pytest.raises(OutcomeUnknown):
        shop.router().edit(image=blue, **call)
    router = shop.router()
    assert [type(outcome) for outcome in router.resume()] == [OutcomeUnknown, OutcomeUnknown]  # it has not the images
    with pytest.raises(OutcomeUnknown):
        router.edit(image=red, **call)
    art = router.edit(image=blue, **call)
    assert [attempt.state for attempt in router.attempts()] == ["settled", "unknown"]
    assert art.raws == router.attempts()[0].raws
    assert shop.simulator.paid_posts == 2
    shop.check_money(router)


# --- caps ---


def test_threads_cannot_pass_a_cap_in_generations(shops: Open) -> None:
    shop = shops("pixellab", account="subscription", generations="100")
    section = {**shop.options()["backends"]["pixellab"], "account": "subscription", "price_usd": None}
    routers = [
        shop.router(max_generations_per_day=3, max_usd_per_day=0.01, backends={"pixellab": section}) for _ in range(4)
    ]
    results = at_once(
        [
            lambda n=n, router=router: router.generate(f"potion {n}", size=64, model="pixflux")
            for n, router in enumerate(routers * 2)
        ]
    )
    assert sum(isinstance(result, OverBudget) for result in results) == 5, results
    assert shop.simulator.charged_generations == Money.of(3, "generations")
    assert shop.simulator.paid_posts == 3


def test_threads_cannot_pass_a_cap_in_dollars_with_plans(shops: Open) -> None:
    shop = shops("fal")
    plan = shop.router().quote("a cart 0", task="views", views="2x2", size=32).money
    cap = float(plan.amount) * 2
    routers = [shop.router(max_usd_per_day=cap, timeout_s=30) for _ in range(4)]
    results = at_once(
        [
            lambda n=n, router=router: router.rotate(f"a cart {n}", views="2x2", size=32)
            for n, router in enumerate(routers)
        ]
    )
    assert any(isinstance(result, OverBudget) for result in results)
    assert shop.simulator.charged_total.micros <= plan.micros * 2
    shop.check_money(routers[0])


def test_a_cap_reached_between_the_steps_keeps_the_first(shops: Open) -> None:
    shop = shops("fal")
    plan = shop.router().quote(CART["prompt"], task="views", views="2x2", size=32)
    cap = float(plan.money.amount)
    other = shop.router(max_usd_per_day=cap)
    bought: list[Any] = []

    def buy_in_between(event: Any) -> None:
        if event.stage == "download" and not bought:  # the first step's image: nothing is held for the second yet
            bought.append(other.generate("a rock", size=32))

    with pytest.raises(OverBudget):
        shop.router(max_usd_per_day=cap).rotate(**_without_task(CART), progress=buy_in_between)
    assert bought
    assert shop.simulator.paid_posts == 2
    art = shop.router(max_usd_per_day=cap * 3).rotate(**_without_task(CART))
    assert art.cost.money == plan.steps[1].money
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 3
    shop.check_money(other)


# --- the caller's own word ---


def test_spend_again_pays_for_the_lost_step_alone(shops: Open) -> None:
    shop = shops("fal")

    def lose_the_second(event: Any) -> None:
        if event.stage == "download":
            shop.simulator.fault("lose_before")

    with pytest.raises(OutcomeUnknown):
        shop.router().rotate(**_without_task(CART), progress=lose_the_second)
    assert shop.simulator.paid_posts == 2
    art = shop.router(on_unknown="spend_again").rotate(**_without_task(CART))
    assert art.names == VIEW_NAMES["2x2"]
    assert shop.simulator.paid_posts == 3
    assert len(shop.simulator.charges) == 2
    router = shop.router()
    assert sorted(attempt.state for attempt in router.attempts()) == ["settled", "settled", "unknown"]
    assert router.rotate(**_without_task(CART)).reused
    shop.check_money(router)


def test_an_amount_too_large_for_the_ledger_is_a_ledger_error(tmp_path: Path) -> None:
    from dataclasses import replace

    ledger = Ledger(tmp_path / "ledger.db", owner="me")
    with pytest.raises(PixelRouterError):
        ledger.reserve(replace(draft(1), hold=Cost(Money(10**20), "quoted")), PURSE)
    assert not ledger.attempts()
    ledger.close()


def _without_task(call: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "task"}


def test_a_router_is_a_context_manager_that_gives_its_work_back(shops: Open) -> None:
    shop = shops("replicate", job_seconds=60)
    with PixelRouter(**shop.options(timeout_s=0.2)) as router, pytest.raises(PixelRouterError):
        router.generate(**POTION)
    shop.simulator.advance(120)
    assert shop.router().generate(**POTION).raws
    assert shop.simulator.paid_posts == 1
