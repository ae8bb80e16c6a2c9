"""Requests and pictures that these tests share."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from pixelrouter.types import GenerationRequest


def request(prompt: str = "a red potion", size: tuple[int, int] = (16, 16), **rest: Any) -> GenerationRequest:
    return GenerationRequest.model_validate({"prompt": prompt, "width": size[0], "height": size[1], "seed": 7, **rest})


def png(size: tuple[int, int] = (16, 16), color: tuple[int, ...] = (200, 40, 40, 255)) -> bytes:
    """A sprite: a square of one colour on transparent ground."""
    image = Image.new("RGBA", size)
    image.paste(color, (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
