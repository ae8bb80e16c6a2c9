"""WebP: "WebP container specification" (Google, 2024)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from PIL import Image

from pixelrouter.formats.tables import Bytes, compressed

_LONGEST = 0xFFFFFF  # milliseconds


def write(frames: Sequence[Bytes], times: Sequence[int], loop: int) -> tuple[bytes, tuple[int, ...]]:
    """The file, and the milliseconds it holds."""
    held = tuple(min(time, _LONGEST) for time in times)
    height, width = frames[0].shape[:2]
    extent = _u24(width - 1) + _u24(height - 1)
    alpha = any(bool((frame[..., 3] < 255).any()) for frame in frames)
    parts = [
        _riff(b"VP8X", struct.pack("<I", 0x02 | (0x10 if alpha else 0)) + extent),
        _riff(b"ANIM", struct.pack("<IH", 0, loop)),
    ]
    for frame, time in zip(frames, held, strict=True):
        still = compressed(Image.fromarray(frame), "WEBP", lossless=True, exact=True, quality=100)
        # Flag 2: not blended with the frame before, and nothing disposed of, so it replaces all of it.
        place = _u24(0) + _u24(0) + extent + _u24(time) + b"\x02"
        parts.append(_riff(b"ANMF", place + _lossless(still)))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body, held


def _lossless(webp: bytes) -> bytes:
    """The VP8L chunk of a still, with its header and padding."""
    at = 12
    while webp[at : at + 4] != b"VP8L":
        (length,) = struct.unpack("<I", webp[at + 4 : at + 8])
        at += 8 + length + length % 2
    (length,) = struct.unpack("<I", webp[at + 4 : at + 8])
    return webp[at : at + 8 + length + length % 2]


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")
