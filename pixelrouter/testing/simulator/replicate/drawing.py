"""Drawing what a prediction delivers: native pixels, in the formats measured on real outputs (July 2026).

Stills are RGB, or RGBA with an alpha of 0 or 255 after ``remove_bg``; a tileset is 4x5 tiles in RGBA without a clear
pixel; an animation is a GIF, or an RGBA sheet with ``return_spritesheet``.
"""

from __future__ import annotations

import numpy as np

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.images import Output, Pixels
from pixelrouter.testing.simulator.replicate.orders import Order

#: Reds of a palette that came back one lower, in 22 of 24 measured outputs; green and blue were always exact.
REDS_MINUS_ONE = (82, 102, 106, 138, 143, 153, 172, 217, 223, 251)


def draw(order: Order, salt: str, size: tuple[int, int] | None = None) -> list[Output]:
    """The files of an order. ``salt`` stands in for a seed that was not given; ``size`` is another than the ordered."""
    width, height = size or (order.width, order.height)
    seed = salt if order.value("seed") is None else str(order.value("seed"))
    return [
        _one(order, f"{order.model.name}|{order.style_name}|{order.value('prompt')}|{seed}|{index}", width, height)
        for index in range(order.n)
    ]


def _one(order: Order, identity: str, width: int, height: int) -> Output:
    style = order.style
    raw, mask = images.sprite(identity, width, height)
    pixels = raw if order.palette is None else off_by_one(images.snap(raw, order.palette))
    cut = images.with_alpha(pixels, mask)
    if style.frames:
        frames = [images.moved(cut, step) for step in range(style.frames)]
        if order.extension == "gif":
            return images.gif(frames, 1, style.frame_ms)
        columns, rows = style.grid or (style.frames, 1)  # one row where no grid was measured
        return images.png(images.sheet(frames, columns, rows))
    if style.grid:
        columns, rows = style.grid
        tiles = [images.with_alpha(images.moved(pixels, step), mask | True) for step in range(columns * rows)]
        return images.png(images.sheet(tiles, columns, rows))
    return images.png(cut if order.value("remove_bg") else pixels)


def off_by_one(pixels: Pixels) -> Pixels:
    """The vendor's palette fault: certain reds come back one lower. ``pixels`` are (h, w, 3)."""
    spoilt = pixels.copy()
    spoilt[..., 0] -= np.isin(pixels[..., 0], REDS_MINUS_ONE).astype(np.uint8)
    return spoilt
