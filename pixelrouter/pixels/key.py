"""Keying: the ground that a vendor drew behind a figure made transparent, by flood from the border.

What is enclosed by the figure stays, so an eye of the ground's colour is kept, unless holes are asked for.
"""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.alpha import Mask, connected_to_border
from pixelrouter.pixels.color import Bytes, Floats
from pixelrouter.pixels.despill import despill as take_off
from pixelrouter.pixels.ground import Ground, find_ground, refine, widen

_LINE = 0.01  # of a side: the most a frame line round the ground may measure, and never less than one pixel


def key_out(rgba: Bytes, *, holes: bool = False, despill: bool = False) -> Bytes | None:
    """The image ``(h, w, 4)`` with its ground at alpha 0, or None if its border shows no ground.

    The ground may be one colour, a slow gradient, a vignette or a checkerboard, with noise; a thin frame line round it
    goes as well. ``holes``: enclosed parts of the ground go too. ``despill``: the ground's tint is taken off the
    outline, see :func:`pixelrouter.pixels.despill.despill`.
    """
    rgb = rgba[..., :3]
    found = _key(rgb, holes)
    if found is None:
        return None
    mask, ground, inner = found
    out = rgba.copy()
    out[mask] = 0
    if despill:
        out[inner] = take_off(out[inner], ground)
    return out


def _key(rgb: Bytes, holes: bool) -> tuple[Mask, Ground, tuple[slice, slice]] | None:
    """What goes, the ground, and the part of the picture that lies inside a frame line, if there is one."""
    height, width = rgb.shape[:2]
    whole = (slice(0, height), slice(0, width))
    inner = tuple(slice(line, size - line) for size in (height, width) for line in [max(1, int(size * _LINE))])
    rows, columns = inner
    outer = _flood(rgb, holes)
    framed = np.ones((height, width), dtype=np.bool_)
    framed[rows, columns] = False
    if outer is not None and (outer[0] & ~framed).any():
        return *outer, whole
    if min(height, width) < 16:
        return (*outer, whole) if outer is not None else None
    within = _flood(rgb[rows, columns], holes)
    if within is None or not _line(rgb[framed], within[1]):
        return (*outer, whole) if outer is not None else None
    framed[rows, columns] = within[0]
    return framed, within[1], (rows, columns)


def _line(ring: Bytes, ground: Ground) -> bool:
    """Whether the outermost pixels ``(n, 3)`` are a frame line: all of one colour, and a dull one.

    A bright line is more likely the ground, tightly cut round a figure that fills the picture.
    """
    middle = np.median(ring.astype(np.float32), axis=0)
    alike = (np.abs(ring - middle).max(axis=1) <= 32).mean() >= 0.9
    return bool(alike and np.ptp(middle) <= 64)


def _flood(rgb: Bytes, holes: bool) -> tuple[Mask, Ground] | None:
    """The pixels of the ground, and the ground; None where there is none or where nothing else would be left."""
    ground = find_ground(rgb)
    if ground is None:
        return None
    distance = ground.distance(rgb)
    mask = connected_to_border(distance <= ground.tolerance)
    if distance[mask].max(initial=0.0) >= 1.0:  # not exact: the whole ground knows its shape better than its border
        ground = refine(ground, rgb, mask)
        distance = ground.distance(rgb)
        mask = connected_to_border(distance <= ground.tolerance)
        ground = widen(ground, distance, mask)
        mask = connected_to_border(distance <= ground.tolerance)
        mask |= _specks(mask, distance, ground)
    if holes:
        mask |= distance <= ground.tolerance
    if mask.all() or not mask.any():
        return None
    return mask, ground


def _specks(mask: Mask, distance: Floats, ground: Ground) -> Mask:
    """Single pixels that noise pushed out of the ground: ground on every side, and not far from it."""
    round_it = np.pad(mask, 1, constant_values=True)
    sides = round_it[:-2, 1:-1] & round_it[2:, 1:-1] & round_it[1:-1, :-2] & round_it[1:-1, 2:]
    return np.asarray(sides & (distance <= 2 * ground.tolerance), dtype=np.bool_)


def has_checkerboard(rgba: Bytes) -> bool:
    """Whether the border of ``(h, w, 4)`` shows the squares with which transparency is drawn."""
    ground = find_ground(rgba[..., :3])
    return ground is not None and len(ground.surfaces) == 2
