"""The state of the simulated Retro Diffusion account: balance, charges, jobs, hosted outputs.

Not thread safe by itself: the simulator calls it under its lock. Only `Job.files` draws outside that lock.
"""

from __future__ import annotations

import json
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Fault, FaultQueue, Faults
from pixelrouter.testing.simulator.images import Output
from pixelrouter.testing.simulator.retrodiffusion.edits import EditOrder
from pixelrouter.testing.simulator.retrodiffusion.orders import Order
from pixelrouter.testing.simulator.retrodiffusion.problems import Refused
from pixelrouter.types import Money

URL_SECONDS = 15 * 60
RETAINED_SECONDS = 24 * 3600
Status = Literal["pending", "running", "succeeded", "failed"]


def iso(at: float) -> str:
    """Seconds since the epoch as the vendor writes times: UTC, to the second, no zone."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass
class Hosted:
    """One output at a URL: which signatures open it, until when, and whether the vendor still has it."""

    output: Output
    signatures: dict[str, float] = field(default_factory=dict)
    gone: bool = False


@dataclass
class Job:
    """One accepted generation. ``polls_left`` and ``done_at`` both have to pass before it finishes."""

    id: str
    order: Order | EditOrder
    mode: Literal["sync", "async"]
    token: str
    created: float
    done_at: float
    polls_left: int
    balance_after: Money
    fault: Fault | None
    settled: Status | None = None
    finished: float = 0.0
    hosted: list[str] = field(default_factory=list)
    urls: list[str | None] = field(default_factory=list)
    _files: list[Output] | None = None
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    def has(self, name: Faults) -> bool:
        return self.fault is not None and self.fault.name == name

    def status(self, now: float) -> Status:
        """Where the job stands, without moving it."""
        if self.settled:
            return self.settled
        if not self.has(Faults.JOB_STUCK) and now >= self.done_at and self.polls_left <= 0:
            return "failed" if self.has(Faults.JOB_FAILED) else "succeeded"
        return "running" if now > self.created else "pending"

    def files(self) -> list[Output]:
        """What the job made, drawn once; spoilt where its fault says so."""
        with self._drawing:
            if self._files is None:
                self._files = self._draw()
            return self._files

    def _draw(self) -> list[Output]:
        size = None
        if self.fault is not None and self.fault.name == Faults.WRONG_SIZE:
            wanted = self.fault.params
            size = (wanted["width"] or self.order.width * 2, wanted["height"] or self.order.height * 2)
        files = self.order.draw(self.id, size)
        if self.has(Faults.EMPTY_IMAGES):
            return []
        if self.has(Faults.FEWER_IMAGES):
            return files[:-1]
        if self.has(Faults.TRUNCATED_IMAGE):
            return [replace(file, data=file.data[: len(file.data) // 2]) for file in files]
        return files


class Account:
    """The vendor's books for one customer."""

    def __init__(
        self, balance: str, job_seconds: float, polls: int, clock: Callable[[], float], faults: FaultQueue
    ) -> None:
        self.balance = Money.of(balance)
        self.charges: list[Charge] = []
        self.jobs: dict[str, Job] = {}  # oldest first
        self.hosted: dict[str, Hosted] = {}
        # (token, operation, key) -> (body, job id)
        self._accepted: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._job_seconds, self._polls, self._clock = job_seconds, polls, clock
        self._faults = faults

    def replay(self, token: str, key: str, body: Any) -> Job | None:
        """The job that this key already bought. Raises Refused where the same key came with other inputs."""
        known = self._accepted.get((token, "inference", key))
        if known is None:
            return None
        if known[0] != _canonical(body):
            raise Refused("idempotency_conflict")
        return self.jobs[known[1]]

    def known_edit(self, token: str, custom_id: str) -> Job | None:
        """The edit that this ``custom_id`` already bought, whatever inputs it comes with now."""
        found = self._accepted.get((token, "edit_tool", custom_id))
        return None if found is None else self.jobs[found[1]]

    def accept(self, order: Order | EditOrder, *, mode: Literal["sync", "async"], token: str, key: str | None) -> Job:
        """Charge the order and make its job. Raises Refused where the balance does not cover it.

        A balance that equals the price exactly does not cover it, as with the vendor.
        """
        price = Money.of(order.usd)
        if self.balance <= price:
            raise Refused("not_enough_balance")
        fault = self._faults.for_job()
        now = self._clock()
        job_id = str(uuid.uuid4())
        self.balance -= price
        self.charges.append(Charge(price, order.body, key, job_id))
        waits = mode == "async"
        done_at = now + (self._job_seconds if waits else 0)
        polls = self._polls if waits else 0
        job = Job(job_id, order, mode, token, now, done_at, polls, self.balance, fault)
        self.jobs[job_id] = job
        if key is not None:
            self._accepted[token, order.operation, key] = (_canonical(order.body), job_id)
        return job

    def settle(self, job: Job, *, polled: bool = False) -> Status:
        """Move the job on and return where it stands now. A job that fails is refunded here, once."""
        status = job.status(self._clock())
        if polled and not job.settled:
            job.polls_left -= 1
        if job.settled or status not in ("succeeded", "failed"):
            return status
        job.settled, job.finished = status, max(job.done_at, job.created)
        if status == "failed" and job.fault is not None and job.fault.params["refund"]:
            self._refund(job.id)
        return status

    def settle_all(self) -> None:
        """Let every job finish that has had its time, as the vendor's workers would."""
        for job in self.jobs.values():
            self.settle(job)

    def newest_first(self) -> list[tuple[Job, Status]]:
        """Every job with where it stands now."""
        return [(job, self.settle(job)) for job in reversed(self.jobs.values())]

    def _refund(self, request_id: str) -> None:
        for index, charge in enumerate(self.charges):
            if charge.request_id == request_id and not charge.refunded:
                self.charges[index] = replace(charge, refunded=True)
                self.balance += charge.money

    def charged_total(self) -> Money:
        return Money(sum(charge.money.micros for charge in self.charges if not charge.refunded))

    def sign(self, job: Job, files: list[Output], origin: str, until: float) -> list[str | None]:
        """A new URL for each of the job's files, good until then; None for one that the vendor keeps no more."""
        if not job.hosted:
            job.hosted = [secrets.token_hex(8) for _ in files]
            self.hosted |= {name: Hosted(file) for name, file in zip(job.hosted, files, strict=True)}
        return [self._signed(name, job, origin, until) for name in job.hosted]

    def _signed(self, name: str, job: Job, origin: str, until: float) -> str | None:
        hosted = self.hosted[name]
        if hosted.gone or self._clock() >= job.finished + RETAINED_SECONDS:
            return None
        signature = secrets.token_urlsafe(12)
        hosted.signatures[signature] = until
        return f"{origin}/_outputs/{name}.{hosted.output.extension}?sig={signature}"


def _canonical(body: Any) -> str:
    return json.dumps(body, sort_keys=True)
