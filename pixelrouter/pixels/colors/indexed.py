"""Indexed images: a picture and its palette as a Pillow image of mode P that survives a PNG file unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from pixelrouter.pixels.color import Bytes

ENTRIES = 256  # a PNG palette has at most this many, the transparent one included


def to_indexed(rgba: Bytes, palette: Bytes) -> Image.Image:
    """The P image of ``(h, w, 4)`` bytes whose visible colours all occur in the palette ``(k, 3)``.

    Without transparency index i is palette colour i. With it, index 0 is the transparent black and the colours
    follow, so every image of a shared palette agrees on its indices. Partial alpha makes one entry for each pair of
    colour and alpha, in that order, and the caller has seen to it that there are at most 256.
    """
    import numpy as np  # in the functions, since a FinishSpec asks only for ENTRIES
    from PIL import Image

    from pixelrouter.pixels.color import pack

    alpha = rgba[..., 3]
    if not np.isin(alpha, (0, 255)).all():
        return _with_partial_alpha(rgba)
    clear = alpha == 0
    order = np.argsort(pack(palette), kind="stable")
    place = np.searchsorted(pack(palette)[order], pack(rgba[..., :3])).clip(0, max(0, len(palette) - 1))
    index = order[place] if len(palette) else np.zeros(alpha.shape, dtype=np.intp)
    entries = palette
    if clear.any():
        index = np.where(clear, 0, index + 1)
        entries = np.concatenate([np.zeros((1, 3), dtype=np.uint8), palette])
    image = Image.fromarray(index.astype(np.uint8)).convert("L")
    image.putpalette(entries.tobytes())
    if clear.any():
        image.info["transparency"] = 0
    return image


def _with_partial_alpha(rgba: Bytes) -> Image.Image:
    import numpy as np
    from PIL import Image

    from pixelrouter.pixels.color import pack

    pairs = (pack(rgba[..., :3]).astype(np.uint64) << 8) | rgba[..., 3]
    pairs = np.where(rgba[..., 3] == 0, 0, pairs)
    values, index = np.unique(pairs, return_inverse=True)
    entries = np.stack([values >> 24, values >> 16, values >> 8], axis=1).astype(np.uint8)
    image = Image.fromarray(index.reshape(pairs.shape).astype(np.uint8))
    image.putpalette(entries.tobytes())
    image.info["transparency"] = (values & 0xFF).astype(np.uint8).tobytes()
    return image


def thin_alpha(rgba: Bytes) -> Bytes:
    """Fewer steps of alpha, as few as it takes for colours and alphas to fit into one palette."""
    import numpy as np

    from pixelrouter.pixels.color import pack

    for step in (1, 17, 51, 85, 255):
        out = rgba.copy()
        out[..., 3] = np.rint(rgba[..., 3] / step) * step
        out[out[..., 3] == 0] = 0
        pairs = (pack(out[..., :3]).astype(np.uint64) << 8) | out[..., 3]
        if len(np.unique(pairs)) <= ENTRIES:
            return out
    return out
