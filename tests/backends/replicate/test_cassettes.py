"""What the art of a cassette looks like, and where its price is from; all of them: tests/test_cassettes.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrouter import PixelRouter, errors
from pixelrouter.types import Money
from tests.backends.replicate.answers import TOKEN

OURS = Path(__file__).parents[3] / "cassettes" / "replicate"
POTION = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7, "model": "rd-fast/low_res"}


@pytest.fixture
def play(tmp_path):
    """Generate with a scenario's cassette in place of the network; gives the router and what it made."""
    routers = []

    def go(scenario, **more):
        router = PixelRouter(
            cassette=OURS / scenario,
            state=tmp_path / scenario,
            backend="replicate",
            keys={"replicate": TOKEN},
            backends={"replicate": {"poll_s": 0}},
        )
        routers.append(router)
        arguments = POTION | more
        return router.generate(arguments.pop("prompt"), **arguments)

    go.routers = routers
    yield go
    for router in routers:
        router.close()


def test_success(play):
    art = play("success")
    assert (art.cost.money, art.cost.source) == (Money.of("0.025"), "listed")
    assert art.warnings == ()


def test_edit(play):
    [sent] = (OURS / "edit").glob("0001-*.png")
    art = play("edit", prompt="blue", task="edit", images=[sent.read_bytes()], strength=0.5)
    assert "#2848c0" in art.palette


def test_animation(play):
    art = play("animation", prompt="a tiny wizard", task="animation", size=48, model="rd-animation/four_angle_walking")
    assert art.names[:5] == ("row-0/0", "row-0/1", "row-0/2", "row-0/3", "row-1/0")


@pytest.mark.parametrize(
    ("scenario", "error", "booked", "source"),
    [
        ("validation_error", errors.RequestRejected, "0", "reported"),
        ("no_balance", errors.OutOfCredit, "0", "reported"),
        ("rate_limited", errors.RateLimited, "0", "reported"),
        ("failed_task", errors.JobFailed, "0.025", "unknown"),
        ("content_refused", errors.ContentBlocked, "0.025", "unknown"),
        ("canceled", errors.JobFailed, "0.025", "unknown"),
        ("aborted", errors.JobFailed, "0", "reported"),
        ("expired", errors.ResultExpired, "0.025", "listed"),
    ],
)
def test_what_an_end_without_an_image_costs(play, scenario, error, booked, source):
    with pytest.raises(error):
        play(scenario)
    [attempt] = play.routers[0].attempts()
    assert (attempt.cost.money, attempt.cost.source) == (Money.of(booked), source)
