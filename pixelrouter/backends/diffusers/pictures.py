"""Pictures on their way into a model and out of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pixelrouter.errors import UnreadableImage

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_AREA = 4096 * 4096
GROUND = (255, 255, 255)  # under transparent pixels; the pipelines read a fourth channel as noise of their own


def opened(data: bytes, which: str) -> Image:
    """An encoded picture as RGB, transparent pixels laid on white. Raises UnreadableImage."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_AREA:
            raise UnreadableImage(f"{which} is {image.width}x{image.height}, too large to work on.")
        rgba = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, UnreadableImage):
            raise
        raise UnreadableImage(f"{which} is not a readable picture ({type(error).__name__}).") from error
    ground = Image.new("RGBA", rgba.size, (*GROUND, 255))
    return Image.alpha_composite(ground, rgba).convert("RGB")


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """The picture in ``size``: enlarged without smoothing, so that its pixel grid stays; white where shapes differ."""
    from PIL import Image as Pillow

    scale = min(size[0] / image.width, size[1] / image.height)
    if scale >= 1 and scale > int(scale) and int(scale) * image.width >= 0.75 * size[0]:
        scale = int(scale)  # whole pixels, and a small rim
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    how = Pillow.Resampling.NEAREST if scale >= 1 else Pillow.Resampling.LANCZOS
    inner = image if (width, height) == image.size else image.resize((width, height), how)
    if inner.size == size:
        return inner
    canvas = Pillow.new("RGB", size, GROUND)
    canvas.paste(inner, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def at_least(image: Image, side: int) -> Image:
    """The picture, enlarged by a whole factor until no side is below ``side``."""
    factor = -(-side // min(image.size))
    return image if factor <= 1 else image.resize((image.width * factor, image.height * factor), 0)


def encoded(image: Image) -> bytes:
    """A PNG."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="PNG")
    return buffer.getvalue()


def is_black(image: Image) -> bool:
    """True if every pixel is black, which is what numbers that ran out of range decode to."""
    return all(high == 0 for _, high in image.convert("RGB").getextrema())  # type: ignore[misc]  # RGB gives pairs
