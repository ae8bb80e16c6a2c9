"""How large the model draws for a sprite of a given size."""

from __future__ import annotations

from math import isqrt

WORTH = 0.7  # a whole multiple of the sprite is taken down to this share of the size the model was trained on


def raw_size(size: tuple[int, int], native: int, multiple: int) -> tuple[int, int]:
    """``(width, height)`` to draw: about native x native pixels of area, in the sprite's shape.

    Each side is a multiple of ``multiple``, because the pipelines round others down without a word. Where one is near
    enough, a whole multiple of the sprite is taken: then every sprite pixel has the same number of raw ones. Shapes
    longer than 4:1 are drawn as 4:1, beyond which the models know nothing.
    """
    width, height = size
    longer = 4 * min(width, height)
    width, height = min(width, longer), min(height, longer)
    largest = max(1, isqrt(native * native // (width * height)))
    for scale in range(largest, int(largest * WORTH), -1):
        if (width * scale) % multiple == 0 and (height * scale) % multiple == 0:
            return width * scale, height * scale
    factor = native / (width * height) ** 0.5
    return _rounded(width * factor, multiple), _rounded(height * factor, multiple)


def _rounded(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)
