"""Grids of images drawn here: whole and fractional factors, drift, noise, JPEG, cut-off cells, and no grid at all."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelrouter.pixels import THRESHOLD, detect_grid, snap_image


def drawing(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Blocks, lines and single pixels in a dozen well separated colours."""
    rng = np.random.default_rng(seed)
    colors = np.array([(r, g, b) for r in (20, 130, 240) for g in (30, 200) for b in (40, 220)], dtype=np.uint8)
    out = np.empty((height, width, 3), dtype=np.uint8)
    out[:] = colors[rng.integers(len(colors))]
    for _ in range(width * height // 12):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(1, 6), rng.integers(1, 6)
        out[y : y + h, x : x + w] = colors[rng.integers(len(colors))]
    return out


def enlarge(art: np.ndarray, sx: float, sy: float, offset: tuple[float, float] = (0, 0)) -> Image.Image:
    """Nearest neighbour by any factors, the first ``offset`` cells cut off."""
    height, width = art.shape[:2]
    x = np.floor(np.arange(int((width - offset[0]) * sx)) / sx + offset[0]).astype(int).clip(0, width - 1)
    y = np.floor(np.arange(int((height - offset[1]) * sy)) / sy + offset[1]).astype(int).clip(0, height - 1)
    return Image.fromarray(art[y][:, x])


def agreement(image: Image.Image, art: np.ndarray) -> float:
    """Share of cells within 16 levels of the truth; 0 where the size is wrong."""
    got = np.asarray(image.convert("RGB")).astype(int)
    if got.shape != art.shape:
        return 0.0
    return float((np.abs(got - art).max(axis=2) <= 16).mean())


@pytest.mark.parametrize("scale", [2, 3, 5, 8, 16])
def test_whole_factors_are_exact(scale):
    art = drawing(40, 32)
    grid = detect_grid(enlarge(art, scale, scale))
    assert grid.size == (40, 32)
    assert grid.period == (scale, scale)
    assert grid.phase == (0, 0)
    assert grid.confidence == 1.0
    assert agreement(snap_image(enlarge(art, scale, scale)), art) == 1.0


@pytest.mark.parametrize(("sx", "sy"), [(4.6, 4.6), (7.3, 7.3), (9.4, 9.9), (13.7, 13.2), (21.45, 21.45)])
def test_fractional_factors(sx, sy):
    art = drawing(48, 40, seed=1)
    image = enlarge(art, sx, sy)
    grid = detect_grid(image)
    assert grid.size == (48, 40)
    assert grid.period == pytest.approx((sx, sy), rel=0.01)
    assert grid.confidence > THRESHOLD
    assert agreement(snap_image(image), art) > 0.99


@pytest.mark.parametrize("quality", [92, 75])
def test_jpeg_at_a_fractional_factor(quality):
    art = drawing(48, 48, seed=2)
    file = io.BytesIO()
    enlarge(art, 11.4, 11.4).save(file, "JPEG", quality=quality)
    assert agreement(snap_image(Image.open(io.BytesIO(file.getvalue()))), art) > 0.95


def test_noise():
    art = drawing(40, 40, seed=3)
    big = np.asarray(enlarge(art, 12.3, 12.3)).astype(float)
    noisy = (big + np.random.default_rng(0).normal(0, 6, big.shape)).clip(0, 255).astype(np.uint8)
    assert agreement(snap_image(Image.fromarray(noisy)), art) > 0.99


def test_cut_off_cells_shift_the_phase():
    art = drawing(30, 30, seed=4)
    image = enlarge(art, 10.5, 10.5, offset=(0.3, 0.4))
    grid = detect_grid(image)
    assert grid.size == (30, 30)
    assert grid.phase == pytest.approx((7.35, 6.3), abs=0.8)
    assert agreement(snap_image(image), art) > 0.99


def test_slow_drift_is_followed():
    art = drawing(40, 40, seed=5)
    u = np.arange(480) / 12
    warped = u + 0.35 * np.sin(u / 6)
    index = np.floor(warped).astype(int).clip(0, 39)
    image = Image.fromarray(art[index][:, index])
    assert agreement(snap_image(image), art) > 0.98
    assert detect_grid(image).drift > 1


def test_cells_of_alpha_are_decided_whole():
    art = np.dstack([drawing(24, 24, seed=6), np.full((24, 24), 255, dtype=np.uint8)])
    art[:8, :8] = 0
    big = np.asarray(Image.fromarray(art).resize((240, 240), Image.Resampling.NEAREST)).copy()
    big[80:83, :80, 3] = 90  # a soft edge, less than half of the cells it lies in
    big[:80, 80:83, 3] = 90
    out = np.asarray(snap_image(Image.fromarray(big)))
    assert np.array_equal(out[..., 3], art[..., 3])


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_native_art_is_left_alone(seed):
    art = drawing(64, 48, seed)
    image = Image.fromarray(art)
    assert snap_image(image).convert("RGB").tobytes() == image.tobytes()
    assert detect_grid(image).native


def test_what_has_no_grid_has_no_confidence():
    y, x = np.mgrid[:400, :400]
    gradient = np.stack([x * 255 // 400, y * 255 // 400, (x + y) * 255 // 800], axis=2).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    waves = np.stack([127 + 120 * np.sin(x / 31 + y * y / 9000.0)] * 3, axis=2).astype(np.uint8)
    shapes = Image.new("RGB", (500, 400), "navy")
    draw = ImageDraw.Draw(shapes)
    for k in range(40):
        draw.ellipse(
            (k * 37 % 450, k * 61 % 350, k * 37 % 450 + 9 + k * 3, k * 61 % 350 + 70), fill=(k * 6, 90, 250 - k)
        )
        draw.line((k * 97 % 500, 0, k * 53 % 500, 400), fill=(255, k * 5, 0), width=3)
    for pixels in (gradient, noise, waves, np.asarray(shapes)):
        assert detect_grid(Image.fromarray(pixels)).confidence < THRESHOLD


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 2), (7, 300), (300, 7), (3, 3)])
@pytest.mark.parametrize("fill", ["flat", "noise", "clear"])
def test_extreme_shapes_do_not_trip_it(size, fill):
    pixels = np.full((size[1], size[0], 4), 200, dtype=np.uint8)
    if fill == "noise":
        pixels = np.random.default_rng(1).integers(0, 256, pixels.shape, dtype=np.uint8)
    if fill == "clear":
        pixels[:] = 0
    image = Image.fromarray(pixels)
    grid = detect_grid(image)
    assert 0 <= grid.confidence <= 1
    assert snap_image(image).size[0] >= 1
