"""How predictions are read: six statuses, outputs in every form, files that are gone; and what is charged for what."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import (
    ContentBlocked,
    JobFailed,
    PixelRouterError,
    ResultExpired,
    UnexpectedAnswer,
)
from pixelrouter.types import Delivery, HttpResponse, Inline, Money, Progress, Remote, Ticket
from tests.backends.replicate.answers import (
    HTML,
    JOB,
    LINK,
    MARK,
    TICKET,
    answer,
    backend,
    picture,
    prediction,
    problem,
    wish,
)

PNG = picture()
DATA = "data:image/png;base64," + base64.b64encode(PNG).decode()


def submitted(body, status=201):
    return backend().submit(wish(model="rd-fast/low_res"), MARK).read(answer(body, status))


def polled(body, ticket=TICKET, **headers):
    return backend().poll(ticket).read(answer(body, **headers))


# --- the paid answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("state", ["starting", "processing", "succeeded", "failed", "canceled", "aborted", "new"])
def test_every_accepted_prediction_is_a_ticket(state, status):
    assert submitted(prediction(state), status) == Ticket(JOB, {"model": "rd-fast/low_res"})


def test_a_first_answer_is_never_the_result():
    """Sync mode of 2024: "processing" with output, which may be a part of it."""
    assert submitted(prediction("processing", output=[DATA])) == TICKET


@pytest.mark.parametrize("bad", [None, 7, "", "a/b", "../x", "a b", "x" * 101])
def test_an_answer_without_a_usable_id_keeps_the_money_held(bad):
    with pytest.raises(UnexpectedAnswer, match="no usable prediction id"):
        submitted(prediction("starting", id=bad))


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b'"x"', b"\xff\xfe"])
def test_an_answer_that_is_no_prediction_keeps_the_money_held(body):
    with pytest.raises(UnexpectedAnswer):
        submitted(body)


def test_sheets_are_remembered():
    call = backend().submit(wish(48, task="animation"), MARK)
    ticket = call.read(answer(prediction("starting"), 201))
    assert ticket.extra == {"model": "rd-animation/four_angle_walking", "sheet": "yes"}
    assert Ticket.loads(ticket.dumps()) == ticket
    [note] = polled(prediction(), ticket).notes
    assert "their order varies" in note
    film = backend().submit(wish(48, task="animation", options={"return_spritesheet": False}), MARK)
    assert "sheet" not in film.read(answer(prediction("starting"), 201)).extra


# --- polling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["starting", "processing", "queued", "a status of next year"])
def test_whatever_is_not_an_end_is_waited_for(state):
    assert polled(prediction(state)) == Progress(state)
    assert polled(prediction(state, output=[LINK])) == Progress(state)  # a part of it, perhaps
    assert polled(prediction(state), retry_after="3") == Progress(state, retry_after=3.0)


def test_succeeded():
    two = [LINK, LINK.replace("_0", "_1")]
    delivery = polled(prediction(output=two))
    assert delivery.items == (Remote(two[0]), Remote(two[1]))
    assert delivery.cost is None  # Replicate names none
    assert (delivery.model, delivery.ticket, delivery.notes) == ("rd-fast/low_res", TICKET, ())


def test_output_forms():
    assert polled(prediction(output=[DATA])).items == (Inline(PNG),)
    assert polled(prediction(output=LINK)).items == (Remote(LINK),)  # one address, not a list
    assert polled(prediction(output=[LINK, DATA])).items == (Remote(LINK), Inline(PNG))
    assert polled(prediction(output=["http://127.0.0.1:9/output_0.png"])).items[0].url.startswith("http://127")
    assert polled(prediction(output=["data:text/plain,a%20b"])).items == (Inline(b"a b"),)
    assert polled(prediction(output=["data:image/png;base64,%%%"])).items == (Inline(b"data:image/png;base64,%%%"),)


@pytest.mark.parametrize("output", [None, [], ""])
def test_no_output_is_an_empty_delivery_for_the_router_to_complain_about(output):
    assert polled(prediction(output=output)).items == ()


@pytest.mark.parametrize("nested", [[[LINK]], {"image": LINK}, [{"url": LINK}], {"images": [[LINK], []]}])
def test_addresses_inside_other_shapes_are_found(nested):
    assert polled(prediction(output=nested)).items == (Remote(LINK),)


@pytest.mark.parametrize("odd", [[7], {"url": 7}, ["ftp://x/y"], [None], True])
def test_outputs_that_are_no_addresses(odd):
    with pytest.raises(UnexpectedAnswer, match="no addresses"):
        polled(prediction(output=odd))


def test_what_can_be_had_is_taken():
    delivery = polled(prediction(output=[LINK, {"odd": 1}]))
    assert delivery.items == (Remote(LINK),)
    assert "1 of the outputs" in delivery.notes[0]


def test_data_removed():
    with pytest.raises(ResultExpired, match="keeps them for an hour") as caught:
        polled(prediction(output=None, input={}, data_removed=True))
    assert caught.value.money == "yes"
    assert polled(prediction(output=[LINK], data_removed=True)).items == (Remote(LINK),)


def test_failed_says_nothing_of_money():
    with pytest.raises(JobFailed, match="inference_failed") as caught:
        polled(prediction("failed", error="inference_failed"))
    assert (caught.value.charged, caught.value.code) == (None, "inference_failed")
    assert not isinstance(caught.value, ContentBlocked)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("Prediction failed: out of memory (E1001)", "E1001"),
        ("Something went wrong", None),
        (None, None),
        ({"a": 1}, None),
        ("x" * 5000, None),
    ],
)
def test_failed_with_any_reason(error, code):
    with pytest.raises(JobFailed) as caught:
        polled(prediction("failed", error=error))
    assert caught.value.code == code
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "error",
    [
        "NSFW content detected. Try running it again, or try a different prompt.",
        "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
        "generation_rejected",
        "Your prompt was blocked by our content policy",
        "Content moderation failed",
    ],
)
def test_content_policy(error):
    with pytest.raises(ContentBlocked) as caught:
        polled(prediction("failed", error=error))
    assert caught.value.charged is None


def test_aborted_is_free_and_canceled_is_not():
    with pytest.raises(JobFailed, match="before it started") as caught:
        polled(prediction("aborted"))
    assert (caught.value.charged, caught.value.code) == (Money(0), "aborted")
    with pytest.raises(JobFailed, match="was stopped") as caught:
        polled(prediction("canceled"))
    assert (caught.value.charged, caught.value.code) == (None, "canceled")


@pytest.mark.parametrize("state", ["failed", "canceled"])
def test_images_of_a_job_that_ended_badly_are_not_thrown_away(state):
    delivery = polled(prediction(state, output=[LINK], error="x"))
    assert delivery.items == (Remote(LINK),)
    assert "delivered all the same" in delivery.notes[0]


@pytest.mark.parametrize("state", [None, 3, {}])
def test_without_a_status(state):
    with pytest.raises(UnexpectedAnswer, match="without a status"):
        polled(prediction(status=state))


def test_a_job_that_replicate_does_not_know_is_not_refused():
    with pytest.raises(UnexpectedAnswer, match="does not know job") as caught:
        backend().poll(TICKET).read(answer(problem(404, "Not found."), 404))
    assert caught.value.status == 404


# --- files ------------------------------------------------------------------------------------------------------------


def test_downloads_go_without_the_token():
    delivery = Delivery((Remote(LINK), Inline(PNG), Remote(LINK + "?2")), ticket=TICKET)
    calls = backend().fetch(delivery)
    assert [call.request.url for call in calls] == [LINK, LINK + "?2"]
    assert all(call.request.secrets == {} and call.request.headers == {} for call in calls)
    assert calls[0].read(HttpResponse(200, {}, PNG)) == PNG


@pytest.mark.parametrize("status", [404, 410])
def test_files_that_are_gone(status):
    [call] = backend().fetch(Delivery((Remote(LINK),), ticket=TICKET))
    with pytest.raises(ResultExpired, match=JOB):
        call.read(HttpResponse(status))


@pytest.mark.parametrize("response", [HttpResponse(401), HttpResponse(403), HttpResponse(500), HttpResponse(200)])
def test_files_that_do_not_come_now(response):
    [call] = backend().fetch(Delivery((Remote(LINK),)))
    with pytest.raises(UnexpectedAnswer, match="download"):
        call.read(response)


@pytest.mark.parametrize("status", [401, 403])
def test_a_delivery_host_that_wants_the_token_is_told_of(status):
    [call] = backend().fetch(Delivery((Remote(LINK),), ticket=TICKET))
    with pytest.raises(UnexpectedAnswer, match="asks for the token") as caught:
        call.read(HttpResponse(status))
    assert JOB in caught.value.hint


def test_renew_asks_again_and_tells_when_all_is_lost():
    call = backend().renew(TICKET)
    assert call.read(answer(prediction())).items == (Remote(LINK),)
    with pytest.raises(ResultExpired):
        call.read(answer(prediction(output=None, data_removed=True)))
    with pytest.raises(UnexpectedAnswer, match="processing again"):
        call.read(answer(prediction("processing")))


def test_cancel():
    call = backend().cancel(TICKET)
    assert call.read(answer(prediction("canceled"))) is None
    assert call.read(answer(b"", 202)) is None
    with pytest.raises(UnexpectedAnswer):
        call.read(answer(HTML, 502))


# --- anything at all --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([LINK, DATA, JOB]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("id", "status", "output", "error", "model", "input", "data_removed", "created_at", "detail", "title", "next")
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(FIELDS, JSON)
        | {
            "status": JSON | st.sampled_from(["succeeded", "failed", "canceled", "aborted", "starting", "429"]),
            "results": JSON | st.lists(st.builds(prediction, input=JSON, created_at=JSON, id=JSON), max_size=3),
            "retry_after": JSON,
        },
    ).map(lambda value: json.dumps(value).encode()),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={"retry-after": st.text(max_size=30), "date": st.text(max_size=30), "content-type": st.text(max_size=9)},
)


@settings(max_examples=300, deadline=None)
@given(
    BODIES, st.sampled_from([200, 201, 202, 204, 301, 400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503]), HEADERS
)
def test_no_answer_makes_a_reader_stumble(content, status, headers):
    api = backend()
    response = HttpResponse(status, headers, content)
    request = wish(model="rd-fast/low_res")
    calls = [
        api.submit(request, MARK),
        api.poll(TICKET),
        api.renew(TICKET),
        api.cancel(TICKET),
        api.find(MARK, request),
        *api.fetch(Delivery((Remote(LINK),))),
    ]
    for call in calls:
        with contextlib.suppress(PixelRouterError):
            call.read(response)
