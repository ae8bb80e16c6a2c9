"""The quantizer: its limit, its error beside other quantizers, colours that fit, and speed's guard against size."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import ConfigError
from pixelrouter.pixels.color import nearest, pack, to_oklab, unpack
from pixelrouter.pixels.colors import quantize
from pixelrouter.pixels.colors.quantize import kmeans, quantizer, reduce_colors


def mean_error(rgb, palette):
    lab, goal = to_oklab(rgb).astype(float), to_oklab(palette).astype(float)
    return np.linalg.norm(lab - goal[nearest(lab, goal)], axis=1).mean()


def pictures():
    """Pixels ``(n, 3)``: a sprite of ramps, a photo-like mixture, a gradient, noise."""
    rng = np.random.default_rng(4)
    ramps = np.linspace(rng.integers(0, 90, (6, 3)), rng.integers(120, 256, (6, 3)), 7).reshape(-1, 3)
    sprite = ramps[rng.choice(42, 3000, p=rng.dirichlet(np.full(42, 0.4)))]
    photo = np.concatenate([rng.normal(rng.integers(40, 216, 3), rng.integers(4, 30), (400, 3)) for _ in range(12)])
    y, x = np.mgrid[:48, :48]
    gradient = np.stack([x * 5, y * 5, (x + y) * 2], axis=2).reshape(-1, 3)
    noise = rng.integers(0, 256, (3000, 3))
    return {
        n: np.clip(p, 0, 255).astype(np.uint8)
        for n, p in zip(["sprite", "photo", "gradient", "noise"], (sprite, photo, gradient, noise), strict=True)
    }


@pytest.mark.parametrize("limit", [8, 16, 32])
@pytest.mark.parametrize("name", ["sprite", "photo", "gradient", "noise"])
def test_it_is_at_least_as_good_as_imagequant(name, limit):
    pytest.importorskip("imagequant")
    rgb = pictures()[name]
    own, other = (mean_error(rgb, reduce_colors(rgb, limit, wish)) for wish in ("own", "imagequant"))
    assert own <= other


@pytest.mark.parametrize("name", ["sprite", "photo", "gradient", "noise"])
def test_it_is_better_than_median_cut(name):
    from PIL import Image

    rgb = pictures()[name]
    cut = Image.fromarray(rgb[None]).quantize(16, Image.Quantize.MEDIANCUT, kmeans=1)
    entries = np.array(cut.getpalette(), dtype=np.uint8).reshape(-1, 3)[:16]
    assert mean_error(rgb, reduce_colors(rgb, 16)) < mean_error(rgb, entries)


def test_moving_centres_helps_over_plain_k_means(monkeypatch):
    rgb = pictures()["photo"]
    with_moves = mean_error(rgb, reduce_colors(rgb, 16))
    monkeypatch.setattr(quantize, "_EFFORT", 0)
    assert with_moves < mean_error(rgb, reduce_colors(rgb, 16))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**16), count=st.integers(1, 3000), kinds=st.integers(1, 3000), limit=st.integers(1, 256))
def test_the_limit_holds_and_few_colors_stay(seed, count, kinds, limit):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (kinds, 3), dtype=np.uint8)[rng.integers(0, kinds, count)]
    palette = reduce_colors(rgb, limit)
    assert 1 <= len(palette) <= limit
    assert len(np.unique(pack(palette))) == len(palette)
    distinct = np.unique(pack(rgb))
    if len(distinct) <= limit:
        assert np.array_equal(np.unique(pack(palette)), distinct)
    assert np.array_equal(palette, reduce_colors(rgb[::-1], limit))  # deterministic, in whatever order pixels come


def test_very_many_colors_are_put_together_first():
    rng = np.random.default_rng(7)
    values = np.unique(rng.integers(0, 1 << 24, 60_000, dtype=np.uint32))
    colors, counts = unpack(values), np.ones(len(values), dtype=np.intp)
    lab, weight = quantize._bins(colors, counts)
    assert len(lab) <= 4096
    assert weight.sum() == len(values)
    assert np.average(lab, axis=0, weights=weight) == pytest.approx(
        (to_oklab(colors) * quantize._HUE).mean(axis=0), abs=1e-5
    )
    assert len(kmeans(colors, counts, 256)) == 256


def test_which_quantizer_is_at_work(monkeypatch):
    assert quantizer() == quantizer("own")
    monkeypatch.setattr(quantize, "imagequant", None)
    assert quantizer() == quantizer("own")
    with pytest.raises(ConfigError, match="not installed"):
        quantizer("imagequant")


def test_imagequant_keeps_the_limit_of_one_color():
    pytest.importorskip("imagequant")
    assert len(reduce_colors(pictures()["noise"], 1, "imagequant")) == 1


def test_a_small_saturated_part_of_a_grey_picture_keeps_its_hue():
    rng = np.random.default_rng(12)
    greys = rng.integers(20, 236, (4000, 1)) + rng.normal(0, 3, (4000, 3))
    suit = rng.integers(150, 236, (1500, 1)) * (1, 0.45, 0.3) + rng.normal(0, 3, (1500, 3))
    skin = rng.integers(130, 236, (220, 1)) * (1, 0.8, 0.68) + rng.normal(0, 3, (220, 3))  # 4 in a hundred
    rgb = np.concatenate([greys, suit, skin]).clip(0, 255).astype(np.uint8)
    palette = to_oklab(reduce_colors(rgb, 24))
    lab = to_oklab(rgb[-len(skin) :])
    left = palette[nearest(lab, palette)]
    chroma, off = np.hypot(*lab[:, 1:].T), np.hypot(*(lab - left)[:, 1:].T)
    assert (off < chroma / 2).mean() > 0.95


def test_threads_do_not_change_a_palette():
    program = (
        "import numpy as np; from pixelrouter.pixels.colors.quantize import reduce_colors; "
        "y, x = np.mgrid[:128, :128]; rng = np.random.default_rng(5); "
        "sides = np.stack([x * 2, y * 2, 255 - x - y], axis=2).astype(np.uint8).reshape(-1, 3); "
        "photo = np.clip(sides + rng.normal(0, 20, sides.shape), 0, 255).astype(np.uint8); "
        "print([reduce_colors(rgb, n).tobytes().hex() for rgb in (sides, photo) for n in (7, 32, 256)])"
    )
    out = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "OPENBLAS_CORETYPE": core},
            capture_output=True,
            check=True,
        ).stdout
        for threads, core in (("1", "Haswell"), ("2", "Nehalem"))
    ]
    assert out[0] == out[1]


def test_nearest_is_the_nearest_and_the_first_of_equals():
    rng = np.random.default_rng(8)
    colors, palette = (to_oklab(rng.integers(0, 256, (n, 3), dtype=np.uint8)) for n in (700, 256))
    brute = ((colors[:, None].astype(float) - palette.astype(float)) ** 2).sum(axis=2)
    assert np.array_equal(nearest(colors, palette), brute.argmin(axis=1))
    for seed in range(20):  # exactly between two: whichever stands first
        middle, off = (np.random.default_rng(seed).integers(-99, 99, 3) / 1024 for _ in range(2))
        pair = np.array([middle + off[::-1], middle - off[::-1]], dtype=np.float32)
        assert nearest(middle[None].astype(np.float32), pair).tolist() == [0]
        assert nearest(middle[None].astype(np.float32), pair[::-1]).tolist() == [0]
    art = rng.integers(0, 256, (50, 3), dtype=np.uint8)
    assert np.array_equal(nearest(to_oklab(art), to_oklab(art[::-1])), 49 - np.arange(50))
