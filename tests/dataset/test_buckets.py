"""Buckets as the trainer makes them, and whole factors into them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrouter.dataset import bucket_sizes, place

SIZES = st.tuples(st.integers(1, 400), st.integers(1, 400))


def trainer(resolution: int, least: int, most: int, step: int) -> set[tuple[int, int]]:
    """What kohya-ss/sd-scripts documents: side by side, the greatest other side within the area, and the square."""
    area = resolution * resolution
    sizes = {(int(math.sqrt(area) // step) * step,) * 2}
    side = least
    while side <= most:
        other = min(most, area // side // step * step)
        if other >= least:
            sizes |= {(side, other), (other, side)}
        side += step
    return sizes


@pytest.mark.parametrize("resolution", [512, 640, 768, 1024])
@pytest.mark.parametrize("most", [1024, 2048])
def test_the_buckets_are_the_trainers(resolution: int, most: int) -> None:
    assert set(bucket_sizes(resolution, most=most)) == trainer(resolution, 256, most, 64)


def test_buckets_of_512_by_hand() -> None:
    wide = [(512, 512), (576, 448), (640, 384), (704, 320), (768, 320), (832, 256), (896, 256), (960, 256), (1024, 256)]
    others = {(high, wide) for wide, high in wide} | {(320, 768), (384, 640), (448, 576)}
    assert set(bucket_sizes(512)) == set(wide) | others


@given(SIZES)
def test_a_placement_is_whole_and_the_least_wasteful(size: tuple[int, int]) -> None:
    buckets = bucket_sizes(512)
    found = place(size, buckets)
    assert found is not None
    left, top, right, bottom = found.box
    assert (right - left, bottom - top) == (size[0] * found.factor, size[1] * found.factor)
    assert left % found.factor == top % found.factor == 0
    assert 0 <= left < right <= found.bucket[0]
    assert 0 <= top < bottom <= found.bucket[1]
    for wide, high in buckets:
        factor = min(wide // size[0], high // size[1])
        waste = 1 - size[0] * size[1] * factor**2 / (wide * high)
        assert found.waste <= waste + 1e-8


def test_what_fits_exactly_is_not_padded() -> None:
    found = place((32, 32), bucket_sizes(512))
    assert found is not None
    assert (found.factor, found.bucket, found.waste) == (16, (512, 512), 0)


def test_only_the_factors_that_were_asked_for() -> None:
    buckets = bucket_sizes(512)
    found = place((24, 24), buckets, (8, 16))
    assert found is not None
    assert found.factor == 16
    assert place((100, 100), buckets, (8, 16)) is None
    assert place((1025, 10), buckets) is None
