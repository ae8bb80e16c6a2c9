"""What the art of the tasks' cassettes looks like; all of them: tests/test_cassettes.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelrouter import PixelRouter
from pixelrouter.types import VIEW_NAMES, Money
from tests.backends.retrodiffusion_answers import KEY

OURS = Path(__file__).parents[2] / "cassettes" / "retrodiffusion"
POTION = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7}


@pytest.fixture
def play(tmp_path):
    """Buy with a scenario's cassette in place of the network."""
    routers = []

    def go(scenario, **more):
        router = PixelRouter(
            cassette=OURS / scenario,
            state=tmp_path / scenario,
            backend="retrodiffusion",
            keys={"retrodiffusion": KEY},
            backends={"retrodiffusion": {"poll_s": 0}},
        )
        routers.append(router)
        arguments = POTION | more
        return router.generate(arguments.pop("prompt"), **arguments)

    yield go
    for router in routers:
        router.close()


@pytest.fixture(scope="module")
def potion():
    """The picture that every task starts from, as it was sent."""
    return (OURS / "edit" / "0001-request-image-0.png").read_bytes()


def cost(art):
    return art.cost.money, art.cost.source


def test_animation(play, potion):
    art = play("animation", task="animation", images=[potion], action="hops", frames=4)
    assert len(art.images) == 4
    assert {image.size for image in art.images} == {(32, 32)}
    assert art.durations == (150,) * 4
    assert cost(art) == (Money.of("0.25"), "reported")


def test_views(play, potion):
    art = play("views", task="views", views="8", images=[potion])
    assert sorted(art.names) == sorted(VIEW_NAMES["8"])
    for name, image in zip(art.names, art.images, strict=True):
        pixels = np.array(image.convert("RGBA")).astype(int)
        rows, columns = np.nonzero(pixels[..., :3].min(axis=2) > 200)  # the eye
        across, down = columns.mean() - 15.5, rows.mean() - 15.5
        assert (down > 2) == ("south" in name), name
        assert (down < -2) == ("north" in name), name
        assert (across > 2) == ("east" in name), name
        assert (across < -2) == ("west" in name), name


def test_tileset(play):
    art = play("tileset", prompt="lush grass", task="tileset", tiles="wang", upper="grey stones", size=16)
    assert len(art.images) == 20
    tiles = dict(zip(art.names, art.images, strict=True))
    grass, stone = (tiles[name].convert("RGB").getpixel((0, 0)) for name in ("wang-0000", "wang-1111"))
    assert grass[1] > max(grass[0], grass[2])
    assert tiles["wang-0110"].convert("RGB").getpixel((15, 0)) == stone
    assert tiles["wang-0110"].convert("RGB").getpixel((0, 0)) == grass


def test_remove_background(play, potion):
    art = play("remove_background", prompt="", task="remove_background", images=[potion])
    assert art.image.getpixel((0, 0))[3] == 0
    assert art.image.getpixel((15, 20))[3] == 255
    assert cost(art) == (Money.of("0.01"), "reported")
