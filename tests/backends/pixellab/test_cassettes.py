"""The cassettes by the published document, and what their art looks like; all of them: tests/test_cassettes.py."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from pixelrouter import PixelRouter
from tests.backends.pixellab.made import KEY
from tests.testing.pixellab import published

OURS = Path(__file__).parents[3] / "cassettes" / "pixellab"
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
    assert art.image.getpixel((0, 0))[3] == 0


def test_views_on_a_larger_canvas(play):
    art = play("views", BAKER)
    assert len({image.tobytes() for image in art.images}) == 4


def test_a_tileset_from_its_own_address(play):
    art = play("tileset", {**WATER, "upper": "sand"})
    assert (art.names[0], art.names[1], art.names[-1]) == ("wang-0000", "wang-0001", "wang-1111")


def test_a_background_removed(play):
    [subject] = (OURS / "remove_background").glob("0001-request-image-*.png")
    wanted = {"prompt": "", "size": 32, "seed": 7, "task": "remove_background", "transparent": True}
    art = play("remove_background", {**wanted, "images": [subject.read_bytes()]})
    assert art.image.getpixel((0, 0))[3] == 0
