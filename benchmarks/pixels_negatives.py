"""Images without a pixel grid: photos and drawings of scikit-image, and what can be drawn by rule.

scikit-image is needed for its pictures only. Those that its package brings along are used; what it would download is
not. Left out: the chessboards, which are 8x8 pixels enlarged, and pictures under 64 pixels a side.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Named = tuple[str, Image.Image]
_LEFT_OUT = ("chessboard", "multipage", "no_time_for_that_tiny")


def pictures() -> tuple[list[Named], str]:
    """The pictures of scikit-image in RGB, or none and the reason."""
    spec = util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        return [], "scikit-image is not installed: its photos and drawings are left out (pip install scikit-image)"
    folder = Path(spec.submodule_search_locations[0]) / "data"
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix in {".png", ".jpg", ".gif", ".tif"} and not path.name.startswith(_LEFT_OUT):
            with Image.open(path) as image:
                found.append((path.stem, _rgb(image)))
    return found, f"{len(found)} pictures of scikit-image"


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=float)
        return Image.fromarray((values / max(1.0, values.max()) * 255).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands():
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    return image.convert("RGB")


def varied(picture: Named) -> Iterator[Named]:
    """A picture as it is, cropped, larger, smaller, blurred and as a poor JPEG."""
    name, image = picture
    yield name, image
    width, height = image.size
    yield f"{name} cropped", image.crop((width // 7, height // 5, width * 5 // 7, height * 4 // 5))
    for factor in (0.6, 1.7):
        size = (max(64, round(width * factor)), max(64, round(height * factor)))
        yield f"{name} x{factor}", image.resize(size, Image.Resampling.BICUBIC)
    yield f"{name} blurred", image.filter(ImageFilter.GaussianBlur(2))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    yield f"{name} JPEG", Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def synthetic() -> Iterator[Named]:
    """Gradients, noise, text, line drawings, rings, halftones, windows and paintings, drawn by rule."""
    yield from _gradients()
    yield from _noises()
    yield from _texts()
    yield from _drawings()
    for seed in range(6):
        yield f"painting {seed}", _painting(seed)


def _gradients() -> Iterator[Named]:
    y, x = np.mgrid[:600, :800] / 600.0
    planes = {
        "linear gradient": x / 1.34,
        "vertical gradient": y,
        "radial gradient": np.hypot(x - 0.6, y - 0.5),
        "diagonal gradient": (x + y) / 2.34,
        "waves": 0.5 + 0.5 * np.sin(20 * x + 9 * y * y),
        "conic gradient": np.arctan2(y - 0.5, x - 0.6) / 6.29 + 0.5,
    }
    for name, value in planes.items():
        color = np.stack([value, value**2, 1 - value], axis=-1)
        yield name, Image.fromarray((color.clip(0, 1) * 255).astype(np.uint8))


def _noises() -> Iterator[Named]:
    rng = np.random.default_rng(3)
    for spread in (4, 20, 60):
        field = 128 + rng.normal(0, spread, (512, 640, 3))
        yield f"Gaussian noise {spread}", Image.fromarray(field.clip(0, 255).astype(np.uint8))
    yield "uniform noise", Image.fromarray(rng.integers(0, 256, (480, 480, 3), dtype=np.uint8))
    yield (
        "salt and pepper",
        Image.fromarray(np.where(rng.random((500, 500)) < 0.1, 255, 20).astype(np.uint8)).convert("RGB"),
    )
    for power in (1.0, 1.5, 2.0):
        frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None, :])
        frequency[0, 0] = 1
        spectrum = np.fft.rfft2(rng.normal(size=(512, 512))) / frequency**power
        field = np.fft.irfft2(spectrum)
        field = (field - field.min()) / np.ptp(field)
        yield f"1/f^{power} noise", Image.fromarray((255 * field).astype(np.uint8)).convert("RGB")
    for radius in (2, 5):
        dots = Image.fromarray(rng.integers(0, 256, (512, 512, 3), dtype=np.uint8))
        yield f"blurred noise {radius}", dots.filter(ImageFilter.GaussianBlur(radius))


_WORDS = "Whatever the vendor returns, a build wants the pixel it asked for: twelve colours and no more. "


def _texts() -> Iterator[Named]:
    rng = np.random.default_rng(4)
    for size in (10, 13, 18, 28, 48, 90):
        image = Image.new("RGB", (800, 600), "white" if size % 3 else (24, 26, 38))
        draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
        ink = "black" if size % 3 else (220, 220, 200)
        for line in range(600 // int(size * 1.4) + 1):
            at = int(rng.integers(0, len(_WORDS)))
            draw.text((20, 10 + line * size * 1.4), (_WORDS * 4)[at:][: int(1500 / size)], fill=ink, font=font)
        yield f"text {size}", image


def _drawings() -> Iterator[Named]:
    rng = np.random.default_rng(5)
    for kind in ("lines", "ellipses", "polygons", "windows", "strokes"):
        for soft in (False, True):
            image = Image.new("RGB", (1400, 1000), (238, 234, 224))
            draw = ImageDraw.Draw(image)
            for _ in range(70):
                _mark(draw, kind, rng)
            size = (700, 500)
            yield f"{kind}{' soft' if soft else ''}", image.resize(size, Image.Resampling.LANCZOS) if soft else image
    y, x = np.mgrid[:600, :600].astype(float)
    angle = np.deg2rad(27)
    screen = np.cos((x * np.cos(angle) + y * np.sin(angle)) * 0.9) + np.cos(
        (y * np.cos(angle) - x * np.sin(angle)) * 0.9
    )
    halftone = np.where(screen / 2 > x / 300 - 1, 255, 10).astype(np.uint8)
    yield "halftone", Image.fromarray(halftone).convert("RGB")
    rings = 127 + 120 * np.sin(np.hypot(x - 300, y - 280) ** 1.4 / 30)
    yield "rings", Image.fromarray(rings.astype(np.uint8)).convert("RGB")


def _mark(draw: ImageDraw.ImageDraw, kind: str, rng: np.random.Generator) -> None:
    x, y = rng.integers(0, 1300), rng.integers(0, 950)
    wide, high = rng.integers(12, 330, 2)
    color = tuple(int(c) for c in rng.integers(0, 256, 3))
    thick = int(rng.integers(1, 7))
    if kind == "lines":
        draw.line([(x, y), (x + wide, y + high)], fill=color, width=thick)
    elif kind == "ellipses":
        draw.ellipse([x, y, x + wide, y + high], fill=color, outline="black", width=thick)
    elif kind == "polygons":
        corners = [(int(x + rng.integers(0, wide)), int(y + rng.integers(0, high))) for _ in range(5)]
        draw.polygon(corners, fill=color)
    elif kind == "windows":
        draw.rectangle([x, y, x + wide, y + high], fill=color, outline="black", width=thick)
        draw.rectangle([x, y, x + wide, y + 11], fill=(40, 60, 120))
    else:
        walk = np.array([x, y]) + np.cumsum(rng.normal(0, 14, (40, 2)), axis=0)
        draw.line([tuple(p) for p in walk.tolist()], fill=color, width=thick, joint="curve")


def _painting(seed: int) -> Image.Image:
    """A landscape as a game's illustrator paints one: soft sky, hills in layers, brush strokes, a sun, grain."""
    rng = np.random.default_rng([6, seed])
    width, height = 1024, 768
    y, x = np.mgrid[:height, :width]
    top, low = rng.integers(40, 200, 3), rng.integers(120, 256, 3)
    canvas = top + (low - top) * (y / height)[..., None] ** 0.8
    glow = np.exp(-(((x - rng.integers(200, 800)) ** 2 + (y - 220) ** 2) / rng.uniform(4000, 40000)))
    canvas = canvas + glow[..., None] * (120, 100, 40)
    for layer in range(4):
        ridge = (
            300
            + 110 * layer
            + sum(
                rng.uniform(10, 60)
                / (k + 1)
                * np.sin(np.arange(width) * (k + 1) / rng.uniform(60, 160) + rng.uniform(0, 6))
                for k in range(5)
            )
        )
        inside = ((y - ridge[None, :]) / rng.uniform(1, 6) + 0.5).clip(0, 1)[..., None]
        canvas = canvas * (1 - inside) + inside * (rng.integers(10, 140, 3) + 40.0 * (y[..., None] - 300) / height)
    image = Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(int(rng.integers(200, 900))):
        at_x, at_y, length = rng.integers(0, width), rng.integers(320, height), rng.integers(8, 70)
        shade = tuple(int(c) for c in rng.integers(0, 200, 3))
        lean = int(rng.integers(-20, 20))
        draw.line([(at_x, at_y), (at_x + lean, at_y - length)], fill=(*shade, 120), width=int(rng.integers(1, 8)))
    grain = rng.normal(0, rng.uniform(0, 6), (height, width, 3))
    soft = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6)))
    return Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8))
