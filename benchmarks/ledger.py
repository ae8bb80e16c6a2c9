"""Pairs of reserve and settle a second, under a cap: a ledger in a file beside a team's ledger on a server.

    python benchmarks/ledger.py [--seconds 5] [--processes 8]

Both write durably: SQLite with synchronous=FULL, PostgreSQL with its own defaults (fsync on), on a server that this
script starts in a temporary folder of the same disk. A disk that flushes slowly slows down both, so what is worth
comparing are the ratios, and how many of this disk's own flushes a pair takes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from pixelrouter.money.budget import Cap, Purse
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.testing.postgres import PostgresServer, missing
from pixelrouter.types import Cost, Money

PURSE = Purse(run="benchmark", project="game", day="2026-11-21")
CAP = Cap("project", Money(10**15))
PRICE = Cost(Money(25_000), "quoted")
SPAWN = multiprocessing.get_context("spawn")


def work(place: Path | str, name: int, seconds: float, barrier: Any, done: Any) -> None:
    """Reserve and settle until the time is over, and say how often."""
    ledger = Ledger(place, owner=f"worker-{name}")
    pairs, id_of = 0, f"{name:02}-{{:08}}".format
    barrier.wait()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        one = id_of(pairs)
        draft = Draft(one, one, "retrodiffusion", "rd", PRICE, seed=pairs, prompt="a potion")
        ledger.reserve(draft, PURSE, [CAP])
        ledger.settle(one, PRICE, raws=["0" * 64])
        pairs += 1
    ledger.close()
    done.put(pairs)


def measured(place: Path | str, processes: int, seconds: float) -> float:
    """Pairs a second of all processes together."""
    Ledger(place, owner="setup").close()
    barrier, done = SPAWN.Barrier(processes), SPAWN.Queue()
    workers = [SPAWN.Process(target=work, args=(place, n, seconds, barrier, done)) for n in range(processes)]
    for worker in workers:
        worker.start()
    total = sum(done.get() for _ in workers)
    for worker in workers:
        worker.join()
    ledger = Ledger(place, owner="judge")
    rows = ledger.attempts()
    assert len(rows) == total
    assert {row.state for row in rows} == {"settled"}
    assert ledger.used(PURSE, "project") == Money(total * PRICE.money.micros)
    ledger.close()
    return total / seconds


def flushes(folder: Path, seconds: float) -> float:
    """How often a second this disk flushes a few bytes."""
    count, end = 0, time.monotonic() + seconds
    with (folder / "flushed").open("wb") as file:
        while time.monotonic() < end:
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
            count += 1
    return count / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="for each measurement")
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    many = options.processes
    rates: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        disk = flushes(Path(folder), min(2, options.seconds))
        for processes in (1, many):
            rates["SQLite", processes] = measured(Path(folder, f"{processes}.db"), processes, options.seconds)
        if why := missing():
            print(f"PostgreSQL is left out: {why}")
        else:
            with PostgresServer() as server:
                for processes in (1, many):
                    rates["PostgreSQL", processes] = measured(server.new(), processes, options.seconds)
    print(f"this disk: {disk:.0f} flushes a second; {os.cpu_count()} processors\n")
    print("| ledger | processes | pairs a second | of one process, in a file | flushes of this disk, a pair |")
    print("|---|---|---|---|---|")
    for (name, processes), rate in rates.items():
        ratio = rate / rates["SQLite", 1]
        print(f"| {name} | {processes} | {rate:.0f} | {ratio:.2f} | {disk / rate:.1f} |")
    print("\nEvery pair was found settled afterwards, and the sum of all was exact.")


if __name__ == "__main__":
    main()
