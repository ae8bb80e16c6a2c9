"""Corner tiles as engines' terrains: which tile has which ground at its corners, and a colour for each ground."""

from __future__ import annotations

from pixelrouter.assets.sprite import Sprite
from pixelrouter.pixels.tiles.wang import corners

GROUNDS = ("lower", "upper")
_PLAIN = ("0000", "1111")  # the tiles that are all lower and all upper ground
_FALLBACK = ((64, 96, 160), (208, 176, 96))


def corner_codes(sprite: Sprite) -> dict[int, str]:
    """Tile number -> its corners north-west, north-east, south-west, south-east; 1 is the upper ground.

    Tiles whose names say no corners are left out; empty for anything but a tileset.
    """
    if sprite.task != "tileset":
        return {}
    found = {number: corners(name) for number, name in enumerate(sprite.names[: len(sprite.frames)])}
    return {number: code for number, code in found.items() if code}


def plain_tile(codes: dict[int, str], ground: int) -> int | None:
    """The number of the tile that is that ground at all its corners."""
    return next((number for number, code in codes.items() if code == _PLAIN[ground]), None)


def ground_colors(sprite: Sprite, codes: dict[int, str]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """RGB of both grounds: the most frequent colour of each one's plain tile, never the same for both."""
    lower, upper = (_frequent(sprite, plain_tile(codes, ground)) or _FALLBACK[ground] for ground in (0, 1))
    return (lower, upper) if lower != upper else (_FALLBACK[0], _FALLBACK[1])


def _frequent(sprite: Sprite, number: int | None) -> tuple[int, int, int] | None:
    if number is None:
        return None
    import numpy as np

    pixels = np.asarray(sprite.frames[number].convert("RGBA")).reshape(-1, 4)
    colors, counts = np.unique(pixels[pixels[:, 3] > 0, :3], axis=0, return_counts=True)
    if not len(colors):
        return None
    # Of two that are as frequent the first in ascending order, wherever its pixels are.
    red, green, blue = (int(value) for value in colors[counts.argmax()])
    return red, green, blue
