"""APNG: "PNG specification, third edition" (W3C, 2025; acTL, fcTL, fdAT)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from PIL import Image

from pixelrouter.formats.tables import Bytes, compressed, indexed


def write(frames: Sequence[Bytes], times: Sequence[int], loop: int) -> tuple[bytes, tuple[int, ...]]:
    """The file, and the milliseconds it holds."""
    images = _images(frames)
    height, width = frames[0].shape[:2]
    out, number = [b"\x89PNG\r\n\x1a\n"], 0
    for at, (image, time) in enumerate(zip(images, times, strict=True)):
        chunks = list(_png_chunks(compressed(image, "PNG", optimize=True, bits=8)))
        if at == 0:
            out += [_chunk(kind, body) for kind, body in chunks if kind == b"IHDR"]
            out.append(_chunk(b"acTL", struct.pack(">II", len(images), loop)))
            out += [_chunk(kind, body) for kind, body in chunks if kind in (b"PLTE", b"tRNS")]
        # Disposal 0 and blending 0: each frame stays until the next replaces all of it.
        control = struct.pack(">IIIIIHHBB", number, width, height, 0, 0, *_delay(time), 0, 0)
        out.append(_chunk(b"fcTL", control))
        number += 1
        for kind, body in chunks:
            if kind == b"IDAT" and at == 0:
                out.append(_chunk(b"IDAT", body))
            elif kind == b"IDAT":
                out.append(_chunk(b"fdAT", struct.pack(">I", number) + body))
                number += 1
    out.append(_chunk(b"IEND", b""))
    held = tuple(1000 * count // units for count, units in map(_delay, times))
    return b"".join(out), held


def _images(frames: Sequence[Bytes]) -> list[Image.Image]:
    """In mode P where one table holds the colours of all frames, else in RGBA."""
    alike = indexed(frames)
    if alike is None:
        return [Image.fromarray(frame) for frame in frames]
    images = []
    for index in alike.frames:
        image = Image.fromarray(index)
        image.putpalette(alike.table.tobytes())
        if alike.clear:
            image.info["transparency"] = 0
        images.append(image)
    return images


def _delay(time: int) -> tuple[int, int]:
    """Milliseconds as a fraction of a second in two bytes each; more than 65 seconds lose their last digits."""
    for units in (1000, 100, 10):
        if time * units // 1000 < 1 << 16:
            return time * units // 1000, units
    return min(time // 1000, 65535), 1


def _png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
