"""What each error answer means, above all for money: the v2 catalogue walked code by code, and the four v1 shapes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pixelrouter.errors import (
    AuthFailed,
    ContentRefused,
    JobFailed,
    OutOfCredit,
    Overloaded,
    RateLimited,
    Refused,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.types import Money, Ticket
from tests.backends.retrodiffusion_answers import HTML, KEY, MARK, answer, backend, v2_error, wish

# The public codes that POST /inferences may meet: contracts/v2/error-codes.json and
# contracts/v1-to-v2-error-mapping.json of github.com/Retro-Diffusion/api-examples, 2026-09.
CATALOGUE = {
    RequestRejected: {
        400: "bad_request invalid_dimensions invalid_style_dimensions missing_dimensions missing_prompt missing_input "
        "missing_palette missing_reference_image invalid_source_media animated_input_not_supported invalid_palette "
        "palette_too_large invalid_image invalid_image_size idempotency_async_required invalid_idempotency_key "
        "invalid_cursor idempotency_fault_not_supported invalid_color_count",
        404: "not_found style_not_found inference_not_found user_not_found",
        405: "method_not_allowed",
        409: "conflict idempotency_conflict usage_already_refunded account_already_deactivated",
        410: "gone",
        413: "payload_too_large image_too_large",
        422: "validation_error",
    },
    AuthFailed: {
        401: "invalid_token invalid_authentication",
        403: "forbidden unauthorized verified_email_required admin_debug_only",
    },
    ContentRefused: {403: "generation_rejected"},
    OutOfCredit: {400: "insufficient_balance", 402: "not_enough_balance payment_debt_outstanding"},
    RateLimited: {429: "rate_limited"},
    Overloaded: {503: "service_unavailable durable_dispatch_unavailable"},
    JobFailed: {500: "generation_failed inference_failed", 502: "inference_failed background_removal_failed"},
    UnexpectedAnswer: {
        500: "internal_error billing_failed credits_lookup_failed",
        502: "upstream_failure",
        503: "idempotency_backend_unavailable fraud_detector_unavailable",
        504: "request_timeout",
    },
}
WALK = [
    (kind, status, code)
    for kind, statuses in CATALOGUE.items()
    for status, codes in statuses.items()
    for code in codes.split()
]


def refusal(body, status, version="v2", **headers):
    with pytest.raises(Exception) as caught:  # the class is what each test looks at
        backend(version).submit(wish(), MARK).read(answer(body, status, **headers))
    return caught.value


@pytest.mark.parametrize(("kind", "status", "code"), WALK)
def test_every_documented_code(kind, status, code):
    error = refusal(v2_error(code, "The vendor's own words."), status)
    assert type(error) is kind
    text = str(error)
    assert "The vendor's own words." in text
    assert "req-1" in text or kind is UnexpectedAnswer
    assert code in text
    assert KEY not in text
    if isinstance(error, Refused):
        assert (error.status, error.code) == (status, code)
    if isinstance(error, UnexpectedAnswer):
        assert error.status == status
    if isinstance(error, JobFailed):
        assert (error.charged, error.code) == (Money(0), code)


@pytest.mark.parametrize("code", ["inference_failed", "generation_failed", "background_removal_failed"])
@pytest.mark.parametrize("status", [503, 504, 501, 599])
def test_a_refund_is_believed_only_at_its_documented_status(code, status):
    assert type(refusal(v2_error(code), status)) is UnexpectedAnswer


@pytest.mark.parametrize("status", [500, 502, 504])
def test_busy_is_believed_only_at_503(status):
    assert type(refusal(v2_error("service_unavailable"), status)) is UnexpectedAnswer


def test_words_about_money_count_only_at_400():
    assert type(refusal({"detail": "Not enough balance."}, 404, "v1")) is RequestRejected
    assert type(refusal(v2_error("not_enough_balance"), 403)) is OutOfCredit


@pytest.mark.parametrize("call", ["poll", "balance", "quote"])
def test_a_free_call_cannot_fail_a_job(call):
    api = backend()
    made = {"poll": lambda: api.poll(Ticket("t")), "balance": api.balance, "quote": lambda: api.quote(wish())}[call]()
    with pytest.raises(UnexpectedAnswer):
        made.read(answer(v2_error("inference_failed"), 502))


def test_validation_details_name_the_field():
    issues = [{"location": ["body", "num_images"], "code": "value_error.missing", "message": "field required"}]
    error = refusal(v2_error("validation_error", "Not valid.", details={"issues": issues}), 422)
    assert "Not valid. body.num_images: field required" in str(error)
    issues = [{"location": ["header", "X-RD-Token"], "message": "field required"}]
    assert type(refusal(v2_error("validation_error", details={"issues": issues}), 422)) is AuthFailed


# --- v1 ---------------------------------------------------------------------------------------------------------------

TOKEN_MISSING = {"loc": ["header", "X-RD-Token"], "msg": "field required", "type": "value_error.missing"}
FIELD_MISSING = {"loc": ["body", "num_images"], "msg": "field required", "type": "value_error.missing"}
GONE = {"msg": "This endpoint has been deprecated.", "migration_guide": "https://example.invalid"}
V1 = [
    ({"detail": "Not Found"}, 404, RequestRejected, "Not Found"),
    ({"detail": "Method Not Allowed"}, 405, RequestRejected, "Method Not Allowed"),
    ({"detail": [TOKEN_MISSING]}, 422, AuthFailed, "header.X-RD-Token: field required"),
    ({"detail": [FIELD_MISSING]}, 422, RequestRejected, "body.num_images: field required"),
    ({"detail": [FIELD_MISSING, TOKEN_MISSING]}, 422, AuthFailed, "X-RD-Token"),
    ({"detail": "Invalid or expired API token"}, 401, AuthFailed, "Invalid or expired API token"),
    ({"detail": [{"msg": "User not found or inactive"}]}, 401, AuthFailed, "User not found or inactive"),
    ({"detail": "Invalid or expired API token"}, 403, AuthFailed, "Invalid or expired API token"),
    ({"detail": [{"msg": "Not enough balance."}]}, 400, OutOfCredit, "Not enough balance."),
    ({"detail": "Insufficient credits"}, 400, OutOfCredit, "Insufficient credits"),
    ({"detail": {"code": "insufficient_balance", "message": "No."}}, 400, OutOfCredit, "No."),
    ({"detail": [{"code": "insufficient_balance", "msg": "No."}]}, 400, OutOfCredit, "No."),
    ({"detail": [{"msg": "Image is too small."}]}, 400, RequestRejected, "Image is too small."),
    ({"detail": "The balance of colours is not enough fun"}, 400, RequestRejected, "colours"),
    ({"detail": [GONE]}, 410, RequestRejected, "deprecated"),
    ({"detail": {"code": "inference_failed", "message": "Unable to run inference."}}, 500, JobFailed, "Unable to run"),
    ({"detail": "Slow down"}, 429, RateLimited, "Slow down"),
    ({"detail": "Internal Server Error"}, 500, UnexpectedAnswer, "Internal Server Error"),
]


@pytest.mark.parametrize(("body", "status", "kind", "said"), V1)
def test_the_v1_shapes(body, status, kind, said):
    error = refusal(body, status, "v1")
    assert type(error) is kind
    assert said in str(error)


# --- outside the contract ---------------------------------------------------------------------------------------------

NO_SHAPE = [HTML, b"", b"no", b"[]", b"null", b"{}", b'{"detail":null}', b'{"detail":[]}', b'{"detail":[7]}']
NO_SHAPE += [b'{"error":"text"}', b'{"error":{}}', b'{"message":"x"}']


@pytest.mark.parametrize("body", NO_SHAPE)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 500, 502, 503, 504])
def test_a_body_of_no_documented_shape_is_unexpected(body, status):
    error = refusal(body, status)
    assert type(error) is UnexpectedAnswer
    assert error.status == status


@pytest.mark.parametrize("status", [100, 300, 301, 302, 307, 304, 406, 408, 418, 425, 451, 501, 505, 520, 599])
def test_an_undocumented_status_is_unexpected(status):
    error = refusal(v2_error("bad_request"), status)
    assert (type(error), error.status) == (UnexpectedAnswer, status)


# --- waiting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (" 2.5 ", 2.5),
        ("-3", 0.0),
        ("Wed, 21 Oct 2026 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:10 -0000", 10.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 99 Oct 99999 07:28:10 GMT", None),
    ],
)
@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "service_unavailable")])
def test_retry_after_in_both_forms(status, code, value, seconds):
    error = refusal(v2_error(code), status, retry_after=value, date="Wed, 21 Oct 2026 07:28:00 GMT")
    assert error.retry_after == seconds


def test_a_date_without_the_servers_clock_is_counted_from_ours():
    assert refusal(v2_error("rate_limited"), 429, retry_after="Wed, 21 Oct 2015 07:28:10 GMT").retry_after == 0.0
    in_a_day = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    assert 80_000 < refusal(v2_error("rate_limited"), 429, retry_after=in_a_day).retry_after <= 86_400


def test_429_is_a_refusal_whatever_its_body():
    for body in (HTML, b"", {"detail": "Too many"}):
        error = refusal(body, 429, retry_after="3")
        assert (type(error), error.retry_after) == (RateLimited, 3.0)
    assert refusal(v2_error("rate_limited"), 429).retry_after is None


# --- what people read -------------------------------------------------------------------------------------------------


def test_messages_are_short_and_carry_an_id_and_a_hint():
    error = refusal(v2_error("invalid_dimensions", "long " * 500), 400)
    assert len(str(error)) < 500
    assert str(refusal({"detail": "Nope"}, 400, "v1", x_request_id="req-h")).endswith("[request req-h]")
    assert "[request req-h]" in str(refusal(HTML, 502, x_request_id="req-h"))
    assert "RETRODIFFUSION_API_KEY" in str(refusal(v2_error("invalid_token"), 401))
    assert "Top up" in str(refusal(v2_error("not_enough_balance"), 402))
    assert "outstanding payment" in str(refusal(v2_error("payment_debt_outstanding"), 402))
    assert "another style" in str(refusal(v2_error("style_not_found"), 404))
    assert "Reword" in str(refusal(v2_error("generation_rejected"), 403))


def test_a_key_that_the_vendor_echoes_is_not_repeated():
    assert KEY not in str(refusal(v2_error("bad_request", f"The token {KEY} is odd."), 400))
