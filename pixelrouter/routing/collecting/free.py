"""A backend's free calls as effects, and what it means when one fails: the job stays where it is, paid and held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from pixelrouter.backends.protocol import Call, RemoteBackend
from pixelrouter.errors import JobFailed, PixelRouterError, Refused, StillRunning, UnexpectedAnswer, WireError
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.effects import Free
from pixelrouter.types import Attempt, HttpResponse, Ticket
from pixelrouter.wire.guard import HostRules
from pixelrouter.wire.retry import RetryBudget

T = TypeVar("T")


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


@contextmanager
def keeping(attempt: Attempt, ticket: Ticket | None) -> Iterator[None]:
    """A free call that fails for good leaves the job where it is: raises StillRunning, to be collected later."""
    try:
        yield
    except JobFailed:  # ContentBlocked too, which is a Refused as well: the vendor's last word on the job
        raise
    except (WireError, UnexpectedAnswer, Refused) as error:
        raise still_running(attempt, ticket, str(error)) from error


def still_running(attempt: Attempt, ticket: Ticket | None, why: str) -> StillRunning:
    """The error for a job that is not collected, and not lost."""
    job = ticket or Ticket(attempt.id)
    return StillRunning(
        f"The job {job.id} at {attempt.backend} is not collected yet. {why} Its {attempt.held} stay held.",
        hint="Run the same call again, or `pixelrouter resume`: the job is collected, not bought again.",
        attempt=attempt.id,
        ticket=job,
    )
