"""fal through the whole router, over real sockets; the simulator's own count of charges is the judge."""

from __future__ import annotations

import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import ContentBlocked, JobFailed, OutcomeUnknown, OutOfCredit, StillRunning
from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.testing.simulator.faults import Faults
from pixelrouter.types import Money
from tests.backends.fal.answers import picture

KEY = "fal-sim:1"


@pytest.fixture
def sim():
    with FalSimulator(keys=(KEY,)) as simulator:
        yield simulator


@pytest.fixture
def router(sim, tmp_path):
    section = {"base_url": sim.url, "poll_s": 0.01, "timeout_s": 5, "canvas": 512}
    with PixelRouter(
        keys={"fal": KEY}, backends={"fal": section}, backend="fal", state=tmp_path / "state", timeout_s=20
    ) as made:
        yield made


def booked(router):
    total = Money(0)
    for attempt in router.attempts():
        total += attempt.cost.money
    return total


def test_a_picture_is_booked_as_fal_billed_it(router, sim):
    art = router.generate("a red potion", size=32)
    assert art.size == (32, 32)
    assert (art.cost.money, art.cost.source) == (sim.charged_total, "reported")
    assert booked(router) == sim.charged_total
    assert not router.generate("a red potion", size=32).cost  # reused
    assert sim.paid_posts == 1


def test_a_quote_comes_before_the_bill(router, sim):
    quote = router.quote("a red potion", size=32, n=3)
    assert sim.paid_posts == 0
    art = router.generate("a red potion", size=32, n=3)
    assert art.cost.money == quote.money == sim.charged_total
    assert len(art.images) == 3


def test_a_missing_bill_is_booked_as_quoted(router, sim):
    sim.fault("missing_units")
    art = router.generate("a red potion", size=32)
    assert art.cost.money == sim.charged_total == booked(router)
    assert art.cost.source == "quoted"


def test_four_views_of_a_picture(router, sim):
    art = router.rotate(image=picture((64, 64)), size=32, views="2x2")
    assert list(art.views) == ["front-right", "front-left", "left", "top"]
    assert all(view.getpixel((0, 0))[3] == 0 for view in art.views.values())  # the red ground is keyed out
    assert (sim.paid_posts, booked(router)) == (1, sim.charged_total)


def test_a_transparent_ground_is_left_to_the_finishing(router, sim):
    art = router.generate("a red potion", size=32, transparent=True)
    assert art.image.convert("RGBA").getpixel((0, 0))[3] == 0


def test_four_views_of_a_prompt_are_two_purchases(router, sim):
    art = router.rotate("a red potion", size=32, views="2x2")
    assert list(art.views) == ["front-right", "front-left", "left", "top"]
    assert (sim.paid_posts, booked(router)) == (2, sim.charged_total)


def test_image2pixel_and_background_removal(router, sim):
    image = picture((64, 64))
    assert router.edit("", image=image, model="image2pixel", size=32).size == (32, 32)
    assert router.remove_background(image, size=32).size == (32, 32)
    assert (sim.paid_posts, booked(router)) == (2, sim.charged_total)


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Faults.NO_BALANCE, OutOfCredit), (Faults.JOB_FAILED, JobFailed), (Faults.MODERATED, ContentBlocked)],
)
def test_a_failure_costs_what_fal_says(router, sim, fault, error):
    sim.fault(fault)
    with pytest.raises(error):
        router.generate("a red potion", size=32)
    assert sim.charged_total == Money(0)
    assert sim.paid_posts <= 1
    assert booked(router) >= sim.charged_total


@pytest.mark.parametrize(
    "fault", ["backwards_status", "status_503_once", "result_504_once", "bare_submit", "huge_seed"]
)
def test_what_fal_does_now_and_then(router, sim, fault):
    sim.fault(fault)
    art = router.generate("a red potion", size=32)
    assert art.cost.money == sim.charged_total == booked(router)
    assert sim.paid_posts == 1


def test_a_foreign_address_is_not_followed(router, sim):
    sim.fault("foreign_status_url")
    assert router.generate("a red potion", size=32).cost.money == sim.charged_total


@pytest.mark.parametrize("fault", [Faults.LOSE_REPLY, Faults.GARBAGE_JSON, Faults.BAD_GATEWAY_HTML])
def test_a_lost_answer_is_found_in_the_list_of_requests(router, sim, fault):
    sim.fault(fault)
    art = router.generate("a red potion", size=32)
    assert sim.paid_posts == 1
    assert art.cost.money == sim.charged_total == booked(router)


def test_a_lost_edit_is_not_taken_for_that_of_another_picture(router, sim, tmp_path):
    """The same words and the caller's own seed, bought on another machine for another picture."""
    router.edit("blue", image=picture((64, 64), (10, 20, 30, 255)), seed=7)
    sim.fault(Faults.LOSE_BEFORE)
    section = {"base_url": sim.url, "poll_s": 0, "canvas": 512}
    elsewhere = {"keys": {"fal": KEY}, "backends": {"fal": section}, "backend": "fal", "state": tmp_path / "two"}
    with PixelRouter(**elsewhere) as other, pytest.raises(OutcomeUnknown):
        other.edit("blue", image=picture((64, 64), (90, 20, 30, 255)), seed=7)
    assert len(sim.charges) == 1


def test_a_request_that_never_arrived_stays_unknown(router, sim):
    sim.fault(Faults.LOSE_BEFORE)
    with pytest.raises(OutcomeUnknown):
        router.generate("a red potion", size=32)
    assert (sim.charged_total, sim.paid_posts) == (Money(0), 1)
    assert booked(router) > Money(0)


def test_a_stuck_job_is_cancelled(router, sim):
    sim.fault(Faults.JOB_STUCK)
    with pytest.raises(StillRunning):
        router.generate("a red potion", size=32, timeout_s=0.3)
    [attempt] = router.attempts()
    router.cancel(attempt.id)
    assert sim.charged_total == Money(0)
    assert router.attempts()[0].state in ("settled", "released")


def test_a_black_image_is_a_refusal_that_costs(router, sim):
    sim.fault("nsfw_black")
    with pytest.raises(ContentBlocked):
        router.generate("a red potion", size=32)
    assert booked(router) == sim.charged_total != Money(0)
