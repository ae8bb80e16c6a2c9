"""Sprites to export, small and of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.sprite import Sprite
from pixelrouter.types import Task

PALETTE = ("#1a1c2c", "#b13e53", "#ffcd75", "#38b764")
PIVOT = (0.5, 1.0)


def frame(seed: int, size: tuple[int, int] = (12, 10), clear: bool = True) -> Image.Image:
    """Noise in four colours with a clear margin, indexed; index 0 is clear, or black where nothing is."""
    random = np.random.default_rng(seed)
    width, height = size
    index = random.integers(1, 5, (height, width)).astype(np.uint8)
    if clear:
        index[:2] = index[-1:] = index[:, :1] = 0
        index[3, 4] = 0
    image = Image.fromarray(index)
    colors = [int(color[at : at + 2], 16) for color in ("#000000", *PALETTE) for at in (1, 3, 5)]
    image.putpalette(colors)
    if clear:
        image.info["transparency"] = 0
    return image


def sprite(count: int = 1, task: Task = "image", **more: Any) -> Sprite:
    """``count`` frames, each another noise."""
    size = more.pop("size", (12, 10))
    clear = more.pop("clear", True)
    name = more.pop("name", "hero")
    frames = tuple(frame(at + 100 * len(name), size, clear) for at in range(count))
    return Sprite(name, frames, PALETTE, task=task, **more)


def still() -> Sprite:
    return sprite(name="potion", pivot=(0.5, 0.75))


def film() -> Sprite:
    """Six frames; the fifth is the second again."""
    made = sprite(
        6,
        "animation",
        durations=(100, 83, 84, 250, 100, 1000),
        tags=(FrameTag("idle", 0, 1), FrameTag("walk", 2, 5, "pingpong")),
        pivot=PIVOT,
    )
    frames = (*made.frames[:4], made.frames[1], made.frames[5])
    return Sprite(**{name: getattr(made, name) for name in made.__slots__} | {"frames": frames})


def views() -> Sprite:
    return sprite(4, "views", name="knight", names=("south", "west", "north", "east"))


def tiles() -> Sprite:
    names = tuple(f"wang-{at:04b}" for at in range(16))
    return sprite(16, "tileset", name="grass", names=names, size=(8, 8), clear=False)


def rgba(image: Image.Image) -> np.ndarray[Any, Any]:
    """The pixels ``(h, w, 4)``, clear ones all zero."""
    pixels = np.array(image.convert("RGBA"))
    pixels[pixels[..., 3] == 0] = 0
    return pixels
