"""What PixelLab answers when it refuses.

The envelope is ``{"detail": text or list}``. Statuses are the vendor's documented ones; for most bodies only their
description is published, and that stands here as the text: a client must not read the words.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Any

from pixelrouter.testing.simulator.faults import Fault, Faults, FaultSpec
from pixelrouter.testing.simulator.server import Reply

HTML_403 = (
    b"<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body><center>Access denied</center></body>\r\n</html>"
)
HTML_504 = b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>504</body>\r\n</html>\r\n"

#: What only PixelLab does wrong. `Faults.JOB_FAILED` is the vendor's own kind: the codes seen are 3007, 504 and 500.
VENDOR_FAULTS: dict[str, FaultSpec] = {
    Faults.JOB_FAILED: FaultSpec("job", params={"code": 3007, "refund": True}),
    "html_403": FaultSpec("before", params={"plain": False}),
    "html_504": FaultSpec("before", params={"charged": False}),
    "not_yet_404": FaultSpec("before", on="poll"),
    "locked_423": FaultSpec("before", on="poll", params={"retry_after": 10}),
    "data_prefix": FaultSpec("job"),
    "base64_newlines": FaultSpec("job"),
    "usage_missing": FaultSpec("job", params={"null": False}),
    "fewer_jobs": FaultSpec("job"),
    "status_word": FaultSpec("job", params={"word": "queued"}),
}
_FAILURES = {
    3007: "(free tier is temporarily limited because of high demand)",
    504: "(upstream timed out)",
    500: "Internal server error",
}


class Refused(Exception):
    """The vendor says no, with a status, a ``detail`` and headers."""

    def __init__(
        self, status: int, detail: str | Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {detail}")
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def reply(self) -> Reply:
        return Reply.of_json({"detail": self.detail}, self.status, self.headers)


def retry_after(seconds: int | None, *, http_date: bool = False) -> dict[str, str]:
    """The Retry-After header as seconds or as an HTTP date; nothing for None."""
    if seconds is None:
        return {}
    return {"Retry-After": formatdate(time.time() + seconds, usegmt=True) if http_date else str(seconds)}


def busy(*, job: bool, wait: int | None, http_date: bool = False) -> Refused:
    """429: too many jobs at once, or too many requests."""
    text = "Too many concurrent background jobs" if job else "Too many requests"
    return Refused(429, text, retry_after(wait, http_date=http_date))


def still_generating(what: str, wait: int = 10) -> Refused:
    return Refused(423, f"{what} is still being generated", retry_after(wait))


def failure(code: int) -> dict[str, Any]:
    """The ``last_response`` of a failed job, which is read with HTTP 200."""
    text = _FAILURES.get(code, _FAILURES[500])
    if code == 3007:
        seen: dict[str, Any] = {"detail": text, "trace": None, "limit_type": None, "progress": 0.0}
    else:
        seen = {"error": text, "detail": text, "progress": 0.05, "queue_position": 0, "estimated_wait_seconds": 0}
    return {"type": "error", "code": code, "status": "initializing", **seen}


def refusal(fault: Fault, *, job: bool) -> Reply | None:
    """The answer to a request that a fault stops before the vendor takes it; None for a fault of another kind."""
    params = fault.params
    match fault.name:
        case Faults.LOSE_BEFORE:
            return Reply.hung_up(fault)
        case Faults.BAD_GATEWAY_BEFORE | Faults.POLL_502 | Faults.DOWNLOAD_502:
            return Reply.nginx_502()
        case Faults.REDIRECT:
            return Reply(params["status"], b"", {"Location": params["location"]})
        case Faults.RATE_LIMIT:
            return busy(job=job, wait=params["retry_after"], http_date=params["http_date"]).reply()
        case Faults.OVERLOADED:
            return Refused(529, "Rate limit exceeded", retry_after(params["retry_after"])).reply()
        case Faults.NO_BALANCE:
            return Refused(402, "Insufficient credits").reply()
    return spoilt(fault) or _vendors_own(fault)


def spoilt(fault: Fault) -> Reply | None:
    """The answers that a fault puts in the place of another, before or after the vendor took the request."""
    match fault.name:
        case Faults.SERVER_ERROR:
            return Refused(500, "Internal server error").reply()
        case "html_504":
            return Reply(504, HTML_504, {"Content-Type": "text/html"})
    return None


def _vendors_own(fault: Fault) -> Reply | None:
    match fault.name:
        case "html_403" if fault.params["plain"]:
            return Reply(403, b"Access denied", {"Content-Type": "text/plain"})
        case "html_403":
            return Reply(403, HTML_403, {"Content-Type": "text/html"})
        case "not_yet_404":
            return Refused(404, "Job not found").reply()
        case "locked_423":
            return still_generating("It", fault.params["retry_after"]).reply()
    return None
