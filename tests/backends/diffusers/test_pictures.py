"""Pictures on their way in: transparent ones are laid on white, small ones enlarged without smoothing."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pixelrouter.backends.diffusers.pictures import at_least, encoded, fitted, is_black, opened
from pixelrouter.errors import UnreadableImage
from tests.backends.diffusers.wishes import png


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "L", "RGB"])
def test_every_kind_of_picture_becomes_rgb(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).convert(mode).save(buffer, format="PNG")
    image = opened(buffer.getvalue(), "images[0]")
    assert (image.mode, image.size) == ("RGB", (9, 9))


def test_transparent_pixels_are_white_whatever_colour_hides_under_them() -> None:
    image = opened(png(color=(10, 20, 30, 255)), "x")
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert image.getpixel((8, 8)) == (10, 20, 30)


@pytest.mark.parametrize("data", [b"", b"not a picture", png()[:40]])
def test_what_is_no_picture_is_refused_by_its_name(data: bytes) -> None:
    with pytest.raises(UnreadableImage, match=r"images\[1\]"):
        opened(data, "images[1]")


def test_a_sprite_is_enlarged_by_whole_pixels() -> None:
    image = opened(png((16, 16)), "x")
    large = fitted(image, (64, 64))
    assert large.size == (64, 64)
    assert {color for _, color in large.getcolors() or []} == {(255, 255, 255), (200, 40, 40)}
    assert large.resize((16, 16), 0).tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(64, 128), (128, 64), (80, 64), (24, 8)])
def test_another_shape_gets_a_white_rim_and_keeps_its_own(size: tuple[int, int]) -> None:
    large = fitted(opened(png((16, 16)), "x"), size)
    assert large.size == size
    left, top, right, bottom = large.point(lambda v: 255 - v).convert("L").getbbox() or (0, 0, 0, 0)
    assert right - left == pytest.approx(bottom - top, abs=1)


def test_a_reference_is_enlarged_to_the_smallest_size_a_model_takes() -> None:
    image = opened(png((16, 20)), "x")
    assert at_least(image, 64).size == (64, 80)
    assert at_least(image, 8) is image


def test_black_is_told_from_dark() -> None:
    assert is_black(Image.new("RGB", (4, 4)))
    assert not is_black(Image.new("RGB", (4, 4), (0, 0, 1)))
    assert Image.open(io.BytesIO(encoded(Image.new("RGBA", (4, 4))))).mode == "RGB"
