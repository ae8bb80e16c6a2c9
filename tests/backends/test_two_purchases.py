"""Where a picture has to be bought first, nothing about the second purchase may be refused after the first was paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.errors import ChargedWithoutImage, InvalidRequest
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import Simulator, simulator_of

TWO_STEPS: dict[str, dict[str, Any]] = {
    "fal": {"task": "views", "views": "2x2", "size": 32},
    "pixellab": {"task": "animation", "action": "walks", "size": 64},
}


@pytest.fixture(params=TWO_STEPS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    simulator: Simulator = simulator_of(request.param)()
    with simulator:
        shop = Shop(request.param, simulator, tmp_path)
        yield shop
        shop.close()


@pytest.mark.parametrize("options", [{"no_such_option": 1}, {"loras": [{"path": "bare"}], "drift_threshold": -1}])
def test_an_option_that_the_second_would_refuse_costs_nothing(shop: Shop, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        shop.router().generate("a cart", **TWO_STEPS[shop.name], options=options)
    assert shop.simulator.paid_posts == 0


@pytest.mark.parametrize(
    ("shop", "fault"),
    [("fal", "truncated_image"), ("pixellab", "truncated_image"), ("pixellab", "wrong_size")],
    indirect=["shop"],
)
def test_a_first_picture_that_is_of_no_use_is_an_error_that_says_what_it_cost(shop: Shop, fault: str) -> None:
    shop.simulator.fault(fault)
    for number in range(2):  # the second time nothing is bought, and the first purchase is not forgotten
        with pytest.raises(ChargedWithoutImage, match="charged") as caught:
            shop.router().generate("a cart", **TWO_STEPS[shop.name])
        assert caught.value.charged == shop.simulator.charged_total
        assert shop.simulator.paid_posts == 1, number
    assert shop.router().generate("a cart", **TWO_STEPS[shop.name], fresh=True).images
