"""What an error answer of Retro Diffusion means, and above all: whether anything was charged.

Four v1 shapes and one v2 envelope are documented (github.com/Retro-Diffusion/api-examples: contracts/v1/
error-compatibility.json, contracts/v2/error-codes.json, V2_MIGRATION.md, 2026-09)::

    {"detail": "text"}                              v1
    {"detail": [{"loc", "msg", "type"}, ...]}       v1, validation
    {"detail": [{"msg": "Not enough balance."}]}    v1, other
    {"detail": {"code", "message"}}                 v1
    {"error": {"code", "message", "request_id"}}    v2

A JSON refusal in one of these shapes is free. Whatever is not documented becomes UnexpectedAnswer, and the money
stays held: a gateway's HTML page may come while the job runs on and is billed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pixelrouter.backends._reading import MOST_ISSUES, clean, place, retry_after, what_came
from pixelrouter.errors import (
    AuthFailed,
    ContentRefused,
    JobFailed,
    OutOfCredit,
    Overloaded,
    PixelRouterError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.types import HttpResponse, Money

NO_MONEY_CODES = frozenset({"not_enough_balance", "insufficient_balance", "payment_debt_outstanding"})
NO_MONEY_TEXT = re.compile(r"\b(not enough|insufficient)\b.{0,20}\b(balance|credits?)\b", re.IGNORECASE)
TOKEN_HEADER = "x-rd-token"  # noqa: S105 - the name of a header, not a credential
REJECTED_STATUSES = frozenset({400, 404, 405, 409, 410, 413, 422})
BUSY_CODES = frozenset({"service_unavailable", "durable_dispatch_unavailable"})
# Generation failures are refunded automatically (api-examples README, 2026-07).
REFUNDED_CODES = frozenset({"inference_failed", "generation_failed", "background_removal_failed"})

REJECTED_CODE = "generation_rejected"  # the content policy

_HINTS = {
    "style_not_found": "Name another style; `pixelrouter backends` lists them.",
    "tool_not_found": "The vendor has switched this tool off; `pixelrouter backends` lists others.",
    "payment_debt_outstanding": "Settle the outstanding payment at retrodiffusion.ai.",
    "verified_email_required": "Confirm the account's e-mail address at retrodiffusion.ai.",
    "idempotency_conflict": "This attempt's key was used with another request; look at `pixelrouter jobs`.",
    "payload_too_large": "Give smaller or fewer images.",
    "image_too_large": "Give smaller images.",
}


@dataclass(frozen=True)
class Problem:
    """What an error body says, whatever its shape."""

    code: str | None
    message: str
    request_id: str | None = None
    fields: tuple[str, ...] = ()  # where a validation error lies, for instance "header.X-RD-Token"


def _from_issues(issues: list[Any]) -> Problem | None:
    messages, fields, code = [], [], None
    for issue in issues[:MOST_ISSUES]:
        if not isinstance(issue, dict):
            continue
        where = place(issue.get("loc") or issue.get("location"))
        text = clean(issue.get("msg")) or clean(issue.get("message"))
        code = code or (clean(issue.get("code")) if "loc" not in issue and "location" not in issue else None)
        if text:
            messages.append(f"{where}: {text}" if where else text)
            fields.append(where)
    return Problem(code, clean("; ".join(messages)) or "", fields=tuple(fields)) if messages else None


def problem_of(body: object) -> Problem | None:
    """The error that ``body`` describes in any of the documented shapes, or None."""
    if not isinstance(body, dict):
        return None
    error, detail = body.get("error"), body.get("detail")
    if isinstance(error, dict):
        return _from_envelope(error)
    if isinstance(detail, dict):
        return _from_envelope(detail)
    if isinstance(detail, list):
        return _from_issues(detail)
    text = clean(detail)
    return Problem(None, text) if text else None


def _from_envelope(error: dict[str, Any]) -> Problem | None:
    code, message = clean(error.get("code")), clean(error.get("message"))
    details = error.get("details")
    issues = details.get("issues") if isinstance(details, dict) else None
    found = _from_issues(issues) if isinstance(issues, list) else None
    if code is None and message is None:
        return None
    text = " ".join(part for part in (message, found and found.message) if part)
    return Problem(code, clean(text) or "", clean(error.get("request_id")), found.fields if found else ())


def task_problem(error: object) -> Problem:
    """The error of a failed task: ``{code, message}`` in the contract, ``{detail}`` in llms.txt and on v1."""
    found = problem_of({"error": error}) or problem_of(error)
    return found or Problem(None, clean(error) or "no reason given")


def request_id(response: HttpResponse, problem: Problem | None = None) -> str | None:
    """The vendor's id of the request, to complain with."""
    headers = response.headers
    return (problem and problem.request_id) or clean(headers.get("x-request-id") or headers.get("x-rd-request-id"))


def unexpected(response: HttpResponse, doing: str, why: str = "") -> UnexpectedAnswer:
    """The error for an answer that does not tell what was done: undocumented, unreadable, or documented as vague."""
    reason = why.rstrip(".") or what_came(response)
    vendor_id = request_id(response)
    return UnexpectedAnswer(
        f"Retro Diffusion answered {response.status} to {doing}, which leaves open what became of it: {reason}"
        f"{f' [request {vendor_id}]' if vendor_id else ''}.",
        status=response.status,
    )


def failure(response: HttpResponse, doing: str, *, paid: bool) -> PixelRouterError:
    """The error for a non-2xx answer to ``doing``; ``paid`` says whether the call could have cost money."""
    status = response.status
    problem: Problem | None
    try:
        problem = problem_of(response.json())
    except UnexpectedAnswer:
        problem = None
    if status == 429:  # refused before anything was done, whatever the body looks like
        return RateLimited(
            _text(response, problem, "asks to slow down"),
            code=problem.code if problem else None,
            retry_after=retry_after(response),
        )
    if problem is None:
        return unexpected(response, doing)
    if status in REJECTED_STATUSES or status in (401, 402, 403):
        return _refusal(response, problem)
    if status == 503 and problem.code in BUSY_CODES:
        return Overloaded(
            _text(response, problem, "is busy and did nothing"),
            status=status,
            code=problem.code,
            retry_after=retry_after(response),
        )
    if paid and status in (500, 502) and problem.code in REFUNDED_CODES:
        return JobFailed(
            _text(response, problem, "could not draw it"),
            charged=Money(0),
            code=problem.code,
            hint="Failed generations are refunded; try again, or with another style.",
        )
    return unexpected(response, doing, f"{problem.code or 'no code'}: {problem.message}")


def _refusal(response: HttpResponse, problem: Problem) -> PixelRouterError:
    status, code = response.status, problem.code
    if status == 402 or code in NO_MONEY_CODES or (status == 400 and NO_MONEY_TEXT.search(problem.message)):
        hint = _HINTS.get(code or "") or "Top up the balance at retrodiffusion.ai, or route to another backend."
        return OutOfCredit(_text(response, problem, "has no money left"), status=status, code=code, hint=hint)
    if status == 403 and code == REJECTED_CODE:
        hint = "Reword the prompt, or change the image."
        return ContentRefused(_text(response, problem, "will not draw this"), status=status, code=code, hint=hint)
    no_token = status == 422 and any(TOKEN_HEADER in place.lower() for place in problem.fields)
    if status in (401, 403) or no_token:
        hint = (
            _HINTS.get(code or "") or "Check RETRODIFFUSION_API_KEY; keys are made at retrodiffusion.ai/app/devtools."
        )
        return AuthFailed(_text(response, problem, "does not accept the key"), status=status, code=code, hint=hint)
    fix = _HINTS.get(code or "") or ("Check base_url in the config." if status in (404, 405) else None)
    return RequestRejected(_text(response, problem, "rejects the request"), status=status, code=code, hint=fix)


def _text(response: HttpResponse, problem: Problem | None, what: str) -> str:
    """One sentence for a person: what happened, the vendor's own words, the id to complain with."""
    code = f" {problem.code}" if problem and problem.code else ""
    said = f": {problem.message}" if problem and problem.message else "."
    vendor_id = request_id(response, problem)
    return f"Retro Diffusion {what} ({response.status}{code}){said}{f' [request {vendor_id}]' if vendor_id else ''}"
