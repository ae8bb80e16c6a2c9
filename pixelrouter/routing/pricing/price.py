"""What a call would cost: the first candidate that can serve it, every purchase it takes, and what is paid already."""

from __future__ import annotations

from pixelrouter.errors import InvalidRequest, NoBackend
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.ask import Ask, Candidate, candidate, with_placeholder
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.pricing.quotes import Quotes, listed
from pixelrouter.types import Cost, GenerationRequest, Money, Quote, Unit


def price(ask: Ask, quotes: Quotes, ledger: Ledger) -> Steps[Quote]:
    """The quote of an ask whose candidates are in the order to ask them.

    Raises NoBackend, or the one candidate's InvalidRequest, where nobody can serve it.
    """
    problems: dict[str, InvalidRequest] = {}
    if (before := paid(ask, ledger)) is not None:
        return before
    for one in sorted(ask.candidates, key=lambda one: not one.has_key):  # without a key only the list price is known
        try:
            one.need_task()
            return (yield from quote_of(ask, one, quotes, ledger))
        except InvalidRequest as error:
            problems[one.name] = error
    if len(problems) > 1 or not any(ask.request.task in c.backend.capabilities().tasks for c in ask.candidates):
        reasons = {name: str(problem) for name, problem in problems.items()}
        raise NoBackend("No backend can serve this request.", reasons=reasons)
    raise next(iter(problems.values()))


def paid(ask: Ask, ledger: Ledger) -> Quote | None:
    """A quote of nothing where the call was paid for before, at whichever candidate; None where it was not."""
    return next((quote for one in ask.candidates if (quote := _paid(ask, one, ledger)) is not None), None)


def _paid(ask: Ask, one: Candidate, ledger: Ledger) -> Quote | None:
    """A quote of nothing for what was bought before; None for anything else."""
    standing = None if ask.fresh else ledger.standing(one.key)
    if standing is None or standing.state != "settled":
        return None
    if not ask.allows(one.backend, one.request.model_copy(update={"model": standing.model})):
        return None
    return Quote(_free(standing.held.unit), one.name, standing.model, True, reused=True, notes=("already paid for",))


def quote_of(ask: Ask, one: Candidate, quotes: Quotes, ledger: Ledger) -> Steps[Quote]:
    """The quote of one candidate, with that of the purchase that has to come before, if one has to."""
    backend = one.backend
    if backend.kind != "remote":
        drawn = one.request.model_copy(update={"model": backend.resolve(one.request).id})
        ask.check_licence(backend, drawn)
        return Quote(_free("usd"), one.name, drawn.model, binding=True)
    if one.has_key:
        backend = yield from quotes.with_catalogue(ask, backend)

    def step(request: GenerationRequest) -> Steps[Quote]:
        """One purchase: the vendor's quote, or the list price without a key."""
        if one.has_key:
            return (yield from quotes.quote(ask, backend, request, request.model or ""))
        return listed(backend, request, f"{backend.credentials[0]} is not set; this is the list price")

    model = backend.resolve(one.request).id
    request = one.request.model_copy(update={"model": model})
    ask.check_licence(backend, request)
    first = backend.first(request)
    if first is None:
        return (yield from step(request))
    before = candidate(backend, first)
    opening = _paid(ask, before, ledger)
    if opening is None:
        opening = yield from step(before.request.model_copy(update={"model": backend.resolve(before.request).id}))
    closing = yield from step(with_placeholder(request))
    steps = (opening, closing)
    unknown = any(quote.cost.source == "unknown" for quote in steps)
    cost = Cost(opening.money + closing.money, "unknown" if unknown else closing.cost.source)
    notes = tuple(dict.fromkeys(note for quote in steps for note in quote.notes))
    return Quote(cost, backend.name, model, all(quote.binding for quote in steps), notes=notes, steps=steps)


def _free(unit: Unit) -> Cost:
    return Cost(Money(0, unit), "reported")
