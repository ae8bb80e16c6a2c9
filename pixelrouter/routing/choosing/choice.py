"""In which order the backends of a route are asked. Pure: facts in, an order out, with a reason for each place.

Whatever a strategy cannot tell apart stays in the order of the route.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pixelrouter.money.history import Latency
from pixelrouter.routing.ask import Strategy
from pixelrouter.types import Cost

MAIN_UNIT = "usd"


@dataclass(frozen=True)
class Facts:
    """What is known of one candidate. ``cooling_s``: seconds for which its vendor asked to be left alone."""

    name: str
    cost: Cost | None = None
    latency: Latency | None = None
    weight: float = 1.0
    cooling_s: float = 0.0


@dataclass(frozen=True)
class Place:
    """A candidate's place, and why it has it."""

    name: str
    why: str


def order(strategy: Strategy, facts: Sequence[Facts], request: str) -> list[Place]:
    """The candidates in the order to ask them; ``request`` stands for what is asked, whoever draws it.

    Vendors that asked to be left alone come last, the one that is ready first before the others.
    """
    ready = [one for one in facts if one.cooling_s <= 0]
    cooling = sorted((one for one in facts if one.cooling_s > 0), key=lambda one: one.cooling_s)
    match strategy:
        case "cheapest":
            places = _cheapest(ready)
        case "fastest":
            places = _fastest(ready)
        case "weighted":
            places = _weighted(ready, request)
        case _:
            places = [Place(one.name, f"number {at} of the route") for at, one in enumerate(ready, 1)]
    later = "as nobody else can" if not ready else "if the others fail"
    return [*places, *(Place(one.name, f"asked {later}: {cooling_words(one.cooling_s)}") for one in cooling)]


def cooling_words(seconds: float) -> str:
    """A vendor's wish to be left alone, in words."""
    return f"the vendor asked to be left alone for another {seconds:.0f} s"


def _cheapest(facts: Sequence[Facts]) -> list[Place]:
    """By price. Dollars and generations have no exchange rate: what is not in dollars comes after, then the unknown."""

    def rank(one: Facts) -> tuple[int, int]:
        if one.cost is None or one.cost.source == "unknown":
            return 2, 0
        money = one.cost.money
        return (0 if money.unit == MAIN_UNIT or not money else 1), money.micros

    def why(one: Facts) -> str:
        match rank(one)[0]:
            case 0:
                return f"by price: {one.cost}"
            case 1:
                return f"after those in dollars: {one.cost} cannot be compared with them"
        return "last: nobody knows its price"

    return [Place(one.name, why(one)) for one in sorted(facts, key=rank)]


def _fastest(facts: Sequence[Facts]) -> list[Place]:
    """By the median of the last purchases; whoever was never measured comes first, so that it is measured."""
    ranked = sorted(facts, key=lambda one: -1.0 if one.latency is None else one.latency.seconds)
    return [Place(one.name, f"by speed: {latency_words(one.latency)}") for one in ranked]


def latency_words(latency: Latency | None) -> str:
    """A latency as a person reads it."""
    if latency is None:
        return "not measured yet, so it is asked first"
    times = "1 time" if latency.samples == 1 else f"{latency.samples} times"
    return f"{latency.seconds:.2g} s, the median of the last {times}"


def _weighted(facts: Sequence[Facts], request: str) -> list[Place]:
    """By weighted rendezvous hashing: each backend draws a score from the request, and the highest is asked.

    The same request goes to the same backend on every machine and in every build, each backend gets its share of all
    requests, and a backend that leaves the route moves only its own. (Thaler and Ravishankar, "Using name-based
    mappings to increase hit rates", 1998; the weighted score -w / ln h is Jason Resch's, "New hashing algorithms for
    data storage", SNIA 2015.) Weight 0: only when the others have failed.
    """
    total = sum(one.weight for one in facts)

    def why(one: Facts) -> str:
        if not one.weight:
            return "weight 0: only when the others have failed"
        return f"weight {one.weight:g} of {total:g}, drawn from the request"

    ranked = sorted(facts, key=lambda one: (one.weight <= 0, -score(one.name, one.weight, request)))
    return [Place(one.name, why(one)) for one in ranked]


def score(name: str, weight: float, request: str) -> float:
    """A backend's score for a request; 0 for weight 0."""
    if weight <= 0:
        return 0.0
    digest = hashlib.sha256(f"{request}/{name}".encode()).digest()
    # 52 bits and a half: a number strictly between 0 and 1, the same on every machine.
    uniform = ((int.from_bytes(digest[:8], "big") >> 12) + 0.5) / 2**52
    return -weight / math.log(uniform)
