"""The paid request itself: written down as sending, sent once, and what its answer means written down too.

The one place from which money can leave. Only where no byte left this machine is anything tried again.
"""

from __future__ import annotations

import time
from functools import partial

from pixelrouter.backends.protocol import Call, RemoteBackend
from pixelrouter.errors import (
    CassetteMiss,
    ConfigError,
    ForbiddenHost,
    JobFailed,
    LedgerError,
    NotSent,
    PixelRouterError,
    Refused,
    RequestRejected,
)
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing import verdict
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.choosing.admission import Admission
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.collecting.free import read
from pixelrouter.routing.collecting.keeping import after_sending, ticket_for, write_down
from pixelrouter.routing.effects import NotBegun, Paid, Sleep, Steps
from pixelrouter.routing.recovering.recovery import Recovery
from pixelrouter.routing.verdict import Verdict
from pixelrouter.types import Attempt, Delivery, HttpResponse, Ticket

NOT_SENT_TRIES = 3  # no byte left, so trying again cannot buy twice


class Sender:
    """Sends paid requests. Holds no state of its own beside the ledger's."""

    def __init__(self, ledger: Ledger, collector: Collector, recovery: Recovery, admission: Admission) -> None:
        self._ledger, self._collector, self._recovery = ledger, collector, recovery
        self._admission = admission

    def submit(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, call: Call[Ticket | Delivery], *, patient: bool
    ) -> Steps[Ticket]:
        """Send the paid request once. Every way out of here has written to the ledger what the answer meant.

        ``patient``: a vendor that wants to be left alone for a while is waited for.
        """
        ask.tell("submit", backend.name, None, f"holding {attempt.held}")
        try:
            yield from self._recovery.before(ask, backend)
            # The deadline decides what may start, not what may finish.
            yield from self._admission.admit(ask, backend, attempt, patient=patient)
        except BaseException as error:
            self._ledger.release(attempt.id, error)
            raise
        with after_sending(attempt):
            return (yield from self._sent(ask, backend, attempt, call))

    def _sent(self, ask: Ask, backend: RemoteBackend, attempt: Attempt, call: Call[Ticket | Delivery]) -> Steps[Ticket]:
        response = yield from self._send(ask, backend, attempt, call)
        if isinstance(response, Ticket):
            return response
        value: Ticket | Delivery | None = None
        problem: PixelRouterError | None = None
        try:
            value = read(backend, call, response)
        except PixelRouterError as error:
            problem = error
        match verdict.of_answer(response.status, problem):
            case Verdict.ACCEPTED:
                assert value is not None  # noqa: S101  (no problem means a value)
                ticket = yield from ticket_for(self._collector, attempt, value)
                with after_sending(attempt, ticket):
                    yield from write_down(lambda: self._ledger.accepted(attempt.id, ticket))
                return ticket
            case Verdict.REFUSED:
                refusal = problem if isinstance(problem, Refused) else _refusal(backend.name, response)
                self._ledger.release(attempt.id, refusal)
                raise refusal
            case Verdict.FAILED:
                assert isinstance(problem, JobFailed)  # noqa: S101  (the verdict says so)
                raise self._collector.failed(attempt, problem)
        return (yield from self._recovery.lost(ask, backend, attempt, problem))

    def _send(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, call: Call[Ticket | Delivery]
    ) -> Steps[HttpResponse | Ticket]:
        """The answer; or the job's ticket, where the answer was lost and the vendor could tell what became of it."""
        for number in range(1, NOT_SENT_TRIES + 1):
            try:
                response: HttpResponse = yield Paid(
                    call.request,
                    self._collector.rules(backend),
                    backend.settings.timeout_s,
                    partial(self._ledger.still_sending, attempt.id),
                )
            except LedgerError:  # raised before a byte leaves: somebody else may carry on with it
                raise
            except (CassetteMiss, ConfigError, ForbiddenHost, NotBegun) as error:  # raised before a byte leaves
                self._ledger.release(attempt.id, error)
                raise
            except Exception as error:
                if verdict.of_exception(error) is not Verdict.NOT_SENT:
                    return (yield from self._recovery.lost(ask, backend, attempt, error))
                pause = 0.2 * 2**number
                if number == NOT_SENT_TRIES or time.monotonic() + pause > ask.deadline:
                    problem = NotSent(
                        f"{backend.name} cannot be reached ({type(error).__name__}: {error}). Nothing was sent.",
                        hint=f"Check the network, the proxy settings and [backends.{backend.name}] base_url.",
                    )
                    self._ledger.release(attempt.id, problem)
                    raise problem from error
                yield Sleep(pause)
            except BaseException as error:  # Ctrl-C or cancellation while the bytes were under way
                self._ledger.unknown(attempt.id, error)
                raise
            else:
                return response
        raise AssertionError("unreachable: the last try returns or raises")


def _refusal(backend: str, response: HttpResponse) -> Refused:
    """A status that means "refused, nothing charged" with a body that the vendor does not document."""
    return RequestRejected(
        f"{backend} refused the request with status {response.status}. Nothing was charged.",
        hint=f"It did not say why in a form that it documents. Check [backends.{backend}] base_url, and any proxy.",
        status=response.status,
    )
