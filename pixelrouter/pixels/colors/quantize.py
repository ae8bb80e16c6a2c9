"""Reducing colours to a hard limit, and putting an image into exactly those.

A quantizer of our own proposes the palette: the best palette that local search finds in OKLab. imagequant
(libimagequant) can be asked for instead. Either way every pixel is then mapped to its nearest palette colour here, so
the limit holds whatever the proposer did.
"""

from __future__ import annotations

import math
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelrouter.errors import ConfigError
from pixelrouter.pixels.color import Bytes, Ints, from_oklab, nearest, pack, squares, to_oklab, unpack
from pixelrouter.pixels.spec import Quantizer

try:
    import imagequant
except ImportError:  # it is an extra
    imagequant = None

Doubles = NDArray[np.float64]
Counts = NDArray[np.integer[Any]]

_BINS = 1024  # colours the search looks at; more are put together with their like first
_HUE = np.array([1.0, 2.0, 2.0])  # what lightness, a and b weigh in the search
_ROUNDS = 8  # of moving centres to the middle of what they own
_EFFORT = 2_000_000  # distances that moving centres away may cost
_CANDIDATES = 48  # colours tried as a new centre


def quantizer(wish: Quantizer = "auto") -> str:
    """Which quantizer is at work, with its version: a part of the finishing key, since results differ."""
    return f"imagequant-{metadata.version('imagequant')}" if _imagequant(wish) else "oklab-kmeans-3"


def _imagequant(wish: Quantizer) -> bool:
    """Whether imagequant proposes the palette. Raises ConfigError if it is wished for and not there."""
    if wish == "imagequant" and imagequant is None:
        raise ConfigError(
            "imagequant is not installed.", hint="pip install 'pixelrouter[imagequant]', or quantizer='own'."
        )
    return wish == "imagequant"


def reduce_colors(rgb: Bytes, limit: int, wish: Quantizer = "auto") -> Bytes:
    """A palette ``(k, 3)``, k at most ``limit``, for the pixels ``(n, 3)``. Exact if they have few enough colours."""
    values, counts = np.unique(pack(rgb), return_counts=True)
    return reduce_counted(unpack(values), counts, limit, wish)


def reduce_counted(colors: Bytes, counts: Counts, limit: int, wish: Quantizer = "auto") -> Bytes:
    """The same for distinct colours ``(n, 3)`` and the number of pixels ``(n,)`` of each."""
    if len(colors) <= limit:
        return colors
    proposed = _by_imagequant(colors, counts, limit) if _imagequant(wish) else kmeans(colors, counts, limit)
    return unpack(np.unique(pack(proposed)))


def _by_imagequant(colors: Bytes, counts: Counts, limit: int) -> Bytes:
    # As a square and not a line, because imagequant weighs pixels by their surroundings on both axes.
    rgb = np.repeat(colors, counts, axis=0)
    side = math.isqrt(len(rgb) - 1) + 1
    rgb = np.pad(rgb, ((0, side * side - len(rgb)), (0, 0)), mode="edge")
    opaque = np.pad(rgb, ((0, 0), (0, 1)), constant_values=255)
    # Dithering scatters single pixels, which is the opposite of pixel art.
    indices, flat = imagequant.quantize_raw_rgba_bytes(
        opaque.tobytes(), side, side, dithering_level=0.0, max_colors=max(2, limit)
    )
    entries = np.array(flat, dtype=np.uint8).reshape(-1, 4)[:, :3]
    used, owned = np.unique(np.frombuffer(indices, dtype=np.uint8), return_counts=True)
    palette = entries[used]
    if len(palette) > limit:  # imagequant needs two colours at least
        palette = palette[np.argsort(-owned, kind="stable")[:limit]]
    return np.asarray(palette, dtype=np.uint8)


def kmeans(colors: Bytes, counts: Counts, limit: int) -> Bytes:
    """At most ``limit`` colours ``(k, 3)`` for distinct ``colors`` ``(n, 3)``: count-weighted k-means in OKLab.

    Deterministic. Each seed is the colour with the largest weighted distance to the seeds so far, which is k-means++
    (Arthur and Vassilvitskii 2007) with its most probable draw; Lloyd's rounds follow (1982), reweighted so that they
    minimise the distance to the power of 1.5 (Weiszfeld 1937): 1 is the mean error, 2 its square, which spends the
    palette on rare colours. Then, as in Fritzke's LBG-U (1997), the centre that is missed least is put where it helps
    most, for as long as the error falls: that leaves the local minimum in which k-means gets stuck.

    A difference of hue or saturation counts twice one of lightness, as in Ottosson's "deltaE OK2" (Color.js 0.5, 2023):
    a face that is a few pixels in a hundred would else be put in with the greys around it. The last rounds weigh both
    alike, which makes the error smaller and keeps what was found. Only sums in a fixed order,
    products and roots decide, so that every machine finds the same palette.
    """
    lab, weight = _bins(colors, counts)
    size = min(limit, len(lab))
    centers, cost = _settle(lab, weight, lab[_seeds(lab, weight, size)], _ROUNDS)
    for _ in range(min(2 * size, _EFFORT // (size * len(lab))) if 1 < size < len(lab) else 0):
        moved = _swap(lab, weight, centers)
        if moved is None:
            break
        moved, cheaper = _settle(lab, weight, moved, 3)
        if cheaper >= cost * (1 - 1e-4):
            break
        centers, cost = moved, cheaper
    centers, _ = _settle(lab / _HUE, weight, centers / _HUE, _ROUNDS)
    return from_oklab(centers.astype(np.float32))


def _bins(colors: Bytes, counts: Counts) -> tuple[Doubles, Doubles]:
    """OKLab, hue weighed, and weight of the colours; those alike in their leading bits are one where they are many."""
    each, weigh = to_oklab(colors) * _HUE, counts.astype(np.float64)
    lab, weight = each, weigh
    for bits in (6, 5, 4):
        if len(lab) <= _BINS:
            break
        _, place = np.unique(pack(colors >> np.uint8(8 - bits)), return_inverse=True)
        weight = np.bincount(place.reshape(-1), weigh).astype(np.float64)
        lab = _means(place.reshape(-1), weigh, each, weight)
    return lab, weight


def _means(place: Ints, weight: Doubles, values: Doubles, total: Doubles) -> Doubles:
    """Weighted means ``(k, 3)`` of the values ``(n, 3)`` that share a place; zero where nothing is."""
    sums = [np.bincount(place, weight * values[:, c], minlength=len(total)) for c in range(3)]
    return np.stack(sums, axis=1) / np.maximum(total, 1e-12)[:, None]


def _error(distance: Doubles) -> Doubles:
    """A distance to the power of 1.5, without ``pow``, which differs between machines in the last bit."""
    return np.asarray(distance * np.sqrt(distance))


def _distances(a: Doubles, b: Doubles) -> Doubles:
    return np.asarray(np.sqrt(squares(a, b)))


def _seeds(lab: Doubles, weight: Doubles, size: int) -> list[int]:
    seeds = [int(weight.argmax())]
    gap = _distances(lab, lab[seeds])[:, 0]
    while len(seeds) < size:
        seeds.append(int((weight * gap).argmax()))
        gap = np.minimum(gap, _distances(lab, lab[seeds[-1:]])[:, 0])
    return seeds


def _settle(lab: Doubles, weight: Doubles, centers: Doubles, rounds: int) -> tuple[Doubles, float]:
    """Lloyd's rounds, and the cost that is left."""
    for _ in range(rounds):
        distance = _distances(lab, centers)
        owner = distance.argmin(axis=1)
        gap = distance[np.arange(len(lab)), owner]
        pull = weight / np.sqrt(np.maximum(gap, 0.004))
        total = np.bincount(owner, pull, minlength=len(centers)).astype(np.float64)
        moved = np.where(total[:, None] > 0, _means(owner, pull, lab, total), centers)
        still = bool(np.abs(moved - centers).max() < 2e-4)
        centers = moved
        if still:
            break
    return centers, float((weight * _error(_distances(lab, centers).min(axis=1))).sum())


def _swap(lab: Doubles, weight: Doubles, centers: Doubles) -> Doubles | None:
    """The centres with the least missed one put where it helps most; None where that would not pay."""
    distance = _distances(lab, centers)
    owner = distance.argmin(axis=1)
    first, second = _error(np.partition(distance, 1, axis=1)[:, :2].T)
    loss = np.bincount(owner, weight * (second - first), minlength=len(centers))
    worst = np.argsort(-(weight * first), kind="stable")[:_CANDIDATES]
    saved = np.maximum(first[:, None] - _error(_distances(lab, lab[worst])), 0)
    gain = (weight[:, None] * saved).sum(axis=0)
    if gain.max() <= loss.min():
        return None
    out = centers.copy()
    out[loss.argmin()] = lab[worst[gain.argmax()]]
    return out


def apply_palette(rgb: Bytes, palette: Bytes) -> Ints:
    """For each pixel ``(n, 3)`` the index of the nearest of ``(k, 3)`` by OKLab distance; exact matches stay."""
    values, inverse = np.unique(pack(rgb), return_inverse=True)
    index = nearest(to_oklab(unpack(values)), to_oklab(palette))
    return np.asarray(index[inverse.reshape(-1)], dtype=np.intp)
