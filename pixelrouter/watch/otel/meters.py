"""Metrics: what was spent, what is held, how attempts and calls end, how long they take.

A metric of money has its currency in its name (``pixelrouter.spent.usd``, ``pixelrouter.spent.generations``), so that
no dashboard can add up what has no exchange rate. The ledger is exact; these are floats, for looking at.
"""

from __future__ import annotations

import threading

from opentelemetry.metrics import Counter, Meter, UpDownCounter

from pixelrouter.types import Attempt, Money, Unit
from pixelrouter.watch.event import Event
from pixelrouter.watch.otel.attributes import Value, error_type, of_model

_UNITS = {"usd": "{USD}", "generations": "{generation}"}
_KINDS = {
    "spent": "What vendors charged.",
    "held": "What is kept back for attempts that are not finished, as far as this process has seen them.",
    "over_quote": "How much more was billed than quoted; less where it is negative.",
}
# The boundaries that the conventions advise for gen_ai.client.operation.duration.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)


class Meters:
    """Records metrics as events come. Safe to be told from many threads."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Attempt, Money]] = {}
        self._money: dict[tuple[str, Unit], Counter | UpDownCounter] = {}
        self._attempts = meter.create_counter("pixelrouter.attempts", "{attempt}", "Attempts by outcome.")
        self._calls = meter.create_counter("pixelrouter.calls", "{call}", "Calls by outcome: bought, reused, failed.")
        self._repeated = meter.create_counter("pixelrouter.free.repeated", "{call}", "Free calls made again.")
        self._durations = {
            name: meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=_SECONDS)
            for name, text in (
                ("gen_ai.client.operation.duration", "From the reservation of an attempt to its end."),
                ("pixelrouter.call.duration", "A call of the router."),
            )
        }

    def notice(self, event: Event) -> None:
        """One event."""
        row = event.attempt
        if event.name in ("call.finished", "call.failed"):
            self._call(event)
        elif event.name == "free.repeated":
            self._repeated.add(1, {"pixelrouter.purpose": str(event.details.get("purpose", ""))})
        elif row is not None and event.name == f"attempt.{row.state}":
            self._hold(row)
            if row.state in ("settled", "released", "unknown"):
                self._ended(event, row)

    def _call(self, event: Event) -> None:
        failed = event.name == "call.failed"
        told: dict[str, Value] = {"pixelrouter.outcome": "failed" if failed else str(event.details["outcome"])}
        if failed:
            told["error.type"] = str(event.details["error"])
        elif event.backend:
            told["gen_ai.provider.name"] = event.backend
        self._calls.add(1, told)
        self._durations["pixelrouter.call.duration"].record(float(event.details["seconds"]), told)

    def _hold(self, row: Attempt) -> None:
        """Up when an attempt is first seen, down when it has ended."""
        with self._lock:
            before = self._held.pop(row.id, None)
            now = None if row.state in ("settled", "released") else (row, row.held)
            if now is not None:
                self._held[row.id] = now
        for one, sign in ((now, 1), (before, -1)):
            if one is not None and one[1]:
                self._add("held", one[0], one[1].unit, sign * float(one[1]))

    def _ended(self, event: Event, row: Attempt) -> None:
        failure = error_type(row)
        lost = row.state == "settled" and not row.raws
        told: dict[str, Value] = {**of_model(row), **({"error.type": failure} if failure else {})}
        self._attempts.add(1, {**told, "pixelrouter.outcome": "lost" if lost else row.state})
        if row.state == "unknown":
            return  # it has not ended yet
        self._durations["gen_ai.client.operation.duration"].record(max(0.0, event.at - row.created_at), told)
        if row.charged is None:
            return
        if row.charged:
            self._add("spent", row, row.charged.unit, float(row.charged), source=True)
        if row.quoted and row.quoted.money.unit == row.charged.unit and row.charged != row.quoted.money:
            self._add("over_quote", row, row.charged.unit, float(row.charged - row.quoted.money))

    def _add(self, kind: str, row: Attempt, unit: Unit, amount: float, *, source: bool = False) -> None:
        told: dict[str, Value] = {**of_model(row), "pixelrouter.unit": unit}
        if source:
            told["pixelrouter.cost.source"] = row.cost_source
        with self._lock:
            if (kind, unit) not in self._money:
                make = self._meter.create_counter if kind == "spent" else self._meter.create_up_down_counter
                self._money[kind, unit] = make(f"pixelrouter.{kind}.{unit}", _UNITS[unit], _KINDS[kind])
            instrument = self._money[kind, unit]
        instrument.add(amount, told)
