"""What a caller asks for, and the mark an attempt carries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pixelrouter.errors import InvalidRequest

Task = Literal["image", "edit", "inpaint", "views", "animation", "tileset", "remove_background"]
Views = Literal["2x2", "4", "8"]
Tiles = Literal["seamless", "wang"]

#: Tasks whose ``images[0]`` is the picture to work on; it has to be given.
ON_AN_IMAGE: frozenset[Task] = frozenset({"edit", "inpaint", "remove_background"})
#: Names of the views, in the order they are returned. South is the front, seen by whoever looks at the screen.
VIEW_NAMES: dict[Views, tuple[str, ...]] = {
    "2x2": ("front-right", "front-left", "left", "top"),
    "4": ("south", "east", "north", "west"),
    "8": ("south", "south-east", "east", "north-east", "north", "north-west", "west", "south-west"),
}

MAX_SIDE = 1024
_SIZE = re.compile(r"\s*(\d{1,6})\s*(?:[xX\u00d7,]\s*(\d{1,6})\s*)?")  # \u00d7 is the multiplication sign


def plain_text(value: str) -> str:
    """``value``, if a database and a vendor can take it. Raises ValueError for NUL and for halves of characters."""
    if "\x00" in value:
        raise ValueError("it cannot hold NUL characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a character (a lone surrogate), which is no text") from None
    return value


def parse_size(value: int | str | Sequence[int], *, most: int = MAX_SIDE) -> tuple[int, int]:
    """``(width, height)`` in native pixels from 32, "32", "32x48" or (32, 48). Raises InvalidRequest.

    ``most``: pixels a side; what is only finished may be larger than what is drawn.
    """
    pair: tuple[int, int] | None = None
    if isinstance(value, bool):
        pass
    elif isinstance(value, int):
        pair = (value, value)
    elif isinstance(value, str):
        if match := _SIZE.fullmatch(value):
            pair = (int(match[1]), int(match[2] or match[1]))
    elif isinstance(value, Sequence) and len(value) == 2 and all(type(side) is int for side in value):
        pair = (int(value[0]), int(value[1]))
    if pair is None:
        raise InvalidRequest(f"{value!r} is not a size.", hint="Write 32, 32x48 or (32, 48): pixels of the sprite.")
    if not all(1 <= side <= most for side in pair):
        raise InvalidRequest(
            f"Size {pair[0]}x{pair[1]} is outside 1..{most} pixels a side.",
            hint="Ask for the sprite's own pixels (16 to 256 is usual) and enlarge when saving: save(path, scale=8) or "
            "--scale 8.",
        )
    return pair


class GenerationRequest(BaseModel):
    """One wish, in the caller's words; ``width`` and ``height`` are the sprite's own pixels.

    ``colors`` and ``palette`` belong to finishing and never reach a vendor, so changing them costs nothing.
    ``seed`` None means that the router chooses one. ``transparent`` None keeps what the backend draws, True insists on
    a transparent background, False on an opaque one. ``images`` are encoded reference images; ``options`` are the
    vendor's own parameters, passed through under the vendor's names.

    ``task`` says what is wanted, and ``width`` and ``height`` are always those of one finished image, view, frame or
    tile. For ``edit``, ``inpaint`` and ``remove_background`` ``images[0]`` is the picture to work on; for ``views`` and
    ``animation`` it is the subject, where one is given. ``strength`` (edit): 0 keeps the picture, 1 is free of it.
    ``mask`` (inpaint): an encoded image of the same size, white where it is to be drawn anew. ``views``: "2x2" (two
    isometric fronts, the left side, the top), "4" or "8" directions of the compass. ``action``, ``frames``
    (animation): what is done, and in how many frames. ``tiles``: one "seamless" tile, or the 16 "wang" tiles of the
    border between the prompt's ground and ``upper``, the ground that lies on it; a tile is named by its corners,
    north-west, north-east, south-west, south-east: ``wang-0001`` has the upper ground in the south-east only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    width: int = Field(ge=1, le=MAX_SIDE)
    height: int = Field(ge=1, le=MAX_SIDE)
    n: int = Field(default=1, ge=1, le=64)
    task: Task = "image"
    model: str | None = None
    seed: int | None = Field(default=None, ge=0, le=2**32 - 1)
    transparent: bool | None = None
    colors: int | None = Field(default=None, ge=1, le=256)
    palette: tuple[str, ...] | None = None
    images: tuple[bytes, ...] = ()
    strength: float | None = Field(default=None, ge=0, le=1)
    mask: bytes | None = None
    views: Views | None = None
    action: str | None = None
    frames: int | None = Field(default=None, ge=1, le=64)
    tiles: Tiles | None = None
    upper: str | None = None
    options: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("prompt", "action", "upper", "model")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        return None if value is None else plain_text(value)

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` in pixels."""
        return (self.width, self.height)


@dataclass(frozen=True)
class Mark:
    """One attempt's fingerprint, made before anything is sent, by which a lost job can be recognised.

    ``id`` is unique to the attempt and serves as idempotency key where the vendor takes one; ``seed`` is the seed that
    is sent (the caller's, else the router's choice); ``at`` is when the attempt was made, in seconds since the epoch,
    0 where that is not known.
    """

    id: str
    seed: int
    at: float = 0.0
