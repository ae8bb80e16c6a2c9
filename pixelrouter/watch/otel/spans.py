"""A span for each call, and below it one for each attempt that the call works on: from reserved to settled.

A call's parent is whatever span is current where the call is made, so that each thread and each task has its own. An
attempt that outlives its call (the job is still running) ends with it; whoever collects it gets a new span that links
to the first. So does a call that waits for the purchase of another.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from pixelrouter.types import Attempt
from pixelrouter.watch.event import Event
from pixelrouter.watch.otel.attributes import error_text, of_attempt, of_details

_REMEMBERED = 10_000  # ended attempts that a later span may link to
_ENDS = ("attempt.settled", "attempt.released")


@dataclass
class _Open:
    """A call's span, and those of its attempts, by id, with the row as it was last told."""

    span: Span
    count: int
    attempts: dict[str, tuple[Span, Attempt]] = field(default_factory=dict)


class Spans:
    """Starts and ends spans as events come.

    Safe to be told from many threads: the spans of a call belong to the thread or task that works on it. No lock is
    held while a span starts or ends, since exporters may take their time.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._lock = threading.Lock()
        self._calls: dict[str, _Open] = {}
        self._past: OrderedDict[str, SpanContext] = OrderedDict()

    def notice(self, event: Event) -> None:
        """One event."""
        if event.name == "call.started":
            self._start(event)
        elif event.name in ("call.finished", "call.failed"):
            self._end(event)
        elif event.name in ("attempt.shared", "attempt.explained") or not event.name.startswith("attempt."):
            self._tell(event)
        elif event.attempt is not None:
            self._attempt(event, event.attempt)

    # --- calls ---

    def _start(self, event: Event) -> None:
        links = self._links(event.attempt.id) if event.attempt else []
        span = self._tracer.start_span(
            f"pixelrouter.{event.details['kind']}",
            kind=SpanKind.INTERNAL,
            attributes={"pixelrouter.call": event.call, **of_details(event.details)},
            links=links,
            start_time=_nanoseconds(event.at),
        )
        self._calls[event.call] = _Open(span, int(event.details.get("n", 1)))

    def _end(self, event: Event) -> None:
        call = self._calls.pop(event.call, None)
        if call is None:
            return
        for span, row in call.attempts.values():  # it goes on without this call
            self._close(span, row, event.at)
        span = call.span
        details = dict(event.details)
        if event.name == "call.failed":
            kind, message = details.pop("error"), details.pop("message")
            span.set_attribute("error.type", kind)
            span.set_status(Status(StatusCode.ERROR, message))
        else:
            for one in details.get("attempts", ()):
                self._link(span, one)
        span.set_attributes(of_details(details))
        span.end(_nanoseconds(event.at))

    def _tell(self, event: Event) -> None:
        """A remark on an attempt that is open, else on its call."""
        call = self._calls.get(event.call)
        if call is None:
            return
        row = event.attempt
        span = call.attempts[row.id][0] if row is not None and row.id in call.attempts else call.span
        about = {"pixelrouter.attempt": row.id} if row is not None else {}
        if event.name == "attempt.shared" and row is not None:
            self._link(call.span, row.id)
        backend = {"gen_ai.provider.name": event.backend} if event.backend else {}
        span.add_event(event.name, {**backend, **about, **of_details(event.details)}, _nanoseconds(event.at))

    # --- attempts ---

    def _attempt(self, event: Event, row: Attempt) -> None:
        call = self._calls.get(event.call)
        if call is None and event.name not in _ENDS:
            return  # nobody would end it
        known = call.attempts.pop(row.id, None) if call else None
        span = known[0] if known else self._begin(event, row, call)
        if event.name in _ENDS or call is None:
            self._close(span, row, event.at)
            return
        call.attempts[row.id] = (span, row)
        if event.name != "attempt.reserved":
            span.add_event(event.name, timestamp=_nanoseconds(event.at))

    def _begin(self, event: Event, row: Attempt, call: _Open | None) -> Span:
        count = {"gen_ai.request.choice.count": call.count} if call and call.count != 1 else {}
        span = self._tracer.start_span(
            f"generate_content {row.model}" if row.model else "generate_content",
            context=set_span_in_context(call.span) if call else None,
            kind=SpanKind.CLIENT,
            attributes={**of_attempt(row), **count},
            links=self._links(row.id),
            start_time=_nanoseconds(event.at),
        )
        with self._lock:
            self._past[row.id] = span.get_span_context()
            self._past.move_to_end(row.id)
            if len(self._past) > _REMEMBERED:
                self._past.popitem(last=False)
        return span

    @staticmethod
    def _close(span: Span, row: Attempt, at: float) -> None:
        span.set_attributes(of_attempt(row))
        if row.error or row.state == "unknown":
            span.set_status(Status(StatusCode.ERROR, error_text(row) or "the outcome is unknown"))
        span.end(_nanoseconds(at))

    def _links(self, attempt: str) -> list[Link]:
        context = self._past.get(attempt)
        return [Link(context, {"pixelrouter.attempt": attempt})] if context else []

    def _link(self, span: Span, attempt: str) -> None:
        """Point to an attempt that was made for another call."""
        context = self._past.get(attempt)
        if context is not None and context.trace_id != span.get_span_context().trace_id:
            span.add_link(context, {"pixelrouter.attempt": attempt})


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
