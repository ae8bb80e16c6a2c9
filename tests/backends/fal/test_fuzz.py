"""Whatever fal answers, reading it raises nothing but our own errors, and no amount that is no money."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import JobFailed, PixelRouterError
from pixelrouter.types import Delivery, HttpResponse, Progress, Quote, Ticket
from tests.backends.fal.answers import KEY, MARK, TICKET, backend, result_ticket, sheet
from tests.backends.fal.test_answers import TWO

# fmt: off
NAMES = st.sampled_from([
    "status", "request_id", "response_url", "status_url", "cancel_url", "queue_position", "error", "error_type",
    "detail", "loc", "msg", "type", "message", "images", "image", "url", "has_nsfw_concepts", "num_colors", "success",
    "pixel_scale", "prices", "endpoint_id", "unit_price", "unit", "currency", "items", "json_input", "seed", "prompt",
    "has_more", "next_cursor",
])
WORDS = st.sampled_from([
    "COMPLETED", "IN_QUEUE", "IN_PROGRESS", "NOT_FOUND", "OK", "content_policy_violation", "internal_error", "USD",
    "Request is still in progress", "User is locked", "data:x,y", "QUJD", "\ud800", "fal-ai/flux-2", "megapixels",
])
# fmt: on
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
JUNK = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=14
)
STATUSES = st.sampled_from([200, 202, 204, 301, 400, 401, 402, 403, 404, 413, 418, 422, 429, 499, 500, 502, 503, 504])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-fal-billable-units", "x-fal-error-type", "x-fal-request-id", "content-type"]),
    st.text(max_size=12) | st.sampled_from(["0", "1.5", "NaN", "1e999", "-1", "sNaN"]),
)


def every_call():
    api = backend()
    return [
        api.submit(sheet(), MARK),
        api.quote(sheet()),
        api.poll(TICKET),
        api.poll(result_ticket()),
        api.poll(result_ticket(error="internal_error")),
        api.find(MARK, sheet(model="klein-spritesheet")),
        api.cancel(TICKET),
        api.fetch(TWO)[0],
    ]


CALLS = every_call()


def check_error(error):
    assert KEY not in str(error)
    if isinstance(error, JobFailed):
        assert error.units is None or error.units >= 0
        assert error.charged is None or not error.charged


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CALLS), JUNK, STATUSES, HEADERS)
def test_junk_raises_our_own_errors_only(call, junk, status, headers):
    response = HttpResponse(status, headers, json.dumps(junk).encode())
    try:
        value = call.read(response)
    except PixelRouterError as error:
        check_error(error)  # there may be no error at all
        return
    if isinstance(value, Progress):
        assert status < 300 or status == 400
        return
    assert 200 <= status < 300
    if isinstance(value, Delivery):
        assert value.units is None or (value.units.is_finite() and value.units >= 0)
    if isinstance(value, Quote):
        assert value.money.micros >= 0
    if isinstance(value, Ticket):
        assert Ticket.loads(value.dumps()) == value
        assert all(isinstance(text, str) for text in value.extra.values())


@settings(deadline=None)
@given(st.sampled_from(CALLS[:7]), st.binary(max_size=40), STATUSES)
def test_bytes_that_are_no_json_raise_our_own_errors_only(call, data, status):
    with pytest.raises(PixelRouterError):
        call.read(HttpResponse(status, {}, b"\x00" + data))
