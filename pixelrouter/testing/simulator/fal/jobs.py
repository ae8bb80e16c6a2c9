"""The queue and the books of the simulated fal account: what waits, what runs, what was billed.

Not thread safe by itself: the simulator calls it under its lock. Only `Job.drawn` draws outside that lock.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.fal.endpoints import Endpoint
from pixelrouter.testing.simulator.fal.orders import Drawn, Order, Style, draw
from pixelrouter.testing.simulator.fal.problems import Failure, content_policy, named_failure, request_failure
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.types import Money

Status = Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
_BACKWARDS: tuple[Status, ...] = ("IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS")


@dataclass
class Job:
    """One accepted request. It ends with ``failure``, or with the order's output.

    ``polls_left`` looks find it unfinished, and ``done_at`` has to pass. ``deadline`` is when it must have started.
    """

    id: str
    endpoint_id: str
    endpoint: Endpoint | None
    body: Any
    order: Order | None
    failure: Failure | None
    fault: Fault | None
    created: float
    starts_at: float
    done_at: float
    polls_left: int
    deadline: float | None = None
    stored: bool = True
    done: bool = False
    polled: int = 0
    finished: float | None = None
    billed: Decimal | None = None
    result: dict[str, Any] | None = None
    script: list[Status] = field(default_factory=list)
    _drawn: Drawn | None = None
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    def has(self, name: str) -> bool:
        return self.fault is not None and self.fault.name == name

    @property
    def stuck(self) -> bool:
        return self.has(Faults.JOB_STUCK)

    @property
    def units(self) -> Decimal:
        """What it bills once it is through: a failure nothing, unless its fault says otherwise."""
        params = self.fault.params if self.fault else {}
        if self.failure is None:
            return self.order.units if self.order else Decimal(0)
        if self.has(Faults.MODERATED):
            return Decimal(str(params["units"]))
        if self.has(Faults.JOB_FAILED) and not params["refund"] and self.order:
            return self.order.units
        return Decimal(0)

    def drawn(self, style: Style) -> Drawn:
        """What it made, drawn once."""
        assert self.order is not None  # noqa: S101  only a job without a failure is drawn
        with self._drawing:
            if self._drawn is None:
                self._drawn = draw(self.order, style, self.fault)
            return self._drawn


def failure_of(fault: Fault | None, order: Order) -> Failure | None:
    """How a good order still ends badly, where its fault says so."""
    match fault.name if fault else None:
        case Faults.MODERATED if fault:
            failure = content_policy(order.fields.get("prompt", ""))
            units = str(fault.params["units"])
            return failure.with_header("X-Fal-Billable-Units", units) if fault.params["header"] else failure
        case Faults.JOB_FAILED if fault:
            return request_failure(fault.params["code"], status=fault.params["status_code"])
        case "completed_with_error" if fault:
            return named_failure(fault.params["error_type"])
    return None


class Queue:
    """The account: its balance, its jobs (oldest first), what it was charged."""

    def __init__(self, balance: str, job_seconds: float, polls: int, clock: Callable[[], float]) -> None:
        self.balance = Money.of(balance)
        self.charges: list[Charge] = []
        self.jobs: dict[str, Job] = {}
        self._open: dict[str, Job] = {}  # those that are not through
        self._job_seconds, self._polls, self._clock = job_seconds, polls, clock

    @property
    def locked(self) -> bool:
        """An account that has run out is locked; a job that is already in may take it below zero."""
        return self.balance.micros <= 0

    def add(
        self,
        endpoint_id: str,
        endpoint: Endpoint | None,
        body: Any,
        outcome: Order | Failure,
        fault: Fault | None,
        *,
        start_within: float | None = None,
        stored: bool = True,
        direct: bool = False,
    ) -> Job:
        """Take a request. ``direct`` runs it at once; ``start_within`` is its own start deadline in seconds."""
        now = self._clock()
        order = outcome if isinstance(outcome, Order) else None
        failure = failure_of(fault, outcome) if isinstance(outcome, Order) else outcome
        seconds = 0.0 if direct else self._job_seconds
        job = Job(
            id=str(uuid.uuid4()),
            endpoint_id=endpoint_id,
            endpoint=endpoint,
            body=body,
            order=order,
            failure=failure,
            fault=fault,
            created=now,
            starts_at=now + seconds / 2,
            done_at=now + seconds,
            polls_left=0 if direct else self._polls,
            deadline=None if start_within is None else now + start_within,
            stored=stored,
        )
        if job.has("backwards_status"):
            job.script = list(_BACKWARDS)
        self.jobs[job.id] = self._open[job.id] = job
        return job

    def waiting(self) -> int:
        """How many requests are not through."""
        return sum(self.look(job) != "COMPLETED" for job in list(self._open.values()))

    def position(self, job: Job) -> int:
        """How many unfinished requests came before it."""
        self.waiting()  # lets those go whose time has passed
        return list(self._open).index(job.id) if job.id in self._open else 0

    def look(self, job: Job, *, polled: bool = False) -> Status:
        """Where the request stands now; the work that its time has come for is done. ``polled``: a client looked."""
        now = self._clock()
        if job.done:
            return "COMPLETED"
        queued_for_ever = job.stuck and job.fault is not None and job.fault.params["status"] == "IN_QUEUE"
        never_starts = queued_for_ever or (job.deadline is not None and job.starts_at > job.deadline)
        if job.deadline is not None and never_starts and now >= job.deadline:
            job.failure = request_failure("startup_timeout", "Request timed out").with_header(
                "X-Fal-Request-Timeout-Type", "user"
            )
            return self.finish(job, job.deadline)
        if job.stuck and job.fault:
            status: Status = job.fault.params["status"]
            return status
        if job.script:
            return job.script.pop(0) if polled else job.script[0]
        if now >= job.done_at and job.polls_left <= 0:
            return self.finish(job, job.done_at)
        queued = now < job.starts_at if self._job_seconds else not job.polled
        if polled:
            job.polled += 1
            job.polls_left -= 1
        return "IN_QUEUE" if queued else "IN_PROGRESS"

    def finish(self, job: Job, at: float) -> Status:
        """The request is through: billed, if it bills anything."""
        job.done, job.finished = True, at
        self._open.pop(job.id, None)
        self._bill(job)
        return "COMPLETED"

    def cancel(self, job: Job) -> tuple[bool, bool]:
        """Ask it to stop. Returns whether it was still to stop, and whether it had not begun.

        A request whose work was already billed, or that has the fault ``cancel_race``, goes on to its end.
        """
        status = self.look(job)
        if status == "COMPLETED":
            return False, False
        if not (job.billed or job.has("cancel_race")):
            job.failure = request_failure("client_cancelled", "Request cancelled")
            job.fault = None
            self.finish(job, self._clock())
        return True, status == "IN_QUEUE"

    def settle_all(self) -> None:
        """Bill every request whose time has passed, whether or not anyone looks: the runners do not wait for polls."""
        for job in list(self._open.values()):
            if self.look(job) != "COMPLETED" and not job.stuck and self._clock() >= job.done_at:
                self._bill(job)

    def _bill(self, job: Job) -> None:
        if job.billed is not None or job.endpoint is None:
            return
        job.billed = job.units
        if not job.billed:
            return
        money = Money.of(job.billed * Decimal(job.endpoint.price))
        self.balance -= money
        body = job.body if isinstance(job.body, dict) else {}
        self.charges.append(Charge(money, body, None, job.id))

    def charged_total(self) -> Money:
        return Money(sum(charge.money.micros for charge in self.charges if not charge.refunded))
