"""Images that were given: decoded to RGBA arrays, and to numbered colours for what works on those."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from pixelrouter.backends.procedural.rng import Ints
from pixelrouter.errors import InvalidRequest, UnreadableImage

Bytes = npt.NDArray[np.uint8]
MAX_PIXELS = 2048 * 2048


def decode(data: bytes, name: str, size: tuple[int, int] | None = None) -> Bytes:
    """RGBA (height, width, 4). Raises UnreadableImage, or InvalidRequest for an animation or another ``size``."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage(f"{name} is {image.width}x{image.height} pixels: too large.")
            if getattr(image, "n_frames", 1) > 1:
                raise InvalidRequest(f"{name} is an animation.", hint="Give a single frame.")
            if size is not None and image.size != size:
                raise InvalidRequest(
                    f"{name} is {image.width}x{image.height}, but the request asks for {size[0]}x{size[1]}.",
                    hint="It is worked on as it is: ask for its own size.",
                )
            return np.array(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise UnreadableImage(f"{name} is not an image that can be read.", hint="Give a PNG, GIF or WebP.") from None


def numbered(rgba: Bytes) -> tuple[Ints, Bytes]:
    """Colour numbers (height, width), 0 where the alpha is 0, and the table (n, 4) of what each stands for."""
    clean = rgba.copy()
    clean[clean[..., 3] == 0] = 0
    table, numbers = np.unique(clean.reshape(-1, 4), axis=0, return_inverse=True)
    shift = 0 if table[0, 3] == 0 and not table[0].any() else 1
    if shift:
        table = np.concatenate([np.zeros((1, 4), np.uint8), table])
    return np.asarray(numbers.reshape(rgba.shape[:2]) + shift, dtype=np.int64), table
