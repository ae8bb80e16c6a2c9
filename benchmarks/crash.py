"""Workers killed with SIGKILL at every commit and every send, at every vendor; the simulators' charges are the judge.

``python benchmarks/crash.py --kills 300`` plays rounds until that many workers were killed. A round is one fresh ledger
on which three workers buy at once, several different things and some the same; replies are lost at random, and each
worker is killed and followed by another one, which carries on. Then it is run again until quiet, and the books are
checked. It ends with status 1 on the first round in which anything was paid for twice or is missing, and prints the
line that plays that round again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from crash_judge import Books, Lines
from crash_worker import Job, Mode, work
from failpoints import POINTS, Target
from market import KEYS, KINDS, Market, Request
from processes import forkserver, ledger_at

LINES, LIVES = 3, 4  # workers at once, and how many of them follow one another unless told otherwise
#: What goes wrong on the way, and on which kind of request where that is not the fault's own.
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("lose_reply", {}),
    ("lose_reply", {"reset": True}),
    ("lose_before", {}),
    ("lose_before", {"reset": True}),
    ("bad_gateway_html", {}),
    ("bad_gateway_before", {}),
    ("garbage_json", {}),
    ("server_error", {}),
    ("rate_limit", {}),
    ("late", {"seconds": 2.5}),
    ("poll_502", {}),
    ("download_502", {}),
    ("truncated_download", {}),
    ("lose_before", {"on": "poll"}),
    ("garbage_json", {"on": "list"}),
    ("bad_gateway_before", {"on": "list"}),
]
MOST_ROUNDS = 100  # with --cover
QUIET = 8  # runs without kills and faults, at most, until every request is delivered or says unknown


@dataclass(frozen=True)
class Life:
    """One worker of a line: what it buys beside what the one before it left, and where it dies."""

    requests: tuple[Request, ...]
    mode: Mode
    resume: bool
    target: Target
    faults: tuple[tuple[str, str, dict[str, Any]], ...]  # backend, fault, parameters


@dataclass(frozen=True)
class Plan:
    """Everything about a round that is not left to the operating system; made of the seed and its number alone."""

    seed: int
    number: int
    kinds: tuple[str, ...]
    lines: tuple[tuple[Life, ...], ...]
    job_seconds: float
    generations: bool  # PixelLab's account pays with them

    @property
    def requests(self) -> list[Request]:
        """Every request of the round, once."""
        return list(dict.fromkeys(r for line in self.lines for life in line for r in life.requests))


def plan(
    seed: int, number: int, vendor: str | None, at: Sequence[str] = (), mark: str = "", lives: int = LIVES
) -> Plan:
    """The round of that number. ``at``: the points to die at, where one is named; else each in its turn.

    ``mark`` makes its requests differ from those of other runs on the same ledger.
    """
    rng = random.Random(f"{seed}/{number}")
    wanted = [name for name, kind in KINDS.items() if vendor in (None, name, kind.backend)]
    if not wanted:
        raise SystemExit(f"--vendor {vendor}: there are {', '.join(KINDS)}")
    first = sorted(wanted, key=lambda name: random.Random(f"{seed}/{name}").random())[number % len(wanted)]
    kinds = tuple(dict.fromkeys((first, rng.choice(wanted))))
    stem = f"{seed}-{number}{mark}"
    names = (Request(f"{kind}-{stem}-{n}", kind) for n in range(1000) for kind in [rng.choice(kinds)])
    shared = [Request(f"{first}-{stem}-all", first), next(names)]
    deck = list(at or POINTS)
    random.Random(f"{seed}").shuffle(deck)
    deal = (deck[n % len(deck)] for n in range(number * LINES * lives, (number + 1) * LINES * lives))
    lines = tuple(tuple(_life(rng, shared, names, next(deal)) for _ in range(lives)) for _ in range(LINES))
    return Plan(seed, number, kinds, lines, rng.choice((0.0, 0.0, 0.1, 0.4)), rng.random() < 0.3)


def _life(rng: random.Random, shared: list[Request], names: Iterator[Request], point: str) -> Life:
    requests = [*rng.sample(shared, 1), next(names), *([next(names)] if rng.random() < 0.4 else [])]
    rng.shuffle(requests)
    lot = rng.random()
    if lot < 0.5:
        target = Target(point, rng.choice((1, 1, 2)))
    else:
        target = Target("", rng.randint(1, 70)) if lot < 0.9 else Target(moment=rng.uniform(0.01, 0.3))
    return Life(
        requests=tuple(requests),
        mode=rng.choice(("one by one", "one by one", "many", "async")),
        resume=rng.random() < 0.25,
        target=target,
        faults=tuple((KINDS[request.kind].backend, *rng.choice(FAULTS)) for request in requests if rng.random() < 0.35),
    )


@dataclass
class Score:
    """What all rounds came to."""

    killed: Counter[str] = field(default_factory=Counter)  # by point
    by_vendor: Counter[str] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)  # by kind
    delivered: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    mistaken: int = 0
    charges: int = 0
    most: int = 0
    rounds: int = 0

    def add(self, plan: Plan, lines: Lines, books: Books, charges: Counter[tuple[str, str]]) -> None:
        kinds = {request.id: request.kind for request in plan.requests}
        for point, request in lines.killed:
            self.killed[point] += 1
            self.by_vendor[kinds.get(request, "before any request")] += 1
        self.passed |= lines.passed
        self.requests.update(kinds.values())
        self.delivered.update(kinds[request] for request in books.delivered)
        self.unknown.update(kinds[request] for request in books.unknown)
        self.lost.update(kinds[request] for request in books.lost)
        self.mistaken += books.mistaken
        self.charges += charges.total()
        self.most = max([self.most, *charges.values()])
        self.rounds += 1

    def as_dict(self) -> dict[str, Any]:
        every = sorted({*POINTS, *self.passed})
        return {
            "kills": self.killed.total(),
            "rounds": self.rounds,
            "most_charges_per_request": self.most,
            "charges": self.charges,
            "requests": dict(self.requests),
            "delivered": dict(self.delivered),
            "unknown": dict(self.unknown),
            "told_as_charged_and_lost": dict(self.lost),
            "told_so_wrongly": self.mistaken,
            "kills_by_vendor": dict(self.by_vendor),
            "kills_by_point": dict(self.killed.most_common()),
            "never_killed_at": [point for point in every if not self.killed[point] and point in self.passed],
            "never_passed": [point for point in every if point not in self.passed],
        }


class Theatre:
    """Plays rounds: starts workers from a server that has imported everything already, and sees them die."""

    def __init__(self, ledger: str | None) -> None:
        self._ledger = ledger
        self._context = forkserver("crash_worker")

    def play(self, plan: Plan, score: Score) -> list[str]:
        """One round; what is wrong with it, in words."""
        backends = [KINDS[kind].backend for kind in plan.kinds]
        knobs: dict[str, Any] = {"job_seconds": plan.job_seconds, "generations": plan.generations}
        with tempfile.TemporaryDirectory() as folder, Market(backends, **knobs) as market:
            options = self._options(market, Path(folder), plan)
            logs = Path(folder) / "logs"
            logs.mkdir()
            books = Books(options, market, plan.requests)
            wrong = self._chaos(plan, market, options, logs, books)
            market.calm()
            for number in range(QUIET):
                time.sleep(number / 4)  # a breaker that faults have opened closes after a while
                wrong += self._run(Job(logs / f"quiet-{number}", options, tuple(plan.requests)))
                if books.quiet(Lines.read([logs / f"quiet-{number}"])) or wrong:
                    break
            before = market.paid_posts()
            wrong += self._run(Job(logs / "again", options, tuple(plan.requests)))
            if market.paid_posts() > before and not any(KINDS[kind].certain for kind in plan.kinds):
                wrong.append(f"{market.paid_posts() - before} paid requests were sent although all was quiet")
            lines = Lines.read(sorted(logs.iterdir()))
            for simulator in market.simulators.values():
                simulator.advance(3600)  # what is still under way at a vendor is billed too
            wrong += books.judge(lines)
            score.add(plan, lines, books, market.charges())
        return wrong

    def _options(self, market: Market, folder: Path, plan: Plan) -> dict[str, Any]:
        own = {"ledger": self._ledger, "lease_s": 2} if self._ledger else {}
        return {
            "state": str(folder / "state"),
            "project": f"crash-{plan.seed}-{plan.number}-{os.getpid()}",
            "keys": KEYS,
            "backends": market.sections(breaker_s=1),
            "timeout_s": 10,
            **own,
        }

    def _chaos(self, plan: Plan, market: Market, options: dict[str, Any], logs: Path, books: Books) -> list[str]:
        """All lines at once: a worker's death or end starts the next one of its line."""
        wrong: list[str] = []
        left = [list(enumerate(line)) for line in plan.lines]
        asked: list[list[Request]] = [[] for _ in plan.lines]
        running: dict[int, tuple[int, Any]] = {}

        def follow(line: int) -> None:
            if not left[line]:
                return
            number, life = left[line].pop(0)
            asked[line] = list(dict.fromkeys((*asked[line], *life.requests)))
            for backend, fault, parameters in life.faults:
                market.simulators[backend].fault(fault, **parameters)
            job = Job(
                logs / f"{line}-{number}",
                options,
                tuple(asked[line]),
                life.mode,
                life.resume and number > 0,
                life.target,
            )
            process = self._start(job)
            running[process.sentinel] = (line, process)

        for line in range(len(left)):
            follow(line)
        while running:
            for sentinel in wait(list(running), timeout=120) or [None]:
                if sentinel is None:
                    for _, process in running.values():
                        process.kill()
                    return [*wrong, "a worker hung for two minutes"]
                line, process = running.pop(sentinel)
                process.join()
                if process.exitcode not in (0, -9):
                    wrong.append(f"a worker ended with status {process.exitcode}: a bug, its traceback is above")
                wrong += books.covered()
                follow(line)
        return wrong

    def _start(self, job: Job) -> Any:
        process = self._context.Process(target=work, args=(job,), daemon=True)
        process.start()
        return process

    def _run(self, job: Job) -> list[str]:
        process = self._start(job)
        process.join(120)
        if process.exitcode is None:
            process.kill()
            return ["a quiet run hung for two minutes"]
        return [] if process.exitcode == 0 else [f"a quiet run ended with status {process.exitcode}"]


def report(score: Score, seed: int) -> None:
    """The figures in words."""
    told = score.as_dict()
    print(f"{told['kills']} kills survived in {told['rounds']} rounds (seed {seed})")
    print(f"most charges for one request and step: {told['most_charges_per_request']}, of {told['charges']} charges")
    print(f"{'':20} {'kills':>6} {'requests':>9} {'delivered':>10} {'unknown':>8} {'lost':>5}")
    for kind in (*KINDS, "before any request"):
        if score.requests[kind]:
            ends = (score.requests[kind], score.delivered[kind], score.unknown[kind], score.lost[kind])
            print(f"{kind:20} {score.by_vendor[kind]:6} {ends[0]:9} {ends[1]:10} {ends[2]:8} {ends[3]:5}")
        elif score.by_vendor[kind]:
            print(f"{kind:20} {score.by_vendor[kind]:6}")
    print(f"lost: paid for by the vendor's balance, and told so; {score.mistaken} of them had not been charged")
    print("killed at:")
    for point, count in score.killed.most_common():
        print(f"{count:6} {point}")
    for name, words in (("never_killed_at", "passed, and nobody was killed there"), ("never_passed", "never passed")):
        if told[name]:
            print(f"{words}: {'; '.join(told[name])}")


def _again(options: argparse.Namespace, number: int, at: Sequence[str]) -> str:
    """The command that plays a round again."""
    words = ["python", "benchmarks/crash.py", "--seed", str(options.seed), "--round", str(number)]
    words += ["--lives", str(options.lives)] if options.lives != LIVES else []
    for name in ("vendor", "ledger"):
        words += [f"--{name}", value] if (value := getattr(options, name)) else []
    return shlex.join([*words, *(word for point in at for word in ("--at", point))])


def _uncovered(score: Score) -> list[str]:
    """The points that were passed and that nobody died at, in a different order each round."""
    left: list[str] = score.as_dict()["never_killed_at"]
    random.Random(score.rounds).shuffle(left)
    return left


def survive(options: argparse.Namespace, ledger: str | None) -> tuple[Score, int]:
    """Rounds until that many were killed, or until one is wrong; the exit status beside the score."""
    theatre, score, number = Theatre(ledger), Score(), options.round or 0
    mark = f"-{uuid.uuid4().hex[:6]}" if ledger else ""
    while score.killed.total() < options.kills or (options.cover and _uncovered(score) and score.rounds < MOST_ROUNDS):
        # Every second round looks for the points at which nobody has died yet; beyond the number, every one does.
        late = score.killed.total() >= options.kills
        missing = options.at or (_uncovered(score)[:6] if number % 2 or late else ())
        wrong = theatre.play(plan(options.seed, number, options.vendor, missing, mark, options.lives), score)
        if wrong:
            for line in wrong[:12]:
                print(f"BROKEN: {line}", file=sys.stderr)
            print(f"again: {_again(options, number, missing)}", file=sys.stderr)
            return score, 1
        number += 1
        if sys.stderr.isatty():
            print(f"\r{score.killed.total()} kills in {score.rounds} rounds", end="\r", file=sys.stderr)
        if options.round is not None:
            break
    return score, 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vendor", help=f"a backend, or one of: {', '.join(KINDS)}")
    parser.add_argument(
        "--ledger", help="postgresql://… or `postgres`, a server of its own; else a file for each round"
    )
    parser.add_argument("--lives", type=int, default=LIVES, help="workers that follow one another in a round")
    parser.add_argument("--round", type=int, help="this round alone")
    parser.add_argument("--at", action="append", metavar="POINT", help="die there, wherever a point is named")
    parser.add_argument("--cover", action="store_true", help="go on until somebody died at every point that is passed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with ledger_at(options.ledger) as ledger:
        score, status = survive(options, ledger)
    if options.json and status == 0:
        print(json.dumps({"seed": options.seed, **score.as_dict()}, indent=2))
    else:
        report(score, options.seed)
    return status


if __name__ == "__main__":
    sys.exit(main())
