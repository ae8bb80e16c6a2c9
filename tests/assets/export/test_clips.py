from __future__ import annotations

import pytest

from pixelrouter.assets.asset import FrameTag, TagDirection
from pixelrouter.assets.export import exporter
from pixelrouter.assets.export.clips import clips, plain, unique
from pixelrouter.assets.sprite import Sprite
from tests.assets.export import sprites


@pytest.mark.parametrize(
    ("direction", "loop", "shown"),
    [
        ("forward", True, (1, 2, 3, 4)),
        ("reverse", True, (4, 3, 2, 1)),
        ("pingpong", True, (1, 2, 3, 4, 3, 2)),
        ("pingpong_reverse", True, (4, 3, 2, 1, 2, 3)),
        ("pingpong", False, (1, 2, 3, 4, 3, 2, 1)),
        ("pingpong_reverse", False, (4, 3, 2, 1, 2, 3, 4)),
    ],
)
def test_tags_are_unrolled(direction: TagDirection, loop: bool, shown: tuple[int, ...]) -> None:
    times = (10, 20, 30, 40, 50, 60)
    (clip,) = clips(sprites.film(durations=times, tags=[FrameTag("walk", 1, 4, direction)], loop=loop))
    assert (clip.name, clip.frames) == ("walk", shown)
    assert clip.times == tuple(times[number] for number in shown)


@pytest.mark.parametrize("direction", ["forward", "reverse", "pingpong", "pingpong_reverse"])
@pytest.mark.parametrize("loop", [True, False])
def test_a_tag_of_one_frame_shows_it_once(direction: TagDirection, loop: bool) -> None:
    (clip,) = clips(sprites.film(tags=[FrameTag("idle", 2, 2, direction)], loop=loop))
    assert clip.frames == (2,)


def test_two_frames_to_and_fro() -> None:
    (clip,) = clips(sprites.film(tags=[FrameTag("blink", 0, 1, "pingpong")]))
    assert clip.frames == (0, 1)


def test_a_film_shorter_than_its_tags() -> None:
    found = clips(sprites.film(3, tags=[FrameTag("walk", 1, 7), FrameTag("fall", 5, 7)]))
    assert [(clip.name, clip.frames) for clip in found] == [("walk", (1, 2))]


def _seen(sprite: Sprite) -> dict[str, tuple[int, ...]]:
    return {clip.name: clip.frames for clip in clips(sprite)}


def test_without_tags_names_decide() -> None:
    assert _seen(sprites.film(3)) == {"default": (0, 1, 2)}
    assert _seen(sprites.still()) == {"default": (0,)}
    rows = sprites.film(6, names=["south/0", "south/1", "south/2", "north/0", "north/1", "north/2"])
    assert _seen(rows) == {"south": (0, 1, 2), "north": (3, 4, 5)}
    assert list(_seen(sprites.views())) == list(sprites.views().names)
    assert _seen(sprites.views())["east"] == (2,)
    parts = Sprite("chest", sprites.film(3).frames, sprites.PALETTE, "views", ("lid/open", "lid/shut", "box/0"))
    assert _seen(parts) == {"lid/open": (0,), "lid/shut": (1,), "box": (2,)}


def test_times_have_a_default() -> None:
    assert clips(sprites.film(2))[0].times == (100, 100)


def test_names_are_plain_and_differ() -> None:
    assert plain("a\x00b\nc\ud800d é中") == "a_b_c_d é中"
    assert unique(["a", "a", "a-2", "a"]) == ("a", "a-2", "a-2-2", "a-3")
    doubled = sprites.film(tags=[FrameTag("walk", 0, 1), FrameTag("walk", 2, 3)])
    assert _seen(doubled) == {"walk": (0, 1), "walk-2": (2, 3)}


@pytest.mark.parametrize("name", ["godot", "tiled", "unity", "gif", "apng"])
def test_the_same_sprite_gives_the_same_bytes(name: str) -> None:
    for make in (sprites.film, sprites.still, sprites.views, sprites.wang):
        assert exporter(name)(make(), "stem", "folder") == exporter(name)(make(), "stem", "folder")
