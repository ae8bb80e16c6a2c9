"""Shapes as signed distances: negative inside, zero on the edge, in the units of the drawing (about -1 to 1, y down).

A distance says more than a mask: its zero is the silhouette, its depth the bulge, its slope the surface's direction.
The formulas are Inigo Quilez's 2D distance functions (iquilezles.org/articles/distfunctions2d).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from pixelrouter.backends.procedural.rng import Floats

Point = tuple[float, float]


class Shape:
    """A signed distance function of x and y with the operators of set algebra."""

    def __init__(self, f: Callable[[Floats, Floats], Floats]) -> None:
        self.f = f

    def __or__(self, other: Shape) -> Shape:
        return Shape(lambda x, y: np.minimum(self.f(x, y), other.f(x, y)))

    def __and__(self, other: Shape) -> Shape:
        return Shape(lambda x, y: np.maximum(self.f(x, y), other.f(x, y)))

    def __sub__(self, other: Shape) -> Shape:
        return Shape(lambda x, y: np.maximum(self.f(x, y), -other.f(x, y)))

    def blend(self, other: Shape, k: float) -> Shape:
        """The union with the inner corner filled by a fillet of about ``k``."""

        def f(x: Floats, y: Floats) -> Floats:
            a, b = self.f(x, y), other.f(x, y)
            h = np.maximum(k - np.abs(a - b), 0.0) / k
            return np.asarray(np.minimum(a, b) - h * h * k / 4)

        return Shape(f)

    def both(self) -> Shape:
        """The shape and its mirror image across x = 0."""
        return Shape(lambda x, y: np.minimum(self.f(x, y), self.f(-x, y)))

    def flip(self) -> Shape:
        """The mirror image across x = 0."""
        return Shape(lambda x, y: self.f(-x, y))

    def move(self, dx: float, dy: float) -> Shape:
        """The same shape elsewhere."""
        return Shape(lambda x, y: self.f(x - dx, y - dy))

    def grow(self, by: float) -> Shape:
        """Thicker by ``by`` all round; thinner if negative."""
        return Shape(lambda x, y: self.f(x, y) - by)

    def turn(self, degrees: float) -> Shape:
        """Turned clockwise (as seen) about the origin."""
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return Shape(lambda x, y: self.f(c * x + s * y, c * y - s * x))


def circle(x: float, y: float, r: float) -> Shape:
    """A disc."""
    return Shape(lambda px, py: np.sqrt((px - x) ** 2 + (py - y) ** 2) - r)


def ellipse(x: float, y: float, rx: float, ry: float) -> Shape:
    """An upright ellipse (the distance is approximate away from the edge)."""
    return Shape(lambda px, py: (np.sqrt(((px - x) / rx) ** 2 + ((py - y) / ry) ** 2) - 1) * min(rx, ry))


def box(x0: float, y0: float, x1: float, y1: float, r: float = 0.0) -> Shape:
    """A rectangle between two corners, its corners rounded by ``r``."""
    cx, cy, hw, hh = (x0 + x1) / 2, (y0 + y1) / 2, abs(x1 - x0) / 2 - r, abs(y1 - y0) / 2 - r

    def f(px: Floats, py: Floats) -> Floats:
        dx, dy = np.abs(px - cx) - hw, np.abs(py - cy) - hh
        outside = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2)
        return np.asarray(outside + np.minimum(np.maximum(dx, dy), 0) - r)

    return Shape(f)


def poly(*points: Point) -> Shape:
    """A closed polygon, not necessarily convex."""

    def f(px: Floats, py: Floats) -> Floats:
        best = np.full(px.shape, np.inf)
        inside = np.zeros(px.shape, dtype=bool)
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
            best = np.minimum(best, _to_segment(px, py, ax, ay, bx, by)[0])
            if ay != by:
                inside ^= ((ay > py) != (by > py)) & (px < (bx - ax) * (py - ay) / (by - ay) + ax)
        distance = np.sqrt(best)
        return np.asarray(np.where(inside, -distance, distance))

    return Shape(f)


def mirrored(*points: Point) -> Shape:
    """A polygon given by its right half, top to bottom, closed by its mirror image."""
    return poly(*points, *((-x, y) for x, y in reversed(points)))


def _to_segment(px: Floats, py: Floats, ax: float, ay: float, bx: float, by: float) -> tuple[Floats, Floats]:
    """Squared distance to a segment, and how far along it (0..1) the nearest point lies."""
    ex, ey = bx - ax, by - ay
    wx, wy = px - ax, py - ay
    length = ex * ex + ey * ey
    along = np.clip((wx * ex + wy * ey) / length, 0.0, 1.0) if length else np.zeros(px.shape)
    return (wx - ex * along) ** 2 + (wy - ey * along) ** 2, along


def limb(x0: float, y0: float, x1: float, y1: float, r0: float, r1: float | None = None) -> Shape:
    """A thick line with round ends; its radius runs from ``r0`` to ``r1``."""
    end = r0 if r1 is None else r1

    def f(px: Floats, py: Floats) -> Floats:
        squared, along = _to_segment(px, py, x0, y0, x1, y1)
        return np.asarray(np.sqrt(squared) - (r0 + (end - r0) * along))

    return Shape(f)


def path(points: Sequence[Point], r0: float, r1: float | None = None) -> Shape:
    """A thick line through all points, its radius running from ``r0`` to ``r1``."""
    end, steps = (r0 if r1 is None else r1), len(points) - 1
    radii = [r0 + (end - r0) * i / steps for i in range(steps + 1)]
    shape = limb(*points[0], *points[1], radii[0], radii[1])
    for i in range(1, steps):
        shape = shape | limb(*points[i], *points[i + 1], radii[i], radii[i + 1])
    return shape


def arc(x: float, y: float, radius: float, start: float, end: float, r0: float, r1: float | None = None) -> Shape:
    """A thick piece of a circle, from ``start`` to ``end`` degrees (0 right, 90 down)."""
    steps = max(3, round(abs(end - start) / 18))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return path([(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], r0, r1)


def ring(x: float, y: float, radius: float, half: float) -> Shape:
    """A full ring: ``radius`` to its middle, ``half`` its half thickness."""
    return Shape(lambda px, py: np.abs(np.sqrt((px - x) ** 2 + (py - y) ** 2) - radius) - half)


def star(x: float, y: float, outer: float, inner: float, points: int = 5) -> Shape:
    """A star with one point upwards."""
    corners = []
    for i in range(points * 2):
        r, a = (outer if i % 2 == 0 else inner), math.pi * i / points
        corners.append((x + r * math.sin(a), y - r * math.cos(a)))
    return poly(*corners)


def heart_shape(x: float, y: float, half: float) -> Shape:
    """A heart, ``half`` its half width (the curve x = 16 sin^3, mathworld.wolfram.com/HeartCurve.html)."""
    corners = []
    for i in range(36):
        t = 2 * math.pi * i / 36
        up = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        corners.append((x + half * math.sin(t) ** 3, y - half * up / 16))
    return poly(*corners)


def blobs(centers: Sequence[Point], radius: float) -> Shape:
    """Balls melted into one body: a field of bell curves, cut where a lone ball would have ``radius``."""

    def f(px: Floats, py: Floats) -> Floats:
        total = np.zeros(px.shape)
        for x, y in centers:
            total += np.exp(-((px - x) ** 2 + (py - y) ** 2) / (radius * radius))
        # The logarithm turns the field back into something like a distance.
        return np.asarray(-radius * 0.5 * (np.log(np.maximum(total, 1e-9)) + 1))

    return Shape(f)
