"""The pictures that the simulated vendor makes: RGBA arrays, equal for equal endpoint, body and seed.

What comes in is used where the real model would keep it: a resized picture is the given one, an inpainted one keeps
what the mask leaves black. Everything else is a small sprite drawn from the order's identity.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.images import Pixels
from pixelrouter.testing.simulator.pixellab.fields import Base64Image, Joint, Size
from pixelrouter.testing.simulator.pixellab.problems import Refused

_MOST_COLOURS = 256  # of a colour picture that a result is snapped to; more would only be slow


def opened(image: Base64Image) -> Image.Image:
    """The picture in a request as RGBA. Raises Refused(500) where it cannot be read, as the vendor does."""
    text = image.base64.partition(",")[2] if image.base64.startswith("data:") else image.base64
    try:
        return Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")
    except (binascii.Error, UnidentifiedImageError, OSError, Image.DecompressionBombError):
        raise Refused(500, "cannot identify image file") from None


def array(image: Image.Image) -> Pixels:
    found: Pixels = np.array(image, dtype=np.uint8)
    return found


def sprite(identity: str, width: int, height: int, *, clear: bool) -> Pixels:
    """A creature, RGBA (height, width, 4), on a clear or an opaque ground."""
    pixels, mask = images.sprite(identity, width, height)
    return images.with_alpha(pixels, mask if clear else np.ones_like(mask))


def in_colours_of(pixels: Pixels, palette: Base64Image | None) -> Pixels:
    """The picture with only the colours of ``palette``, where one is given."""
    if palette is None:
        return pixels
    colours = images.colours(opened(palette))[:_MOST_COLOURS]
    return np.dstack([images.snap(np.ascontiguousarray(pixels[..., :3]), colours), pixels[..., 3]])


def resized(image: Base64Image, width: int, height: int) -> Pixels:
    """The given picture at another size, each pixel the nearest one's."""
    return scaled(array(opened(image)), width, height)


def without_background(image: Base64Image, size: Size) -> Pixels:
    """The given picture, clear wherever it has the colour of its first pixel."""
    pixels = resized(image, size.width, size.height)
    ground = (pixels == pixels[0, 0]).all(axis=2)
    pixels[ground] = 0
    return pixels


def inpainted(given: Base64Image, mask: Base64Image, fresh: Pixels) -> Pixels:
    """``fresh`` where the mask is white, the given picture elsewhere."""
    height, width = fresh.shape[:2]
    white = resized(mask, width, height)[..., :3].mean(axis=2) >= 128
    return np.where(white[..., None], fresh, resized(given, width, height)).astype(np.uint8)


def scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture at another size, each pixel the nearest one's."""
    return array(Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST))


def bobbing(pixels: Pixels, frames: int) -> list[Pixels]:
    """The picture as an animation of that many frames, each a little different."""
    return [np.roll(pixels, (step % 2, step // 2 % 2), axis=(0, 1)) for step in range(frames)]


def padded(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture in the middle of a clear canvas of ``width`` by ``height``, which is not smaller."""
    more_x, more_y = width - pixels.shape[1], height - pixels.shape[0]
    sides = ((more_y // 2, more_y - more_y // 2), (more_x // 2, more_x - more_x // 2), (0, 0))
    whole: Pixels = np.pad(pixels, sides)
    return whole


def tile(identity: str, size: tuple[int, int], corners: tuple[str, ...]) -> Pixels:
    """An opaque Wang tile (width, height): each quarter in the colour of its corner (NW, NE, SW, SE)."""
    width, height = size
    pixels = np.full((height, width, 4), 255, np.uint8)
    rows, columns = (slice(0, height // 2), slice(height // 2, None)), (slice(0, width // 2), slice(width // 2, None))
    quarters = [(row, column) for row in rows for column in columns]
    for (row, column), corner in zip(quarters, corners, strict=True):
        pixels[row, column] = _terrain(f"{identity}:{corner}", width, height)[row, column]
    return pixels


def _terrain(identity: str, width: int, height: int) -> Pixels:
    """The sprite's ramp as ground: two colours in a pattern, the same in every tile, so that tiles join."""
    picture = sprite(identity, 16, 16, clear=False)
    light, dark = picture[0, 0], picture[8, 8]
    y, x = np.mgrid[0:height, 0:width]
    dots: NDArray[np.bool_] = (x * 7 + y * 5) % 11 == 0
    ground: Pixels = np.where(dots[..., None], dark, light).astype(np.uint8)
    return ground


def skeleton(image: Base64Image) -> list[dict[str, Any]]:
    """Eighteen joints inside the box of what is visible, in parts of the picture's sides."""
    picture = opened(image)
    left, top, right, bottom = picture.getchannel("A").getbbox() or (0, 0, *picture.size)
    joints = get_args(Joint)
    return [
        {
            "x": round((left + (right - left) * (0.3 if "RIGHT" in label else 0.7)) / picture.width, 4),
            "y": round((top + (bottom - top) * (number + 0.5) / len(joints)) / picture.height, 4),
            "label": label,
            "z_index": 0.0,
        }
        for number, label in enumerate(joints)
    ]
