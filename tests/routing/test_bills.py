"""Whatever a vendor's bill says, spent is never below charged, nothing absurd is booked, and nothing crashes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from pixelrouter.errors import JobFailed, OverBudget
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.pricing.bills import MOST
from pixelrouter.store import Store
from pixelrouter.testing.shop import Shop
from pixelrouter.types import Cost, Money
from tests.money.test_ledger import PURSE, draft
from tests.routing.meddler import Meddler, answer

HEADER = "x-fal-billable-units"


@pytest.fixture
def fal(shops: Callable[..., Shop]) -> Shop:
    return shops("fal")


@pytest.fixture
def lab(shops: Callable[..., Shop]) -> Callable[..., Shop]:
    return functools.partial(shops, "pixellab")


def billed(units: str | None) -> Meddler:
    """Results say that they were billed so many units."""

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        return answer(response, x_fal_billable_units=units) if HEADER in response.headers else None

    return Meddler(change)


@pytest.mark.parametrize("units", ["0", "0.25", "1.0000001", "3"])
def test_units_are_booked_at_the_noted_price_rounded_up(fal: Shop, units: str) -> None:
    router = fal.router(transport=billed(units))
    art = router.generate("a rock", size=32)
    (attempt,) = art.attempts
    assert attempt.unit_price is not None
    exact = attempt.unit_price.micros * Decimal(units)
    assert exact <= art.paid.money.micros < exact + 1
    assert art.paid.source == "reported"


@pytest.mark.parametrize("units", [None, "-3", "NaN", "sNaN", "1e12", "1e999999999", "two", str(MOST + 1)])
def test_a_bill_that_cannot_be_books_what_was_held(fal: Shop, units: str | None) -> None:
    router = fal.router(transport=billed(units))
    art = router.generate("a rock", size=32)
    (attempt,) = art.attempts
    assert attempt.quoted is not None
    assert art.paid == attempt.quoted  # with its source: the vendor did not say
    fal.check_money(router)


def test_a_bill_above_the_cap_is_booked_whole_and_stops_the_next(fal: Shop) -> None:
    router = fal.router(transport=billed("1000"), max_usd_per_day=1)
    art = router.generate("a rock", size=32)
    assert art.paid.money > Money.of(1)
    with pytest.raises(OverBudget) as caught:
        router.generate("another rock", size=32)
    assert not caught.value.left
    assert fal.simulator.paid_posts == 1
    (day,) = router.costs()
    assert Decimal(day["over_quote"]) > 0


@pytest.mark.parametrize(("units", "state"), [pytest.param(0, "released", marks=pytest.mark.slow), (2, "settled")])
def test_a_failed_job_is_booked_as_billed(fal: Shop, units: int, state: str) -> None:
    fal.simulator.fault("job_failed", refund=False)

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        return answer(response, x_fal_billable_units=str(units)) if HEADER in response.headers else None

    router = fal.router(transport=Meddler(change))
    with pytest.raises(JobFailed) as caught:
        router.generate("a rock", size=32)
    (attempt,) = router.attempts()
    assert attempt.state == state
    assert caught.value.charged == attempt.cost.money
    assert attempt.cost.source == "reported"


@pytest.mark.parametrize("charged", [Money(-1), Money(MOST * 1_000_000 + 1), Money(10**20), Money(-1, "generations")])
def test_a_backend_that_reports_what_cannot_be_is_not_believed(tmp_path: Path, charged: Money) -> None:
    ledger = Ledger(tmp_path / "ledger.db", owner="me")
    reservation = ledger.reserve(draft(1), PURSE)
    assert reservation is not None
    ledger.sending(reservation.attempt.id)
    error = Collector(ledger, Store(tmp_path / "store")).failed(reservation.attempt, JobFailed("no", charged=charged))
    assert error.charged is None
    row = ledger.get(reservation.attempt.id)
    assert row is not None
    assert row.cost == Cost(reservation.attempt.held, "unknown")
    assert ledger.used(PURSE, "day") == reservation.attempt.held
    ledger.close()


def usage(value: Any) -> Meddler:
    """PixelLab's answers to paid requests say this of their cost; ``value`` is JSON text."""

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        if request.method != "POST" or not response.is_success:
            return None
        body = {**response.json(), "usage": "@"}
        return answer(response, body=json.dumps(body).replace('"@"', value).encode())

    return Meddler(change)


@pytest.mark.parametrize(
    "value",
    [
        "null", "0", "[]", '"much"', '{"type": "usd"}', '{"type": "usd", "usd": null}', '{"type": "usd", "usd": 0.0}',
        '{"type": "usd", "usd": -1}', '{"type": "usd", "usd": 1e12}', '{"type": "usd", "usd": "NaN"}',
        '{"type": "usd", "usd": true}', '{"type": "pixels", "pixels": 3}', '{"type": "generations", "generations": 0}',
    ],
)  # fmt: skip
def test_a_usage_that_says_nothing_books_what_was_held(lab: Callable[..., Shop], value: str) -> None:
    shop = lab()
    router = shop.router(transport=usage(value))
    art = router.generate("a rock", size=64, model="pixflux")
    (attempt,) = art.attempts
    assert art.paid == attempt.quoted
    shop.check_money(router)


@pytest.mark.parametrize("value", ['{"type": "usd", "usd": NaN}', '{"type": "usd", "usd": 1e999999999}'])
def test_a_usage_that_is_hardly_json_crashes_nothing(lab: Callable[..., Shop], value: str) -> None:
    shop = lab()
    router = shop.router(transport=usage(value))
    (outcome,) = router.generate_many([{"prompt": "a rock", "size": 64, "model": "pixflux"}])
    assert outcome.art or outcome.error  # anything else than a PixelRouterError would have come through
    assert [attempt.held + (attempt.charged or Money(0)) for attempt in router.attempts()] >= [Money(1)]
    shop.check_money(router)


def test_a_bill_in_generations_is_booked_in_generations(lab: Callable[..., Shop]) -> None:
    shop = lab(account="subscription", generations="100")
    router = shop.router(max_usd_per_day=1, max_generations_per_day=2)  # the config says that the account pays dollars
    for n in range(2):
        art = router.generate(f"rock {n}", size=64, model="pixflux")
        assert art.paid.money == Money.of(1, "generations")
        assert art.cost.money == art.paid.money
    shop.check_money(router)
    assert router._open().ledger.used(router._open().ask("x").purse, "day").micros == 0


def test_a_bill_in_dollars_where_generations_were_held(lab: Callable[..., Shop]) -> None:
    shop = lab(balance="10")
    section = {**shop.options()["backends"]["pixellab"], "account": "subscription", "price_usd": None}
    router = shop.router(backends={"pixellab": section}, max_usd_per_day=0.001)
    art = router.generate("a rock", size=64, model="pixflux")
    assert art.paid.money == shop.simulator.charged_total
    assert art.attempts[0].quoted is not None
    assert art.attempts[0].quoted.money.unit == "generations"
    shop.check_money(router)


def test_a_dearer_bill_than_the_list_is_booked_as_billed(lab: Callable[..., Shop]) -> None:
    shop = lab(surcharge="0.5")
    section = {**shop.options()["backends"]["pixellab"], "price_usd": None}
    router = shop.router(backends={"pixellab": section})
    art = router.generate("a rock", size=64, model="pixflux")
    assert art.paid.money == shop.simulator.charged_total
    assert art.paid.money > art.attempts[0].quoted.money  # type: ignore[union-attr]  # every new attempt has a quote
