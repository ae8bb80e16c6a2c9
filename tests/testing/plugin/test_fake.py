"""The fixture fake_pixelrouter: a real router over stand-ins, in this process, in scripts and in programs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import PixelRouter, errors
from pixelrouter.money import prices
from pixelrouter.testing.fake import FakeAsyncPixelRouter, FakePixelRouter
from pixelrouter.types import GenerationRequest

PROMPT = "a red potion"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakePixelRouter]:
    with FakePixelRouter(tmp_path / "fake", backend="retrodiffusion") as router:
        yield router


@pytest.mark.parametrize("backend", ["procedural", "retrodiffusion", "replicate", "fal", "pixellab", "diffusers"])
def test_every_backend_has_a_stand_in_that_needs_no_key(fake: FakePixelRouter, backend: str) -> None:
    art = fake.generate(PROMPT, size=64, backend=backend)
    assert (art.size, art.backend) == ((64, 64), backend)
    assert any(f"not by {backend}" in note for note in art.notes)
    wish = GenerationRequest(prompt=PROMPT, width=64, height=64, model=art.model)
    listed = prices.listed(backend, art.model, wish, "usd")
    assert art.cost.money.micros == (listed.money.micros if listed else 0)
    assert bool(art.cost) == (backend not in ("procedural", "diffusers"))


def test_the_same_request_draws_the_same_everywhere_and_is_reused(fake: FakePixelRouter, tmp_path: Path) -> None:
    one = fake.generate(PROMPT, size=32)
    assert fake.generate(PROMPT, size=32).reused
    with FakePixelRouter(tmp_path / "elsewhere", backend="retrodiffusion") as other:
        same, different = other.generate(PROMPT, size=32), other.generate("a blue potion", size=32)
    assert same.raws == one.raws != different.raws
    assert [call.prompt for call in fake.calls] == [PROMPT, PROMPT]
    assert len(fake.bought) == 1


def test_quotes_and_caps_are_those_of_the_price_list(fake: FakePixelRouter) -> None:
    quote = fake.quote(PROMPT, size=32)
    assert quote.cost.money.micros == 25_000
    assert quote.cost.source == "listed"
    with pytest.raises(errors.OverBudget):
        fake.generate(PROMPT, size=32, max_usd=0.02)
    assert fake.generate(PROMPT, size=32, max_usd=0.03).cost.money == quote.cost.money


def test_what_the_vendor_cannot_do_is_refused_here_too(fake: FakePixelRouter) -> None:
    with pytest.raises(errors.InvalidRequest):
        fake.generate(PROMPT, size=1000)
    with pytest.raises(errors.InvalidRequest):
        fake.generate(PROMPT, size=32, model="no-such-model")
    with pytest.raises(errors.InvalidRequest):
        fake.generate(PROMPT, size=32, options={"no_such_option": 1})
    assert not fake.bought


def test_every_task_has_as_many_images_as_it_should(fake: FakePixelRouter) -> None:
    picture = fake.generate(PROMPT, size=64).image
    film = fake.animate("a slime", size=64)
    assert len(film.indexed) > 1
    tiles = fake.tileset("grass", upper="water", tiles="wang", size=32)
    assert len(tiles.indexed) == 16
    assert tiles["wang-0011"].size == (32, 32)
    views = fake.rotate("a knight", size=64, backend="pixellab")
    assert views.names == ("south", "east", "north", "west")
    assert not any(report.warnings for report in views.reports)
    assert fake.edit("in blue", image=picture, size=64).size == (64, 64)
    assert fake.remove_background(picture).size == (64, 64)
    assert len(fake.generate("coins", n=3, size=16).indexed) == 3
    big = fake.generate("a castle", size="384x200", backend="fal")
    assert big.size == (384, 200)
    assert [call.task for call in fake.calls[:3]] == ["image", "animation", "tileset"]
    assert fake.calls[2].details == {"tiles": "wang", "upper": "water"}


def test_many_at_once(fake: FakePixelRouter) -> None:
    results = list(fake.generate_many(["a", "b", "c"], size=16, max_usd=0.051))
    assert sorted(type(result.error).__name__ for result in results) == ["NoneType", "NoneType", "OverBudget"]


FAILURES = [
    (errors.OverBudget, errors.OverBudget, None),
    (errors.MissingKey, errors.MissingKey, None),
    (errors.NotSent, errors.NotSent, None),
    (errors.RateLimited, errors.RateLimited, "released"),
    (errors.OutOfCredit, errors.OutOfCredit, "released"),
    (errors.ContentRefused, errors.ContentRefused, "released"),
    (errors.JobFailed, errors.JobFailed, "settled"),
    (errors.ChargedWithoutImage, errors.ChargedWithoutImage, "settled"),
    (errors.OutcomeUnknown, errors.OutcomeUnknown, "unknown"),
    (errors.UnexpectedAnswer, errors.OutcomeUnknown, "unknown"),
    (errors.StillRunning, errors.StillRunning, "accepted"),
]


@pytest.mark.parametrize(("planned", "raised", "state"), FAILURES)
def test_a_planned_failure_leaves_the_ledger_as_the_real_one_would(
    fake: FakePixelRouter, planned: type[errors.PixelRouterError], raised: type[Exception], state: str | None
) -> None:
    fake.fail_next(planned)
    with pytest.raises(raised):
        fake.generate(PROMPT, size=32)
    assert [attempt.state for attempt in fake.bought] == ([] if state is None else [state])
    fake.generate("another", size=32)  # only the next one fails


def test_an_error_of_ones_own_comes_as_it_is(fake: FakePixelRouter) -> None:
    mine = errors.RateLimited("slow down", retry_after=0.01)
    fake.fail_next(mine)
    with pytest.raises(errors.RateLimited) as caught:
        fake.generate(PROMPT, size=32)
    assert caught.value is mine
    fake.fail_next(ZeroDivisionError, times=2)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fake.generate(PROMPT, size=32)
    fake.generate(PROMPT, size=32)


def test_a_job_that_still_runs_is_collected_by_the_same_call(fake: FakePixelRouter) -> None:
    fake.fail_next(errors.StillRunning)
    with pytest.raises(errors.StillRunning):
        fake.generate(PROMPT, size=32)
    assert fake.generate(PROMPT, size=32).size == (32, 32)
    assert [attempt.state for attempt in fake.bought] == ["settled"]


def test_a_failing_backend_falls_back_as_in_earnest(fake: FakePixelRouter) -> None:
    fake.fail_next(errors.Overloaded)
    art = fake.generate(PROMPT, size=64, route=["retrodiffusion", "pixellab"])
    assert art.backend == "pixellab"
    assert [attempt.state for attempt in fake.bought] == ["released", "settled"]
    fake.fail_next(errors.OutcomeUnknown)
    with pytest.raises(errors.OutcomeUnknown):  # never to the next vendor
        fake.generate("another", size=64, route=["retrodiffusion", "pixellab"])


def test_a_local_backend_fails_as_planned(fake: FakePixelRouter) -> None:
    fake.fail_next(errors.OutcomeUnknown)
    with pytest.raises(errors.OutcomeUnknown):
        fake.generate(PROMPT, size=32, backend="procedural")


def test_the_awaited_fake_is_the_same(tmp_path: Path) -> None:
    async def script() -> Any:
        async with FakeAsyncPixelRouter(tmp_path / "fake", backend="retrodiffusion") as router:
            art = await router.generate(PROMPT, size=32)
            router.fail_next(errors.RateLimited)
            with pytest.raises(errors.RateLimited):
                await router.generate("other", size=32)
            return art.raws, len(router.calls), len(router.bought)

    raws, calls, bought = asyncio.run(script())
    with FakePixelRouter(tmp_path / "fake2", backend="retrodiffusion") as router:
        assert raws == router.generate(PROMPT, size=32).raws
    assert (calls, bought) == (2, 2)


def test_no_state_of_earnest_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A placeholder in the real ledger would be reused in the vendor's name."""
    monkeypatch.setenv("PIXELROUTER_STAND_IN", str(tmp_path / "fake"))
    with PixelRouter(state=tmp_path / "real", backend="retrodiffusion") as router:
        router.generate(PROMPT, size=32)
    assert not (tmp_path / "real").exists()
