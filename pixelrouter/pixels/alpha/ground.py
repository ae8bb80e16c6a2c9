"""The ground behind a figure, as the border of a picture shows it: one colour or a slow gradient, and its noise.

How far a pixel may lie from the ground and still belong to it is measured too: the border of a clean PNG is exact,
that of a noisy JPEG is not. Colours are compared in sRGB bytes, because noise, compression and vignettes are even
there, in the dark as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.alpha.surface import Doubles, Places, Surface, border, length, mode
from pixelrouter.pixels.color import Bytes, Floats, pack

_REACH = 40.0  # byte distance from the fit within which a border pixel may still belong to the ground
_EXACT, _CLEAN = 1.5, 6.0  # tolerance on a ground of one value, and on one with hardly any noise
_FEW = 4  # colours so near to each other may be drawn; more of them are noise
_LEAST, _MOST = 12.0, 56.0  # tolerance on a noisy one: compression is worse beside the figure than at the border
_SPOILT = 0.15  # of the ground, the most that compression may have spoilt
_NOISY = 0.003  # share of the ground's pixels that must be off before it counts as noisy
_SHARE = 0.5  # of the border must be ground; a figure may touch the rest
_POINTS = 4096  # a surface is fitted to at most so many pixels

# Degree of the surface and reach, round after round: see _fit_border.
_ROUNDS = ((0, 40), (1, 40), (1, 40), (1, 32), (1, 32), (2, 32), (2, 32), (2, 32), (2, 24), (2, 24))


@dataclass(frozen=True)
class Ground:
    """A ground: its colour at every pixel, and the distance in bytes that still counts as ground."""

    surface: Surface
    tolerance: float

    def at(self, y: Places, x: Places) -> Floats:
        """The ground's colours ``(n, 3)`` at rows and columns ``(n,)``, bytes as floats."""
        return self.surface.at(y, x)

    def distance(self, rgb: Bytes) -> Floats:
        """How far each pixel of ``(h, w, 3)`` is from the ground, in bytes (Euclid): ``(h, w)``."""
        return self.surface.distance(rgb)


def find_ground(rgb: Bytes) -> Ground | None:
    """The ground of a picture ``(h, w, 3)``, or None if its border has none."""
    shape = rgb.shape[0], rgb.shape[1]
    y, x = border(*shape)
    colors = rgb[y, x].astype(np.float64)
    if (value := _one_value(colors)) is not None:
        return Ground(Surface.flat(shape, value), _EXACT)
    thin = slice(None, None, max(1, len(y) // _POINTS))
    surface, rest = _fit_border(shape, y[thin], x[thin], colors[thin])
    tolerance = _tolerance(rest)
    return Ground(surface, tolerance) if (rest <= tolerance).mean() >= _SHARE else None


def is_exact(ground: Ground, rgb: Bytes, distance: Floats) -> bool:
    """Whether what is nearly of the ground's one value is drawn, outlines of 4, 4, 4 on black for instance.

    Drawn colours are few; compression, which may have spared the border, leaves many.
    """
    if ground.tolerance > _EXACT:
        return False
    near = rgb[(distance > _EXACT) & (distance <= _CLEAN)]
    return len(np.unique(pack(near))) <= _FEW


def refine(ground: Ground, rgb: Bytes, mask: NDArray[np.bool_]) -> Ground:
    """The ground fitted again to all the pixels that were found to be ground, with a surface that may bend more."""
    y, x = np.nonzero(mask)
    if len(y) < 200:
        return ground
    thin = slice(None, None, max(1, len(y) // _POINTS))
    y, x = y[thin], x[thin]
    colors = rgb[y, x].astype(np.float64)
    surface = ground.surface.fit(y, x, colors, 4)
    rest = length(colors - surface.at(y, x))
    return Ground(surface, max(_tolerance(rest), min(ground.tolerance, _LEAST)))


def widened(tolerance: float, distance: Floats, mask: NDArray[np.bool_]) -> float:
    """The tolerance that the figure leaves room for, if the ground ``mask`` is not exact.

    Compression spoils the ground most where it meets the figure, far from the border where it was measured. The
    tolerance grows to where the fewest pixels lie: the valley between what is ground and what is figure.
    """
    if not mask.any() or (distance[mask] > _EXACT).mean() < _NOISY:
        return tolerance
    edges = np.arange(max(tolerance, _LEAST), _MOST + 1, 2.0)
    if len(edges) < 3:
        return tolerance
    count = np.histogram(distance[~mask], edges)[0].astype(np.float64)
    smooth = np.convolve(np.pad(count, 1, mode="edge"), np.ones(3), mode="valid")
    # Behind a peak lies another colour of the figure, not a valley.
    smooth = smooth[: max(1, np.count_nonzero(np.cumsum(count) <= _SPOILT * np.count_nonzero(mask)))]
    at = int(np.flatnonzero(smooth <= smooth.min() + 0.02 * smooth.max())[0])
    return float(edges[at] + 2.0)


def noise_tolerance(rest: NDArray[np.floating]) -> float:
    """How far from a fit a pixel may lie, from how far ``(n,)`` pixels do that are mostly ground.

    Of normal noise nearly all is within 2.6 times the median, which a few pixels of a figure do not move.
    """
    if not len(rest) or np.quantile(rest, 0.97) < 1.0:
        return _CLEAN
    spread = min(1.35 * float(np.quantile(rest, 0.97)), 2.8 * float(np.median(rest)))
    return float(np.clip(spread + 8, _LEAST, _MOST))


def _tolerance(rest: NDArray[np.floating]) -> float:
    return noise_tolerance(rest[rest <= _REACH])


def _one_value(colors: Doubles) -> Doubles | None:
    """The colour that most of the border has exactly, if little else comes near it: no noise, no compression."""
    values, counts = np.unique(colors, axis=0, return_counts=True)
    middle = values[counts.argmax()]
    near = length(values - middle) <= _REACH
    return middle if counts.max() >= _SHARE * len(colors) and np.count_nonzero(near) <= _FEW else None


def _fit_border(shape: tuple[int, int], y: Places, x: Places, colors: Doubles) -> tuple[Surface, NDArray[np.floating]]:
    """A smooth surface through the largest part of the border, and every border pixel's distance from it.

    Grown from the most frequent colour: what lies near the fit joins it, and the fit is made again (least squares
    reweighted with weights 0 and 1), so that a figure at the border does not bend it.
    """
    surface = Surface.flat(shape, mode(colors, _REACH))
    rest = length(colors - surface.at(y, x))
    for degree, reach in _ROUNDS:
        inside = rest <= reach
        if np.count_nonzero(inside) < 4 * (degree + 1) ** 2:
            break
        surface = surface.fit(y[inside], x[inside], colors[inside], degree)
        rest = length(colors - surface.at(y, x))
    return surface, rest
