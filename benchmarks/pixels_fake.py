"""Fake pixel art with known truth: 1x art enlarged and spoiled in ten ways, each as image models or people do it.

Every family is a function of the truth and a random generator. All but the smooth one look up, for each screen pixel,
which cell it lies in; what differs is where the cells lie (whole, fractional, cut off, drifting, warped) and what
happens to the picture afterwards.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

Floats = np.ndarray
BACKGROUNDS = ((255, 255, 255), (255, 0, 255), (120, 120, 120), (20, 24, 40), (0, 170, 60), (236, 224, 200))


@dataclass(frozen=True)
class Case:
    """An image to restore and the truth behind it; ``optional``: first/last column and row that the canvas cuts off;
    ``encoded``: the PNG file that the image was read from, if it was.
    """

    name: str
    family: str
    image: Image.Image
    truth: Image.Image
    optional: tuple[bool, bool, bool, bool] = (False, False, False, False)
    encoded: bytes = b""


@dataclass(frozen=True)
class Canvas:
    """Where cells lie: ``scale`` screen pixels a cell (x, y), ``start`` cells cut off at the left and top."""

    size: tuple[int, int]
    scale: tuple[float, float]
    start: tuple[float, float]


def _canvas(art: Floats, rng: np.random.Generator, side: int, whole: bool) -> Canvas:
    height, width = art.shape[:2]
    scale = side / max(width, height)
    if whole:
        factor = max(2, round(scale))
        return Canvas((width * factor, height * factor), (factor, factor), (0.0, 0.0))
    across = scale * rng.uniform(0.95, 1.0)
    down = across * (rng.uniform(0.93, 1.07) if rng.random() < 0.5 else 1.0)
    start, end = (rng.uniform(0, 0.9, 2), rng.uniform(0, 0.9, 2)) if rng.random() < 0.6 else (np.zeros(2), np.zeros(2))
    size = (round((width - start[0] - end[0]) * across), round((height - start[1] - end[1]) * down))
    return Canvas(size, (float(across), float(down)), (float(start[0]), float(start[1])))


def _lookup(art: Floats, canvas: Canvas, finer: int = 1, shift: Callable | None = None) -> Floats:
    """The art drawn on the canvas; ``finer``² samples a pixel soften edges, ``shift(u, v)`` moves cells (in cells)."""
    out = np.zeros((canvas.size[1], canvas.size[0], 4), dtype=np.float32)
    parts = (np.arange(finer) + 0.5) / finer
    for part_y in parts:
        for part_x in parts:
            u = (np.arange(canvas.size[0]) + part_x) / canvas.scale[0] + canvas.start[0]
            v = (np.arange(canvas.size[1]) + part_y) / canvas.scale[1] + canvas.start[1]
            at_x, at_y = np.broadcast_to(u, out.shape[:2]), np.broadcast_to(v[:, None], out.shape[:2])
            if shift is not None:
                move_x, move_y = shift(u, v)
                at_x, at_y = at_x + move_x, at_y + move_y
            column = np.floor(at_x).astype(np.int32).clip(0, art.shape[1] - 1)
            row = np.floor(at_y).astype(np.int32).clip(0, art.shape[0] - 1)
            out += art[row, column]
    return out / finer**2


def _resize(image: Floats, size: tuple[int, int], how: Image.Resampling, box: tuple | None = None) -> Floats:
    planes = [Image.fromarray(np.ascontiguousarray(image[..., c], dtype=np.float32)) for c in range(image.shape[2])]
    return np.stack([np.asarray(plane.resize(size, how, box=box)) for plane in planes], axis=-1)


def _smooth_noise(shape: tuple[int, int], spacing: float, rng: np.random.Generator, planes: int = 1) -> Floats:
    """Random fields ``(h, w, planes)`` that change over about ``spacing`` samples, largest value 1."""
    height, width = shape
    knots = rng.normal(size=(int(height / spacing) + 3, int(width / spacing) + 3, planes))
    field = _resize(knots, (width, height), Image.Resampling.BICUBIC)
    field -= field.mean(axis=(0, 1))
    return field / np.abs(field).max()


def _blur(image: Floats, sigma: float) -> Floats:
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        widths = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(image, widths, mode="edge")
        length = image.shape[axis]
        image = sum(k * padded.take(np.arange(i, i + length), axis=axis) for i, k in enumerate(kernel))
    return image


def _jpeg(rgb: Floats, quality: int) -> Floats:
    file = io.BytesIO()
    Image.fromarray(rgb.round().clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(file).convert("RGB"), dtype=np.float32)


def _nearest(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    return _lookup(art, canvas)


def _antialiased(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    factor = int(np.ceil(max(canvas.scale))) + int(rng.integers(0, 3))
    big = art.repeat(factor, axis=0).repeat(factor, axis=1)
    how = (Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.BOX)[rng.integers(3)]
    return _resize(big, canvas.size, how, _box(art, canvas, factor))


def _smooth(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    how = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[rng.integers(3)]
    return _resize(art, canvas.size, how, _box(art, canvas, 1))


def _box(art: Floats, canvas: Canvas, factor: int) -> tuple[float, float, float, float]:
    ends = [canvas.start[a] + canvas.size[a] / canvas.scale[a] for a in (0, 1)]
    right, bottom = min(ends[0], art.shape[1]), min(ends[1], art.shape[0])
    return canvas.start[0] * factor, canvas.start[1] * factor, right * factor, bottom * factor


def _jpegged(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    out = _lookup(art, canvas, 3)
    out[..., :3] = _jpeg(out[..., :3], int(rng.choice((95, 85, 70))))
    return out


def _noisy(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    out = _lookup(art, canvas, 3)
    out[..., :3] += rng.normal(0, rng.choice((2, 4, 6, 8)), out[..., :3].shape)
    return out


def _drifting(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    amount = rng.choice((0.2, 0.3, 0.4))

    def wave(length: int) -> Callable:
        size, period, phase = rng.uniform(0.5, 1, 3), rng.uniform(8, 28, 3), rng.uniform(0, 2 * np.pi, 3)

        def at(u: Floats) -> Floats:
            return (size * np.sin(2 * np.pi * u[:, None] / period + phase)).sum(axis=1)

        peak = np.abs(at(np.linspace(0, length, 8 * length))).max()
        return lambda u: amount / peak * at(u)

    along_x, along_y = wave(art.shape[1]), wave(art.shape[0])
    return _lookup(art, canvas, 3, lambda u, v: (along_x(u)[None, :], along_y(v)[:, None]))


def _field(art: Floats, rng: np.random.Generator, amount: float) -> Callable:
    """A shift that changes slowly over the picture, at most ``amount`` cells."""
    height, width = art.shape[:2]
    field = amount * _smooth_noise((4 * height, 4 * width), 4 * rng.uniform(6, 12), rng, planes=2)

    def shift(u: Floats, v: Floats) -> tuple[Floats, Floats]:
        column = (u * 4).astype(np.int32).clip(0, 4 * width - 1)
        row = (v * 4).astype(np.int32).clip(0, 4 * height - 1)
        moved = field[row[:, None], column[None, :]]
        return moved[..., 0], moved[..., 1]

    return shift


def _warped(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    return _lookup(art, canvas, 3, _field(art, rng, rng.choice((0.15, 0.25, 0.35))))


def _mixed(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    out = _warped(art, canvas, rng)
    rgb = _blur(out[..., :3], rng.choice((0.6, 1.0, 1.4)))
    rgb += rng.normal(0, 0.7 * rng.choice((2, 4, 6, 8)), rgb.shape)
    out[..., :3] = _jpeg(rgb, int(rng.choice((95, 85, 70))))
    return out


def _autoencoded(art: Floats, canvas: Canvas, rng: np.random.Generator) -> Floats:
    """As the decoder of a latent diffusion model leaves it: soft chroma, ringing, colours that wobble."""
    out = _warped(art, canvas, rng)
    red, green, blue = np.moveaxis(out[..., :3], -1, 0)
    luma = (0.299 * red + 0.587 * green + 0.114 * blue)[..., None]
    chroma = _blur(out[..., :3] - luma, rng.uniform(1.5, 2.5))
    luma = _blur(luma, rng.uniform(0.7, 1.1))
    luma = luma + rng.uniform(0.5, 0.9) * (luma - _blur(luma, 2.2))
    rgb = luma + chroma
    for spacing, amount in ((48, 9), (12, 9), (4, 7), (2, 4)):
        rgb += amount * _smooth_noise(rgb.shape[:2], spacing, rng, planes=3)
    out[..., :3] = rgb
    return out


_DRAW: dict[str, Callable[[Floats, Canvas, np.random.Generator], Floats]] = {
    "a_int": _nearest,
    "b_nonint": _nearest,
    "c_aa": _antialiased,
    "c2_smooth": _smooth,
    "d1_jpeg": _jpegged,
    "d2_noise": _noisy,
    "e1_drift": _drifting,
    "e2_warp2d": _warped,
    "f_mixed": _mixed,
    "g_vae": _autoencoded,
}
FAMILIES = tuple(_DRAW)
_OPAQUE = {"d1_jpeg", "f_mixed", "g_vae"}  # JPEG and models know no alpha


def fake(art: Image.Image, family: str, rng: np.random.Generator, side: int, name: str) -> Case:
    """``art`` (RGBA, alpha 0 or 255) spoiled as ``family`` says, its longer side about ``side`` pixels."""
    truth = np.asarray(art.convert("RGBA")).copy()
    clear = truth[..., 3] == 0
    keeps_alpha = bool(clear.any()) and family not in _OPAQUE and rng.random() < 0.6
    truth[clear] = (0, 0, 0, 0) if keeps_alpha else (*BACKGROUNDS[rng.integers(len(BACKGROUNDS))], 255)
    canvas = _canvas(truth, rng, side, whole=family == "a_int")
    drawn = _DRAW[family](truth.astype(np.float32), canvas, rng)  # colour is zero where alpha is: premultiplied
    alpha = drawn[..., 3:].clip(0, 255)
    color = np.where(alpha > 0.5, drawn[..., :3] * 255 / np.maximum(alpha, 0.5), 0)
    pixels = np.concatenate([color, alpha], axis=-1).round().clip(0, 255).astype(np.uint8)
    ends = [canvas.start[a] + canvas.size[a] / canvas.scale[a] for a in (0, 1)]
    width, height = (min(int(np.ceil(end - 1e-6)), limit) for end, limit in zip(ends, art.size, strict=True))
    optional = (
        canvas.start[0] > 0.03,
        ends[0] - (width - 1) < 0.97,
        canvas.start[1] > 0.03,
        ends[1] - (height - 1) < 0.97,
    )
    image = Image.fromarray(pixels if keeps_alpha else pixels[..., :3])
    return Case(name, family, image, Image.fromarray(truth[:height, :width]), optional)
