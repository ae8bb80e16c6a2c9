"""What fal says beside a job: prices, the list in which a lost request is found, and the answers to a cancel."""

from __future__ import annotations

import pytest

from pixelrouter.errors import PixelRouterError, RequestRejected, UnexpectedAnswer
from pixelrouter.types import Mark, Money
from tests.backends.fal.answers import (
    BASE,
    HTML,
    KEY,
    MARK,
    SPRITESHEET,
    TICKET,
    answer,
    backend,
    issue,
    picture,
    sheet,
    wish,
)

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
    assert quote.notes[0] == "A unit (compute seconds) costs $0.0005 at fal."
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


OPTIONS = {"guidance_scale": 7.5, "loras": [{"path": "https://example.com/a.safetensors", "scale": 1.1}]}
OWN_SEED = wish(task="edit", model="klein-edit", seed=77, images=(picture(),), options=OPTIONS)


@pytest.mark.parametrize(
    ("changes", "is_ours"),
    [
        ({}, True),
        ({"num_inference_steps": 28, "negative_prompt": "", "acceleration": None}, True),  # filled in by fal
        ({"num_inference_steps": 40}, False),
        ({"guidance_scale": 5}, False),
        ({"loras": []}, False),
        ({"image_urls": ["data:image/png;base64,AAAA"]}, False),
        ({"image_urls": None}, False),
        ({"something": "else"}, False),
    ],
)
def test_a_seed_of_the_callers_own_proves_nothing_without_all_the_rest(changes, is_ours):
    sent = backend().submit(OWN_SEED, MARK).request.json
    found = searched(listing({**sent, **changes}), OWN_SEED)
    assert [ticket.id for ticket in found.tickets] == (["job-0"] if is_ours else [])


def test_a_seed_of_the_callers_own_without_the_images_is_not_looked_for():
    lost = OWN_SEED.model_copy(update={"images": ()})
    assert backend().find(MARK, lost) is None
    assert backend().find(MARK, lost.model_copy(update={"seed": None})) is not None
    assert backend().find(MARK, wish(seed=77)) is not None  # a picture from text has none


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
