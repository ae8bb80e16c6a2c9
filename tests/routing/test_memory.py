"""A router that lives long holds no more than one that has just begun."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from pixelrouter import PixelRouter
from tests.routing.test_kill_matrix import figures

FILES = Path("/proc/self/fd")


@pytest.mark.skipif(not FILES.exists(), reason="open files are counted where Linux tells them")
@pytest.mark.slow
def test_batches_leave_no_files_open(tmp_path: Path) -> None:
    def batch(number: int) -> int:
        assert all(one.art for one in router.generate_many([f"coin {number}", f"key {number}"], size=16, concurrency=2))
        gc.collect()
        return len(list(FILES.iterdir()))

    with PixelRouter(state=tmp_path / "state", backend="procedural") as router:
        first = max(batch(number) for number in range(2))
        assert max(batch(number) for number in range(2, 12)) <= first + 2


@pytest.mark.slow
def test_memory_stays_flat() -> None:
    rows = figures("memory.py", "--requests", "1000")
    assert [row["way"] for row in rows] == ["one batch", "small batches", "asynchronous"]
    assert all(row["flat"] and row["files"][-1] <= row["files"][0] + 10 for row in rows)
