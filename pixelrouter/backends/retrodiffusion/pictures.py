"""Encodes images as Retro Diffusion wants them: base64 of a PNG, RGB for generations, a mask's white as its alpha.

A PNG that is as the vendor wants it goes out byte for byte: another release of the image library may compress
otherwise, and then the same attempt would no longer be the same request.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from pixelrouter.errors import InvalidRequest, UnreadableImage

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 4096 * 4096
WHITE_FROM = 128  # a mask's grey of at least this counts as white


def encode(data: bytes) -> str:
    """Raw base64, without a ``data:`` prefix, as the API wants it."""
    return base64.b64encode(data).decode("ascii")


def decode(data: bytes, name: str, size: tuple[int, int] | None = None, *, still: bool = False) -> Image.Image:
    """The image in RGBA. ``size`` (pixels): what it must measure; ``still``: an animation is refused.

    Raises UnreadableImage, or InvalidRequest for another size or an animation.
    """
    from PIL import Image  # heavy, and most requests have no image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage(f"{name} is {image.width}x{image.height} pixels: too large to send.")
            if size is not None and image.size != size:
                raise InvalidRequest(
                    f"{name} is {image.width}x{image.height}, but the request asks for {size[0]}x{size[1]}.",
                    hint="It is worked on as it is: ask for its own size.",
                )
            if still and getattr(image, "n_frames", 1) > 1:
                raise InvalidRequest(f"{name} is an animation.", hint="Give a single frame.")
            return image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise UnreadableImage(f"{name} is not an image that can be read.", hint="Give a PNG, GIF or WebP.") from None


def flatten(data: bytes, name: str, size: tuple[int, int] | None = None) -> str:
    """An image as base64 of a PNG in RGB: generations take no alpha, so what is transparent becomes white.

    ``size`` (pixels): what the image must measure. Raises UnreadableImage, or InvalidRequest for another size.
    """
    from PIL import Image

    rgba = decode(data, name, size)
    if _is_png(data, "RGB"):
        return encode(data)
    ground = Image.new("RGBA", rgba.size, "white")
    ground.alpha_composite(rgba)
    return _png(ground.convert("RGB"))


def as_png(data: bytes, name: str, size: tuple[int, int] | None = None) -> str:
    """A still image as base64 of a PNG, with its alpha where it has any. Raises as :func:`decode`."""
    rgba = decode(data, name, size, still=True)
    if _is_png(data, "RGB", "RGBA"):
        return encode(data)
    return _png(rgba if rgba.getchannel("A").getextrema() != (255, 255) else rgba.convert("RGB"))


def as_mask(data: bytes, size: tuple[int, int]) -> str:
    """A mask (white where the image is to be drawn anew) as base64 of a PNG in RGBA, opaque there and clear elsewhere.

    Of a mask in colour the vendor reads the alpha only: an opaque black and white one would give the whole image away.
    Clear pixels of ``data`` count as black. Raises as :func:`decode`, and InvalidRequest for a mask without any white.
    """
    from PIL import Image

    given = decode(data, "The mask", size, still=True)
    black = Image.new("RGBA", given.size, "black")
    black.alpha_composite(given)
    white = black.convert("L").point([255 if grey >= WHITE_FROM else 0 for grey in range(256)])
    if white.getbbox() is None:
        raise InvalidRequest("The mask has no white in it.", hint="Paint white what is to be drawn anew.")
    if _is_png(data, "L") and not any(given.getchannel("R").histogram()[1:255]):
        return encode(data)  # pure black and white in one channel is the other form that the vendor takes
    mask = Image.new("RGBA", given.size, (0, 0, 0, 0))
    mask.paste((255, 255, 255, 255), mask=white)
    return _png(mask)


def _is_png(data: bytes, *modes: str) -> bool:
    """Whether readable ``data`` is a still PNG in one of these modes, without a colour that stands for clear."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        still = getattr(image, "n_frames", 1) == 1
        return image.format == "PNG" and still and image.mode in modes and "transparency" not in image.info


def _png(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, format="PNG")
    return encode(out.getvalue())
