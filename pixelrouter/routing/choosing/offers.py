"""What buying at one candidate would mean, found out without paying: can it serve, with which model, at what price?

The one place that says why a candidate cannot serve a request: whoever orders candidates, explains them or buys from
them asks here, so that what is explained is what happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixelrouter.backends.protocol import Backend
from pixelrouter.money.budget import Cap
from pixelrouter.money.caps import check as check_cap
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.ask import Ask, Candidate, with_placeholder
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.pictures import blank
from pixelrouter.routing.pricing.quotes import Quotes
from pixelrouter.types import FREE, GenerationRequest, Mark, Money, Quote

TRIAL = Mark("trial", 1)  # of a request that is written, and never sent


@dataclass(frozen=True)
class Offer:
    """One candidate that can serve: its backend knows the vendor's catalogue, the request names its model.

    ``first`` is what has to be bought before, as the picture to start from.
    """

    candidate: Candidate
    backend: Backend
    request: GenerationRequest
    first: GenerationRequest | None = None

    @property
    def model(self) -> str:
        """The model that would draw it."""
        return self.request.model or ""


class Offers:
    """Asks candidates what they could do. Holds no state of its own beside the quotes'."""

    def __init__(self, ledger: Ledger, quotes: Quotes) -> None:
        self._ledger, self._quotes = ledger, quotes

    def make(self, ask: Ask, candidate: Candidate) -> Steps[Offer]:
        """Raises InvalidRequest or ConfigError where the candidate cannot serve the ask; says why."""
        backend: Backend = candidate.backend
        candidate.need_task()
        if backend.kind == "remote":
            candidate.need_key()
            backend = yield from self._quotes.with_catalogue(ask, backend)
        request = candidate.request.model_copy(update={"model": backend.resolve(candidate.request).id})
        ask.check_licence(backend, request)
        candidate.need_packages()  # last: nobody should install what would not serve
        if backend.kind != "remote":
            return Offer(candidate, backend, request)
        first = backend.first(request)
        if first is not None:  # whatever is wrong with the second purchase is said before the first is made
            trial = request.model_copy(update={"images": (blank(first.size), *request.images)})
            backend.submit(trial, Mark(TRIAL.id, request.seed or TRIAL.seed))
        return Offer(candidate, backend, request, first)

    def quote(self, ask: Ask, offer: Offer) -> Steps[Quote]:
        """What to hold for the offer, its first step left out. Raises InvalidRequest where no cap could be kept."""
        if offer.backend.kind != "remote":
            return Quote(FREE, offer.backend.name, offer.model)
        request = offer.request if offer.first is None else with_placeholder(offer.request)
        return (yield from self._quotes.hold(ask, offer.backend, request, offer.model))

    def check_caps(self, ask: Ask, steps: Sequence[Money]) -> None:
        """Raise OverBudget where purchases of these amounts, one after another, would not fit under the ask's caps."""
        with self._ledger.database.reading() as db:
            for at, hold in enumerate(steps):
                caps: Sequence[Cap] = ask.caps
                for other in (*steps[:at], *steps[at + 1 :]):
                    caps = [cap.keeping(other) for cap in caps]
                for cap in caps:
                    check_cap(db, cap, ask.purse, hold)

    def write(self, offer: Offer) -> None:
        """Write the paid request, as a trial. Raises InvalidRequest where the vendor's own limits forbid it."""
        if offer.backend.kind == "remote" and offer.first is None:
            offer.backend.submit(offer.request, Mark(TRIAL.id, offer.request.seed or TRIAL.seed))
