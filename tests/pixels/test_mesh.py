"""Local warp: measured against the warp that was applied, and absent where there is none."""

import numpy as np
import pytest
from PIL import Image

from pixelrouter.pixels.snap import snap
from pixelrouter.pixels.snap.mesh import local_shift
from tests.pixels.test_snap import drawing, even, near, painted, plain


def warped(art: np.ndarray, period: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The art enlarged under a smooth warp of ``reach`` cells, and how far each cell moved: (2, rows, columns)."""
    height, width = art.shape[:2]

    def moved(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return reach * np.stack([np.sin(v / 6 + 1) * np.cos(u / 8), np.sin(u / 7 + 2) * np.cos(v / 9 + 1)])

    v, u = np.mgrid[: round(height * period), : round(width * period)] / period
    u, v = np.stack([u, v]) + 0.5 / period + moved(u, v)
    image = art[np.floor(v).astype(int).clip(0, height - 1), np.floor(u).astype(int).clip(0, width - 1)]
    rows, columns = np.mgrid[:height, :width] + 0.5
    return image, -moved(columns, rows)


@pytest.mark.parametrize("period", [5.0, 10.7])
@pytest.mark.parametrize("reach", [0.3, 0.45])
def test_the_warp_is_measured(period, reach):
    art = drawing(64, 56, seed=1)
    image, truth = warped(art, period, reach)
    shift = local_shift(image, even(art, period, period))
    assert shift is not None
    error = np.stack(shift) / period - truth
    assert np.sqrt((error**2).mean()) < 0.4 * np.sqrt((truth**2).mean())


@pytest.mark.parametrize("period", [5.0, 10.7])
def test_lines_and_dots_survive_warp(period):
    art = drawing(64, 56, seed=2)
    image, _ = warped(art, period, 0.6)
    lattice = even(art, period, period)
    straight, local = near(plain(image, lattice), art), near(snap(image, lattice), art)
    assert straight < 0.985
    assert local > 0.995


def test_straight_lines_stay():
    art = drawing(64, 56, seed=3)
    lattice = even(art, 8.4, 8.4)
    image = painted(art, lattice)
    assert local_shift(image, lattice) is None
    noisy = image.copy()
    noisy[..., :3] = (image[..., :3] + np.random.default_rng(0).normal(0, 8, (*image.shape[:2], 3))).clip(0, 255)
    assert local_shift(noisy, lattice) is None


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.LANCZOS])
def test_smooth_pictures_have_no_edges_to_follow(method):
    art = drawing(64, 56, seed=4)
    image = np.asarray(Image.fromarray(art).resize((64 * 9, 56 * 9), method))
    assert local_shift(image, even(art, 9, 9)) is None


def test_few_cells_have_no_neighbourhood():
    art = drawing(64, 56, seed=5)[:7]
    image, _ = warped(art, 9, 0.4)
    assert local_shift(image, even(art, 9, 9)) is None


def test_one_color_has_no_warp():
    image = np.full((100, 100, 4), 255, dtype=np.uint8)
    assert local_shift(image, even(np.zeros((10, 10, 4)), 10, 10)) is None
