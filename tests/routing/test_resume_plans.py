"""Plans of several images, steps or verdicts, collected by id: shown, booked and bought as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pixelrouter.errors import PixelRouterError, QualityRejected, StillRunning
from pixelrouter.testing.shop import Shop

Open = Callable[..., Shop]


def begun(shop: Shop, call: dict[str, Any]) -> str:
    """The id of the job that the call leaves when its time is over."""
    with pytest.raises(StillRunning):
        shop.router(timeout_s=1.0).generate(**call)
    (job,) = shop.router().jobs()
    assert "pixelrouter resume" in shop.router().advice(job)
    return job.id


@pytest.mark.parametrize(
    ("vendor", "call", "count"),
    [
        ("retrodiffusion", {"prompt": "a red potion", "size": 64, "n": 3}, 3),
        ("replicate", {"prompt": "a red potion", "size": 64, "n": 2}, 2),
        ("pixellab", {"prompt": "a baker", "size": 32, "model": "character-4", "task": "views", "views": "4"}, 4),
        ("retrodiffusion", {"prompt": "grass", "task": "tileset", "tiles": "wang", "upper": "stone", "size": 32}, 20),
    ],
)
def test_all_images_of_a_job_by_the_beginning_of_its_id(
    shops: Open, vendor: str, call: dict[str, Any], count: int
) -> None:
    shop = shops(vendor, job_seconds=60)
    job = begun(shop, call)
    shop.simulator.advance(120)
    (art,) = shop.router().resume(job[:8])
    assert not isinstance(art, PixelRouterError), art
    assert len(art.images) == count
    again = shop.router().generate(**call)
    assert again.reused
    assert again.names == art.names
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    shop.check_money(shop.router())


def test_the_first_of_two_steps_is_collected_and_the_second_bought_once(shops: Open) -> None:
    shop = shops("fal", job_seconds=60)
    call = {"prompt": "a cart", "task": "views", "views": "2x2", "size": 32}
    first = begun(shop, call)
    shop.simulator.advance(120)
    (picture,) = shop.router().resume(first)
    assert not isinstance(picture, PixelRouterError)
    second = begun(shop, call)  # goes on with the picture
    assert second != first
    assert shop.simulator.paid_posts == 2
    shop.simulator.advance(120)
    assert len(shop.router().generate(**call).images) == 4
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 2
    assert {row.state for row in shop.router().attempts()} == {"settled"}
    shop.check_money(shop.router())


@pytest.mark.parametrize("wish", [{"policy": "reject"}, {"min_score": 80}])
def test_what_your_own_policy_turns_down_is_shown_as_that(shops: Open, wish: dict[str, Any]) -> None:
    shop = shops("fal", job_seconds=60, native=1024, noise=6)  # an illustration
    call = {"prompt": "a small wooden cart", "size": 32, **wish}
    job = begun(shop, call)
    shop.simulator.advance(120)
    for _ in range(2):  # resumed again by id: judged again, and nothing else
        (error,) = shop.router().resume(job)
        assert isinstance(error, QualityRejected)
    router = shop.router()
    (row,) = router.attempts()
    assert row.state == "settled"
    assert row.raws
    assert "turned down" in router.advice(row)
    (total,) = router.costs(by="backend")
    assert total["turned_down"] == total["spent"] == str(row.cost.money.amount)
    with pytest.raises(QualityRejected):
        router.generate(**call)
    assert shop.simulator.paid_posts == 1
    assert router.generate("a small wooden cart", size=32).reused  # finished anew for nothing
    shop.check_money(router)


def test_an_edit_is_resumed_without_its_picture_and_named_by_its_asset(shops: Open) -> None:
    from tests.routing.test_resume import sprite

    shop = shops("retrodiffusion", job_seconds=60)
    call = {"prompt": "with a hat", "task": "edit", "images": [sprite(64)], "asset": "hat", "tags": ["npc"]}
    job = begun(shop, call)
    shop.simulator.advance(120)
    (art,) = shop.router().resume(job)
    assert not isinstance(art, PixelRouterError), art
    assert (art.attempts[-1].asset, art.attempts[-1].tags) == ("hat", ("npc",))
    assert shop.router().generate(**call).reused
    assert shop.simulator.paid_posts == 1
