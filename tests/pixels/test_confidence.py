"""Confidence: enlarged pixel art is told from what has no cells, whatever lattice was laid over it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pixelrouter.pixels.grid import Lattice, find_lattice
from pixelrouter.pixels.grid.confidence import THRESHOLD, confidence
from pixelrouter.types import Grid

SCALE = 9.4


def drawing(width: int = 56, height: int = 48, seed: int = 0) -> np.ndarray:
    """Blocks and single pixels in a dozen colours, RGB."""
    rng = np.random.default_rng(seed)
    colors = np.array([(r, g, b) for r in (20, 130, 240) for g in (30, 200) for b in (40, 220)], dtype=np.uint8)
    out = np.empty((height, width, 3), dtype=np.uint8)
    out[:] = colors[rng.integers(len(colors))]
    for _ in range(width * height // 12):
        x, y, w, h = rng.integers(0, (width, height, 6, 6))
        out[y : y + h + 1, x : x + w + 1] = colors[rng.integers(len(colors))]
    return out


def enlarged(art: np.ndarray, how: Image.Resampling = Image.Resampling.NEAREST) -> Image.Image:
    size = (round(art.shape[1] * SCALE), round(art.shape[0] * SCALE))
    return Image.fromarray(art).resize(size, how)


def lattice(size: tuple[int, int], cell: tuple[float, float], shift: float = 0.0) -> Lattice:
    """Even lines, moved by ``shift`` cells."""
    x, y = (np.arange(shift * step, length + 0.01, step) for length, step in zip(size, cell, strict=True))
    return Lattice(x, y, Grid(cell, (0.0, 0.0), (len(x) - 1, len(y) - 1), 0.0, 0.0))


def sure(image: Image.Image, over: Lattice) -> float:
    return confidence(np.asarray(image.convert("RGBA")), over)


def right(image: Image.Image, art: np.ndarray) -> Lattice:
    return lattice(image.size, (image.width / art.shape[1], image.height / art.shape[0]))


def noisy(image: Image.Image, spread: float) -> Image.Image:
    pixels = np.asarray(image.convert("RGB")).astype(float)
    pixels += np.random.default_rng(1).normal(0, spread, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


SPOILED = {
    "hard": lambda image: image,
    "noise": lambda image: noisy(image, 12),
    "blur": lambda image: image.filter(ImageFilter.GaussianBlur(1.6)),
    "JPEG": lambda image: jpeg(image, 60),
    "blur, noise, JPEG": lambda image: jpeg(noisy(image.filter(ImageFilter.GaussianBlur(1.4)), 6), 70),
    "gray": lambda image: image.convert("L"),
    "low contrast": lambda image: noisy(image.point(lambda level: 110 + level // 12), 2),
}


@pytest.mark.parametrize("how", SPOILED)
def test_enlarged_art_is_sure(how):
    art = drawing()
    image = SPOILED[how](enlarged(art))
    assert sure(image, right(image, art)) > 0.8


@pytest.mark.parametrize("how", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
def test_a_smooth_enlargement_is_sure_too(how):
    art = drawing(seed=1)
    image = enlarged(art, how)
    assert sure(image, right(image, art)) > 0.7


@pytest.mark.parametrize("shift", [0.25, 0.5, 0.75])
def test_lines_beside_the_edges_are_not_believed(shift):
    art = drawing(seed=2)
    image = enlarged(art)
    period = (image.width / 56, image.height / 48)
    assert sure(image, lattice(image.size, period)) > 0.95
    assert sure(image, lattice(image.size, period, shift)) < 0.1


@pytest.mark.parametrize("factor", [0.83, 1.19])
def test_a_wrong_period_is_not_believed(factor):
    image = enlarged(drawing(seed=3))
    assert sure(image, lattice(image.size, (SCALE * factor, SCALE * factor))) < 0.2


def test_two_colours_and_a_small_sprite_on_an_empty_ground():
    art = np.full((96, 96, 4), 0, dtype=np.uint8)
    art[40:56, 30:46] = np.where(
        np.random.default_rng(4).random((16, 16, 1)) < 0.5, (0, 0, 0, 255), (255, 255, 255, 255)
    )
    image = enlarged(art)
    assert sure(image, right(image, art)) > 0.9
    assert sure(image.convert("RGB"), right(image, art)) > 0.9


def test_edges_of_alpha_alone_are_edges():
    art = np.full((40, 40, 4), 0, dtype=np.uint8)
    art[..., 3] = np.where(np.random.default_rng(5).random((40, 40)) < 0.4, 255, 0)
    image = enlarged(art)
    assert sure(image, right(image, art)) > 0.9


def test_a_few_cells_may_agree_by_chance():
    few, many = (np.indices((side, side)).sum(axis=0) % 2 * np.uint8(200) for side in (4, 12))
    image = enlarged(few.astype(np.uint8))
    assert sure(image, right(image, few)) < THRESHOLD
    image = enlarged(many.astype(np.uint8))
    assert sure(image, right(image, many)) > 0.95


def painted(size: int = 420, power: float = 1.6, seed: int = 7) -> Image.Image:
    """Noise with the spectrum of photos: power falls with frequency."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = 1
    planes = []
    for _ in range(3):
        field = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(size, size))) / frequency**power, s=(size, size))
        planes.append((field - field.min()) / np.ptp(field) * 255)
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


def written() -> Image.Image:
    image = Image.new("RGB", (500, 380), "white")
    draw = ImageDraw.Draw(image)
    for line in range(12):
        draw.text(
            (10, 8 + 31 * line), "The quick brown fox jumps over it all 0123456789", "black", ImageFont.load_default(22)
        )
    return image


def sketched() -> Image.Image:
    image = Image.new("RGB", (480, 400), (240, 236, 226))
    draw = ImageDraw.Draw(image)
    for k in range(45):
        x, y = k * 97 % 430, k * 61 % 350
        draw.ellipse((x, y, x + 14 + 3 * k, y + 70), outline=(k * 5, 40, 200 - 4 * k), width=2)
        draw.line((k * 53 % 480, 0, k * 89 % 480, 400), fill=(90, 3 * k, 30), width=1 + k % 4)
    return image


def gradient() -> Image.Image:
    y, x = np.mgrid[:400, :500]
    return Image.fromarray(np.stack([x // 2, (x + y) // 4, 255 - y // 2], axis=-1).astype(np.uint8))


GRIDLESS = {
    "gradient": gradient,
    "white noise": lambda: noisy(Image.new("RGB", (400, 360), "gray"), 60),
    "faint noise": lambda: noisy(Image.new("RGB", (400, 360), "gray"), 3),
    "photo-like": painted,
    "photo-like JPEG": lambda: jpeg(painted(power=1.2), 80),
    "text": written,
    "drawing": sketched,
    "soft drawing": lambda: sketched().filter(ImageFilter.GaussianBlur(1.5)),
    "one colour": lambda: Image.new("RGB", (300, 300), "teal"),
}


@pytest.mark.parametrize("kind", GRIDLESS)
def test_what_has_no_cells_is_not_believed_under_any_even_lattice(kind):
    image = GRIDLESS[kind]()
    periods = (3.7, 8.0, 14.6, 25.0)
    assert max(sure(image, lattice(image.size, (p, p * 1.03), shift)) for p in periods for shift in (0.0, 0.4)) < 0.5


@pytest.mark.parametrize("kind", GRIDLESS)
def test_nor_under_the_lattice_that_suits_it_best(kind):
    image = GRIDLESS[kind]()
    assert sure(image, find_lattice(np.asarray(image.convert("RGBA")))) < THRESHOLD


def test_a_photo_enlarged_by_a_whole_factor_is_no_pixel_art():
    image = painted(200, power=2.1, seed=8).resize((400, 400), Image.Resampling.NEAREST)
    assert sure(image, lattice(image.size, (2.0, 2.0))) < THRESHOLD
    art = drawing(200, 200, seed=8)
    image = Image.fromarray(art).resize((400, 400), Image.Resampling.NEAREST)
    assert sure(image, lattice(image.size, (2.0, 2.0))) > 0.95


@pytest.mark.parametrize("lines", [([0.0, 400.0], [0.0, 200.0, 400.0]), (range(401), range(401))])
def test_one_cell_and_single_pixels_say_nothing(lines):
    x, y = (np.array(line, dtype=float) for line in lines)
    image = painted(400)
    assert sure(image, Lattice(x, y, Grid((1.0, 1.0), (0.0, 0.0), (len(x) - 1, len(y) - 1), 0.0, 0.0))) == 0.0


def test_lines_outside_the_picture_do_no_harm():
    image = enlarged(drawing(seed=9))
    wide = lattice((image.width + 60, image.height + 60), (SCALE, SCALE), -1.0)
    assert 0 <= sure(image, wide) <= 1
