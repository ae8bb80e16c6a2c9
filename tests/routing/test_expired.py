"""An image that was paid for and deleted by the vendor before we came: booked once, bought anew only on demand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelrouter.errors import ResultExpired, StillRunning
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator.replicate import ReplicateSimulator


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with ReplicateSimulator(job_seconds=60) as simulator:
        shop = Shop("replicate", simulator, tmp_path / "state")
        yield shop
        shop.close()


def test_a_result_that_is_gone_when_we_look_is_booked_as_charged(shop: Shop) -> None:
    with pytest.raises(StillRunning):
        shop.router(timeout_s=0.3).generate("a red potion", size=64)
    shop.simulator.advance(2 * 3600)  # finished, and cleaned away an hour later
    router = shop.router()
    for _ in range(2):  # the second time nothing is asked of the vendor
        with pytest.raises(ResultExpired) as caught:
            router.generate("a red potion", size=64)
        assert caught.value.money == "yes"
    (attempt,) = router.attempts()
    assert attempt.state == "settled"
    assert not router.jobs()
    shop.check_money(router)
    assert shop.simulator.paid_posts == 1
