"""What becomes of a paid request whose answer was lost: the vendor is asked, and never is anything bought again.

In this order: a job in its list that is exactly what was sent; the same bytes once more under the same idempotency key,
where the vendor's contract says that they are charged once; what else the list shows, and by how much the account fell.
What that proves is entered in the ledger with the evidence. Money that is only likely to be free stays held until a
person says otherwise.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from pixelrouter.backends.protocol import BackendDefaults, Call, RemoteBackend
from pixelrouter.errors import (
    ChargedWithoutImage,
    InvalidRequest,
    NotTaken,
    OutcomeUnknown,
    PixelRouterError,
)
from pixelrouter.money.balances import account_of
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.ask import Ask, Candidate
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.collecting.free import read
from pixelrouter.routing.collecting.keeping import after_sending, ticket_for, write_down
from pixelrouter.routing.effects import Paid, Steps
from pixelrouter.routing.recovering.inquiry import Inquirer, billing_of, mark_of
from pixelrouter.routing.recovering.judgement import Case, Finding, Look, judge
from pixelrouter.types import Attempt, Cost, Delivery, Evidence, GenerationRequest, Ticket


class Recovery:
    """Finds out what lost requests came to; holds no state of its own beside the ledger's.

    ``clock`` gives seconds since the epoch; ``live`` False (replay) reads no balances before purchases.
    """

    def __init__(
        self, ledger: Ledger, collector: Collector, *, live: bool = True, clock: Callable[[], float] | None = None
    ) -> None:
        self._ledger, self._collector = ledger, collector
        self.clock = clock or time.time
        self._inquirer = Inquirer(ledger, collector, lambda: self.clock(), live=live)

    def before(self, ask: Ask, backend: RemoteBackend) -> Steps[None]:
        """What has to be known before a purchase, so that a lost answer can be explained."""
        yield from self._inquirer.before(ask, backend)

    def lost(self, ask: Ask, backend: RemoteBackend, attempt: Attempt, error: BaseException | None) -> Steps[Ticket]:
        """The job of a request whose answer was lost just now.

        Raises ChargedWithoutImage where it was likely charged and the image is lost, NotTaken where it was certainly
        not charged, OutcomeUnknown where nobody can tell.
        """
        self._ledger.unknown(attempt.id, error)
        _, body = self._ledger.owner_and_body(attempt.id)
        return (yield from self._settle(ask, backend, attempt, ask.request, body, error))

    def recover(
        self, ask: Ask, candidate: Candidate, backend: RemoteBackend, attempt: Attempt, body: str
    ) -> Steps[Ticket]:
        """The same for an attempt of the ledger. Its images are there only if the caller gave them again."""
        return (yield from self._settle(ask, backend, attempt, candidate.request, body, None))

    def _settle(
        self,
        ask: Ask,
        backend: RemoteBackend,
        attempt: Attempt,
        request: GenerationRequest,
        body: str,
        error: BaseException | None,
    ) -> Steps[Ticket]:
        attempt = self._ledger.get(attempt.id) or attempt
        finding = yield from self.find_out(ask, backend, attempt, request, body)
        if finding.evidence.outcome == "found" and (not finding.ask_first or ask.accept == "likely"):
            for ticket in finding.tickets:
                if (yield from self._take(attempt, finding, ticket, accepted=finding.ask_first)):
                    return ticket
            words = (*finding.evidence.words, "Another attempt has taken it meanwhile.")
            finding = Finding(replace(finding.evidence, outcome="unknown", sure="", means="", words=words))
        self._close(ask, attempt, finding.evidence, error)

    def _take(self, attempt: Attempt, finding: Finding, ticket: Ticket, *, accepted: bool) -> Steps[bool]:
        """Make a found job ours, with the evidence. False if another attempt has it."""
        with after_sending(attempt, ticket):
            self._explain(attempt, replace(finding.evidence, accepted=accepted))
            if finding.evidence.means == "resend":
                yield from write_down(lambda: self._ledger.accepted(attempt.id, ticket))
                return True
            return (yield from write_down(lambda: self._ledger.adopt(attempt.id, ticket)))

    def _close(self, ask: Ask, attempt: Attempt, evidence: Evidence, error: BaseException | None) -> NoReturn:
        """Enter what was found of a request that left no job to collect, and say so."""
        accepted = evidence.outcome == "not charged" and evidence.sure == "likely" and ask.accept == "likely"
        evidence = replace(evidence, accepted=accepted)
        self._explain(attempt, evidence)
        if evidence.outcome == "charged":
            charged = _charged(attempt, evidence)
            self._ledger.settle(attempt.id, Cost(attempt.held, attempt.cost_source), error=charged)
            if ask.on_unknown == "spend_again":  # the caller has said that the next backend may be asked
                raise OutcomeUnknown(charged.message, hint=charged.hint, attempt=attempt.id) from error
            raise charged from error
        if evidence.outcome == "not charged" and (accepted or evidence.sure == "certain"):
            not_taken = _not_taken(attempt, evidence)
            self._ledger.release(attempt.id, not_taken)
            raise not_taken from error
        raise _unknown(attempt, evidence, error) from error

    def _explain(self, attempt: Attempt, evidence: Evidence) -> None:
        again = _resent_at(self._ledger.get(attempt.id) or attempt)
        told = evidence.as_dict()
        self._ledger.explain(attempt.id, told if again is None else {**told, "resent_at": again})

    # --- finding out ---

    def find_out(
        self,
        ask: Ask,
        backend: RemoteBackend,
        attempt: Attempt,
        request: GenerationRequest,
        body: str,
        *,
        look_only: bool = False,
    ) -> Steps[Finding]:
        """What became of the attempt, by every means the vendor offers. ``look_only``: nothing is sent again."""
        tried: list[str] = []
        same = self._same_account(backend, attempt, request)
        if backend.capabilities().idempotent and same:
            listed = yield from self._inquirer.listed(ask, backend, attempt, request)
            if listed and listed.tickets and listed.sure == "certain":
                return judge(Case(attempt, None, 0.0), (Look(listed),))  # nothing has to be sent again
            ticket = None
            if look_only:
                tried.append("The same bytes may be sent again under the same key, which was not done now.")
            else:
                ticket = yield from self._resend(ask, backend, attempt, request, body, tried)
                attempt = self._ledger.get(attempt.id) or attempt
            if ticket is not None:
                words = f"Asked again under the same idempotency key, the vendor named the job {ticket.id}."
                evidence = Evidence("found", "certain", "resend", (*tried, words), {"jobs": [ticket.id]})
                return Finding(evidence, (ticket,))
        looks = yield from self._inquirer.looks(ask, backend, attempt, request)
        sent = max(attempt.sent_at or attempt.created_at, _resent_at(attempt) or 0.0)
        case = Case(attempt, billing_of(backend), self.clock() - sent, same)
        finding = judge(case, looks)
        if not looks or not (looks[-1].listed or looks[-1].moved or finding.evidence.words):
            tried.append("The vendor has no list of such requests, and no balance that would tell.")
        return finding.after(tried)

    def _same_account(self, backend: RemoteBackend, attempt: Attempt, request: GenerationRequest) -> bool:
        """Whether the key is the one that the attempt was sent with. Older ledgers do not say."""
        sent_with = attempt.evidence.get("account")
        try:
            call = backend.balance() or backend.find(
                mark_of(attempt), request.model_copy(update={"model": attempt.model})
            )
        except InvalidRequest:
            call = None
        return not sent_with or call is None or account_of(call.request) == sent_with

    def _resend(
        self,
        ask: Ask,
        backend: RemoteBackend,
        attempt: Attempt,
        request: GenerationRequest,
        body: str,
        tried: list[str],
    ) -> Steps[Ticket | None]:
        """The same bytes under the same idempotency key, once: by the vendor's contract that is charged once, ever.

        Not for longer than the vendor is trusted to remember the key: after that it would be a second purchase.
        """
        age = self.clock() - (attempt.sent_at or attempt.created_at)
        remembers: float = getattr(backend, "idempotent_s", BackendDefaults.idempotent_s)
        if age > remembers:
            tried.append(f"It is too old to be asked for under its idempotency key ({remembers / 3600:.0f} hours).")
            return None
        try:
            call = backend.submit(request.model_copy(update={"model": attempt.model}), mark_of(attempt))
        except InvalidRequest:
            tried.append(_NO_PICTURES)
            return None
        if fingerprint(call) != body:  # the vendor would not recognise it
            tried.append(_NO_PICTURES)
            return None
        if time.monotonic() > ask.deadline:
            tried.append("The time limit of this call was over before it could be asked for under its key.")
            return None
        ask.tell("submit", backend.name, None, "asking again under the same idempotency key")
        # On disk before the bytes leave: from now on "not there" counts from here.
        self._ledger.explain(attempt.id, {**attempt.evidence, "resent_at": self.clock()})
        try:
            response = yield Paid(call.request, self._collector.rules(backend), backend.settings.timeout_s)
            answer = read(backend, call, response)
        except PixelRouterError as error:
            tried.append(f"Asked again under the same idempotency key, it did not tell: {error.message}")
            return None
        except Exception as error:  # noqa: BLE001  (whatever the wire raises, the outcome stays as unknown as it was)
            tried.append(f"Asked again under the same idempotency key, the answer was lost ({type(error).__name__}).")
            return None
        return (yield from ticket_for(self._collector, attempt, answer))


_NO_PICTURES = (
    "What was sent cannot be made again here: the ledger keeps pictures only as hashes. The same call again, with its"
    " pictures, can ask under the same idempotency key."
)


def _resent_at(attempt: Attempt) -> float | None:
    at = attempt.evidence.get("resent_at")
    return float(at) if isinstance(at, int | float) else None


def fingerprint(call: Call[Ticket | Delivery]) -> str:
    """A hash of what a call would send: where to, and the exact bytes."""
    return hashlib.sha256(call.request.url.encode() + b"\n" + call.request.body).hexdigest()


# --- what is said of it ---


def _charged(attempt: Attempt, evidence: Evidence) -> ChargedWithoutImage:
    return ChargedWithoutImage(
        f"The answer of {attempt.backend} to a paid request was lost, and it was likely charged: {evidence.text}"
        f" {attempt.held} is booked as spent (attempt {attempt.id[:12]}).",
        hint="Compare the vendor's bill. fresh=True (--fresh) buys the image anew.",
        charged=attempt.held,
    )


def _not_taken(attempt: Attempt, evidence: Evidence) -> NotTaken:
    who = " You said so." if evidence.accepted else ""
    return NotTaken(
        f"The answer of {attempt.backend} to a paid request was lost, and it was {evidence.sure} not charged:"
        f" {evidence.text}{who} The {attempt.held} held for it are free again (attempt {attempt.id[:12]}).",
        hint="The same call again buys it.",
    )


def _unknown(attempt: Attempt, evidence: Evidence, error: BaseException | None) -> OutcomeUnknown:
    why = f" ({type(error).__name__}: {error})" if error else ""
    tried = f" What was tried: {evidence.text}" if evidence.words else ""
    likely = " It was likely not charged." if evidence.outcome == "not charged" else ""
    return OutcomeUnknown(
        f"The answer of {attempt.backend} to a paid request was lost{why}, so it may have been charged."
        f" {attempt.held} stays held in the ledger (attempt {attempt.id[:12]}); no second purchase is made by itself."
        f"{tried}{likely}",
        hint=f"{evidence.next} The same call again, or `pixelrouter reconcile`, looks again. To buy anew regardless:"
        ' on_unknown="spend_again".'.strip(),
        attempt=attempt.id,
        held=attempt.held,
    )
