from __future__ import annotations

import io

import pytest
from PIL import Image, ImageSequence

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.export.preview import export, export_apng
from pixelrouter.assets.sprite import Sprite
from tests.assets.export import sprites

TIMES = (80, 83, 100, 124, 1000, 57)


def shown(data: bytes) -> list[tuple[bytes, float]]:
    """Pixels and milliseconds of each frame."""
    with Image.open(io.BytesIO(data)) as film:
        return [(part.convert("RGBA").tobytes(), part.info["duration"]) for part in ImageSequence.Iterator(film)]


def enlarged(sprite: Sprite, number: int, factor: int) -> bytes:
    size = (sprite.size[0] * factor, sprite.size[1] * factor)
    return sprite.frames[number].convert("RGBA").resize(size, Image.Resampling.NEAREST).tobytes()


def test_apng_is_exact_and_indexed() -> None:
    sprite = sprites.film(durations=TIMES)
    (data,) = export_apng(sprite, "hero", "art").values()
    assert shown(data) == [(enlarged(sprite, number, 8), TIMES[number]) for number in range(6)]
    with Image.open(io.BytesIO(data)) as film:
        assert (film.mode, film.size, film.info["loop"]) == ("P", (96, 128), 0)


def test_gif_keeps_the_pixels_and_the_whole_time() -> None:
    sprite = sprites.film(durations=TIMES, loop=False)
    files = export(sprite, "hero", "art")
    assert list(files) == ["hero.gif"]
    found = shown(files["hero.gif"])
    assert [pixels for pixels, _ in found] == [enlarged(sprite, number, 8) for number in range(6)]
    assert [time for _, time in found] == [80, 80, 100, 130, 1000, 50]
    assert abs(sum(time for _, time in found) - sum(TIMES)) < 10
    with Image.open(io.BytesIO(files["hero.gif"])) as film:
        assert "loop" not in film.info


def test_clips_one_after_the_other() -> None:
    sprite = sprites.film(tags=[FrameTag("walk", 0, 2, "pingpong"), FrameTag("back", 4, 5, "reverse")])
    (data,) = export_apng(sprite, "hero", "").values()
    assert [pixels for pixels, _ in shown(data)] == [enlarged(sprite, number, 8) for number in (0, 1, 2, 1, 5, 4)]


@pytest.mark.parametrize("ending", ["gif", "apng"])
def test_views_turn(ending: str) -> None:
    sprite = sprites.views()
    ((name, data),) = (export if ending == "gif" else export_apng)(sprite, "hero", "").items()
    assert name == f"hero.{ending}"
    assert shown(data) == [(enlarged(sprite, number, 8), 250) for number in range(8)]


def test_what_does_not_move_has_no_preview() -> None:
    for sprite in (sprites.still(), sprites.still(task="animation"), sprites.still(task="views"), sprites.wang()):
        assert export(sprite, "x", "") == export_apng(sprite, "x", "") == {}


@pytest.mark.parametrize(("size", "seen"), [((127, 3), (254, 6)), ((128, 128), (128, 128)), ((2, 200), (2, 200))])
def test_a_whole_factor(size: tuple[int, int], seen: tuple[int, int]) -> None:
    frames = (sprites.frame(1, (16, 16)), sprites.frame(2, (16, 16)))
    sprite = Sprite("x", tuple(frame.resize(size) for frame in frames), sprites.PALETTE, "animation")
    with Image.open(io.BytesIO(export(sprite, "x", "")["x.gif"])) as film:
        assert film.size == seen
