"""Asks a vendor what became of a lost request: its list of jobs, and what is left on the account. All of it free.

What comes back is a look, for routing.recovering.judgement to weigh. A vendor that cannot be asked is a look too, with
the reason; nothing here raises because of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from pixelrouter.backends._reading import http_date
from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import InvalidRequest, PixelRouterError
from pixelrouter.money.balances import Balances, Movement, Reading, account_of
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.collecting.free import free_call, read
from pixelrouter.routing.effects import Sleep, Steps
from pixelrouter.routing.recovering.judgement import Listed, Look
from pixelrouter.types import Attempt, Billing, GenerationRequest, HttpResponse, Mark, Money, Ticket

FIND_PAGES = 10  # of the vendor's list, when a lost job is looked for
LOOKS = 2  # a list may lag behind, and a charge too
READ_AGAIN_S = 60.0  # a balance older than this is read again before a purchase
READ_LIMIT_S = 5.0  # longest wait for that; at most a quarter of the time that the caller has
READ_LEAST_S = 0.5  # with less time than that it is not read
AHEAD_S = 240.0  # our clock, of the vendor's: beyond that a list is asked from too late on (backends allow 300)


class Inquirer:
    """Looks at vendors. ``live`` False (replay): no balance is read before a purchase."""

    def __init__(self, ledger: Ledger, collector: Collector, clock: Callable[[], float], *, live: bool) -> None:
        self._ledger, self._collector, self._live, self._clock = ledger, collector, live, clock
        self._balances = Balances(ledger.database, clock)
        self._tried: dict[str, float] = {}  # when an account's balance was last asked for before a purchase

    # --- before the purchase ---

    def before(self, ask: Ask, backend: RemoteBackend) -> Steps[None]:
        """Read what is left on the account, where a lost answer could not be explained otherwise.

        Free, at most once a minute, and never the reason why a purchase fails.
        """
        billing, call = billing_of(backend), backend.balance()
        if billing is None or call is None or backend.capabilities().idempotent or not self._live:
            return
        account, now = account_of(call.request), self._clock()
        limit = min(READ_LIMIT_S, (ask.deadline - time.monotonic()) / 4)
        if limit < READ_LEAST_S or now - self._tried.get(account, 0.0) < READ_AGAIN_S:
            return
        self._tried[account] = now
        try:
            yield from self._read_balance(ask, backend, limit_s=limit)
        except PixelRouterError:
            return

    def _read_balance(self, ask: Ask, backend: RemoteBackend, limit_s: float | None = None) -> Steps[Reading | None]:
        call = backend.balance()
        if call is None:
            return None
        budget = self._collector.budget(backend.name)
        free = free_call(ask, backend, call, budget, "read the balance")
        if limit_s is not None:
            until = min(ask.deadline, time.monotonic() + limit_s)
            free = replace(free, timeout_s=min(limit_s, free.timeout_s), deadline=until, attempts=1)
        money: Money = read(backend, call, (yield free))
        return self._balances.note(backend.name, account_of(call.request), money)

    # --- after the loss ---

    def looks(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, request: GenerationRequest
    ) -> Steps[tuple[Look, ...]]:
        """Two looks with a pause between them; one, where it finds the job or where there is nothing to look at."""
        made: list[Look] = []
        for number in range(LOOKS):
            if number:
                yield Sleep(min(backend.settings.poll_s, max(0.0, ask.deadline - time.monotonic())))
            ask.tell("wait", backend.name, None, "asking what became of a lost request")
            listed = yield from self.listed(ask, backend, attempt, request)
            if listed is not None and listed.tickets:
                return (*made, Look(listed))
            moved: Movement | None = None
            problem = ""
            if billing_of(backend) is not None:
                before = made[-1].moved if made else None
                moved, problem = yield from self._movement(ask, backend, attempt, before)
            made.append(Look(listed, moved, problem))
            if (listed is None or listed.problem) and moved is None:
                break  # another look would show no more
        return tuple(made)

    def listed(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, request: GenerationRequest
    ) -> Steps[Listed | None]:
        """What the vendor's list shows that is not another attempt's; None where it has none for such a request."""
        try:
            call = backend.find(mark_of(attempt), request.model_copy(update={"model": attempt.model}))
        except InvalidRequest:
            return None  # its images are not known here
        if call is None:
            return None
        tickets: list[Ticket] = []
        perhaps: list[Ticket] = []
        for _ in range(FIND_PAGES):
            try:
                budget = self._collector.budget(backend.name)
                response = yield free_call(ask, backend, call, budget, "find a lost job")
                found = read(backend, call, response)
            except PixelRouterError as error:
                return Listed(problem=error.message)
            tickets += self._free_ones(attempt, found.tickets)
            perhaps += self._free_ones(attempt, found.perhaps)
            if found.more is None or (tickets and found.sure == "certain"):
                break
            call = found.more
        ahead = self._ahead(response)
        if not tickets and ahead > AHEAD_S:
            words = f"this machine's clock is {ahead / 60:.0f} minutes ahead of the vendor's. Set it."
            return Listed(perhaps=tuple(perhaps), problem=words)
        return Listed(tuple(tickets), found.sure, tuple(perhaps), None if found.more else found.absence)

    def _ahead(self, response: HttpResponse) -> float:
        """Seconds that our clock is ahead of the vendor's, by its Date header; 0 where it sends none."""
        theirs = http_date(response.headers.get("date", ""))
        return 0.0 if theirs is None else self._clock() - theirs.timestamp()

    def _free_ones(self, attempt: Attempt, tickets: tuple[Ticket, ...]) -> list[Ticket]:
        """Those that are no other attempt's."""
        sql = "SELECT 1 AS found FROM attempt WHERE backend = :backend AND ticket_id = :ticket AND id <> :id"
        with self._ledger.database.reading() as db:
            values = {"backend": attempt.backend, "id": attempt.id}
            return [one for one in tickets if not db.execute(sql, {**values, "ticket": one.id}).fetchone()]

    def _movement(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, before: Movement | None
    ) -> Steps[tuple[Movement | None, str]]:
        """How the account moved since before the attempt (by a later reading than ``before``), or why nobody knows."""
        billing = billing_of(backend)
        try:
            now = yield from self._read_balance(ask, backend)
        except PixelRouterError as error:
            return None, error.message
        if now is None or billing is None or now.money.unit != attempt.held.unit:
            return None, ""
        call = backend.balance()
        account = account_of(call.request) if call else ""
        later_than = before.end.at if before else 0.0
        return self._balances.movement(attempt, account, now, billing, later_than=later_than), ""


def billing_of(backend: RemoteBackend) -> Billing | None:
    """When the backend's charges show in its balance; None where the balance proves nothing."""
    billing: Billing | None = getattr(backend, "billing", None)
    return billing


def mark_of(attempt: Attempt) -> Mark:
    """The mark that an attempt was sent with."""
    return Mark(attempt.id, attempt.seed or 0, attempt.created_at)
