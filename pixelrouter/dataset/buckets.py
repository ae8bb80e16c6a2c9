"""Training sizes ("buckets"), and how a picture at 1x fits into one: by a whole factor, the rest is padding.

The sizes are those of kohya-ss/sd-scripts (``make_bucket_resolutions`` in library/model_util.py, November 2026): every
width from the least side to the greatest in steps of 64, each with the greatest height whose area stays within
resolution x resolution, where that is no less than the least side, both ways round, and the square. Its trainer takes
an image that has exactly such a size as it is (``BucketManager.select_bucket``); any other it resizes, which smooths.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Size = tuple[int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Placement:
    """How a picture lies in its bucket: enlarged by ``factor``, at ``box`` (left, top, right, bottom) in pixels.

    ``left`` and ``top`` are multiples of the factor, so the whole file lies on one grid that begins in its upper left
    corner.
    """

    factor: int
    bucket: Size
    box: Box

    @property
    def waste(self) -> float:
        """The share of the bucket that is padding, 0..1."""
        left, top, right, bottom = self.box
        return 1 - (right - left) * (bottom - top) / (self.bucket[0] * self.bucket[1])


def bucket_sizes(resolution: int, *, step: int = 64, least: int = 256, most: int = 1024) -> tuple[Size, ...]:
    """Every bucket (width, height) of a resolution, sorted; see the module. All numbers are pixels."""
    area = (resolution // step) ** 2  # in steps
    square = math.isqrt(area) * step
    sizes = {(square, square)}
    for side in range(least, most + 1, step):
        other = min(most, area // (side // step) * step)
        if other >= least:
            sizes |= {(side, other), (other, side)}
    return tuple(sorted(sizes))


def place(size: Size, buckets: Iterable[Size], factors: tuple[int, ...] | None = None) -> Placement | None:
    """The placement of a picture that wastes the smallest share of its bucket; None where it fits into none.

    In each bucket the factor is the largest whole number (``factors``: the largest of these) with which the picture
    fits. Of equals the larger factor wins, then the smaller bucket.
    """
    found = [one for bucket in buckets if (one := _in_bucket(size, bucket, factors))]
    return min(found, key=lambda one: (round(one.waste, 9), -one.factor, one.bucket), default=None)


def as_it_is(size: Size) -> Placement:
    """The placement of a picture that stays at 1x."""
    return Placement(1, size, (0, 0, *size))


def _in_bucket(size: Size, bucket: Size, factors: tuple[int, ...] | None) -> Placement | None:
    room = min(bucket[0] // size[0], bucket[1] // size[1])
    factor = room if factors is None else max((one for one in factors if one <= room), default=0)
    if factor < 1:
        return None
    wide, high = size[0] * factor, size[1] * factor
    left, top = ((whole - part) // 2 // factor * factor for whole, part in ((bucket[0], wide), (bucket[1], high)))
    return Placement(factor, bucket, (left, top, left + wide, top + high))
