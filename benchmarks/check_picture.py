"""Draws docs/images/check-annotated.png: a sprite with faults of many kinds, and what check finds."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from pixelrouter import GenerationRequest
from pixelrouter.backends.procedural import Backend
from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.pixels import annotate, check
from pixelrouter.types import Inline

OUT = Path(__file__).resolve().parent.parent / "docs" / "images" / "check-annotated.png"


def sprite() -> Image.Image:
    """A potion of the built-in backend at 1x."""
    request = GenerationRequest(prompt="a red potion in a round bottle", width=32, height=32, seed=7)
    (item, *_) = Backend(BackendSettings(), None).generate(request, lambda _: None).items
    assert isinstance(item, Inline)
    return Image.open(io.BytesIO(item.data)).convert("RGBA")


def spoiled(image: Image.Image) -> Image.Image:
    """The sprite with a soft edge, stray pixels, a colour twice, a jagged line and a mark of another resolution."""
    pixels = np.asarray(image).copy()
    visible = pixels[..., 3] > 0
    edge = visible & ~np.roll(visible, 1, axis=1)
    pixels[edge & (np.arange(32)[:, None] > 20), 3] = 120
    colors, counts = np.unique(pixels[visible][:, :3], axis=0, return_counts=True)
    most = (pixels[..., :3] == colors[counts.argmax()]).all(axis=2) & visible
    most[:, :16] = False
    pixels[most, :3] += np.array([1, 0, 1], dtype=np.uint8)
    rng = np.random.default_rng(4)
    for y, x in rng.permutation(np.argwhere(visible & (np.arange(32)[:, None] > 12)))[:18]:
        pixels[y, x] = (*rng.integers(0, 256, 3), 255)
    x = 1
    for row, length in enumerate((4, 4, 1, 4, 7, 4, 1)):
        pixels[1 + row, x : x + length] = (30, 30, 60, 255)
        x += length
    big = Image.fromarray(pixels).resize((128, 128), Image.Resampling.NEAREST)
    big.paste((250, 240, 160, 255), (108, 106, 119, 109))
    big.paste((250, 240, 160, 255), (113, 101, 115, 114))
    return big


def main() -> None:
    fake = spoiled(sprite())
    report = check(fake)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    annotate(fake, report).quantize(128, dither=Image.Dither.NONE).save(OUT, optimize=True)
    print(f"{OUT.name}: {report.score} of 100, {len(report.findings)} findings")


if __name__ == "__main__":
    main()
