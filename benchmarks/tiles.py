"""How well the seam score tells tiles that repeat from crops that do not, and sets of corner tiles from broken ones.

    python benchmarks/tiles.py

Tiles that repeat: grounds of the procedural backend and periodic noise, cut at random places. Crops: of the pictures
that ship with scikit-image, or, without it, of what benchmarks/pixels_negatives.py paints. docs/tiles.md shows the
lines that it prints.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image
from pixels_negatives import pictures, synthetic
from pixels_score import roc_auc

from pixelrouter.backends.procedural.grounds import seamless, wang
from pixelrouter.pixels import TILEABLE, check_wang, seam_score

GROUNDS = ("grass", "dirt", "sand", "water", "lava", "snow", "stone", "brick", "plank")
SIDES = (16, 24, 32, 48, 64)
NOISES = (16, 32, 64, 128)
CROPS = (16, 32, 64, 128, 256)


def rolled(rgb: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """The same tile, cut elsewhere."""
    return Image.fromarray(np.roll(rgb, rng.integers(0, rgb.shape[0], 2), (0, 1)))


def repeating(rng: np.random.Generator) -> Iterator[Image.Image]:
    for ground in GROUNDS:
        for seed, side in enumerate(SIDES):
            sprite = seamless(ground, seed, side, side)
            yield rolled(np.array(sprite.palette, np.uint8)[sprite.pixels], rng)
    for side in NOISES:
        for power in (0.5, 1.0, 1.5, 2.0):
            frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
            frequency[0, 0] = 1
            spectrum = np.fft.fft2(rng.normal(size=(side, side))) / frequency**power
            values = np.fft.ifft2(spectrum).real
            values = (values - values.min()) / np.ptp(values)
            colors = np.sort(rng.integers(0, 256, (8, 3)), axis=0).astype(np.uint8)
            yield rolled(colors[np.minimum((values * 8).astype(int), 7)], rng)


def crops(rng: np.random.Generator) -> tuple[list[Image.Image], str]:
    """Pieces of pictures, the larger ones made smaller first, so that they hold as much as a tile does."""
    found, note = pictures()
    out = []
    for name, image in found or list(synthetic()):
        if not found and not name.startswith("painting"):
            continue
        for side in CROPS:
            factor = rng.uniform(side / min(image.size), 1) if side < min(image.size) else 1.0
            small = image.resize((max(side, round(image.width * factor)), max(side, round(image.height * factor))))
            left, top = rng.integers(0, small.width - side + 1), rng.integers(0, small.height - side + 1)
            crop = small.crop((left, top, left + side, top + side))
            if np.asarray(crop).std() > 8:  # a piece of plain sky does repeat
                out.append(crop)
    return out, note


def sets() -> tuple[int, int, int]:
    """How many sets were drawn, how many fit, and how many are turned down once a border tile is mirrored."""
    drawn = fit = found = 0
    for ground, upper in zip(GROUNDS, GROUNDS[3:] + GROUNDS[:3], strict=True):
        for seed, side in enumerate((16, 24, 32)):
            tiles = {
                f"wang-{code}": Image.fromarray(np.array(tile.palette, np.uint8)[tile.pixels])
                for code, tile in wang(ground, upper, seed, side, side).items()
            }
            drawn += 1
            fit += check_wang(tiles).fits
            tiles["wang-0110"] = tiles["wang-0110"].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            found += not check_wang(tiles).fits
    return drawn, fit, found


def main() -> None:
    rng = np.random.default_rng(11)
    pieces, note = crops(rng)
    good = np.array([seam_score(tile).score for tile in repeating(rng)])
    bad = np.array([seam_score(crop).score for crop in pieces])
    print(note)
    passed = np.mean(good <= TILEABLE)
    print(f"{len(good)} tiles that repeat: {passed:.1%} at most {TILEABLE}, median {np.median(good):.2f}")
    print(f"{len(bad)} crops: {np.mean(bad > TILEABLE):.1%} above {TILEABLE}, median {np.median(bad):.2f}")
    print(f"area under the ROC curve: {roc_auc(bad, good):.4f}")
    drawn, fit, found = sets()
    print(f"{drawn} sets of corner tiles: {fit} fit, {found} are turned down once a border tile is mirrored")


if __name__ == "__main__":
    main()
