"""Pictures of anything: every mode of Pillow, every kind of content, drawn from a seed."""

import io

import numpy as np
from PIL import Image

MODES = sorted(Image.MODES)
KINDS = ("noise", "few", "flat", "clear", "veiled", "gradient", "enlarged", "smoothed", "figure", "lines")
FILES = ("PNG", "GIF", "WEBP", "JPEG")
_PATHS = {"La": "LA", "RGBa": "RGBA", "PA": "LA"}  # modes that Pillow reaches from one other only


def drawn(kind: str, width: int, height: int, seed: int) -> np.ndarray:
    """The ``(height, width, 4)`` bytes of a picture of a kind."""
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if kind == "flat":
        return np.full((height, width, 4), [*rng.integers(0, 256, 3), 255], dtype=np.uint8)
    if kind == "gradient":
        y, x = np.mgrid[:height, :width] / max(width, height)
        slopes = rng.uniform(-255, 255, (2, 3))
        rgb = 128 + (x[..., None] - 0.5) * slopes[0] + (y[..., None] - 0.5) * slopes[1]
        return np.dstack([rgb.clip(0, 255), np.full((height, width), 255)]).astype(np.uint8)
    if kind in ("enlarged", "smoothed"):
        small = (max(1, width // int(rng.integers(1, 12))), max(1, height // int(rng.integers(1, 12))))
        how = Image.Resampling.NEAREST if kind == "enlarged" else Image.Resampling.BICUBIC
        return np.asarray(Image.fromarray(_few(rng, *small)).resize((width, height), how)).copy()
    out = _few(rng, width, height)
    if kind == "clear":
        out[..., 3] = 0
    elif kind == "veiled":
        out[..., 3] = rng.integers(0, 256, (height, width))
    elif kind == "figure":
        y, x = np.mgrid[:height, :width]
        ring = np.hypot((x - width / 2) / width, (y - height / 2) / height)
        out[(ring > 0.4) | (ring < 0.1)] = [*rng.integers(0, 256, 3), 255]
    elif kind == "lines":
        out[:] = out[:1] if rng.integers(2) else out[:, :1]
    return out


def _few(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    colors = rng.integers(0, 256, (int(rng.integers(1, 9)), 4), dtype=np.uint8)
    colors[:, 3] = np.where(colors[:, 3] < 100, 0, 255)
    return colors[rng.integers(0, len(colors), (height, width))]


def in_mode(rgba: np.ndarray, mode: str, seed: int = 0) -> Image.Image:
    """The picture ``(h, w, 4)`` in a mode of Pillow; the modes of numbers hold numbers out of range as well."""
    size = (rgba.shape[1], rgba.shape[0])
    image = Image.fromarray(rgba)
    gray = rgba[..., 0].astype(np.int64)
    if mode.startswith("I;16"):
        order = ">" if mode.endswith("B") else "<"
        return Image.frombytes(mode, size, (gray * 257).astype(f"{order}u2").tobytes())
    if mode == "I":
        return Image.fromarray((gray * (1, 257, -(2**22))[seed % 3]).astype(np.int32))
    if mode == "F":
        values = (gray * (1, 1 / 255, 1e30)[seed % 3]).astype(np.float32)
        values.flat[:: 7 + seed % 50] = (np.nan, np.inf, -np.inf, -1.0)[seed % 4]
        return Image.fromarray(values)
    if mode == "LAB":
        return Image.merge(mode, image.convert("RGB").split())
    if mode in ("CMYK", "YCbCr", "HSV", "1", "P", "RGBX"):
        return image.convert("RGB").convert(mode)
    return image.convert(_PATHS.get(mode, mode)).convert(mode)


def in_file(rgba: np.ndarray, mode: str, kind: str, seed: int = 0) -> bytes:
    """A file of the picture ``(h, w, 4)``, in RGB where its format does not know the mode."""
    for image in (in_mode(rgba, mode, seed), in_mode(rgba, "RGB")):
        file = io.BytesIO()
        try:
            image.save(file, kind)
        except (OSError, ValueError):
            continue
        break
    return file.getvalue()
