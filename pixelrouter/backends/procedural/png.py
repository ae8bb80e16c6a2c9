"""Indexed PNG bytes that are the same on every machine.

Compressors differ between zlib builds, so the pixels go into stored (uncompressed) deflate blocks: two pixels a byte,
half a kilobyte for a 32x32 sprite. Formats: PNG specification (w3.org/TR/png-3), RFC 1950 and RFC 1951.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from pixelrouter.backends.procedural.colors import RGB

_BLOCK = 65535


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    blocks = [data[i : i + _BLOCK] for i in range(0, len(data), _BLOCK)]
    out = b"\x78\x01"
    for i, block in enumerate(blocks):
        out += struct.pack("<BHH", i == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
    return out + struct.pack(">I", zlib.adler32(data))


def encode(pixels: npt.NDArray[np.uint8], palette: list[RGB], *, transparent: bool) -> bytes:
    """A 4-bit indexed PNG of ``pixels`` (height, width; indices into at most 16 colours).

    ``transparent`` makes colour 0 fully transparent.
    """
    height, width = pixels.shape
    padded = np.zeros((height, width + width % 2), dtype=np.uint8)
    padded[:, :width] = pixels
    rows = (padded[:, 0::2] << 4) | padded[:, 1::2]
    raw = b"".join(b"\x00" + row.tobytes() for row in rows)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0))
    png += _chunk(b"PLTE", b"".join(bytes(color) for color in palette))
    if transparent:
        png += _chunk(b"tRNS", b"\x00")
    return png + _chunk(b"IDAT", _stored(raw)) + _chunk(b"IEND", b"")
