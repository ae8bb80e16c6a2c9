"""Writing ``.aseprite`` files: indexed, one layer, frames that repeat linked to the first of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

from pixelrouter.errors import InvalidRequest
from pixelrouter.formats.aseprite import (
    CEL,
    COMPRESSED_CEL,
    LAYER,
    LINKED_CEL,
    Chunk,
    Color,
    Frame,
    Header,
    color_profile,
    dump,
    palette_chunks,
    text,
)
from pixelrouter.formats.aseprite_marks import Slice, Tag, note_chunks, slice_chunks, tag_chunks
from pixelrouter.formats.tables import Bytes

_VISIBLE, _EDITABLE, _BACKGROUND, _LINKS = 1, 2, 8, 16
_BLOCK = 0xFFFF  # bytes of a stored deflate block


def write_aseprite(
    frames: Sequence[Bytes],
    palette: Sequence[Color],
    durations: Sequence[int],
    *,
    transparent: int | None = 0,
    layer: str = "Layer 1",
    tags: Sequence[Tag] = (),
    slices: Sequence[Slice] = (),
    grid: tuple[int, int] | None = None,
    note: str = "",
) -> bytes:
    """Frames ``(h, w)`` of indices into ``palette`` as a file; ``durations`` in milliseconds, one a frame.

    ``transparent``: the index that is clear; None makes the layer a background, in which every colour is seen.
    ``grid``: width and height of a cell. ``note`` is kept as the sprite's own text. The same arguments give the same
    bytes on every machine. Raises InvalidRequest for frames of several sizes, indices outside the palette, and more
    than the format can hold.
    """
    if not frames or len({frame.shape for frame in frames}) > 1 or len(durations) != len(frames):
        raise InvalidRequest(
            f"{len(frames)} frames and {len(durations)} durations make no sprite.",
            hint="Frames of one size, and a duration for each.",
        )
    if len(palette) > 256 or max(int(frame.max()) for frame in frames) >= len(palette):
        raise InvalidRequest(f"The frames do not fit a palette of {len(palette)} colours.", hint="256 are the most.")
    height, width = frames[0].shape
    header = Header(
        width,
        height,
        speed=durations[0],
        transparent=transparent or 0,
        colors=len(palette),
        grid=(0, 0, *grid) if grid else (0, 0, 0, 0),
    )
    first = [color_profile(), *palette_chunks(palette), *note_chunks(note), _layer(layer, transparent is None)]
    first += [*tag_chunks(tags), *slice_chunks(slices)]
    seen: dict[bytes, int] = {}
    made = []
    for at, (frame, duration) in enumerate(zip(frames, durations, strict=True)):
        linked = seen.setdefault(frame.tobytes(), at)
        cel = _cel(frame, transparent) if linked == at else _link(frame, transparent, linked)
        made.append(Frame(duration, (*(first if at == 0 else ()), *cel)))
    return dump(header, made)


def _layer(name: str, background: bool) -> Chunk:
    flags = _VISIBLE | _EDITABLE | _LINKS | (_BACKGROUND if background else 0)
    return Chunk(LAYER, struct.pack("<HHHHHHB3x", flags, 0, 0, 0, 0, 0, 255) + text(name))


def _box(frame: Bytes, transparent: int | None) -> tuple[int, int, int, int] | None:
    """``(left, top, right, bottom)`` of what is seen, as Aseprite cuts its cels; None where nothing is."""
    if transparent is None:
        return 0, 0, frame.shape[1], frame.shape[0]
    seen = frame != transparent
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


def _cel(frame: Bytes, transparent: int | None) -> tuple[Chunk, ...]:
    box = _box(frame, transparent)
    if box is None:
        return ()
    left, top, right, bottom = box
    pixels = np.ascontiguousarray(frame[top:bottom, left:right]).tobytes()
    head = struct.pack("<HhhBHh5xHH", 0, left, top, 255, COMPRESSED_CEL, 0, right - left, bottom - top)
    return (Chunk(CEL, head + _zlib(pixels)),)


def _link(frame: Bytes, transparent: int | None, to: int) -> tuple[Chunk, ...]:
    box = _box(frame, transparent)
    if box is None:
        return ()
    return (Chunk(CEL, struct.pack("<HhhBHh5xH", 0, box[0], box[1], 255, LINKED_CEL, 0, to)),)


def _zlib(data: bytes) -> bytes:
    """A zlib stream in which nothing is squeezed: compressors differ between machines, this does not."""
    blocks = [b"\x78\x01"]
    for at in range(0, len(data), _BLOCK):
        part = data[at : at + _BLOCK]
        last = at + _BLOCK >= len(data)
        blocks.append(struct.pack("<BHH", last, len(part), len(part) ^ 0xFFFF) + part)
    return b"".join(blocks) + struct.pack(">I", zlib.adler32(data))
