"""Snapping with a known lattice: thin features, alpha, noise, blur, smooth enlargement, drift, odd shapes."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixelrouter.pixels.grid import Lattice
from pixelrouter.pixels.snap import snap
from pixelrouter.pixels.snap.sampling import points, read, robust
from pixelrouter.types import Grid

COLORS = np.array([(r, g, b) for r in (20, 130, 240) for g in (30, 200) for b in (40, 220)], dtype=np.uint8)


def drawing(width: int = 40, height: int = 32, seed: int = 0) -> np.ndarray:
    """Opaque RGBA: blocks, then lines one pixel wide, a checkerboard and single pixels."""
    rng = np.random.default_rng(seed)
    out = np.full((height, width, 4), 255, dtype=np.uint8)
    out[..., :3] = COLORS[rng.integers(len(COLORS))]
    for _ in range(width * height // 20):
        x, y, w, h = rng.integers(0, width), rng.integers(0, height), rng.integers(2, 9), rng.integers(2, 9)
        out[y : y + h, x : x + w, :3] = COLORS[rng.integers(len(COLORS))]
    out[height // 3, 2:-2, :3] = 0
    out[3:-3, width // 4, :3] = 255
    y, x = np.mgrid[4:14, width - 14 : width - 4]
    out[4:14, width - 14 : width - 4, :3] = np.where(((x + y) % 2)[..., None], 250, 10)
    out[rng.integers(0, height, 30), rng.integers(0, width, 30), :3] = COLORS[rng.integers(len(COLORS), size=30)]
    return out


def lattice_of(x: np.ndarray, y: np.ndarray) -> Lattice:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    period = (float(np.median(np.diff(x))), float(np.median(np.diff(y))))
    return Lattice(x, y, Grid(period, (0.0, 0.0), (len(x) - 1, len(y) - 1), 0.0, 1.0))


def even(art: np.ndarray, sx: float, sy: float) -> Lattice:
    return lattice_of(np.arange(art.shape[1] + 1) * sx, np.arange(art.shape[0] + 1) * sy)


def painted(art: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Nearest neighbour along the cut lines of the lattice."""
    x = np.searchsorted(lattice.x, np.arange(int(lattice.x[-1])) + 0.5, "right") - 1
    y = np.searchsorted(lattice.y, np.arange(int(lattice.y[-1])) + 0.5, "right") - 1
    return art[y.clip(0, len(art) - 1)][:, x.clip(0, art.shape[1] - 1)]


def near(got: np.ndarray, art: np.ndarray, levels: int = 16) -> float:
    assert got.shape == art.shape
    close = np.abs(got[..., :3].astype(int) - art[..., :3]).max(axis=-1) <= levels
    visible = art[..., 3] > 0
    return float(np.mean((got[..., 3] == art[..., 3]) & (close | ~visible)))


def plain(image: np.ndarray, lattice: Lattice) -> np.ndarray:
    """What sampling alone gives, without unmixing."""
    return read(image, points(lattice.y, image.shape[0]), points(lattice.x, image.shape[1])).colors


@pytest.mark.parametrize(("sx", "sy"), [(2, 2), (3, 3), (3.7, 3.7), (4.6, 4.9), (8, 8), (11.3, 10.6), (24, 24)])
def test_clean_enlargements_come_back_to_the_bit(sx, sy):
    art = drawing()
    lattice = even(art, sx, sy)
    np.testing.assert_array_equal(snap(painted(art, lattice), lattice), art)


@pytest.mark.parametrize("period", [4.5, 9.2])
def test_lines_and_dots_survive_drift(period):
    art = drawing(60, 50, seed=1)
    cells = [np.arange(n + 1) for n in (60, 50)]
    x, y = (period * (k + 0.3 * np.sin(k / 3 + shift)) for k, shift in zip(cells, (0.0, 1.0), strict=True))
    lattice = lattice_of(x - x[0], y - y[0])
    np.testing.assert_array_equal(snap(painted(art, lattice), lattice), art)


def test_cut_lines_that_are_off_never_mix_two_cells():
    art = drawing(seed=2)
    true = even(art, 9, 9)
    image = painted(art, true)
    for offset in (-2.5, 2.5):
        got = snap(image, lattice_of(true.x + offset, true.y - offset))
        known = {tuple(color) for color in art.reshape(-1, 4).tolist()}
        assert {tuple(color) for color in got.reshape(-1, 4).tolist()} <= known
        assert near(got, art) > 0.97


@pytest.mark.parametrize("period", [6.3, 14.6])
def test_alpha_is_decided_a_cell_at_a_time(period):
    art = drawing(seed=3)
    art[:, :10] = 0
    art[5:12, 20:30] = 0
    lattice = even(art, period, period)
    image = painted(art, lattice).copy()
    hidden = image[..., 3] == 0
    image[hidden, :3] = (255, 0, 255)  # what lies under alpha 0 has no say
    got = snap(image, lattice)
    np.testing.assert_array_equal(got, art)
    soft = image.copy()
    soft[..., 3] = np.where(hidden, 90, 180)
    np.testing.assert_array_equal(snap(soft, lattice), art)


def test_colors_come_from_opaque_samples_only():
    image = np.zeros((12, 12, 4), dtype=np.uint8)
    image[:, :] = (0, 250, 0, 0)
    image[:, 4:] = (200, 30, 30, 255)
    got = snap(image, lattice_of([0, 10], [0, 12]))
    assert got.tolist() == [[[200, 30, 30, 255]]]


def test_samples_that_touch_what_is_hidden_have_no_say():
    samples = np.empty((9, 6, 6, 4), dtype=np.uint8)
    samples[:] = (200, 30, 30, 255)
    samples[..., :3] += np.random.default_rng(0).integers(0, 8, (9, 6, 6, 3), dtype=np.uint8)
    samples[:2, 3, 3] = 0
    samples[2:4, 3, 3] = (100, 140, 20, 170)  # half of it is hidden green
    got = robust(samples)
    assert (got[..., 3] == 255).all()
    assert np.abs(got[..., :3].astype(int) - (203, 33, 33)).max() <= 5


@pytest.mark.parametrize("period", [4.3, 7.0, 13.6, 30.0])
@pytest.mark.parametrize("sigma", [3, 8])
def test_noise_is_averaged(period, sigma):
    art = drawing(seed=4)
    lattice = even(art, period, period)
    image = painted(art, lattice).copy()
    noise = np.random.default_rng(0).normal(0, sigma, (*image.shape[:2], 3))
    image[..., :3] = np.rint(image[..., :3] + noise).clip(0, 255)
    got = snap(image, lattice)
    assert near(got, art) > 0.995
    error = np.abs(got.astype(int) - art)[..., :3].mean()
    assert error < sigma * (0.4 if period < 9 else 0.2)


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("period", [3.7, 6.0, 12.4])
def test_smooth_enlargements_are_undone(method, period):
    art = drawing(48, 40, seed=5)
    art[..., :3] = art[..., :3] // 2 + 60  # what overshoots is not clipped
    size = (round(48 * period), round(40 * period))
    image = np.asarray(Image.fromarray(art).resize(size, method))
    lattice = even(art, size[0] / 48, size[1] / 40)
    got = snap(image, lattice)
    assert near(got, art, levels=6) > 0.99
    assert near(got, art, levels=2) > near(plain(image, lattice), art, levels=2)


def test_smooth_enlargements_keep_their_alpha():
    art = drawing(48, 40, seed=6)
    art[:, 30:] = 0
    art[8:20, 5:15] = 0
    image = np.asarray(Image.fromarray(art).resize((48 * 6, 40 * 6), Image.Resampling.BILINEAR))
    got = snap(image, even(art, 6, 6))
    assert near(got, art) > 0.98
    assert set(np.unique(got[..., 3])) == {0, 255}
    assert not got[got[..., 3] == 0].any()


@pytest.mark.parametrize("seed", [7, 8])
def test_blur_between_small_cells_is_taken_out(seed):
    art = drawing(60, 50, seed)
    lattice = even(art, 4.8, 4.8)
    soft = Image.fromarray(painted(art, lattice)).convert("RGB").filter(ImageFilter.GaussianBlur(1.2))
    noisy = np.asarray(soft) + np.random.default_rng(seed).normal(0, 2, (*soft.size[::-1], 3))
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=92)
    image = np.asarray(Image.open(file).convert("RGBA"))
    before, after = near(plain(image, lattice), art), near(snap(image, lattice), art)
    assert after > before + 0.1
    assert after > 0.85


def test_sharp_pictures_are_not_sharpened():
    art = drawing(seed=9)
    lattice = even(art, 7.4, 7.4)
    image = painted(art, lattice)
    np.testing.assert_array_equal(snap(image, lattice), plain(image, lattice))


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (1, 9), (9, 1), (2, 3), (5, 5), (8, 40)])
def test_few_cells(columns, rows):
    rng = np.random.default_rng(columns * 100 + rows)
    art = np.full((rows, columns, 4), 255, dtype=np.uint8)
    art[..., :3] = COLORS[rng.integers(len(COLORS), size=(rows, columns))]
    lattice = even(art, 6, 6)
    np.testing.assert_array_equal(snap(painted(art, lattice), lattice), art)
    smooth = np.asarray(Image.fromarray(art).resize((columns * 6, rows * 6), Image.Resampling.BICUBIC))
    assert snap(smooth, lattice).shape == art.shape


@pytest.mark.parametrize("value", [0, 255])
def test_one_color_and_nothing(value):
    image = np.full((64, 64, 4), value, dtype=np.uint8)
    np.testing.assert_array_equal(snap(image, even(np.zeros((8, 8, 4)), 8, 8)), np.full((8, 8, 4), value))


def test_cells_cut_off_by_the_border_are_read_where_they_are_visible():
    art = drawing(seed=10)
    true = even(art, 9, 9)
    image = painted(art, true)[5:, 4:]
    lattice = lattice_of(np.concatenate([[0], true.x[1:] - 4]), np.concatenate([[0], true.y[1:] - 5]))
    np.testing.assert_array_equal(snap(image, lattice), art)


def test_read_only_views_do():
    art = drawing(seed=11)
    lattice = even(art, 5, 5)
    image = np.ascontiguousarray(painted(art, lattice).transpose(1, 0, 2)).transpose(1, 0, 2)
    image.setflags(write=False)
    np.testing.assert_array_equal(snap(image, lattice), art)
