"""The order in which backends are asked, and the circuit breaker: pure, so they are tried on anything."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import CircuitOpen
from pixelrouter.money.history import Latency, Outcome
from pixelrouter.routing.choosing.breaker import Health, closed_or_raise, health, healthy
from pixelrouter.routing.choosing.choice import Facts, order
from pixelrouter.types import Cost, Money

STRATEGIES = ("in_order", "cheapest", "fastest", "weighted")
costs = st.none() | st.builds(
    Cost,
    st.builds(Money, st.integers(0, 9), st.sampled_from(["usd", "generations"])),
    st.sampled_from(["quoted", "listed", "unknown"]),
)
latencies = st.none() | st.builds(Latency, st.integers(0, 5).map(float), st.integers(1, 20))
weights = st.sampled_from([0.0, 0.5, 1.0, 3.0])
facts = st.lists(
    st.tuples(costs, latencies, weights, st.sampled_from([0.0, 0.0, 0.0, 3.0, 30.0])), min_size=1, max_size=6
).map(lambda rows: [Facts(f"b{at}", *row) for at, row in enumerate(rows)])


def names(strategy: str, given_facts: list[Facts], request: str = "a potion") -> list[str]:
    return [place.name for place in order(strategy, given_facts, request)]


@settings(max_examples=50, deadline=None)
@given(facts, st.sampled_from(STRATEGIES), st.text(max_size=5))
def test_every_candidate_has_one_place_and_a_reason(given_facts: list[Facts], strategy: str, request: str) -> None:
    places = order(strategy, given_facts, request)
    assert sorted(place.name for place in places) == sorted(one.name for one in given_facts)
    assert all(place.why for place in places)
    assert places == order(strategy, given_facts, request)


@settings(max_examples=50, deadline=None)
@given(facts, st.sampled_from(STRATEGIES))
def test_who_wants_to_be_left_alone_comes_last(given_facts: list[Facts], strategy: str) -> None:
    cooling = {one.name: one.cooling_s for one in given_facts}
    asked = [cooling[name] for name in names(strategy, given_facts)]
    assert asked == sorted(asked)


@settings(max_examples=50, deadline=None)
@given(facts)
def test_cheapest_compares_dollars_with_dollars_alone(given_facts: list[Facts]) -> None:
    ready = [one for one in given_facts if not one.cooling_s]
    by_name = {one.name: one for one in ready}
    places = order("cheapest", ready, "")
    ranks = []
    for place in places:
        cost = by_name[place.name].cost
        if cost is None or cost.source == "unknown":
            ranks.append((2, 0))
            assert "nobody knows" in place.why
        elif cost.money.unit == "usd" or not cost.money:
            ranks.append((0, cost.money.micros))
        else:
            ranks.append((1, cost.money.micros))
            assert "cannot be compared" in place.why
    assert ranks == sorted(ranks)
    route = [one.name for one in ready]
    for (rank, one), (after, other) in pairwise(zip(ranks, places, strict=True)):
        assert rank < after or route.index(one.name) < route.index(other.name)  # ties: as the route has them


def test_fastest_measures_whom_it_does_not_know_in_the_routes_order() -> None:
    slow, quick = Latency(9.0, 3), Latency(1.0, 20)
    given_facts = [Facts("a", latency=slow), Facts("b"), Facts("c", latency=quick), Facts("d")]
    assert names("fastest", given_facts) == ["b", "d", "c", "a"]


def test_weighted_gives_each_its_share_and_keeps_what_is_not_touched() -> None:
    three = [Facts("a", weight=3.0), Facts("b", weight=1.0), Facts("c", weight=0.0)]
    first = {f"r{n}": names("weighted", three, f"r{n}") for n in range(2000)}
    shares = Counter(order[0] for order in first.values())
    assert 0.70 < shares["a"] / 2000 < 0.80
    assert all(order[-1] == "c" for order in first.values())
    # One more backend takes requests from the others, and moves nothing between them.
    four = [*three, Facts("d", weight=1.0)]
    for request, before in first.items():
        after = names("weighted", four, request)
        assert [name for name in after if name != "d"] == before


def test_a_weighted_choice_is_the_same_for_ever() -> None:
    """A build that is replayed next year, on another machine, must ask the same backends."""
    facts_now = [Facts("fal"), Facts("retrodiffusion"), Facts("pixellab", weight=2.5)]
    seen = [names("weighted", facts_now, request)[0] for request in ("a", "b", "c", "d", "e", "f")]
    assert seen == PINNED


PINNED = ["pixellab", "fal", "fal", "pixellab", "pixellab", "pixellab"]


# --- the circuit breaker ---

errors = st.sampled_from(
    [
        None, "NotSent", "Overloaded", "JobFailed", "UnexpectedAnswer", "ReadTimeout", "ChargedWithoutImage",
        "AuthFailed", "OutOfCredit", "ContentRefused", "ContentBlocked", "RequestRejected", "RateLimited",
        "OverBudget", "InvalidRequest", "KeyboardInterrupt", "ResultExpired", "IncompleteDelivery",
    ]
)  # fmt: skip
outcomes = st.lists(
    st.builds(Outcome, st.sampled_from(["settled", "released", "unknown"]), errors, st.integers(0, 50).map(float)),
    max_size=12,
    unique_by=lambda one: one.at,
)
FAILED = Outcome("released", "NotSent", 0.0)


@settings(max_examples=50, deadline=None)
@given(outcomes, st.integers(0, 120).map(float), st.integers(0, 4), st.sampled_from([0.5, 30.0]))
def test_the_state_is_what_the_last_outcomes_say(seen: list[Outcome], now: float, failures: int, open_s: float) -> None:
    state = health(seen, now, failures, open_s)
    telling = [one for one in sorted(seen, key=lambda one: -one.at) if healthy(one) is not None]
    row = next((at for at, one in enumerate(telling) if healthy(one)), len(telling))
    if not failures or row < failures:
        assert state.state == "closed"
        return
    assert state.failures == row
    assert state.state == ("open" if now < telling[0].at + open_s else "half-open")
    assert 0 <= state.seconds <= open_s


@settings(max_examples=50, deadline=None)
@given(outcomes, st.sampled_from(["AuthFailed", "OutOfCredit", "ContentRefused", "RequestRejected", "RateLimited"]))
def test_a_refusal_says_nothing_about_health(seen: list[Outcome], refusal: str) -> None:
    with_refusals = [*seen, *(Outcome("released", refusal, 51.0 + n) for n in range(9))]
    assert health(with_refusals, 60.0, 3, 30.0) == health(seen, 60.0, 3, 30.0)


@pytest.mark.parametrize("ours", [None, "KeyboardInterrupt", "CancelledError"])
def test_our_own_death_is_not_the_vendors_fault(ours: str | None) -> None:
    assert health([Outcome("unknown", ours, float(n)) for n in range(9)], 9.0, 3, 30.0).state == "closed"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["ok", "fail", "wait"]), max_size=40), st.integers(1, 3))
def test_the_machine_goes_closed_open_half_open(events: list[str], failures: int) -> None:
    """A vendor's life, one event at a time: what may be sent is what the textbook's machine lets through."""
    rows: list[Outcome] = []
    now, textbook, count, opened = 100.0, "closed", 0, 0.0
    for event in events:
        now += 31.0 if event == "wait" else 1.0
        if textbook == "open" and now >= opened + 30.0:
            textbook = "half-open"
        assert health(rows, now, failures, 30.0).state == textbook
        if event == "wait" or textbook == "open":
            continue
        rows.append(Outcome("settled", None, now) if event == "ok" else Outcome("released", "NotSent", now))
        if event == "ok":
            textbook, count = "closed", 0
        else:
            count += 1
            if textbook == "half-open" or count >= failures:
                textbook, opened = "open", now


def test_a_clock_that_is_ahead_leaves_nobody_alone_for_longer() -> None:
    rows = [Outcome("released", "NotSent", 10_000.0 + n) for n in range(5)]
    assert health(rows, 50.0, 5, 30.0).seconds == 30.0


def test_an_open_circuit_says_for_how_long_and_what_to_do() -> None:
    with pytest.raises(CircuitOpen, match=r"fal \(klein\) has failed 5 times in a row.*another 12 s") as caught:
        closed_or_raise("fal", "klein", Health("open", 5, 12.0, 1.0), tried=False)
    assert caught.value.retry_after == 12.0
    assert caught.value.money == "no"
    assert "route=" in str(caught.value.hint)
    closed_or_raise("fal", "klein", Health("half-open", 5), tried=False)
    with pytest.raises(CircuitOpen, match="another request is trying"):
        closed_or_raise("fal", "klein", Health("half-open", 5), tried=True)
    assert math.isfinite(caught.value.as_dict()["retry_after"])
