"""Repeatable chance: numbers that depend on text only, on every machine and Python version.

Neither ``hash()`` nor ``random`` is used: the first is salted per process, the second may change between versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Rng:
    """A stream of numbers drawn from SHA-256 over ``key`` and a counter."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._count = 0

    def bits(self) -> int:
        """The next 32 random bits."""
        digest = hashlib.sha256(f"{self.key}\x1f{self._count}".encode()).digest()
        self._count += 1
        return int.from_bytes(digest[:4], "big")

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A float in ``[low, high)``."""
        return low + (high - low) * (self.bits() / 2**32)

    def near(self, value: float, part: float = 0.1) -> float:
        """``value``, changed by at most ``part`` of itself either way."""
        return value * self.uniform(1 - part, 1 + part)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of ``items``."""
        return items[self.bits() * len(items) >> 32]

    def fork(self, name: str) -> Rng:
        """An independent stream, so that a draw added in one place changes nothing in another."""
        return Rng(f"{self.key}\x1f{name}")


def lattice(x: npt.NDArray[Any], y: npt.NDArray[Any], salt: int) -> Floats:
    """Noise in ``[0, 1)`` for integer coordinates: an avalanche of multiplications and shifts modulo 2**32."""
    mask = np.uint64(0xFFFFFFFF)
    h = (x.astype(np.uint64) * np.uint64(374761393) + y.astype(np.uint64) * np.uint64(668265263)) & mask
    h = (h + np.uint64(salt & 0xFFFFFFFF) * np.uint64(2246822519)) & mask
    for shift, factor in ((15, 2246822519), (13, 3266489917), (16, 1)):
        h ^= h >> np.uint64(shift)
        h = (h * np.uint64(factor)) & mask
    return h.astype(np.float64) / 2.0**32
