"""The cassettes, played through the whole router: no key, no network."""

from __future__ import annotations

import io
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acme_backend.simulator import AcmeSimulator
from PIL import Image

from pixelrouter import PixelArt, PixelRouter, errors
from pixelrouter.types import VIEW_NAMES, Money
from pixelrouter.wire.lint import lint

CASSETTES = Path(__file__).parents[1] / "cassettes"
POTION: dict[str, Any] = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7}
Play = Callable[..., tuple[PixelArt, PixelRouter]]


@pytest.fixture
def play(tmp_path: Path) -> Any:
    """Buy with a scenario's cassette in place of the network."""
    routers = []

    def go(scenario: str, delivery: str = "url", **wish: Any) -> tuple[PixelArt, PixelRouter]:
        section = {"poll_s": 0, "delivery": delivery}
        routers.append(
            PixelRouter(cassette=CASSETTES / scenario, state=tmp_path, backend="acme", backends={"acme": section})
        )
        return routers[-1].generate(**POTION | wish), routers[-1]

    yield go
    for router in routers:
        router.close()


def test_acme_success(play: Play) -> None:
    art, _ = play("success")
    assert art.size == (32, 32)
    assert (art.cost.money, art.cost.source) == (Money.of("0.04"), "reported")


def test_acme_images_inside_the_answer(play: Play) -> None:
    art, _ = play("embedded", delivery="base64", transparent=True, n=2)
    assert [image.size for image in art.images] == [(32, 32)] * 2
    assert art.image.getpixel((0, 0))[3] == 0
    assert art.cost.money == Money.of("0.08")


def test_acme_a_turnaround_is_two_purchases_and_four_views(play: Play) -> None:
    art, router = play("turnaround", task="views", views=4)
    assert art.names == VIEW_NAMES["4"]
    with Image.open(CASSETTES / "turnaround" / "0008-body.png") as sheet:
        corner = sheet.convert("RGBA").crop((32, 0, 64, 32))
    assert art["east"].tobytes() == corner.tobytes()
    assert [attempt.cost.money for attempt in router.attempts()] == [Money.of("0.12"), Money.of("0.04")]


@pytest.mark.parametrize(
    ("scenario", "wish", "error", "facts"),
    [
        ("validation_error", {"options": {"outline": "dotted"}}, errors.RequestRejected, {"status": 422}),
        ("no_credit", {}, errors.OutOfCredit, {"status": 402}),
        ("rate_limited", {}, errors.RateLimited, {"status": 429, "retry_after": 1}),
        ("content_policy", {}, errors.ContentRefused, {"status": 403}),
        ("busy", {}, errors.Overloaded, {"status": 503, "retry_after": 3}),
        ("failed_job", {}, errors.JobFailed, {"charged": Money(0), "code": "inference_failed"}),
    ],
)
def test_acme_what_costs_nothing(
    play: Play, tmp_path: Path, scenario: str, wish: dict[str, Any], error: type[Exception], facts: dict[str, Any]
) -> None:
    with pytest.raises(error) as caught:
        play(scenario, **wish)
    assert {name: getattr(caught.value, name) for name in facts} == facts
    with PixelRouter(state=tmp_path) as router:
        assert [(attempt.state, attempt.cost.money.micros) for attempt in router.attempts()] == [("released", 0)]


def test_acme_cassettes_are_clean_and_the_script_writes_exactly_these(tmp_path: Path) -> None:
    assert lint(CASSETTES) == []
    runpy.run_path(str(CASSETTES / "make.py"))["build"](tmp_path)
    files = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    kept = {path.relative_to(CASSETTES): path.read_bytes() for path in CASSETTES.rglob("*.*") if path.suffix != ".py"}
    kept = {name: data for name, data in kept.items() if "__pycache__" not in name.parts}
    assert {name: read(data) for name, data in files.items()} == {name: read(data) for name, data in kept.items()}


def read(data: bytes) -> object:
    """A cassette as JSON, an image as pixels: compressed bytes differ between versions of zlib."""
    if data.startswith(b"{"):
        return json.loads(data)
    with Image.open(io.BytesIO(data)) as image:
        return image.size, image.tobytes()


def test_acme_nothing_here_claims_to_be_a_recording() -> None:
    for path in CASSETTES.rglob("cassette.json"):
        file = json.loads(path.read_text("utf-8"))
        assert file["origin"] == "documented"
        assert "does not exist" in file["source"]
        assert AcmeSimulator.default_keys[0] not in path.read_text("utf-8")
