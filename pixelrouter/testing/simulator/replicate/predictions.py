"""The state of the simulated Replicate account: credit, charges, predictions.

Not thread safe by itself: the simulator calls it under its lock. Only `Prediction.files` draws outside that lock.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import floor, inf
from typing import Any, Literal

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Fault, FaultQueue, Faults, FaultSpec
from pixelrouter.testing.simulator.images import Output
from pixelrouter.testing.simulator.replicate import problems
from pixelrouter.testing.simulator.replicate.drawing import draw
from pixelrouter.testing.simulator.replicate.orders import Order
from pixelrouter.types import Money

Status = Literal["starting", "processing", "succeeded", "failed", "canceled", "aborted"]
NOT_SAFE = "NSFW content detected. Try running it again, or try a different prompt."

#: What only this vendor does wrong, and two shared faults that act on a prediction here: a prompt is moderated after
#: the request was taken, and a failure has an error text and no code.
VENDOR_FAULTS: dict[str, FaultSpec] = {
    Faults.MODERATED: FaultSpec("job", params={"error": NOT_SAFE, "refund": True}),
    Faults.JOB_FAILED: FaultSpec("job", params={"code": "inference_failed", "refund": True}),
    "low_credit_429": FaultSpec("before", params={"retry_after": 10}),
    "aborted": FaultSpec("job"),
    "starting_forever": FaultSpec("job"),
    "processing_with_output": FaultSpec("job", params={"answers": 1}),
    "data_uri": FaultSpec("job"),
    "unknown_status": FaultSpec("job", params={"status": "queued"}),
}
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass
class Prediction:
    """One accepted request. Times are seconds since the epoch on the vendor's clock; ``inf`` is never.

    It is ``starting`` until ``starts``, then ``processing`` until ``done``, or until its ``deadline`` where that is
    earlier. ``polls_left`` hides an end from that many polls; the vendor has done, and charged, the work by then.
    """

    id: str
    number: int
    order: Order
    body: Mapping[str, Any]
    folder: str
    created: float
    starts: float
    done: float
    deadline: float
    polls_left: int
    fault: Fault | None
    error: str | None
    ended: Status | None = None
    completed: float = 0.0
    charged: bool = False
    gone: bool = False  # the record is emptied
    files_gone: bool = False
    partial_answers: int = 0
    _files: list[Output] | None = None
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    def has(self, *names: str) -> bool:
        return self.fault is not None and self.fault.name in names

    def end(self, now: float) -> tuple[Status, float] | None:
        """How and when the work ended by now; None while it goes on."""
        if self.has("aborted"):
            return "aborted", self.created
        if self.deadline < self.done and now >= self.deadline:
            return ("aborted" if self.deadline < self.starts else "canceled"), self.deadline
        if now >= self.done:
            return ("failed" if self.error else "succeeded"), self.done
        return None

    def status(self, now: float) -> Status:
        return self.ended or ("starting" if now < self.starts else "processing")

    def ends_at(self) -> float:
        """When the work will be over."""
        return min(self.done, self.deadline)

    def costs(self, status: Status) -> bool:
        """Whether an end like this is charged."""
        if status == "failed":
            return self.fault is not None and self.fault.params.get("refund") is False
        return status in ("succeeded", "canceled")

    def files(self) -> list[Output]:
        """What the prediction made, drawn once; spoilt where its fault says so."""
        with self._drawing:
            if self._files is None:
                self._files = self._draw()
            return self._files

    def _draw(self) -> list[Output]:
        size = None
        if self.fault is not None and self.fault.name == Faults.WRONG_SIZE:
            wanted = self.fault.params
            size = (wanted["width"] or self.order.width * 2, wanted["height"] or self.order.height * 2)
        files = draw(self.order, self.id, size)
        if self.has(Faults.EMPTY_IMAGES):
            return []
        if self.has(Faults.FEWER_IMAGES):
            return files[:-1]
        if self.has(Faults.TRUNCATED_IMAGE):
            return [replace(file, data=file.data[: len(file.data) // 2]) for file in files]
        return files


class Account:
    """The vendor's books for one customer. An end is charged once: a success, and whatever ends as ``canceled``."""

    def __init__(
        self,
        balance: str,
        timing: tuple[float, float, int],
        retention: float,
        clock: Callable[[], float],
        faults: FaultQueue,
    ) -> None:
        self.balance = Money.of(balance)
        self.charges: list[Charge] = []
        self.predictions: dict[str, Prediction] = {}  # oldest first
        self.folders: dict[str, Prediction] = {}
        self._open: dict[str, Prediction] = {}
        self._queue_seconds, self._job_seconds, self._polls = timing
        self._retention, self._clock, self._faults = retention, clock, faults

    def accept(self, order: Order, body: Mapping[str, Any], life: int | None) -> Prediction:
        """Make the prediction of an order. Raises Refused (402) where the credit does not cover it.

        What unfinished predictions may still cost counts as spent.
        """
        self.settle_all()
        held = sum(Money.of(each.order.usd).micros for each in self._open.values() if not each.charged)
        if self.balance.micros - held < Money.of(order.usd).micros:
            raise problems.no_credit()
        fault = self._faults.for_job()
        name = None if fault is None else fault.name
        now = floor(self._clock() * 1000) / 1000  # as it is told, so that the list can be asked for this very moment
        starts = inf if name == "starting_forever" else now + self._queue_seconds
        done = inf if name == Faults.JOB_STUCK else starts + self._job_seconds
        error = order.failure
        if fault is not None and name in (Faults.JOB_FAILED, Faults.MODERATED):
            error = fault.params["error" if name == Faults.MODERATED else "code"]
        made = Prediction(
            id="".join(secrets.choice(_ALPHABET) for _ in range(26)),
            number=len(self.predictions),
            order=order,
            body=body,
            folder=secrets.token_urlsafe(24),
            created=now,
            starts=starts,
            done=done,
            deadline=inf if life is None else now + life,
            polls_left=self._polls,
            fault=fault,
            error=error,
            partial_answers=fault.params["answers"] if fault and name == "processing_with_output" else 0,
        )
        self.predictions[made.id] = self._open[made.id] = self.folders[made.folder] = made
        return made

    def settle(self, prediction: Prediction, *, polled: bool = False) -> None:
        """Move a prediction on: what ended is charged, and told unless polls have to find it unfinished first."""
        if prediction.ended is None:
            end = prediction.end(self._clock())
            if end is not None:
                self._charge(prediction, end[0])
                if prediction.polls_left <= 0:
                    self._close(prediction, *end)
            if polled:
                prediction.polls_left -= 1

    def settle_all(self) -> None:
        """Let every prediction end that has had its time, as the vendor's workers would."""
        for prediction in list(self._open.values()):
            self.settle(prediction)

    def cancel(self, prediction: Prediction) -> None:
        """End it as ``canceled``, which is charged; one that has ended stays as it is."""
        self.settle(prediction)
        if prediction.ended is None:
            self._charge(prediction, "canceled")
            self._close(prediction, "canceled", self._clock())

    def removed(self, prediction: Prediction) -> bool:
        """Whether the vendor has deleted the prediction's input and output, as it does some time after the end."""
        kept = prediction.ended is None or self._clock() < prediction.completed + self._retention
        return prediction.gone or not kept

    def charged_total(self) -> Money:
        return Money(sum(charge.money.micros for charge in self.charges))

    def _close(self, prediction: Prediction, status: Status, at: float) -> None:
        prediction.ended, prediction.completed = status, at
        self._open.pop(prediction.id, None)

    def _charge(self, prediction: Prediction, status: Status) -> None:
        if not prediction.charged and prediction.costs(status):
            prediction.charged = True
            price = Money.of(prediction.order.usd)
            self.balance -= price
            self.charges.append(Charge(price, prediction.body, None, prediction.id))
