"""Dithering: colours between those of a palette, as patterns of palette colours, on the 1x pixels.

Mixtures are worked out in linear light, because that is what pixels side by side add up to in the eye and on the
screen: half black and half white pixels look like sRGB 188, not 128. Which palette colour is near is asked in OKLab,
because that is a question of looks. A colour of the palette itself is never dithered, so a picture that is in the
palette already comes back unchanged, and transparent pixels neither give nor take.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import (
    LINEAR,
    Bytes,
    Floats,
    Ints,
    linear_to_oklab,
    nearest,
    pack,
    squares,
    to_oklab,
    unpack,
)
from pixelrouter.pixels.spec import Dither

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

# (dx, dy, share of the error); x to the right, y down
FLOYD_STEINBERG = ((1, 0, 7 / 16), (-1, 1, 3 / 16), (0, 1, 5 / 16), (1, 1, 1 / 16))
ATKINSON = ((1, 0, 1 / 8), (2, 0, 1 / 8), (-1, 1, 1 / 8), (0, 1, 1 / 8), (1, 1, 1 / 8), (0, 2, 1 / 8))

_CHUNK = 1 << 16  # colours times palette entries at once, which stay in the cache
_MATES = 16  # palette colours near a colour that may be mixed in a Bayer pattern
_APART = 0.005  # weight of how far apart the two colours of a pattern are; the further, the grainier it looks
_LIST = 64  # colours in a Yliluoma list: one for each threshold of the 8x8 matrix
_TRIED = 12  # palette colours near a colour that a Yliluoma list may hold
_STEP = 0.002  # of linear light, to measure a slope
_MANY = 4096  # colours; beyond, those alike in their leading five bits share a list


def dither(frame: Bytes, palette: Bytes, method: Dither) -> Bytes:
    """The frame ``(h, w, 4)`` in the colours of the palette ``(k, 3)``; alpha stays, and pixels of alpha 0 with it.

    "none" takes the nearest colour. "bayer2", "bayer4" and "bayer8" lay :func:`bayer` matrices over mixtures of two
    colours. "floyd-steinberg" and "atkinson" hand the error of each pixel on (:func:`diffuse`). "yliluoma" lays the
    8x8 matrix over mixtures of as many colours as it takes.
    """
    visible = frame[..., 3] > 0
    out = frame.copy()
    if not visible.any() or not len(palette):
        return out
    if method in ("floyd-steinberg", "atkinson"):
        kernel = FLOYD_STEINBERG if method == "floyd-steinberg" else ATKINSON
        out[..., :3][visible] = palette[diffuse(frame[..., :3], visible, palette, kernel)[visible]]
        return out
    values, place = np.unique(pack(frame[..., :3][visible]), return_inverse=True)
    place = place.reshape(-1)
    colors = unpack(values)
    y, x = np.nonzero(visible)
    if method == "none":
        index = nearest(to_oklab(colors), to_oklab(palette))[place]
    elif method == "yliluoma":
        rank = (bayer(8) * _LIST).astype(np.intp)[y % 8, x % 8]
        colors, shared = _alike(colors, palette)
        index = _lists(colors, palette)[shared[place], rank]
    else:
        side = int(method.removeprefix("bayer"))
        dark, light, share = _pairs(colors, palette)
        index = np.where(share[place] > bayer(side)[y % side, x % side], light[place], dark[place])
    out[..., :3][visible] = palette[index]
    return out


def bayer(side: int) -> Doubles:
    """The thresholds ``(side, side)`` of ordered dithering, 0 < t < 1, for a side of 2, 4, 8 …

    B. E. Bayer, "An optimum method for two-level rendition of continuous-tone pictures", IEEE ICC 1973.
    """
    matrix = np.zeros((1, 1), dtype=np.intp)
    while len(matrix) < side:
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return np.asarray((matrix + 0.5) / side**2)


def _pairs(colors: Bytes, palette: Bytes) -> tuple[Ints, Ints, Doubles]:
    """For each colour two palette colours, the darker and the lighter, and the lighter one's share of their mixture.

    One of them is the nearest colour, the other is the one of those near with which it mixes best; close ones are
    preferred. (The idea of weighing the distance is Yliluoma's, see :func:`_lists`.)
    """
    target, light = LINEAR[colors].astype(np.float64), LINEAR[palette].astype(np.float64)
    tone, shade = to_oklab(colors), to_oklab(palette)
    first, second, share = (np.zeros(len(colors), dtype=kind) for kind in (np.intp, np.intp, np.float64))
    for part in _parts(len(colors), len(palette)):
        near = _nearest_few(tone[part], shade, _MATES)
        base = light[near[:, 0]][:, None]
        along = light[near] - base
        length = (along**2).sum(axis=2)
        wanted = ((target[part][:, None] - base) * along).sum(axis=2) / np.where(length > 0, length, 1)
        wanted = wanted.clip(0, 1)
        miss = ((_oklab(base + wanted[..., None] * along) - tone[part][:, None]) ** 2).sum(axis=2)
        apart = ((shade[near] - shade[near[:, :1]]) ** 2).sum(axis=2)
        best = (miss + _APART * wanted * (1 - wanted) * apart).argmin(axis=1)
        row = np.arange(len(best))
        first[part], second[part], share[part] = near[:, 0], near[row, best], wanted[row, best]
    swap = shade[first, 0] > shade[second, 0]
    return np.where(swap, second, first), np.where(swap, first, second), np.where(swap, 1 - share, share)


def _nearest_few(tone: Floats, shade: Floats, most: int) -> Ints:
    """For each OKLab colour ``(n, 3)`` the nearest of a palette ``(k, 3)``, nearest first: ``(n, min(k, most))``."""
    distance = squares(tone, shade) + np.arange(len(shade)) * 1e-12  # of two equally near the first comes first
    few = np.argpartition(distance, most, axis=1)[:, :most] if len(shade) > most else np.arange(len(shade))[None]
    few = np.broadcast_to(few, (len(tone), few.shape[1]))
    order = np.argsort(np.take_along_axis(distance, few, axis=1), axis=1, kind="stable")
    return np.take_along_axis(few, order, axis=1)


def _lists(colors: Bytes, palette: Bytes) -> Ints:
    """For each colour 64 palette indices, dark to light, that mix to it: ``(n, 64)``.

    Joel Yliluoma, "Arbitrary-palette positional dithering algorithm", 2011
    (https://bisqwit.iki.fi/story/howto/dither/jy/), algorithm 2: again and again the palette colour is added, once or
    doubling the list, that brings the mean closest to the wanted colour. Here the mean is taken in linear light, what
    is closest is judged by OKLab's slope at the wanted colour, and the colours tried are the twelve nearest.
    """
    light, shade = LINEAR[palette].astype(np.float64), to_oklab(palette)
    rank = np.argsort(np.argsort(shade[:, 0], kind="stable"), kind="stable")
    exact = np.isin(pack(colors), pack(palette))
    out = np.empty((len(colors), _LIST), dtype=np.intp)
    for part in _parts(len(colors), len(palette)):
        tone = to_oklab(colors[part])
        near = _nearest_few(tone, shade, _TRIED)
        target = LINEAR[colors[part]].astype(np.float64)
        away = np.einsum("nkc,ndc->nkd", light[near] - target[:, None], _slope(target))
        counts = _mixture(away, exact[part])
        order = np.argsort(rank[near], axis=1, kind="stable")
        ends = np.cumsum(np.take_along_axis(counts, order, axis=1), axis=1)
        slot = (ends[:, None, :] <= np.arange(_LIST)[None, :, None]).sum(axis=2)
        out[part] = np.take_along_axis(np.take_along_axis(near, order, axis=1), slot, axis=1)
    return out


def _alike(colors: Bytes, palette: Bytes) -> tuple[Bytes, Ints]:
    """Fewer colours where there are very many, and which of them stands for each; those of the palette stay apart."""
    if len(colors) <= _MANY:
        return colors, np.arange(len(colors))
    packed = pack(colors)
    key = np.where(np.isin(packed, pack(palette)), packed | 1 << 24, pack(colors >> np.uint8(3)))
    _, first, shared = np.unique(key, return_index=True, return_inverse=True)
    return colors[first], np.asarray(shared.reshape(-1), dtype=np.intp)


def _slope(linear: Doubles) -> Doubles:
    """How OKLab changes with linear light at ``(n, 3)``: ``(n, 3, 3)``, lightness, a and b by red, green and blue."""
    steps = np.eye(3) * _STEP
    change = _oklab(linear[:, None] + 0.01 + steps) - _oklab(linear[:, None] + 0.01 - steps)
    return np.asarray(change.swapaxes(1, 2) / (2 * _STEP), dtype=np.float64)


def _mixture(away: Doubles, exact: Mask) -> Ints:
    """How often each of the colours ``(n, k)`` goes into a list of 64, by how far ``(n, k, 3)`` it is from the goal."""
    size, tried = away.shape[:2]
    counts = np.zeros((size, tried), dtype=np.intp)
    counts[exact, 0] = _LIST
    todo = np.flatnonzero(~exact)
    total, sums, square = counts.sum(axis=1), np.zeros((size, 3)), (away**2).sum(axis=2)
    adds = np.array([1, 2, 4, 8, 16])
    while len(todo):
        now, mixed = total[todo, None], sums[todo]
        # |sums + add * away|², put together from its parts
        cross = np.einsum("nkc,nc->nk", away[todo], mixed)[..., None]
        gap = (mixed**2).sum(axis=1)[:, None, None] + 2 * cross * adds + square[todo][..., None] * adds**2
        miss = gap / (now + adds)[:, None, :] ** 2
        fits = (adds <= np.maximum(now, 1)) & (now + adds <= _LIST)
        miss = np.where(fits[:, None, :], miss, np.inf).reshape(len(todo), -1)
        which, power = np.divmod(miss.argmin(axis=1), len(adds))
        counts[todo, which] += adds[power]
        total[todo] += adds[power]
        sums[todo] += away[todo, which] * adds[power][:, None]
        todo = todo[total[todo] < _LIST]
    return counts


def diffuse(rgb: Bytes, visible: Mask, palette: Bytes, kernel: tuple[tuple[int, int, float], ...]) -> Ints:
    """Error diffusion: palette indices ``(h, w)`` for ``rgb`` ``(h, w, 3)``, zero where not visible.

    R. W. Floyd and L. Steinberg, "An adaptive algorithm for spatial greyscale", Proc. SID 17/2, 1976; Bill Atkinson's
    kernel for the Macintosh, 1984, hands on six eighths of the error, which keeps flat parts clean. The error is one of
    linear light; it is bounded, so that a colour that the palette cannot mix does not flood what comes after it. Rows
    run left to right. All pixels of one ``x + 2 y`` are decided at once, since each needs only pixels of smaller ones.
    """
    height, width = visible.shape
    light, shade = LINEAR[palette].astype(np.float64), to_oklab(palette)
    wanted = np.zeros((height + 2, width + 3, 3))  # a margin takes the error that leaves the picture
    wanted[:height, 1 : width + 1] = LINEAR[rgb].astype(np.float64)
    index = np.zeros((height, width), dtype=np.intp)
    for wave in range(width + 2 * height - 2):
        y = np.arange(max(0, (wave - width + 2) // 2), min(height - 1, wave // 2) + 1)
        y = y[visible[y, wave - 2 * y]]
        x = wave - 2 * y
        target = wanted[y, x + 1].clip(-1, 2)
        index[y, x] = found = nearest(_oklab(target.clip(0, 1)), shade)
        error = target - light[found]
        for right, down, share in kernel:
            wanted[y + down, x + 1 + right] += error * share
    return index


def _oklab(linear: Doubles) -> Floats:
    return linear_to_oklab(linear.astype(np.float32))


def _parts(count: int, width: int) -> list[slice]:
    step = max(1, _CHUNK // max(1, width))
    return [slice(start, start + step) for start in range(0, count, step)]
