"""The chunks of a PNG file, taken apart and put together again, and the text in them.

Source: Portable Network Graphics (PNG) Specification, third edition, W3C Recommendation of 24 June 2025.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from pixelrouter.errors import UnreadableImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INDEXED = 3  # the colour type of images with a palette
MAX_CHUNKS = 100_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its type of four letters, and its data."""

    kind: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What the first chunk says: size in pixels, bits a sample, colour type (:data:`INDEXED` has a palette)."""

    width: int
    height: int
    depth: int
    color_type: int


def read_chunks(png: bytes, name: str = "The file") -> tuple[Chunk, ...]:
    """All chunks, checked. Raises UnreadableImage with what is wrong."""
    if not png.startswith(SIGNATURE):
        raise UnreadableImage(f"{name} is no PNG.")
    chunks: list[Chunk] = []
    at = len(SIGNATURE)
    while not chunks or chunks[-1].kind != b"IEND":
        length = int.from_bytes(png[at : at + 4], "big")
        end = at + 12 + length
        if at + 12 > len(png) or end > len(png):
            raise UnreadableImage(f"{name} is cut off: it ends within a chunk.", hint="Restore it, or build it again.")
        if len(chunks) >= MAX_CHUNKS:
            raise UnreadableImage(f"{name} has more than {MAX_CHUNKS} chunks.")
        body = png[at + 4 : end - 4]
        if zlib.crc32(body) != int.from_bytes(png[end - 4 : end], "big"):
            kind = body[:4].decode("latin-1")
            raise UnreadableImage(f"{name} is damaged: the checksum of chunk {kind!r} is wrong.", hint="Restore it.")
        chunks.append(Chunk(body[:4], body[4:]))
        at = end
    return tuple(chunks)


def write_chunks(chunks: Iterable[Chunk]) -> bytes:
    """The file of these chunks."""
    parts = [SIGNATURE]
    for chunk in chunks:
        body = chunk.kind + chunk.data
        parts += [len(chunk.data).to_bytes(4, "big"), body, zlib.crc32(body).to_bytes(4, "big")]
    return b"".join(parts)


def header(chunks: Iterable[Chunk], name: str = "The file") -> Header:
    """The header. Raises UnreadableImage where it is not the first chunk."""
    first = next(iter(chunks), None)
    if first is None or first.kind != b"IHDR" or len(first.data) != 13:
        raise UnreadableImage(f"{name} has no header.")
    sides = first.data[:4], first.data[4:8]
    width, height = (int.from_bytes(side, "big") for side in sides)
    return Header(width, height, first.data[8], first.data[9])


def text(keyword: str, value: str) -> Chunk:
    """A tEXt chunk: Latin-1."""
    return Chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + value.encode("latin-1"))


def international(keyword: str, value: str) -> Chunk:
    """An iTXt chunk: UTF-8, not compressed, of no language."""
    return Chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + value.encode())


def read_text(chunk: Chunk) -> tuple[str, str] | None:
    """Keyword and value of a tEXt chunk or of an iTXt chunk that is not compressed; None of any other."""
    keyword, found, rest = chunk.data.partition(b"\0")
    if not found:
        return None
    if chunk.kind == b"tEXt":
        return keyword.decode("latin-1"), rest.decode("latin-1")
    if chunk.kind != b"iTXt" or rest[:2] != b"\0\0":
        return None
    parts = rest[2:].split(b"\0", 2)  # language, translated keyword, value
    if len(parts) != 3:
        return None
    return keyword.decode("latin-1"), parts[2].decode("utf-8", errors="replace")
