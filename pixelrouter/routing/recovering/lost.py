"""Paid, and no image: when that is certain, and what is said of it, at once and whenever the attempt is met again."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pixelrouter import errors
from pixelrouter.backends._reading import http_date
from pixelrouter.backends.protocol import BackendDefaults, Call, RemoteBackend
from pixelrouter.errors import ChargedWithoutImage, ResultExpired
from pixelrouter.money.balances import account_of
from pixelrouter.types import Attempt, Cost, Delivery, HttpResponse, Progress, Ticket

COMPLAIN = "Complain to the vendor; fresh=True (--fresh) buys the image anew."
ANEW = "To buy it anew: fresh=True (--fresh)."
_NOT_FOUND = (404, 410)


def forgotten(
    attempt: Attempt,
    backend: RemoteBackend,
    call: Call[Progress | Delivery | Ticket] | Call[Delivery],
    response: HttpResponse,
) -> bool:
    """Whether a vendor that does not know the job has lost it: asked by the account that bought it, and old enough.

    To another account's key it would say the same.
    """
    ours = attempt.evidence.get("account") == account_of(call.request)
    return ours and response.status in _NOT_FOUND and kept_no_more(attempt, backend, response)


def kept_no_more(attempt: Attempt, backend: RemoteBackend, response: HttpResponse) -> bool:
    """Whether the attempt is older than what the vendor keeps.

    The age is counted by the vendor's clock where its answer tells it, as its clock decides what is deleted.
    """
    now = http_date(response.headers.get("date", ""))
    age = (time.time() if now is None else now.timestamp()) - (attempt.sent_at or attempt.created_at)
    keeps_s: float = getattr(backend, "keeps_s", BackendDefaults.keeps_s)  # a backend need not derive from the defaults
    return age > keeps_s


def expired(attempt: Attempt, cost: Cost, why: str) -> ResultExpired:
    """The error for an image that was paid for and that the vendor no longer has: everything a complaint needs."""
    return ResultExpired(
        f"{attempt.backend} took {cost} for this image on {_date(attempt)} and no longer has it: {why} Complain to "
        f"{attempt.backend} with its id {attempt.vendor_request}. It is booked as spent (attempt {attempt.id[:12]}).",
        hint=ANEW,
        charged=cost.money,
        attempt=attempt.id,
        vendor_request=attempt.vendor_request,
        paid_at=_date(attempt),
    )


def no_image(attempt: Attempt) -> ChargedWithoutImage:
    """The error that this attempt ended with, for a call that meets it again."""
    kind, _, message = (attempt.error or "").partition(": ")
    cls = getattr(errors, kind, ChargedWithoutImage)
    if not (isinstance(cls, type) and issubclass(cls, ChargedWithoutImage)):
        cls = ChargedWithoutImage
    if not message:
        message = f"{attempt.backend} charged {attempt.cost.money} for this request and no usable image came."
    hint = next((hint for hint in (COMPLAIN, ANEW) if message.endswith(hint)), None)
    if hint is not None:  # the ledger keeps both as one text
        message = message.removesuffix(hint).rstrip()
    problem: ChargedWithoutImage = cls(message, charged=attempt.cost.money, stored=attempt.raws, hint=hint)
    if isinstance(problem, ResultExpired):
        problem.attempt, problem.vendor_request, problem.paid_at = attempt.id, attempt.vendor_request, _date(attempt)
    return problem


def _date(attempt: Attempt) -> str:
    moment = datetime.fromtimestamp(attempt.sent_at or attempt.created_at, UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")
