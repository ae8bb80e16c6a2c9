"""Spans and metrics, read back from the real SDK's in-memory exporters."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import JobFailed, OutcomeUnknown, StillRunning
from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.testing.shop import Shop
from pixelrouter.types import Attempt, Cost, Money
from pixelrouter.watch import Event
from pixelrouter.watch.otel import OpenTelemetry
from tests.conftest import KEY

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., PixelRouter]


class Telemetry:
    """Providers of one's own, an observer that uses them, and what they exported."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self._meters = MeterProvider([self._reader])
        self.tracer = self.provider.get_tracer("test")
        self.observer = OpenTelemetry(tracer_provider=self.provider, meter_provider=self._meters)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self._spans.get_finished_spans() if span.name.startswith(name)]

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return [point for metric in found if metric.name == name for point in metric.data.data_points]

    def total(self, name: str, **told: Any) -> float:
        wanted = {key.replace("__", "."): value for key, value in told.items()}
        points = [point for point in self.points(name) if wanted.items() <= dict(point.attributes).items()]
        return sum(point.value for point in points)

    def close(self) -> None:
        self.provider.shutdown()
        self._meters.shutdown()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.close()


def of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def test_a_call_and_its_attempt_are_spans_with_money_on_them(make_router: Make, telemetry: Telemetry) -> None:
    router = make_router(observers=[telemetry.observer])
    with telemetry.tracer.start_as_current_span("build") as build:
        art = router.generate("a private red potion", size=64, n=2, asset="potion", tags=["a", "b"])
    attempt, call, _ = telemetry.spans()
    assert (attempt.name, call.name) == (f"generate_content {art.model}", "pixelrouter.generate")
    assert parent(call) == build.get_span_context().span_id
    assert parent(attempt) == call.context.span_id
    told, usd = of(attempt), float(art.cost)
    assert told["gen_ai.operation.name"] == "generate_content"
    assert told["gen_ai.provider.name"] == "retrodiffusion"
    assert told["gen_ai.request.model"] == art.model
    assert told["gen_ai.output.type"] == "image"
    assert told["gen_ai.request.choice.count"] == 2
    assert told["gen_ai.request.seed"] == art.seed
    assert told["gen_ai.response.id"] == art.attempts[-1].vendor_request
    assert told["pixelrouter.charged.usd"] == told["pixelrouter.quoted.usd"] == usd
    assert (told["pixelrouter.state"], told["pixelrouter.asset"], told["pixelrouter.tags"]) == (
        "settled", "potion", ("a", "b"),
    )  # fmt: skip
    assert [event.name for event in attempt.events] == ["attempt.sending", "attempt.accepted"]
    assert of(call)["pixelrouter.outcome"] == "bought"
    assert of(call)["pixelrouter.cost.usd"] == usd
    assert attempt.status.status_code is call.status.status_code is StatusCode.UNSET
    assert call.start_time <= attempt.start_time <= attempt.end_time <= call.end_time  # type: ignore[operator]  # ended
    assert not any("private" in span.to_json() or KEY in span.to_json() for span in telemetry.spans())
    assert telemetry.total("pixelrouter.spent.usd", gen_ai__provider__name="retrodiffusion") == pytest.approx(usd)
    (spent,) = telemetry.points("pixelrouter.spent.usd")
    assert spent.attributes["pixelrouter.cost.source"] == art.cost.source
    assert spent.attributes["pixelrouter.unit"] == "usd"
    assert telemetry.total("pixelrouter.held.usd") == 0
    assert telemetry.total("pixelrouter.attempts", pixelrouter__outcome="settled") == 1
    (duration,) = telemetry.points("gen_ai.client.operation.duration")
    assert duration.count == 1
    router.generate("a private red potion", size=64, n=2)
    assert telemetry.total("pixelrouter.calls", pixelrouter__outcome="reused") == 1
    assert telemetry.total("pixelrouter.calls", pixelrouter__outcome="bought") == 1
    (link,) = telemetry.spans("pixelrouter.")[-1].links
    assert link.context.span_id == attempt.context.span_id


def test_each_thread_and_task_has_its_own_parent(
    make_router: Make, sim: RetroDiffusionSimulator, telemetry: Telemetry, tmp_path: Path
) -> None:
    router, ours = make_router(observers=[telemetry.observer]), {}

    def in_a_thread(n: int) -> None:
        with telemetry.tracer.start_as_current_span("mine") as mine:
            ours[router.generate(f"potion {n}", size=32).attempts[-1].id] = mine.get_span_context()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(in_a_thread, range(5)))

    async def all_at_once() -> None:
        section = {"retrodiffusion": {"base_url": sim.url, "poll_s": 0.01}}
        async with AsyncPixelRouter(
            state=tmp_path / "state", backend="retrodiffusion", keys={"retrodiffusion": KEY}, backends=section,
            observers=[telemetry.observer],
        ) as other:  # fmt: skip

            async def in_a_task(n: int) -> None:
                with telemetry.tracer.start_as_current_span("mine") as mine:
                    ours[(await other.generate(f"sword {n}", size=32)).attempts[-1].id] = mine.get_span_context()

            await asyncio.gather(*(in_a_task(n) for n in range(5)))

    asyncio.run(all_at_once())
    calls = {span.context.span_id: span for span in telemetry.spans("pixelrouter.")}
    attempts = telemetry.spans("generate_content")
    assert len(calls) == len(attempts) == len(ours) == 10
    for span in attempts:
        call = calls[parent(span)]  # type: ignore[index]  # it has one
        assert parent(call) == ours[of(span)["pixelrouter.attempt"]].span_id
        assert span.context.trace_id == call.context.trace_id == ours[of(span)["pixelrouter.attempt"]].trace_id


def test_a_purchase_shared_by_two_calls_is_one_span_that_both_know(make_router: Make, telemetry: Telemetry) -> None:
    sending, shared = threading.Event(), threading.Event()

    class Holds:
        def notice(self, event: Event) -> None:
            if event.name == "attempt.sending":
                sending.set()
                assert shared.wait(20)
            if event.name == "attempt.shared":
                shared.set()

    router = make_router(observers=[telemetry.observer, Holds()])
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(router.generate, "a red potion", size=64)
        assert sending.wait(20)
        router.generate("a red potion", size=64)
        first.result(20)
    (attempt,) = telemetry.spans("generate_content")
    owner, waited = sorted(telemetry.spans("pixelrouter."), key=lambda span: len(span.links))
    assert parent(attempt) == owner.context.span_id
    assert {link.context.span_id for link in waited.links} == {attempt.context.span_id}
    assert "attempt.shared" in [event.name for event in waited.events]


def test_a_failed_job_is_an_error_on_both_spans(
    make_router: Make, sim: RetroDiffusionSimulator, telemetry: Telemetry
) -> None:
    sim.fault("job_failed")
    sim.fault("poll_502")
    with pytest.raises(JobFailed):
        make_router(observers=[telemetry.observer]).generate("a red potion", size=64)
    attempt, call = telemetry.spans()
    assert attempt.status.status_code is call.status.status_code is StatusCode.ERROR
    assert of(attempt)["error.type"] == of(call)["error.type"] == "JobFailed"
    assert "free.repeated" in [event.name for event in attempt.events + call.events]
    assert telemetry.total("pixelrouter.attempts", pixelrouter__outcome="released", error__type="JobFailed") == 1
    assert telemetry.total("pixelrouter.calls", pixelrouter__outcome="failed") == 1
    assert telemetry.total("pixelrouter.free.repeated") == 1
    assert telemetry.total("pixelrouter.spent.usd") == telemetry.total("pixelrouter.held.usd") == 0


def test_what_is_held_is_counted_until_it_is_closed(
    make_router: Make, sim: RetroDiffusionSimulator, telemetry: Telemetry
) -> None:
    router = make_router(observers=[telemetry.observer], rd={"api_version": "v1"})
    sim.fault("lose_reply")
    with pytest.raises(OutcomeUnknown):
        router.generate("a red potion", size=64)
    (row,) = router.attempts()
    assert telemetry.total("pixelrouter.held.usd") == pytest.approx(float(row.held))
    assert telemetry.total("pixelrouter.attempts", pixelrouter__outcome="unknown") == 1
    (attempt,) = telemetry.spans("generate_content")
    assert attempt.status.status_code is StatusCode.ERROR
    router.settle(row.id)
    assert telemetry.total("pixelrouter.held.usd") == pytest.approx(0)
    assert telemetry.total("pixelrouter.spent.usd") == pytest.approx(float(row.held))
    assert telemetry.total("pixelrouter.attempts", pixelrouter__outcome="lost") == 1
    *_, closed = telemetry.spans("generate_content")
    assert [link.context.span_id for link in closed.links] == [attempt.context.span_id]


def test_a_job_that_outlives_its_call_is_linked_by_whoever_collects_it(
    shops: Callable[..., Shop], telemetry: Telemetry
) -> None:
    shop = shops("retrodiffusion", job_seconds=60)
    router = shop.router(observers=[telemetry.observer], timeout_s=0.3)
    with pytest.raises(StillRunning):
        router.generate("a red potion", size=64)
    attempt, _ = telemetry.spans()  # both have ended, though the job has not
    assert of(attempt)["pixelrouter.state"] == "accepted"
    shop.simulator.advance(120)
    router.resume(timeout_s=20)
    collected, resumed = telemetry.spans()[2:]
    assert resumed.name == "pixelrouter.resume"
    assert {link.context.span_id for link in collected.links} == {attempt.context.span_id}
    assert of(collected)["pixelrouter.state"] == "settled"


def attempt_of(unit: Any, charged: int, quoted: int) -> Attempt:
    return Attempt(
        unit, "key", "pixellab", "m", "settled", Money(0, unit), Money(charged, unit), "reported",
        quoted=Cost(Money(quoted, unit), "listed"), raws=("ab",),
    )  # fmt: skip


def test_units_are_counted_apart_and_bills_are_compared_with_quotes(telemetry: Telemetry) -> None:
    for row in (attempt_of("usd", 7_000, 9_000), attempt_of("generations", 20_000_000, 1_000_000)):
        telemetry.observer.notice(Event("attempt.settled", 1.0, attempt=row))
    assert telemetry.total("pixelrouter.spent.usd") == pytest.approx(0.007)
    assert telemetry.total("pixelrouter.spent.generations") == 20
    assert telemetry.total("pixelrouter.over_quote.usd") == pytest.approx(-0.002)
    assert telemetry.total("pixelrouter.over_quote.generations") == 19


def test_events_out_of_the_blue_leave_nothing_open(telemetry: Telemetry) -> None:
    """Half a story, as an observer that joins late hears it."""
    row = attempt_of("usd", 5, 5)
    for name in ("call.finished", "call.failed"):
        details = {"seconds": 1.0, "outcome": "bought", "error": "X", "message": "x"}
        telemetry.observer.notice(Event(name, 1.0, "gone", details=details))
    telemetry.observer.notice(Event("attempt.accepted", 1.0, "gone", attempt=row))
    telemetry.observer.notice(Event("attempt.settled", 1.0, "gone", attempt=row))
    telemetry.observer.notice(Event("free.repeated", 1.0, details={"purpose": "look", "odd": {"x": [1]}}))
    assert [span.name for span in telemetry.spans()] == ["generate_content m"]


def test_nothing_is_set_up_and_nothing_happens_without_providers(make_router: Make) -> None:
    before = trace.get_tracer_provider()
    art = make_router(observe=["otel"]).generate("a red potion", size=64)
    assert art.attempts[-1].state == "settled"
    assert trace.get_tracer_provider() is before


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from pixelrouter import PixelRouter, errors\n"
        "try: PixelRouter(state=sys.argv[1], observe=['otel'])\n"
        "except errors.ConfigError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "pip install 'pixelrouter[otel]'" in result.stdout
