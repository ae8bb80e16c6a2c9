"""Grids under what models and files do to them: interpolation, blur, noise, compression, drift, tiny cells, margins."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixelrouter.errors import QualityRejected
from pixelrouter.pixels import THRESHOLD, FinishSpec, detect_grid, finish, snap_image
from pixelrouter.pixels.grid import find_lattice
from tests.pixels.test_grid import agreement, drawing, enlarge


def noisy(image: Image.Image, sigma: float, seed: int = 0) -> Image.Image:
    values = np.asarray(image).astype(float)
    return Image.fromarray(
        (values + np.random.default_rng(seed).normal(0, sigma, values.shape)).clip(0, 255).astype("u1")
    )


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


RESIZES = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@pytest.mark.parametrize("scale", [3.7, 7.3, 12.6, 25.0])
@pytest.mark.parametrize("how", RESIZES)
def test_smooth_enlargements(how, scale):
    art = drawing(36, 30, seed=11)
    image = Image.fromarray(art).resize((round(36 * scale), round(30 * scale)), RESIZES[how])
    grid = detect_grid(image)
    assert grid.size == (36, 30)
    assert grid.confidence > THRESHOLD
    assert agreement(snap_image(image), art) > 0.97


@pytest.mark.parametrize(("scale", "radius"), [(7.4, 1.5), (13.0, 2.5), (24.0, 2.0)])
def test_blur_of_coarse_cells_is_no_interpolation_of_fine_ones(scale, radius):
    art = drawing(30, 30, seed=12)
    image = enlarge(art, scale, scale).filter(ImageFilter.GaussianBlur(radius))
    assert detect_grid(image).size == (30, 30)
    assert agreement(snap_image(image), art) > 0.95


def test_blur_noise_and_compression_together():
    art = drawing(60, 52, seed=13)
    image = jpeg(noisy(enlarge(art, 9.7, 9.3).filter(ImageFilter.GaussianBlur(1.2)), 6), 80)
    assert detect_grid(image).size == (60, 52)
    assert agreement(snap_image(image), art) > 0.93


@pytest.mark.parametrize("sigma", [8, 14])
def test_heavy_noise_does_not_make_fine_cells(sigma):
    art = drawing(48, 48, seed=14)
    image = noisy(enlarge(art, 9.8, 9.8), sigma)
    assert detect_grid(image).size == (48, 48)


def test_noise_over_a_smooth_enlargement():
    art = drawing(32, 32, seed=15)
    image = noisy(Image.fromarray(art).resize((600, 600), Image.Resampling.BICUBIC), 3)
    assert detect_grid(image).size == (32, 32)


@pytest.mark.parametrize("scale", [2, 2.5, 3])
def test_cells_of_two_and_three_pixels(scale):
    art = drawing(80, 64, seed=16)
    assert detect_grid(jpeg(enlarge(art, scale, scale), 93)).size == (80, 64)


@pytest.mark.parametrize("aspect", [0.85, 1.15])
def test_cells_that_are_not_square(aspect):
    art = drawing(40, 40, seed=17)
    image = enlarge(art, 11.2, 11.2 * aspect)
    grid = detect_grid(image)
    assert grid.size == (40, 40)
    assert grid.period == pytest.approx((11.2, 11.2 * aspect), rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_drift_that_changes_the_width_of_cells(seed):
    art = drawing(60, 60, seed=18 + seed)
    u = np.arange(720) / 12
    phase = np.random.default_rng(seed).uniform(0, 6, 2)
    warped = u + 0.2 * np.sin(u * 2 * np.pi / 13 + phase[0]) + 0.15 * np.sin(u * 2 * np.pi / 22 + phase[1])
    index = np.floor(warped - warped[0]).astype(int).clip(0, 59)
    if (index == index[-1]).sum() < 8:  # a sliver of a cell at the border may be left out or not
        index = index[index < index[-1]]
    used = art[: index[-1] + 1, : index[-1] + 1]
    image = Image.fromarray(used[index][:, index])
    assert agreement(snap_image(image), used) > 0.97


def test_a_figure_on_a_wide_empty_ground():
    art = np.full((90, 90, 3), (40, 44, 52), dtype=np.uint8)
    art[33:57, 33:57] = drawing(24, 24, seed=21)
    image = noisy(enlarge(art, 8.6, 8.6), 2)
    assert detect_grid(image).size == (90, 90)


def test_blocks_of_two_by_two_are_the_pixels():
    art = drawing(32, 32, seed=22)
    image = enlarge(np.repeat(np.repeat(art, 2, 0), 2, 1), 6.3, 6.3)
    assert detect_grid(image).size == (32, 32)


def test_a_pixel_size_is_believed_and_its_lines_follow_the_edges():
    art = drawing(32, 24, seed=23)
    image = enlarge(art, 10.4, 10.4, offset=(0.5, 0.5))
    grid = find_lattice(np.asarray(image.convert("RGBA")), cell=(10.4, 10.4)).grid
    assert grid.confidence == 1
    assert grid.size == (32, 24)
    assert grid.phase == pytest.approx((5.2, 5.2), abs=0.6)


def test_an_origin_makes_the_lattice_regular_from_there():
    image = Image.fromarray(np.zeros((90, 100, 3), dtype=np.uint8))
    lattice = find_lattice(np.asarray(image.convert("RGBA")), cell=(8.0, 9.0), origin=(19.0, 4.0))
    assert lattice.grid.phase == (3.0, 4.0)
    assert lattice.x.tolist() == list(range(3, 100, 8))  # slivers of less than half a cell are left out
    assert lattice.y.tolist() == [*range(4, 90, 9), 90]  # and the last five pixels are more
    done = finish(image, FinishSpec(pixel_size=(8, 9), origin=(19, 4)))
    assert done.report.method == "snap"


def test_an_origin_alone_keeps_the_period_that_was_found():
    art = drawing(30, 30, seed=24)
    image = enlarge(art, 9.0, 9.0)
    lattice = find_lattice(np.asarray(image.convert("RGBA")), origin=(4.5, 0.0))
    assert lattice.grid.period == pytest.approx((9, 9))
    assert lattice.grid.phase == pytest.approx((4.5, 0))


@pytest.mark.parametrize("how", ["sine", "blurred noise", "cubic photo"])
def test_smooth_pictures_have_no_cells(how):
    y, x = np.mgrid[:400, :520] / 40
    if how == "sine":
        pixels = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=2) * 100 + 128
    else:
        rough = np.random.default_rng(3).normal(128, 90, (400, 520, 3)).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(rough).filter(ImageFilter.GaussianBlur(5 if how == "blurred noise" else 2))
        pixels = np.asarray(image if how == "blurred noise" else image.resize((884, 680), Image.Resampling.BICUBIC))
    image = Image.fromarray(np.asarray(pixels).clip(0, 255).astype(np.uint8))
    assert detect_grid(image).confidence < THRESHOLD
    with pytest.raises(QualityRejected):
        finish(image, FinishSpec((64, 64), policy="reject"))


def test_a_photo_enlarged_by_a_whole_factor_is_refused():
    rough = np.random.default_rng(4).normal(128, 60, (120, 160, 3)).clip(0, 255).astype(np.uint8)
    photo = np.asarray(Image.fromarray(rough).filter(ImageFilter.GaussianBlur(2)))
    image = Image.fromarray(np.repeat(np.repeat(photo, 2, 0), 2, 1))
    assert detect_grid(image).confidence < THRESHOLD


@pytest.mark.parametrize("transposed", [False, True])
def test_both_axes_are_treated_alike(transposed):
    art = drawing(50, 30, seed=25)
    image = enlarge(art, 7.7, 7.7)
    grid = detect_grid(image.transpose(Image.Transpose.TRANSPOSE) if transposed else image)
    assert grid.size == ((30, 50) if transposed else (50, 30))


def test_hidden_colours_under_alpha_zero_make_no_edges():
    art = np.dstack([drawing(30, 30, seed=26), np.full((30, 30), 255, dtype=np.uint8)])
    art[:, :12, 3] = 0
    big = np.asarray(Image.fromarray(art).resize((291, 291), Image.Resampling.NEAREST)).copy()
    hidden = big[..., 3] == 0
    big[hidden, :3] = np.random.default_rng(5).integers(0, 256, (int(hidden.sum()), 3))
    clean = big.copy()
    clean[hidden] = 0
    assert detect_grid(Image.fromarray(big)) == detect_grid(Image.fromarray(clean))


@pytest.mark.slow
def test_time_and_size_of_a_large_image():
    art = drawing(400, 300, seed=27)
    image = enlarge(art, 10.24, 10.24)
    assert image.size == (4096, 3072)
    assert detect_grid(image).size == (400, 300)


@pytest.mark.parametrize("scale", [1.3, 2.0, 2.9])
def test_an_image_enlarged_twice_has_the_coarser_cells(scale):
    art = drawing(36, 36, seed=28)
    once = enlarge(art, 12.4, 12.4).resize((180, 180), Image.Resampling.LANCZOS)  # cells of five pixels, soft
    twice = once.resize((round(180 * 3.1 * scale), round(180 * 3.1 * scale)), Image.Resampling.BICUBIC)
    assert detect_grid(twice).size == (36, 36)
    assert agreement(snap_image(twice), art) > 0.95
