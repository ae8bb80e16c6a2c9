"""Draws docs/images/finish-before-after.png and explain.png: a sprite spoiled as models do, and what becomes of it.

The sprite is the procedural backend's own, enlarged by 7.3, blurred, with a wandering brightness, saved as JPEG.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from pixelrouter import GenerationRequest
from pixelrouter.backends.procedural import Backend
from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.pixels import FinishSpec, explain, finish
from pixelrouter.types import Inline

OUT = Path(__file__).resolve().parent.parent / "docs" / "images" / "finish-before-after.png"


def spoiled(sprite: Image.Image) -> bytes:
    """The sprite as fake pixel art: JPEG bytes."""
    side = round(sprite.width * 7.3)
    big = sprite.convert("RGB").resize((side, side), Image.Resampling.NEAREST).filter(ImageFilter.GaussianBlur(1.1))
    noise = np.random.default_rng(1).normal(0, 5, (side, side, 3))
    pixels = np.clip(np.asarray(big, dtype=float) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def main() -> None:
    request = GenerationRequest(prompt="a red potion in a round bottle", width=32, height=32, seed=7, transparent=False)
    (item, *_) = Backend(BackendSettings(), None).generate(request, lambda step: None).items
    assert isinstance(item, Inline)
    sprite = Image.open(io.BytesIO(item.data))
    fake = spoiled(sprite)
    spec = FinishSpec(size=(32, 32), colors=16)
    done = finish(fake, spec)
    before = Image.open(io.BytesIO(fake)).convert("RGB")
    side, gap = 32 * 9, 12
    canvas = Image.new("RGB", (2 * side + gap, side), "white")
    canvas.paste(before.resize((side, side), Image.Resampling.NEAREST), (0, 0))
    canvas.paste(done.image.convert("RGB").resize((side, side), Image.Resampling.NEAREST), (side + gap, 0))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(OUT, optimize=True)
    explain(fake, spec).picture("potion.jpg").quantize(192, dither=Image.Dither.NONE).save(
        OUT.with_name("explain.png"), optimize=True
    )
    colors = len(np.unique(np.asarray(before).reshape(-1, 3), axis=0))
    print(f"{OUT.name}: {before.size} with {colors} colours -> {done.image.size} with {len(done.palette)} colours")
    print(f"confidence {done.report.confidence:.2f}, method {done.report.method}")
    truth = np.asarray(sprite.convert("RGB"), dtype=int)
    error = np.abs(np.asarray(done.image.convert("RGB"), dtype=int) - truth).max(axis=2)
    print(f"pixels within 16 levels of the sprite it came from: {100 * (error <= 16).mean():.1f} %")


if __name__ == "__main__":
    main()
