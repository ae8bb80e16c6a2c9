"""Frames as indices into a table of colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes: TypeAlias = NDArray[np.uint8]

ENTRIES = 256  # of a colour table, the transparent one included


@dataclass(frozen=True)
class Indexed:
    """Frames ``(h, w)`` of indices into ``table`` ``(k, 3)``; ``clear``: index 0 is transparent."""

    frames: tuple[Bytes, ...]
    table: Bytes
    clear: bool


def is_hard(frames: Sequence[Bytes]) -> bool:
    """Whether alpha is 0 or 255 everywhere."""
    return all(bool(np.isin(frame[..., 3], (0, 255)).all()) for frame in frames)


def is_clear(frames: Sequence[Bytes]) -> bool:
    """Whether anything is transparent."""
    return any(bool((frame[..., 3] == 0).any()) for frame in frames)


def colors(frames: Sequence[Bytes]) -> NDArray[np.uint32]:
    """The visible colours of all frames as 0xrrggbb, ascending."""
    return np.unique(np.concatenate([_packed(frame)[frame[..., 3] > 0] for frame in frames]))


def indexed(frames: Sequence[Bytes]) -> Indexed | None:
    """The frames with one table, or None if they have too many colours for it, or partial alpha."""
    values, clear = colors(frames), is_clear(frames)
    if not is_hard(frames) or len(values) + clear > ENTRIES:
        return None
    table = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1).astype(np.uint8)
    if clear:
        table = np.concatenate([np.zeros((1, 3), dtype=np.uint8), table])
    indices = []
    for frame in frames:
        index = np.searchsorted(values, _packed(frame)) + clear
        indices.append(np.where(frame[..., 3] == 0, 0, index).astype(np.uint8))
    return Indexed(tuple(indices), table, clear)


def _packed(frame: Bytes) -> NDArray[np.uint32]:
    red, green, blue = (frame[..., at].astype(np.uint32) for at in range(3))
    return np.asarray(red << 16 | green << 8 | blue, dtype=np.uint32)


def compressed(image: Image.Image, format_: str, **options: object) -> bytes:
    """An image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()
