"""The vendor's books for one customer: two purses that never mix, the jobs, the charges.

Generations of a subscription are spent first, then dollars. A job's price is held when it is taken, charged when it
ends well. Not thread safe by itself: the simulator calls it under its lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Fault, FaultQueue, Faults
from pixelrouter.testing.simulator.pixellab.endpoints import Endpoint
from pixelrouter.testing.simulator.pixellab.jobs import Job, resolved_seed
from pixelrouter.testing.simulator.pixellab.prices import Price
from pixelrouter.testing.simulator.pixellab.problems import Refused, busy
from pixelrouter.testing.simulator.pixellab.settings import Settings
from pixelrouter.types import Money
from pixelrouter.types.money import Unit

_MINUTE = 60.0


class Account:
    """What the vendor knows of one customer's money and jobs."""

    def __init__(self, settings: Settings, clock: Callable[[], float], faults: FaultQueue) -> None:
        self.settings = settings
        self.charges: list[Charge] = []
        self.jobs: dict[str, Job] = {}  # oldest first
        self._left: dict[Unit, Money] = {
            "usd": Money.of(settings.balance),
            "generations": Money.of(settings.generations, "generations"),
        }
        self._held: dict[Unit, Money] = {"usd": Money(0), "generations": Money(0, "generations")}
        self._surcharge = Money.of(settings.surcharge)
        self._billed: list[tuple[float, Money]] = []  # (when the customer sees it, what)
        self._running: dict[str, Job] = {}
        self._recent: list[float] = []  # when the synchronous orders of the last minute came
        self._clock, self.faults = clock, faults

    # Money.

    def left(self, unit: Unit) -> Money:
        """What is in this purse."""
        return self._left[unit]

    def shown(self, unit: Unit) -> Money:
        """What GET /balance says is in it: charges appear there late, where the bill is late."""
        now = self._clock()
        hidden = sum(money.micros for at, money in self._billed if at > now and money.unit == unit)
        return self._left[unit] + Money(hidden, unit)

    def move(self, by: Money) -> None:
        """Somebody else spends, or pays in."""
        self._left[by.unit] += by

    def charged_total(self, unit: Unit) -> Money:
        return Money(sum(charge.money.micros for charge in self.charges if charge.money.unit == unit), unit)

    def purse(self, price: Price, times: int = 1) -> Unit:
        """The purse that can pay this so many times. Raises Refused(402) where none can."""
        in_generations = Money(price.generations.micros * times, "generations")
        in_usd = Money((price.usd + self._surcharge).micros * times)
        free = {unit: self._left[unit] - self._held[unit] for unit in self._left}
        if self.settings.account == "subscription" and in_generations <= free["generations"]:
            return "generations"
        if in_usd <= free["usd"]:
            return "usd"
        what = "generations" if self.settings.account == "subscription" else "credits"
        raise Refused(402, f"Insufficient {what}")

    def cost(self, price: Price, purse: Unit) -> Money:
        return price.generations if purse == "generations" else price.usd + self._surcharge

    def charge(self, money: Money, body: Mapping[str, Any], request_id: str, seen_at: float) -> None:
        """Take money for one request; the customer sees it in the balance from ``seen_at`` on."""
        self._left[money.unit] -= money
        self._billed.append((seen_at, money))
        self.charges.append(Charge(money, body, None, request_id))

    # Orders.

    def check_load(self, endpoint_is_job: bool) -> int:
        """How many jobs may start now, at least 1. Raises Refused(429) where the customer asks for too much."""
        wait = self.settings.retry_after
        if endpoint_is_job:
            self.settle_all()
            free = self.settings.slots - len(self._running)
            if free <= 0:
                raise busy(job=True, wait=wait)
            return free
        now = self._clock()
        self._recent = [at for at in self._recent if at > now - _MINUTE]
        if self.settings.per_minute is not None and len(self._recent) >= self.settings.per_minute:
            raise busy(job=False, wait=wait)
        self._recent.append(now)
        return 1

    def take(
        self,
        endpoint: Endpoint,
        order: Any,
        body: Mapping[str, Any],
        *,
        fault: Fault | None,
        ids: Mapping[str, str],
        purse: Unit | None,
    ) -> Job:
        """Make the order a job and hold its price; with no ``purse`` (the free tier) it can only fail."""
        now, settings = self._clock(), self.settings
        waits = endpoint.job
        price = None if purse is None else self.cost(endpoint.price(order), purse)
        job = Job(
            id=str(uuid.uuid4()),
            endpoint=endpoint,
            order=order,
            body=body,
            seed=resolved_seed(order),
            price=price,
            created=now,
            done_at=now + (settings.job_seconds if waits else 0),
            polls_left=settings.polls + settings.lag_polls if waits else 0,
            lag_polls=settings.lag_polls,
            growth=settings.canvas_growth,
            fault=fault,
            ids=dict(ids),
        )
        if price is not None:
            self._held[price.unit] += price
        self._running[job.id] = job
        if waits:
            self.jobs[job.id] = job
        else:
            self.settle_all()
        return job

    def settle_all(self) -> None:
        """Let every job end that has had its time, and charge what ended well."""
        now = self._clock()
        for job in list(self._running.values()):
            # A synchronous order that hangs is charged all the same: the vendor promises nothing else.
            if job.ends(now) or not job.endpoint.job:
                del self._running[job.id]
                self._settle(job)

    def _settle(self, job: Job) -> None:
        job.end = "failed" if job.failing else "completed"
        if job.price is None:
            return
        self._held[job.price.unit] -= job.price
        refunded = job.fault is not None and job.has(Faults.JOB_FAILED) and job.fault.params["refund"]
        if not refunded:
            job.bill = job.price
            self.charge(job.price, job.body, job.id, self.billed_at(job))

    def billed_at(self, job: Job) -> float:
        """When the customer can see the bill."""
        return job.done_at + (self.settings.billing_lag if job.endpoint.job else 0)

    def usage(self, job: Job) -> dict[str, Any]:
        """The vendor's usage object: nothing spent, until the bill is there."""
        bill = self.bill(job)
        return {"type": "usd", "usd": 0.0} if bill is None else usage_of(bill)

    def bill(self, job: Job) -> Money | None:
        """What the job cost, once the customer can see it."""
        return job.bill if self._clock() >= self.billed_at(job) else None


def usage_of(money: Money, version: str = "v2") -> dict[str, Any]:
    """Money as the vendor writes it; v2 names the other currency as null."""
    whole: dict[str, Any] = {"type": money.unit, money.unit: float(money)}
    if version == "v2":
        whole = {"type": money.unit, "usd": None, "generations": None} | whole
    return whole
