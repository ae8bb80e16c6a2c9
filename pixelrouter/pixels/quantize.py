"""Reducing colours to a hard limit, and putting an image into exactly those.

imagequant (libimagequant) proposes the palette where it is installed, else a k-means of our own in OKLab. Either way
every pixel is then mapped to its nearest palette colour here, so the limit holds whatever the proposer did.
"""

from __future__ import annotations

from importlib import metadata

import numpy as np

from pixelrouter.errors import ConfigError
from pixelrouter.pixels.color import Bytes, Floats, from_oklab, nearest, pack, to_oklab, unpack
from pixelrouter.pixels.spec import Quantizer

try:
    import imagequant
except ImportError:  # an own quantizer stands in
    imagequant = None

_ROUNDS = 16  # Lloyd iterations; the error stops falling visibly long before


def quantizer(wish: Quantizer = "auto") -> str:
    """Which quantizer is at work, with its version: a part of the finishing key, since results differ."""
    return f"imagequant-{metadata.version('imagequant')}" if _imagequant(wish) else "oklab-kmeans-1"


def _imagequant(wish: Quantizer) -> bool:
    """Whether imagequant proposes the palette. Raises ConfigError if it is wished for and not there."""
    if wish == "imagequant" and imagequant is None:
        raise ConfigError("imagequant is not installed.", hint="pip install imagequant, or quantizer='own'.")
    return wish != "own" and imagequant is not None


def reduce_colors(rgb: Bytes, limit: int, wish: Quantizer = "auto") -> Bytes:
    """A palette ``(k, 3)``, k at most ``limit``, for the pixels ``(n, 3)``. Exact if they have few enough colours."""
    values, counts = np.unique(pack(rgb), return_counts=True)
    colors = unpack(values)
    if len(colors) <= limit:
        return colors
    proposed = _by_imagequant(rgb, limit) if _imagequant(wish) else kmeans(colors, counts, limit)
    return unpack(np.unique(pack(proposed)))


def _by_imagequant(rgb: Bytes, limit: int) -> Bytes:
    opaque = np.concatenate([rgb, np.full((len(rgb), 1), 255, dtype=np.uint8)], axis=1)
    # Dithering scatters single pixels, which is the opposite of pixel art.
    indices, flat = imagequant.quantize_raw_rgba_bytes(
        opaque.tobytes(), len(rgb), 1, dithering_level=0.0, max_colors=max(2, limit)
    )
    entries = np.array(flat, dtype=np.uint8).reshape(-1, 4)[:, :3]
    used, counts = np.unique(np.frombuffer(indices, dtype=np.uint8), return_counts=True)
    palette = entries[used]
    if len(palette) > limit:  # imagequant needs two colours at least
        palette = palette[np.argsort(-counts, kind="stable")[:limit]]
    return np.asarray(palette, dtype=np.uint8)


def kmeans(colors: Bytes, counts: np.ndarray[tuple[int], np.dtype[np.intp]], limit: int) -> Bytes:
    """Weighted k-means in OKLab over distinct colours ``(n, 3)``, seeded deterministically.

    Each seed is the colour with the largest count-weighted squared distance to the seeds so far, which is k-means++
    (Arthur and Vassilvitskii 2007) with its most probable draw instead of a random one.
    """
    lab = to_oklab(colors)
    weight = np.sqrt(counts.astype(np.float64))  # a large background shall not take all the colours
    seeds = [int(counts.argmax())]
    gap = ((lab - lab[seeds[0]]) ** 2).sum(axis=1)
    while len(seeds) < min(limit, len(colors)):
        seeds.append(int((weight * gap).argmax()))
        gap = np.minimum(gap, ((lab - lab[seeds[-1]]) ** 2).sum(axis=1))
    centers: Floats = lab[seeds]
    for _ in range(_ROUNDS):
        owner = nearest(lab, centers)
        mass = np.bincount(owner, weight, minlength=len(centers))
        sums = np.stack([np.bincount(owner, weight * lab[:, c], minlength=len(centers)) for c in range(3)], axis=1)
        moved = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], centers).astype(np.float32)
        if np.allclose(moved, centers, atol=1e-5):
            break
        centers = moved
    return from_oklab(centers)


def apply_palette(rgb: Bytes, palette: Bytes) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """For each pixel ``(n, 3)`` the index of the nearest of ``(k, 3)`` by OKLab distance; exact matches stay."""
    values, inverse = np.unique(pack(rgb), return_inverse=True)
    index = nearest(to_oklab(unpack(values)), to_oklab(palette))
    return np.asarray(index[inverse.reshape(-1)], dtype=np.intp)
