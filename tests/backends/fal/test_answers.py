"""How the fal backend reads good answers: tickets, progress, results with their bill, prices, listings, cancelling."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pixelrouter.backends.fal.addresses import app_of
from pixelrouter.errors import (
    ContentBlocked,
    ResultExpired,
    UnexpectedAnswer,
)
from pixelrouter.types import Delivery, HttpResponse, Inline, Money, Progress, Remote, Ticket
from tests.backends.fal.answers import (
    BASE,
    HTML,
    MARK,
    RID,
    SPRITESHEET,
    TICKET,
    URLS,
    answer,
    backend,
    result,
    result_ticket,
    sheet,
    status,
    submitted,
)


def accepted(body, code=200, **settings):
    return backend(**settings).submit(sheet(), MARK).read(answer(body, code))


def polled(body, code=200, ticket=TICKET, **headers):
    return backend().poll(ticket).read(answer(body, code, **headers))


def collected(body, code=200, ticket=None, **headers):
    return polled(body, code, ticket or result_ticket(), **headers)


# --- the ticket and where it leads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [200, 201, 202])
def test_an_accepted_request_keeps_its_addresses(code):
    assert accepted(submitted(), code) == TICKET


def test_a_ticket_survives_the_ledger():
    assert Ticket.loads(TICKET.dumps()) == TICKET


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example/fal-ai/flux-2/requests/{}",
        "https://queue.fa1.run/fal-ai/flux-2/requests/{}",  # as long as the real one
        "http://queue.fal.run/fal-ai/flux-2/requests/{}",
        "https://queue.fal.run.evil.example/requests/{}",
        "https://queue.fal.run@evil.example/requests/{}",
        "https://queue.fal.run:8443/requests/{}",
        "https://queue.fal.run/requests/{}?next=https://evil.example",
        "https://queue.fal.run/requests/{}#x",
        "https://queue.fal.run/../requests/{}",
        "https://queue.fal.run/fal-ai/flux-2/requests/another",
        "https://queue.fal.run//evil.example/{}",
        "https://queue.fal.run\\@evil.example/{}",
        "",
        None,
        7,
    ],
)
def test_a_foreign_address_never_gets_the_key(foreign):
    url = foreign.format(RID) if isinstance(foreign, str) else foreign
    api = backend()
    ticket = accepted(submitted(response_url=url, status_url=url, cancel_url=url))
    assert not set(URLS) & set(ticket.extra)
    for lie in (ticket, Ticket(RID, {**TICKET.extra, **dict.fromkeys(URLS, str(url))})):
        assert api.poll(lie).request.url == f"{BASE}/status?logs=0"
        assert api.cancel(lie).request.url == f"{BASE}/cancel"
        assert api.poll(Ticket(RID, {**lie.extra, "stage": "result"})).request.url == BASE


def test_the_vendors_own_addresses_are_followed():
    full = f"https://queue.fal.run/{SPRITESHEET}/requests/{RID}"
    ticket = accepted(submitted(response_url=f"{full}/response", status_url=f"{full}/status"))
    api = backend()
    assert api.poll(ticket).request.url == f"{full}/status?logs=0"
    assert api.poll(Ticket(RID, {**ticket.extra, "stage": "result"})).request.url == f"{full}/response"
    assert api.cancel(ticket).request.url == f"{BASE}/cancel"


def test_an_answer_without_addresses_is_followed_by_the_rule():
    assert backend().poll(accepted({"request_id": RID})).request.url == f"{BASE}/status?logs=0"


def test_behind_another_origin_the_vendors_addresses_are_rebuilt():
    api = backend(base_url="http://127.0.0.1:9")
    ticket = api.submit(sheet(), MARK).read(answer(submitted()))
    assert api.poll(ticket).request.url == f"http://127.0.0.1:9/fal-ai/flux-2/requests/{RID}/status?logs=0"


@pytest.mark.parametrize(
    ("endpoint", "app"),
    [
        (SPRITESHEET, "fal-ai/flux-2"),
        ("fal-ai/image2pixel", "fal-ai/image2pixel"),
        ("workflows/me/flow/x", "workflows/me/flow"),
        ("comfy/me/flow", "comfy/me/flow"),
    ],
)
def test_the_path_rule(endpoint, app):
    assert app_of(endpoint) == app


@pytest.mark.parametrize("bad", [None, "", 7, "../x", "a/b", "a?b", "x" * 129, "-a", " a"])
def test_a_request_id_that_cannot_be_asked_for(bad):
    with pytest.raises(UnexpectedAnswer, match="no request id"):
        accepted(submitted(request_id=bad))


# --- progress ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (status("IN_QUEUE", queue_position=3), 202, "IN_QUEUE (3 before it)"),
        (status("IN_QUEUE", queue_position=0), 202, "IN_QUEUE"),
        (status("IN_QUEUE", queue_position="3"), 202, "IN_QUEUE"),
        (status("IN_PROGRESS", logs=[{"message": "Loading"}]), 202, "IN_PROGRESS"),
        (status("IN_PROGRESS"), 200, "IN_PROGRESS"),
        ({"status": "RESTING"}, 200, "RESTING"),
    ],
)
def test_progress(body, code, said):
    assert polled(body, code) == Progress(said)


def test_a_status_may_go_backwards():
    states = [polled(status(state)).status for state in ("IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS")]
    assert states == ["IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS"]


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": 7}, {"status": " "}])
def test_a_status_without_a_status_is_unexpected(body):
    with pytest.raises(UnexpectedAnswer, match="without a status"):
        polled(body)


@pytest.mark.parametrize("code", [200, 202])
def test_completed_leads_to_the_result(code):
    ticket = polled(status("COMPLETED"), code)
    assert ticket == result_ticket()
    request = backend().poll(ticket).request
    assert (request.method, request.url) == ("GET", BASE)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"error": "Runner disconnected", "error_type": "runner_disconnected"}, "runner_disconnected"),
        ({"error": "Invalid status code: 422"}, "Invalid status code: 422"),
        ({"error": {"x": 1}}, "an error"),
    ],
)
def test_completed_with_an_error_is_asked_for_its_verdict(more, told):
    assert polled(status("COMPLETED", **more)).extra["error"] == told


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_result_with_its_bill():
    delivery = collected(result(2), x_fal_billable_units="2")
    assert delivery.items == tuple(Remote(f"https://v3b.fal.media/files/b/0a7e11c2/sheet_{n}.png") for n in range(2))
    assert (delivery.units, delivery.cost, delivery.ticket) == (Decimal(2), None, result_ticket())


@pytest.mark.parametrize(
    ("header", "units"),
    [
        ("0", 0),
        ("1.25", Decimal("1.25")),
        (" 2 ", 2),
        ("", None),
        ("two", None),
        ("nan", None),
        ("-1", None),
        ("1e99", None),
    ],
)
def test_units_are_exact_or_unknown(header, units):
    assert collected(result(), x_fal_billable_units=header).units == units


def test_a_result_without_a_bill_has_none():
    assert collected(result()).units is None


def test_missing_and_odd_fields_are_no_error():
    assert collected({"images": [{"url": "https://v3.fal.media/a.png"}]}).items == (
        Remote("https://v3.fal.media/a.png"),
    )
    assert collected({"images": [{"url": None}, 7, {"url": "https://v3.fal.media/a.png"}]}).items == (
        Remote("https://v3.fal.media/a.png"),
    )
    assert collected({"images": []}).items == ()


def test_one_image():
    assert collected({"image": {"url": "https://v3.fal.media/cut.png"}}).items == (
        Remote("https://v3.fal.media/cut.png"),
    )


def test_image2pixel_delivers_two_files_and_says_what_it_found():
    delivery = collected({**result(2), "num_colors": 15, "pixel_scale": 8, "palette": ["#ffffff"]})
    assert len(delivery.items) == 2
    assert delivery.notes == ("image2pixel found pixels of 8x8 and kept 15 colours.",)


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("data:image/png;base64,QUJD", b"ABC"),
        ("data:image/png;base64,?", b"data:image/png;base64,?"),
        ("data:,a%20b", b"a b"),
    ],
)
def test_a_file_inside_the_answer_is_kept(url, data):
    assert collected({"images": [{"url": url}]}).items == (Inline(data),)


def test_a_black_image_is_a_refusal_and_may_have_cost():
    with pytest.raises(ContentBlocked) as caught:
        collected(result(has_nsfw_concepts=[True]), x_fal_billable_units="2")
    assert (caught.value.units, caught.value.charged) == (Decimal(2), None)
    with pytest.raises(ContentBlocked) as caught:
        collected(result(has_nsfw_concepts=[True]), x_fal_billable_units="0")
    assert caught.value.charged == Money(0)
    with pytest.raises(ContentBlocked) as caught:
        collected(result(has_nsfw_concepts=[True]))
    assert (caught.value.units, caught.value.charged) == (None, None)


def test_the_images_that_are_not_black_are_kept():
    delivery = collected(result(3, has_nsfw_concepts=[False, True, False]), x_fal_billable_units="3")
    assert [item.url[-5] for item in delivery.items] == ["0", "2"]
    assert delivery.units == 3
    assert "blacked out 1 of the images" in delivery.notes[0]


@pytest.mark.parametrize("body", [{}, {"images": None}, {"images": "x"}, {"detail": "x"}, {"video": {"url": "x"}}])
def test_a_result_that_lists_no_files_is_unexpected(body):
    with pytest.raises(UnexpectedAnswer, match="without images"):
        collected(body)


def test_a_result_asked_for_too_early():
    assert collected({"detail": "Request is still in progress"}, 400) == Progress("IN_PROGRESS")
    assert collected(status("IN_QUEUE"), 202) == Progress("IN_QUEUE")
    assert collected(status("IN_PROGRESS"), 200) == Progress("IN_PROGRESS")


# --- downloads --------------------------------------------------------------------------------------------------------

TWO = Delivery(
    (Remote("https://v3.fal.media/a.png"), Inline(b"x"), Remote("https://v3b.fal.media/b.png")), ticket=TICKET
)


def test_downloads_carry_no_key():
    calls = backend().fetch(TWO)
    assert [call.request.url for call in calls] == ["https://v3.fal.media/a.png", "https://v3b.fal.media/b.png"]
    assert all(not call.request.secrets and not call.request.headers for call in calls)
    assert calls[0].read(HttpResponse(200, {}, b"bytes")) == b"bytes"


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_file_that_is_gone(code):
    with pytest.raises(ResultExpired, match=RID):
        backend().fetch(TWO)[0].read(answer({"detail": "Not Found"}, code))


@pytest.mark.parametrize("reply", [answer(HTML, 502), answer(b"", 200), answer(HTML, 500)])
def test_a_download_that_fails(reply):
    with pytest.raises(UnexpectedAnswer):
        backend().fetch(TWO)[0].read(reply)
