"""How the fal backend reads good answers: tickets, progress, results with their bill, prices, listings, cancelling."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pixelrouter.backends.fal.addresses import app_of
from pixelrouter.errors import (
    ContentBlocked,
    PixelRouterError,
    RequestRejected,
    ResultExpired,
    UnexpectedAnswer,
)
from pixelrouter.types import Delivery, HttpResponse, Inline, Mark, Money, Progress, Remote, Ticket
from tests.backends.fal.answers import (
    BASE,
    HTML,
    KEY,
    MARK,
    RID,
    SPRITESHEET,
    TICKET,
    URLS,
    answer,
    backend,
    issue,
    picture,
    result,
    result_ticket,
    sheet,
    status,
    submitted,
    wish,
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
    ("url", "data"), [("data:image/png;base64,QUJD", b"ABC"), ("data:image/png;base64,?", b"?"), ("data:", b"")]
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


# --- prices -----------------------------------------------------------------------------------------------------------


def price(unit_price=0.016, unit="megapixels", endpoint=SPRITESHEET, **more):
    return {
        "prices": [{"endpoint_id": endpoint, "unit_price": unit_price, "unit": unit, "currency": "USD", **more}],
        "next_cursor": None,
        "has_more": False,
    }


def quoted(request, body, **settings):
    return backend(**settings).quote(request).read(answer(body))


def test_the_question_for_a_price():
    request = backend().quote(sheet()).request
    assert (request.method, request.url) == ("GET", f"https://api.fal.ai/v1/models/pricing?endpoint_id={SPRITESHEET}")
    assert request.secrets["Authorization"].get_secret_value() == f"Key {KEY}"


@pytest.mark.parametrize(
    ("request_", "dollars"),
    [
        (sheet(), "0.032"),
        (sheet(images=()), "0.032"),  # its picture is bought first, and goes in
        (wish(task="edit", images=(picture(),) * 3, n=2), "0.08"),
        (wish(64, 32, task="edit", images=(picture(),)), "0.032"),  # half a megapixel: how it is rounded is not known
    ],
)
def test_a_price_by_the_megapixel_counts_outputs_and_inputs(request_, dollars):
    quote = quoted(request_, price())
    assert (quote.money, quote.unit_price) == (Money.of(dollars), Money.of("0.016"))
    assert (quote.cost.source, quote.binding, quote.backend) == ("quoted", False, "fal")


def test_a_picture_from_text_has_no_input():
    quote = quoted(wish(n=4), price(0.01, endpoint="fal-ai/flux-2/klein/4b/base/lora"))
    assert quote.money == Money.of("0.04")


@pytest.mark.parametrize("unit", ["images", "image", "generations", "Generation", "requests"])
def test_a_price_for_each(unit):
    assert quoted(wish(task="edit", images=(picture(),), n=3), price(0.02, unit)).money == Money.of("0.06")


def test_a_price_by_the_second_is_held_for_a_minute():
    quote = quoted(sheet(), price(0.0005, "compute seconds"))
    assert (quote.money, quote.unit_price) == (Money.of("0.03"), Money.of("0.0005"))
    assert "60 are held" in quote.notes[-1]


@pytest.mark.parametrize("unit", ["units", "", None, "1000 tokens"])
def test_a_price_by_something_else_is_held_ten_times(unit):
    quote = quoted(sheet(), price(0.01, unit))
    assert quote.money == Money.of("0.2")
    assert "20 are held to be safe" in quote.notes[-1]


def test_a_fraction_of_a_micro_dollar_is_rounded_up():
    quote = quoted(sheet(), price(0.0000001, "images"))
    assert (quote.money, quote.unit_price) == (Money(1), Money(1))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prices": []},
        {"prices": None},
        {"prices": [7]},
        price(endpoint="fal-ai/other"),
        price(None),
        price(-1),
        price("0.016"),
        price(True),
        price(10**9),
        price(currency="EUR"),
    ],
)
def test_a_price_that_cannot_be_used(body):
    with pytest.raises(UnexpectedAnswer):
        quoted(sheet(), body)


# --- what became of a lost request ------------------------------------------------------------------------------------


def listing(*inputs, **more):
    items = [
        {"request_id": f"job-{n}", "endpoint_id": SPRITESHEET, "json_input": given} for n, given in enumerate(inputs)
    ]
    return {"items": items, "has_more": False, "next_cursor": None, **more}


SENT = backend().submit(sheet(), MARK).request.json


def searched(body, request=None):
    return backend().find(MARK, request or sheet(model="klein-spritesheet", images=())).read(answer(body))


def test_the_question_for_a_lost_request():
    request = backend().find(Mark("a", 77, 1795255200.5), sheet(model="klein-spritesheet")).request
    assert request.url == (
        "https://api.fal.ai/v1/models/requests/by-endpoint"
        f"?endpoint_id={SPRITESHEET}&expand=payloads&start=2026-11-21T09:55:00Z"
    )
    assert "start" not in backend().find(MARK, sheet(model="klein-spritesheet")).request.url


def test_only_the_same_seed_prompt_size_and_number_match():
    others = [
        {**SENT, "seed": 78},
        {**SENT, "prompt": "2x2 sprite sheet"},
        {**SENT, "image_size": {"width": 512, "height": 512}},
        {**SENT, "num_images": 2},
        {},
    ]
    found = searched(listing(*others, SENT))
    assert [ticket.id for ticket in found.tickets] == ["job-5"]
    assert found.more is None
    request = backend().poll(found.tickets[0]).request
    assert request.url == "https://queue.fal.run/fal-ai/flux-2/requests/job-5/status?logs=0"


def test_entries_of_another_endpoint_or_without_an_id_do_not_match():
    body = listing(SENT, SENT, SENT)
    body["items"][0]["endpoint_id"] = "fal-ai/other"
    body["items"][1]["request_id"] = "../x"
    del body["items"][2]["json_input"]
    assert searched(body).tickets == ()


def test_a_list_goes_on():
    found = searched(listing(has_more=True, next_cursor="c+1"))
    assert found.more is not None
    assert found.more.request.url.endswith("&cursor=c%2B1")
    assert [ticket.id for ticket in found.more.read(answer(listing(SENT))).tickets] == ["job-0"]
    assert found.more.read(answer(listing(has_more=True, next_cursor="c+1"))).more is None  # no list goes in circles


@pytest.mark.parametrize("body", [{}, {"requests": []}, {"detail": "x"}])
def test_a_list_that_is_none(body):
    with pytest.raises(UnexpectedAnswer, match="no list"):
        searched(body)


@pytest.mark.parametrize("model", ["image2pixel", "remove-background"])
def test_without_a_seed_nothing_can_be_recognised(model):
    assert backend().find(MARK, wish(model=model, prompt="")) is None


# --- cancelling -------------------------------------------------------------------------------------------------------


def cancelled(body, code):
    return backend().cancel(TICKET).read(answer(body, code))


def test_the_cancel_request():
    request = backend().cancel(TICKET).request
    assert (request.method, request.url) == ("PUT", f"{BASE}/cancel")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"status": "CANCELLATION_REQUESTED"}, 202),
        ({"status": "OK"}, 200),
        ({"success": True}, 200),
        ({"status": "CANCELLATION_REQUESTED"}, 200),
    ],
)
def test_it_is_cancelled(body, code):
    assert cancelled(body, code) is None


@pytest.mark.parametrize(("body", "code"), [({"status": "ALREADY_COMPLETED"}, 400), ({"success": False}, 200)])
def test_it_is_too_late_to_cancel(body, code):
    with pytest.raises(RequestRejected, match="it is through"):
        cancelled(body, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"status": "NOT_FOUND"}, 404), ({}, 200), ({"status": "LATER"}, 202), (HTML, 502), (HTML, 200), (b"[]", 200)],
)
def test_nobody_knows_whether_it_is_cancelled(body, code):
    with pytest.raises(UnexpectedAnswer):
        cancelled(body, code)


def test_an_error_when_cancelling():
    with pytest.raises(PixelRouterError, match="not-authorised"):
        cancelled(issue("x", msg="not-authorised"), 401)
