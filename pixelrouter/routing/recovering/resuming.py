"""Collecting what is not finished: each job by one machine, and everything for everybody who asks.

First what nobody works on, claimed one at a time, so that several who resume at once share the work; then what others
were working on meanwhile, which is waited for and reused.
"""

from __future__ import annotations

from pixelrouter.errors import PixelRouterError
from pixelrouter.routing import desk
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.events import Notify
from pixelrouter.routing.workshop import Workshop
from pixelrouter.types import Attempt, PixelArt

Outcomes = list[PixelArt | PixelRouterError]


def resume(
    workshop: Workshop, attempt: str | None, timeout_s: float | None, progress: Notify | None
) -> Steps[Outcomes]:
    """Collect the unfinished attempts, or the one named, without a new purchase: art, or why not, for each."""
    ledger, outcomes = workshop.ledger, Outcomes()

    def finish(row: Attempt, *, ours: bool) -> Steps[None]:
        try:
            art = yield from workshop.finish_attempt(row, timeout_s, progress, ours=ours)
        except PixelRouterError as error:
            outcomes.append(error)
        else:
            outcomes.extend([art] if art is not None else [])
        finally:
            if ours:
                ledger.disown(row.id)

    if attempt is not None:
        yield from finish(desk.find(ledger, attempt), ours=False)
        return outcomes
    rows, tried = ledger.attempts(live_only=True), set[str]()
    while (row := ledger.claim(tried)) is not None:
        tried.add(row.id)
        yield from finish(row, ours=True)
    for row in rows:
        if row.id not in tried:
            yield from finish(row, ours=False)
    return outcomes


def cancel(workshop: Workshop, attempt: str) -> Steps[Attempt]:
    """Ask the vendor to stop a job; the attempt as it stands then."""
    return (yield from workshop.cancel(desk.find(workshop.ledger, attempt)))
