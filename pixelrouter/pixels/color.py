"""Colour maths: sRGB to OKLab and back, and the nearest colour of a palette, exactly.

OKLab: Björn Ottosson, "A perceptual color space for image processing", 2020 (https://bottosson.github.io/posts/oklab/).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

_COUNTED = 1024  # colours that are counted one by one
_HASH_BITS = 20

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB = np.linalg.inv(_TO_LAB)
_FROM_LMS = np.linalg.inv(_TO_LMS)

_STEPS = np.arange(256) / 255
_LINEAR = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4)
LINEAR: Floats = _LINEAR.astype(np.float32)  # linear light, 0..1, of each sRGB byte: what averages are made of


def linear_to_oklab(linear: Floats) -> Floats:
    """OKLab of linear light ``(..., 3)``, 0..1."""
    return _times(np.cbrt(_times(linear, _TO_LMS)), _TO_LAB)


def to_oklab(rgb: Bytes) -> Floats:
    """OKLab of sRGB bytes ``(..., 3)``: L 0..1, a and b about -0.4..0.4."""
    lab = _times(np.cbrt(_times(_LINEAR[rgb], _TO_LMS)), _TO_LAB)
    return np.asarray(lab, dtype=np.float32)


def _times(values: NDArray[Any], matrix: NDArray[np.float64]) -> NDArray[Any]:
    """Each vector of ``(..., 3)`` times a matrix ``(3, 3)``, in the vectors' precision.

    Channel by channel and not as a matrix product: those are summed in another order by every BLAS and number of
    threads, and the same picture shall get the same colours everywhere.
    """
    out = np.empty(values.shape, dtype=values.dtype)
    red, green, blue = (values[..., channel] for channel in range(3))
    for channel, (r, g, b) in enumerate(matrix.astype(values.dtype)):
        out[..., channel] = red * r + green * g + blue * b
    return out


def from_oklab(lab: Floats) -> Bytes:
    """The sRGB bytes nearest to OKLab values ``(..., 3)``; what lies outside sRGB is clipped."""
    linear = np.clip(_times(_times(lab.astype(np.float64), _FROM_LAB) ** 3, _FROM_LMS), 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), dtype=np.uint8)


def nearest(colors: Floats, palette: Floats, chunk: int = 1 << 15) -> Ints:
    """For each of ``(n, 3)`` OKLab colours the index of the nearest of ``(k, 3)``; the first one where two are equal.

    Every distance is computed: Pillow's own mapping to a palette caches coarsely and misses the nearest colour for a
    few pixels in a hundred. ``chunk`` is how many distances are held at once.
    """
    out = np.empty(len(colors), dtype=np.intp)
    step = max(1, chunk // max(1, len(palette)))
    for start in range(0, len(colors), step):
        out[start : start + step] = squares(colors[start : start + step], palette).argmin(axis=1)
    return out


def squares(a: NDArray[Any], b: NDArray[Any], dtype: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """Squared distances ``(n, k)`` between ``(n, 3)`` and ``(k, 3)``.

    Of the differences themselves: colours equally far away come out equal, which the product of matrices, summed in
    whatever order, does not promise.
    """
    one, other = a.astype(dtype), b.astype(dtype)
    total = np.zeros((len(one), len(other)), dtype=dtype)
    gap = np.empty_like(total)
    for channel in range(3):
        np.subtract(one[:, channel, None], other[:, channel], out=gap)
        np.multiply(gap, gap, out=gap)
        total += gap
    return total


def pack(rgb: Bytes) -> NDArray[np.uint32]:
    """One integer ``0xRRGGBB`` a colour of ``(..., 3)`` bytes."""
    wide = rgb.astype(np.uint32)
    return np.asarray((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2], dtype=np.uint32)


def unpack(packed: NDArray[np.uint32]) -> Bytes:
    """The ``(..., 3)`` bytes of integers ``0xRRGGBB``."""
    return np.stack([packed >> 16, packed >> 8, packed], axis=-1).astype(np.uint8)


def parse_hex(colors: Sequence[str]) -> Bytes:
    """The ``(n, 3)`` bytes of ``("#rrggbb", ...)``, as :func:`pixelrouter.pixels.resolve_palette` returns them."""
    return np.array([tuple(bytes.fromhex(c.removeprefix("#"))) for c in colors], dtype=np.uint8).reshape(-1, 3)


def to_hex(rgb: Bytes) -> tuple[str, ...]:
    """``("#rrggbb", ...)`` of ``(n, 3)`` bytes."""
    return tuple(f"#{value:06x}" for value in pack(rgb).tolist())


def count_colors(rgba: Bytes) -> int:
    """How many colours ``(h, w, 4)`` bytes show: exact up to 1024, above that within a few percent.

    Many colours are counted by the share of a table of hashes that they fill ("linear counting", K.-Y. Whang and
    others, 1990), which neither sorts the image nor copies it.
    """
    few = Image.fromarray(rgba).getcolors(_COUNTED)
    if few is not None:
        colors = np.array([color for _, color in few], dtype=np.uint8).reshape(-1, 4)
        return len(np.unique(pack(colors[colors[:, 3] >= 128][:, :3])))
    packed = np.ascontiguousarray(rgba).view(np.dtype("<u4")).reshape(-1)
    filled = np.zeros(1 << _HASH_BITS, dtype=np.bool_)
    for start in range(0, len(packed), 1 << 16):
        part = packed[start : start + (1 << 16)]
        part = part[part >= 0x80000000] & np.uint32(0xFFFFFF)  # red in the lowest byte, alpha in the highest
        filled[(part * np.uint32(2654435761)) >> np.uint32(32 - _HASH_BITS)] = True
    size = len(filled)
    return round(-size * math.log1p(-min(int(np.count_nonzero(filled)), size - 1) / size))
