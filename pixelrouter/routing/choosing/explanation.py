"""Why a call would go where it goes: every backend of its route, chosen or not, with its place and every reason.

Found out by the same steps as a purchase, up to the one that holds money, so what is explained is what happens. Free.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pixelrouter.errors import NoBackend, PixelRouterError
from pixelrouter.money import history
from pixelrouter.money.bindings import Binding
from pixelrouter.money.history import Latency
from pixelrouter.routing.ask import Ask, Candidate, candidate
from pixelrouter.routing.choosing.breaker import CLOSED, Health
from pixelrouter.routing.choosing.choice import latency_words
from pixelrouter.routing.choosing.style import keeps, kept
from pixelrouter.routing.choosing.survey import PAID, Choosing, Turn
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.pricing.price import quote_of
from pixelrouter.routing.verdict import FALL_THROUGH
from pixelrouter.types import Attempt, Money, Quote

_NOTHING = re.compile(r"\s*Nothing was (?:sent|drawn|charged)[^.]*\.")
_LATE = "DeadlineExceeded"
_SOURCES = {"quoted": "the vendor's quote", "reported": "for certain", "listed": "by the price list"}
_UNDER_WAY = "its image is under way already: it is collected, and not bought again"
_UNCLEAR = "what became of an earlier request is not known: the vendor is asked, and nothing is bought before"


@dataclass(frozen=True)
class Considered:
    """One backend of the route. ``place``: when it would be asked, from 1; None: it would not be.

    ``reasons`` are whole sentences or clauses for a person; ``problem`` is the error class that keeps it from serving.
    ``price`` is for everything the call would buy there; ``cooling_s``: for how long the vendor asked to be left alone.
    """

    backend: str
    model: str | None
    chosen: bool
    place: int | None
    reasons: tuple[str, ...]
    problem: str | None = None
    price: Quote | None = None
    latency: Latency | None = None
    weight: float = 1.0
    health: Health = CLOSED
    cooling_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        latency = self.latency and {"seconds": round(self.latency.seconds, 3), "samples": self.latency.samples}
        return {
            "backend": self.backend,
            "model": self.model,
            "chosen": self.chosen,
            "place": self.place,
            "reasons": list(self.reasons),
            "problem": self.problem,
            "price": self.price and self.price.cost.as_dict(),
            "latency": latency,
            "weight": self.weight,
            "breaker": {
                "state": self.health.state,
                "failures": self.health.failures,
                "seconds": round(self.health.seconds, 3),
            },
            "cooling_s": round(self.cooling_s, 3),
        }


@dataclass(frozen=True)
class Explanation:
    """What a call would do: one row a backend, those that would be asked first."""

    strategy: str
    style_group: str
    rows: tuple[Considered, ...]

    @property
    def chosen(self) -> str | None:
        """The backend that would serve the call; None where none would."""
        return next((row.backend for row in self.rows if row.chosen), None)

    def __getitem__(self, backend: str) -> Considered:
        """The row of that backend. Raises KeyError."""
        return {row.backend: row for row in self.rows}[backend]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "strategy": self.strategy,
            "style_group": self.style_group,
            "chosen": self.chosen,
            "backends": [row.as_dict() for row in self.rows],
        }

    def __str__(self) -> str:
        head = f"{self.chosen} would serve this" if self.chosen else "No backend would serve this"
        lines = [f"{head} (strategy {self.strategy})."]
        for row in self.rows:
            place = f"{row.place}." if row.place else "-"
            model = f" ({row.model})" if row.model else ""
            lines.append(f"{place:>3} {row.backend}{model}: {'; '.join(row.reasons)}")
        return "\n".join(lines)


def explain(ask: Ask, choosing: Choosing) -> Steps[Explanation]:
    """Every candidate of the ask. Nothing is held, bound or sent that costs anything."""
    bound = choosing.styles.bound(ask)
    standing = None if ask.fresh else choosing.standing(ask, bound)
    outside = ""
    try:
        able = kept(ask, bound)
    except NoBackend as error:
        able, outside = ask.at(candidates=()), error.message
    turns = yield from choosing.survey.turns(able, bound.backend if bound else None)
    rows: list[Considered] = []
    for turn in turns:
        rows.append((yield from _considered(able, turn, choosing, bound, standing, rows)))
    asked = {row.backend for row in rows}
    for one in ask.candidates:
        if one.name not in asked:
            why = outside or f"{keeps(ask, bound)}." if bound else ""
            reused = standing is not None and standing[0].name == one.name
            rows.append(_left_out(one, standing if reused else None, why))
    rows.sort(key=lambda row: (not row.chosen, row.place is None, row.place or 0))
    return Explanation(ask.strategy, ask.labels.style_group, tuple(rows))


def _considered(
    ask: Ask,
    turn: Turn,
    choosing: Choosing,
    bound: Binding | None,
    standing: tuple[Candidate, Attempt] | None,
    before: Sequence[Considered],
) -> Steps[Considered]:
    """The row of a candidate, after those that are asked before it."""
    one, problem, model = turn.candidate, None, None
    try:
        model = yield from _rehearsed(ask, turn, choosing, late=any(row.problem == _LATE for row in before))
    except FALL_THROUGH as error:
        problem = error
    price = yield from _price(ask, one, choosing)
    model = model or (price.model if price else one.request.model)
    with choosing.ledger.database.reading() as db:
        latency = history.latency(db, one.name, model)
    health, cooling = CLOSED, 0.0
    if one.backend.kind == "remote":
        health, cooling = choosing.admission.health(one.backend, model)[0], choosing.admission.cooling(one.name)
    reasons = [turn.why] if problem is None else _obstacles(ask, turn, choosing, price, problem)
    if bound is not None and one.name == bound.backend:
        reasons.insert(0, f"the style group {ask.labels.style_group!r} keeps to it")
    if price is not None:
        reasons.append(_priced(price))
    if latency is not None:
        reasons.append(f"its images took {latency_words(latency)}")
    taken = {row.backend for row in before if row.place}
    place = None if problem is not None else len(taken) + 1
    chosen = place == 1
    if standing is not None:
        mine = standing[0].name == one.name
        model = standing[1].model if mine else model
        chosen, place = mine, 1 if mine else None
        reasons.insert(0, _standing_words(standing[1]) if mine else f"{standing[0].name} serves this call")
    return Considered(
        backend=one.name,
        model=model,
        chosen=chosen,
        place=place,
        reasons=tuple(reasons),
        problem=None if problem is None else type(problem).__name__,
        price=price,
        latency=latency,
        weight=one.backend.settings.weight,
        health=health,
        cooling_s=cooling,
    )


def _rehearsed(ask: Ask, turn: Turn, choosing: Choosing, *, late: bool) -> Steps[str]:
    """The model that would draw it, once everything was asked that a purchase asks before money is held.

    Raises what would keep the purchase from being made. ``late``: there was no time for the one before.
    """
    offer = yield from choosing.fit(ask, turn)
    last = yield from choosing.offers.quote(ask, offer)
    steps: list[Money] = [last.money]
    if offer.first is not None:
        one = candidate(offer.backend, offer.first)
        drawn = None if ask.fresh else choosing.ledger.standing(one.key)
        if drawn is None:
            step = ask.at(request=one.request, candidates=(one,))
            first = yield from choosing.fit(step, Turn(one, turn.why, patient=True))
            steps.insert(0, (yield from choosing.offers.quote(step, first)).money)
    choosing.offers.write(offer)
    choosing.offers.check_caps(ask, steps)
    if late or offer.backend.kind == "remote":
        ask.left()
    return offer.model


def _obstacles(ask: Ask, turn: Turn, choosing: Choosing, price: Quote | None, first: PixelRouterError) -> list[str]:
    """Everything that keeps the candidate from serving, ``first`` being what a purchase would run into."""
    one = turn.candidate
    backend = one.backend

    def model_and_licence() -> None:
        ask.check_licence(backend, one.request.model_copy(update={"model": backend.resolve(one.request).id}))

    def admission() -> None:
        if backend.kind == "remote":
            choosing.admission.check(ask, backend, price.model if price else None, patient=turn.patient)

    def caps() -> None:
        if price is not None:
            steps = price.steps or (price,)
            choosing.offers.check_caps(ask, [step.money for step in steps if not step.reused])

    found: list[PixelRouterError] = []
    for check in (one.need_task, one.need_packages, one.need_key, model_and_licence, admission, caps):
        try:
            check()
        except FALL_THROUGH as error:
            found.append(error)
    if first.message not in [error.message for error in found]:
        found.insert(0, first)
    return list(dict.fromkeys(_words(error) for error in found))


def _words(error: PixelRouterError) -> str:
    """What is in the way, without what is true of every row: nothing was sent."""
    return _NOTHING.sub("", error.message).strip().rstrip(".")


def _price(ask: Ask, one: Candidate, choosing: Choosing) -> Steps[Quote | None]:
    """What it would cost there, for those who may not serve it too; None where nobody can say."""
    try:
        one.need_task()
        return (yield from quote_of(ask, one, choosing.quotes, choosing.ledger))
    except PixelRouterError:
        return None


def _priced(price: Quote) -> str:
    if price.cost.source == "unknown":
        return "nobody knows its price"
    if not price.money and not price.steps:
        return "it costs nothing"
    steps = f" for {len(price.steps)} purchases" if price.steps else ""
    return f"it costs {price.money}{steps}, {_SOURCES[price.cost.source]}"


def _standing_words(attempt: Attempt) -> str:
    if attempt.state == "settled":
        return PAID
    return _UNCLEAR if attempt.state == "unknown" else _UNDER_WAY


def _left_out(one: Candidate, standing: tuple[Candidate, Attempt] | None, why: str) -> Considered:
    """The row of a candidate that the style group leaves out: asked for nothing but what it has drawn already."""
    words = (_standing_words(standing[1]),) if standing else (why,)
    model, place = (standing[1].model, 1) if standing else (one.request.model, None)
    return Considered(one.name, model, standing is not None, place, words, weight=one.backend.settings.weight)
