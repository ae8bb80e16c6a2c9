"""A request that takes two purchases: both quoted, both under the caps, each paid once, the first reused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import OutcomeUnknown, OverBudget, StillRunning
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.types import VIEW_NAMES

PROMPT = "a small wooden cart"
Make = Callable[..., PixelRouter]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with FalSimulator() as simulator:
        shop = Shop("fal", simulator, tmp_path / "state")
        yield shop
        shop.close()


def test_the_plan_is_quoted_as_two_purchases(shop: Shop) -> None:
    quote = shop.router().quote(PROMPT, task="views", views="2x2", size=32)
    assert len(quote.steps) == 2
    assert quote.money == quote.steps[0].money + quote.steps[1].money
    assert all(step.money for step in quote.steps)
    assert shop.simulator.paid_posts == 0
    assert [row["model"] for row in shop.router().dry_run(PROMPT, task="views", views="2x2", size=32)] == [
        quote.steps[0].model,
        quote.steps[1].model,
    ]


def test_both_steps_are_bought_once_and_the_views_are_cut_and_named(shop: Shop) -> None:
    router = shop.router()
    quote = router.quote(PROMPT, task="views", views="2x2", size=32)
    art = router.rotate(PROMPT, views="2x2", size=32)
    assert art.names == VIEW_NAMES["2x2"]
    assert art.size == (32, 32)
    assert len(art.indexed) == 4
    assert all(image.getpixel((0, 0))[3] == 0 for image in art.images)  # the red ground is keyed out
    assert shop.simulator.paid_posts == 2
    assert [attempt.state for attempt in art.attempts] == ["settled", "settled"]
    assert art.cost.money == shop.simulator.charged_total == quote.money
    assert art.cost.source == "reported"
    again = shop.router().rotate(PROMPT, views="2x2", size=32)
    assert again.reused
    assert not again.cost
    assert shop.simulator.paid_posts == 2


def test_the_first_image_serves_another_sheet(shop: Shop) -> None:
    shop.router().rotate(PROMPT, views="2x2", size=32)
    quote = shop.router().quote(PROMPT, task="views", views="2x2", size=48)
    assert quote.steps[0].reused
    assert not quote.steps[0].money
    art = shop.router().rotate(PROMPT, views="2x2", size=48)
    assert shop.simulator.paid_posts == 3
    assert art.cost.money == shop.simulator.charges[-1].money


@pytest.mark.parametrize("cap", ["max_usd", "max_usd_per_run", "max_usd_per_day", "max_usd_per_project"])
def test_a_cap_that_fits_one_step_only_buys_none(shop: Shop, cap: str) -> None:
    first, second = shop.router().quote(PROMPT, task="views", views="2x2", size=32).steps
    enough_for_one = float((first.money + second.money).amount) - 0.000001
    with pytest.raises(OverBudget) as caught:
        shop.router(**{cap: enough_for_one}).rotate(PROMPT, views="2x2", size=32)
    assert "other step" in str(caught.value)
    assert shop.simulator.paid_posts == 0
    exactly = float((first.money + second.money).amount)
    assert shop.router(**{cap: exactly}).rotate(PROMPT, views="2x2", size=32).cost.money == first.money + second.money


def test_a_lost_second_step_keeps_the_first(shop: Shop) -> None:
    router = shop.router(timeout_s=5)
    router.generate("warm up", size=32)  # so that the next submit but one is the second step's
    sent = shop.simulator.paid_posts
    router.quote(PROMPT, task="views", views="2x2", size=32)
    art = None
    shop.simulator.fault("lose_reply", on="submit")
    try:
        art = router.rotate(PROMPT, views="2x2", size=32)
    except OutcomeUnknown:
        assert shop.simulator.paid_posts == sent + 1  # the first step's reply was lost: the second was not begun
        with pytest.raises(OutcomeUnknown):
            shop.router().rotate(PROMPT, views="2x2", size=32)
        assert shop.simulator.paid_posts == sent + 1
    else:  # found in the vendor's own list
        assert len(art.names) == 4
        assert shop.simulator.paid_posts == sent + 2
    shop.check_money(router)


def test_an_interrupted_second_step_is_collected(shop: Shop) -> None:
    router = shop.router()
    first = router.quote(PROMPT, task="views", views="2x2", size=32).steps[0]
    assert first.model is not None
    with pytest.raises(StillRunning):
        _stuck_at_second(shop, router)
    assert shop.simulator.paid_posts == 2
    assert [attempt.state for attempt in router.jobs()] == ["accepted"]
    shop.check_money(router)


def _stuck_at_second(shop: Shop, router: PixelRouter) -> None:
    """Buy the plan with a second job that never ends."""
    made: list[Any] = []

    def watch(event: Any) -> None:
        # The second submit begins: from here on jobs are stuck.
        if event.stage == "submit":
            made.append(event)
            if len(made) == 2:
                shop.simulator.fault("job_stuck")

    router.rotate(PROMPT, views="2x2", size=32, progress=watch, timeout_s=2)


def test_an_image_given_makes_it_one_purchase(shop: Shop, tmp_path: Path) -> None:
    from PIL import Image

    cart = tmp_path / "cart.png"
    Image.new("RGB", (64, 64), "#885522").save(cart)
    art = shop.router().rotate(image=cart, views="2x2", size=32)
    assert shop.simulator.paid_posts == 1
    assert art.names == VIEW_NAMES["2x2"]


def test_without_a_key_the_list_prices_of_both_steps_are_told(tmp_path: Path) -> None:
    with PixelRouter(state=tmp_path, backend="fal") as router:
        quote = router.quote(PROMPT, task="views", views="2x2", size=32)
    assert [step.cost.source for step in quote.steps] == ["listed", "listed"]
    assert [str(step.money) for step in quote.steps] == ["$0.016", "$0.032"]
    assert quote.money == quote.steps[0].money + quote.steps[1].money
    assert any("FAL_KEY" in note for note in quote.notes)
