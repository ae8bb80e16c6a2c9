"""Marks in ``.aseprite`` files: tags on frames, slices on areas, and the text a sprite carries."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pixelrouter.errors import UnreadableImage
from pixelrouter.formats.aseprite import (
    OLD_PALETTE,
    OLDER_PALETTE,
    PALETTE,
    RGBA,
    SLICE,
    TAGS,
    USER_DATA,
    Chunk,
    Reader,
    text,
)

Direction = Literal["forward", "reverse", "pingpong", "pingpong_reverse"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "reverse", "pingpong", "pingpong_reverse")

MAX_KEYS = 1 << 16  # of a slice
_HAS_TEXT, _HAS_COLOR = 1, 2
_HAS_CENTER, _HAS_PIVOT = 1, 2
_TAG_COLOR: RGBA = (0x6A, 0xCD, 0x5B, 255)
_SLICE_COLOR: RGBA = (0x00, 0x00, 0xFF, 255)  # what Aseprite gives a slice of nobody's choice


@dataclass(frozen=True, slots=True)
class Tag:
    """Frames ``first`` to ``last``, both included, from 0. ``repeat``: how often they are played, 0 without end."""

    name: str
    first: int
    last: int
    direction: Direction = "forward"
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """Where a slice is from ``frame`` on: ``(x, y, width, height)``; ``pivot`` in pixels from its upper left."""

    frame: int
    box: tuple[int, int, int, int]
    pivot: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """A named area."""

    name: str
    keys: tuple[Key, ...]


def read_tags(chunks: Iterable[Chunk], frames: int, name: str) -> tuple[Tag, ...]:
    """The tags of a file; those that reach beyond its frames are cut to them, unknown directions are forward."""
    tags = []
    for chunk in chunks:
        if chunk.kind != TAGS:
            continue
        reader = Reader(chunk.data, name)
        (count,) = reader.take("H8x")
        for _ in range(count):
            first, last, way, repeat = reader.take("HHBH6x4x")
            label, last = reader.text(), min(last, frames - 1)
            if first <= last:
                tags.append(Tag(label, first, last, DIRECTIONS[way if way < len(DIRECTIONS) else 0], repeat))
    return tuple(tags)


def tag_chunks(tags: Sequence[Tag]) -> tuple[Chunk, ...]:
    """Tags, and the colour of each twice: in the tag for Aseprite 1.2, behind the tags for later versions."""
    if not tags:
        return ()
    body = [struct.pack("<H8x", len(tags))]
    for tag in tags:
        way = DIRECTIONS.index(tag.direction)
        body.append(struct.pack("<HHBH6x3Bx", tag.first, tag.last, way, tag.repeat, *_TAG_COLOR[:3]) + text(tag.name))
    return (Chunk(TAGS, b"".join(body)), *(_user_data("", _TAG_COLOR) for _ in tags))


def read_slices(chunks: Iterable[Chunk], name: str) -> tuple[Slice, ...]:
    """The slices of a file."""
    return tuple(_slice(Reader(chunk.data, name)) for chunk in chunks if chunk.kind == SLICE)


def _slice(reader: Reader) -> Slice:
    count, flags = reader.take("II4x")
    label, keys = reader.text(), []
    if count > MAX_KEYS:
        raise UnreadableImage(f"{reader.name} has a slice with more than {MAX_KEYS} places.")
    for _ in range(count):
        frame, *box = reader.take("IiiII")
        if flags & _HAS_CENTER:
            reader.take("iiII")
        pivot = reader.take("ii") if flags & _HAS_PIVOT else None
        keys.append(Key(frame, (box[0], box[1], box[2], box[3]), (pivot[0], pivot[1]) if pivot else None))
    return Slice(label, tuple(keys))


def slice_chunks(slices: Sequence[Slice]) -> tuple[Chunk, ...]:
    """Each slice, and its colour behind it. Either all keys of a slice have a pivot, or none counts."""
    chunks = []
    for one in slices:
        pivots = all(key.pivot is not None for key in one.keys)
        body = [struct.pack("<III", len(one.keys), _HAS_PIVOT if pivots else 0, 0), text(one.name)]
        for key in one.keys:
            body.append(struct.pack("<IiiII", key.frame, *key.box))
            if pivots and key.pivot:
                body.append(struct.pack("<ii", *key.pivot))
        chunks += [Chunk(SLICE, b"".join(body)), _user_data("", _SLICE_COLOR)]
    return tuple(chunks)


def read_note(chunks: Sequence[Chunk], name: str) -> str:
    """The text of the sprite itself: user data that follows the palette in the first frame."""
    for before, chunk in pairwise(chunks):
        if chunk.kind == USER_DATA and before.kind in (PALETTE, OLD_PALETTE, OLDER_PALETTE):
            reader = Reader(chunk.data, name)
            return reader.text() if reader.number("I") & _HAS_TEXT else ""
    return ""


def note_chunks(note: str) -> tuple[Chunk, ...]:
    """The text of the sprite itself; goes behind the palette."""
    return (_user_data(note, None),) if note else ()


def _user_data(note: str, color: RGBA | None) -> Chunk:
    flags = (_HAS_TEXT if note else 0) | (_HAS_COLOR if color else 0)
    return Chunk(USER_DATA, struct.pack("<I", flags) + (text(note) if note else b"") + bytes(color or ()))
