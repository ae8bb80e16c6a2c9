"""The engine's own cost: import, a call on top of the simulator's, ledger pairs, memory with 50 requests in flight.

Prints each figure beside the bound it has to keep. Run it on a quiet machine: ``python benchmarks/spine.py``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
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


def call_cost() -> None:
    import httpx

    from pixelrouter import PixelRouter
    from pixelrouter.testing import RetroDiffusionSimulator

    count = 60
    with RetroDiffusionSimulator(keys=(KEY,), balance="1000") as sim, tempfile.TemporaryDirectory() as folder:
        section = {"retrodiffusion": {"base_url": sim.url, "poll_s": 0}}
        with PixelRouter(
            state=folder, backend="retrodiffusion", keys={"retrodiffusion": KEY}, backends=section
        ) as router:
            router.generate("warm up", size=32)
            ours, theirs = [], []
            with httpx.Client(headers={"X-RD-Token": KEY}) as client:
                for n in range(count):
                    start = time.perf_counter()
                    router.generate(f"sprite {n}", size=32)
                    ours.append(time.perf_counter() - start)
                    body = {**sim.charges[-1].body, "prompt": f"bare {n}"}
                    start = time.perf_counter()
                    # The same exchanges without us: a paid POST on a fresh connection, then polls until it is done.
                    with httpx.Client(headers={"X-RD-Token": KEY}, verify=False) as once:
                        connected = time.perf_counter()
                        task = once.post(f"{sim.url}/v2/inferences", json=body).json()["task_id"]
                    while client.get(f"{sim.url}/v2/inferences/tasks/{task}").json()["status"] != "succeeded":
                        pass
                    theirs.append(time.perf_counter() - connected)
    own = 1000 * (statistics.median(ours) - statistics.median(theirs))
    print(
        f"a call: {1000 * statistics.median(ours):.1f} ms, bare exchanges {1000 * statistics.median(theirs):.1f} ms,"
        f" so ours {own:.1f} ms, finishing included (bound 5 for the engine)"
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
    from pixelrouter.testing import RetroDiffusionSimulator

    with (
        RetroDiffusionSimulator(keys=(KEY,), balance="1000", job_seconds=1.0) as sim,
        tempfile.TemporaryDirectory() as folder,
    ):
        out = subprocess.check_output([sys.executable, "-c", IN_FLIGHT, sim.url, folder, KEY])
    print(f"50 requests in flight: {float(out):.0f} MB at the peak, the whole process (bound 150)")


if __name__ == "__main__":
    import_time()
    ledger_pairs()
    call_cost()
    in_flight()
