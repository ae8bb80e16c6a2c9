"""Whose turn it is: the candidates of an ask in the order of its strategy, by what the ledger and the vendors tell.

Everything asked here is free. What a strategy does not need is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from pixelrouter.money import history
from pixelrouter.money.bindings import Binding
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.owner import Worker
from pixelrouter.routing.ask import Ask, Candidate
from pixelrouter.routing.choosing.admission import Admission
from pixelrouter.routing.choosing.breaker import closed_or_raise
from pixelrouter.routing.choosing.choice import Facts, order
from pixelrouter.routing.choosing.offers import Offer, Offers
from pixelrouter.routing.choosing.style import Styles, belongs
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.keys import generation_key
from pixelrouter.routing.pricing.price import quote_of
from pixelrouter.routing.pricing.quotes import Quotes
from pixelrouter.routing.verdict import FALL_THROUGH
from pixelrouter.types import Attempt

PAID = "already paid for"


@dataclass(frozen=True)
class Turn:
    """A candidate's turn, and why it has it. ``patient``: there is nobody better, so it is waited for."""

    candidate: Candidate
    why: str
    patient: bool = False


@dataclass(frozen=True)
class Choosing:
    """Everything that has a say in who is asked."""

    ledger: Ledger
    quotes: Quotes
    offers: Offers
    admission: Admission
    survey: Survey
    styles: Styles

    @classmethod
    def of(cls, ledger: Ledger, owner: Worker, quotes: Quotes) -> Choosing:
        """All of them, for one router."""
        offers, admission = Offers(ledger, quotes), Admission(ledger, owner)
        survey = Survey(ledger, offers, quotes, admission)
        return cls(ledger, quotes, offers, admission, survey, Styles(ledger.database, owner))

    def standing(self, ask: Ask, bound: Binding | None) -> tuple[Candidate, Attempt] | None:
        """The candidate that has drawn the request before, or is drawing it: paid first, then under way."""
        found = [
            (one, attempt)
            for one in ask.candidates
            if (attempt := self.ledger.standing(one.key))
            and belongs(ask, bound, attempt)
            and ask.allows(one.backend, one.request.model_copy(update={"model": attempt.model}))
        ]
        return min(found, key=lambda pair: _rank(pair[1])) if found else None

    def fit(self, ask: Ask, turn: Turn) -> Steps[Offer]:
        """The offer of the candidate whose turn it is. Raises what keeps a request from being sent to it now."""
        offer = yield from self.offers.make(ask, turn.candidate)
        if offer.backend.kind == "remote":
            self.admission.check(ask, offer.backend, offer.model, patient=turn.patient)
        return offer


def _rank(attempt: Attempt) -> int:
    if attempt.state == "settled":
        return 0 if attempt.raws else 2
    return 1


class Survey:
    """Orders candidates. Holds no state of its own beside the ledger's and the quotes'."""

    def __init__(self, ledger: Ledger, offers: Offers, quotes: Quotes, admission: Admission) -> None:
        self._ledger, self._offers, self._quotes, self._admission = ledger, offers, quotes, admission

    def turns(self, ask: Ask, first: str | None = None) -> Steps[list[Turn]]:
        """Every candidate of the ask. ``first`` is asked before the others, whatever the strategy says."""
        by_name = {one.name: one for one in ask.candidates}
        if len(by_name) == 1:
            return [Turn(one, "the only one to ask", patient=True) for one in ask.candidates]
        facts, unable = [], []
        for one in ask.candidates:
            found = yield from self._facts(ask, one)
            if found is None:
                unable.append(one)
            else:
                facts.append(found)
        # By the request as it is whoever draws it: the same one falls to the same backend everywhere.
        places = order(ask.strategy, facts, generation_key("", ask.request))
        late = {one.name for one in facts if one.cooling_s > 0} | {place.name for place in places[-1:]}
        turns = [Turn(by_name[place.name], place.why, place.name in late) for place in places]
        turns += [Turn(one, "it cannot serve this now") for one in unable]
        if first is not None:
            turns.sort(key=lambda turn: turn.candidate.name != first)
        return turns

    def _facts(self, ask: Ask, one: Candidate) -> Steps[Facts | None]:
        """What the strategy wants to know of a candidate; None where it cannot serve."""
        backend, settings = one.backend, one.backend.settings
        cooling = self._admission.cooling(one.name) if backend.kind == "remote" else 0.0
        if ask.strategy in ("in_order", "weighted"):
            return Facts(one.name, weight=settings.weight, cooling_s=cooling)
        try:
            offer = yield from self._offers.make(ask, one)
            if backend.kind == "remote":
                state, tried = self._admission.health(backend, offer.model)
                closed_or_raise(one.name, offer.model, state, tried=tried)
            if ask.strategy == "cheapest":
                quote = yield from quote_of(ask, one, self._quotes, self._ledger)
                return Facts(one.name, cost=quote.cost, cooling_s=cooling)
        except FALL_THROUGH:
            return None
        with self._ledger.database.reading() as db:
            latency = history.latency(db, one.name, offer.model)
        return Facts(one.name, latency=latency, cooling_s=cooling)
