"""What an error answer of PixelLab means, and above all: whether anything was charged.

FastAPI's envelope is all there is: ``{"detail": "text"}`` or ``{"detail": [{"type", "loc", "msg", "input"}, ...]}``.
Statuses are the OpenAPI documents' (github.com/go-api-libs/pixellab, 2026-08-15); for most of them no body is
documented, so 401, 402, 403, 429 and 529 count whatever their body says. A 5xx, or a page of HTML, says nothing about
what ran behind it: the money stays held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pixelrouter.backends._reading import MOST_ISSUES, clean, http_date, place, retry_after, what_came
from pixelrouter.errors import (
    AuthFailed,
    JobFailed,
    OutOfCredit,
    Overloaded,
    PixelRouterError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.types import HttpResponse, Money, Unit

REJECTED = frozenset({400, 404, 409, 413, 422})
# Codes of failed jobs that were seen, each with a bill of zero: 3007 the free tier's queue is full, 504 and 500 the
# drawing machine did not answer (recorded traffic, github.com/go-api-libs/pixellab, 2026-10).
FREE_FAILURES = frozenset({"3007", "504", "500"})
_FAILURE_HINTS = {
    "3007": "PixelLab's free tier is limited when demand is high: try again later, or from a paid account.",
    "504": "PixelLab's drawing machine took too long: try again.",
}


@dataclass(frozen=True)
class Problem:
    """What an error body says; ``code`` is pydantic's name of the first thing wrong."""

    message: str
    code: str | None = None


def problem_of(body: object) -> Problem | None:
    """The problem that ``body`` describes in one of the two shapes, or None."""
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, list):
        return _from_list(detail)
    text = clean(detail)
    return Problem(text) if text else None


def _from_list(detail: list[Any]) -> Problem | None:
    said, code = [], None
    for issue in detail[:MOST_ISSUES]:
        if isinstance(issue, dict) and (message := clean(issue.get("msg"))):
            path = place(issue.get("loc")).removeprefix("body.")
            said.append(f"{path}: {message}" if path else message)
            code = code or clean(issue.get("type"))
    return Problem(clean("; ".join(said)) or "", code) if said else None


def seconds_since(moment: str | None, response: HttpResponse) -> float | None:
    """Seconds from ``moment`` (since the epoch) to the answer, by its Date header; None if either is missing."""
    now = http_date(response.headers.get("date", ""))
    return None if moment is None or now is None else now.timestamp() - float(moment)


def unexpected(response: HttpResponse, doing: str, why: str = "") -> UnexpectedAnswer:
    """The error for an answer that does not tell what was done."""
    reason = why.rstrip(".") or what_came(response)
    return UnexpectedAnswer(
        f"PixelLab answered {response.status} to {doing}, which leaves open what became of it: {reason}.",
        status=response.status,
        hint="PixelLab lists no jobs: compare the balance before and after to see whether it was charged.",
    )


def failure(response: HttpResponse, doing: str) -> PixelRouterError:
    """The error for a non-2xx answer to ``doing``."""
    status = response.status
    try:
        body, is_json = response.json(), True
    except UnexpectedAnswer:
        body, is_json = None, False
    problem = problem_of(body)
    code = problem.code if problem else None
    if status == 401:
        hint = "Check PIXELLAB_SECRET; tokens are shown at pixellab.ai/account."
        return AuthFailed(_text(status, problem, "does not accept the key"), hint=hint, status=status, code=code)
    if status == 402:
        hint = "Top up at pixellab.ai, or route to another backend."
        return OutOfCredit(_text(status, problem, "has nothing left on the account"), hint=hint, status=status)
    if status == 403:
        hint = "The account's plan may not include this, or the network's address is blocked at PixelLab's door."
        return AuthFailed(_text(status, problem, "forbids this"), hint=hint, status=status, code=code)
    if status == 429:
        hint = "Wait until a job is done; [backends.pixellab] concurrency = 2 keeps fewer open."
        wait = retry_after(response)
        return RateLimited(_text(status, problem, "asks to slow down"), hint=hint, retry_after=wait)
    if status == 529:
        return Overloaded(
            _text(status, problem, "is overloaded and did nothing"),
            hint="Try again in a few minutes, or route to another backend.",
            status=status,
            retry_after=retry_after(response),
        )
    if status in REJECTED and is_json:
        hint_404 = "Check base_url and api_version in the config." if status == 404 else None
        return RequestRejected(_text(status, problem, "rejects the request"), hint=hint_404, status=status, code=code)
    return unexpected(response, doing, problem.message if problem else "")


def _text(status: int, problem: Problem | None, what: str) -> str:
    """One sentence for a person: what happened, and the vendor's own words."""
    return f"PixelLab {what} ({status}){f': {problem.message}' if problem else ''}".rstrip(".") + "."


def failed_job(job: str, last: object, charged: Money | None, unit: Unit) -> JobFailed:
    """The error for a job whose status is ``failed``; ``charged`` is what the answer says it cost, where it does."""
    told = last if isinstance(last, dict) else {}
    raw = told.get("code")
    code = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else clean(raw)
    said = problem_of(told) or problem_of({"detail": told.get("error")})
    if charged is None and code in FREE_FAILURES:
        charged = Money(0, unit)
    reason = said.message.rstrip(".") if said else "no reason given"
    return JobFailed(
        f"PixelLab could not draw job {job} ({code or 'no code'}): {reason}.",
        charged=charged,
        code=code,
        hint=_FAILURE_HINTS.get(code or "", "Try again, or with another prompt or model."),
    )
