"""From the vendor's ticket to images on disk: poll, download, store, settle. All of it free and repeatable.

Settling comes last, after the raw bytes are durably stored, so that a crash at any point leaves a job that the next
run collects. Nothing paid is thrown away: bytes that cannot be read are stored too.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_CEILING, Decimal
from typing import TypeVar

from pixelrouter.backends.protocol import Backend, Call, RemoteBackend
from pixelrouter.errors import (
    ChargedWithoutImage,
    IncompleteDelivery,
    JobFailed,
    PixelRouterError,
    Refused,
    ResultExpired,
    StillRunning,
    StoreError,
    UnexpectedAnswer,
    UnreadableImage,
    WireError,
)
from pixelrouter.money.ledger import Ledger
from pixelrouter.pixels import decode
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.effects import Free, Sleep, Steps, Work
from pixelrouter.routing.keeping import after_sending, write_down
from pixelrouter.store import Store
from pixelrouter.types import (
    MICROS,
    Attempt,
    Cost,
    Delivery,
    HttpResponse,
    Inline,
    Money,
    Progress,
    Remote,
    Ticket,
)
from pixelrouter.wire.guard import HostRules
from pixelrouter.wire.retry import RetryBudget

T = TypeVar("T")
MOST = 1_000_000  # dollars, generations, units: a bill above is a broken answer
_HERE = "delivered-with-the-answer"  # ticket of a vendor that answers a submit with addresses instead of a job


def rules_of(backend: RemoteBackend) -> HostRules:
    """The backend's hosts as the wire checks them."""
    hosts = backend.hosts()
    return HostRules(hosts.api, hosts.delivery)


def free_call(
    ask: Ask,
    backend: RemoteBackend,
    call: Call[object],
    budget: RetryBudget,
    purpose: str,
    *,
    download: bool = False,
    attempts: int | None = None,
) -> Free:
    """The effect that sends a backend's free call."""
    return Free(
        call.request,
        rules_of(backend),
        backend.settings.timeout_s,
        budget,
        purpose,
        ask.deadline if ask.deadline != float("inf") else None,
        download,
        attempts,
    )


def read(backend: RemoteBackend, call: Call[T], response: HttpResponse) -> T:
    """What the answer says. A reader that trips over it raises UnexpectedAnswer, so the money's trace is never lost."""
    try:
        return call.read(response)
    except PixelRouterError:
        raise
    except Exception as error:
        raise UnexpectedAnswer(
            f"{backend.name} answered {response.status} in a form nobody expected ({type(error).__name__}).",
            status=response.status,
        ) from error


class Collector:
    """Collects finished jobs into the store."""

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self._ledger, self._store = ledger, store
        self._budgets: dict[str, RetryBudget] = {}

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
        cost = _bill(attempt, told, error.units)
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
        pause = backend.settings.poll_s / 4
        while True:
            if time.monotonic() + pause > ask.deadline:
                raise self._still_running(attempt, ticket, "The time limit of this call is over.")
            yield Sleep(pause)
            with self._keeping(attempt, ticket):
                call = backend.poll(ticket)
                response = yield free_call(ask, backend, call, self.budget(backend.name), "look at the job")
            try:
                with self._keeping(attempt, ticket):
                    state = read(backend, call, response)
            except JobFailed as error:
                raise self.failed(attempt, error) from None
            except ResultExpired as error:
                told = None if error.charged is None else Cost(error.charged, "reported")
                cost = _booked(attempt, _bill(attempt, told, None))
                raise self._gone(attempt, cost, ticket, error) from error
            if isinstance(state, Delivery):
                return state, ticket
            if isinstance(state, Ticket):  # the same job, its next stage
                self._ledger.moved(attempt.id, state)
                ticket, pause = state, 0.0
                continue
            ask.tell("wait", backend.name, state.fraction, state.status)
            pause = _next_pause(backend.settings.poll_s, state)

    @contextmanager
    def _keeping(self, attempt: Attempt, ticket: Ticket) -> Iterator[None]:
        """A free call that fails for good leaves the job where it is: paid, and to be collected later."""
        try:
            yield
        except JobFailed:  # ContentBlocked too, which is a Refused as well: the vendor's last word on the job
            raise
        except (WireError, UnexpectedAnswer, Refused) as error:
            raise self._still_running(attempt, ticket, str(error)) from error

    def _still_running(self, attempt: Attempt, ticket: Ticket, why: str) -> StillRunning:
        return StillRunning(
            f"The job {ticket.id} at {attempt.backend} is not collected yet. {why} Its {attempt.held} stay held.",
            hint="Run the same call again, or `pixelrouter resume`: the job is collected, not bought again.",
            attempt=attempt.id,
            ticket=ticket,
        )

    # --- images ---

    def deliver(
        self, ask: Ask, backend: Backend, attempt: Attempt, delivery: Delivery, ticket: Ticket | None = None
    ) -> Steps[Attempt]:
        """Download, store, settle. Raises ChargedWithoutImage, or a subclass, when paid images did not come whole."""
        cost = _booked(attempt, _bill(attempt, delivery.cost, delivery.units))
        try:
            images = yield from self._download(ask, backend, attempt, delivery, ticket)
        except ResultExpired as error:
            raise self._gone(attempt, cost, ticket, error) from error
        raws = [self._store.put(image) for image in images]
        request = ask.request.model_copy(update={"model": attempt.model})
        wanted = backend.layout(request).raws
        problem = yield Work(lambda: self._problem(ask, wanted or max(1, len(images)), images, cost, raws))
        names, notes = delivery.names, delivery.notes
        yield from write_down(
            lambda: self._ledger.settle(attempt.id, cost, raws=raws, names=names, notes=notes, error=problem)
        )
        if problem is not None and not isinstance(problem, IncompleteDelivery):
            raise problem
        settled = self._ledger.get(attempt.id)
        if settled is None:
            raise StoreError(f"Attempt {attempt.id} vanished from the ledger.")
        return settled

    def _gone(self, attempt: Attempt, cost: Cost, ticket: Ticket | None, error: ResultExpired) -> ResultExpired:
        """Book an image that was paid for and that the vendor no longer has."""
        gone = ResultExpired(
            f"{attempt.backend} drew the image and charged {cost.money}, but has deleted it: {error.message}"
            f" Complain to the vendor with its request id {attempt.vendor_request or (ticket and ticket.id)}.",
            hint="To buy it anew: fresh=True (--fresh).",
            charged=cost.money,
        )
        self._ledger.settle(attempt.id, cost, error=gone)
        return gone

    def _download(
        self, ask: Ask, backend: Backend, attempt: Attempt, delivery: Delivery, ticket: Ticket | None
    ) -> Steps[list[bytes]]:
        remote = any(isinstance(item, Remote) for item in delivery.items)
        if not remote or backend.kind != "remote":
            return [item.data for item in delivery.items if isinstance(item, Inline)]
        try:
            return (yield from self._fetch_all(ask, backend, attempt, delivery, ticket))
        except ResultExpired:
            call = None if ticket is None or ticket.id == _HERE else backend.renew(ticket)
            if call is None:
                raise
        # The addresses have expired, not the images: ask for new addresses, once.
        try:
            response = yield free_call(ask, backend, call, self.budget(backend.name), "renew download addresses")
            renewed = read(backend, call, response)
        except ResultExpired:
            raise
        except PixelRouterError as error:
            raise self._still_running(attempt, ticket or Ticket(attempt.id), str(error)) from error
        return (yield from self._fetch_all(ask, backend, attempt, renewed, ticket))

    def _fetch_all(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, delivery: Delivery, ticket: Ticket | None
    ) -> Steps[list[bytes]]:
        calls = iter(backend.fetch(delivery))
        images = []
        for number, item in enumerate(delivery.items, 1):
            if isinstance(item, Inline):
                images.append(item.data)
                continue
            ask.tell("download", backend.name, number / len(delivery.items))
            with self._keeping(attempt, ticket or Ticket(attempt.id)):
                call = next(calls)
                free = free_call(ask, backend, call, self.budget(backend.name), "download the image", download=True)
                images.append(read(backend, call, (yield free)))
        return images

    @staticmethod
    def _problem(ask: Ask, wanted: int, images: list[bytes], cost: Cost, raws: list[str]) -> PixelRouterError | None:
        """What is wrong with the first ``wanted`` images, if anything. What could be read is kept for finishing."""
        readable, why = 0, ""
        for raw, image in zip(raws[:wanted], images, strict=False):
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
        what = "without any image" if not images else "with images that cannot be read"
        return ChargedWithoutImage(
            f"The vendor charged {cost.money} and answered {what}.{why} The bytes are kept in the store.",
            hint="Complain to the vendor; fresh=True (--fresh) buys the image anew.",
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


def _bill(attempt: Attempt, told: Cost | None, units: Decimal | None) -> Cost | None:
    """What the vendor says it charged: in money, or in its own units at the price noted when the attempt was made.

    None where it does not say, or says what cannot be: what is held is booked then. A fraction of a micro-unit counts
    as a whole one, as spent must not be below charged.
    """
    if told is None and units is not None and attempt.unit_price is not None and units.is_finite() and units <= MOST:
        micros = int((attempt.unit_price.micros * units).to_integral_value(ROUND_CEILING))
        # The vendor's units at the vendor's price are its bill; at a list price they are not.
        source = attempt.quoted.source if attempt.quoted else "listed"
        told = Cost(Money(micros, attempt.unit_price.unit), "reported" if source == "quoted" else source)
    return told if told is not None and 0 <= told.money.micros <= MOST * MICROS else None


def _booked(attempt: Attempt, bill: Cost | None) -> Cost:
    """The bill, a zero too, or what is held where there is none."""
    return Cost(attempt.held, attempt.cost_source) if bill is None else bill


def _next_pause(poll_s: float, state: Progress) -> float:
    """Seconds until the next look: the vendor's word, else the configured pause with a little jitter."""
    if state.retry_after is not None:
        return max(state.retry_after, 0.05)
    return poll_s * random.uniform(0.85, 1.15)  # noqa: S311  (spreads polls, guards nothing)
