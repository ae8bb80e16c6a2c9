"""Observers: what they are told, and that nothing they do moves, stops or repeats money."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.metadata
import json
import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import ConfigError, OutcomeUnknown, OverBudget, QualityRejected, Refused
from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.testing.shop import Shop
from pixelrouter.watch import EVENTS, Background, Event, Watch, registry
from tests.conftest import KEY

Make = Callable[..., PixelRouter]
ROOT = Path(__file__).resolve().parents[2]
STEPS = ["call.started", "attempt.reserved", "attempt.sending", "attempt.accepted", "attempt.settled", "call.finished"]


class Seen:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def notice(self, event: Event) -> None:
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        """Without what says which candidate is asked: that is told elsewhere."""
        return [event.name for event in self.events if not event.name.startswith("candidate.")]

    def one(self, name: str) -> Event:
        (found,) = [event for event in self.events if event.name == name]
        return found


class Raises:
    """Raises ``error`` at the event of that name, or at every one."""

    def __init__(self, error: BaseException, at: str = "") -> None:
        self.error, self.at, self.armed = error, at, True

    def notice(self, event: Event) -> None:
        if self.armed and self.at in ("", event.name):
            raise self.error


def test_a_purchase_and_its_reuse_are_told_step_by_step(make_router: Make) -> None:
    seen = Seen()
    router = make_router(observers=[seen])
    art = router.generate("a red potion", size=64, asset="potion", tags=["shop", "red"])
    assert seen.names == STEPS
    assert len({event.call for event in seen.events}) == 1
    assert seen.events[0].call
    started, finished = seen.one("call.started").details, seen.one("call.finished").details
    assert (started["asset"], started["tags"], started["size"]) == ("potion", ["shop", "red"], [64, 64])
    assert finished["outcome"] == "bought"
    assert finished["cost"] == art.cost.as_dict()
    settled = seen.one("attempt.settled")
    assert settled.attempt == router.attempts()[0]
    again = router.generate("a red potion", size=64)
    assert again.reused
    assert seen.names[len(STEPS) :] == ["call.started", "call.finished"]
    last = seen.events[-1]
    assert (last.details["outcome"], last.details["cost"]["amount"]) == ("reused", "0")
    assert last.call != settled.call


def test_every_event_is_known_frozen_json_and_without_secrets_or_prompts(
    make_router: Make, sim: RetroDiffusionSimulator
) -> None:
    seen = Seen()
    router = make_router(observers=[seen])
    sim.fault("poll_502")
    router.generate("a very private potion", size=64)
    sim.fault("moderated")
    with pytest.raises(Refused):
        router.generate("a very private potion of another kind", size=64)
    assert {"free.repeated", "attempt.released", "call.failed"} <= set(seen.names)
    for event in seen.events:
        assert event.name in EVENTS
        told = json.dumps(event.as_dict(), allow_nan=False)
        assert KEY not in told
        assert KEY not in repr(event)
        assert "private" not in told
        with pytest.raises(dataclasses.FrozenInstanceError):
            event.name = "else"  # type: ignore[misc]
    bought = next(event for event in seen.events if event.name == "attempt.settled")
    assert "private" in json.dumps(bought.as_dict(prompts=True))
    failed = seen.one("call.failed").details
    assert failed["error"] == "ContentRefused"
    assert failed["money"] == "no"


def test_a_secret_in_a_detail_is_taken_out() -> None:
    seen = Seen()
    Watch([seen]).tell("call.failed", message="r8_abcdefghijklmnop", more={"list": ["r8_abcdefghijklmnop"], "x": 1e999})
    assert seen.events[0].details == {"message": "[redacted]", "more": {"list": ["[redacted]"], "x": "inf"}}


@pytest.mark.parametrize("error", [ValueError("boom"), GeneratorExit(), asyncio.CancelledError()])
def test_an_observer_that_raises_stops_nothing_and_is_mentioned_once(
    make_router: Make, sim: RetroDiffusionSimulator, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    seen = Seen()
    router = make_router(observers=[Raises(error), seen])
    art = router.generate("a red potion", size=64)
    assert art.attempts[-1].state == "settled"
    assert seen.names == STEPS
    assert len(sim.charges) == 1
    assert len([record for record in caplog.records if "The observer Raises failed" in record.message]) == 1


def test_a_log_handler_that_raises_stops_nothing(make_router: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    handler = Broken()
    logging.getLogger("pixelrouter").addHandler(handler)
    try:
        art = make_router(observers=[Raises(ValueError()), "logging"]).generate("a red potion", size=64)
    finally:
        logging.getLogger("pixelrouter").removeHandler(handler)
    assert art.attempts[-1].state == "settled"


@pytest.mark.parametrize(("at", "error"), [*((at, KeyboardInterrupt) for at in STEPS), (STEPS[1], SystemExit)])
def test_ctrl_c_while_an_observer_runs_loses_and_repeats_nothing(
    make_router: Make, sim: RetroDiffusionSimulator, at: str, error: type[BaseException]
) -> None:
    raises = Raises(error(), at)
    router = make_router(observers=[raises])
    with pytest.raises(error):
        router.generate("a red potion", size=64)
    raises.armed = False
    art = router.generate("a red potion", size=64)  # the same router: what it left behind must not block it
    assert art.attempts[-1].state == "settled"
    assert len(sim.charges) == 1
    assert {row.state for row in router.attempts()} <= {"settled", "released"}


def test_an_observer_that_asks_the_router_gets_answers(make_router: Make) -> None:
    class Asks:
        router: PixelRouter

        def __init__(self) -> None:
            self.states: list[list[str]] = []

        def notice(self, event: Event) -> None:
            if event.attempt is not None:
                self.states.append([row.state for row in self.router.attempts()])

    asks = Asks()
    asks.router = make_router(observers=[asks])
    asks.router.generate("a red potion", size=64)
    assert asks.states == [["reserved"], ["sending"], ["accepted"], ["settled"]]  # told after the commit, never inside


def test_threads_and_tasks_have_calls_of_their_own(
    make_router: Make, sim: RetroDiffusionSimulator, tmp_path: Path
) -> None:
    seen = Seen()
    router = make_router(observers=[seen])
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: router.generate(f"potion {n}", size=32), range(6)))

    async def all_at_once() -> None:
        section = {"retrodiffusion": {"base_url": sim.url, "poll_s": 0.01}}
        async with AsyncPixelRouter(
            state=tmp_path / "state", backend="retrodiffusion", keys={"retrodiffusion": KEY}, backends=section,
            observers=[seen],
        ) as other:  # fmt: skip
            await asyncio.gather(*(other.generate(f"sword {n}", size=32) for n in range(6)))

    asyncio.run(all_at_once())
    calls: dict[str, list[str]] = {}
    attempts: dict[str, set[str]] = {}
    for event in seen.events:
        if event.name.startswith("candidate."):
            continue
        calls.setdefault(event.call, []).append(event.name)
        if event.attempt is not None:
            attempts.setdefault(event.call, set()).add(event.attempt.id)
    assert list(calls.values()) == [STEPS] * 12
    assert [len(ids) for ids in attempts.values()] == [1] * 12


def test_whoever_waits_for_anothers_purchase_is_told(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sending, shared, seen = threading.Event(), threading.Event(), Seen()

    class Holds:
        """Holds the purchase back until somebody else asks for the same."""

        def notice(self, event: Event) -> None:
            seen.notice(event)
            if event.name == "attempt.sending":
                sending.set()
                assert shared.wait(20)
            if event.name == "attempt.shared":
                shared.set()

    router = make_router(observers=[Holds()])
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(router.generate, "a red potion", size=64)
        assert sending.wait(20)
        second = router.generate("a red potion", size=64)
    assert second.reused or second.raws == first.result().raws
    owner = seen.one("attempt.reserved")
    for waited in (event for event in seen.events if event.name == "attempt.shared"):
        assert waited.attempt is not None
        assert owner.attempt is not None
        assert waited.attempt.id == owner.attempt.id
        assert waited.call != owner.call
    assert len(sim.charges) == 1


def test_whoever_waits_for_a_slot_is_told(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    seen, queued = Seen(), threading.Event()

    class Holds:
        """Holds the first purchase back until the second waits for its place."""

        def notice(self, event: Event) -> None:
            seen.notice(event)
            if event.name == "slot.waiting":
                queued.set()
            if event.name == "attempt.sending":
                assert queued.wait(20)

    router = make_router(observers=[Holds()], rd={"concurrency": 1})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: router.generate(f"potion {n}", size=32), range(2)))
    waited = [event for event in seen.events if event.name == "slot.waiting"]
    assert waited
    assert all(event.details["seconds"] > 0 and event.details["why"] and event.attempt for event in waited)
    assert len(sim.charges) == 2


def test_the_events_are_documented() -> None:
    page = (ROOT / "docs" / "watching.md").read_text("utf-8")
    kinds = "|".join({name.partition(".")[0] for name in EVENTS})
    assert re.findall(rf"^\| `((?:{kinds})\.\w+)` \|", page, re.MULTILINE) == list(EVENTS)


def test_a_lost_reply_and_its_resume_are_told(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    seen = Seen()
    router = make_router(observers=[seen], rd={"api_version": "v1"})
    sim.fault("lose_reply")
    with pytest.raises(OutcomeUnknown):
        router.generate("a red potion", size=64)
    failed = seen.one("call.failed").details
    assert (failed["error"], failed["money"]) == ("OutcomeUnknown", "held")
    assert failed["held"]["unit"] == "usd"
    assert seen.one("attempt.unknown").call == seen.one("call.failed").call
    router.resume()
    assert [event.details["kind"] for event in seen.events if event.name == "call.started"] == ["generate", "resume"]
    row = router.attempts()[0]
    router.release(row.id)
    assert seen.one("attempt.released").call == ""


def test_the_quality_gate_is_told_and_remembered(shops: Callable[..., Shop]) -> None:
    seen, shop = Seen(), shops("fal", native=1024, noise=6)  # an illustration: there is no grid to find
    router = shop.router(observers=[seen], timeout_s=30)
    for _ in range(2):
        with pytest.raises(QualityRejected):
            router.generate("a small wooden cart", size=32, min_score=80)
    told = [event for event in seen.events if event.name == "quality.rejected"]
    assert [event.details["min_score"] for event in told] == [80, 80]
    score = told[0].details["score"]
    assert score < 80
    assert router.attempts()[0].evidence["turned_down"]["score"] == score
    assert seen.names.count("attempt.explained") == 1
    router.generate("a small wooden cart", size=32, min_score=0)
    assert seen.one("quality.accepted").details["score"] == score
    assert len(shop.simulator.charges) == 1
    (row,) = router.costs(by="backend")
    assert row["turned_down"] == row["spent"] != "0"


def test_a_cap_that_stops_a_purchase_is_told(make_router: Make) -> None:
    seen = Seen()
    with pytest.raises(OverBudget):
        make_router(observers=[seen]).generate("a red potion", size=64, max_usd=0)
    assert seen.names == ["call.started", "call.failed"]


def test_a_slow_observer_in_the_background_holds_nobody_up(make_router: Make) -> None:
    go_on, seen = threading.Event(), Seen()

    class Slow:
        def notice(self, event: Event) -> None:
            assert go_on.wait(20)
            seen.notice(event)
            raise ValueError("and it fails, too")

    background = Background(Slow(), size=4)
    make_router(observers=[background]).generate("a red potion", size=64)
    assert seen.events == []
    assert not background.close(0.01)
    go_on.set()
    assert background.close(20)
    assert background.dropped > 0
    assert [event.name for event in seen.events] == STEPS[: len(seen.events)]


# --- by name ---


def test_observers_come_by_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setenv("PIXELROUTER_OBSERVE", "logging, logging")
    caplog.set_level(logging.DEBUG, "pixelrouter")
    with PixelRouter(state=tmp_path) as router:
        router.generate("a red potion", size=16)
    lines = [record for record in caplog.records if getattr(record, "event", "")]
    names = [record.event for record in lines if not record.event.startswith("candidate.")]
    assert names == ["call.started", "attempt.reserved", "attempt.settled", "call.finished"]
    assert [record.levelname for record in lines if record.event in names] == ["INFO", "DEBUG", "INFO", "INFO"]
    assert lines[-1].pixelrouter["details"]["outcome"] == "bought"
    assert "red" not in caplog.text
    assert all("\n" not in record.message for record in lines)


@pytest.mark.parametrize("wanted", [["loging"], ["nobody"]])
def test_an_unknown_name_is_an_error_with_a_hint(tmp_path: Path, wanted: list[str]) -> None:
    with pytest.raises(ConfigError, match="there is no observer") as caught:
        PixelRouter(state=tmp_path, observe=wanted)
    assert "logging" in str(caught.value.hint)


@pytest.mark.parametrize("wrong", [Seen, object(), None])
def test_what_cannot_be_told_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="no method notice"):
        PixelRouter(state=tmp_path, observers=[wrong])


def test_a_package_can_bring_an_observer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Seen] = []

    def theirs() -> Seen:
        made.append(Seen())
        return made[-1]

    class Entry(importlib.metadata.EntryPoint):
        def load(self) -> Any:
            return theirs if self.name == "theirs" else 1 / 0

    found = {name: Entry(name, "their.package:Observer", registry.ENTRY_POINTS) for name in ("theirs", "broken")}
    monkeypatch.setattr(registry, "_plugins", lambda: found)
    with PixelRouter(state=tmp_path, observe=["theirs"]) as router:
        router.generate("a red potion", size=16)
    assert made[0].names[0] == "call.started"
    with pytest.raises(ConfigError, match="'broken' cannot be loaded"):
        PixelRouter(state=tmp_path, observe=["broken"])


def test_a_router_nobody_watches_makes_no_events(make_router: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelrouter.watch.observer.Event", lambda *_: 1 / 0)
    assert make_router().generate("a red potion", size=64).attempts[-1].state == "settled"
