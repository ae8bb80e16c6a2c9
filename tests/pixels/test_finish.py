"""The guarantee of finishing, over random images of every mode, and over the cases a person would think of."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.errors import InvalidRequest, QualityRejected
from pixelrouter.pixels import FinishSpec, finish, finish_many, resolve_palette
from pixelrouter.pixels.colors.quantize import kmeans, reduce_colors

SHARED = Path(__file__).parents[2].parent / "shared" / "real"
MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"]


def random_image(mode: str, width: int, height: int, seed: int, few: bool) -> Image.Image:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if few:
        pixels = rng.integers(0, 256, (5, 4), dtype=np.uint8)[rng.integers(0, 5, (height, width))]
    image = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (height, width), dtype=np.uint16))
    if mode in ("I", "F"):
        return image.convert("L").convert(mode)
    if mode in ("CMYK", "YCbCr", "HSV", "1", "P"):
        return image.convert("RGB").convert(mode)
    return image.convert(mode)


def holds(done, spec):
    """Asserts everything that finishing promises."""
    rgba = np.asarray(done.image)
    assert done.image.mode == "RGBA"
    assert done.image.size == done.indexed.size == spec.size
    alpha = rgba[..., 3]
    if not spec.partial_alpha:
        assert set(np.unique(alpha)) <= {0, 255}
    assert not rgba[alpha == 0].any()
    visible = {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.unique(rgba[alpha > 0][:, :3], axis=0)}
    assert visible == set(done.palette)
    assert len(set(done.palette)) == len(done.palette) == done.report.colors_after
    if spec.palette is not None:
        assert visible <= set(spec.palette)
    else:
        assert len(visible) <= (spec.colors or 256)
    if spec.transparent is False:
        assert (alpha == 255).all()
    if not visible:
        assert any("transparent everywhere" in w for w in done.report.warnings)
    file = io.BytesIO()
    done.indexed.save(file, "PNG")
    again = Image.open(io.BytesIO(file.getvalue()))
    assert again.mode == "P"
    assert np.array_equal(np.asarray(again), np.asarray(done.indexed))
    assert np.array_equal(np.asarray(again.convert("RGBA")), rgba)
    assert np.array_equal(np.asarray(done.indexed.convert("RGBA")), rgba)
    json.dumps(done.report.as_dict())


specs = st.builds(
    FinishSpec,
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    colors=st.one_of(st.none(), st.integers(1, 256)),
    palette=st.one_of(st.none(), st.sampled_from([resolve_palette("pico-8"), ("#112233",)])),
    transparent=st.sampled_from([None, True, False]),
    policy=st.sampled_from(["snap", "resample"]),
    pixel_size=st.one_of(st.none(), st.floats(1, 50)),
    native=st.booleans(),
    partial_alpha=st.booleans(),
)


@settings(max_examples=250, deadline=None)
@given(
    mode=st.sampled_from(MODES),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    seed=st.integers(0, 2**16),
    few=st.booleans(),
    spec=specs,
)
def test_guarantee_over_random_images(mode, width, height, seed, few, spec):
    holds(finish(random_image(mode, width, height, seed, few), spec), spec)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**16), few=st.booleans(), scale=st.integers(1, 6), spec=specs)
def test_finishing_twice_changes_nothing(seed, few, scale, spec):
    spec = FinishSpec(spec.size, spec.colors, spec.palette, spec.transparent, partial_alpha=spec.partial_alpha)
    image = random_image("RGBA", 12, 12, seed, few).resize((12 * scale, 12 * scale), Image.Resampling.NEAREST)
    once = finish(image, spec)
    twice = finish(once.image, spec)
    assert once.image.tobytes() == twice.image.tobytes()
    assert once.palette == twice.palette
    assert once.indexed.tobytes() == finish(once.indexed, spec).indexed.tobytes()


def sprite(side: int = 24, seed: int = 3) -> Image.Image:
    """A small drawing with an outline, flat parts and transparency."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (6, 3), dtype=np.uint8)
    pixels = np.zeros((side, side, 4), dtype=np.uint8)
    y, x = np.mgrid[:side, :side]
    inside = (x - side / 2) ** 2 + (y - side / 2) ** 2 < (side * 0.42) ** 2
    pixels[inside, :3] = colors[(x * 3 + y * 5) // 7 % 6][inside]
    pixels[inside, 3] = 255
    return Image.fromarray(pixels)


def test_native_image_with_few_colors_passes_unchanged():
    image = sprite()
    done = finish(image, FinishSpec((24, 24)))
    assert done.image.tobytes() == image.tobytes()
    assert done.report.method == "native"
    assert done.report.grid.native
    assert done.report.warnings == ()


@pytest.mark.parametrize("scale", [2, 3, 8, 31])
def test_enlarged_sprite_comes_back_exactly(scale):
    image = sprite()
    big = image.resize((24 * scale, 24 * scale), Image.Resampling.NEAREST)
    done = finish(big, FinishSpec((24, 24)))
    assert done.image.tobytes() == image.tobytes()
    assert done.report.method == "snap"


def test_more_colors_than_the_limit_are_reduced_to_it():
    image = random_image("RGB", 64, 64, 1, few=False)
    for limit in (1, 2, 3, 16, 256):
        done = finish(image, FinishSpec((64, 64), colors=limit))
        holds(done, FinishSpec((64, 64), colors=limit))
        assert 1 <= len(done.palette) <= limit
        assert done.report.colors_before > 4000


def test_256_colors_and_transparency_warn_and_keep_255():
    pixels = np.asarray(random_image("RGBA", 64, 64, 1, few=False)).copy()
    pixels[..., 3] = 255
    pixels[0, 0] = 0
    spec = FinishSpec((64, 64), colors=256)
    done = finish(Image.fromarray(pixels), spec)
    holds(done, spec)
    assert len(done.palette) == 255
    assert any("255 colours" in w for w in done.report.warnings)


def test_auto_palette_runs_from_dark_to_light():
    done = finish(random_image("L", 32, 32, 5, few=False), FinishSpec((32, 32), colors=8))
    assert list(done.palette) == sorted(done.palette)


def test_transparent_true_keys_out_a_solid_background_but_not_holes():
    image = Image.new("RGB", (32, 32), (250, 250, 250))
    image.paste((20, 20, 60), (8, 8, 24, 24))
    image.paste((250, 250, 250), (14, 14, 18, 18))
    done = finish(image, FinishSpec((32, 32), transparent=True))
    alpha = np.asarray(done.image)[..., 3]
    assert alpha[0, 0] == 0
    assert alpha[10, 10] == 255
    assert alpha[15, 15] == 255
    assert done.report.transparent


def test_transparent_true_without_a_solid_background_warns():
    done = finish(random_image("RGB", 20, 20, 9, few=False), FinishSpec((20, 20), transparent=True))
    assert any("not one solid colour" in w for w in done.report.warnings)


def test_transparent_false_lays_the_picture_over_white():
    done = finish(sprite(), FinishSpec((24, 24), transparent=False))
    assert done.image.getpixel((0, 0)) == (255, 255, 255, 255)
    assert not done.report.transparent


def test_reject_refuses_an_image_without_a_grid_and_keeps_a_real_one():
    y, x = np.mgrid[:300, :300]
    smooth = np.stack([x * 255 // 300, y * 255 // 300, (x + y) * 255 // 600], axis=2).astype(np.uint8)
    spec = FinishSpec((32, 32), policy="reject")
    with pytest.raises(QualityRejected, match="No pixel grid"):
        finish(Image.fromarray(smooth), spec)
    big = sprite(32).resize((320, 320), Image.Resampling.NEAREST)
    assert finish(big, spec).report.method == "snap"
    assert finish(sprite(32), spec).report.method == "native"
    warned = finish(Image.fromarray(smooth), FinishSpec((32, 32)))
    assert warned.report.method == "resample"
    assert any("No pixel grid" in w for w in warned.report.warnings)


def test_pixel_size_overrides_detection():
    image = Image.new("RGB", (64, 64), "white")
    image.paste((0, 0, 0), (0, 0, 32, 32))
    done = finish(image, FinishSpec((8, 8), pixel_size=8))
    assert done.report.method == "snap"
    assert done.report.grid.size == (8, 8)
    assert done.image.getpixel((3, 3)) == (0, 0, 0, 255)
    assert done.image.getpixel((4, 4)) == (255, 255, 255, 255)


def test_resampling_never_invents_a_color():
    image = random_image("RGB", 50, 50, 2, few=True)
    before = {c for _, c in image.getcolors(10000)}
    done = finish(image, FinishSpec((17, 23), colors=None, policy="resample"))
    assert {c for _, c in done.image.convert("RGB").getcolors(10000)} <= before


def test_a_very_different_aspect_ratio_is_padded_not_stretched():
    image = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    image.paste((200, 30, 30, 255), (10, 10, 90, 40))
    alpha = np.asarray(finish(image, FinishSpec((32, 32), policy="resample")).image)[..., 3]
    assert not alpha[:8].any()
    assert not alpha[-8:].any()
    assert alpha.any()


def test_several_images_share_one_palette_and_its_indices():
    images = [random_image("RGB", 16, 16, seed, few=False) for seed in (1, 2, 3)]
    spec = FinishSpec((16, 16), colors=12)
    done = finish_many(images, spec)
    assert len({d.palette for d in done}) == 1
    assert len({tuple(d.indexed.getpalette()[:36]) for d in done}) == 1
    assert finish_many([], spec) == []


def test_animation_keeps_frames_durations_and_one_palette():
    frames = [sprite(seed=s).resize((96, 96), Image.Resampling.NEAREST) for s in (1, 2, 3)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], duration=[100, 200, 300])
    done = finish(file.getvalue(), FinishSpec((24, 24)))
    assert [f.size for f in done.frames] == [(24, 24)] * 3
    assert done.durations == (100, 200, 300)
    assert done.frames[1].tobytes() == sprite(seed=2).tobytes()


def test_own_quantizer_keeps_the_limit_and_is_exact_on_few_colors():
    rgb = np.asarray(random_image("RGB", 40, 40, 4, few=False)).reshape(-1, 3)
    values, counts = np.unique(rgb, axis=0, return_counts=True)
    for limit in (1, 2, 16, 64):
        assert len(np.unique(kmeans(values, counts, limit), axis=0)) <= limit
    two = np.array([[0, 0, 0], [255, 255, 255]] * 50, dtype=np.uint8)
    assert np.array_equal(reduce_colors(two, 2), [[0, 0, 0], [255, 255, 255]])
    # Sixteen well separated clusters are found again.
    centers = np.array([[r, g, b] for r in (30, 220) for g in (30, 220) for b in (20, 90, 160, 230)], dtype=np.int16)
    rng = np.random.default_rng(1)
    noisy = (np.repeat(centers, 50, axis=0) + rng.integers(-3, 4, (800, 3))).astype(np.uint8)
    values, counts = np.unique(noisy, axis=0, return_counts=True)
    found = kmeans(values, counts, 16).astype(int)
    assert all(np.abs(found - center).max(axis=1).min() <= 4 for center in centers)


def test_finishing_works_without_imagequant(monkeypatch):
    monkeypatch.setattr("pixelrouter.pixels.colors.quantize.imagequant", None)
    spec = FinishSpec((32, 32), colors=10)
    done = finish(random_image("RGB", 32, 32, 8, few=False), spec)
    holds(done, spec)
    assert len(done.palette) == 10
    assert spec.key_parts()["quantizer"].startswith("oklab-kmeans-")


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 4)},
        {"size": (4, 4, 4)},
        {"colors": 0},
        {"colors": 257},
        {"policy": "guess"},
        {"pixel_size": 0.5},
        {"dither": "bayer"},
        {"palette": ("red",)},
        {"palette": ()},
        {"size": 5},
        {"size": "64"},
        {"size": (8.0, 8.0)},
        {"colors": 2.5},
        {"colors": "many"},
        {"pixel_size": (8,)},
        {"pixel_size": (1, 2, 3)},
        {"pixel_size": "8"},
        {"pixel_size": float("nan")},
        {"origin": 5},
        {"origin": ("a", "b")},
        {"origin": (float("nan"), 1)},
        {"merge": "x"},
        {"merge": float("nan")},
    ],
)
def test_a_wrong_spec_is_refused(wrong):
    with pytest.raises(InvalidRequest):
        FinishSpec(**{"size": (8, 8), **wrong})


def test_lists_are_taken_for_pairs():
    spec = FinishSpec([8, 9], pixel_size=[2, 3], origin=[0, 1])
    assert (spec.size, spec.pixel_size, spec.origin) == ((8, 9), (2, 3), (0, 1))
    assert finish(Image.new("RGB", (8, 9), "red"), FinishSpec([8, 9])).report.method == "native"


def test_key_parts_are_json_and_tell_specs_apart():
    one, other = FinishSpec((8, 8)), FinishSpec((8, 8), colors=16)
    assert json.dumps(one.key_parts()) != json.dumps(other.key_parts())
    assert one.key_parts() == FinishSpec((8, 8)).key_parts()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of images made by real models is not here")
def test_images_of_real_models_are_finished():
    for file in sorted(SHARED.glob("*.png")):
        spec = FinishSpec((48, 48), colors=16)
        holds(finish(file, spec), spec)
