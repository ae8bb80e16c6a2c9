"""Images that a caller hands in: bytes, a file, or a Pillow image; always sent on as encoded bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import decode
from pixelrouter.types import ON_AN_IMAGE, Task

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_SPRITE = 256  # pixels a side; no vendor turns or animates larger ones
ImageLike: TypeAlias = Union[bytes, str, Path, "Image"]


def encoded(image: ImageLike) -> bytes:
    """The image's bytes; a Pillow image becomes a PNG. Raises InvalidRequest for a file that cannot be read."""
    if isinstance(image, bytes):
        return image
    if isinstance(image, str | Path):
        try:
            return Path(image).read_bytes()
        except OSError as error:
            raise InvalidRequest(f"The image {image} cannot be read: {error.strerror}.") from error
    if not hasattr(image, "save"):
        raise InvalidRequest(f"{type(image).__name__} is no image.", hint="Give bytes, a path or a Pillow image.")
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def blank(size: tuple[int, int]) -> bytes:
    """A clear PNG of that size in pixels: it stands for a picture that is still to be drawn."""
    from PIL.Image import new

    return encoded(new("RGBA", size))


def kept_size(task: Task, image: bytes) -> tuple[int, int] | None:
    """The size that a picture keeps unless the caller asks for another: its own, in pixels; None where it keeps none.

    A picture that is worked on keeps its size; so does the subject of views and animations, where it is a sprite and
    not a photograph. Raises UnreadableImage.
    """
    if task not in (*ON_AN_IMAGE, "views", "animation"):
        return None
    size = decode(image).image.size
    return size if task in ON_AN_IMAGE or max(size) <= LARGEST_SPRITE else None
