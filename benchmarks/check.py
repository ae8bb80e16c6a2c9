"""How well check tells pixel art from everything else, and how fast it is: prints the table of docs/check.md.

True: hand-made sprites, those of the built-in backend, and what finishing makes of fake ones. Fake: the same sprites
spoiled as models spoil them, and photos. Every set is drawn here unless a folder is named:

    python benchmarks/check.py [--true DIR] [--fake DIR] [--photos DIR]
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from pixelrouter import GenerationRequest
from pixelrouter.backends.procedural import Backend
from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.pixels import FinishSpec, check, finish
from pixelrouter.types import Inline

SUBJECTS = ("potion", "knight", "castle", "dragon", "tree", "sword", "coin", "ship", "house", "slime")
GROUND = (96, 132, 152, 255)
SIDE = 48
Spoil = Callable[[Image.Image], Image.Image]


def drawn() -> Iterator[Image.Image]:
    """Sprites of the built-in backend on a plain ground, at 1x."""
    backend = Backend(BackendSettings(), None)
    for subject in SUBJECTS:
        request = GenerationRequest(prompt=f"a {subject}", width=SIDE, height=SIDE, seed=3)
        (item, *_) = backend.generate(request, lambda _: None).items
        assert isinstance(item, Inline)
        ground = Image.new("RGBA", (SIDE, SIDE), GROUND)
        ground.alpha_composite(Image.open(io.BytesIO(item.data)).convert("RGBA"))
        yield ground


def scaled(factor: float, how: Image.Resampling = Image.Resampling.NEAREST) -> Spoil:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)), how)


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    scaled(11)(image).convert("RGB").save(buffer, "JPEG", quality=85)
    return Image.open(buffer)


def noise(image: Image.Image) -> Image.Image:
    big = np.asarray(scaled(9)(image).convert("RGB"))
    rough = big + np.random.default_rng(5).normal(0, 5, big.shape)
    return Image.fromarray(np.clip(rough, 0, 255).astype(np.uint8))


def drift(image: Image.Image) -> Image.Image:
    """Cells whose borders wander by up to a third of a cell."""
    pixels = np.asarray(image)
    across = (np.arange(image.width * 10) / 10 + 0.33 * np.sin(np.arange(image.width * 10) / 60)).astype(int)
    across = across.clip(0, image.width - 1)
    return Image.fromarray(pixels[across[:, None], across[None]])


FAKES: dict[str, Spoil] = {
    "uneven pixels (7.3 x)": scaled(7.3),
    "bilinear (8 x)": scaled(8, Image.Resampling.BILINEAR),
    "lanczos (8.5 x)": scaled(8.5, Image.Resampling.LANCZOS),
    "blur": lambda image: scaled(10)(image).filter(ImageFilter.GaussianBlur(1.5)),
    "JPEG": jpeg,
    "noise": noise,
    "drift": drift,
}


def photos() -> Iterator[Image.Image]:
    """Smooth light with fine grain."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:240, 0:320] / 240
        a, b, c = rng.uniform(1, 8, 3)
        light = np.stack([np.sin(a * x + y), np.cos(b * y - x), np.sin(c * x * y)], axis=2) * 90 + 130
        yield Image.fromarray(np.clip(light + rng.normal(0, 4, light.shape), 0, 255).astype(np.uint8))


def folder(path: Path) -> Iterator[Path]:
    return iter(sorted(p for p in path.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".gif")))


def auc(true: list[float], fake: list[float]) -> float:
    """The share of pairs of a true and a fake image in which the true one scores higher; a draw counts half."""
    one, other = np.array(true)[:, None], np.array(fake)[None]
    return float(((one > other) + 0.5 * (one == other)).mean())


def row(name: str, scores: list[float]) -> None:
    values = np.array(scores)
    figures = (values.mean(), np.median(values), values.min(), values.max())
    print(f"{name:34} {len(values):5d}" + "".join(f"{figure:8.1f}" for figure in figures))


def seconds(image: Image.Image) -> float:
    spent = []
    for _ in range(5):
        start = time.process_time()
        check(image)
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--true", type=Path, help="folder of true pixel art")
    parser.add_argument("--fake", type=Path, help="folder of fakes (files named *_t.* are left out)")
    parser.add_argument("--photos", type=Path, help="folder of photos and illustrations")
    chosen = parser.parse_args()
    print(f"{'':34} {'n':>5} {'mean':>7} {'median':>7} {'min':>7} {'max':>7}")
    sprites = list(drawn())
    true = [check(sprite).score for sprite in sprites]
    row("true: built-in backend, 1x", true)
    true += (big := [check(scaled(6)(sprite)).score for sprite in sprites])
    row("true: the same, 6x", big)
    if chosen.true:
        true += (made := [check(path).score for path in folder(chosen.true)])
        row(f"true: {chosen.true.name}", made)
    fake: list[float] = []
    finished: list[float] = []
    for name, spoil in FAKES.items():
        spoiled = [spoil(sprite) for sprite in sprites]
        fake += (scores := [check(image).score for image in spoiled])
        row(f"fake: {name}", scores)
        spec = FinishSpec(size=(SIDE, SIDE), colors=16)
        finished += [check(finish(image, spec).image).score for image in spoiled]
    if chosen.fake:
        paths = [path for path in folder(chosen.fake) if not path.stem.endswith("_t")]
        fake += (scores := [check(path).score for path in paths])
        row(f"fake: {chosen.fake.name}", scores)
    fake += (scores := [check(image).score for image in photos()])
    row("fake: drawn photos", scores)
    if chosen.photos:
        fake += (scores := [check(path).score for path in folder(chosen.photos)])
        row(f"fake: {chosen.photos.name}", scores)
    row("what finish makes of the fakes", finished)
    print(f"\narea under the ROC curve, true against fake: {auc(true, fake):.4f}")
    print(f"the same, finished against fake:             {auc(finished, fake):.4f}")
    small = sprites[0].resize((128, 128), Image.Resampling.BICUBIC).quantize(24).convert("RGBA")
    large = next(photos()).resize((1024, 1024), Image.Resampling.BICUBIC)
    print(f"128x128: {1000 * seconds(small):.0f} ms of processor time; 1024x1024: {1000 * seconds(large):.0f} ms")


if __name__ == "__main__":
    main()
