"""Stopping a job: what the ledger says of it then is what the vendor took, whoever else was looking at it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pixelrouter.errors import InvalidRequest, JobFailed, PixelRouterError, RequestRejected, StillRunning
from pixelrouter.testing.shop import Shop
from tests.routing.meddler import Meddler

CALLS = {"replicate": {"prompt": "a red potion", "size": 64}, "fal": {"prompt": "a red potion", "size": 32}}
Open = Callable[..., Shop]


def started(shop: Shop) -> str:
    """The id of a job that is under way, and that nobody waits for."""
    with pytest.raises(StillRunning):
        shop.router(timeout_s=0.5).generate(**CALLS[shop.name])
    (attempt,) = shop.router().jobs()
    return attempt.id


def check(shop: Shop) -> None:
    """Nothing is open, and what is booked is what was taken, or more where the vendor does not say."""
    router = shop.router()
    assert not router.jobs()
    shop.check_money(router)


@pytest.mark.parametrize("vendor", CALLS)
def test_a_job_that_runs_is_stopped_once(shops: Open, vendor: str) -> None:
    shop = shops(vendor, job_seconds=60)
    attempt = started(shop)
    router = shop.router()
    row = router.cancel(attempt)
    assert row.state in ("settled", "released")
    assert (row.state == "settled") >= bool(shop.simulator.charges)
    check(shop)
    with pytest.raises(InvalidRequest, match=row.state):
        router.cancel(attempt)
    check(shop)
    assert shop.simulator.paid_posts == 1


def test_a_stopped_job_that_is_free_is_released(shops: Open) -> None:
    shop = shops("fal", job_seconds=60)
    row = shop.router().cancel(started(shop))
    assert not shop.simulator.charges
    assert not row.cost.money or row.cost.source == "unknown"


@pytest.mark.parametrize("vendor", CALLS)
def test_a_job_that_was_through_keeps_its_image(shops: Open, vendor: str) -> None:
    shop = shops(vendor, job_seconds=60)
    attempt = started(shop)
    shop.simulator.advance(120)
    router = shop.router()
    with contextlib.suppress(RequestRejected):  # some vendors say that it is too late
        router.cancel(attempt)
    art = router.generate(**CALLS[vendor])
    assert art.raws
    assert art.paid.money.micros >= shop.simulator.charged_total.micros > 0
    assert shop.simulator.paid_posts == 1
    check(shop)


@pytest.mark.parametrize("vendor", CALLS)
def test_while_another_waits_for_the_job(shops: Open, vendor: str) -> None:
    shop = shops(vendor, job_seconds=60)
    polling = threading.Event()

    def watch(event: Any) -> None:
        if event.stage == "wait":
            polling.set()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shop.router(timeout_s=30).generate, **CALLS[vendor], progress=watch)
        assert polling.wait(20)
        canceller = shop.router()
        (attempt,) = canceller.jobs()
        row = canceller.cancel(attempt.id)
        with pytest.raises(JobFailed):
            waiting.result(30)
    assert row.state in ("settled", "released")
    assert shop.simulator.paid_posts == 1
    check(shop)


@pytest.mark.parametrize("vendor", CALLS)
def test_by_two_at_once(shops: Open, vendor: str) -> None:
    shop = shops(vendor, job_seconds=60)
    attempt = started(shop)

    def cancel(router: Any) -> Any:
        try:
            return router.cancel(attempt).state
        except PixelRouterError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(cancel, [shop.router() for _ in range(4)]))
    # The vendor may tell the slower ones that there is nothing left to stop; nobody trips over the others' work.
    assert not [each for each in found if type(each).__name__ in ("LedgerError", "StillRunning")], found
    assert {each for each in found if isinstance(each, str)} <= {"settled", "released"}
    check(shop)


@pytest.mark.slow
@pytest.mark.parametrize("vendor", CALLS)
def test_an_answer_that_is_lost_changes_nothing(shops: Open, vendor: str) -> None:
    shop = shops(vendor, job_seconds=60)
    attempt = started(shop)

    def lose(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path.endswith("/cancel"):
            raise httpx.ReadError("gone")

    try:
        row = shop.router(transport=Meddler(lose), timeout_s=3).cancel(attempt)
    except PixelRouterError:
        (row,) = shop.router().jobs()
    assert row.state in ("accepted", "settled", "released")
    router = shop.router()
    router.resume()  # the vendor had stopped it all the same
    check(shop)
    assert shop.simulator.paid_posts == 1


def test_where_the_vendor_offers_no_way(shops: Open) -> None:
    shop = shops("pixellab", job_seconds=60)
    call = {"prompt": "a baker", "size": 32, "model": "character-4", "task": "views", "views": "4"}
    with pytest.raises(StillRunning):
        shop.router(timeout_s=0.5).generate(**call)
    router = shop.router()
    (attempt,) = router.jobs()
    with pytest.raises(InvalidRequest, match="no way"):
        router.cancel(attempt.id)
    assert [job.state for job in router.jobs()] == ["accepted"]
    shop.check_money(router)
