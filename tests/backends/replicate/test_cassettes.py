"""The documented cassettes: rebuilt by their script, and bought from end to end through the router, sockets unused."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter import PixelRouter, errors
from pixelrouter.types import Money
from pixelrouter.wire.lint import lint
from tests.backends.replicate.answers import TOKEN

OURS = Path(__file__).parents[3] / "cassettes" / "replicate"
SCENARIOS = {
    *("success", "edit", "animation", "tileset", "validation_error", "no_balance", "rate_limited"),
    *("failed_task", "content_refused", "canceled", "aborted", "expired"),
}
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


def test_they_are_clean_and_say_that_they_are_documented():
    assert lint(OURS) == []
    assert {path.parent.name for path in OURS.rglob("cassette.json")} == SCENARIOS
    for path in OURS.rglob("cassette.json"):
        text = path.read_text()
        assert '"origin": "documented"' in text
        assert "replicate.com/docs" in text


def test_the_script_builds_exactly_these(tmp_path):
    """It fails when the backend changes what it sends: run make.py again."""
    runpy.run_path(str(OURS / "make.py"))["build"](tmp_path)
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    kept = sorted(path.relative_to(OURS) for path in OURS.rglob("*.*") if path.suffix in (".json", ".png"))
    assert built == kept
    for name in built:
        if name.suffix == ".json":
            assert (tmp_path / name).read_text() == (OURS / name).read_text()
        else:  # compressed bytes differ between versions of zlib, pixels do not
            assert Image.open(tmp_path / name).tobytes() == Image.open(OURS / name).tobytes()


def test_success(play):
    art = play("success")
    assert art.image.size == (32, 32)
    assert (art.cost.money, art.cost.source) == (Money.of("0.025"), "listed")
    assert art.warnings == ()


def test_edit(play):
    [sent] = (OURS / "edit").glob("0001-*.png")
    art = play("edit", prompt="blue", task="edit", images=[sent.read_bytes()], strength=0.5)
    assert art.image.size == (32, 32)
    assert "#2848c0" in art.palette


def test_animation(play):
    art = play("animation", prompt="a tiny wizard", task="animation", size=48, model="rd-animation/four_angle_walking")
    assert len(art.images) == 16
    assert {image.size for image in art.images} == {(48, 48)}
    assert art.names[:5] == ("row-0/0", "row-0/1", "row-0/2", "row-0/3", "row-1/0")
    assert any("order varies" in note for note in art.warnings)
    assert art.cost.money == Money.of("0.07")


def test_tileset(play):
    tiles = {"task": "tileset", "tiles": "wang", "upper": "sand", "model": "rd-tile/tileset_advanced"}
    art = play("tileset", prompt="grass", size=16, **tiles)
    assert len(art.images) == 20
    assert {image.size for image in art.images} == {(16, 16)}
    assert art.cost.money == Money.of("0.10")


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
