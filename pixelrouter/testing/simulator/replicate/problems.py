"""What Replicate answers when it refuses: problem documents, with the wordings that are known.

Known from recorded traffic and the published contract (2023 to April 2026): 401, the plain and the low-credit 429's
first sentence, the upload's 413 and 404, that a title may be missing, that the text ends in a line break. Quoted by
several clients: 402. Unverified: the wording of 404 and of 422, and the whole of 500 and 503. A client must not read
the words.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Any, NamedTuple

from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.server import Reply


class Invalid(NamedTuple):
    """One mistake in a request: where it is (``input.width``), its type, and the words for it."""

    field: str
    type: str
    description: str


class Refused(Exception):
    """The vendor says no: a status and a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        title: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        head = {} if title is None else {"title": title}
        self.status = status
        self.body: dict[str, Any] = {**head, "detail": detail, "status": status, **more}
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        text = json.dumps(self.body, separators=(",", ":")) + "\n"
        return Reply(self.status, text.encode(), {"Content-Type": "application/problem+json", **self.headers})


def unauthenticated() -> Refused:
    return Refused(401, "You did not pass a valid authentication token", "Unauthenticated")


def no_credit() -> Refused:
    detail = "You have insufficient credit to run this model. Add credit to this simulated account to go on."
    return Refused(402, detail, "Insufficient credit")


def not_found(detail: str = "The requested resource could not be found.") -> Refused:
    return Refused(404, detail)


def wrong_method(allowed: Sequence[str]) -> Refused:
    return Refused(405, "Method not allowed.", headers={"Allow": ", ".join(allowed)})


def invalid(mistakes: Sequence[Invalid]) -> Refused:
    """422 with every mistake, as a list with dashes and as ``invalid_fields``."""
    detail = "".join(f"- {each.field}: {each.description}\n" for each in mistakes)
    return Refused(422, detail, "Input validation failed", invalid_fields=[each._asdict() for each in mistakes])


def throttled(retry_after: float | None, *, http_date: bool = False, low_credit: bool = False) -> Refused:
    """429. ``retry_after`` None leaves out the header and the field; the vendor is not known to send it always."""
    seconds = 1 if retry_after is None else max(1, round(retry_after))
    reason = (
        " Your rate limit for creating predictions is reduced to 6 requests per minute with a burst of 1 requests "
        "while you have less than $5.0 in credit."
        if low_credit
        else ""
    )
    detail = f"Request was throttled.{reason} Your rate limit resets in ~{seconds}s."
    if retry_after is None:
        return Refused(429, detail)
    header = formatdate(time.time() + retry_after, usegmt=True) if http_date else str(seconds)
    return Refused(429, detail, headers={"Retry-After": header}, retry_after=seconds)


def server_error() -> Reply:
    return Reply.of_json({"detail": "Internal server error"}, 500)


def refusal(fault: Fault) -> Reply | None:
    """The answer to a request that a fault stops before the vendor takes it; None for a fault of another kind."""
    match fault.name:
        case Faults.LOSE_BEFORE:
            return Reply.hung_up(fault)
        case Faults.BAD_GATEWAY_BEFORE | Faults.POLL_502 | Faults.DOWNLOAD_502:
            return Reply.nginx_502()
        case Faults.REDIRECT:
            return Reply(fault.params["status"], b"", {"Location": fault.params["location"]})
        case Faults.RATE_LIMIT:
            return throttled(fault.params["retry_after"], http_date=fault.params["http_date"]).reply()
        case Faults.OVERLOADED:
            wait = fault.params["retry_after"]
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return Refused(503, "Service unavailable.", headers=headers).reply()
        case Faults.SERVER_ERROR:
            return server_error()
        case Faults.NO_BALANCE:
            return no_credit().reply()
        case "low_credit_429":
            return throttled(fault.params["retry_after"], low_credit=True).reply()
    return None
