"""What the simulated models draw: enlarged-pixel sprites, the 2x2 sheet on red, clean-ups and cut-outs."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.images import Output, Pixels

RED = (255, 0, 0)  # the spritesheet LoRA's solid background
_NOISE_ROWS = 8  # the noise repeats after so many rows: still noise to a reader, and quick to compress


def sprite(identity: str, width: int, height: int, native: int, noise: int) -> Pixels:
    """One object on a plain ground, (height, width, 3): ``native`` art pixels along the shorter side, enlarged."""
    low, high = _native(width, height, native)
    pixels, _ = images.sprite(identity, low, high)
    return noisy(stretched(pixels, width, height), identity, noise)


def sheet(identity: str, width: int, height: int, native: int, noise: int) -> Pixels:
    """Four views of one object on solid red, (height, width, 3), as the LoRA lays them out.

    Top-left faces down-right, top-right down-left, bottom-left is the left side, bottom-right is from above. The
    simulated object turns a light mark to where it faces.
    """
    whole = np.empty((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    cells = ((0, 0, left, top), (left, 0, width, top), (0, top, left, height), (left, top, width, height))
    for view, (x0, y0, x1, y1) in enumerate(cells):
        whole[y0:y1, x0:x1] = stretched(_view(identity, view, *_native(x1 - x0, y1 - y0, native)), x1 - x0, y1 - y0)
    return noisy(whole, identity, noise)


def _native(width: int, height: int, native: int) -> tuple[int, int]:
    shorter = min(width, height)
    short = min(native, shorter)
    return max(1, round(width * short / shorter)), max(1, round(height * short / shorter))


def _view(identity: str, view: int, width: int, height: int) -> Pixels:
    pixels, mask = images.sprite(identity, width, height)
    if pixels[mask][:, 0].mean() > pixels[mask][:, 2].mean():
        pixels = pixels[..., ::-1].copy()  # a red object would vanish in front of red
    # The mark: a light square towards the lower right, lower left, left, top.
    dx, dy = ((1, 1), (-1, 1), (-1, 0), (0, -1))[view]
    x, y, reach = width // 2 + dx * width // 6, height // 2 + dy * height // 6, max(1, min(width, height) // 16)
    mark = np.zeros_like(mask)
    mark[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach] = True
    pixels[mark & mask] = (250, 250, 235)
    ground = np.full_like(pixels, RED)
    if view == 2:  # from the side it is narrower
        columns = (np.arange(width) - width // 2) * 5 // 3 + width // 2
        inside = (columns >= 0) & (columns < width)
        pixels, mask = pixels[:, columns.clip(0, width - 1)], mask[:, columns.clip(0, width - 1)] & inside
    ground[mask] = pixels[mask]
    return ground


def stretched(pixels: Pixels, width: int, height: int) -> Pixels:
    """Enlarged to exactly (height, width) by repeating pixels; blocks differ by one where the factor is not whole."""
    rows = np.arange(height) * pixels.shape[0] // height
    columns = np.arange(width) * pixels.shape[1] // width
    grown: Pixels = pixels[rows[:, None], columns[None]]
    return grown


def noisy(pixels: Pixels, identity: str, amount: int) -> Pixels:
    """With up to ``amount`` levels of noise in each channel, the same for the same identity."""
    if not amount:
        return pixels
    rng = np.random.default_rng(len(identity) * 2654435761 + sum(identity.encode()))
    tile = rng.integers(-amount, amount + 1, (_NOISE_ROWS, pixels.shape[1], 3), dtype=np.int16)
    noise = np.tile(tile, (-(-pixels.shape[0] // _NOISE_ROWS), 1, 1))[: pixels.shape[0]]
    grainy: Pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return grainy


def encoded(pixels: Pixels, form: str, *, jpeg_like: bool = False) -> Output:
    """The picture as a file. ``jpeg_like`` sends it through JPEG first, whose blocks a PNG then keeps."""
    image = Image.fromarray(pixels)
    if jpeg_like:
        rough = io.BytesIO()
        image.convert("RGB").save(rough, "JPEG", quality=80)
        image = Image.open(rough)
    if form == "jpeg":
        image = image.convert("RGB")
    buffer = io.BytesIO()
    options: dict[str, Any] = {"png": {"compress_level": 1}, "webp": {"lossless": True, "method": 0}}.get(form, {})
    image.save(buffer, form.upper(), **options)
    return Output(buffer.getvalue(), f"image/{form}", form)


def cut_out(image: Image.Image) -> tuple[Pixels, Pixels]:
    """The picture without its ground as RGBA, and the mask (h, w): everything unlike the corners' colour is kept."""
    pixels = np.asarray(image.convert("RGBA"))
    kept = _unlike_corners(pixels, 48) & (pixels[..., 3] > 0)
    mask: Pixels = np.where(kept, 255, 0).astype(np.uint8)
    return np.dstack([pixels[..., :3], mask]), mask


def _unlike_corners(pixels: Pixels, tolerance: int) -> NDArray[np.bool_]:
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3].astype(np.int16)
    distance = np.abs(pixels[..., :3].astype(np.int16) - np.median(corners, axis=0)).max(axis=-1)
    unlike: NDArray[np.bool_] = distance > tolerance
    return unlike


def pixelated(image: Image.Image, order: dict[str, Any], native: int) -> tuple[Pixels, int, list[str]]:
    """image2pixel: RGBA at pixel size, the factor back to the picture's size, and the palette as hex.

    ``scale`` is the size of one art pixel; without it, the one that gives ``native`` pixels along the shorter side.
    """
    scale = min(order["scale"] or max(1, min(image.size) // native), *image.size)
    source = np.asarray(image.convert("RGBA"))
    small: Pixels = source[scale // 2 :: scale, scale // 2 :: scale].copy()
    kept = small[..., 3] >= order["alpha_threshold"]
    if order["transparent_background"]:
        kept &= _unlike_corners(small, max(order["background_tolerance"], 8))
    if order["fixed_palette"]:
        palette = np.array([_rgb(text) for text in order["fixed_palette"]], np.uint8)
    else:
        # Of the pixels that stay only, and by coverage: a thin outline keeps its colour.
        seen = small[kept][None, :, :3] if kept.any() else small[..., :3]
        reduced = Image.fromarray(np.ascontiguousarray(seen))
        palette = images.colours(reduced.quantize(order["max_colors"] or 256, Image.Quantize.MAXCOVERAGE))
    small[..., :3] = images.snap(small[..., :3], palette)
    small[..., 3] = np.where(kept, 255, 0)
    used = np.unique(small[kept][:, :3], axis=0)
    return small, scale, [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in used.tolist()]


def _rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text.removeprefix("#")))
