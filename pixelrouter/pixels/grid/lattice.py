"""The value that grid detection gives: cut lines in source pixels, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.types import Grid

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """A grid with its cut lines in source pixels: ``len(x) - 1`` cells across, ``len(y) - 1`` down."""

    x: Doubles
    y: Doubles
    grid: Grid

    @classmethod
    def native(cls, width: int, height: int, confidence: float, *, at_1x: bool = True) -> Lattice:
        """Every pixel its own cell."""
        grid = Grid((1.0, 1.0), (0.0, 0.0), (width, height), 0.0, confidence, native=at_1x)
        return cls(np.arange(width + 1.0), np.arange(height + 1.0), grid)
