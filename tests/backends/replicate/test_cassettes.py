"""What the art of a cassette looks like; all of them: tests/test_cassettes.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrouter import PixelRouter
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
    assert art.warnings == ()


def test_edit(play):
    [sent] = (OURS / "edit").glob("0001-*.png")
    art = play("edit", prompt="blue", task="edit", images=[sent.read_bytes()], strength=0.5)
    assert "#2848c0" in art.palette


def test_animation(play):
    art = play("animation", prompt="a tiny wizard", task="animation", size=48, model="rd-animation/four_angle_walking")
    assert art.names[:5] == ("row-0/0", "row-0/1", "row-0/2", "row-0/3", "row-1/0")
