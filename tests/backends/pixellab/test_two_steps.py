"""A film or views from words alone: the picture of the subject that PixelLab needs is drawn, quoted and paid first."""

from __future__ import annotations

import pytest

from pixelrouter.errors import InvalidRequest, OverBudget
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from pixelrouter.types import VIEW_NAMES
from tests.backends.pixellab.made import PIC, POSES, backend, wish

WALK = {"task": "animation", "action": "walking"}


@pytest.fixture
def shop(tmp_path):
    with PixelLabSimulator() as simulator:
        shop = Shop("pixellab", simulator, tmp_path / "state")
        yield shop
        shop.close()


def router_of(shop, **section):
    own = {**shop.simulator.backend_settings(), "poll_s": 0.01, "timeout_s": 2.0, **section}
    return shop.router(backends={"pixellab": own})


def paid(shop):
    return [each.path for each in shop.simulator.requests if each.method == "POST"]


def test_the_subject_is_drawn_alone_and_then_moved(shop):
    router = router_of(shop)
    quote = router.quote("a knight", size=64, **WALK)
    assert [step.model for step in quote.steps] == ["pixflux", "animate-v3"]
    assert quote.money == quote.steps[0].money + quote.steps[1].money
    assert [row["model"] for row in router.dry_run("a knight", size=64, **WALK)] == ["pixflux", "animate-v3"]
    assert not paid(shop)
    art = router.animate("a knight", action="walking", size=64)
    assert (art.model, len(art.images), art.size) == ("animate-v3", 8, (64, 64))
    assert paid(shop) == ["/v2/create-image-pixflux", "/v2/animate-with-text-v3"]
    still, film = (each.json for each in shop.simulator.requests if each.method == "POST")
    assert (still["description"], still["no_background"]) == ("a knight", True)
    assert film["first_frame"]["base64"] == _drawn(shop)
    assert art.cost.money == shop.simulator.charged_total
    assert router.animate("a knight", action="walking", size=64).reused
    assert router.animate("a knight", action="jumping", size=64).cost.money == shop.simulator.charges[-1].money
    assert len(paid(shop)) == 3  # the same knight jumps


def _drawn(shop):
    import base64

    first = next(each for each in shop.router().attempts() if each.model == "pixflux")
    folder = shop.state / "store"
    [file] = [path for path in folder.rglob("*") if path.is_file() and path.name.startswith(first.raws[0][:60])]
    return base64.b64encode(file.read_bytes()).decode()


def test_views_by_name_and_where_no_character_is_that_large(shop):
    router = router_of(shop)
    assert not router.quote("a knight", size=64, task="views", views="8").steps  # a character comes from words
    art = router.rotate("a knight", views="8", size=48, model="rotations-v3")
    assert (art.names, paid(shop)[0]) == (VIEW_NAMES["8"], "/v2/create-image-pixflux")
    quote = router.quote("a knight", size=256, task="views", views="8")
    assert [step.model for step in quote.steps] == ["pixen", "rotations-v3"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"options": {"drift": 3}}, "no option 'drift'"),
        ({"options": {"drift_threshold": -1}}, "drift_threshold"),
        ({"model": "animate-text", "seed": 0}, "seed 0 means a random one"),
        ({"frames": 5}, "not 5"),
        ({"size": 8}, "pixflux draws 16x16 to 400x400, not 8x8"),
    ],
)
def test_what_the_second_purchase_would_refuse_is_refused_before_the_first(shop, more, words):
    with pytest.raises(InvalidRequest, match=words):
        router_of(shop).animate("a knight", action="walking", **{"size": 64, **more})
    assert not paid(shop)


def test_caps_allow_both_or_none(shop):
    router = router_of(shop)
    steps = router.quote("a knight", size=64, **WALK).steps
    with pytest.raises(OverBudget):
        router.animate("a knight", action="walking", size=64, max_usd=str(steps[1].money.amount))
    assert not paid(shop)


def test_version_1_too(shop):
    art = router_of(shop, api_version="v1").animate("a knight", action="walking", size=64)
    assert art.model == "animate-text"
    assert paid(shop) == ["/v1/generate-image-pixflux", "/v1/animate-with-text"]


@pytest.mark.parametrize("model", ["animate-v3", "pixen"])
def test_a_configured_model_does_not_decide_what_draws_the_subject(model):
    first = backend(model=model).first(wish(64, **WALK))
    assert first.model == "pixflux"
    assert first.transparent is True


def test_one_step_where_a_picture_is_there_or_needed_no_more():
    api = backend()
    assert api.first(wish(64, images=(PIC,), **WALK)) is None
    assert api.first(wish(48, task="views", views="4")) is None
    assert api.first(wish(64)) is None
    assert api.first(wish(64, transparent=False, **WALK)).transparent is False
    assert api.first(wish(64, task="animation", options=POSES)).model == "pixflux"
