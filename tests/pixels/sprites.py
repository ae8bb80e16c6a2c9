"""Figures drawn for the tests of transparency, and the grounds that vendors put behind them."""

import io

import numpy as np
from PIL import Image

KEYS = [(255, 255, 255), (0, 0, 0), (255, 0, 255), (0, 255, 0), (0, 177, 64), (128, 128, 128), (240, 230, 210)]


def figure(rng, side=32):
    """Overlapping ellipses and bars in a few colours with a dark outline: ``(side, side, 4)``, hard alpha."""
    y, x = np.mgrid[:side, :side]
    inside = np.zeros((side, side), dtype=bool)
    for _ in range(rng.integers(3, 7)):
        middle, radius = rng.uniform(0.3, 0.7, 2) * side, rng.uniform(0.08, 0.24, 2) * side
        inside |= ((y - middle[0]) / radius[0]) ** 2 + ((x - middle[1]) / radius[1]) ** 2 < 1
    first, last = sorted(rng.integers(side // 6, side - side // 6, 2))
    across = rng.integers(side // 3, side - side // 3)
    inside[first : last + 1, across : across + 2] = True
    inside[[0, 1, -2, -1]] = inside[:, [0, 1, -2, -1]] = False
    core = inside.copy()
    core[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    out = np.zeros((side, side, 4), dtype=np.uint8)
    colors = rng.integers(0, 256, (5, 3))
    out[..., :3] = colors[(x * rng.integers(1, 4) + y * rng.integers(1, 4)) // 7 % 5]
    out[inside & ~core, :3] = rng.integers(0, 60, 3)
    out[..., 3] = 255
    out[~inside] = 0
    return out


def key_for(rng, sprite, apart=50):
    """A ground's colour that the figure does not have: at least ``apart`` bytes from all of its colours."""
    own = sprite[sprite[..., 3] > 0][:, :3].astype(float)
    fits = [key for key in KEYS if np.sqrt(((own - key) ** 2).sum(axis=1)).min() > apart]
    return fits[rng.integers(len(fits))] if fits else (255, 0, 255)


def ground(kind, rng, size, key):
    """A ground ``(size, size, 3)`` as floats: solid, or with a vignette, a gradient, a checkerboard."""
    y, x = np.mgrid[:size, :size] / max(size - 1, 1)
    out = np.broadcast_to(np.array(key, dtype=float), (size, size, 3)).copy()
    if kind == "vignette":
        far = np.hypot(x - 0.5, y - 0.5) / np.hypot(0.5, 0.5)
        out -= (rng.uniform(15, 40) * far ** rng.uniform(1.5, 3.5))[..., None]
    if kind == "gradient":
        turn, drop = rng.uniform(0, 6.28), rng.uniform(20, 90)
        along = (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn)
        out = np.clip(out, 0.6 * drop, 255 - 0.6 * drop) + (drop * along)[..., None] * rng.uniform(0.3, 1, 3)
    if kind == "checkerboard":
        one, other = [(255, 204), (192, 128), (102, 153)][rng.integers(3)]
        step = int(rng.integers(8, 30))
        rows, columns = np.mgrid[:size, :size] // step
        out = np.where(((rows + columns) % 2 == 0)[..., None], one, other) * np.ones(3)
    if kind == "noise":
        out += rng.normal(0, rng.uniform(2, 8), out.shape)
    elif kind in ("vignette", "gradient", "checkerboard"):
        out += rng.normal(0, rng.uniform(0, 3), out.shape)
    return out


def enlarged(sprite, scale):
    """The figure with pixels of ``scale`` source pixels, as an image in RGBA."""
    size = round(len(sprite) * scale)
    return np.asarray(Image.fromarray(sprite).resize((size, size), Image.Resampling.NEAREST))


def over(sprite, behind, jpeg=None):
    """The figure laid over a ground of its size, ``(h, w, 4)`` and opaque; ``jpeg`` is a quality to save it with."""
    opaque = sprite[..., 3:] > 0
    rgb = np.clip(np.rint(np.where(opaque, sprite[..., :3], behind)), 0, 255).astype(np.uint8)
    if jpeg is not None:
        file = io.BytesIO()
        Image.fromarray(rgb).save(file, "JPEG", quality=jpeg)
        rgb = np.asarray(Image.open(file).convert("RGB"))
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, dtype=np.uint8)])


def soft(rng, side, key, fine=8):
    """An anti-aliased figure on a ground: opaque pixels, the figure's share of each, and the figure's colours."""
    size = side * fine
    y, x = np.mgrid[:size, :size] / size
    inside = np.zeros((size, size), dtype=bool)
    for _ in range(3):
        middle, radius = rng.uniform(0.35, 0.65, 2), rng.uniform(0.15, 0.25, 2)
        inside |= ((y - middle[0]) / radius[0]) ** 2 + ((x - middle[1]) / radius[1]) ** 2 < 1
    colors = [c for c in rng.integers(0, 256, (50, 3)) if np.abs(c - np.array(key)).max() > 100][:3]
    pixels = np.where(inside[..., None], np.array(colors)[(x * 3).astype(int)], np.array(key, dtype=float))
    reduced = pixels.reshape(side, fine, side, fine, 3).mean(axis=(1, 3))
    rgba = np.full((side, side, 4), 255, dtype=np.uint8)
    rgba[..., :3] = np.rint(reduced)
    return rgba, inside.reshape(side, fine, side, fine).mean(axis=(1, 3)), np.array(colors)
