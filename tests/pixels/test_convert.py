"""Converting photos and paintings: lines and edges survive, flat parts are averaged in linear light, alpha is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import FinishSpec, finish
from pixelrouter.pixels import convert as module
from pixelrouter.pixels.convert import convert

INK, PAPER = (20, 20, 40), (240, 225, 200)


def canvas(width: int = 256, height: int = 256, color: tuple[int, ...] = PAPER) -> Image.Image:
    return Image.new("RGBA", (width, height), (*color, 255))


def near(pixels: np.ndarray, color: tuple[int, ...], within: int = 24) -> np.ndarray:
    return np.abs(pixels[..., :3].astype(int) - color).max(axis=-1) <= within


@pytest.mark.parametrize("at", [64, 66, 68, 70.5])
@pytest.mark.parametrize("width", [3, 5, 8])
def test_a_thin_line_stays_one_pixel_wide_and_dark_wherever_it_lies(at, width):
    image = canvas()
    big = image.resize((1024, 1024))
    ImageDraw.Draw(big).rectangle((at * 4, 0, (at + width) * 4 - 1, 1023), fill=INK)
    small = convert(np.asarray(big.resize((256, 256), Image.Resampling.BOX)), (32, 32))
    dark = near(small, INK)
    assert (dark.sum(axis=1) == 1).all()
    assert (dark | near(small, PAPER)).all(), "nothing is grey"


def test_a_plain_average_loses_the_same_line():
    image = canvas()
    ImageDraw.Draw(image).rectangle((66, 0, 68, 255), fill=INK)
    average = np.asarray(image.resize((32, 32), Image.Resampling.BOX))
    assert not near(average, INK).any()
    assert near(convert(np.asarray(image), (32, 32)), INK).any()


def test_bright_lines_on_dark_survive_too():
    image = canvas(color=INK)
    ImageDraw.Draw(image).line((0, 40, 255, 200), fill=PAPER, width=3)
    bright = near(convert(np.asarray(image), (32, 32)), PAPER, 40)
    assert (bright.sum(axis=0) >= 1).mean() > 0.9
    assert bright.sum() <= 36, "and do not grow"


def test_an_edge_through_cells_belongs_to_one_side():
    image = canvas()
    ImageDraw.Draw(image).polygon([(0, 30), (255, 190), (255, 255), (0, 255)], fill=INK)
    small = convert(np.asarray(image), (32, 32))
    assert (near(small, INK) | near(small, PAPER)).mean() > 0.99


def test_a_line_that_fades_goes_on_for_a_while(monkeypatch):
    """What continues a line may be fainter than what begins one."""
    image = canvas()
    draw = ImageDraw.Draw(image)
    for x in range(256):
        draw.line((x, 98, x, 99), fill=(120 + x // 3,) * 3)  # towards the paper's own lightness

    def length() -> int:
        drawn = ~near(convert(np.asarray(image), (32, 32)), PAPER)[12]
        assert drawn[: drawn.sum()].all(), "in one piece"
        return int(drawn.sum())

    long = length()
    monkeypatch.setattr(module, "_REACH", 0)
    assert length() == long - 3


def test_soft_texture_is_averaged_in_linear_light():
    checks = (np.indices((64, 64)).sum(axis=0) % 2 * 12 + 100).astype(np.uint8)
    rgba = np.dstack([checks, checks, checks, np.full_like(checks, 255)])
    linear = [((v / 255 + 0.055) / 1.055) ** 2.4 for v in (100, 112)]
    expected = round((1.055 * (sum(linear) / 2) ** (1 / 2.4) - 0.055) * 255)
    assert np.abs(convert(rgba, (8, 8))[..., :3].astype(int) - expected).max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    color=st.tuples(*[st.integers(0, 255)] * 3),
    have=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_one_colour_stays_that_colour_at_any_size(color, have, size):
    out = convert(np.asarray(canvas(*have, color)), size)
    assert out.shape == (size[1], size[0], 4)
    assert (out == (*color, 255)).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    have=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    transparent=st.sampled_from([None, True, False]),
    partial=st.booleans(),
)
def test_the_guarantee_holds_for_conversions(seed, have, size, transparent, partial):
    pixels = np.random.default_rng(seed).integers(0, 256, (have[1], have[0], 4), dtype=np.uint8)
    spec = FinishSpec(size=size, mode="convert", colors=7, transparent=transparent, partial_alpha=partial)
    done = finish(Image.fromarray(pixels), spec)
    out = np.asarray(done.image)
    assert done.image.size == done.indexed.size == size
    assert done.report.method == "convert"
    assert len(np.unique(out[out[..., 3] > 0][:, :3], axis=0)) <= 7
    assert not out[out[..., 3] == 0].any()
    if not partial:
        assert set(np.unique(out[..., 3])) <= {0, 255}
    if transparent is False:
        assert (out[..., 3] == 255).all()


def test_hidden_colours_have_no_say_and_alpha_goes_by_majority():
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    pixels[...] = (255, 0, 255, 0)  # what lies under alpha 0 is no colour
    pixels[:, :28] = (10, 200, 30, 255)  # three cells and a half... of eight pixels each
    done = np.asarray(finish(Image.fromarray(pixels), FinishSpec(size=(8, 8), mode="convert")).image)
    assert (done[:, :3] == (10, 200, 30, 255)).all()
    assert not done[:, 4:].any()
    assert {tuple(p) for p in done[:, 3].tolist()} <= {(10, 200, 30, 255), (0, 0, 0, 0)}
    soft = convert(pixels, (8, 8))
    assert np.abs(soft[:, 3].astype(int) - (10, 200, 30, 128)).max() <= 1, "premultiplied: no purple fringe"


def test_an_outline_beside_transparency_is_a_line():
    image = Image.new("RGBA", (256, 256))
    ImageDraw.Draw(image).ellipse((20, 20, 235, 235), fill=(*PAPER, 255), outline=(*INK, 255), width=4)
    small = convert(np.asarray(image), (32, 32))
    visible = small[..., 3] >= 128
    dark = near(small, INK, 40) & visible
    assert 60 <= dark.sum() <= 80, "about as many as the circle is long"
    assert dark[visible.any(axis=1)].any(axis=1).mean() > 0.9


def test_bands_change_nothing(monkeypatch):
    rng = np.random.default_rng(5)
    small = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((230, 210), Image.Resampling.BICUBIC).convert("RGBA")
    ImageDraw.Draw(image).line((3, 3, 200, 150), fill=INK, width=2)
    whole = convert(np.asarray(image), (37, 31))
    monkeypatch.setattr(module, "_BAND", 1)
    banded = convert(np.asarray(image), (37, 31))
    assert np.abs(whole.astype(int) - banded).max() <= 1


def test_a_very_different_aspect_ratio_is_kept_and_said():
    done = finish(canvas(200, 100), FinishSpec(size=(20, 20), mode="convert"))
    assert done.image.size == (20, 20)
    assert done.report.grid.size == (20, 10)
    assert done.report.grid.period == (10.0, 10.0)
    assert any("20x10 of 20x20" in warning for warning in done.report.warnings)
    assert not finish(canvas(200, 190), FinishSpec(size=(20, 20), mode="convert")).report.warnings[1:]


def test_a_pixel_size_gives_the_size():
    spec = FinishSpec(mode="convert", pixel_size=(10, 5))
    assert finish(canvas(200, 100), spec).image.size == (20, 20)
    with pytest.raises(InvalidRequest, match="4096"):
        finish(Image.new("L", (5000, 4)), FinishSpec(mode="convert", pixel_size=1))


def test_a_converted_picture_converted_again_is_the_same():
    image = canvas()
    ImageDraw.Draw(image).ellipse((30, 40, 200, 180), fill=(200, 60, 30), outline=INK, width=3)
    spec = FinishSpec(size=(32, 32), mode="convert", colors=8)
    once = finish(image, spec)
    assert finish(once.image, spec).image.tobytes() == once.image.tobytes()


def test_a_palette_and_dither_apply():
    ramp = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[None, :], 64, axis=0)
    spec = FinishSpec(size=(64, 16), mode="convert", palette=("#000000", "#ffffff"), dither="bayer4")
    out = np.asarray(finish(Image.fromarray(ramp), spec).image)
    assert {tuple(c) for c in out.reshape(-1, 4).tolist()} == {(0, 0, 0, 255), (255, 255, 255, 255)}


@pytest.mark.slow
def test_a_large_picture_works():
    small = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((4096, 4096), Image.Resampling.BICUBIC)
    assert finish(image, FinishSpec(size=(128, 128), mode="convert")).image.size == (128, 128)
