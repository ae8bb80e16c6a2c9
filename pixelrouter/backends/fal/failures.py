"""What an error answer of fal means, and above all: whether anything was charged.

fal has these shapes (fal.ai/docs: errors, request errors, Platform API; read 2026-08 and 2026-09)::

    {"detail": [{"loc", "msg", "type", ...}, ...]}    the model's error: bad input, content policy
    {"detail": "text", "error_type": "..."}           the platform's error: no runner, time over
    {"detail": "text"}                                the gateway's: key, locked account, unknown application
    {"status": "NOT_FOUND"}                           an unknown request
    {"error": {"type", "message"}}                    the Platform API's (prices, listings)

A refused submit is free. A job that was accepted and failed is not always: fal never charges for its own errors (5xx),
but may charge for a 422 on which a GPU has worked; the header ``X-Fal-Billable-Units`` says so where it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pixelrouter.backends._reading import MOST_ISSUES, clean, ended, place, retry_after, what_came
from pixelrouter.errors import (
    AuthFailed,
    ContentBlocked,
    ContentRefused,
    JobFailed,
    OutOfCredit,
    PixelRouterError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.types import HttpResponse, Money

MOST_UNITS = 1_000_000  # more is a broken header, not a bill
POLICY = "content_policy_violation"
IN_PROGRESS = "still in progress"  # of the 400 that a result asked for too early gets

_LOCKED = "user is locked"
_DASHBOARD = "See fal.ai/dashboard/billing, or route to another backend."
_ENDPOINT = "Check the endpoint in [backends.fal] (spritesheet_endpoint, edit_endpoint, text_endpoint)."
_HINTS = {
    POLICY: "Reword the prompt, or change the image.",
    "file_download_error": "fal must be able to download the LoRA: is its address public?",
    "image_too_small": "Give a larger image.",
    "image_too_large": "Give a smaller image.",
    "file_too_large": "Give a smaller image.",
    "unsupported_image_format": "Give a PNG.",
    "startup_timeout": "Nothing was drawn in time; try again, or raise start_timeout_s in [backends.fal].",
    "request_timeout": "Nothing was drawn in time; try again.",
    "client_cancelled": "The job was cancelled.",
}


@dataclass(frozen=True)
class Problem:
    """What an error body says, whatever its shape."""

    kind: Literal["model", "request", "gateway", "platform"]
    code: str | None
    message: str


def problem_of(body: object, headers: Mapping[str, str] | None = None) -> Problem | None:
    """The error that ``body`` describes in any of the documented shapes, or None."""
    if not isinstance(body, dict):
        return None
    detail, error = body.get("detail"), body.get("error")
    if isinstance(detail, list):
        return _model_problem(detail)
    if text := clean(detail):
        code = clean(body.get("error_type")) or clean((headers or {}).get("x-fal-error-type"))
        return Problem("request" if code else "gateway", code, text)
    if isinstance(error, dict) and (clean(error.get("type")) or clean(error.get("message"))):
        return Problem("platform", clean(error.get("type")), clean(error.get("message")) or "")
    return None


def _model_problem(issues: list[Any]) -> Problem | None:
    """Only ``loc``, ``msg`` and ``type`` are read: ``input`` may repeat the whole request, images included."""
    texts, codes = [], []
    for issue in issues[:MOST_ISSUES]:
        if not isinstance(issue, dict) or not clean(issue.get("msg")):
            continue
        where = place(issue.get("loc"))
        texts.append(f"{where}: {clean(issue['msg'])}" if where else str(clean(issue["msg"])))
        codes.append(clean(issue.get("type")))
    if not texts:
        return None
    code = POLICY if POLICY in codes else next(filter(None, codes), None)
    return Problem("model", code, clean("; ".join(texts)) or "")


def read_problem(response: HttpResponse) -> Problem | None:
    """The error in an answer, or None where it has none of the documented shapes."""
    try:
        return problem_of(response.json(), response.headers)
    except UnexpectedAnswer:
        return None


def is_unknown_request(response: HttpResponse) -> bool:
    """Whether fal answers that it knows no such request."""
    try:
        body = response.json()
    except UnexpectedAnswer:
        return False
    return response.status == 404 and isinstance(body, dict) and body.get("status") == "NOT_FOUND"


def billable_units(response: HttpResponse) -> Decimal | None:
    """What the answer was billed, in units of the endpoint; None where it does not say, or not in a number."""
    try:
        units = Decimal(response.headers.get("x-fal-billable-units", "").strip())
    except InvalidOperation:
        return None
    return units if units.is_finite() and 0 <= units <= MOST_UNITS else None


def unexpected(response: HttpResponse, doing: str, why: str = "", hint: str | None = None) -> UnexpectedAnswer:
    """The error for an answer that does not tell what was done: undocumented, unreadable, or passing."""
    reason = why.rstrip(".") or what_came(response)
    return UnexpectedAnswer(
        f"fal answered {response.status} to {doing}, which leaves open what became of it: {reason}{_id(response)}.",
        status=response.status,
        hint=hint,
    )


def lost(response: HttpResponse, doing: str) -> UnexpectedAnswer:
    """The error where fal does not know a request that it accepted: another account's key, or a deleted result."""
    return unexpected(
        response,
        doing,
        "it knows no such request",
        hint="Is the key of the same account as when it was bought? fal keeps results between an hour and 30 days, by"
        " different pages of its own; the request is listed in its dashboard.",
    )


def failure(response: HttpResponse, doing: str) -> PixelRouterError:
    """The error for a non-2xx answer to anything but a finished job's result."""
    status = response.status
    problem = read_problem(response)
    if status == 429:  # refused before anything was done, whatever the body looks like
        code = problem.code if problem else None
        return RateLimited(_text(response, problem, "asks to slow down"), code=code, retry_after=retry_after(response))
    if problem is None:
        return unexpected(response, doing)
    if problem.kind == "platform":
        return _platform(response, problem, doing)
    if status == 401:
        return _auth(response, problem)
    if status == 403:
        if _LOCKED in problem.message.lower():
            text = _text(response, problem, "has locked the account")
            return OutOfCredit(text, status=status, code=problem.code, hint=_DASHBOARD)
        return _auth(response, problem)
    if status == 422 and problem.code == POLICY:
        text = _text(response, problem, "will not draw this")
        return ContentRefused(text, status=status, code=problem.code, hint=_HINTS[POLICY])
    if status in (400, 404, 413, 422):
        hint = _HINTS.get(problem.code or "") or (_ENDPOINT if status == 404 else None)
        text = _text(response, problem, "rejects the request")
        return RequestRejected(text, status=status, code=problem.code, hint=hint)
    return unexpected(response, doing, f"{problem.code or 'no type'}: {problem.message}")


def _auth(response: HttpResponse, problem: Problem) -> AuthFailed:
    hint = "Check FAL_KEY: the whole of it, KEY_ID:KEY_SECRET; keys are made at fal.ai/dashboard/keys."
    text = _text(response, problem, "does not accept the key")
    return AuthFailed(text, status=response.status, code=problem.code, hint=hint)


def _platform(response: HttpResponse, problem: Problem, doing: str) -> PixelRouterError:
    """The Platform API's six types; two of them say nothing about the request."""
    if problem.code == "authorization_error" and response.status in (401, 403):
        return _auth(response, problem)
    if problem.code in ("validation_error", "not_found") and response.status in (400, 404, 422):
        text = _text(response, problem, "rejects the question")
        return RequestRejected(text, status=response.status, code=problem.code, hint=_ENDPOINT)
    return unexpected(response, doing, f"{problem.code or 'no type'}: {problem.message}")


def job_failure(response: HttpResponse, doing: str, told: str | None) -> PixelRouterError:
    """The error for a non-2xx answer to a finished job's result; ``told`` is the error that its status named.

    A model's error is the job's verdict. So is the platform's, but at 5xx only if the status told of an error too: a
    gateway that stumbles over a good result must not turn a job that was billed into one that was free.
    """
    status = response.status
    problem = read_problem(response)
    if status in (401, 403, 429):
        return failure(response, doing)
    if is_unknown_request(response):
        return lost(response, doing)
    if problem is None or problem.kind == "platform":
        return unexpected(response, doing)
    no_path = status == 404 and problem.message.startswith("Path /")  # the application's own answer, so a verdict
    said = f"{problem.code or 'no type'}: {problem.message}"
    if status == 404 and not no_path:
        return unexpected(response, doing, said)
    if problem.kind != "model":
        if (status >= 500 or status == 400) and told is None:
            return unexpected(response, doing, said, hint="The job's own status told of no error: it is asked again.")
        if status >= 500 and problem.kind == "gateway":
            return unexpected(response, doing, said)
    if status not in (400, 404, 413, 422, 499) and status < 500:
        return unexpected(response, doing, said)
    return _verdict(response, problem, doing, no_path=no_path)


def _verdict(response: HttpResponse, problem: Problem, doing: str, *, no_path: bool) -> JobFailed:
    units = billable_units(response)
    # By fal's pricing page server errors are never charged; a 4xx without the header may have been, and so may anything
    # whose header cannot be believed.
    unsaid = not response.headers.get("x-fal-billable-units", "").strip()
    free = units == 0 if units is not None else unsaid and response.status >= 500
    charged = Money(0) if free else None
    if problem.code == POLICY:
        text = f"fal's content policy held back {doing}: {problem.message}{_id(response)}"
        return ContentBlocked(ended(text), charged=charged, units=units, code=POLICY, hint=_HINTS[POLICY])
    ours = response.headers.get("x-fal-request-timeout-type") == "user"
    hint = _ENDPOINT if no_path else _HINTS.get("startup_timeout" if ours else problem.code or "")
    text = f"{doing} failed at fal ({response.status} {problem.code or 'without a type'}): {problem.message}"
    text = ended(f"{text[0].upper()}{text[1:]}{_id(response)}")
    return JobFailed(text, charged=charged, units=units, code=problem.code, hint=hint)


def _id(response: HttpResponse) -> str:
    """The vendor's id of the request, to complain with."""
    vendor_id = clean(response.headers.get("x-fal-request-id"))
    return f" [request {vendor_id}]" if vendor_id else ""


def _text(response: HttpResponse, problem: Problem | None, what: str) -> str:
    """One sentence for a person: what happened, the vendor's own words, the id to complain with."""
    code = f" {problem.code}" if problem and problem.code else ""
    said = f": {problem.message}" if problem and problem.message else ""
    return ended(f"fal {what} ({response.status}{code}){said}{_id(response)}")
