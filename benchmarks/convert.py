"""Converting pictures to pixel art beside plain resizes and other tools: figures, and the sheets of docs/convert.md.

    python benchmarks/convert.py [--size 64] [--colors 24] [--sheets FOLDER] [PICTURE ...]

Without pictures: a drawing with outlines that is made here, and three photos of scikit-image where it is installed
(astronaut: NASA, public domain; coffee and chelsea: CC0). pyxelate and PixelOE take part where they can be imported.

lines   how much of the contrast of structures thinner than a cell is left, within half a cell of their place (%)
edges   correlation of the gradient magnitudes of source and result, both blurred by a quarter of a cell (%)
mush    pixels that are none of the drawing's own colours, OKLab distance above 0.06 (%; drawing only)
error   mean OKLab distance of source and result, both blurred by half a cell, times 100
ms      processor time of the downscale alone
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pixelrouter.pixels import FinishSpec, finish
from pixelrouter.pixels.color import linear_to_oklab, parse_hex, to_oklab
from pixelrouter.pixels.convert import convert

Method = Callable[[Image.Image, tuple[int, int], int], Image.Image]
R = Image.Resampling
TILE = 192
INK = "#1b1b2f"
SKY, SUN, GRASS, WALL = "#8ecae6", "#ffd166", "#6a994e", "#f4a261"
ROOF, GLASS, DOOR, STONE = "#bc4749", "#caf0f8", "#7f5539", "#adb5bd"


def drawing(side: int = 960) -> Image.Image:
    """A house, a fence and a round animal with whiskers, drawn at twice the size; unit: a 96th of the side."""
    unit = side / 48
    image = Image.new("RGB", (side * 2, side * 2), SKY)
    draw = ImageDraw.Draw(image)
    wide, thin = round(unit), round(unit / 2)

    def at(*values: float) -> list[float]:
        return [value * unit for value in values]

    draw.ellipse(at(70, 6, 88, 24), fill=SUN, outline=INK, width=wide)
    for step in range(12):
        x, y = math.cos(step * math.pi / 6), math.sin(step * math.pi / 6)
        draw.line(at(79 + 11 * x, 15 + 11 * y, 79 + 14 * x, 15 + 14 * y), fill=INK, width=wide)
    draw.rectangle(at(0, 66, 96, 96), fill=GRASS)
    draw.line(at(0, 66, 96, 66), fill=INK, width=wide)
    draw.rectangle(at(10, 40, 50, 80), fill=WALL, outline=INK, width=wide)
    draw.polygon(at(6, 40, 30, 18, 54, 40), fill=ROOF, outline=INK, width=wide)
    draw.rectangle(at(16, 48, 28, 60), fill=GLASS, outline=INK, width=wide)
    draw.line(at(22, 48, 22, 60), fill=INK, width=thin)
    draw.line(at(16, 54, 28, 54), fill=INK, width=thin)
    draw.rectangle(at(34, 58, 44, 80), fill=DOOR, outline=INK, width=wide)
    for x in range(56, 96, 5):
        draw.rectangle(at(x, 72, x + 2.4, 86), fill="white", outline=INK, width=thin)
    draw.line(at(54, 76, 96, 76), fill=INK, width=thin)
    draw.ellipse(at(60, 44, 78, 62), fill=STONE, outline=INK, width=wide)
    for sign in (-1, 1):
        for rise in (-3, 0, 3):
            draw.line(at(69 + sign * 3, 56, 69 + sign * 14, 56 + rise), fill="white", width=wide // 3)
        draw.ellipse(at(67.5 + sign * 3, 49, 70.5 + sign * 3, 53), fill=INK)
    return image.resize((side, side), R.LANCZOS)


def photos() -> dict[str, Image.Image]:
    """The middle squares of photos that come with scikit-image, if it is there."""
    try:
        from skimage import data
    except ImportError:
        print("note: scikit-image is not installed, so no photos take part")
        return {}
    found = {}
    for name in ("astronaut", "coffee", "chelsea"):
        image = Image.fromarray(getattr(data, name)())
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        found[name] = image.crop((left, top, left + side, top + side))
    return found


# -- methods ----------------------------------------------------------------------------------------------------------


def colored(small: Image.Image, colors: int) -> Image.Image:
    """The same colour stage for every downscale, so that only the downscales differ."""
    return finish(small, FinishSpec(small.size, colors=colors, mode="convert")).image.convert("RGB")


def resized(filter_: R) -> Method:
    return lambda image, size, colors: colored(timed(image.resize, size, filter_), colors)


def ours(image: Image.Image, size: tuple[int, int], colors: int) -> Image.Image:
    rgba = np.asarray(image.convert("RGBA"))
    return colored(Image.fromarray(timed(convert, rgba, size)).convert("RGB"), colors)


def pyxelate_like(image: Image.Image, size: tuple[int, int], colors: int) -> Image.Image:
    """Written from pyxelate's description alone: a median filter, then tiles of three by three averaged with the
    gradient of each channel as weight, so that edges outvote flat parts.
    """

    def shrink() -> Image.Image:
        big = image.resize((size[0] * 3, size[1] * 3), R.BICUBIC).filter(ImageFilter.MedianFilter(3))
        rgb = np.asarray(big, dtype=float)
        down, across = np.gradient(rgb, axis=(0, 1))
        weight = np.hypot(down, across) + 1e-6

        def tiles(values: np.ndarray) -> np.ndarray:
            return values.reshape(size[1], 3, size[0], 3, 3).sum(axis=(1, 3))

        return Image.fromarray(np.rint(tiles(rgb * weight) / tiles(weight)).astype(np.uint8))

    return colored(timed(shrink), colors)


def real_tools() -> dict[str, Method]:
    """pyxelate and PixelOE with their defaults and their own palettes, where they can be imported."""
    tools: dict[str, Method] = {}
    try:
        from pyxelate import Pyx
    except ImportError:
        print("note: pyxelate (github.com/sedthh/pyxelate) is not installed")
    else:

        def pyxelate(image: Image.Image, size: tuple[int, int], colors: int) -> Image.Image:
            pixels = np.asarray(image)
            tool = Pyx(width=size[0], height=size[1], palette=colors)
            return Image.fromarray(timed(lambda: tool.fit(pixels).transform(pixels)))

        tools["pyxelate"] = pyxelate
    try:
        from pixeloe.legacy.pixelize import pixelize
    except ImportError:
        print("note: PixelOE (github.com/KohakuBlueleaf/PixelOE) is not installed")
    else:

        def pixeloe(image: Image.Image, size: tuple[int, int], colors: int) -> Image.Image:
            bgr = np.ascontiguousarray(np.asarray(image)[..., ::-1])
            small = timed(pixelize, bgr, mode="contrast", target_size=size[0], patch_size=8, no_upscale=True)
            return colored(Image.fromarray(np.ascontiguousarray(small[..., ::-1])).resize(size, R.NEAREST), colors)

        tools["PixelOE"] = pixeloe
    return tools


_spent: list[float] = []


def timed(work, *args, **options):
    """``work``'s result; its processor time is noted."""
    start = time.process_time()
    result = work(*args, **options)
    _spent.append(time.process_time() - start)
    return result


# -- figures ----------------------------------------------------------------------------------------------------------


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """``(h, w, ...)`` under a Gaussian."""
    reach = max(1, math.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    for axis in (0, 1):
        pad = [(0, 0)] * values.ndim
        pad[axis] = (reach, reach)
        padded = np.pad(values, pad, mode="edge")
        length = values.shape[axis]
        values = sum(k * padded.take(range(at, at + length), axis) for at, k in enumerate(kernel / kernel.sum()))
    return values


def lab_blurred(image: Image.Image, sigma: float) -> np.ndarray:
    """OKLab after a blur in linear light, as an eye from afar would have it."""
    steps = np.asarray(image.convert("RGB")) / 255
    linear = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    return linear_to_oklab(blurred(linear, sigma).astype(np.float32))


def thin(image: Image.Image, window: int) -> np.ndarray:
    """Contrast of what is narrower than the window: dark minus, bright plus."""
    light = Image.fromarray(np.rint(to_oklab(np.asarray(image))[..., 0] * 255).astype(np.uint8))
    window |= 1
    closed = light.filter(ImageFilter.MaxFilter(window)).filter(ImageFilter.MinFilter(window))
    opened = light.filter(ImageFilter.MinFilter(window)).filter(ImageFilter.MaxFilter(window))
    plane, closed, opened = (np.asarray(each, dtype=float) / 255 for each in (light, closed, opened))
    return np.where(closed - plane > plane - opened, plane - closed, plane - opened)


def lines(source: Image.Image, result: Image.Image, cell: float) -> float:
    """Contrast of thin structures that is left; a line may have moved by half a cell and be up to a cell wide."""
    before = thin(source, round(cell))
    after = thin(result, round(1.5 * cell))
    reach = round(cell) | 1
    kept = np.zeros_like(before)
    for sign in (-1, 1):
        there = Image.fromarray(np.rint(np.clip(sign * after, 0, 1) * 255).astype(np.uint8))
        near = np.asarray(there.filter(ImageFilter.MaxFilter(reach)), dtype=float) / 255
        kept = np.where(sign * before > 0, np.minimum(near, np.abs(before)), kept)
    seen = np.abs(before) > 0.15
    return 100 * kept[seen].sum() / max(np.abs(before)[seen].sum(), 1e-9)


def edges(source: Image.Image, result: Image.Image, cell: float) -> float:
    slopes = []
    for image in (source, result):
        down, across = np.gradient(lab_blurred(image, cell / 4), axis=(0, 1))
        slopes.append(np.sqrt((down**2 + across**2).sum(axis=-1)).ravel())
    return 100 * np.corrcoef(*slopes)[0, 1]


def mush(small: Image.Image) -> float:
    own = to_oklab(parse_hex((SKY, SUN, GRASS, WALL, ROOF, GLASS, DOOR, STONE, INK, "#ffffff")))
    gap = np.linalg.norm(to_oklab(np.asarray(small))[..., None, :] - own, axis=-1).min(axis=-1)
    return 100 * (gap > 0.06).mean()


def error(source: Image.Image, result: Image.Image, cell: float) -> float:
    gap = lab_blurred(source, cell / 2) - lab_blurred(result, cell / 2)
    return 100 * np.linalg.norm(gap, axis=-1).mean()


# -- the whole --------------------------------------------------------------------------------------------------------


def sheet(rows: list[list[Image.Image]], path: Path, *, gap: int = 4, colors: int = 256) -> None:
    """Tiles side by side as a small indexed PNG."""
    width = len(rows[0]) * (TILE + gap) - gap
    canvas = Image.new("RGB", (width, len(rows) * (TILE + gap) - gap), "white")
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            exact = TILE % tile.width == 0 and tile.width < TILE
            canvas.paste(
                tile.resize((TILE, TILE), R.NEAREST if exact else R.LANCZOS), (x * (TILE + gap), y * (TILE + gap))
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.quantize(colors, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1024} KiB")


def main() -> None:
    options = argparse.ArgumentParser(description="Conversions of pictures, side by side.")
    options.add_argument("pictures", nargs="*", type=Path)
    options.add_argument("--size", type=int, default=64, help="width and height of the result")
    options.add_argument("--colors", type=int, default=24)
    options.add_argument("--sheets", type=Path, help="folder for the contact sheets")
    wish = options.parse_args()
    pictures = {path.stem: Image.open(path).convert("RGB") for path in wish.pictures}
    pictures = pictures or {"drawing": drawing(), **photos()}
    methods: dict[str, Method] = {
        "nearest": resized(R.NEAREST),
        "box": resized(R.BOX),
        "lanczos": resized(R.LANCZOS),
        "pyxelate-like": pyxelate_like,
        **real_tools(),
        "pixelrouter": ours,
    }
    rows: dict[str, list[Image.Image]] = {}
    print(
        f"{wish.size}x{wish.size}, {wish.colors} colours\n\npicture    method         lines  edges   mush  error     ms"
    )
    for name, image in pictures.items():
        rows[name] = [image]
        cell = image.width / wish.size
        for label, method in methods.items():
            small = method(image, (wish.size, wish.size), wish.colors).convert("RGB")
            rows[name].append(small)
            big = small.resize(image.size, R.NEAREST)
            grey = f"{mush(small):6.1f}" if name == "drawing" else "     -"
            figures = (lines(image, big, cell), edges(image, big, cell))
            print(
                f"{name:10.10} {label:13} {figures[0]:6.1f} {figures[1]:6.1f} {grey} {error(image, big, cell):6.2f} "
                f"{1000 * _spent[-1]:6.0f}"
            )
    if wish.sheets:
        print("columns: source, " + ", ".join(methods))
        for name, row in rows.items():
            sheet([row], wish.sheets / f"convert-{name}.png")
        if "astronaut" in pictures:
            sizes = [(s, c) for s, c in ((32, 12), (64, 24), (96, 32), (192, 48))]
            shown = [finish(pictures["astronaut"], FinishSpec((s, s), colors=c, mode="convert")) for s, c in sizes]
            few = [
                finish(pictures["astronaut"], FinishSpec((96, 96), colors=8, mode="convert", dither=dither))
                for dither in ("none", "bayer4", "floyd-steinberg", "atkinson")
            ]
            both = [[done.image.convert("RGB") for done in row] for row in (shown, few)]
            sheet(both, wish.sheets / "convert-sizes.png", colors=128)


if __name__ == "__main__":
    main()
