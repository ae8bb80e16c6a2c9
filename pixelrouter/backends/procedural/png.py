"""PNG bytes that are the same on every machine: indexed or RGBA, one picture or a film.

Compressors differ between zlib builds, so the pixels go into stored (uncompressed) deflate blocks: two pixels a byte,
half a kilobyte for a 32x32 sprite. Formats: PNG specification, third edition, which holds animated PNG as well
(w3.org/TR/png-3), RFC 1950 and RFC 1951.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pixelrouter.backends.procedural.colors import RGB

Pixels = npt.NDArray[np.uint8]
_BLOCK = 65535
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    blocks = [data[i : i + _BLOCK] for i in range(0, len(data), _BLOCK)]
    out = b"\x78\x01"
    for i, block in enumerate(blocks):
        out += struct.pack("<BHH", i == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
    return out + struct.pack(">I", zlib.adler32(data))


def _rows(pixels: Pixels) -> bytes:
    """The scanlines, unfiltered: four bits a pixel for indices, four bytes for RGBA."""
    if pixels.ndim == 3:
        return b"".join(b"\x00" + row.tobytes() for row in pixels)
    height, width = pixels.shape
    padded = np.zeros((height, width + width % 2), dtype=np.uint8)
    padded[:, :width] = pixels
    rows = (padded[:, 0::2] << 4) | padded[:, 1::2]
    return b"".join(b"\x00" + row.tobytes() for row in rows)


def _head(pixels: Pixels, palette: list[RGB] | None, transparent: bool, film: bytes = b"") -> bytes:
    height, width = pixels.shape[:2]
    depth, kind = (4, 3) if palette is not None else (8, 6)
    head = _SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)) + film
    if palette is not None:
        head += _chunk(b"PLTE", b"".join(bytes(color) for color in palette))
        if transparent:
            head += _chunk(b"tRNS", b"\x00")
    return head


def encode(pixels: Pixels, palette: list[RGB] | None, *, transparent: bool) -> bytes:
    """A 4-bit indexed PNG of ``pixels`` (height, width; indices into at most 16 colours), or RGBA without a palette.

    ``transparent`` makes colour 0 fully transparent.
    """
    return _head(pixels, palette, transparent) + _chunk(b"IDAT", _stored(_rows(pixels))) + _chunk(b"IEND", b"")


def encode_film(frames: Sequence[Pixels], palette: list[RGB] | None, ms: int, *, transparent: bool) -> bytes:
    """An animated PNG that loops for ever, each frame whole and shown for ``ms`` milliseconds."""
    height, width = frames[0].shape[:2]
    out = _head(frames[0], palette, transparent, _chunk(b"acTL", struct.pack(">II", len(frames), 0)))
    number = 0
    for index, frame in enumerate(frames):
        # No offset; the canvas is cleared after each frame (1), which replaces what was there (0).
        out += _chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, ms, 1000, 1, 0))
        data = _stored(_rows(frame))
        if index == 0:
            out += _chunk(b"IDAT", data)
            number += 1
        else:
            out += _chunk(b"fdAT", struct.pack(">I", number + 1) + data)
            number += 2
    return out + _chunk(b"IEND", b"")
