"""Recognising art that is at 1x already: few colours, in patches, a jump from one to the next.

A photo has thousands of colours, or, in grey, neighbours that differ by a level or two.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.grid.edges import Steps, scan_lines

_LONGEST = 1024  # pixels: no one draws single pixels over a larger canvas
_SMALL, _SINGLE = 256, 0.01  # on a canvas longer than the first there are single pixels, at least this share
_STRONG = 24  # levels of all channels together that a strong step has at least
_LINES = 48  # scan lines looked at for single pixels
_COLORS = 512
_ALIKE = 0.4  # share of pixels that equal a neighbour, at least
_FAINT = 6  # levels: a difference between neighbours that a palette does not make
_FAINT_SHARE = 0.25  # of all differences, at most


def is_native(image: Bytes) -> bool:
    """Whether premultiplied ``(h, w, 4)`` looks like art whose pixels were set one by one."""
    height, width = image.shape[:2]
    if max(height, width) > _LONGEST or (max(height, width) > _SMALL and single_pixels(image) < _SINGLE):
        return False
    if Image.fromarray(image).getcolors(_COLORS) is None:  # gives up as soon as there are more
        return False
    packed = np.ascontiguousarray(image).view(np.uint32)[..., 0]
    across, down = packed[:, 1:] == packed[:, :-1], packed[1:] == packed[:-1]
    alike = np.zeros(packed.shape, dtype=bool)
    alike[:, 1:] |= across
    alike[:, :-1] |= across
    alike[1:] |= down
    alike[:-1] |= down
    if alike.mean() < _ALIKE:
        return False
    steps = [_largest(image[:, 1:], image[:, :-1])[~across], _largest(image[1:], image[:-1])[~down]]
    differences = np.concatenate(steps)
    return len(differences) == 0 or float((differences <= _FAINT).mean()) <= _FAINT_SHARE


def single_pixels(image: Bytes) -> float:
    """The share of strong steps that the very next step takes back: features one pixel wide.

    Art at 1x is full of them; an enlarged image has none, and neither has a canvas too large for 1x.
    """
    if max(image.shape[:2]) > _LONGEST:
        return 0.0
    return max(_taken_back(scan_lines(image, axis, group=1, count=_LINES).values) for axis in (1, 0))


def _taken_back(lines: Steps) -> float:
    brightness = lines.sum(axis=2, dtype=np.int16)
    step = brightness[1:] - brightness[:-1]
    strong = max(_STRONG, int(np.abs(step).max(initial=0)) // 2)
    up, down = step > strong, step < -strong
    back = int((up[:-1] & down[1:]).sum() + (down[:-1] & up[1:]).sum())
    return back / max(1, int(up.sum() + down.sum()))


def _largest(one: Bytes, other: Bytes) -> Bytes:
    """The largest difference of any channel."""
    return np.asarray((np.maximum(one, other) - np.minimum(one, other)).max(axis=2), dtype=np.uint8)
