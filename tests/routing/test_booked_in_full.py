"""What a vendor took is never above what the books say: failed jobs, dearer bills, unknown prices, other currencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pixelrouter.errors import JobFailed, OutcomeUnknown, OverBudget, PixelRouterError, StillRunning
from pixelrouter.routing.pricing.bills import warnings
from pixelrouter.testing.shop import Shop
from pixelrouter.types import Cost, Money

Open = Callable[..., Shop]


def retrodiffusion(shop: Shop, version: str, **options: Any) -> Any:
    made = shop.options(**options)
    made["backends"]["retrodiffusion"]["api_version"] = version
    return shop.router(**made)


@pytest.mark.parametrize("version", ["v2", "v1"])
@pytest.mark.parametrize("refund", [True, False])
def test_a_failed_job_is_booked_as_the_vendors_activity_says(shops: Open, version: str, refund: bool) -> None:
    """Retro Diffusion documents refunds; whether this job's came is told by its API Activity."""
    shop = shops("retrodiffusion")
    shop.simulator.fault("job_failed", refund=refund)
    router = retrodiffusion(shop, version)
    with pytest.raises(JobFailed) as caught:
        router.generate("a red potion", size=64)
    assert caught.value.charged == shop.simulator.charged_total
    (row,) = router.attempts()
    assert row.cost.money == shop.simulator.charged_total
    assert row.state == ("released" if refund else "settled")
    shop.check_money(router)
    if not refund:
        assert row.cost.source == "reported"
        assert row.vendor_request is not None
        assert row.vendor_request in str(caught.value)


def test_a_failed_job_whose_refund_nobody_confirms_stays_booked(shops: Open) -> None:
    shop = shops("retrodiffusion")
    shop.simulator.fault("job_failed", refund=False)
    shop.simulator.fault("server_error", times=50, on="list")
    router = shop.router(timeout_s=1)
    with pytest.raises((JobFailed, StillRunning)):
        router.generate("a red potion", size=64)
    shop.check_money(router)


def dearer(shop: Shop, factor: int) -> None:
    """The vendor raises every unit price."""
    endpoints = shop.simulator._endpoints  # type: ignore[attr-defined]  # the fal simulator's own
    for name, one in endpoints.items():
        endpoints[name] = replace(one, price=str(Decimal(one.price) * factor))


def test_a_unit_price_that_rises_between_quote_and_bill(shops: Open) -> None:
    shop = shops("fal")
    router = shop.router()
    quoted = router.quote("a red potion", size=32)
    dearer(shop, 3)
    art = router.generate("a red potion", size=32)
    (charge,) = shop.simulator.charges
    assert quoted.money < charge.money == art.cost.money
    shop.check_money(router)


def test_a_unit_price_that_rises_while_the_job_runs(shops: Open) -> None:
    """Which of the two the vendor takes, it does not say: the dearer one is booked."""
    shop = shops("fal", job_seconds=60)
    router = shop.router()
    with pytest.raises(StillRunning):
        router.generate("a red potion", size=32, timeout_s=0.3)
    dearer(shop, 2)
    shop.simulator.advance(120)
    (art,) = router.resume()
    assert not isinstance(art, PixelRouterError)
    (charge,) = shop.simulator.charges
    assert art.cost.money.micros == 2 * charge.money.micros
    shop.check_money(router)


def test_many_images_ask_for_the_price_only_when_they_have_to(shops: Open) -> None:
    shop = shops("fal")
    router = shop.router()
    for number in range(4):
        router.generate(f"a red potion {number}", size=32)
    asked = sum("pricing" in request.path for request in shop.simulator.requests)
    assert asked <= 1 + 4


def test_a_price_that_nobody_knows_is_held_all_the_same(shops: Open) -> None:
    """Without a cap it is bought; the dearest price of the vendor's list stands in, and the caller is told."""
    shop = shops("retrodiffusion", job_seconds=60)
    shop.simulator.fault("server_error", times=50, on="quote")  # and its own quote cannot be had
    made = shop.options()
    del made["backends"]["retrodiffusion"]["price_usd"]
    call = {"prompt": "a red potion", "size": 64, "model": "rd_tile__scene_object"}
    quote = shop.router(**made).quote(**call)
    assert quote.cost.source == "unknown"
    assert quote.money > Money(0)
    assert any("nobody" in note.lower() for note in quote.notes)
    router = shop.router(**made)
    with pytest.raises(StillRunning):
        router.generate(**call, timeout_s=0.3)
    (row,) = router.jobs()
    assert (row.held, row.cost_source) == (quote.money, "unknown")
    shop.simulator.advance(120)
    (art,) = router.resume()
    assert not isinstance(art, PixelRouterError)
    assert art.cost.source == "reported"  # the bill says it after all
    shop.check_money(router)


def test_a_cost_that_is_a_guess_says_so(shops: Open) -> None:
    router = shops("replicate").router()
    router.generate("a red potion", size=64)
    (row,) = router.attempts()
    (note,) = warnings(row, Cost(Money.of("0.02"), "unknown"))
    assert "Nobody knows the price" in note
    assert "$0.02" in note
    assert not warnings(row, Cost(Money.of("0.02"), "listed"))


def test_a_bill_in_another_currency_is_told_loudly(shops: Open) -> None:
    """A plan that has run out goes on in dollars, which no cap on generations holds."""
    shop = shops("pixellab", account="subscription", generations="1", balance="10")
    made = shop.options(max_usd_per_project=0.001)
    made["backends"]["pixellab"] |= {"account": "subscription"}
    del made["backends"]["pixellab"]["price_usd"]
    router = shop.router(**made)
    plan = router.generate("a red potion 1", size=64)
    assert (plan.cost.money.unit, plan.notes) == ("generations", ())
    art = router.generate("a red potion 2", size=64)
    assert art.cost.money.unit == "usd"
    assert any(str(art.cost.money) in note and "not generations" in note for note in art.notes)
    with pytest.raises(OverBudget):  # and no more of them
        router.generate("a red potion 3", size=64)
    assert shop.simulator.paid_posts == 2
    shop.check_money(router)


@pytest.mark.parametrize("charged", [True, False])
def test_a_persons_word_is_kept_as_evidence(shops: Open, charged: bool) -> None:
    shop = shops("pixellab")
    shop.simulator.fault("lose_reply")
    shop.simulator.fault("server_error", times=20, on="balance")
    router = shop.router()
    with pytest.raises(OutcomeUnknown):
        router.generate("a red potion", size=64, model="pixflux")
    (row,) = router.jobs()
    closed = router.settle(row.id) if charged else router.release(row.id)
    assert closed.state == ("settled" if charged else "released")
    assert closed.evidence["means"] == "hand"
    assert closed.evidence["outcome"] == ("charged" if charged else "not charged")
    assert closed.evidence["account"] == row.evidence["account"]
    assert not router.jobs()


def test_a_job_that_never_ends_can_be_closed_by_hand(shops: Open) -> None:
    shop = shops("fal")
    shop.simulator.fault("job_stuck")
    router = shop.router()
    with pytest.raises(StillRunning):
        router.generate("a red potion", size=32, timeout_s=0.3)
    (row,) = router.jobs()
    assert router.settle(row.id).state == "settled"
    with pytest.raises(PixelRouterError, match="person's word"):
        router.generate("a red potion", size=32)
    assert shop.simulator.paid_posts == 1
