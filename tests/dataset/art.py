"""Pictures for the tests: small sprites, enlarged as image models draw them."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter


def sprite(seed, size=(24, 24), colors=8, *, clear=False):
    """A random sprite at 1x in RGBA: patches of a few colours with single pixels; ``clear``: a round one."""
    rng = np.random.default_rng(seed)
    wide, high = size
    palette = rng.integers(0, 256, (colors, 3), dtype=np.uint8)
    y, x = np.mgrid[:high, :wide]
    middles = rng.uniform(0, 1, (3 * colors, 2)) * (high, wide)
    index = np.hypot(y[..., None] - middles[:, 0], x[..., None] - middles[:, 1]).argmin(axis=-1) % colors
    index = np.where(rng.random(index.shape) < 0.06, rng.integers(0, colors, index.shape), index)
    rgba = np.dstack([palette[index], np.full(index.shape, 255, dtype=np.uint8)])
    if clear:
        rgba[np.hypot((y + 0.5) / high - 0.5, (x + 0.5) / wide - 0.5) > 0.46] = 0
    return Image.fromarray(rgba)


def enlarged(image, factor):
    """As a model delivers it: every pixel is many."""
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.NEAREST)


def photo():
    """A picture without a pixel grid: smooth, with noise."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:150, :200]
    smooth = np.stack([x * 255 // 200, y * 255 // 150, (x + y) * 255 // 350], axis=-1) * 0.7
    image = Image.fromarray((smooth + rng.normal(40, 12, smooth.shape)).clip(0, 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(1.2))


def contents(folder: Path):
    """Every file below a folder, by its path in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
