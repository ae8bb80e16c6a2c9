"""Sprites drawn by hand for the tests of the exporters for engines: each frame differs from every other."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.sprite import Sprite
from pixelrouter.types.request import VIEW_NAMES

PALETTE = ("#1a1c2c", "#3690de", "#d6ba7a", "#e04040")
_LOWER, _UPPER = 2, 3  # entries of the palette, after the clear one


def frame(mark: int, size: tuple[int, int] = (12, 16)) -> Image.Image:
    """A clear ground, a block, and a row of dots that count in binary."""
    image = Image.new("P", size, 0)
    image.putpalette([0, 0, 0, *(value for color in PALETTE for value in bytes.fromhex(color[1:]))])
    image.info["transparency"] = 0
    draw = ImageDraw.Draw(image)
    draw.rectangle((2, 4, size[0] - 3, size[1] - 2), fill=1)
    for bit in range(6):
        if mark >> bit & 1:
            draw.point((bit, 1), fill=4)
    return image


def film(
    count: int = 6,
    *,
    names: Sequence[str] = (),
    durations: Sequence[int] = (),
    tags: Sequence[FrameTag] = (),
    loop: bool = True,
    pivot: tuple[float, float] | None = None,
) -> Sprite:
    frames = tuple(frame(mark) for mark in range(count))
    return Sprite("hero", frames, PALETTE, "animation", tuple(names), tuple(durations), loop, tuple(tags), pivot)


def still(**values: object) -> Sprite:
    return Sprite("potion", (frame(1),), PALETTE, **values)  # type: ignore[arg-type]  # the fields of a Sprite


def views() -> Sprite:
    return Sprite("hero", tuple(frame(mark) for mark in range(8)), PALETTE, "views", VIEW_NAMES["8"])


def wang(order: Sequence[int] = range(16)) -> Sprite:
    """Corner tiles of 8x8: a quarter of the tile at each corner that has the upper ground."""
    tiles = []
    for number in order:
        image = Image.new("P", (8, 8), _LOWER)
        image.putpalette([0, 0, 0, *(value for color in PALETTE for value in bytes.fromhex(color[1:]))])
        for corner, bit in enumerate(f"{number:04b}"):
            if bit == "1":
                image.paste(_UPPER, (corner % 2 * 4, corner // 2 * 4, corner % 2 * 4 + 4, corner // 2 * 4 + 4))
        tiles.append(image)
    names = tuple(f"wang-{number:04b}" for number in order)
    return Sprite("shore", tuple(tiles), PALETTE, "tileset", names)


def cell(sprite: Sprite, number: int) -> bytes:
    """The pixels of a frame."""
    return sprite.frames[number].convert("RGBA").tobytes()
