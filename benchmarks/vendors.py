"""Every vendor's adapter at its simulator: our own processor time a call, and a large mix of requests with faults.

``python benchmarks/vendors.py`` prints both figures beside their bounds; ``--requests N`` makes the mix smaller. It
ends with status 1 if a single image was lost without an error that says where its money is, or if the ledger and the
simulators' own counts of charges differ.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from pixelrouter import PixelRouter
from pixelrouter.errors import PixelRouterError
from pixelrouter.testing.simulator import SIMULATORS, Simulator, simulator_of
from pixelrouter.types import PixelArt

KEYS = {name: simulator_of(name).default_keys[0] for name in SIMULATORS}
#: What goes wrong in the mix; the second group loses the answer to a paid request.
FAULTS = [
    *("rate_limit", "no_balance", "poll_502", "download_502", "job_failed", "truncated_image", "truncated_download"),
    *("lose_reply", "bad_gateway_html", "garbage_json", "lose_before"),
]
LOST_BEFORE = "lose_before"  # the vendor never saw the request, so it did not charge


# --- processor time ---


@contextlib.contextmanager
def vendor(name: str) -> Iterator[str]:
    """A simulator in a process of its own, so that its work is not counted as ours."""
    command = [sys.executable, "-m", "pixelrouter.testing.simulator", name, "--balance", "1000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def post_processor() -> Iterator[list[float]]:
    """Adds up the processor time of everything in pixelrouter.pixels that a call goes through."""
    from pixelrouter.routing import cutting
    from pixelrouter.routing.collecting import collect

    spent: list[float] = []

    def timed(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            start = time.process_time()
            try:
                return real(*args)
            finally:
                spent.append(time.process_time() - start)

        return run

    places = [(collect, "decode"), (cutting, "cut"), (cutting, "finish"), (cutting, "finish_many")]
    real = [getattr(module, name) for module, name in places]
    for (module, name), function in zip(places, real, strict=True):
        setattr(module, name, timed(function))
    try:
        yield spent
    finally:
        for (module, name), function in zip(places, real, strict=True):
            setattr(module, name, function)


def call_cost(name: str, count: int = 40) -> None:
    """One request from submit to settled, in processor time, less the post-processor's."""
    ours, pixels = [], []
    with vendor(name) as url, tempfile.TemporaryDirectory() as folder:
        section = {name: {"base_url": url, "poll_s": 0.01}}
        with PixelRouter(state=folder, backend=name, keys=KEYS, backends=section) as router, post_processor() as spent:
            router.generate("warm up", size=64)
            for n in range(count):
                spent.clear()
                start = time.process_time()
                router.generate(f"sprite {n}", size=64)
                whole = time.process_time() - start
                pixels.append(sum(spent))
                ours.append(whole - sum(spent))
    print(
        f"{name:15} {1000 * statistics.median(ours):5.1f} ms of our own processor time a call (bound 10), and"
        f" {1000 * statistics.median(pixels):.1f} of the post-processor's"
    )


# --- the mix ---


def wishes(count: int, rng: random.Random) -> list[dict[str, Any]]:
    """Requests over the four vendors and several tasks, in random order."""
    kinds: list[dict[str, Any]] = [
        {"backend": "retrodiffusion", "size": 64},
        {"backend": "retrodiffusion", "size": 32, "n": 2},
        {"backend": "retrodiffusion", "size": 48, "transparent": True},
        {"backend": "replicate", "size": 64},
        {"backend": "replicate", "size": 64, "n": 2, "model": "rd-plus/default"},
        {"backend": "replicate", "size": 32, "task": "tileset", "tiles": "wang"},
        {"backend": "fal", "size": 64},
        {"backend": "fal", "size": 32, "task": "views", "views": "2x2"},
        {"backend": "pixellab", "size": 64},
        {"backend": "pixellab", "size": 48, "task": "views", "views": "4"},
    ]
    mixed = [{**kinds[n % len(kinds)], "prompt": f"thing number {n}"} for n in range(count)]
    rng.shuffle(mixed)
    return mixed


def mix(count: int) -> bool:
    """Run the mix with a fault for every twentieth request. True if the books agree."""
    rng = random.Random(7)
    outcomes: collections.Counter[str] = collections.Counter()
    silent = 0
    with contextlib.ExitStack() as stack:
        simulators = {name: stack.enter_context(_rich(name)) for name in SIMULATORS}
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sections = {
            name: {**simulator.backend_settings(), "poll_s": 0.01, "timeout_s": 5}
            for name, simulator in simulators.items()
        }
        router = stack.enter_context(PixelRouter(state=Path(folder), keys=KEYS, backends=sections, timeout_s=30))
        asked = wishes(count, rng)
        for start in range(0, count, 20):
            name = rng.choice(sorted(simulators))
            with contextlib.suppress(ValueError):  # not every vendor can fail in every way
                simulators[name].fault(rng.choice(FAULTS))
            for result in router.generate_many(asked[start : start + 20], concurrency=8):
                kind = "delivered" if result.art else type(result.error).__name__
                outcomes[kind] += 1
                silent += not _accounted(router, result.art, result.error)
        for outcome in router.resume(timeout_s=10):
            outcomes["collected by resume" if isinstance(outcome, PixelArt) else "still unknown"] += 1
        print(f"{count} requests, a fault for every 20th: {dict(outcomes.most_common())}")
        return _books_agree(router, simulators) and silent == 0


def _rich(name: str) -> Simulator:
    return simulator_of(name)(balance="1000")  # type: ignore[call-arg]  # every simulator has a balance


def _accounted(router: PixelRouter, art: PixelArt | None, error: PixelRouterError | None) -> bool:
    """An image that is all there, or an error that says whether money moved."""
    if art is not None:
        return all(image.size == art.size for image in art.indexed)
    return error is not None and error.money in ("no", "yes", "held", "see")


def _books_agree(router: PixelRouter, simulators: dict[str, Simulator]) -> bool:
    agree = True
    for name, simulator in simulators.items():
        taken = sum((charge.money.amount for charge in simulator.charges if not charge.refunded), Decimal(0))
        rows = [row for row in router.attempts() if row.backend == name]
        # Where nobody knows: an answer was lost, or the vendor does not say whether a failed job is charged.
        unclear = [row for row in rows if row.state not in ("settled", "released") or row.cost_source == "unknown"]
        spent = sum((row.cost.money.amount for row in rows if row.state == "settled"), Decimal(0))
        open_ = sum((row.cost.money.amount for row in unclear), Decimal(0))
        sure = spent - sum((row.cost.money.amount for row in unclear if row.state == "settled"), Decimal(0))
        right = sure <= taken <= sure + open_
        agree = agree and right
        print(
            f"{name:15} {len(rows):4} attempts, {simulator.paid_posts} paid POSTs; booked ${sure} for sure"
            f"{f' and ${open_} in {len(unclear)} unclear ones' if unclear else ''}; the vendor took ${taken}:"
            f" {'agrees' if right else 'DIFFERS'}"
        )
    return agree


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--only-mix", action="store_true")
    options = parser.parse_args()
    if not options.only_mix:
        for name in SIMULATORS:
            call_cost(name)
    return 0 if mix(options.requests) else 1


if __name__ == "__main__":
    sys.exit(main())
