"""The router buys at the Replicate simulator, over real sockets: images, money, and what goes wrong on the way."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pixelrouter import PixelArt, PixelRouter, errors
from pixelrouter.testing import Faults
from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from pixelrouter.types import Money

KEY = "r8-sim-1"


@pytest.fixture
def sim():
    with ReplicateSimulator(keys=(KEY,)) as simulator:
        yield simulator


@pytest.fixture
def router(sim, tmp_path):
    with make(sim, tmp_path) as one:
        yield one


def make(sim, tmp_path, **settings):
    section = {"base_url": sim.url, "poll_s": 0.01, "timeout_s": 5, **settings}
    return PixelRouter(
        state=tmp_path / "state",
        backend="replicate",
        keys={"replicate": KEY},
        backends={"replicate": section},
        timeout_s=20,
    )


def png(size, color="#c02838"):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def agrees(sim, router):
    """The ledger's sum is the simulator's, to the cent."""
    booked = sum((a.cost.money for a in router.attempts()), start=Money(0))
    return booked == sim.charged_total


# --- what it draws ----------------------------------------------------------------------------------------------------


def test_an_image(sim, router):
    art = router.generate("a red potion", size=32)
    assert (art.image.size, art.model, art.warnings) == ((32, 32), "rd-fast/low_res", ())
    assert sim.paid_posts == 1
    assert agrees(sim, router)
    again = router.generate("a red potion", size=32)
    assert again.reused
    assert sim.paid_posts == 1


def test_several_images_with_clear_ground(sim, router):
    art = router.generate("a red potion", size=(64, 96), n=4, transparent=True)
    assert [image.size for image in art.images] == [(64, 96)] * 4
    assert art.reports[0].transparent


@pytest.mark.parametrize("shape", ["2024", "2026"])
def test_sync_mode_of_either_year(shape, tmp_path):
    with ReplicateSimulator(keys=(KEY,), sync_shape=shape) as sim, make(sim, tmp_path, prefer_wait_s=2) as router:
        assert router.generate("a red potion", size=32).image.size == (32, 32)
        assert agrees(sim, router)


def test_an_edit(sim, router):
    art = router.edit("blue", image=png((64, 64)), strength=0.4)
    assert art.image.size == (64, 64)
    assert agrees(sim, router)


def test_animations(sim, router):
    walk = router.animate("a wizard", size=48, action="walk")
    assert {image.size for image in walk.images} == {(48, 48)}
    assert walk.names[0] == "row-0/0"
    assert len(walk.images) == 16
    sprites = router.animate("a wizard", size=32, model="rd-animation/small_sprites")
    assert len(sprites.images) == 20
    vfx = router.animate("a fire", size=64, model="rd-animation/vfx")
    assert len(vfx.images) == 16
    assert {image.size for image in vfx.images} == {(64, 64)}
    sheet = router.animate("a fire", size=64, model="rd-animation/vfx", options={"return_spritesheet": True})
    assert {image.size for image in sheet.images} == {(64, 64)}
    assert sim.charged_total == Money.of("0.28")
    assert agrees(sim, router)


def test_tilesets(sim, router):
    art = router.tileset("grass", size=16, tiles="wang", upper="sand")
    assert len(art.images) == 20
    assert {image.size for image in art.images} == {(16, 16)}
    assert router.tileset("stone", size=32).image.size == (32, 32)
    assert agrees(sim, router)


def test_sizes_outside_a_style_never_reach_the_vendor(sim, router):
    with pytest.raises(errors.InvalidRequest, match="rd-fast/game_asset draws 64x64"):
        router.generate("a red potion", size=32, model="rd-fast/game_asset")
    assert sim.requests == []


def test_another_size_than_ordered_is_told(sim, router):
    sim.fault(Faults.WRONG_SIZE, width=64, height=64)
    art = router.generate("a red potion", size=32)
    assert art.image.size == (32, 32)
    assert any("64x64" in warning for warning in art.warnings)


# --- where the token goes ---------------------------------------------------------------------------------------------


def test_downloads_carry_no_token(tmp_path):
    with ReplicateSimulator(keys=(KEY,), output_host="localhost") as sim, make(sim, tmp_path) as router:
        router.generate("a red potion", size=32)
        [download] = sim.output_requests
        assert "authorization" not in download.headers


def test_results_elsewhere_are_not_read(sim, router):
    sim.fault(Faults.EVIL_URL)
    with pytest.raises(errors.PixelRouterError, match="not a delivery host"):
        router.generate("a red potion", size=32)
    assert sim.paid_posts == 1


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Faults.LOSE_REPLY, Faults.BAD_GATEWAY_HTML, Faults.GARBAGE_JSON])
def test_a_lost_answer_is_found_in_the_list_and_bought_once(fault, sim, router):
    router.generate("another potion", size=32)
    sim.fault(fault)
    art = router.generate("a red potion", size=32)
    assert art.image.size == (32, 32)
    assert sim.paid_posts == 2
    assert agrees(sim, router)


def test_a_lost_edit_is_found_by_its_picture(sim, router):
    sim.fault(Faults.LOSE_REPLY)
    assert router.edit("blue", image=png((64, 64)), seed=7).image.size == (64, 64)
    assert sim.paid_posts == 1


def test_a_request_that_never_arrived_stays_unknown(sim, router):
    router.generate("a red potion", size=32, seed=8)  # all the same but the seed: no match
    sim.fault(Faults.LOSE_BEFORE)
    with pytest.raises(errors.OutcomeUnknown):
        router.generate("a red potion", size=32, seed=7)
    assert sim.paid_posts == 2
    assert len(sim.charges) == 1


def test_a_server_error_keeps_the_money_held(sim, router):
    sim.fault(Faults.SERVER_ERROR)
    with pytest.raises(errors.OutcomeUnknown):
        router.generate("a red potion", size=32)
    [attempt] = router.attempts()
    assert attempt.cost.money == Money.of("0.025")


@pytest.mark.parametrize(
    ("fault", "params", "error"),
    [
        (Faults.RATE_LIMIT, {"retry_after": 9}, errors.RateLimited),
        ("low_credit_429", {}, errors.RateLimited),
        (Faults.NO_BALANCE, {}, errors.OutOfCredit),
        ("aborted", {}, errors.JobFailed),
    ],
)
def test_what_costs_nothing(fault, params, error, sim, router):
    sim.fault(fault, **params)
    with pytest.raises(error):
        router.generate("a red potion", size=32)
    assert agrees(sim, router)
    assert sim.charged_total == Money(0)


@pytest.mark.parametrize(("fault", "error"), [("job_failed", errors.JobFailed), ("moderated", errors.ContentBlocked)])
def test_a_failed_job_is_booked_as_charged_because_nobody_says_it_is_free(fault, error, sim, router):
    sim.fault(fault)
    with pytest.raises(error):
        router.generate("a red potion", size=32)
    [attempt] = router.attempts()
    assert (attempt.cost.money, attempt.cost.source) == (Money.of("0.025"), "unknown")


@pytest.mark.parametrize("fault", ["processing_with_output", "data_uri"])
def test_odd_ways_to_deliver(fault, sim, router):
    sim.fault(fault)
    assert len(router.generate("a red potion", size=64, n=3).images) == 3
    assert agrees(sim, router)


@pytest.mark.parametrize("gone", [True, False])
def test_files_that_are_gone(gone, sim, router):
    sim.fault(Faults.EXPIRED_URL, gone=gone)
    with pytest.raises(errors.ResultExpired):
        router.generate("a red potion", size=32)
    assert agrees(sim, router)


def test_a_job_is_stopped(tmp_path):
    with ReplicateSimulator(keys=(KEY,), job_seconds=60) as sim, make(sim, tmp_path) as router:
        with pytest.raises(errors.StillRunning):
            router.generate("a red potion", size=32, timeout_s=0.5)
        [attempt] = router.attempts()
        after = router.cancel(attempt.id)
        assert (after.state, after.cost.source) == ("settled", "unknown")
        assert agrees(sim, router)


@pytest.mark.parametrize(("seed", "collected"), [(None, True), (7, False)])
def test_a_lost_edit_is_resumed_without_its_picture(seed, collected, sim, tmp_path):
    """The picture is not kept for a resume; a seed of the router's own was made from it, the caller's was not."""
    with make(sim, tmp_path) as router:
        sim.fault(Faults.LOSE_REPLY)
        sim.fault(Faults.NO_BALANCE, on="list")  # any refusal ends the search
        with pytest.raises(errors.OutcomeUnknown):
            router.edit("blue", image=png((64, 64)), seed=seed)
    with make(sim, tmp_path) as router:
        [outcome] = router.resume()
        assert isinstance(outcome, PixelArt if collected else errors.OutcomeUnknown)
        assert [a.state for a in router.attempts()] == ["settled" if collected else "unknown"]
    assert sim.paid_posts == 1
