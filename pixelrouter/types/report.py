"""What finishing found and did: the grid of an image and the report beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Grid:
    """The pixel grid found in an image. Lengths in source pixels, ``(x, y)``; ``confidence`` 0..1."""

    period: tuple[float, float]
    phase: tuple[float, float]
    size: tuple[int, int]  # cells across and down
    drift: float = 0.0  # largest distance of a cut line from a perfectly regular one
    confidence: float = 0.0
    native: bool = False  # True: the image is at 1x already


@dataclass(frozen=True)
class Report:
    """What finishing did to one image, and how sure it is."""

    source_size: tuple[int, int]
    size: tuple[int, int]
    method: str  # "native", "snap", "resample" or "convert"
    grid: Grid
    colors_before: int  # above 1024 within a few percent
    colors_after: int
    transparent: bool
    warnings: tuple[str, ...] = ()
    score: float | None = None  # 0..100, of the check, where a least score was asked for

    @property
    def confidence(self) -> float:
        """How surely the image lay on a pixel grid, 0..1."""
        return self.grid.confidence

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
