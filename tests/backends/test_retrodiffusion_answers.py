"""How the Retro Diffusion backend reads what comes back: jobs, images, money, addresses."""

from __future__ import annotations

import base64
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrouter.errors import JobFailed, PixelRouterError, ResultExpired, UnexpectedAnswer
from pixelrouter.types import Cost, Delivery, HttpResponse, Inline, Money, Progress, Remote, Ticket
from tests.backends.retrodiffusion_answers import KEY, MARK, answer, backend, picture, wish

JOB = Ticket("5d2f", {"version": "v2", "request_id": "r-1"})
PNG = picture()
TEXT = base64.b64encode(PNG).decode()
RESULT = {
    "created_at": 1793613606,
    "balance_cost": 0.027,
    "credit_cost": 0,
    "base64_images": [TEXT],
    "model": "rd_plus",
    "remaining_balance": 41.18,
    "request_id": "5d2f",
}


def submitted(body, version="v2", **headers):
    return backend(version).submit(wish(), MARK).read(answer(body, **headers))


def polled(body, **headers):
    return backend().poll(JOB).read(answer(body, **headers))


def done(**changes):
    result = {name: value for name, value in {**RESULT, **changes}.items() if value is not ...}
    return polled({"status": "succeeded", "task_id": "5d2f", "created_at": "2026-11-02T10:00:00", "result": result})


# --- accepting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_an_accepted_job_becomes_a_ticket_that_survives_a_crash(version):
    body = {"status": "accepted", "task_id": "5d2f3c1e-77aa", "request_id": "r-9", "message": "Inference accepted."}
    ticket = submitted(body, version)
    assert ticket == Ticket("5d2f3c1e-77aa", {"version": version, "request_id": "r-9"})
    assert Ticket.loads(ticket.dumps()) == ticket


def test_the_request_id_may_come_in_a_header_or_not_at_all():
    body = {"status": "accepted", "task_id": "a"}
    assert submitted(body, x_rd_request_id="r-2").extra == {"version": "v2", "request_id": "r-2"}
    assert submitted(body).extra == {"version": "v2"}
    assert submitted({**body, "request_id": "../../x"}).extra == {"version": "v2"}


def test_an_answer_that_already_holds_the_images_is_a_delivery():
    delivery = submitted(RESULT, "v1")
    assert delivery.items == (Inline(PNG),)
    assert delivery.cost == Cost(Money(27_000), "reported")
    assert submitted({"balance_cost": 0.1, "base64_images": None}, "v1").items == ()


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>ok</html>", b"[1]", b"null", b'"x"', b"{}", b'{"status":"accepted"}', b'{"task_id":null}', b"\xff{"]
    + [json.dumps({"task_id": bad}).encode() for bad in ("", "..", "a/b", "a b", "a?b", "é", "x" * 300, 7)],
)
def test_a_2xx_that_is_neither_holds_the_money(body):
    with pytest.raises(UnexpectedAnswer) as caught:
        backend().submit(wish(), MARK).read(answer(body, 200))
    assert caught.value.status == 200


# --- polling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["pending", "running", "queued", "a_word_of_next_year"])
def test_whatever_is_not_final_is_progress(word):
    assert polled({"status": word, "task_id": "5d2f", "result": None}) == Progress(word)
    assert polled({"status": word}, retry_after="7").retry_after == 7.0


@pytest.mark.parametrize("created", [1793613606, "2026-11-02T10:00:00", None, "yesterday", -1, 1e99, [], ...])
def test_a_date_never_matters(created):
    delivery = done(created_at=created)
    assert delivery == Delivery((Inline(PNG),), Cost(Money(27_000), "reported"), "rd_plus", (), Money(41_180_000), JOB)


@pytest.mark.parametrize("nothing", [None, [], ..., {}, "x", 3])
def test_missing_null_and_empty_are_alike(nothing):
    assert done(base64_images=nothing).items == ()
    urls = ["https://outputs.example/a1.gif?sig=x"]
    assert done(base64_images=nothing, output_urls=urls, warnings=nothing).items == (Remote(urls[0]),)
    assert done(output_urls=nothing, output_images=nothing).items == (Inline(PNG),)


def test_succeeded_without_a_result():
    assert polled({"status": "succeeded"}) == Delivery((), None, ticket=JOB)
    assert polled({"status": "succeeded", "result": "?"}).items == ()


def test_several_images_and_extras_keep_their_order():
    images = [picture(color=(shade, 0, 0, 255)) for shade in range(3)]
    texts = [base64.b64encode(image).decode() for image in images]
    assert done(base64_images=texts).items == tuple(Inline(image) for image in images)


def test_prefix_and_line_breaks_are_no_hindrance():
    wrapped = base64.encodebytes(PNG).decode()
    assert done(base64_images=[f"data:image/png;base64,{TEXT}", wrapped]).items == (Inline(PNG), Inline(PNG))


def test_what_is_not_base64_is_kept_as_it_came():
    assert done(base64_images=["%%not base64%%"]).items == (Inline(b"%%not base64%%"),)
    assert done(base64_images=["%%QUJD"]).items == (Inline(b"%%QUJD"),)
    assert done(base64_images=["\ud800"]).items == (Inline("\ufffd".encode()),)
    assert done(base64_images=["  "]).items == (Inline(b"  "),)


def test_the_longer_list_wins_so_that_nothing_paid_is_lost():
    urls = ["https://o.example/1", "https://o.example/2"]
    assert done(output_urls=urls).items == (Remote(urls[0]), Remote(urls[1]))
    assert done(output_urls=urls[:1]).items == (Inline(PNG),)
    assert done(base64_images=[], output_images=[{"uri": urls[0]}]).items == (Remote(urls[0]),)
    assert done(base64_images=[], output_urls=[f"data:image/png;base64,{TEXT}"]).items == (Inline(PNG),)


def test_warnings_become_notes():
    delivery = done(warnings=[{"size": "adjusted"}, "plain", {"n": 3}, None])
    assert delivery.notes == ("Retro Diffusion: size: adjusted", "Retro Diffusion: plain", "Retro Diffusion: n: 3")


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": 3}, {"task_id": "5d2f"}, [], None])
def test_a_job_without_a_status_is_unexpected(body):
    with pytest.raises(UnexpectedAnswer):
        polled(body)


V2_ERROR = {"status_code": 502, "code": "inference_failed", "message": "Inference failed.", "request_id": "req-a2"}


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (V2_ERROR, "inference_failed", "Inference failed."),
        (
            {"status_code": 500, "detail": {"code": "inference_failed", "message": "Unable to run inference."}},
            "inference_failed",
            "Unable to run inference.",
        ),
        ({"status_code": 500, "detail": "It broke."}, None, "It broke."),
        ({"status_code": 400, "detail": [{"msg": "Bad image."}]}, None, "Bad image."),
        ("plain words", None, "plain words"),
        (None, None, "no reason given"),
        ({}, None, "no reason given"),
        (3, None, "no reason given"),
    ],
)
def test_a_failed_job_was_refunded(error, code, said):
    failed = polled({"status": "failed", "task_id": "5d2f", "error": error})
    again = Ticket.loads(failed.dumps())  # a second stage, that survives a crash
    asked = backend().poll(again)
    assert asked.request.url.endswith("/v2/inferences/requests/r-1")
    for activity, charged in (
        ({"charged": False, "balance_cost": 0.03}, Money(0)),
        ({"charged": True, "balance_cost": 0.03}, Money.of("0.03")),
        ({"balance_cost": 0.03}, None),  # it does not say: then it counts as charged
        ({"charged": True}, None),
    ):
        with pytest.raises(JobFailed, match="5d2f") as caught:
            asked.read(answer({"request_id": "r-1", "status": "failed", **activity}))
        assert caught.value.charged == charged
        assert caught.value.code == code
        assert said in str(caught.value)


def test_a_failed_job_that_activity_cannot_be_asked_for_was_refunded_as_documented():
    call = backend().poll(Ticket("5d2f", {"version": "v2"}))
    with pytest.raises(JobFailed, match="refunded") as caught:
        call.read(answer({"status": "failed", "task_id": "5d2f", "error": V2_ERROR}))
    assert caught.value.charged == Money(0)


def test_an_unknown_job_is_no_refusal():
    with pytest.raises(UnexpectedAnswer, match=r"does not know job 5d2f.*Is the key of the same account") as caught:
        backend().poll(JOB).read(answer({"error": {"code": "not_found", "message": "Resource not found."}}, 404))
    assert caught.value.status == 404
    with pytest.raises(UnexpectedAnswer):
        backend().poll(JOB).read(answer(b"<html>", 404))


# --- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity", "-0.01", "null", "true", '"0.03"', "[]", "{}", "1e7"])
def test_a_charge_that_is_no_amount_is_unknown_not_zero(raw):
    body = b'{"status":"succeeded","result":{"base64_images":["%s"],"balance_cost":%s,"remaining_balance":%s}}'
    delivery = backend().poll(JOB).read(answer(body % (TEXT.encode(), raw.encode(), raw.encode())))
    assert (delivery.cost, delivery.balance) == (None, None)
    assert delivery.items == (Inline(PNG),)


@pytest.mark.parametrize("raw", ["1e999999999", "1e-999999999", "9" * 5000, "1" + "0" * 4000 + ".5"])
def test_a_monstrous_number_is_no_crash(raw):
    call = backend().poll(JOB)
    try:
        delivery = call.read(answer(b'{"status":"succeeded","result":{"balance_cost":%s}}' % raw.encode()))
    except UnexpectedAnswer:
        return
    assert delivery.cost is None or delivery.cost.money == Money(0)


def test_zero_is_an_amount():
    assert done(balance_cost=0).cost == Cost(Money(0), "reported")
    assert done(balance_cost=...).cost is None


def test_a_quote_is_binding_and_tells_the_balance():
    call = backend().quote(wish(96, n=3, model="rd_pro__default"))
    body = {"balance_cost": 0.54, "base64_images": [], "model": "check_cost", "remaining_balance": 41.207}
    quote = call.read(answer(body))
    assert quote.cost == Cost(Money(540_000), "quoted")
    assert (quote.backend, quote.model, quote.binding) == ("retrodiffusion", "rd_pro__default", True)
    assert quote.notes == ("Balance at Retro Diffusion: $41.207.",)
    for wrong in ({}, {"balance_cost": None}, {"balance_cost": -1}, {"balance_cost": "1"}, []):
        with pytest.raises(UnexpectedAnswer):
            call.read(answer(wrong))


def test_balance():
    call = backend().balance()
    assert call.read(answer({"credits": 0, "balance": 100.75})) == Money(100_750_000)
    assert call.read(answer({"balance": 0})) == Money(0)
    assert call.read(answer({"credits": 12})) == Money.of(12, "generations")
    for wrong in ({}, {"balance": "many"}, {"balance": -1, "credits": None}):
        with pytest.raises(UnexpectedAnswer, match="neither balance nor credits"):
            call.read(answer(wrong))


# --- downloads --------------------------------------------------------------------------------------------------------

TWO = Delivery(
    (Inline(b"x"), Remote("https://o.example/1?sig=secret"), Remote("https://o.example/2")),
    Cost(Money(140_000), "reported"),
    ticket=JOB,
)


def test_a_download_is_plain_and_without_the_key():
    calls = backend().fetch(TWO)
    assert [call.request.url for call in calls] == ["https://o.example/1?sig=secret", "https://o.example/2"]
    assert all((call.request.method, dict(call.request.secrets)) == ("GET", {}) for call in calls)
    assert calls[0].read(answer(b"GIF89a")) == b"GIF89a"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_address(status):
    with pytest.raises(ResultExpired, match="15 minutes") as caught:
        backend().fetch(TWO)[0].read(answer(b"<Error/>", status))
    assert caught.value.charged == Money(140_000)
    assert "5d2f" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [204, 302, 400, 401, 500, 502, 503])
def test_another_download_failure_may_be_tried_again(status):
    with pytest.raises(UnexpectedAnswer) as caught:
        backend().fetch(TWO)[1].read(answer(b"" if status == 204 else b"x", status))
    assert caught.value.status == status


OUTPUT = {"position": 0, "media_type": "image/png", "available": True, "url": "https://o.example/new?sig=y"}


def test_fresh_addresses_from_the_activity():
    late = {**OUTPUT, "position": 1, "url": "https://o.example/b"}
    gone = {**OUTPUT, "position": 2, "available": False}
    body = {"request_id": "r-1", "status": "succeeded", "balance_cost": 0.14, "outputs": [late, OUTPUT, gone]}
    delivery = backend().renew(JOB).read(answer(body))
    assert delivery.items == (Remote(OUTPUT["url"]), Remote("https://o.example/b"))
    assert delivery.cost == Cost(Money(140_000), "reported")
    assert delivery.notes == ("1 of 3 images are no longer at Retro Diffusion.",)
    assert delivery.ticket == JOB


@pytest.mark.parametrize("outputs", [None, [], [{**OUTPUT, "available": False}], [{**OUTPUT, "url": None}]])
def test_files_that_are_gone_for_good(outputs):
    with pytest.raises(ResultExpired, match="24 hours") as caught:
        backend().renew(JOB).read(answer({"status": "succeeded", "balance_cost": 0.14, "outputs": outputs}))
    assert caught.value.charged == Money(140_000)


def test_renewing_without_a_request_id_asks_the_job_again():
    call = backend().renew(Ticket("5d2f", {"version": "v2"}))
    assert call.request.url.endswith("/v2/inferences/tasks/5d2f")
    assert call.read(answer({"status": "succeeded", "result": RESULT})).items == (Inline(PNG),)
    with pytest.raises(UnexpectedAnswer, match="running again"):
        call.read(answer({"status": "running"}))
    with pytest.raises(UnexpectedAnswer):
        backend().renew(JOB).read(answer({"status": "running"}))


# --- junk -------------------------------------------------------------------------------------------------------------

# fmt: off
NAMES = st.sampled_from([
    "status", "task_id", "result", "error", "detail", "code", "message", "base64_images", "output_urls",
    "balance_cost", "remaining_balance", "warnings", "outputs", "url", "styles", "prompt_style", "min_width",
    "max_width", "credits", "balance", "output_images", "uri", "loc", "msg", "details", "issues", "request_id",
    "position",
])
# fmt: on
WORDS = st.sampled_from(
    ["succeeded", "failed", "running", "accepted", "inference_failed", "data:x,y", "QUJD", "\ud800"]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | WORDS
    | st.just("https://o.example/")
)
JUNK = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=14
)
STATUSES = st.sampled_from([200, 202, 204, 301, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 502, 503, 504])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "date", "x-request-id", "content-type"]), st.text(max_size=12)
)


def every_call():
    api = backend()
    return [
        api.submit(wish(), MARK),
        backend("v1").submit(wish(), MARK),
        api.quote(wish()),
        api.poll(JOB),
        api.renew(JOB),
        api.renew(Ticket("a")),
        api.balance(),
        api.catalogue()[0],
        api.fetch(TWO)[0],
    ]


CALLS = every_call()


@given(st.sampled_from(CALLS), JUNK, STATUSES, HEADERS)
def test_junk_raises_our_own_errors_only(call, junk, status, headers):
    response = HttpResponse(status, headers, json.dumps(junk).encode())
    try:
        value = call.read(response)
    except PixelRouterError as error:
        assert KEY not in str(error)  # noqa: PT017 - there may be no error at all
        return
    assert 200 <= status < 300
    if isinstance(value, Delivery) and value.cost is not None:
        assert math.isfinite(float(value.cost.money))
        assert value.cost.money.micros >= 0


@given(st.sampled_from(CALLS[:8]), st.binary(max_size=40), STATUSES)
def test_bytes_that_are_no_json_raise_our_own_errors_only(call, data, status):
    with pytest.raises(PixelRouterError):
        call.read(HttpResponse(status, {}, b"\x00" + data))
