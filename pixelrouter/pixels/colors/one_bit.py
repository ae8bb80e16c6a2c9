"""1-bit pictures: two colours, by one threshold or by a dither."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelrouter.pixels.color import Bytes, Floats, from_oklab, pack, parse_hex, to_oklab
from pixelrouter.pixels.colors.dither import dither
from pixelrouter.pixels.spec import Dither

_BINS = 256


def two_colors(palette: Sequence[str] | None) -> Bytes:
    """The darkest and the lightest colour ``(2, 3)`` of a palette, in its order; black and white without one."""
    colors = parse_hex(palette or ("#000000", "#ffffff"))
    lightness = to_oklab(colors)[:, 0]
    return colors[sorted({int(lightness.argmin()), int(lightness.argmax())})]


def one_bit(frames: list[Bytes], palette: Bytes, method: Dither) -> list[Bytes]:
    """Frames ``(h, w, 4)`` in two colours ``(2, 3)``; one threshold for all of them, or a dither of their lightness.

    Frames of two colours or fewer are 1-bit already: the darker becomes the darker. A single colour goes to the nearer.
    """
    seen = [frame[..., 3] > 0 for frame in frames]
    rgb = np.concatenate([frame[..., :3][mask] for frame, mask in zip(frames, seen, strict=True)])
    if not len(rgb):
        return frames
    order = to_oklab(palette)[:, 0].argsort(kind="stable")
    dark, light = palette[order[0]], palette[order[-1]]
    few = len(np.unique(pack(rgb))) <= 2
    out = [frame.copy() for frame in frames]
    if few or method == "none":
        lightness = to_oklab(rgb)[:, 0]
        cut = float(to_oklab(palette)[:, 0].mean()) if np.ptp(lightness) < 1e-6 else otsu(lightness)
        for frame, mask in zip(out, seen, strict=True):
            bright = to_oklab(frame[..., :3][mask])[:, 0] > cut
            frame[..., :3][mask] = np.where(bright[:, None], light, dark)
        return out
    ends = np.percentile(to_oklab(rgb)[:, 0], (1, 99))
    return [dither(_toned(frame, dark, light, *ends), palette, method) for frame in out]


def otsu(lightness: Floats) -> float:
    """The threshold that parts values ``(n,)`` into two classes as uniform as can be; the darker is at most it.

    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9/1, 1979. Where several do as
    well, the middle of them.
    """
    low, high = float(lightness.min()), float(lightness.max())
    counts, edges = np.histogram(lightness, bins=_BINS, range=(low, high))
    middle = (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * middle)
    above = len(lightness) - below
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    best = np.flatnonzero(apart >= apart.max() * (1 - 1e-9))
    return float(edges[1 + best].mean())


def _toned(frame: Bytes, dark: Bytes, light: Bytes, low: float, high: float) -> Bytes:
    """The frame in the tones between two colours, its lightness from ``low`` to ``high`` stretched over all of them.

    Without that a dark picture would be nothing but the darker colour.
    """
    share = ((to_oklab(frame[..., :3])[..., :1] - low) / max(high - low, 1e-6)).clip(0, 1)
    out = frame.copy()
    out[..., :3] = from_oklab(to_oklab(dark) * (1 - share) + to_oklab(light) * share)
    out[frame[..., 3] == 0] = frame[frame[..., 3] == 0]
    return out
