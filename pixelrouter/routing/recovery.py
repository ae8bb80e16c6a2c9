"""What became of a paid request whose answer was lost: asked of the vendor, never guessed, never bought again.

Two exact ways: the vendor's own list, searched for the attempt's mark, and the same bytes under the same idempotency
key, where the vendor's contract says that they are charged once. Where neither can tell, the money stays held.
"""

from __future__ import annotations

import hashlib
import time

from pixelrouter.backends.protocol import Call, RemoteBackend
from pixelrouter.errors import InvalidRequest, OutcomeUnknown, PixelRouterError
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.ask import Ask, Candidate
from pixelrouter.routing.collect import Collector
from pixelrouter.routing.effects import Paid, Sleep, Steps
from pixelrouter.routing.free import free_call, read
from pixelrouter.types import Attempt, Delivery, GenerationRequest, Mark, Ticket

FIND_PAGES = 10  # of the vendor's list, when a lost job is looked for


class Recovery:
    """Looks for lost jobs; holds no state of its own beside the ledger's."""

    def __init__(self, ledger: Ledger, collector: Collector) -> None:
        self._ledger, self._collector = ledger, collector

    def recover(
        self, ask: Ask, candidate: Candidate, backend: RemoteBackend, attempt: Attempt, body: str
    ) -> Steps[Ticket]:
        """What became of a submit whose answer was lost. Raises OutcomeUnknown where that cannot be told exactly."""
        ticket = yield from self._find(ask, backend, attempt, candidate.request)
        if ticket is None and backend.capabilities().idempotent:
            ticket = yield from self._resend(ask, candidate, backend, attempt, body)
        if ticket is None:
            raise self._outcome_unknown(attempt)
        return ticket

    def _find(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, request: GenerationRequest
    ) -> Steps[Ticket | None]:
        """The job in the vendor's own list that the lost submit made. Looked for twice: a list may lag behind."""
        sent = request.model_copy(update={"model": attempt.model})
        for look in range(2):
            try:
                call = backend.find(_mark(attempt), sent)
            except InvalidRequest:
                return None  # its images are not known here
            if call is None:
                return None
            if look:
                yield Sleep(min(backend.settings.poll_s, max(0.0, ask.deadline - time.monotonic())))
            for _ in range(FIND_PAGES):
                try:
                    budget = self._collector.budget(backend.name)
                    response = yield free_call(ask, backend, call, budget, "find a lost job")
                    found = read(backend, call, response)
                except PixelRouterError:
                    return None
                for ticket in found.tickets:
                    if self._ledger.adopt(attempt.id, ticket):
                        return ticket
                if found.more is None:
                    break
                call = found.more
        return None

    def _resend(
        self, ask: Ask, candidate: Candidate, backend: RemoteBackend, attempt: Attempt, body: str
    ) -> Steps[Ticket | None]:
        """The same bytes under the same idempotency key: by the vendor's contract that is charged once, ever."""
        request = candidate.request.model_copy(update={"model": attempt.model})
        try:
            call = backend.submit(request, _mark(attempt))
        except InvalidRequest:
            return None  # its images are not known here: only the same call again has them
        if fingerprint(call) != body:
            return None  # without its images, or of another version: the vendor would not recognise it
        ask.tell("submit", backend.name, None, "asking again under the same idempotency key")
        try:
            response = yield Paid(call.request, self._collector.rules(backend), backend.settings.timeout_s)
            ticket = call.read(response)
        except Exception:  # noqa: BLE001  (whatever it is, the outcome stays as unknown as it was)
            return None
        if isinstance(ticket, Delivery):
            ticket = self._collector.ticket_of(ticket)
        self._ledger.accepted(attempt.id, ticket)
        return ticket

    def lost(self, ask: Ask, backend: RemoteBackend, attempt: Attempt, error: BaseException | None) -> Steps[Ticket]:
        self._ledger.unknown(attempt.id, error)
        ticket = yield from self._find(ask, backend, attempt, ask.request)
        if ticket is None:
            raise self._outcome_unknown(attempt, error) from error
        return ticket

    def _outcome_unknown(self, attempt: Attempt, error: BaseException | None = None) -> OutcomeUnknown:
        why = f" ({type(error).__name__}: {error})" if error else ""
        return OutcomeUnknown(
            f"The answer of {attempt.backend} to a paid request was lost{why}, so it may have been charged."
            f" {attempt.held} stays held in the ledger (attempt {attempt.id[:12]}); nothing is sent again by itself.",
            hint="Run the same call again, or `pixelrouter resume`: where the vendor can tell what happened,"
            " the image is collected without a second charge. Where it cannot, look at its bill and close the attempt:"
            f" `pixelrouter resume {attempt.id[:12]} --charged` (or --not-charged). To buy anew regardless:"
            ' on_unknown="spend_again".',
            attempt=attempt.id,
            held=attempt.held,
        )


def _mark(attempt: Attempt) -> Mark:
    return Mark(attempt.id, attempt.seed or 0, attempt.created_at)


def fingerprint(call: Call[Ticket | Delivery]) -> str:
    """A hash of what a call would send: where to, and the exact bytes."""
    return hashlib.sha256(call.request.url.encode() + b"\n" + call.request.body).hexdigest()
