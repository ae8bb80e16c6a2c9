"""The own quantizer beside imagequant and Pillow's: mean OKLab error and time at 8, 16 and 32 colours.

``python benchmarks/quantizers.py`` measures sprites that the procedural backend draws, gradients and noise;
``python benchmarks/quantizers.py FOLDER`` the PNG files of a folder (of ``*_t.png``, where it has some, once each).
Every palette is applied by the nearest colour, so that the palettes alone are compared. The error is the mean distance
over the visible pixels of an image, then the mean over the images that have more colours than the limit. Time is
processor time, the median over the images, as a ratio to Pillow's median cut in the same run.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from pixels_set import sprites

from pixelrouter.pixels.alpha.harden import harden
from pixelrouter.pixels.color import Bytes, nearest, pack, to_oklab, unpack
from pixelrouter.pixels.colors.quantize import reduce_colors

Quantize = Callable[[Bytes, int], Bytes]
LIMITS = (8, 16, 32)


def visible(rgba: Bytes) -> Bytes:
    return rgba[..., :3][rgba[..., 3] > 0]


def own(rgba: Bytes, limit: int) -> Bytes:
    return reduce_colors(visible(rgba), limit, "own")


def imagequant(rgba: Bytes, limit: int) -> Bytes:
    """On the picture as it is, since it weighs pixels by their surroundings; what is transparent has its own entry."""
    import imagequant as library

    height, width, _ = rgba.shape
    entries = min(256, limit + int((rgba[..., 3] == 0).any()))
    indices, flat = library.quantize_raw_rgba_bytes(
        rgba.tobytes(), width, height, dithering_level=0.0, max_colors=entries
    )
    palette = np.array(flat, dtype=np.uint8).reshape(-1, 4)[np.unique(np.frombuffer(indices, dtype=np.uint8))]
    return palette[palette[:, 3] > 0][:, :3]


def median_cut(rgba: Bytes, limit: int) -> Bytes:
    """Pillow's, without its k-means, as most tools call it."""
    return _pillow(rgba, limit, 0)


def median_cut_kmeans(rgba: Bytes, limit: int) -> Bytes:
    return _pillow(rgba, limit, 1)


def _pillow(rgba: Bytes, limit: int, kmeans: int) -> Bytes:
    done = Image.fromarray(visible(rgba)[None]).quantize(limit, Image.Quantize.MEDIANCUT, kmeans=kmeans)
    return np.array(done.getpalette(), dtype=np.uint8).reshape(-1, 3)[: done.getextrema()[1] + 1]


def error(rgb: Bytes, palette: Bytes) -> float:
    """The mean OKLab distance of pixels ``(n, 3)`` to the nearest colour of a palette ``(k, 3)``."""
    values, counts = np.unique(pack(rgb), return_counts=True)
    lab, goal = to_oklab(unpack(values)), to_oklab(palette)
    return float(np.average(np.linalg.norm(lab - goal[nearest(lab, goal)], axis=1), weights=counts))


def pictures(folder: Path | None) -> dict[str, Bytes]:
    """Every picture ``(h, w, 4)`` by name, alpha 0 or 255, the same picture once."""
    if folder is not None:
        files = sorted(folder.glob("*_t.png")) or sorted(folder.glob("*.png"))
        found = {file.stem: Image.open(file) for file in files}
    else:
        found = dict(sprites()) | dict(_made())
    out: dict[bytes, tuple[str, Bytes]] = {}
    for name, image in found.items():
        rgba = harden(np.asarray(image.convert("RGBA")))
        if rgba.any():
            out.setdefault(rgba.tobytes(), (name, rgba))
    return dict(out.values())


def _made() -> dict[str, Image.Image]:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:96, :96]
    waves = np.stack([128 + 120 * np.sin(x / a + y / b) for a, b in ((9, 17), (23, 8), (14, 31))], axis=2)
    ramps = np.linspace(rng.integers(0, 90, (12, 3)), rng.integers(130, 256, (12, 3)), 9).reshape(-1, 3)
    patches = ramps[(x // 8 * 7 + y // 8 * 11) % len(ramps)]
    arrays = {
        "gradient": np.stack([x * 2.6, y * 2.6, (x + y) * 1.3], axis=2),
        "waves": waves,
        "ramps": patches,
        "noisy ramps": patches + rng.normal(0, 5, patches.shape),
        "noise": rng.integers(0, 256, (96, 96, 3)),
    }
    return {name: Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)) for name, a in arrays.items()}


def measure(quantize: Quantize, images: dict[str, Bytes], limit: int) -> tuple[dict[str, float], float]:
    """The error of each image that has too many colours, and the median time in seconds."""
    errors, times = {}, []
    for name, rgba in images.items():
        if len(np.unique(pack(visible(rgba)))) <= limit:
            continue
        start = time.process_time()
        palette = quantize(rgba, limit)
        times.append(time.process_time() - start)
        errors[name] = error(visible(rgba), palette)
    return errors, statistics.median(times) if times else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="PNG files to measure instead of pictures made here")
    images = pictures(parser.parse_args().folder)
    contestants: dict[str, Quantize] = {"own": own}
    if importlib.util.find_spec("imagequant") is None:
        print("imagequant is not installed and left out: pip install 'pixelrouter[imagequant]'")
    else:
        contestants["imagequant"] = imagequant
    contestants |= {"median cut": median_cut, "median cut, k-means": median_cut_kmeans}
    own(next(iter(images.values())), 2)  # what is loaded at first use counts for nobody
    print(
        f"{len(images)} images\n\n| colours | quantizer | images | mean OKLab error | own is better or equal | time |"
    )
    print("|---|---|---|---|---|---|")
    for limit in LIMITS:
        found = {name: measure(quantize, images, limit) for name, quantize in contestants.items()}
        ours, unit = found["own"][0], max(found["median cut"][1], 1e-9)
        for name, (errors, took) in found.items():
            if not errors:
                print(f"| {limit} | {name} | 0 | - | - | - |")
                continue
            better = sum(ours[image] <= value + 1e-9 for image, value in errors.items())
            mean = statistics.mean(errors.values())
            print(f"| {limit} | {name} | {len(errors)} | {mean:.5f} | {better} of {len(errors)} | {took / unit:.1f} |")


if __name__ == "__main__":
    main()
