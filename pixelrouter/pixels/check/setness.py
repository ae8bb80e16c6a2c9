"""Were the pixels of a picture set one by one, or do they shade into each other as those of a photo do?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes

# The limits lie between 33 hand-made sprites and the 30 photos, scans and drawings that ship with scikit-image 0.26.
_SMALL_STEP = 10  # levels of 255; most changes in a photo or a blur are no larger
_GRADUAL = (0.40, 0.70)  # share of such changes: sprites have at most 0.37, photos mostly more than 0.7
_SLOPES = (0.20, 0.35)  # share of pixels on a gentle slope: sprites at most 0.18, photos 0.15 to 0.6
_MANY = 1024  # colours; pixels that were set one by one have fewer
_FEW = (64, 128)  # colours; with fewer than the first nothing can shade into anything
_LARGE = 256  # pixels; a larger picture at 1x without any detail of one pixel is a flat drawing
_DETAIL = 0.005  # share of the runs that are one pixel long: 0.01 and more in sprites
_LINES = 512  # rows and columns that are read at most


def setness(rgba: Bytes, codes: NDArray[np.uint32], colors: int) -> float:
    """1 where the pixels of ``(h, w, 4)`` were set one by one, 0 where they shade into each other.

    ``codes`` has one number a pixel, the same for the same look; ``colors`` is how many colours there are.
    """
    planes = [np.where(codes == 0, np.uint8(0), rgba[..., channel]).astype(np.int16) for channel in range(4)]
    small = slopes = changes = pixels = single = runs = 0
    for turned in (False, True):
        values = codes.T if turned else codes
        step = max(1, values.shape[0] // _LINES)
        changed = values[::step, 1:] != values[::step, :-1]
        large = np.zeros(changed.shape, dtype=bool)
        bright = np.zeros(changed.shape, dtype=np.int16)
        for channel, plane in enumerate(planes):
            lines = (plane.T if turned else plane)[::step]
            gap = lines[:, 1:] - lines[:, :-1]
            large |= np.abs(gap) > _SMALL_STEP
            if channel < 3:
                bright += gap
        small += int((changed & ~large).sum())
        changes += int(changed.sum())
        gentle = np.abs(bright) < 9 * _SMALL_STEP
        up, down = gentle & (bright > 0), gentle & (bright < 0)
        slopes += int((up[:, 1:] & up[:, :-1]).sum() + (down[:, 1:] & down[:, :-1]).sum())
        pixels += changed.size
        single += int((changed[:, 1:] & changed[:, :-1]).sum())
        runs += int(changed[:, 1:].sum())
    gradual = _above(small / max(1, changes), _GRADUAL)
    sloping = _above(slopes / max(1, pixels), _SLOPES)
    many = min(1.0, _MANY / max(1, colors))
    if max(codes.shape) <= _LARGE:  # a small picture of few colours is pixels, however close those are
        sure = _above(colors, _FEW)
        gradual, sloping = gradual * sure, sloping * sure
    flat = min(1.0, single / max(1, runs) / _DETAIL) if max(codes.shape) > _LARGE and runs else 1.0
    return (1 - gradual) * (1 - sloping) * many * flat


def _above(value: float, limits: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - limits[0]) / (limits[1] - limits[0])))
