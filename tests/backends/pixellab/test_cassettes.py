"""The documented cassettes: rebuilt by their script, and bought from end to end through the router, sockets unused."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter import PixelRouter, errors
from pixelrouter.types import VIEW_NAMES, Money
from pixelrouter.wire.lint import lint
from tests.backends.pixellab.made import KEY
from tests.testing.pixellab import published

OURS = Path(__file__).parents[3] / "cassettes" / "pixellab"
SCENARIOS = {
    *("success", "subscription_generations", "job", "views", "animation", "tileset", "remove_background"),
    *("validation_error", "no_balance", "rate_limited", "overloaded_529", "failed_task"),
}
POTION = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7, "model": "pixflux", "transparent": True}
BAKER = {"prompt": "a village baker", "size": 32, "seed": 7, "model": "character-4", "task": "views", "views": "4"}
WATER = {"prompt": "shallow water", "size": 16, "seed": 7, "model": "tileset", "task": "tileset", "tiles": "wang"}


@pytest.fixture
def play(tmp_path):
    """Generate with a scenario's cassette in place of the network; gives the router and what it made."""
    routers = []

    def go(scenario, wanted=POTION, **settings):
        router = PixelRouter(
            cassette=OURS / scenario,
            state=tmp_path / scenario,
            backend="pixellab",
            keys={"pixellab": KEY},
            backends={"pixellab": {"poll_s": 0, **settings}},
        )
        routers.append(router)
        arguments = dict(wanted)
        return router.generate(arguments.pop("prompt"), **arguments)

    go.routers = routers
    yield go
    for router in routers:
        router.close()


def test_they_are_clean_and_say_that_they_are_documented():
    assert lint(OURS) == []
    assert {path.parent.name for path in OURS.rglob("cassette.json")} == SCENARIOS
    assert all('"origin": "documented"' in path.read_text() for path in OURS.rglob("cassette.json"))


def test_the_script_builds_exactly_these(tmp_path):
    """It fails when the backend changes what it sends: run make.py again."""
    runpy.run_path(str(OURS / "make.py"))["build"](tmp_path)
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert built == sorted(path.relative_to(OURS) for path in OURS.rglob("*.*") if path.suffix in (".json", ".png"))
    for name in built:
        if name.suffix == ".json":
            assert (tmp_path / name).read_text() == (OURS / name).read_text()
        else:  # compressed bytes differ between versions of zlib, pixels do not
            assert Image.open(tmp_path / name).tobytes() == Image.open(OURS / name).tobytes()


@published.needed
def test_their_answers_are_valid_by_the_published_document(monkeypatch):
    made = runpy.run_path(str(OURS / "make.py"))
    checked = []

    class Checker:
        def append(self, method, url, body, *, status, headers, content):
            path = url.partition("/v2")[2]
            if 200 <= status < 300:
                published.check_answer("v2", method, path, status, json.loads(content))
                checked.append(path)

    monkeypatch.setattr(made["Cassette"], "documented", classmethod(lambda cls, folder, **about: Checker()))
    made["build"](Path("nowhere"))
    assert len(checked) > 15


def test_success(play):
    art = play("success")
    assert art.image.size == (32, 32)
    assert (art.cost.money, art.cost.source) == (Money.of("0.0084"), "reported")
    assert art.image.getpixel((0, 0))[3] == 0


def test_a_subscription(play):
    art = play("subscription_generations", account="subscription")
    assert (art.cost.money, art.cost.source) == (Money.of(1, "generations"), "reported")


def test_a_job_with_its_lag(play):
    art = play("job", prefer_jobs=True)
    assert art.image.size == (32, 32)
    assert art.cost.money == Money.of("0.0084")


def test_views_on_a_larger_canvas(play):
    art = play("views", BAKER)
    assert art.names == VIEW_NAMES["4"]
    assert {image.size for image in art.images} == {(32, 32)}
    assert len({image.tobytes() for image in art.images}) == 4
    assert art.cost.money == Money.of("0.0105")


def test_an_animation(play):
    [subject] = (OURS / "animation").glob("0001-request-image-*.png")
    wanted = {"prompt": "", "size": 32, "seed": 7, "task": "animation", "action": "bubbling", "frames": 4}
    art = play("animation", {**wanted, "images": [subject.read_bytes()]})
    assert len(art.images) == 4
    assert art.cost.money == Money.of("0.0221")


def test_a_tileset_from_its_own_address(play):
    art = play("tileset", {**WATER, "upper": "sand"})
    assert len(art.images) == 16
    assert (art.names[0], art.names[1], art.names[-1]) == ("wang-0000", "wang-0001", "wang-1111")
    assert art.cost.money == Money.of("0.0079")


def test_a_background_removed(play):
    [subject] = (OURS / "remove_background").glob("0001-request-image-*.png")
    wanted = {"prompt": "", "size": 32, "seed": 7, "task": "remove_background", "transparent": True}
    art = play("remove_background", {**wanted, "images": [subject.read_bytes()]})
    assert art.image.getpixel((0, 0))[3] == 0
    assert art.cost.money == Money.of("0.0055")


@pytest.mark.parametrize(
    ("scenario", "error"),
    [
        ("validation_error", errors.RequestRejected),
        ("no_balance", errors.OutOfCredit),
        ("rate_limited", errors.RateLimited),
        ("overloaded_529", errors.Overloaded),
        ("failed_task", errors.JobFailed),
    ],
)
def test_what_an_end_without_an_image_costs(play, scenario, error):
    with pytest.raises(error):
        play(scenario, prefer_jobs=scenario == "failed_task")
    [attempt] = play.routers[0].attempts()
    assert (attempt.state, attempt.cost.money) == ("released", Money(0))
