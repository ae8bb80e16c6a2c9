"""From the vendor's ticket to images on disk: poll, download, store, settle. All of it free and repeatable.

Settling comes last, after the raw bytes are durably stored, so that a crash at any point leaves a job that the next
run collects. Nothing paid is thrown away: bytes that cannot be read are stored too.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from pixelrouter.backends.protocol import Backend, RemoteBackend
from pixelrouter.errors import (
    ChargedWithoutImage,
    IncompleteDelivery,
    JobFailed,
    PixelRouterError,
    ResultExpired,
    StillRunning,
    StoreError,
    UnreadableImage,
)
from pixelrouter.money.ledger import Ledger
from pixelrouter.pixels import decode
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.collecting.download import Came, Download
from pixelrouter.routing.collecting.free import free_call, keeping, read, rules_of, still_running
from pixelrouter.routing.collecting.keeping import after_sending, write_down
from pixelrouter.routing.effects import Sleep, Steps, Work
from pixelrouter.routing.pricing.bills import bill, booked, warnings
from pixelrouter.routing.recovering.lost import COMPLAIN, expired, forgotten, no_image
from pixelrouter.store import Store
from pixelrouter.types import (
    Attempt,
    Cost,
    Delivery,
    Inline,
    Money,
    Progress,
    Remote,
    Ticket,
)
from pixelrouter.wire.guard import HostRules
from pixelrouter.wire.retry import RetryBudget

UnitPrice = Callable[[Ask, RemoteBackend, Attempt], Steps[Money | None]]
_HERE = "delivered-with-the-answer"  # ticket of a vendor that answers a submit with addresses instead of a job


class Collector:
    """Collects finished jobs into the store."""

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self._ledger, self._store = ledger, store
        self._budgets: dict[str, RetryBudget] = {}
        self.unit_price: UnitPrice | None = None  # who can ask for it

    def budget(self, backend: str) -> RetryBudget:
        """The retry budget that all free calls to one backend share."""
        return self._budgets.setdefault(backend, RetryBudget())

    def rules(self, backend: RemoteBackend) -> HostRules:
        """The backend's hosts as the wire checks them."""
        return rules_of(backend)

    def raw(self, digest: str) -> bytes:
        """A stored image. Raises StoreError if it is not there any more."""
        return self._store.get(digest)

    def ticket_of(self, delivery: Delivery, *, aside: bool = False) -> Ticket:
        """A ticket for a delivery that came with the answer, so that its addresses survive a crash.

        ``aside``: pictures go where they can be kept while the store takes none.
        """
        keep = self._store.put_aside if aside else self._store.put
        if delivery.ticket is not None:
            return delivery.ticket
        items = [{"url": item.url} if isinstance(item, Remote) else {"raw": keep(item.data)} for item in delivery.items]
        kept = {
            "items": items,
            "cost": None if delivery.cost is None else [delivery.cost.money.micros, delivery.cost.money.unit],
            "units": None if delivery.units is None else str(delivery.units),
            "names": delivery.names,
            "notes": delivery.notes,
        }
        return Ticket(_HERE, {"delivery": json.dumps(kept)})

    def _delivery_of(self, ticket: Ticket) -> Delivery:
        kept = json.loads(ticket.extra["delivery"])
        items = tuple(Remote(i["url"]) if "url" in i else Inline(self._store.get(i["raw"])) for i in kept["items"])
        return Delivery(
            items,
            Cost(Money(*kept["cost"]), "reported") if kept["cost"] else None,
            units=Decimal(kept["units"]) if kept.get("units") else None,
            names=tuple(kept.get("names", ())),
            notes=tuple(kept.get("notes", ())),
        )

    def failed(self, attempt: Attempt, error: JobFailed) -> JobFailed:
        """Book a job that the vendor reports as failed: refunded, charged, or, where it does not say, as charged."""
        told = None if error.charged is None else Cost(error.charged, "reported")
        cost = bill(attempt, told, error.units)
        error.charged = None if cost is None else cost.money
        if cost is None:
            self._ledger.settle(attempt.id, Cost(attempt.held, "unknown"), error=error)
        elif cost.money:
            self._ledger.settle(attempt.id, cost, error=error)
        else:
            self._ledger.release(attempt.id, error)
        return error

    def collect(self, ask: Ask, backend: RemoteBackend, attempt: Attempt, ticket: Ticket) -> Steps[Attempt]:
        """Wait for the job and bring its images home. Raises StillRunning when the caller's time is over."""
        with after_sending(attempt, ticket):
            if ticket.id == _HERE:
                delivery = self._delivery_of(ticket)
            else:
                delivery, ticket = yield from self._poll(ask, backend, attempt, ticket)
            return (yield from self.deliver(ask, backend, attempt, delivery, ticket))

    def note(self, interruption: BaseException, attempt: str) -> None:
        """Note on an interruption (no error) what it leaves behind: in its traceback, and on the command line."""
        if isinstance(interruption, Exception):
            return
        row = self._ledger.get(attempt)
        if row is not None and row.state in ("sending", "accepted", "unknown"):
            interruption.add_note(left_behind(row))

    def _poll(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, ticket: Ticket
    ) -> Steps[tuple[Delivery, Ticket]]:
        # A first look after a quarter of the usual pause: small sprites are often done by then.
        pause, asked_twice = backend.settings.poll_s / 4, False
        while True:
            if time.monotonic() + pause > ask.deadline:
                raise still_running(attempt, ticket, "The time limit of this call is over.")
            yield Sleep(pause)
            with keeping(attempt, ticket):
                call = backend.poll(ticket)
                response = yield free_call(ask, backend, call, self.budget(backend.name), "look at the job")
            try:
                with keeping(attempt, ticket):
                    state = read(backend, call, response)
            except JobFailed as error:
                dearest = yield from self._at_the_dearest(ask, backend, attempt, error.units)
                raise self.failed(dearest, error) from None
            except ResultExpired as error:
                told = None if error.charged is None else Cost(error.charged, "reported")
                cost = booked(attempt, bill(attempt, told, None))
                raise (yield from self._gone(attempt, cost, error)) from error
            except StillRunning as error:
                if not forgotten(attempt, backend, call, response):
                    raise
                if asked_twice:  # one stray answer is not the vendor's last word
                    gone = ResultExpired(str(error.__cause__ or error))
                    raise (yield from self._gone(attempt, booked(attempt, None), gone)) from error
                asked_twice, pause = True, backend.settings.poll_s
                continue
            if isinstance(state, Delivery):
                return state, ticket
            if isinstance(state, Ticket):  # the same job, its next stage
                self._ledger.moved(attempt.id, state)
                ticket, pause = state, 0.0
                continue
            ask.tell("wait", backend.name, state.fraction, state.status)
            pause = _next_pause(backend.settings.poll_s, state)

    def _at_the_dearest(self, ask: Ask, backend: Backend, attempt: Attempt, units: Decimal | None) -> Steps[Attempt]:
        """The attempt with the dearer of two prices: the one noted before it was sent, and the one that holds now.

        Where a vendor bills units, its price may rise in between, and it does not say which of the two it takes.
        """
        if not units or self.unit_price is None or backend.kind != "remote":
            return attempt
        now = yield from self.unit_price(ask, backend, attempt)
        before = attempt.unit_price
        if now is None or (before is not None and (now.unit != before.unit or now <= before)):
            return attempt
        quoted = Cost(attempt.quoted.money if attempt.quoted else attempt.held, "quoted")
        return replace(attempt, unit_price=now, quoted=quoted)

    # --- images ---

    def deliver(
        self, ask: Ask, backend: Backend, attempt: Attempt, delivery: Delivery, ticket: Ticket | None = None
    ) -> Steps[Attempt]:
        """Download, store, settle. Raises ChargedWithoutImage, or a subclass, when paid images did not come whole."""
        dearest = yield from self._at_the_dearest(ask, backend, attempt, delivery.units)
        cost = booked(attempt, bill(dearest, delivery.cost, delivery.units))
        ask = ask.at(deadline=float("inf"))  # it decides what may start: a finished job is brought home
        came = yield from self._bring(ask, backend, attempt, delivery, ticket)
        if came.lost is not None and not came.files:
            raise (yield from self._gone(attempt, cost, came.lost)) from came.lost
        raws = [self._store.put(image) for image in came.files]
        request = ask.request.model_copy(update={"model": attempt.model})
        wanted = backend.layout(request).raws or max(1, len(delivery.items))
        problem = yield Work(lambda: self._problem(ask, wanted, came, cost, raws))
        names, notes = came.names, (*delivery.notes, *warnings(attempt, cost))
        if came.lost is not None:
            notes = (*notes, f"{len(delivery.items) - len(came.files)} of {len(delivery.items)} files are lost.")
        yield from write_down(
            lambda: self._ledger.settle(attempt.id, cost, raws=raws, names=names, notes=notes, error=problem)
        )
        if problem is not None and not isinstance(problem, IncompleteDelivery):
            raise problem
        settled = self._ledger.get(attempt.id)
        if settled is None:
            raise StoreError(f"Attempt {attempt.id} vanished from the ledger.")
        return settled

    def _bring(
        self, ask: Ask, backend: Backend, attempt: Attempt, delivery: Delivery, ticket: Ticket | None
    ) -> Steps[Came]:
        if backend.kind != "remote" or (
            delivery.items and not any(isinstance(item, Remote) for item in delivery.items)
        ):
            inline = tuple(item.data for item in delivery.items if isinstance(item, Inline))
            return Came(inline, delivery.names)
        download = Download(ask, backend, attempt, ticket, self.budget(backend.name))
        return (yield from download.bring(delivery, renewable=ticket is not None and ticket.id != _HERE))

    def _gone(self, attempt: Attempt, cost: Cost, error: ResultExpired) -> Steps[ChargedWithoutImage]:
        """Book an image that was paid for and that the vendor no longer has."""
        yield from write_down(
            lambda: self._ledger.settle(attempt.id, cost, error=expired(attempt, cost, error.message))
        )
        return no_image(self._ledger.get(attempt.id) or attempt)

    @staticmethod
    def _problem(ask: Ask, wanted: int, came: Came, cost: Cost, raws: list[str]) -> PixelRouterError | None:
        """What is wrong with the first ``wanted`` images, if anything. What could be read is kept for finishing."""
        readable, why = 0, f" {came.lost.message}" if came.lost else ""
        for raw, image in zip(raws[:wanted], came.files, strict=False):
            try:
                ask.decoded[raw] = decode(image)
                readable += 1
            except UnreadableImage as error:
                why = f" {error.message}"
        if readable == wanted:
            return None
        if readable:
            return IncompleteDelivery(
                f"{wanted} images were asked for and {cost.money} was charged, but only {readable} usable came.{why}",
                hint="They are kept and were finished; fresh=True (--fresh) buys all of them anew.",
                charged=cost.money,
                stored=raws,
            )
        what = "without any image" if not came.files else "with images that cannot be read"
        return ChargedWithoutImage(
            f"The vendor charged {cost.money} and answered {what}.{why} The bytes are kept in the store.",
            hint=COMPLAIN,
            charged=cost.money,
            stored=raws,
        )


def left_behind(row: Attempt) -> str:
    """What goes on without us, what is held for it, and how to have it."""
    short = row.id[:12]
    if row.state != "accepted" or row.ticket is None:
        what, then = (
            f"Whether {row.backend} took the request of attempt {short} is not known",
            "the vendor is asked first",
        )
    elif row.ticket.id == _HERE:
        what, then = f"The image of attempt {short} is there, paid at {row.backend}", "it is collected"
    else:
        what, then = f"The job {row.ticket.id} at {row.backend} goes on (attempt {short})", "it is collected"
    return (
        f"{what}; {row.held} stays held. Run the same again, or `pixelrouter resume {short}`: {then}, "
        "and nothing is bought twice."
    )


def _next_pause(poll_s: float, state: Progress) -> float:
    """Seconds until the next look: the vendor's word, else the configured pause with a little jitter."""
    if state.retry_after is not None:
        return max(state.retry_after, 0.05)
    return poll_s * random.uniform(0.85, 1.15)  # noqa: S311  (spreads polls, guards nothing)
