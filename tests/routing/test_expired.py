"""An image that was paid for and deleted by the vendor before we came: booked, told with all that a complaint needs.

It is bought anew only on demand. What is left of several files is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from pixelrouter.errors import IncompleteDelivery, PixelRouterError, ResultExpired, StillRunning
from pixelrouter.testing.shop import Shop

Open = Callable[..., Shop]
DAYS = 24 * 3600
CALL: dict[str, dict[str, Any]] = {
    "retrodiffusion": {"prompt": "a red potion", "size": 64},
    "retrodiffusion-v1": {"prompt": "a red potion", "size": 64},
    "replicate": {"prompt": "a red potion", "size": 64},
    "fal": {"prompt": "a red potion", "size": 32},
    "pixellab": {"prompt": "a baker", "size": 32, "model": "character-4", "task": "views", "views": "4"},
}


def open_shop(shops: Open, name: str, **knobs: Any) -> Shop:
    return shops(name.removesuffix("-v1"), **knobs)


def router_of(shop: Shop, name: str, **options: Any) -> Any:
    made = shop.options(**options)
    if name.endswith("-v1"):
        made["backends"][shop.name]["api_version"] = "v1"
    return shop.router(**made)


def left_at_the_vendor(shops: Open, name: str, *faults: str) -> Shop:
    """A job that is accepted, and whose time is over before anybody comes for it."""
    shop = open_shop(shops, name, job_seconds=60)
    for fault in faults:
        shop.simulator.fault(fault)
    with pytest.raises(StillRunning):
        router_of(shop, name, timeout_s=0.3).generate(**CALL[name])
    return shop


def check_lost(shop: Shop, name: str) -> ResultExpired:
    """Told the same at every call, without a question to the vendor; paid once; and bought anew when asked to."""
    router = router_of(shop, name)
    with pytest.raises(ResultExpired) as first:
        router.generate(**CALL[name])
    asked = len(shop.simulator.requests)
    with pytest.raises(ResultExpired) as second:
        router.generate(**CALL[name])
    assert len(shop.simulator.requests) == asked
    assert str(second.value) == str(first.value)
    assert second.value.as_dict() == first.value.as_dict()
    (row,) = router.attempts()
    for error in (first.value, second.value):
        assert error.money == "yes"
        assert error.charged == row.charged
        assert row.vendor_request
        assert error.vendor_request == row.vendor_request
        assert error.paid_at in error.message
        for part in (row.vendor_request, str(row.charged), row.id[:12], shop.name):
            assert part in error.message
        assert "fresh=True" in error.hint
    assert row.state == "settled"
    assert not router.jobs()
    shop.check_money(router)
    assert shop.simulator.paid_posts == 1
    return first.value


def test_a_prediction_whose_files_are_gone_after_an_hour(shops: Open) -> None:
    shop = left_at_the_vendor(shops, "replicate")
    shop.simulator.advance(2 * 3600)
    assert "an hour" in check_lost(shop, "replicate").message
    art = shop.router(timeout_s=60)
    shop.simulator.fault("job_stuck")
    with pytest.raises(StillRunning):  # bought anew, and this time not done yet
        art.generate(**CALL["replicate"], fresh=True, timeout_s=0.3)
    assert shop.simulator.paid_posts == 2


@pytest.mark.parametrize("name", ["retrodiffusion", "retrodiffusion-v1"])
def test_files_that_retro_diffusion_keeps_for_a_day(shops: Open, name: str) -> None:
    shop = left_at_the_vendor(shops, name, "url_only")
    shop.simulator.advance(2 * DAYS)
    check_lost(shop, name)


@pytest.mark.parametrize("name", ["retrodiffusion", "retrodiffusion-v1"])
def test_addresses_that_expired_are_signed_anew(shops: Open, name: str) -> None:
    """After 15 minutes, and within a day: nothing is lost, on v1 neither."""
    shop = left_at_the_vendor(shops, name, "url_only")
    shop.simulator.advance(3600)
    (art,) = router_of(shop, name).resume()
    assert not isinstance(art, PixelRouterError), art
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


@pytest.mark.parametrize("name", ["replicate", "fal", "pixellab", "retrodiffusion", "retrodiffusion-v1"])
def test_an_image_that_is_gone_from_its_address(shops: Open, name: str) -> None:
    shop = open_shop(shops, name)
    if shop.name in ("retrodiffusion", "pixellab"):
        shop.simulator.fault("url_only")
    shop.simulator.fault("expired_url", times=8, gone=True)
    check_lost(shop, name)


@pytest.mark.parametrize("name", CALL)
def test_a_job_that_the_vendor_knows_no_more(shops: Open, name: str) -> None:
    """Asked by the account that bought it, long after: it will not come back."""
    shop = left_at_the_vendor(shops, name)
    shop.simulator.reset()  # it has forgotten everything
    shop.simulator.advance(40 * DAYS)
    (error,) = router_of(shop, name).resume()
    assert isinstance(error, ResultExpired), error
    assert error.vendor_request is not None
    assert error.vendor_request in error.message
    router = router_of(shop, name)
    (row,) = router.attempts()
    assert row.state == "settled"
    assert row.charged == row.held
    with pytest.raises(ResultExpired):
        router.generate(**CALL[name])
    assert shop.simulator.paid_posts == 0  # since it forgot


@pytest.mark.parametrize("name", ["fal", "replicate"])
def test_a_job_that_is_not_known_today_may_be_known_tomorrow(shops: Open, name: str) -> None:
    shop = left_at_the_vendor(shops, name)
    shop.simulator.reset()
    (error,) = router_of(shop, name).resume()
    assert isinstance(error, StillRunning)
    assert [row.state for row in router_of(shop, name).jobs()] == ["accepted"]


def test_another_accounts_key_loses_nothing(shops: Open) -> None:
    """To a key of another account the vendor says the same as of a job that it has lost."""
    shop = shops("replicate", job_seconds=60, keys=("r8_sim_0000000000000001", "r8_sim_0000000000000002"))
    shop.key = "r8_sim_0000000000000001"
    with pytest.raises(StillRunning):
        shop.router(timeout_s=0.3).generate(**CALL["replicate"])
    shop.simulator.reset()
    shop.simulator.advance(40 * DAYS)
    (error,) = shop.router(keys={"replicate": "r8_sim_0000000000000002"}).resume()
    assert isinstance(error, StillRunning)
    assert [row.state for row in shop.router().jobs()] == ["accepted"]


def test_what_is_left_of_several_images_is_kept(shops: Open) -> None:
    shop = shops("retrodiffusion")
    shop.simulator.fault("url_only")
    shop.simulator.fault("expired_url", gone=True)  # of two, the first
    router = shop.router()
    with pytest.raises(IncompleteDelivery) as caught:
        router.generate("a red potion", size=64, n=2)
    assert caught.value.art is not None
    assert len(caught.value.art.images) == 1
    assert any("1 of 2 files are lost" in note for note in caught.value.art.notes)
    (row,) = router.attempts()
    assert len(row.raws) == 1
    assert "no longer" in (row.error or "")
    shop.check_money(router)
    assert shop.simulator.paid_posts == 1


def test_it_is_booked_as_spent_and_shows_as_lost(shops: Open) -> None:
    shop = left_at_the_vendor(shops, "replicate")
    shop.simulator.advance(2 * 3600)
    router = shop.router()
    (error,) = router.resume()
    assert isinstance(error, ResultExpired)
    (row,) = router.attempts()
    (total,) = router.costs(by="backend")
    assert total["held"] == "0"
    assert total["spent"] == total["lost"] == str(row.cost.money.amount)
    (again,) = router.resume(row.id)
    assert isinstance(again, ResultExpired)
    with sqlite3.connect(shop.state / "ledger.db") as db:
        ((kept,),) = db.execute("SELECT error_type FROM attempt")
    db.close()
    assert kept == "ResultExpired"
