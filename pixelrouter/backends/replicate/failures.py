"""What an error answer of Replicate means, and above all: whether anything was charged.

Errors are problem documents (``{"title", "detail", "status"}``, the title may be missing); refusals come before a
prediction exists and cost nothing. Shapes: recorded traffic in github.com/replicate/replicate-python (2023 to 2024) and
the documents at replicate.com/docs (2026). A 5xx, or whatever is no problem document, tells nothing about the
prediction behind it: UnexpectedAnswer, and the money stays held.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pixelrouter.backends import _reading
from pixelrouter.backends._reading import clean, ended, seconds_of, what_came
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
from pixelrouter.types import HttpResponse

REJECTED_STATUSES = frozenset({400, 404, 405, 409, 410, 413, 422})
# "NSFW content detected": github.com/replicate/cog-stable-diffusion pull 24 (2022-09). "The input or output was
# flagged as sensitive (E005)": quoted by users of several models on Replicate (2026). generation_rejected: Retro
# Diffusion's own code, which its models may pass on (api-examples, 2026-09).
MODERATED = re.compile(
    r"\bnsfw\b|flagged as sensitive|\bE005\b|generation_rejected|content[ _-]polic|moderat(?:ed|ion)"
    r"|safety (?:system|filter|check)",
    re.IGNORECASE,
)
_RESETS = re.compile(r"resets? in ~?\s*(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)
_LOW_CREDIT = re.compile(r"\bcredit\b|payment method", re.IGNORECASE)
_CODE = re.compile(r"\bE\d{3,4}\b")
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")


@dataclass(frozen=True)
class Problem:
    """What a problem document says. ``title`` stands in for a code: Replicate has no other."""

    title: str | None
    detail: str
    retry_after: float | None = None


def problem_of(response: HttpResponse) -> Problem | None:
    """The problem document in the answer, or None."""
    try:
        body = response.json()
    except UnexpectedAnswer:
        return None
    if not isinstance(body, dict):
        return None
    title, detail = clean(body.get("title")), clean(body.get("detail"))
    if not title and not detail:
        return None
    return Problem(title or None, detail or title or "", seconds_of(body.get("retry_after")))


def retry_after(response: HttpResponse, problem: Problem | None = None) -> float | None:
    """Seconds to wait: by the Retry-After header (seconds or a date), the body's field, or its sentence."""
    told = _reading.retry_after(response)
    if told is not None or problem is None:
        return told
    found = _RESETS.search(problem.detail)
    return problem.retry_after if problem.retry_after is not None else seconds_of(found[1]) if found else None


def unexpected(response: HttpResponse, doing: str, why: str = "", *, hint: str | None = None) -> UnexpectedAnswer:
    """The error for an answer that does not tell what was done: undocumented, unreadable, or documented as vague."""
    reason = why.rstrip(".") or what_came(response)
    return UnexpectedAnswer(
        f"Replicate answered {response.status} to {doing}, which leaves open what became of it: {reason}.",
        status=response.status,
        hint=hint,
    )


def failure(response: HttpResponse, doing: str) -> PixelRouterError:
    """The error for a non-2xx answer to ``doing``."""
    status = response.status
    problem = problem_of(response)
    if status == 429:  # refused before anything was done, whatever the body looks like
        return _rate_limited(response, problem)
    if problem is None:
        return unexpected(response, doing)
    code = problem.title
    if status == 402:
        hint = "Add credit at replicate.com/account/billing, or route to another backend."
        return OutOfCredit(_text(problem, status, "has no credit left"), status=status, code=code, hint=hint)
    if status in (400, 403, 422) and MODERATED.search(problem.detail):
        hint = "Reword the prompt, or change the image."
        return ContentRefused(_text(problem, status, "will not draw this"), status=status, code=code, hint=hint)
    if status in (401, 403):
        hint = "Check REPLICATE_API_TOKEN; tokens are made at replicate.com/account/api-tokens."
        return AuthFailed(_text(problem, status, "does not accept the token"), status=status, code=code, hint=hint)
    if status in REJECTED_STATUSES:
        fix = "Check base_url in the config." if status in (404, 405) else None
        return RequestRejected(_text(problem, status, "rejects the request"), status=status, code=code, hint=fix)
    return unexpected(response, doing, problem.detail)


def _rate_limited(response: HttpResponse, problem: Problem | None) -> RateLimited:
    """The vendor's sentence may name the account's credit, which is nobody else's business: it is not repeated."""
    low = problem is not None and _LOW_CREDIT.search(problem.detail) is not None
    hint = None
    if low:
        hint = (
            "Replicate slows accounts with little credit, or without a payment method, down to 6 predictions a minute."
        )
    said = f": {problem.detail}" if problem and not low else ""
    return RateLimited(
        ended(f"Replicate asks to slow down (429){said}"),
        code=problem.title if problem else None,
        retry_after=retry_after(response, problem),
        hint=hint,
    )


def _text(problem: Problem, status: int, what: str) -> str:
    title = f" {problem.title}" if problem.title and problem.title != problem.detail else ""
    return ended(f"Replicate {what} ({status}{title}): {problem.detail}")


def job_failed(job: str, error: object) -> JobFailed:
    """The error for a prediction whose status is ``failed``.

    Replicate documents that an aborted prediction of a public model is free and a canceled one is charged
    (replicate.com/changelog, 2025-10-16); of failed ones it says nothing for public models. So ``charged`` is None.
    """
    said = clean(error) or "no reason given"
    known = _CODE.search(said) or _WORD.fullmatch(said)
    code = known[0] if known else None
    if MODERATED.search(said):
        return ContentBlocked(
            ended(f"Replicate's or the model's content policy stopped job {job}: {said}"),
            code=code,
            hint="Reword the prompt, or change the image. Whether it was charged, Replicate does not say.",
        )
    return JobFailed(
        ended(f"The model on Replicate could not draw job {job}: {said}"),
        code=code,
        hint="Whether a failed prediction is charged, Replicate does not say: see replicate.com/account/billing.",
    )
