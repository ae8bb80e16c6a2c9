"""Small sprites for a simulator to deliver: drawn from a seed, native pixels, quick to make."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (height, width, 3 or 4)


@dataclass(frozen=True)
class Output:
    """One finished file: its bytes, its media type, its extension."""

    data: bytes
    media_type: str
    extension: str


def sprite(identity: str, width: int, height: int) -> tuple[Pixels, NDArray[np.bool_]]:
    """A mirrored creature on a plain ground. Returns RGB (height, width, 3) and the mask of what is creature.

    The same ``identity`` gives the same picture; any other gives another. At most 7 colours.
    """
    rng = np.random.default_rng(np.frombuffer(hashlib.sha256(identity.encode()).digest(), dtype=np.uint32))
    half = (width + 1) // 2
    y, x = np.mgrid[0:height, 0:half]
    # Distance from the middle, 0 in the centre, 1 at the rim; waves along the angle make each outline its own.
    dx, dy = (x - (width - 1) / 2) / (width * 0.42), (y - (height - 1) / 2) / (height * 0.42)
    angle = np.arctan2(dy, dx)
    waves = sum(rng.uniform(0.03, 0.12) * np.cos(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 5))
    left = np.hypot(dx, dy) + waves < 0.85
    shade = np.clip((3 * (0.9 - np.hypot(dx + 0.2, dy + 0.35)) + rng.uniform(-0.2, 0.2)), 0, 3).astype(np.intp)
    mask = np.concatenate([left, left[:, : width // 2][:, ::-1]], axis=1)
    tone = np.concatenate([shade, shade[:, : width // 2][:, ::-1]], axis=1)
    ramp = np.linspace(0.45, 1.0, 4)[:, None] * rng.integers(90, 255, 3)
    ground, line = rng.integers(180, 230, 3), rng.integers(10, 40, 3)
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    pixels = np.where(mask[..., None], ramp[tone], ground)
    pixels[mask & ~inside] = line
    return pixels.astype(np.uint8), mask


def snap(pixels: Pixels, palette: Pixels) -> Pixels:
    """Every pixel (h, w, 3) as the nearest colour of ``palette`` (n, 3), by distance in RGB."""
    flat = pixels.reshape(-1, 3)
    colours, inverse = np.unique(flat, axis=0, return_inverse=True)
    distance = ((colours[:, None].astype(np.int32) - palette[None].astype(np.int32)) ** 2).sum(axis=2)
    snapped: Pixels = palette[distance.argmin(axis=1)][inverse.reshape(-1)].reshape(pixels.shape)
    return snapped


def colours(image: Image.Image) -> Pixels:
    """The distinct colours of a palette image, (n, 3)."""
    found: Pixels = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)
    return found


def unquantised(pixels: Pixels) -> Pixels:
    """The picture as it was before its palette: a light ramp over it, so that it has many colours."""
    ramp = np.linspace(-8, 8, pixels.shape[1])[None, :, None]
    return np.clip(pixels + ramp, 0, 255).astype(np.uint8)


def with_alpha(pixels: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """RGBA: clear outside the mask."""
    alpha = np.where(mask, 255, 0).astype(np.uint8)
    return np.dstack([pixels, alpha])


def png(pixels: Pixels, factor: int = 1) -> Output:
    """A PNG, enlarged ``factor`` times by repeating pixels."""
    return Output(_saved(Image.fromarray(enlarged(pixels, factor)), "PNG"), "image/png", "png")


def gif(frames: list[Pixels], factor: int, frame_ms: int) -> Output:
    """A GIF that loops for ever, with a clear ground; ``frames`` are RGBA."""
    pictures = [Image.fromarray(enlarged(frame, factor)) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=frame_ms, loop=0, disposal=2, optimize=False
    )
    return Output(buffer.getvalue(), "image/gif", "gif")


def sheet(frames: list[Pixels], columns: int, rows: int, *, hollow: bool = False) -> Pixels:
    """The frames side by side, row by row, on a clear sheet. ``hollow`` leaves the middle cell empty."""
    height, width = frames[0].shape[:2]
    whole = np.zeros((rows * height, columns * width, 4), np.uint8)
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    if hollow:
        cells.remove((rows // 2, columns // 2))
    for (row, column), frame in zip(cells, frames, strict=False):
        whole[row * height : (row + 1) * height, column * width : (column + 1) * width] = frame
    return whole


def moved(pixels: Pixels, step: int) -> Pixels:
    """The picture shifted down by 0 or 1 pixels, as a walking sprite bobs; ``step`` is the frame's number."""
    return np.roll(pixels, step % 2, axis=0)


def enlarged(pixels: Pixels, factor: int) -> Pixels:
    """Each pixel repeated ``factor`` times along both axes."""
    return pixels if factor == 1 else pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _saved(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, compress_level=1)
    return buffer.getvalue()
