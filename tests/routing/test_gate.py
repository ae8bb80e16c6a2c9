"""The quality gate: what is turned down is kept, the next backend is asked once, and nothing is bought twice.

fal's simulator draws an illustration here: its art pixels are as small as the picture's own, so there is no grid to
find. The simulators' own counts of charges are the judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import (
    ConfigError,
    InvalidRequest,
    OverBudget,
    PixelRouterError,
    QualityRejected,
    StillRunning,
)
from pixelrouter.testing.shop import Shop
from pixelrouter.types import Money, PixelArt

Open = Callable[..., Shop]
PROMPT = "a small wooden cart"
GATES = [{"min_score": 80}, {"policy": "reroute"}]


def illustrator(shops: Open) -> Shop:
    return shops("fal", native=1024, noise=6)


def routed(*shops: Shop, **options: Any) -> dict[str, Any]:
    """The options of a router that asks the shops in order, then the free backend."""
    merged: dict[str, Any] = {"keys": {}, "backends": {}}
    for shop in shops:
        own = shop.options()
        merged["keys"] |= own["keys"]
        merged["backends"] |= own["backends"]
    route = [*(shop.name for shop in shops), "procedural"]
    return {"state": shops[0].state, "route": route, "timeout_s": 20, **merged, **options}


@pytest.fixture
def open_router() -> Any:
    made: list[PixelRouter] = []

    def open_one(**options: Any) -> PixelRouter:
        made.append(PixelRouter(**options))
        return made[-1]

    yield open_one
    for router in made:
        router.close()


@pytest.mark.parametrize("gate", GATES)
def test_an_illustration_is_turned_down_and_the_next_backend_draws(
    shops: Open, open_router: Any, gate: dict[str, Any]
) -> None:
    shop = illustrator(shops)
    router = open_router(**routed(shop))
    art = router.generate(PROMPT, size=32, **gate)
    assert art.backend == "procedural"
    assert [row.backend for row in art.attempts] == ["fal", "procedural"]
    assert [row.state for row in art.attempts] == ["settled", "settled"]
    first = art.attempts[0]
    assert first.error is not None
    assert first.error.startswith("QualityRejected: ")
    (told,) = [warning for warning in art.warnings if warning.startswith("fal: QualityRejected")]
    assert str(first.cost.money) in told
    assert first.raws[0][:12] in told
    assert (shop.state / "store" / first.raws[0][:2] / first.raws[0]).exists()
    assert art.cost.money == first.cost.money == shop.simulator.charged_total
    assert not art.paid
    assert not art.reused
    assert shop.simulator.paid_posts == 1
    assert all(row.error is None for row in router.attempts())  # the ledger keeps no opinion of a finished image
    shop.check_money(router)


@pytest.mark.parametrize("gate", GATES)
def test_the_same_call_again_reuses_both_and_decides_the_same(
    shops: Open, open_router: Any, gate: dict[str, Any]
) -> None:
    shop = illustrator(shops)
    first = open_router(**routed(shop)).generate(PROMPT, size=32, **gate)
    again = open_router(**routed(shop)).generate(PROMPT, size=32, **gate)
    assert shop.simulator.paid_posts == 1
    assert again.reused
    assert not again.cost
    assert [(row.id, row.error) for row in again.attempts] == [(row.id, row.error) for row in first.attempts]
    assert again.image.tobytes() == first.image.tobytes()
    assert len(open_router(**routed(shop)).attempts()) == 2


def test_without_a_gate_the_first_image_is_taken_and_its_key_is_the_same(shops: Open, open_router: Any) -> None:
    shop = illustrator(shops)
    plain = open_router(**routed(shop)).generate(PROMPT, size=32)
    assert plain.backend == "fal"
    assert plain.report.score is None
    gated = open_router(**routed(shop)).generate(PROMPT, size=32, min_score=80, dither="bayer4", colors=8)
    assert gated.backend == "procedural"
    assert gated.attempts[0].key == plain.key
    assert shop.simulator.paid_posts == 1
    lower = open_router(**routed(shop)).generate(PROMPT, size=32, min_score=0)
    assert (lower.backend, lower.reused) == ("fal", True)


def test_a_good_image_passes_and_its_score_is_told(shops: Open, open_router: Any) -> None:
    shop = shops("fal", noise=0)
    art = open_router(**routed(shop)).generate(PROMPT, size=64, min_score=80)
    assert art.backend == "fal"
    assert art.report.score is not None
    assert art.report.score >= 80
    assert art.as_dict()["reports"][0]["score"] == art.report.score


@pytest.mark.parametrize("gate", GATES)
def test_with_one_backend_there_is_nowhere_to_go(shops: Open, gate: dict[str, Any]) -> None:
    shop, paid = illustrator(shops), []
    for _ in range(2):
        with pytest.raises(QualityRejected) as caught:
            shop.router().generate(PROMPT, size=32, **gate)
        assert "free" in (caught.value.hint or "")
        assert len(caught.value.stored) == 1
        paid.append(caught.value.charged)
    assert paid == [shop.simulator.charged_total, Money(0)]
    assert shop.simulator.paid_posts == 1
    assert caught.value.as_dict()["stored"] == list(caught.value.stored)


def test_reject_never_goes_on(shops: Open, open_router: Any) -> None:
    shop = illustrator(shops)
    router = open_router(**routed(shop))
    with pytest.raises(QualityRejected):
        router.generate(PROMPT, size=32, policy="reject")
    assert [row.backend for row in router.attempts()] == ["fal"]


def test_when_all_are_turned_down_every_raw_is_named(shops: Open, open_router: Any) -> None:
    shop = illustrator(shops)
    router = open_router(**routed(shop))
    for _ in range(2):
        with pytest.raises(QualityRejected) as caught:
            router.generate("a knight", size=32, min_score=100)
        assert {raw for row in router.attempts() for raw in row.raws} == set(caught.value.stored)
        assert [type(error) for error in caught.value.errors] == [QualityRejected, QualityRejected]
        assert "fal: " in str(caught.value)
        assert "procedural: " in str(caught.value)
    assert shop.simulator.paid_posts == 1
    assert len(router.attempts()) == 2


def test_two_vendors_are_each_paid_once(shops: Open, open_router: Any) -> None:
    fal, pixellab = illustrator(shops), shops("pixellab")
    options = routed(fal, pixellab)
    art = open_router(**options).generate(PROMPT, size=32, min_score=80)
    assert art.backend == "pixellab"
    again = open_router(**options).generate(PROMPT, size=32, min_score=80)
    assert again.reused
    assert (fal.simulator.paid_posts, pixellab.simulator.paid_posts) == (1, 1)
    fal.check_money(open_router(**options))
    pixellab.check_money(open_router(**options))


def test_a_vendor_that_refused_is_not_asked_again_in_the_same_call(shops: Open, open_router: Any) -> None:
    """pixellab refuses, fal's image is turned down: the free backend is next, not pixellab once more."""
    pixellab, fal = shops("pixellab"), illustrator(shops)
    pixellab.simulator.fault("rate_limit", retry_after=60)
    art = open_router(**routed(pixellab, fal)).generate(PROMPT, size=32, min_score=80)
    assert art.backend == "procedural"
    assert len(pixellab.simulator.charges) == 0
    assert [row.backend for row in art.attempts] == ["pixellab", "fal", "procedural"]
    again = open_router(**routed(pixellab, fal)).generate(PROMPT, size=32, min_score=80)
    assert (again.backend, again.reused) == ("procedural", True)
    assert len(pixellab.simulator.charges) == 0  # what stands comes before what would have to be bought


@pytest.mark.parametrize("cap", ["max_usd", "max_usd_per_run", "max_usd_per_day", "max_usd_per_project"])
def test_the_caps_hold_for_the_second_purchase(shops: Open, open_router: Any, cap: str) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion")
    options = routed(fal, retro, project="game")
    options["route"] = ["fal", "retrodiffusion"]
    probe = open_router(**options)
    prices = [probe.quote(PROMPT, size=32, backend=name).money for name in options["route"]]
    limit = float(sum(price.amount for price in prices)) - 0.000001
    with pytest.raises(QualityRejected) as caught:
        open_router(**options, **{cap: limit}).generate(PROMPT, size=32, min_score=80)
    assert any(isinstance(error, OverBudget) for error in caught.value.errors)
    assert (fal.simulator.paid_posts, retro.simulator.paid_posts) == (1, 0)
    fal.check_money(probe)


def test_a_crash_between_the_two_purchases_goes_on_with_the_second(shops: Open, open_router: Any) -> None:
    fal, pixellab = illustrator(shops), shops("pixellab")
    options = routed(fal, pixellab)

    class Killed(BaseException):
        pass

    def die(event: Any) -> None:
        if event.backend == "pixellab" and event.stage in ("quote", "submit"):
            raise Killed

    with pytest.raises(Killed):
        open_router(**options).generate(PROMPT, size=32, min_score=80, progress=die)
    assert (fal.simulator.paid_posts, pixellab.simulator.paid_posts) == (1, 0)
    art = open_router(**options).generate(PROMPT, size=32, min_score=80)
    assert art.backend == "pixellab"
    assert (fal.simulator.paid_posts, pixellab.simulator.paid_posts) == (1, 1)
    assert art.cost.money == art.attempts[-1].cost.money  # what this call paid: the second alone
    assert [row.backend for row in art.attempts] == ["fal", "pixellab"]


@pytest.mark.slow
def test_a_second_job_that_is_still_running_is_collected_by_the_same_call(shops: Open, open_router: Any) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion", job_seconds=3600)
    options = routed(fal, retro)
    with pytest.raises(StillRunning):
        open_router(**{**options, "timeout_s": 4}).generate(PROMPT, size=32, min_score=80)
    retro.simulator.advance(3600)
    art = open_router(**options).generate(PROMPT, size=32, min_score=80)
    assert art.backend == "retrodiffusion"
    assert (fal.simulator.paid_posts, retro.simulator.paid_posts) == (1, 1)


def test_fresh_buys_each_anew_once(shops: Open, open_router: Any) -> None:
    fal = illustrator(shops)
    options = routed(fal)
    open_router(**options).generate(PROMPT, size=32, min_score=80)
    art = open_router(**options).generate(PROMPT, size=32, min_score=80, fresh=True)
    assert fal.simulator.paid_posts == 2
    assert art.backend == "procedural"
    assert len(art.attempts) == 2
    assert open_router(**options).generate(PROMPT, size=32, min_score=80).reused
    assert fal.simulator.paid_posts == 2


def test_content_that_the_second_refuses_ends_it_and_the_first_is_not_forgotten(shops: Open, open_router: Any) -> None:
    fal, retro = illustrator(shops), shops("retrodiffusion")
    retro.simulator.fault("moderated")
    with pytest.raises(QualityRejected) as caught:
        open_router(**routed(fal, retro)).generate(PROMPT, size=32, min_score=80)
    assert len(caught.value.stored) == 1
    assert "ContentRefused" in {type(error).__name__ for error in caught.value.errors}
    assert len(retro.simulator.charges) == 0


def test_asyncio_decides_the_same(shops: Open) -> None:
    fal = illustrator(shops)

    async def go() -> tuple[PixelArt, PixelArt]:
        async with AsyncPixelRouter(**routed(fal)) as router:
            one = await router.generate(PROMPT, size=32, min_score=80)
            return one, await router.generate(PROMPT, size=32, policy="reroute")

    one, two = asyncio.run(go())
    assert (one.backend, two.backend) == ("procedural", "procedural")
    assert two.reused
    assert fal.simulator.paid_posts == 1


def test_a_batch_is_gated_too(shops: Open, open_router: Any) -> None:
    fal = illustrator(shops)
    router = open_router(**routed(fal, min_score=80))
    results = list(router.generate_many(["a cart", "a sword", "a cart"], size=32))
    assert {result.unwrap().backend for result in results} == {"procedural"}
    assert fal.simulator.paid_posts == 2


def test_several_images_pass_together_or_not_at_all(shops: Open) -> None:
    shop = illustrator(shops)
    with pytest.raises(QualityRejected, match="Image 1 of 2"):
        shop.router().generate(PROMPT, size=32, n=2, min_score=80)
    assert shop.simulator.paid_posts == 1


def test_asking_what_it_would_send_or_cost_sends_nothing(shops: Open, open_router: Any) -> None:
    fal = illustrator(shops)
    router = open_router(**routed(fal))
    wish: dict[str, Any] = {"size": 32, "min_score": 80, "policy": "reroute", "dither": "atkinson"}
    assert router.dry_run(PROMPT, **wish) == router.dry_run(PROMPT, size=32)
    assert router.quote(PROMPT, **wish) == router.quote(PROMPT, size=32)
    assert fal.simulator.paid_posts == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"dither": "bayer16"},
        {"mode": "improve"},
        {"matte": "scissors"},
        {"quantizer": "magic"},
        {"merge": 2.0},
        {"origin": (1,)},
        {"origin": "here"},
        {"pixel_size": (8, 0)},
        {"min_score": 101},
        {"min_score": -1},
        {"min_score": "good"},
    ],
)
def test_a_wrong_wish_fails_before_anything_is_sent(shops: Open, wrong: dict[str, Any]) -> None:
    shop = shops("fal")
    with pytest.raises((InvalidRequest, ConfigError)):
        shop.router().generate(PROMPT, size=32, **wrong)
    assert shop.simulator.paid_posts == 0


def test_an_argument_that_does_not_exist_is_named(shops: Open) -> None:
    with pytest.raises(TypeError, match="dithering"):
        shops("fal").router().generate(PROMPT, size=32, dithering="none")  # type: ignore[call-arg]  # the point
    with pytest.raises(TypeError, match="native"):
        shops("fal").router().generate(PROMPT, size=32, native=True)  # type: ignore[call-arg]  # the spec's own


def test_how_it_was_to_be_finished_is_remembered(shops: Open) -> None:
    shop = shops("fal")
    shop.simulator.fault("job_stuck")
    wish: dict[str, Any] = {
        "dither": "bayer2",
        "one_bit": True,
        "merge": 0.01,
        "pad_palette": True,
        "holes": True,
        "despill": False,
        "origin": (1.5, 2.0),
        "pixel_size": (8.0, 9.0),
        "quantizer": "own",
        "min_score": 33.0,
    }
    with pytest.raises(PixelRouterError):
        shop.router(timeout_s=0.4, policy="resample").generate("a baker", size=32, **wish)
    row = shop.router().jobs()[0]
    ask = shop.router(min_score=99)._open().ask_of(row, None, None)
    spec = {name: getattr(ask.spec, name) for name in wish if name != "min_score"}
    assert {**spec, "min_score": ask.min_score, "policy": ask.spec.policy} == {**wish, "policy": "resample"}


def test_a_resumed_job_is_judged_and_nothing_else_is_bought(shops: Open, open_router: Any) -> None:
    shop = shops("fal", native=1024, noise=6, job_seconds=3600)
    options = routed(shop)
    with pytest.raises(StillRunning):
        open_router(**{**options, "timeout_s": 1}).generate(PROMPT, size=32, min_score=80)
    shop.simulator.advance(3600)
    router = open_router(**options)
    (outcome,) = router.resume()
    assert isinstance(outcome, QualityRejected)
    assert len(outcome.stored) == 1
    assert [row.backend for row in router.attempts()] == ["fal"]
    assert shop.simulator.paid_posts == 1
