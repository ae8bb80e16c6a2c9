"""Processes that want the same: one cap that none may pass, one sprite that is paid for once, one buyer that dies.

``python benchmarks/race.py`` runs every race with 8 processes on one ledger against the vendors' simulators, and prints
what was bought, how near to the cap the ledger came, and by how much it was passed (0). It ends with status 1 if a cap
was passed, anything was paid for twice, or somebody went without.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from crash_judge import Lines
from crash_worker import Job, work
from failpoints import Target
from market import KEYS, KINDS, Market, Request
from processes import forkserver, ledger_at

from pixelrouter import PixelRouter
from pixelrouter.types import Attempt, Money, Unit

#: Kinds of requests with their prices apart: some dollars' worth of each.
DOLLARS = (
    ("retrodiffusion-v2", (("n", 1),)),
    ("retrodiffusion-v2", (("n", 3),)),
    ("replicate", ()),
    ("replicate", (("n", 2), ("model", "rd-plus/default"))),
    ("pixellab", ()),
    ("pixellab-job", ()),
    ("fal-two-steps", ()),
)
GENERATIONS = (("pixellab", ()), ("pixellab-job", ()), ("pixellab-tileset", ()))


@dataclass
class Result:
    """One race. ``figures`` are what it came to, ``wrong`` what is wrong with it, in words."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        return f"{self.name}: {told}" + "".join(f"\n  BROKEN: {line}" for line in self.wrong)


class Track:
    """A fresh ledger and a market; starts processes on it, all at one moment."""

    def __init__(self, market: Market, folder: Path, ledger: str | None) -> None:
        self.market, self.folder = market, folder
        self._context = forkserver("crash_worker")
        self.token = uuid.uuid4().hex[:8]
        self.options: dict[str, Any] = {
            "state": str(folder / "state"),
            "project": f"race-{self.token}",
            "run": f"race-{self.token}",
            "keys": KEYS,
            "backends": market.sections(),
            "timeout_s": 60,
            **({"ledger": ledger, "lease_s": 2} if ledger else {}),
        }

    def job(self, name: str, requests: Sequence[Request], **more: Any) -> Job:
        return Job(self.folder / name, {**self.options, **more.pop("options", {})}, tuple(requests), **more)

    def run(self, jobs: Sequence[Job], look: Any = lambda: None) -> tuple[Lines, list[str]]:
        """What the processes said, and what is wrong with how they ended. ``look`` is called all the while.

        All begin at one moment, once those that are to die stand where they will.
        """
        gate = self._context.Barrier(sum(job.target is None for job in jobs))
        jobs = sorted(jobs, key=lambda job: job.target is None)
        processes = []
        for job in jobs:
            own = None if job.target else gate
            processes.append(self._context.Process(target=work, args=(job, own), daemon=True))
            processes[-1].start()
            while job.target and processes[-1].is_alive() and not _lingers(job):
                time.sleep(0.005)
        left = {process.sentinel: process for process in processes}
        while left:
            look()
            for sentinel in wait(list(left), timeout=0.02):
                del left[sentinel]  # type: ignore[arg-type]  # a sentinel is what was asked for
        wrong = []
        for process, job in zip(processes, jobs, strict=True):
            process.join()
            if process.exitcode != (-9 if job.target else 0):
                wrong.append(f"a process ended with status {process.exitcode}")
        return Lines.read([job.log for job in jobs]), wrong

    def attempts(self) -> list[Attempt]:
        """The ledger's rows of this race."""
        with PixelRouter(**self.options) as router:
            return [row for row in router.attempts() if self.token in row.prompt]


@contextmanager
def track(backends: Sequence[str], ledger: str | None, **knobs: Any) -> Iterator[Track]:
    with tempfile.TemporaryDirectory() as folder, Market(backends, **knobs) as market:
        yield Track(market, Path(folder), ledger)


# --- one cap ---


def cap_race(scope: str, unit: Unit, processes: int, each: int, ledger: str | None, *, quick: bool = False) -> Result:
    """Many requests of many prices under one cap that pays for a part of them. ``quick``: of small pictures alone."""
    kinds = (DOLLARS[:-1] if quick else DOLLARS) if unit == "usd" else GENERATIONS
    backends = [KINDS[kind].backend for kind, _ in kinds]
    with track(backends, ledger, generations=unit == "generations") as one:
        rng = random.Random(f"{scope}/{unit}")
        requests = [
            [Request(f"{one.token}-{p}-{n}", kind, more) for n in range(each) for kind, more in [rng.choice(kinds)]]
            for p in range(processes)
        ]
        with PixelRouter(**one.options) as router:
            prices = {r.id: router.quote(**r.arguments).money.micros for line in requests for r in line}
        share = sum(prices.values()) * 2 // 5 // (processes if scope == "batch" else 1)
        cap = Money(share, unit)
        amount = str(cap.amount)
        own = {"batch_usd": amount} if scope == "batch" else {"options": {f"max_{unit}_per_{scope}": amount}}
        jobs = [
            one.job(f"{p}", line, mode="many", concurrency=8 if scope == "batch" else 2, **own)
            for p, line in enumerate(requests)
        ]
        watcher = Watcher(one, unit, split=scope == "batch")
        lines, wrong = one.run(jobs, watcher.look)
        watcher.look()
        result = Result(f"{f'{cap} a {scope}'}, {processes} processes, {processes * each} requests", wrong=wrong)
        refused = sum(errors[-1] == "OverBudget" for errors in lines.errors.values())
        others = {errors[-1] for errors in lines.errors.values()} - {"OverBudget"}
        over = max(0, max(watcher.most, watcher.charged) - cap.micros)
        result.figures = {
            "bought": len(lines.delivered),
            "refused": refused,
            "spent and held at most": str(Money(watcher.most, unit)),
            "charged at most": str(Money(watcher.charged, unit)),
            "looks": watcher.looks,
            "overshoot": str(Money(over, unit)),
        }
        if over:
            result.wrong.append(f"the cap of {cap} was passed by {Money(over, unit)}")
        if others:
            result.wrong.append(f"errors: {', '.join(sorted(others))}: {next(iter(lines.texts.values()))}")
        if not refused or len(lines.delivered) + refused != processes * each:
            result.wrong.append("the cap was never reached, or requests are missing")
        result.wrong += _twice(one)
    return result


class Watcher:
    """Looks at ledger and vendors while processes run, and keeps the most it ever saw within one cap."""

    def __init__(self, one: Track, unit: Unit, *, split: bool) -> None:
        self._one, self._unit, self._split = one, unit, split
        self.most = self.charged = self.looks = 0
        self._seen: dict[str, int] = {}

    def look(self) -> None:
        """Once. Each process has a cap of its own where the look is ``split``, told by the request's id."""
        held: dict[str, int] = {}
        for row in self._one.attempts():
            if row.cost.money.unit == self._unit:
                who = self._who(row.prompt)
                held[who] = held.get(who, 0) + row.cost.money.micros
        charged: dict[str, int] = {}
        for simulator in self._one.market.simulators.values():
            for charge in simulator.charges:
                if charge.money.unit == self._unit:
                    who = self._who(json.dumps(dict(charge.body), default=str))
                    charged[who] = charged.get(who, 0) + charge.money.micros
        self.most = max([self.most, *held.values()])
        self.charged = max([self.charged, *charged.values()])
        self.looks += 1

    def _who(self, text: str) -> str:
        return text.partition(f"{self._one.token}-")[2].partition("-")[0] if self._split else ""


# --- one sprite ---


def same_race(kind: str, processes: int, ledger: str | None, *, dies: str = "") -> Result:
    """All ask for the same: paid for once, and all have the same bytes. ``dies``: where the first one is killed."""
    with track([KINDS[kind].backend], ledger, job_seconds=0.3) as one:
        request = Request(f"{one.token}-same", kind)
        jobs = [one.job(f"{p}", [request]) for p in range(processes)]
        first: list[Job] = []
        if dies:  # the others come while it stands there, so it is the one who buys, and they wait for it
            first, jobs = [replace(jobs[0], target=Target(dies, lingers=0.4))], jobs[1:]
        lines, wrong = one.run([*first, *jobs])
        result = Result(
            f"{processes} processes want the same of {kind}{f', one dies {dies}' if dies else ''}", wrong=wrong
        )
        steps = KINDS[kind].steps
        charges = one.market.charges()
        result.figures = {
            "delivered": sum(_delivered(job) for job in jobs),
            "different images": len(lines.delivered[request.id]),
            "paid POSTs": one.market.paid_posts(),
            "charges": charges.total(),
        }
        if result.figures["delivered"] != len(jobs) or len(lines.delivered[request.id]) != 1:
            result.wrong.append(f"not all have the same image: {dict(lines.errors)} {list(lines.texts.values())[:1]}")
        sent = steps + (KINDS[kind].certain and bool(dies))  # the same bytes again, under the key that makes them one
        if charges.total() != steps or one.market.paid_posts() > sent:
            result.wrong.append(
                f"{charges.total()} charges and {one.market.paid_posts()} paid POSTs for {steps} purchases"
            )
    return result


def _lingers(job: Job) -> bool:
    return job.log.exists() and '"lingers"' in job.log.read_text()


def _delivered(job: Job) -> bool:
    return bool(Lines.read([job.log]).delivered)


def _twice(one: Track) -> list[str]:
    return [f"{key} was charged {count} times" for key, count in one.market.charges().items() if count > 1]


def races(processes: int, each: int, ledger: str | None, quick: bool) -> Iterator[Result]:
    """Every race, or the quick ones."""
    caps: list[tuple[str, Unit]] = [
        (scope, unit) for scope in ("day", "project", "run") for unit in ("usd", "generations")
    ]  # type: ignore[misc]  # a literal's type is lost in a comprehension
    caps.append(("batch", "usd"))
    for scope, unit in caps[:1] if quick else caps:
        yield cap_race(scope, unit, processes, each, ledger, quick=quick)
    for kind in ("replicate",) if quick else KINDS:
        for count in (processes,) if quick else (2, processes):
            yield same_race(kind, count, ledger)
    deaths = [("retrodiffusion-v2", "after Ledger.accepted")]
    if not quick:
        deaths += [(kind, "after Ledger.accepted") for kind in KINDS if kind not in ("retrodiffusion-v2", "pixellab")]
        deaths += [(kind, "before Ledger.sending") for kind in KINDS]
        deaths += [(kind, "after Wire.paid") for kind in ("retrodiffusion-v2", "replicate", "fal")]
    for kind, point in deaths:
        yield same_race(kind, processes, ledger, dies=point)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--requests", type=int, default=12, help="of each process, under a cap")
    parser.add_argument("--ledger", help="postgresql://… or `postgres`, a server of its own; else a file for each race")
    parser.add_argument("--quick", action="store_true", help="one race of each sort")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    results = []
    with ledger_at(options.ledger) as ledger:
        for result in races(options.processes, options.requests, ledger, options.quick):
            results.append(result)
            if not options.json:
                print(result, flush=True)
    if options.json:
        print(json.dumps([{"race": one.name, **one.figures, "wrong": one.wrong} for one in results], indent=2))
    return 1 if any(one.wrong for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
