"""Every error answer: which error it becomes, and that only documented refusals release money."""

from __future__ import annotations

import pytest

from pixelrouter.errors import (
    AuthFailed,
    ContentRefused,
    OutOfCredit,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.routing.verdict import Verdict, of_answer
from tests.backends.replicate.answers import HTML, MARK, answer, backend, problem, wish

UNAUTHENTICATED = problem(401, "You did not pass a valid authentication token", "Unauthenticated")
NO_CREDIT = problem(402, "You have insufficient credit to run this model. Go to billing.", "Insufficient credit")
INVALID = problem(
    422,
    "- input.width: Must be less than or equal to 384\n",
    "Input validation failed",
    invalid_fields=[{"type": "number_lte", "field": "input.width", "description": "Must be less than or equal to 384"}],
)
THROTTLED = problem(429, "Request was throttled. Your rate limit resets in ~30s.")


def refused(body, status, **headers):
    call = backend().submit(wish(), MARK)
    with pytest.raises(Exception) as caught:
        call.read(answer(body, status, **headers))
    return caught.value


@pytest.mark.parametrize(
    ("body", "status", "error", "code"),
    [
        (UNAUTHENTICATED, 401, AuthFailed, "Unauthenticated"),
        (problem(403, "You do not have permission."), 403, AuthFailed, None),
        (NO_CREDIT, 402, OutOfCredit, "Insufficient credit"),
        (INVALID, 422, RequestRejected, "Input validation failed"),
        (problem(400, "Bad."), 400, RequestRejected, None),
        (problem(404, "The requested resource could not be found."), 404, RequestRejected, None),
        (problem(405, "Method not allowed."), 405, RequestRejected, None),
        (problem(409, "Conflict."), 409, RequestRejected, None),
        (problem(413, "Too large."), 413, RequestRejected, None),
        ({"title": "Only a title"}, 422, RequestRejected, "Only a title"),
        (problem(422, "Your prompt was flagged as sensitive (E005)"), 422, ContentRefused, None),
        (THROTTLED, 429, RateLimited, None),
        (HTML, 429, RateLimited, None),
    ],
)
def test_refusals(body, status, error, code):
    found = refused(body, status)
    assert type(found) is error
    assert (found.status, found.code, found.money) == (status, code, "no")
    assert of_answer(status, found) is Verdict.REFUSED
    assert found.message.endswith((".", "…"))  # a hint may follow


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"detail": "Internal server error"}, 500),
        (problem(503, "Service unavailable."), 503),
        (HTML, 502),
        (HTML, 504),
        (b"", 500),
        ({"detail": "Timeout"}, 408),
        ([], 500),
        ({"detail": 5}, 500),
        (b"", 302),
    ],
)
def test_what_leaves_open_whether_it_was_charged(body, status):
    found = refused(body, status)
    assert type(found) is UnexpectedAnswer
    assert found.money == "held"
    assert of_answer(status, found) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (THROTTLED, {"Retry_After": "10"}, 10.0),
        (THROTTLED, {"Retry_After": "0.5"}, 0.5),
        (THROTTLED, {}, 30.0),
        (problem(429, "Request was throttled.", retry_after=12), {}, 12.0),
        (problem(429, "Slow.", retry_after="7.5"), {}, 7.5),
        (problem(429, "Slow.", retry_after=True), {}, None),
        (problem(429, "Slow."), {}, None),
        (THROTTLED, {"Retry_After": "soon"}, 30.0),
        (THROTTLED, {"Retry_After": "999999"}, 999999.0),
        (problem(429, "Slow."), {"Retry_After": "-5"}, 0.0),
        (
            problem(429, "Slow."),
            {"Retry_After": "Sat, 21 Nov 2026 10:00:20 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"},
            20.0,
        ),
        (HTML, {}, None),
    ],
)
def test_how_long_to_wait(body, headers, seconds):
    lower = {name.lower(): value for name, value in headers.items()}
    assert refused(body, 429, **lower).retry_after == seconds


def test_an_accounts_credit_is_not_told_on():
    detail = (
        "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute with a "
        "burst of 1 requests while you have less than $5.0 in credit. Your rate limit resets in ~9s."
    )
    found = refused(problem(429, detail), 429)
    assert "5.0" not in str(found)
    assert "little credit" in found.hint
    assert found.retry_after == 9.0


def test_long_and_odd_texts_are_tamed():
    found = refused(problem(422, "x\n\x00" * 4000, "t" * 4000), 422)
    assert len(str(found)) < 1000
    assert "\n" not in str(found)


def test_a_refused_key_says_which_variable_to_look_at():
    assert "REPLICATE_API_TOKEN" in refused(UNAUTHENTICATED, 401).hint
