"""The container of ``.ase`` and ``.aseprite`` files: header, frames and their chunks, and the palette among them.

Tags and slices are in ``aseprite_marks.py``, layers and pixels in ``aseprite_reading.py`` and ``aseprite_writing.py``.
Source of every number in the four: "Aseprite File Format Specifications", docs/ase-file-specs.md in
github.com/aseprite/aseprite, as read on 2026-11-22 (commit 5c41d96). Numbers are little-endian; names are UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pixelrouter.errors import InvalidRequest, UnreadableImage

MAGIC, FRAME_MAGIC = 0xA5E0, 0xF1FA
OLD_PALETTE, OLDER_PALETTE, PALETTE = 0x0004, 0x0011, 0x2019
LAYER, CEL, COLOR_PROFILE, TAGS, USER_DATA, SLICE = 0x2004, 0x2005, 0x2007, 0x2018, 0x2020, 0x2022
RAW_CEL, LINKED_CEL, COMPRESSED_CEL = 0, 1, 2

MAX_BYTES = 64 * 1024 * 1024
MAX_CHUNKS = 1 << 17  # of all frames together
MAX_COLORS = 1 << 12  # of a palette; indexed pixels reach 256 of them
MAX_NAME = 1 << 12  # bytes of a name that is written

_HEADER = struct.Struct("<IHHHHHIHIIB3xHBBhhHH84x")
_FRAME = struct.Struct("<IHHH2xI")
_CHUNK = struct.Struct("<IH")
_SRGB = 1

RGBA = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself. ``depth`` is bits a pixel: 8 indexed, 16 grey and alpha, 32 RGBA."""

    width: int
    height: int
    depth: int = 8
    flags: int = 1  # bit 0: the opacity of layers counts
    speed: int = 100  # milliseconds of frames that say none
    transparent: int = 0  # the index that is clear in every layer but a background
    colors: int = 0
    pixel_ratio: tuple[int, int] = (1, 1)
    grid: tuple[int, int, int, int] = (0, 0, 0, 0)  # x, y, width and height of a cell; 0 wide: none


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its type and what stands after its type."""

    kind: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """The chunks of one frame, and its milliseconds."""

    duration: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Container:
    """A file taken apart as far as its chunks."""

    header: Header
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Color:
    """An entry of a palette."""

    rgba: RGBA
    name: str = ""


def is_aseprite(data: bytes) -> bool:
    """Whether a file begins as Aseprite's do. Adobe's palettes have the same ending and begin with ``ASEF``."""
    return len(data) >= 6 and data[:4] != b"ASEF" and int.from_bytes(data[4:6], "little") == MAGIC


class Reader:
    """Numbers and names from bytes, one after the other; UnreadableImage where they end too early."""

    def __init__(self, data: bytes, name: str = "The file", at: int = 0) -> None:
        self.data, self.name, self.at = data, name, at

    def take(self, layout: str) -> tuple[Any, ...]:
        """The next values in the notation of :mod:`struct`, little-endian."""
        return struct.unpack("<" + layout, self.raw(struct.calcsize("<" + layout)))

    def number(self, layout: str) -> int:
        """The next whole number."""
        return int(self.take(layout)[0])

    def raw(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count < 0 or self.at + count > len(self.data):
            raise broken(self.name)
        self.at += count
        return self.data[self.at - count : self.at]

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.raw(len(self.data) - self.at)

    def text(self) -> str:
        """The next name."""
        return self.raw(self.number("H")).decode("utf-8", errors="replace")


def broken(name: str) -> UnreadableImage:
    """The error of a file that ends in the middle of something."""
    return UnreadableImage(f"{name} breaks off, or is damaged.", hint="Save it again in Aseprite.")


def text(value: str) -> bytes:
    """A name as it stands in a file: its length and its bytes; one that is too long is cut between letters."""
    encoded = value.encode("utf-8", errors="replace")[:MAX_NAME].decode("utf-8", errors="ignore").encode()
    return struct.pack("<H", len(encoded)) + encoded


# ---- files


def parse(data: bytes, name: str = "The file") -> Container:
    """The header, frames and chunks of a file.

    Raises UnreadableImage for another kind of file, for one that breaks off, and beyond MAX_BYTES or MAX_CHUNKS.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableImage(f"{name} has {len(data)} bytes; at most {MAX_BYTES} are read.")
    if data[:4] == b"ASEF":
        raise UnreadableImage(
            f"{name} is a palette of Adobe's, not a sprite of Aseprite's; both end in .ase.",
            hint="Read it as a palette.",
        )
    if not is_aseprite(data):
        raise UnreadableImage(f"{name} is not a file of Aseprite's.", hint="Give an .ase or .aseprite file.")
    reader = Reader(data, name)
    count, header = _header(reader)
    frames, left = [], MAX_CHUNKS
    for _ in range(count):
        frame = _frame(reader, header.speed, left)
        left -= len(frame.chunks)
        frames.append(frame)
    return Container(header, tuple(frames))


def _header(reader: Reader) -> tuple[int, Header]:
    """How many frames there are, and the rest."""
    values = _HEADER.unpack(reader.raw(_HEADER.size))
    (_, _, count, width, height, depth, flags, speed, _, _, clear, colors, wide, high, *grid) = values
    ratio = (wide, high) if wide and high else (1, 1)
    x, y, across, down = grid
    return count, Header(width, height, depth, flags, speed, clear, colors, ratio, (x, y, across, down))


def _frame(reader: Reader, speed: int, most: int) -> Frame:
    start = reader.at
    size, magic, old, duration, new = _FRAME.unpack(reader.raw(_FRAME.size))
    if magic != FRAME_MAGIC or size < _FRAME.size or start + size > len(reader.data):
        raise broken(reader.name)
    count = new or old
    if count > most:
        raise UnreadableImage(f"{reader.name} has more than {MAX_CHUNKS} parts, and no sprite has.")
    chunks = []
    for _ in range(count):
        length, kind = _CHUNK.unpack(reader.raw(_CHUNK.size))
        chunks.append(Chunk(kind, reader.raw(length - _CHUNK.size)))
    reader.at = start + size
    return Frame(duration or speed, tuple(chunks))


def dump(header: Header, frames: Sequence[Frame]) -> bytes:
    """A file of these frames. Raises InvalidRequest where a number does not fit the format."""
    if not 1 <= len(frames) < 1 << 16 or not (0 < header.width < 1 << 16 and 0 < header.height < 1 << 16):
        raise InvalidRequest(
            f"An .aseprite file cannot hold {len(frames)} frames of {header.width}x{header.height} pixels.",
            hint="65535 frames of 65535 pixels a side are the most.",
        )
    body = b"".join(map(_frame_bytes, frames))
    head = _HEADER.pack(
        _HEADER.size + len(body), MAGIC, len(frames), header.width, header.height, header.depth, header.flags,
        header.speed, 0, 0, header.transparent, header.colors, *header.pixel_ratio, *header.grid,
    )  # fmt: skip
    return head + body


def _frame_bytes(frame: Frame) -> bytes:
    body = b"".join(_CHUNK.pack(_CHUNK.size + len(one.data), one.kind) + one.data for one in frame.chunks)
    count = len(frame.chunks)
    duration = min(max(frame.duration, 1), 0xFFFF)
    return _FRAME.pack(_FRAME.size + len(body), FRAME_MAGIC, min(count, 0xFFFF), duration, count) + body


def color_profile() -> Chunk:
    """The chunk that says the colours are sRGB."""
    return Chunk(COLOR_PROFILE, struct.pack("<HHI8x", _SRGB, 0, 0))


# ---- palettes


def read_palette(chunks: Iterable[Chunk], name: str = "The file") -> tuple[Color, ...]:
    """The palette that the chunks of a file's first frame set, empty where they set none.

    The old chunks, which know no alpha, count only where the new one is missing.
    """
    chunks = tuple(chunks)
    kinds = {chunk.kind for chunk in chunks}
    colors: dict[int, Color] = {}
    for chunk in chunks:
        if chunk.kind == PALETTE:
            colors = _new_entries(Reader(chunk.data, name), colors)
        elif chunk.kind in (OLD_PALETTE, OLDER_PALETTE) and PALETTE not in kinds:
            colors |= _old_entries(Reader(chunk.data, name), 4 if chunk.kind == OLDER_PALETTE else 1)
    return tuple(colors.get(at, Color((0, 0, 0, 255))) for at in range(max(colors, default=-1) + 1))


def _new_entries(reader: Reader, colors: dict[int, Color]) -> dict[int, Color]:
    size, first, last = reader.take("III8x")
    if size > MAX_COLORS or last >= MAX_COLORS:
        raise UnreadableImage(f"{reader.name} has a palette of more than {MAX_COLORS} colours.")
    out = {at: color for at, color in colors.items() if at < size}
    for at in range(first, last + 1):
        flags, red, green, blue, alpha = reader.take("HBBBB")
        out[at] = Color((red, green, blue, alpha), reader.text() if flags & 1 else "")
    return out


def _old_entries(reader: Reader, scale: int) -> dict[int, Color]:
    """Entries of the chunks 0x0004, and 0x0011 whose channels go to 63."""
    colors, at = {}, 0
    for _ in range(reader.number("H")):
        skip, count = reader.take("BB")
        at += skip
        if at + (count or 256) > MAX_COLORS:
            raise UnreadableImage(f"{reader.name} has a palette of more than {MAX_COLORS} colours.")
        for _ in range(count or 256):
            red, green, blue = reader.take("BBB")
            colors[at] = Color((_wide(red, scale), _wide(green, scale), _wide(blue, scale), 255))
            at += 1
    return colors


def _wide(value: int, scale: int) -> int:
    """A channel as 0 to 255; 63 becomes 255."""
    return value if scale == 1 else (min(value, 63) << 2) | (min(value, 63) >> 4)


def palette_chunks(colors: Sequence[Color]) -> tuple[Chunk, ...]:
    """The palette twice, as Aseprite has it: the old chunk for readers that know no other, then the one with alpha."""
    if not 1 <= len(colors) <= MAX_COLORS:
        raise InvalidRequest(f"A palette of {len(colors)} colours cannot be written; it has 1 to {MAX_COLORS}.")
    body = [struct.pack("<III8x", len(colors), 0, len(colors) - 1)]
    for color in colors:
        named = text(color.name) if color.name else b""
        body.append(struct.pack("<HBBBB", bool(color.name), *color.rgba) + named)
    new = Chunk(PALETTE, b"".join(body))
    few = colors[:256]
    old = struct.pack("<HBB", 1, 0, len(few) % 256) + b"".join(bytes(color.rgba[:3]) for color in few)
    return Chunk(OLD_PALETTE, old), new
