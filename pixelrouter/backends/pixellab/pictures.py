"""Images on their way to PixelLab: read to learn their size, sent as base64 of a PNG without a ``data:`` prefix."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

from pixelrouter.errors import InvalidRequest, UnreadableImage

MAX_PIXELS = 4096 * 4096
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """One image as PNG bytes, and its size in pixels."""

    data: bytes
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` in pixels."""
        return (self.width, self.height)

    @property
    def wire(self) -> dict[str, str]:
        """The vendor's ``Base64Image``."""
        return {"type": "base64", "base64": base64.b64encode(self.data).decode("ascii"), "format": "png"}

    @property
    def wire_size(self) -> dict[str, int]:
        """The vendor's ``ImageSize``."""
        return {"width": self.width, "height": self.height}


def read(data: bytes, name: str) -> Picture:
    """The image behind ``data``. A PNG stays as it is; anything else becomes an RGBA PNG. Raises UnreadableImage."""
    from PIL import Image  # heavy, and most requests have no image

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadableImage(f"{name} is {width}x{height} pixels: too large to send.")
            if data.startswith(_PNG):
                image.load()
                return Picture(bytes(data), width, height)
            out = io.BytesIO()
            image.convert("RGBA").save(out, format="PNG")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise UnreadableImage(f"{name} is not an image that can be read.", hint="Give a PNG, GIF or WebP.") from None
    return Picture(out.getvalue(), width, height)


@cache
def blank(size: tuple[int, int]) -> bytes:
    """A clear PNG of that size in pixels: it stands for a picture that is still to be drawn."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGBA", size).save(out, format="PNG")
    return out.getvalue()


def from_option(name: str, value: object) -> Picture:
    """The image an option holds: bytes, base64 text with or without a ``data:`` prefix, or the vendor's own object."""
    if isinstance(value, bytes | bytearray):
        return read(bytes(value), name)
    text: Any = value.get("base64") if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise InvalidRequest(f"{name} must be bytes or base64 text, not {type(value).__name__}.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return read(base64.b64decode("".join(text.split()), validate=True), name)
    except (binascii.Error, ValueError) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest(f"{name} is not base64.", hint="Give the file's bytes.") from None
