"""Smooth colour surfaces: the polynomial in y and x that a slowly changing ground follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats

Doubles = NDArray[np.float64]
Places = NDArray[np.intp]

_CALM = 1e-4  # weight on small coefficients: keeps a surface calm where no ground was seen


@dataclass(frozen=True)
class Surface:
    """A colour for every pixel of a picture: coefficients ``(terms_y, terms_x, 3)`` in bytes, over -1..1 in y and x."""

    y: Doubles
    x: Doubles
    coefficients: Doubles

    @classmethod
    def flat(cls, shape: tuple[int, int], color: Doubles) -> Surface:
        """One colour ``(3,)`` all over a picture of ``shape`` (h, w)."""
        return cls(_axis(shape[0]), _axis(shape[1]), color[None, None, :])

    def bent(self, coefficients: Doubles) -> Surface:
        """Another surface over the same picture."""
        return Surface(self.y, self.x, coefficients)

    def every(self, step: int) -> Surface:
        """The same over every ``step``-th row and column."""
        return Surface(self.y[::step], self.x[::step], self.coefficients)

    def at(self, y: Places, x: Places) -> Floats:
        """The colours ``(n, 3)`` at rows and columns ``(n,)``, bytes as floats."""
        rows = np.vander(self.y[y], self.coefficients.shape[0], increasing=True)
        columns = np.vander(self.x[x], self.coefficients.shape[1], increasing=True)
        return np.asarray(np.einsum("nj,ni,jic->nc", rows, columns, self.coefficients), dtype=np.float32)

    def distance(self, rgb: Bytes) -> Floats:
        """How far each pixel of ``(h, w, 3)`` is from the surface, in bytes (Euclid): ``(h, w)``."""
        rows = np.vander(self.y, self.coefficients.shape[0], increasing=True).astype(np.float32)
        columns = np.vander(self.x, self.coefficients.shape[1], increasing=True).astype(np.float32)
        total = np.zeros(rgb.shape[:2], dtype=np.float32)
        for channel in range(3):  # one plane after the other: less memory, and each in one piece
            terms = self.coefficients[..., channel].astype(np.float32)
            off = rgb[..., channel] - (rows @ (terms @ columns.T) if terms.size > 1 else terms)
            total += off * off
        return np.asarray(np.sqrt(total), dtype=np.float32)

    def fit(self, y: Places, x: Places, colors: Doubles, degree: int) -> Surface:
        """Another surface over the same picture: of total degree ``degree``, by least squares through ``(n, 3)``."""
        powers = [(j, i) for j in range(degree + 1) for i in range(degree + 1 - j)]
        terms = np.stack([self.y[y] ** j * self.x[x] ** i for j, i in powers], axis=1)
        calm = np.diag([_CALM * len(y) * (j + i) + 1e-9 for j, i in powers])
        found = np.linalg.solve(terms.T @ terms + calm, terms.T @ colors)
        coefficients = np.zeros((degree + 1, degree + 1, 3))
        for (j, i), row in zip(powers, found, strict=True):
            coefficients[j, i] = row
        return self.bent(coefficients)


def length(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """The Euclidean length of vectors ``(..., 3)``."""
    return np.asarray(np.sqrt((vectors * vectors).sum(axis=-1)))


def border(height: int, width: int) -> tuple[Places, Places]:
    """Rows and columns of the border pixels of a picture, each once."""
    y, x = np.arange(height), np.arange(width)
    if height == 1 or width == 1:
        return np.repeat(y, width), np.tile(x, height)
    sides, ends = y[1:-1], np.ones(width, dtype=np.intp)
    rows = np.concatenate([0 * ends, (height - 1) * ends, sides, sides])
    columns = np.concatenate([x, x, 0 * sides, 0 * sides + width - 1])
    return rows, columns


def mode(colors: Doubles, near: float) -> Doubles:
    """The most frequent colour of ``(n, 3)``, as the median of all that lie within ``near`` bytes of it."""
    bins = (colors // 16).astype(np.int64) @ [256, 16, 1]
    _, index, counts = np.unique(bins, return_inverse=True, return_counts=True)
    center = np.median(colors[index.reshape(-1) == counts.argmax()], axis=0)
    return np.asarray(np.median(colors[length(colors - center) <= near], axis=0))


def _axis(size: int) -> Doubles:
    return np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
