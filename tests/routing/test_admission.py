"""Who may send now: breaker, cooling, slots and deadlines, over real sockets. The simulators' books are the judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import (
    AllFailed,
    AuthFailed,
    CircuitOpen,
    DeadlineExceeded,
    NotSent,
    OutcomeUnknown,
    Overloaded,
    PixelRouterError,
    RateLimited,
    StillRunning,
)
from pixelrouter.testing.shop import Shop
from tests.conftest import both_ledgers
from tests.routing.meddler import Meddler

pytestmark = both_ledgers

Open = Callable[..., Shop]
ROOT = Path(__file__).resolve().parents[2]


def both(first: Shop, *others: Shop, settings: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """The options of a router that asks the shops in order; ``settings`` hold for the first shop's backend."""
    merged: dict[str, Any] = {"keys": {}, "backends": {}}
    for shop in (first, *others):
        own = shop.options()
        merged["keys"] |= own["keys"]
        merged["backends"] |= own["backends"]
    merged["backends"][first.name] |= settings or {}
    route = {"route": [first.name, *(shop.name for shop in others)]}
    return {"state": first.state, "backend": None, "timeout_s": 20, **route, **merged, **options}


def one(shop: Shop, settings: dict[str, Any] | None = None, **options: Any) -> PixelRouter:
    return shop.router(**{**both(shop, settings=settings), **options})


def outcomes(calls: list[Callable[[], Any]]) -> list[Any]:
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


def sent(shop: Shop) -> list[float]:
    """When paid requests arrived at the vendor."""
    posts = [request for request in shop.simulator.requests if request.method == "POST"]
    return sorted(request.at for request in posts if not (request.json or {}).get("check_cost"))


def later(shop: Shop, seconds: float) -> None:
    """Let time pass: everything in the ledger becomes older."""
    with shop.router()._open().ledger.database.transaction() as db:
        db.execute(
            "UPDATE attempt SET sent_at = sent_at - :s, updated_at = updated_at - :s, retry_at = retry_at - :s",
            {"s": seconds},
        )


# --- the circuit breaker ---


def failing(shop: Shop, router: PixelRouter, times: int, name: str = "gone") -> None:
    for n in range(times):
        shop.simulator.fault("overloaded", retry_after=None)
        with pytest.raises(Overloaded):
            router.generate(f"{name} {n}", size=64)


def test_a_backend_that_keeps_failing_is_left_alone_and_tried_again_by_one(shops: Open) -> None:
    shop = shops("retrodiffusion", job_seconds=0.2)
    setting = {"breaker_failures": 3, "breaker_s": 30}
    router = one(shop, setting)
    failing(shop, router, 3)
    before = shop.simulator.paid_posts
    with pytest.raises(CircuitOpen, match="3 times in a row") as caught:
        one(shop, setting).generate("a potion", size=64)  # another router: the ledger knows
    assert 0 < caught.value.retry_after <= 30
    assert shop.simulator.paid_posts == before
    later(shop, 31)
    routers = [one(shop, setting) for _ in range(3)]
    found = outcomes([lambda n=n, r=r: r.generate(f"potion {n}", size=64) for n, r in enumerate(routers * 2)])
    kept_away = [error for error in found if isinstance(error, CircuitOpen)]
    assert shop.simulator.paid_posts == before + 6 - len(kept_away)
    # While the one that tried was under way nobody else was let through; afterwards everybody.
    bought = sent(shop)[3:]
    assert kept_away
    assert all(at >= bought[0] + 0.2 for at in bought[1:])
    assert router.generate("closed again", size=64).images
    shop.check_money(router)


def test_a_trial_that_fails_opens_it_again(shops: Open) -> None:
    shop = shops("retrodiffusion")
    router = one(shop, {"breaker_failures": 2, "breaker_s": 30})
    failing(shop, router, 2)
    later(shop, 31)
    failing(shop, router, 1, "trial")
    with pytest.raises(CircuitOpen):
        router.generate("a potion", size=64)


def test_the_circuit_belongs_to_one_model(shops: Open) -> None:
    shop = shops("retrodiffusion")
    router = one(shop, {"breaker_failures": 2})
    failing(shop, router, 2)
    with pytest.raises(CircuitOpen):
        router.generate("a potion", size=64)
    assert router.attempts()[0].model != "rd_pro__default"
    assert router.generate("a potion", size=64, model="rd_pro__default").images


def test_the_next_backend_serves_while_one_is_left_alone(shops: Open) -> None:
    first, second = shops("retrodiffusion"), shops("replicate")
    first.simulator.fault("overloaded", retry_after=None)
    router = first.router(**both(first, second, settings={"breaker_failures": 1}))
    assert router.generate("a", size=64).backend == "replicate"
    before = len(router.attempts())
    art = router.generate("b", size=64)
    assert art.backend == "replicate"
    assert [row.backend for row in art.attempts] == ["replicate"]  # no attempt was made at the other
    assert len(router.attempts()) == before + 1


def test_nothing_is_counted_that_says_nothing_about_health(shops: Open) -> None:
    shop = shops("retrodiffusion")
    router = one(shop, {"breaker_failures": 2})
    for fault in ("moderated", "no_balance", "rate_limit", "moderated"):
        shop.simulator.fault(fault, **({"retry_after": None} if fault == "rate_limit" else {}))
        with pytest.raises(PixelRouterError):
            router.generate(f"x {fault}", size=64)
    wrong = shop.router(**{**both(shop, settings={"breaker_failures": 2}), "keys": {"retrodiffusion": "rdpk-wrong-0"}})
    for n in range(3):
        with pytest.raises(AuthFailed):
            wrong.generate(f"key {n}", size=64)
    assert router.generate("a potion", size=64).images


def test_a_paid_job_is_collected_whatever_the_circuit_says(shops: Open) -> None:
    shop = shops("retrodiffusion", job_seconds=60)
    setting = {"breaker_failures": 1}
    with pytest.raises(StillRunning):
        one(shop, setting, timeout_s=0.3).generate("a cart", size=64)
    failing(shop, one(shop, setting), 1)
    router = one(shop, setting)
    with pytest.raises(CircuitOpen):
        router.generate("another", size=64)
    shop.simulator.advance(120)
    assert router.generate("a cart", size=64).images
    assert shop.simulator.paid_posts == 2


def test_lost_answers_open_it_and_zero_turns_it_off(shops: Open) -> None:
    shop = shops("pixellab")
    off = {"breaker_failures": 0}
    for n in range(6):
        shop.simulator.fault("lose_reply")
        with pytest.raises(PixelRouterError) as caught:
            one(shop, off).generate(f"x {n}", size=64)
        assert not isinstance(caught.value, CircuitOpen)
    with pytest.raises(CircuitOpen):
        one(shop, {"breaker_failures": 3}).generate("y", size=64)
    assert one(shop, off).generate("y", size=64).images


# --- a vendor that wants to be left alone ---


def test_whoever_comes_after_a_429_waits_if_alone_and_time_allows(shops: Open) -> None:
    shop = shops("retrodiffusion")
    router = one(shop)
    shop.simulator.fault("rate_limit", retry_after=1)
    with pytest.raises(RateLimited):
        router.generate("a", size=64)
    refused = shop.simulator.requests[-1].at
    with pytest.raises(RateLimited, match="left alone") as caught:
        router.generate("b", size=64, timeout_s=0.2)
    assert 0 < (caught.value.retry_after or 0) <= 1
    assert shop.simulator.paid_posts == 1
    told: list[str] = []
    art = router.generate("b", size=64, progress=lambda event: told.append(event.message))
    assert art.images
    assert sent(shop)[-1] >= refused + 0.95
    assert any("left alone" in message for message in told)


def test_others_are_asked_instead_and_the_refused_request_is_not_sent_again(shops: Open) -> None:
    first, second = shops("retrodiffusion"), shops("replicate")
    router = first.router(**both(first, second))
    first.simulator.fault("rate_limit", retry_after=300)
    art = router.generate("a", size=64)
    assert [(row.backend, row.state) for row in art.attempts] == [
        ("retrodiffusion", "released"),
        ("replicate", "settled"),
    ]
    art = router.generate("b", size=64)
    assert [row.backend for row in art.attempts] == ["replicate"]
    assert first.simulator.paid_posts == 1
    # When nobody else can, a long wait is told at once: it is beyond the caller's time.
    second.simulator.fault("rate_limit", retry_after=None)
    with pytest.raises(AllFailed) as caught:
        router.generate("c", size=64)
    assert [type(error) for error in caught.value.errors] == [RateLimited, RateLimited]
    assert "left alone" in str(caught.value.errors[1])
    assert first.simulator.paid_posts == 1


def test_an_absurd_wish_holds_for_an_hour(shops: Open) -> None:
    shop = shops("retrodiffusion")
    shop.simulator.fault("rate_limit", retry_after=999_999_999)
    with pytest.raises(RateLimited):
        one(shop).generate("a", size=64)
    with pytest.raises(RateLimited) as caught:
        one(shop).generate("b", size=64)
    assert (caught.value.retry_after or 0) <= 3600
    later(shop, 3601)
    assert one(shop).generate("b", size=64).images


# --- slots ---


def most_at_once(shop: Shop, seconds: float) -> int:
    """Most jobs that the vendor had at once, when each of them took so long."""
    starts = sent(shop)
    return max(sum(start <= at < start + seconds for start in starts) for at in starts)


def test_threads_never_pass_the_concurrency(shops: Open) -> None:
    shop = shops("replicate", job_seconds=0.15)
    routers = [one(shop, {"concurrency": 2}) for _ in range(2)]
    found = outcomes([lambda n=n: routers[n % 2].generate(f"potion {n}", size=64) for n in range(8)])
    assert all(hasattr(art, "images") for art in found), found
    assert most_at_once(shop, 0.15) <= 2
    shop.check_money(routers[0])


@pytest.mark.slow
def test_eight_processes_never_pass_the_concurrency(shops: Open) -> None:
    shop = shops("replicate", job_seconds=0.3)
    script = (
        "import json, sys; from pixelrouter import PixelRouter\n"
        "router = PixelRouter(**json.loads(sys.argv[1]))\n"
        "arts = router.generate_many([f'{sys.argv[2]} {n}' for n in range(4)], size=64, concurrency=4)\n"
        "print([str(result.error) for result in arts if result.error])"
    )
    section = {**shop.options()["backends"]["replicate"], "concurrency": 3, "timeout_s": 20}
    options = shop.options(timeout_s=120, backends={"replicate": section})
    command = [sys.executable, "-c", script, json.dumps({**options, "state": str(shop.state)})]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen([*command, str(n)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(8)
    ]
    told = [worker.communicate(timeout=200) for worker in workers]
    assert [out.strip() for out, _ in told] == [b"[]"] * 8, told
    assert len(shop.simulator.charges) == shop.simulator.paid_posts == 32
    assert 1 < most_at_once(shop, 0.3) <= 3


def test_no_slot_in_time_sends_nothing_and_holds_nothing(shops: Open) -> None:
    shop = shops("retrodiffusion", job_seconds=30)
    router = one(shop, {"concurrency": 1})
    first = threading.Thread(target=outcomes, args=([lambda: router.generate("a", size=64, timeout_s=0.8)],))
    first.start()
    while not shop.simulator.paid_posts:
        time.sleep(0.01)
    told: list[str] = []
    with pytest.raises(DeadlineExceeded, match="free slot"):
        router.generate("b", size=64, timeout_s=0.2, progress=lambda event: told.append(event.message))
    assert any("waiting for a free slot" in message for message in told)
    assert shop.simulator.paid_posts == 1
    assert [row.state for row in router.attempts() if row.prompt == "b"] == ["released"]
    first.join()
    # Its caller has gone, so the slot is free, although the vendor still draws.
    with pytest.raises(StillRunning):
        router.generate("b", size=64, timeout_s=0.3)
    assert shop.simulator.paid_posts == 2


def test_first_come_first_served(shops: Open) -> None:
    shop = shops("retrodiffusion", job_seconds=0.1)
    router = one(shop, {"concurrency": 1})
    threads = []
    for n in range(5):
        threads.append(threading.Thread(target=router.generate, args=(f"potion {n}",), kwargs={"size": 64}))
        threads[-1].start()
        while sum(row.prompt == f"potion {n}" for row in router.attempts()) == 0:
            time.sleep(0.005)
    for thread in threads:
        thread.join()
    order = sorted(router.attempts(), key=lambda row: row.sent_at or 0)
    assert [row.prompt for row in order] == [f"potion {n}" for n in range(5)]


def test_requests_a_minute_are_counted_over_all_routers(shops: Open) -> None:
    shop = shops("retrodiffusion")
    setting = {"per_minute": 2}
    for n in range(2):
        one(shop, setting).generate(f"potion {n}", size=64)
    with pytest.raises(DeadlineExceeded, match="2 of 2 requests a minute"):
        one(shop, setting).generate("one more", size=64)
    assert shop.simulator.paid_posts == 2
    later(shop, 61)
    assert one(shop, setting).generate("one more", size=64).images


@pytest.mark.slow
def test_a_dead_routers_job_takes_no_slot(shops: Open) -> None:
    shop = shops("replicate", job_seconds=60)
    lost = one(shop, {"concurrency": 1})
    script = (
        "import json, os, sys, threading, time; from pixelrouter import PixelRouter\n"
        "router = PixelRouter(**json.loads(sys.argv[1]))\n"
        "threading.Thread(target=router.generate, args=('a',), kwargs={'size': 64}, daemon=True).start()\n"
        "while not any(row.state == 'accepted' for row in router.jobs()): time.sleep(0.01)\n"
        "os._exit(9)"
    )
    options = {**both(shop), "state": str(shop.state)}
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script, json.dumps(options)], env=env, timeout=60, check=False)
    assert [row.state for row in lost.jobs()] == ["accepted"]
    with pytest.raises(StillRunning):
        lost.generate("b", size=64, timeout_s=6)
    assert shop.simulator.paid_posts == 2


# --- deadlines decide what may start, not what may finish ---


def test_nothing_paid_starts_after_the_deadline(shops: Open) -> None:
    shop = shops("retrodiffusion")
    with pytest.raises(DeadlineExceeded):
        one(shop).generate("a", size=64, timeout_s=0)
    assert shop.simulator.paid_posts == 0
    assert not [row for row in one(shop).attempts() if row.state != "released"]


def test_a_paid_request_under_way_is_not_cut_short(shops: Open) -> None:
    shop = shops("pixellab")  # answers with the picture
    shop.simulator.fault("late", seconds=0.6)
    art = one(shop, {"timeout_s": 5}).generate("a", size=64, timeout_s=0.3)
    assert art.attempts[-1].state == "settled"
    assert len(shop.simulator.charges) == 1


def test_the_download_of_a_finished_job_is_not_cut_short(shops: Open) -> None:
    shop = shops("replicate")
    begun = time.monotonic()

    def slow(request: httpx.Request, response: httpx.Response) -> None:
        if request.method == "GET" and "image" in response.headers.get("content-type", ""):
            time.sleep(max(0.0, begun + 0.7 - time.monotonic()))

    router = shop.router(**{**both(shop), "transport": Meddler(slow)})
    assert router.generate("a", size=64, timeout_s=0.6).images
    assert time.monotonic() > begun + 0.6


def test_no_other_backend_is_asked_after_the_deadline(shops: Open) -> None:
    first, second = shops("retrodiffusion"), shops("replicate")

    def slow(request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code == 503:
            time.sleep(0.6)

    first.simulator.fault("overloaded", retry_after=None)
    route = [first.name, second.name, "procedural"]  # the free one neither: the caller has gone
    router = first.router(**both(first, second, transport=Meddler(slow), route=route))
    with pytest.raises(AllFailed) as caught:
        router.generate("a", size=64, timeout_s=0.4)
    assert [type(error) for error in caught.value.errors] == [Overloaded, DeadlineExceeded, DeadlineExceeded]
    assert second.simulator.paid_posts == 0


def test_no_second_step_starts_after_the_deadline(shops: Open) -> None:
    shop = shops("fal")
    begun = time.monotonic()

    def dawdle(event: Any) -> None:
        if event.stage == "download":  # of the first step's picture, which is brought home
            time.sleep(max(0.0, begun + 2.6 - time.monotonic()))

    with pytest.raises(DeadlineExceeded):
        shop.router().rotate("a cart", views="2x2", size=32, timeout_s=2.5, progress=dawdle)
    assert shop.simulator.paid_posts == 1
    assert len(shop.router().rotate("a cart", views="2x2", size=32, timeout_s=20).names) == 4
    assert shop.simulator.paid_posts == 2  # the first step was kept


def test_an_unclear_outcome_still_stops_the_route(shops: Open) -> None:
    first, second = shops("pixellab"), shops("replicate")
    first.simulator.fault("lose_reply")
    with pytest.raises((OutcomeUnknown, NotSent, PixelRouterError)) as caught:
        first.router(**both(first, second)).generate("a", size=64)
    assert not isinstance(caught.value, AllFailed)
    assert second.simulator.paid_posts == 0
