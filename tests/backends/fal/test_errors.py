"""What each error answer of fal means, above all for money."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pixelrouter.backends.fal.failures import job_failure
from pixelrouter.errors import (
    AuthFailed,
    ContentBlocked,
    ContentRefused,
    JobFailed,
    OutOfCredit,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from pixelrouter.types import HttpResponse, Money
from tests.backends.fal.answers import (
    HTML,
    KEY,
    MARK,
    RID,
    TICKET,
    answer,
    backend,
    infrastructure,
    issue,
    result_ticket,
    sheet,
)

# fal.ai/docs, errors and request errors, 2026-09.
MODEL_5XX = {"internal_server_error": 500, "generation_timeout": 504, "downstream_service_unavailable": 500}
# fmt: off
MODEL_422 = [
    "no_media_generated", "image_too_small", "image_too_large", "image_aspect_ratio_error", "image_load_error",
    "file_download_error", "face_detection_error", "file_too_large", "greater_than", "greater_than_equal", "less_than",
    "less_than_equal", "multiple_of", "sequence_too_short", "sequence_too_long", "one_of", "feature_not_supported",
    "unsupported_image_format", "missing", "list_type", "too_short", "value_error.missing", "some_type_nobody_listed",
]
# fmt: on
REQUEST_5XX = {
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_disconnected": 503,
    "runner_connection_refused": 503,
    "runner_connection_error": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "internal_error": 500,
}
NO_USER = {"detail": "No user found for Key ID and Secret"}
LOCKED = {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing"}
NO_APP = {"detail": 'Application "flux-2-klein" not found'}


def refusal(body, status, **headers):
    with pytest.raises(Exception) as caught:  # the class is what each test looks at
        backend().submit(sheet(), MARK).read(answer(body, status, **headers))
    assert KEY not in str(caught.value)
    return caught.value


def verdict(body, status, told=None, **headers):
    ticket = result_ticket(**({"error": told} if told else {}))
    with pytest.raises(Exception) as caught:
        backend().poll(ticket).read(answer(body, status, **headers))
    assert KEY not in str(caught.value)
    return caught.value


# --- the submit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (NO_USER, 401, AuthFailed),
        ({"detail": "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'."}, 401, AuthFailed),
        ({"detail": 'Cannot access application "fal-ai/flux-2"'}, 401, AuthFailed),
        ({"detail": "Forbidden"}, 403, AuthFailed),
        (LOCKED, 403, OutOfCredit),
        ({"detail": "User is locked. Reason: Admin lock. Please contact hello@fal.ai."}, 403, OutOfCredit),
        ({"detail": "User is locked. Reason: User budget is exceeded."}, 403, OutOfCredit),
        (NO_APP, 404, RequestRejected),
        ({"detail": "Path /klein/4c not found"}, 404, RequestRejected),
        (infrastructure("bad_request"), 400, RequestRejected),
        (issue("missing", ("body", "image_urls")), 422, RequestRejected),
        ({"detail": "Request body too large"}, 413, RequestRejected),
        (issue("content_policy_violation"), 422, ContentRefused),
        (issue("concurrent_requests_limit", ("body",)), 429, RateLimited),
        ({"detail": "Queue is full"}, 429, RateLimited),
        (HTML, 429, RateLimited),
        (HTML, 502, UnexpectedAnswer),
        (HTML, 503, UnexpectedAnswer),
        (infrastructure("internal_error"), 500, UnexpectedAnswer),
        (infrastructure("runner_scheduling_failure"), 503, UnexpectedAnswer),
        (infrastructure("startup_timeout"), 504, UnexpectedAnswer),
        (infrastructure("client_disconnected"), 499, UnexpectedAnswer),
        ({"detail": "Payment required"}, 402, UnexpectedAnswer),
        ({"detail": "?"}, 418, UnexpectedAnswer),
        (b"", 301, UnexpectedAnswer),
    ],
)
def test_a_submit_that_is_not_accepted(body, status, kind):
    error = refusal(body, status)
    assert type(error) is kind
    assert getattr(error, "status", status) == status
    assert error.message.endswith((".", "…"))  # a hint may follow


def test_what_a_refusal_tells():
    error = refusal(issue("image_too_large", ("body", "image_urls", 0)), 422, x_fal_request_id="req-9")
    assert "body.image_urls.0: The vendor's own words. [request req-9]" in str(error)
    assert error.code == "image_too_large"
    assert "smaller image" in error.hint
    assert "spritesheet_endpoint" in refusal(NO_APP, 404).hint
    assert "FAL_KEY" in refusal(NO_USER, 401).hint
    assert "dashboard/billing" in str(refusal(LOCKED, 403))


def test_what_the_vendor_echoes_stays_out():
    body = issue("missing")
    body["detail"][0]["input"] = {"image_urls": ["data:image/png;base64,SECRETPICTURE"]}
    assert "SECRETPICTURE" not in str(refusal(body, 422))


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-1", 0.0), ("soon", None), ("nan", None)])
def test_how_long_to_wait(value, seconds):
    assert refusal({"detail": "x"}, 429, retry_after=value).retry_after == seconds


NO_SHAPE = [HTML, b"", b"[]", b"null", b"{}", b'{"detail":null}', b'{"detail":[]}', b'{"detail":[7]}', b'{"detail":{}}']
NO_SHAPE += [b'{"message":"x"}', b'{"error":"text"}', b'{"error":{}}', b'{"detail":" "}']


@pytest.mark.parametrize("body", NO_SHAPE)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 500, 502, 503, 504])
def test_a_body_of_no_documented_shape_is_unexpected(body, status):
    for error in (refusal(body, status), verdict(body, status), verdict(body, status, "runner_disconnected")):
        assert type(error) is UnexpectedAnswer
        assert error.status == status


# --- the job's verdict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), MODEL_5XX.items())
def test_a_models_server_error_is_free(kind, status):
    error = verdict(issue(kind), status)
    assert type(error) is JobFailed
    assert (error.charged, error.units, error.code) == (Money(0), None, kind)
    assert RID in str(error)


@pytest.mark.parametrize("kind", MODEL_422)
@pytest.mark.parametrize(
    ("header", "charged", "units"), [("0", Money(0), Decimal(0)), ("1.5", None, Decimal("1.5")), (None, None, None)]
)
def test_a_models_refusal_costs_what_the_header_says(kind, header, charged, units):
    error = verdict(issue(kind), 422, **({"x_fal_billable_units": header} if header else {}))
    assert type(error) is JobFailed
    assert (error.charged, error.units, error.code) == (charged, units, kind)
    assert "The vendor's own words." in str(error)


@pytest.mark.parametrize(
    ("header", "charged", "units"), [("0", Money(0), Decimal(0)), ("2", None, Decimal(2)), (None, None, None)]
)
def test_content_policy_after_the_job_was_accepted(header, charged, units):
    error = verdict(issue("content_policy_violation"), 422, **({"x_fal_billable_units": header} if header else {}))
    assert type(error) is ContentBlocked
    assert (error.charged, error.units) == (charged, units)


def test_policy_wins_over_other_complaints():
    both = {"detail": issue("missing")["detail"] + issue("content_policy_violation")["detail"]}
    assert type(verdict(both, 422)) is ContentBlocked


@pytest.mark.parametrize(("kind", "status"), REQUEST_5XX.items())
def test_the_platforms_error_is_a_verdict_only_if_the_status_told_of_it(kind, status):
    error = verdict(infrastructure(kind), status, kind)
    assert type(error) is JobFailed
    assert (error.charged, error.code) == (Money(0), kind)
    assert type(verdict(infrastructure(kind), status)) is UnexpectedAnswer


def test_the_type_may_stand_in_a_header_only():
    error = verdict({"detail": "Gone"}, 503, "runner_disconnected", x_fal_error_type="runner_disconnected")
    assert (type(error), error.code) == (JobFailed, "runner_disconnected")


def test_a_bill_on_a_server_error_is_believed():
    error = verdict(infrastructure("internal_error"), 500, "internal_error", x_fal_billable_units="2")
    assert (error.charged, error.units) == (None, Decimal(2))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("told", [None, "runner_disconnected"])
def test_a_gateways_stumble_is_no_verdict(status, told):
    assert type(verdict({"detail": "Gateway Timeout"}, status, told)) is UnexpectedAnswer
    assert type(verdict(HTML, status, told)) is UnexpectedAnswer


def test_our_own_start_deadline():
    error = verdict(infrastructure("request_timeout"), 504, "request_timeout", x_fal_request_timeout_type="user")
    assert type(error) is JobFailed
    assert "start_timeout_s" in error.hint


def test_a_cancelled_job_may_have_cost():
    error = verdict(infrastructure("client_cancelled"), 499, "client_cancelled")
    assert (type(error), error.charged) == (JobFailed, None)


@pytest.mark.parametrize(("told", "kind"), [(None, UnexpectedAnswer), ("bad_request", JobFailed)])
def test_a_400_is_a_verdict_only_if_the_status_told_of_it(told, kind):
    assert type(verdict(infrastructure("bad_request"), 400, told)) is kind


def test_a_models_400_is_a_verdict():
    assert type(verdict(issue("downstream_service_error"), 400)) is JobFailed


def test_a_path_that_the_application_does_not_have():
    error = verdict({"detail": "Path /klein/4c not found"}, 404, x_fal_billable_units="0")
    assert (type(error), error.charged) == (JobFailed, Money(0))
    assert "spritesheet_endpoint" in error.hint


@pytest.mark.parametrize("body", [{"status": "NOT_FOUND"}, {"detail": "Not Found"}, HTML])
@pytest.mark.parametrize("ticket", [TICKET, result_ticket()])
def test_a_job_that_is_gone_keeps_its_money_held(body, ticket):
    with pytest.raises(UnexpectedAnswer) as caught:
        backend().poll(ticket).read(answer(body, 404))
    assert caught.value.status == 404


@pytest.mark.parametrize("ticket", [TICKET, result_ticket()])
@pytest.mark.parametrize(("body", "status", "kind"), [(NO_USER, 401, AuthFailed), (LOCKED, 403, OutOfCredit)])
def test_a_key_that_fails_while_a_job_runs(ticket, body, status, kind):
    with pytest.raises(kind):
        backend().poll(ticket).read(answer(body, status))


@pytest.mark.parametrize(("body", "status"), [(infrastructure("internal_error"), 500), (issue("x"), 500), (HTML, 503)])
def test_the_status_itself_cannot_fail_a_job(body, status):
    with pytest.raises(UnexpectedAnswer):
        backend().poll(TICKET).read(answer(body, status))


# --- the Platform API -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("authorization_error", 401, AuthFailed),
        ("authorization_error", 403, AuthFailed),
        ("validation_error", 400, RequestRejected),
        ("not_found", 404, RequestRejected),
        ("rate_limited", 429, RateLimited),
        ("server_error", 500, UnexpectedAnswer),
        ("not_implemented", 501, UnexpectedAnswer),
        ("something_new", 400, UnexpectedAnswer),
    ],
)
def test_the_platforms_envelope(kind, status, error):
    body = {"error": {"type": kind, "message": "The vendor's own words.", "request_id": "r"}}
    api = backend()
    for call in (api.quote(sheet()), api.find(MARK, sheet(model="klein-spritesheet"))):
        with pytest.raises(error, match="The vendor's own words"):
            call.read(answer(body, status))


@pytest.mark.parametrize("header", ["many", "-3", "1e30", "nan"])
def test_a_bill_that_cannot_be_believed_is_not_taken_for_nothing(header):
    body = b'{"detail": "Startup timeout", "error_type": "startup_timeout"}'
    headers = {"content-type": "application/json", "x-fal-billable-units": header}
    error = job_failure(HttpResponse(504, headers, body), "job 1", "startup_timeout")
    assert isinstance(error, JobFailed)
    assert error.charged is None
    free = job_failure(HttpResponse(504, {"content-type": "application/json"}, body), "job 1", "startup_timeout")
    assert isinstance(free, JobFailed)
    assert free.charged == Money(0)
