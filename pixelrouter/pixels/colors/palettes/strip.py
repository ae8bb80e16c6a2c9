"""Palettes as pictures: one pixel, or one block of equal pixels, a colour."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from pixelrouter.errors import UnknownPalette, UnreadableImage
from pixelrouter.pixels.colors.palettes.value import Palette, Sheet, bounded, faded

if TYPE_CHECKING:
    from pixelrouter.pixels.color import Bytes

_MAX_SCALE = 64
_MAX_SIDE = 1 << 14


def read_strip(data: bytes, what: str) -> Palette:
    """The colours of a picture in reading order, each once; pixels of alpha 0 are none.

    The size of the blocks is the greatest length that divides every run of equal pixels, so any enlargement of a
    picture reads as the picture.
    """
    import numpy as np

    from pixelrouter.pixels.color import pack, to_hex, unpack
    from pixelrouter.pixels.decode import to_array

    try:
        rgba = to_array(data)
    except UnreadableImage as error:
        raise UnknownPalette(f"The palette {what} cannot be read. {error.message}") from error
    scale = block_size(rgba)
    blocks = rgba[::scale, ::scale].reshape(-1, 4)
    seen = blocks[blocks[:, 3] > 0]
    values, first = np.unique(pack(seen[:, :3]), return_index=True)
    bounded(what, len(values))
    order = np.argsort(first)
    warning = faded(seen[first[order], 3].tolist())
    return Palette(to_hex(unpack(values[order])), format="png", scale=scale, warnings=(warning,) if warning else ())


def block_size(rgba: Bytes) -> int:
    """The greatest common divisor of all runs of equal pixels, across and down, of ``(h, w, 4)`` bytes.

    Runs of transparent pixels count as well, whatever their hidden colours.
    """
    import numpy as np

    packed = np.ascontiguousarray(rgba).view(np.dtype("<u4"))[..., 0].copy()
    packed[rgba[..., 3] == 0] = 0
    size = math.gcd(*packed.shape)
    for axis in (0, 1):
        edges = np.diff(packed, axis=axis) != 0
        size = math.gcd(size, *(np.flatnonzero(edges.any(axis=1 - axis)) + 1).tolist())
    return size


def write_strip(sheet: Sheet) -> bytes:
    """An opaque PNG of one row: ``N x 1`` pixels, or ``N*scale x scale``."""
    if not 1 <= sheet.scale <= _MAX_SCALE or sheet.scale * len(sheet.colors) > _MAX_SIDE:
        raise UnknownPalette(
            f"A strip of {len(sheet.colors)} colours is not drawn {sheet.scale} pixels large.",
            hint=f"The scale is 1 to {_MAX_SCALE}, a strip at most {_MAX_SIDE} pixels long.",
        )
    from PIL import Image

    image = Image.new("RGB", (len(sheet.colors), 1))
    image.putdata(list(sheet.colors))
    out = io.BytesIO()
    image.resize((image.width * sheet.scale, sheet.scale), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()
