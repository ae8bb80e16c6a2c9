"""Keying: the ground that a vendor drew behind a figure made transparent, by flood from the border.

What is enclosed by the figure stays, so an eye of the ground's colour is kept, unless holes are asked for.
"""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.alpha.checkerboard import Checkerboard, find_checkerboard
from pixelrouter.pixels.alpha.despill import despill as take_off
from pixelrouter.pixels.alpha.ground import Ground, find_ground, is_exact, refine, widened
from pixelrouter.pixels.alpha.harden import Mask, connected_to_border
from pixelrouter.pixels.alpha.surface import border
from pixelrouter.pixels.color import Bytes, Floats

_LINE = 0.01  # of a side: the most a frame line round the ground may measure, and never less than one pixel
_FRAMED = 16  # pixels a side below which no frame line is looked for
_ENOUGH = 256  # pixels a side that are enough to measure a ground


def key_out(rgba: Bytes, *, holes: bool = False, despill: bool = False) -> Bytes | None:
    """The image ``(h, w, 4)`` with its ground at alpha 0, or None if its border shows no ground.

    The ground may be one colour, a slow gradient, a vignette or a checkerboard, with noise; a thin frame line round it
    goes as well. ``holes``: enclosed parts of the ground go too. ``despill``: the ground's tint is taken off the
    outline, see :func:`pixelrouter.pixels.despill.despill`.
    """
    found = _key(rgba[..., :3], holes)
    if found is None:
        return None
    mask, ground, inner = found
    out = rgba.copy()
    out[mask] = 0
    if despill:
        out[inner] = take_off(out[inner], ground)
    return out


def has_checkerboard(rgba: Bytes) -> bool:
    """Whether the border of ``(h, w, 4)`` shows the squares with which transparency is drawn."""
    return find_checkerboard(rgba[..., :3]) is not None


def _key(rgb: Bytes, holes: bool) -> tuple[Mask, Ground | Checkerboard, tuple[slice, slice]] | None:
    """What goes, the ground, and the part of the picture that lies inside a frame line, if there is one."""
    height, width = rgb.shape[:2]
    whole = (slice(0, height), slice(0, width))
    thick = [max(1, int(side * _LINE)) for side in (height, width)]
    inner = (slice(thick[0], height - thick[0]), slice(thick[1], width - thick[1]))
    found = _flood(rgb, holes)
    if found is not None and (found[0][inner].any() or min(height, width) < _FRAMED):
        return *found, whole
    if min(height, width) >= _FRAMED:
        frame = np.ones((height, width), dtype=np.bool_)
        frame[inner] = False
        within = _flood(rgb[inner], holes)
        if within is not None and _is_line(rgb[border(height, width)]):
            frame[inner] = within[0]
            return frame, within[1], inner
    return None if found is None else (*found, whole)


def _is_line(ring: Bytes) -> bool:
    """Whether the outermost pixels ``(n, 3)`` are a frame line: all of one colour, and a dull one.

    A bright line is more likely the ground, tightly cut round a figure that fills the picture.
    """
    middle = np.median(ring.astype(np.float32), axis=0)
    alike = (np.abs(ring - middle).max(axis=1) <= 32).mean() >= 0.9
    return bool(alike and np.ptp(middle) <= 64)


def _flood(rgb: Bytes, holes: bool) -> tuple[Mask, Ground | Checkerboard] | None:
    """The pixels of the ground, and the ground; None where there is none or where nothing else would be left."""
    ground: Ground | Checkerboard | None = find_checkerboard(rgb) or find_ground(rgb)
    if ground is None:
        return None
    step = -(-max(rgb.shape[:2]) // _ENOUGH)
    if isinstance(ground, Ground):
        ground = _measured(ground, rgb, step)
    distance = ground.distance(rgb)
    tolerance = ground.tolerance
    if isinstance(ground, Checkerboard):
        few = distance[::step, ::step]
        tolerance = widened(tolerance, few, connected_to_border(few <= tolerance))
    mask = connected_to_border(distance <= tolerance)
    mask |= _specks(mask, distance, tolerance)
    if holes:
        mask |= distance <= tolerance
    return None if mask.all() or not mask.any() else (mask, ground)


def _measured(ground: Ground, rgb: Bytes, step: int) -> Ground:
    """The ground measured again over all of it, which knows its shape and its noise better than its border does.

    Every ``step``-th row and column is enough for that.
    """
    some, few = Ground(ground.surface.every(step), ground.tolerance), rgb[::step, ::step]
    distance = some.distance(few)
    if is_exact(some, few, distance):
        return ground
    some = refine(some, few, connected_to_border(distance <= some.tolerance))
    distance = some.distance(few)
    tolerance = widened(some.tolerance, distance, connected_to_border(distance <= some.tolerance))
    return Ground(ground.surface.bent(some.surface.coefficients), tolerance)


def _specks(mask: Mask, distance: Floats, tolerance: float) -> Mask:
    """Single pixels that noise pushed out of the ground: ground on every side, and not far from it."""
    round_it = np.pad(mask, 1, constant_values=True)
    sides = round_it[:-2, 1:-1] & round_it[2:, 1:-1] & round_it[1:-1, :-2] & round_it[1:-1, 2:]
    return np.asarray(sides & (distance <= 2 * tolerance), dtype=np.bool_)
