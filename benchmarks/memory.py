"""The memory of one router over many requests: it must not grow with what was bought.

``python benchmarks/memory.py`` sends 10,000 requests through one router as one batch, in small batches, and through an
asynchronous one, and prints the resident memory and the open files after each tenth of them. Each way runs in a process
of its own, the simulators in others. It ends with status 1 if memory grew by more than the bound in the second half:
until then caches of a fixed size, and the allocators', are still being filled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from market import KEYS

from pixelrouter import AsyncPixelRouter, PixelRouter

BOUND = 1024  # bytes a request in the second half: an image alone has 4096, a kept result far more
NOISE = 4 << 20  # bytes by which resident memory sways without anything being kept
SMALL = 10  # requests of a small batch
CALLS: tuple[dict[str, Any], ...] = (
    {"backend": "pixellab", "size": 32, "model": "pixflux"},
    {"backend": "replicate", "size": 32},
    {"backend": "retrodiffusion", "size": 32},
)


def requests(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"thing {n}", **CALLS[n % len(CALLS)]} for n in range(count)]


@contextlib.contextmanager
def vendors() -> Iterator[dict[str, Any]]:
    """``[backends]`` of simulators in processes of their own, so that what they remember is not counted as ours."""
    with contextlib.ExitStack() as stack:
        sections = {}
        for name in dict.fromkeys(call["backend"] for call in CALLS):
            command = [sys.executable, "-m", "pixelrouter.testing.simulator", name, "--balance", "100000"]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            stack.callback(process.terminate)
            assert process.stdout is not None
            sections[name] = {"base_url": process.stdout.readline().split()[0], "poll_s": 0.01, "timeout_s": 30}
        yield sections


def resident() -> int:
    """Bytes of this process in memory, after what is free was given back."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Measure:
    """Counts outcomes, and looks at the process after each tenth of them."""

    def __init__(self, count: int) -> None:
        self._looks = {count * tenth // 10 for tenth in range(1, 11)}
        self._seen = 0
        self.memory: list[int] = []
        self.files: list[int] = []
        self.failed: list[str] = []

    def count(self, error: BaseException | None) -> None:
        self._seen += 1
        if error is not None:
            self.failed.append(repr(error))
        if self._seen in self._looks:
            self.memory.append(resident())
            self.files.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208  (a plain count)


def one_batch(options: dict[str, Any], count: int, measure: Measure) -> None:
    with PixelRouter(**options) as router:
        for result in router.generate_many(requests(count), concurrency=8):
            measure.count(result.error)


def small_batches(options: dict[str, Any], count: int, measure: Measure) -> None:
    with PixelRouter(**options) as router:
        every = iter(requests(count))
        while batch := list(islice(every, SMALL)):
            for result in router.generate_many(batch, concurrency=4):
                measure.count(result.error)


def awaited(options: dict[str, Any], count: int, measure: Measure) -> None:
    async def run() -> None:
        async with AsyncPixelRouter(**options) as router:
            async for result in router.generate_many(requests(count), concurrency=8):
                measure.count(result.error)

    asyncio.run(run())


WAYS: dict[str, Callable[[dict[str, Any], int, Measure], None]] = {
    "one batch": one_batch,
    "small batches": small_batches,
    "asynchronous": awaited,
}


def measured(way: str, count: int) -> dict[str, Any]:
    """The figures of one way, in this process."""
    measure = Measure(count)
    with vendors() as sections, tempfile.TemporaryDirectory() as folder:
        WAYS[way]({"state": folder, "keys": KEYS, "backends": sections, "timeout_s": 120}, count, measure)
    growth = measure.memory[-1] - measure.memory[4]
    return {
        "way": way,
        "requests": count,
        "mib": [round(memory / 2**20, 1) for memory in measure.memory],
        "bytes_a_request_in_the_second_half": round(growth / (count / 2)),
        "files": measure.files,
        "failed": len(measure.failed),
        "first_failure": measure.failed[0] if measure.failed else "",
        "flat": growth <= max(BOUND * count / 2, NOISE),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    ways = options.way or list(WAYS)
    if options.here:
        print(json.dumps(measured(ways[0], options.requests)))
        return 0
    rows = []
    for way in ways:
        command = [sys.executable, __file__, "--here", "--way", way, "--requests", str(options.requests)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(json.loads(done.stdout))
        if not options.json:
            row = rows[-1]
            mib, files = row["mib"], row["files"]
            print(
                f"{way:14} {mib[0]:6.1f} MiB after {options.requests // 10} requests, {mib[4]:.1f} after"
                f" {options.requests // 2}, {mib[9]:.1f} after {options.requests}:"
                f" {row['bytes_a_request_in_the_second_half']} bytes a request in the second half;"
                f" open files {files[0]}, {files[4]}, {files[9]}; {row['failed']} failed {row['first_failure']}",
                flush=True,
            )
    if options.json:
        print(json.dumps(rows, indent=2))
    return 1 if any(row["failed"] or not row["flat"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
