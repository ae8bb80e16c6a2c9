"""The engine's own cost: import, a call on top of the simulator's, ledger pairs, memory with 50 requests in flight.

Prints each figure beside the bound it has to keep. Run it on a quiet machine: ``python benchmarks/spine.py``.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

KEY = "rdpk-benchmark-01"
PROBE = "import time; t = time.perf_counter(); import pixelrouter; print(time.perf_counter() - t)"
HEAVY = "import sys, pixelrouter; print([m for m in ('httpx', 'numpy', 'PIL') if m in sys.modules])"


def import_time() -> None:
    runs = [float(subprocess.check_output([sys.executable, "-c", PROBE])) for _ in range(7)]
    heavy = subprocess.check_output(
        [
            sys.executable,
            "-c",
            "import sys, pixelrouter; print([m for m in ('httpx', 'numpy', 'PIL') if m in sys.modules])",
        ]
    )
    print(f"import pixelrouter: {1000 * statistics.median(runs):.1f} ms (bound 150); heavy modules: {heavy}")


def ledger_pairs() -> None:
    from pixelrouter.money.budget import Cap, Purse
    from pixelrouter.money.ledger import Draft, Ledger
    from pixelrouter.types import Cost, Money

    purse, cost = Purse("run", "game", "2026-01-01"), Cost(Money(20_000), "quoted")
    caps = [Cap("day", Money(10**12)), Cap("project", Money(10**12))]
    with tempfile.TemporaryDirectory() as folder:
        book, count = Ledger(Path(folder) / "ledger.db", owner="me"), 500
        start = time.perf_counter()
        for n in range(count):
            book.reserve(Draft(f"{n:08}", f"key{n}", "b", "m", cost, 1, "p"), purse, caps)
            book.settle(f"{n:08}", cost, raws=["ab"])
        rate = count / (time.perf_counter() - start)
        book.close()
    print(f"ledger, synchronous=FULL, two caps: {rate:.0f} reserve-settle pairs a second (bound 200)")


@contextlib.contextmanager
def vendor(*arguments: str) -> Iterator[str]:
    """The simulator in a process of its own, so that its work is not counted as ours."""
    command = [sys.executable, "-m", "pixelrouter.testing.simulator", "retrodiffusion", "--balance", "1000"]
    process = subprocess.Popen([*command, "--key", KEY, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def call_cost() -> None:
    import httpx

    from pixelrouter import PixelRouter
    from pixelrouter.pixels import FinishSpec, finish

    count, keys = 80, {"retrodiffusion": KEY}
    ours: list[float] = []
    theirs: list[float] = []
    finishing: list[float] = []
    with vendor() as url, tempfile.TemporaryDirectory() as folder:
        section = {"retrodiffusion": {"base_url": url, "poll_s": 0}}
        with (
            PixelRouter(state=folder, backend="retrodiffusion", keys=keys, backends=section) as router,
            httpx.Client(headers={"X-RD-Token": KEY}) as kept,
            httpx.Client(headers={"X-RD-Token": KEY}, limits=httpx.Limits(max_keepalive_connections=0)) as once,
        ):
            body = router.dry_run("bare", size=32)[0]["body"]
            router.generate("warm up", size=32)
            for n in range(count):
                start = time.perf_counter()
                art = router.generate(f"sprite {n}", size=32)
                ours.append(time.perf_counter() - start)
                # The same exchanges without us: a paid POST on a connection of its own, then polls until it is done.
                start = time.perf_counter()
                task = once.post(f"{url}/v2/inferences", json={**body, "prompt": f"bare {n}"}).json()["task_id"]
                while kept.get(f"{url}/v2/inferences/tasks/{task}").json()["status"] != "succeeded":
                    pass
                theirs.append(time.perf_counter() - start)
                start = time.perf_counter()
                finish(router._open().store.get(art.raws[0]), FinishSpec(size=(32, 32), native=True))
                finishing.append(time.perf_counter() - start)
    whole, bare, pixels = (1000 * statistics.median(times) for times in (ours, theirs, finishing))
    print(
        f"a call: {whole:.1f} ms, of which its bare exchanges {bare:.1f}, finishing the image {pixels:.1f}, the engine"
        f" with its ledger and store on disk {whole - bare - pixels:.1f} (bound 5)"
    )


IN_FLIGHT = """
import asyncio, resource, sys, threading
from pixelrouter import AsyncPixelRouter
url, folder, key = sys.argv[1:]
async def main():
    section = {"retrodiffusion": {"base_url": url, "poll_s": 0.05}}
    keys = {"retrodiffusion": key}
    async with AsyncPixelRouter(state=folder, backend="retrodiffusion", keys=keys, backends=section) as router:
        prompts = [f"s{n}" for n in range(50)]
        done = [r async for r in router.generate_many(prompts, size=64, concurrency=50)]
    assert all(r.art for r in done), [r.error for r in done]
asyncio.run(main())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def in_flight() -> None:
    with vendor("--job-seconds", "1") as url, tempfile.TemporaryDirectory() as folder:
        out = subprocess.check_output([sys.executable, "-c", IN_FLIGHT, url, folder, KEY])
    print(f"50 requests in flight: {float(out):.0f} MB at the peak, the whole process (bound 150)")


if __name__ == "__main__":
    import_time()
    ledger_pairs()
    call_cost()
    in_flight()
