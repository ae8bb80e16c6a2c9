"""What each error answer of PixelLab means, above all for money; and no answer, however broken, escapes the tree."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import (
    AuthFailed,
    OutOfCredit,
    Overloaded,
    PixelRouterError,
    RateLimited,
    Refused,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.types import Delivery, HttpResponse, Progress, Ticket
from tests.backends.pixellab.made import BODIES, HTML, JOB, MARK, answer, backend, wish

LIST = {
    "detail": [
        {"type": "greater_than_equal", "loc": ["body", "image_size", "width"], "msg": "Too small", "input": 8},
        {"type": "extra_forbidden", "loc": ["body", "coverage_percentage"], "msg": "Extra inputs are not permitted"},
    ]
}
PLAIN = b"Access denied"


def raised(body, status, call=None, **headers):
    call = call or backend().submit(wish(), MARK)
    with pytest.raises(PixelRouterError) as caught:
        call.read(answer(body, status, **headers))
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"detail": "image_size must be between"}, RequestRejected, "image_size must be between"),
        (401, {"detail": "Invalid API token"}, AuthFailed, "PIXELLAB_SECRET"),
        (401, PLAIN, AuthFailed, "does not accept the key"),
        (402, {"detail": "Insufficient credits"}, OutOfCredit, "Insufficient credits"),
        (402, {"detail": "Insufficient generations"}, OutOfCredit, "Insufficient generations"),
        (402, HTML, OutOfCredit, "nothing left"),
        (403, {"detail": "Requires a paid plan"}, AuthFailed, "Requires a paid plan"),
        (403, {"detail": "Not authenticated"}, AuthFailed, "Not authenticated"),
        (403, PLAIN, AuthFailed, "forbids"),
        (403, HTML, AuthFailed, "forbids"),
        (404, {"detail": "Not Found"}, RequestRejected, "base_url"),
        (409, {"detail": "direction exists"}, RequestRejected, "direction exists"),
        (413, {"detail": "too large"}, RequestRejected, "too large"),
        (422, LIST, RequestRejected, "image_size.width: Too small; coverage_percentage: Extra inputs"),
        (422, {"detail": "Canvas must be size 32x32 area or larger"}, RequestRejected, "Canvas must be"),
        (422, {"detail": [7, {"loc": 3}]}, RequestRejected, "rejects the request"),
        (422, {}, RequestRejected, "rejects the request"),
        (422, [1], RequestRejected, "rejects the request"),
        (429, {"detail": "Too many concurrent background jobs"}, RateLimited, "concurrent background jobs"),
        (429, HTML, RateLimited, "slow down"),
        (529, {"detail": "Rate limit exceeded"}, Overloaded, "did nothing"),
        (529, HTML, Overloaded, "did nothing"),
    ],
)
def test_refusals_cost_nothing(status, body, kind, words):
    error = raised(body, status)
    assert type(error) is kind
    assert isinstance(error, Refused)
    assert (error.money, error.status) == ("no", status)
    assert words in str(error)


def test_the_code_of_a_validation_error():
    assert raised(LIST, 422).code == "greater_than_equal"


@pytest.mark.parametrize("status", [300, 302, 400, 404, 405, 408, 410, 418, 422, 423, 500, 502, 503, 504, 520])
def test_everything_else_holds_the_money(status):
    """HTML, and every status that is not documented for an order: nobody knows what ran behind it."""
    error = raised(HTML, status)
    assert isinstance(error, UnexpectedAnswer)
    assert (error.money, error.status) == ("held", status)
    assert "compare the balance" in str(error)


@pytest.mark.parametrize("status", [405, 408, 410, 423, 500, 502, 503, 504])
def test_json_does_not_make_them_refusals(status):
    error = raised({"detail": "cannot identify image file"}, status)
    assert isinstance(error, UnexpectedAnswer)
    assert "cannot identify image file" in str(error)


@pytest.mark.parametrize("status", [429, 529])
def test_how_long_to_wait(status):
    assert raised({}, status).retry_after is None
    assert raised({}, status, retry_after="5").retry_after == 5
    late = {"date": "Sat, 21 Nov 2026 10:00:00 GMT", "retry_after": "Sat, 21 Nov 2026 10:00:09 GMT"}
    assert raised({}, status, **late).retry_after == 9
    for odd in ("soon", "inf", "nan", ""):
        assert raised({}, status, retry_after=odd).retry_after is None
    assert raised({}, status, retry_after="-3").retry_after == 0


@pytest.mark.parametrize("path", ["job", "kept", "balance"])
def test_the_free_calls_fail_in_the_same_words(path):
    api = backend()
    calls = {
        "job": api.poll(Ticket(JOB, {"model": "tileset"})),
        "kept": api.poll(Ticket(JOB, {"model": "tileset", "at": "tilesets/t-1"})),
        "balance": api.balance(),
    }
    assert isinstance(raised({"detail": "Invalid API token"}, 401, calls[path]), AuthFailed)
    assert isinstance(raised({"detail": "Too many requests"}, 429, calls[path]), RateLimited)
    assert isinstance(raised(HTML, 504, calls[path]), UnexpectedAnswer)
    assert isinstance(raised(HTML, 200, calls[path]), UnexpectedAnswer)


# --- no answer escapes the tree ---------------------------------------------------------------------------------------

_leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_json = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner))
_WORDS = (
    "background_job_id background_job_ids status usage last_response images image tileset tiles storage_urls error "
    "storage_url rotation_urls billing_usage enhance_usage type usd generations detail code progress base64 corners "
    "tileset_id tile_id character_id credits subscription data frames south NW url"
)
_names = st.sampled_from(_WORDS.split())
_words = st.sampled_from(
    ["completed", "failed", "processing", "usd", "generations", "error", "https://x.example/a", ""]
)
_value = st.recursive(
    _leaf | _words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6),
    max_leaves=20,
)
_ODD = [b"", b"{", b"\xff\xfe", b"null", b'{"usage": {"usd": 1e999999999}}', b'{"status": "\\ud800"}', b"[" * 5000]
_bodies = st.one_of(
    st.dictionaries(_names, _value, max_size=8).map(lambda body: json.dumps(body).encode()),
    _json.map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=40),
    st.sampled_from(_ODD),
)
_API = backend()
_CALLS = [
    *(_API.submit(BODIES[name][0], MARK) for name in ("pixflux", "tileset", "character-8", "rotations-v3")),
    *(_API.poll(Ticket(JOB, {"model": name})) for name in ("pixflux", "tileset", "character-4", "rotations-v2", "new")),
    _API.poll(Ticket(JOB, {"model": "tileset", "at": "tilesets/t", "cost": "0.5", "cost_unit": "usd"})),
    _API.poll(Ticket(JOB, {"model": "map-object", "at": "map-objects/o", "ordered": "1795255200"})),
    _API.renew(Ticket(JOB, {"model": "character-4"})),
    _API.balance(),
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(_CALLS),
    _bodies,
    st.sampled_from([200, 200, 200, 202, 400, 401, 402, 403, 404, 410, 422, 423, 429, 500, 529]),
    st.dictionaries(st.sampled_from(["retry-after", "date", "content-type"]), st.text(max_size=12)),
)
def test_no_answer_breaks_the_reader(call, body, status, headers):
    try:
        value = call.read(HttpResponse(status, headers, body))
    except PixelRouterError:
        return
    if isinstance(value, Ticket):
        assert value.id
        assert Ticket.loads(value.dumps()) == value
    if isinstance(value, Delivery):
        assert not value.names or len(value.names) == len(value.items)
        assert value.cost is None or value.cost.money
    if isinstance(value, Progress):
        assert value.fraction is None or 0 <= value.fraction <= 1
