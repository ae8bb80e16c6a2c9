"""Images that a caller hands in: bytes, a file, or a Pillow image; always sent on as encoded bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import decode

if TYPE_CHECKING:
    from PIL.Image import Image

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


def own_size(image: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises UnreadableImage."""
    return decode(image).image.size
