"""How the PixelLab backend reads answers: three kinds of success, every family of results, money above all."""

from __future__ import annotations

import base64

import pytest

from pixelrouter.errors import JobFailed, PixelRouterError, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
    Delivery,
    GenerationRequest,
    Inline,
    Money,
    Progress,
    Remote,
    Ticket,
)
from tests.backends.pixellab.made import (
    BODIES,
    JOB,
    MARK,
    NOTHING,
    ONE,
    PIC,
    STORE,
    USD,
    answer,
    backend,
    dollars,
    generations,
    job,
    polled,
    submitted,
    ticket,
    wire,
    wish,
)

# --- three kinds of success -------------------------------------------------------------------------------------------


def test_a_synchronous_image():
    delivery = submitted({"image": wire(PIC), "usage": USD})
    assert delivery == Delivery((Inline(PIC),), dollars("0.0084"), "pixflux")


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("word", ["processing", "queued", "something new"])
def test_a_job_whatever_the_status_says(status, word):
    body = {"background_job_id": JOB, "status": word, "usage": NOTHING}
    assert submitted(body, status=status) == Ticket(JOB, {"model": "pixflux", "ordered": "1795255200"})


def test_the_ids_that_come_with_a_job():
    body = {"background_job_id": JOB, "tileset_id": "t-1", "status": "processing", "usage": None}
    assert submitted(body, "tileset").extra["kept"] == "tilesets/t-1"
    assert submitted({**body, "tileset_id": "../x"}, "tileset").extra == {"model": "tileset", "ordered": "1795255200"}


def test_one_job_in_a_list_is_a_job_and_several_are_not():
    assert submitted({"background_job_ids": [JOB]}).id == JOB
    with pytest.raises(UnexpectedAnswer, match="2 jobs where one was ordered"):
        submitted({"background_job_ids": [JOB, JOB]})


@pytest.mark.parametrize("bad", [7, "", "../x", "a b", {"id": 1}])
def test_a_job_that_cannot_be_asked_for(bad):
    with pytest.raises(UnexpectedAnswer):
        submitted({"background_job_id": bad})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", b"[]", b"null", b'"x"', b"{}", b'{"images": 3}', b'{"image": null, "usage": null}'],
)
def test_a_success_that_says_nothing_holds_the_money(body):
    with pytest.raises(UnexpectedAnswer) as caught:
        submitted(body)
    assert caught.value.money == "held"


def test_a_bill_without_an_image_is_a_delivery_without_one():
    delivery = submitted({"image": None, "usage": USD})
    assert (delivery.items, delivery.cost) == ((), dollars("0.0084"))


def test_a_tileset_that_comes_at_once():
    tiles = [{"image": wire(PIC), "corners": {"NW": "lower", "NE": "lower", "SW": "lower", "SE": "upper"}}]
    delivery = submitted({"tileset": {"tiles": tiles}, "usage": USD}, "tileset")
    assert (delivery.items, delivery.names) == ((Inline(PIC),), ("wang-0001",))


# --- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (USD, dollars("0.0084")),
        ({"usd": 0.0084}, dollars("0.0084")),
        (ONE, generations(1)),
        ({"type": "generations", "usd": 0.0, "generations": 0.05}, generations("0.05")),
        ({"type": "usd", "usd": 0.5, "generations": 3}, dollars("0.5")),
        (NOTHING, None),
        ({"type": "generations", "generations": 0}, None),
        (None, None),
        ({}, None),
        ({"type": "usd", "usd": None}, None),
        ({"type": "usd", "usd": -1}, None),
        ({"type": "usd", "usd": 1e12}, None),
        ({"type": "usd", "usd": True}, None),
        ({"type": "usd", "usd": "0.0084"}, None),
        ({"type": "seconds", "usd": 0.0084}, None),
        ({"seconds": 33.3}, None),
        (7, None),
    ],
)
def test_the_bill_in_two_currencies(usage, cost):
    delivery = submitted({"image": wire(PIC), "usage": usage})
    assert delivery.cost == cost
    assert delivery.items == (Inline(PIC),)
    assert bool(delivery.notes) is (cost is None)
    done = polled(ticket("edit-image"), job(last={"image": wire(PIC)}, usage=usage))
    assert done.cost == cost


def test_not_a_number_is_no_bill():
    body = b'{"image": {"base64": "' + base64.b64encode(PIC) + b'"}, "usage": {"type": "usd", "usd": NaN}}'
    assert submitted(body).cost is None
    assert submitted(body.replace(b"NaN", b"1e999")).cost is None


def test_enhancing_the_prompt_is_added():
    body = {"image": wire(PIC), "usage": ONE, "enhance_usage": {"type": "generations", "generations": 0.05}}
    assert submitted(body, "pixen").cost == generations("1.05")
    mixed = submitted({**body, "enhance_usage": {"type": "usd", "usd": 0.002}}, "pixen")
    assert mixed.cost == generations(1)
    assert "$0.002 more" in mixed.notes[0]


def test_enhancing_the_prompt_travels_with_the_ticket():
    order = {"background_job_id": JOB, "usage": None, "enhance_usage": {"type": "generations", "generations": 0.05}}
    accepted = Ticket.loads(submitted(order, "animate-v3").dumps())
    assert polled(accepted, job(last={"images": [wire(PIC)]})).cost == generations("1.05")
    assert polled(accepted, job(last={"images": [wire(PIC)]}, usage=None)).cost is None


def test_the_bill_inside_the_result_counts_where_the_outer_one_lags():
    last = {"image": wire(PIC), "billing_usage": {"type": "generations", "usd": 0.0, "generations": 1}}
    assert polled(ticket("edit-image"), job(last=last, usage=NOTHING)).cost == generations(1)
    assert polled(ticket("edit-image"), job(last={**last, "usage": {"seconds": 9}}, usage=None)).cost == generations(1)
    assert polled(ticket("edit-image"), job(last=last, usage={"type": "usd", "usd": 0.5})).cost == dollars("0.5")


# --- jobs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["processing", "queued", "pending", "running", "reviewing", "Completed"])
def test_every_other_word_means_unfinished(word):
    assert polled(ticket(), job(word)) == Progress(word, None)


def test_a_result_before_the_job_is_done_is_not_taken():
    last = {"type": "message_done", "status": "initializing", "progress": 1.0, "images": {"south": wire(PIC)}}
    assert polled(ticket(), job("processing", last)) == Progress("processing", 1.0)


def test_progress():
    last = {"type": "message_progress", "progress": 0.05}
    assert polled(ticket(), job("processing", last), retry_after="7") == Progress("processing", 0.05, 7.0)
    for odd in (-1, 1.5, "half", None, True):
        assert polled(ticket(), job("processing", {"progress": odd})).fraction is None


@pytest.mark.parametrize("status", [None, 7, ""])
def test_a_job_without_a_status(status):
    with pytest.raises(UnexpectedAnswer, match="without a status"):
        polled(ticket(), job(status))


@pytest.mark.parametrize(
    ("last", "charged", "code"),
    [
        ({"type": "error", "code": 3007, "detail": "(free tier is limited)"}, Money(0), "3007"),
        ({"type": "error", "code": 504, "error": "timed out", "detail": "timed out"}, Money(0), "504"),
        ({"type": "error", "code": 500, "error": "boom"}, Money(0), "500"),
        ({"type": "error", "code": 9999, "detail": "something new"}, None, "9999"),
        ({"type": "error", "code": True}, None, None),
        (None, None, None),
    ],
)
def test_failed_jobs(last, charged, code):
    with pytest.raises(JobFailed) as caught:
        polled(ticket(), job("failed", last, NOTHING))
    assert (caught.value.charged, caught.value.code) == (charged, code)
    assert JOB in str(caught.value)


def test_a_failed_job_with_a_bill_was_charged():
    with pytest.raises(JobFailed) as caught:
        polled(ticket(), job("failed", {"code": 504}, ONE))
    assert caught.value.charged == Money.of(1, "generations")


def test_a_free_failure_is_in_the_currency_of_the_account():
    with pytest.raises(JobFailed) as caught:
        backend(account="subscription").poll(ticket()).read(answer(job("failed", {"code": 3007})))
    assert caught.value.charged == Money.of(1, "generations")  # the bill's own word comes first
    with pytest.raises(JobFailed) as caught:
        backend(account="subscription").poll(ticket()).read(answer(job("failed", {"code": 3007}, None)))
    assert caught.value.charged == Money(0, "generations")


# --- downloads, renewal, balance, layout ------------------------------------------------------------------------------


def test_downloads_go_without_the_key():
    delivery = Delivery((Remote(f"{STORE}/a.png"), Inline(PIC), Remote(f"{STORE}/b.png")), ticket=ticket())
    calls = backend().fetch(delivery)
    assert [call.request.url for call in calls] == [f"{STORE}/a.png", f"{STORE}/b.png"]
    assert all(not call.request.secrets and not call.request.headers for call in calls)
    assert calls[0].read(answer(PIC)) == PIC
    for status in (403, 404, 410):
        with pytest.raises(ResultExpired):
            calls[0].read(answer(b"", status))
    for status, body in ((200, b""), (500, b"x")):
        with pytest.raises(UnexpectedAnswer):
            calls[0].read(answer(body, status))


def test_renewing_asks_the_job_again():
    call = backend().renew(ticket())
    assert call.request == backend().poll(ticket()).request
    fresh = f"{STORE}/s.png?t=2"
    assert call.read(answer(job(last={"storage_urls": {"south": fresh}}))).items == (Remote(fresh),)
    with pytest.raises(UnexpectedAnswer, match="not finished"):
        call.read(answer(job("processing")))


V2 = {
    "credits": {"type": "usd", "usd": 10.5},
    "subscription": {"type": "generations", "status": "active", "plan": "Tier 2", "generations": 1281.0, "total": 5000},
}
OLD = {"success": True, "data": {}, "usage": {"remaining_credits": 3.5, "remaining_generations": 40}}


@pytest.mark.parametrize(
    ("body", "usd", "left"),
    [
        (V2, "10.5", "1281"),
        ({"type": "usd", "usd": 3.5}, "3.5", None),
        (OLD, "3.5", "40"),
        ({"success": True, "data": V2}, "10.5", "1281"),
        ({}, None, None),
        ({"credits": None, "subscription": 3}, None, None),
        ({"credits": {"usd": "much"}}, None, None),
    ],
)
def test_the_balance_in_the_currency_of_the_account(body, usd, left):
    for account, unit, expected in (("usd", "usd", usd), ("subscription", "generations", left)):
        read = backend(account=account).balance().read
        if expected is None:
            with pytest.raises(UnexpectedAnswer, match="no balance"):
                read(answer(body))
        else:
            assert read(answer(body)) == Money.of(expected, unit)


@pytest.mark.parametrize("name", BODIES)
def test_the_layout_needs_no_images(name):
    """It is asked for when finishing, also after a crash, when the request has lost its images."""
    request: GenerationRequest = BODIES[name][0].model_copy(update={"images": (), "mask": None, "model": name})
    raws = backend().layout(request).raws
    expected = {"views": {"character-4": 4}.get(name, 8), "animation": None, "tileset": {"tileset": 16}.get(name)}
    assert raws == expected.get(request.task, request.n)


@pytest.mark.parametrize(
    ("options", "raws"),
    [
        ({}, 16),
        ({"transition_size": 0.5}, 16),
        ({"transition_size": 1}, 25),
        ({"transition_size": 0.4, "shape_style": "round"}, 16),
        ({"transition_size": 0.6, "shape_style": "round"}, None),
    ],
)
def test_a_tileset_has_as_many_tiles_as_is_documented(options, raws):
    request = wish(16, task="tileset", model="tileset", tiles="wang", upper="sand", options=options)
    assert backend().layout(request).raws == raws


def test_what_the_backend_says_of_itself():
    can = backend(account="subscription").capabilities()
    assert (can.unit, can.idempotent, can.native) == ("generations", False, True)
    assert can.licence.commercial is None
    assert backend().capabilities().unit == "usd"
    assert backend().settings.timeout_s == 180
    assert backend().settings.poll_s == 5
    assert backend().quote(wish()) is None
    assert backend(key=None).submit(wish(), MARK).request.secrets == {}


def test_no_answer_shows_the_key():
    for status in (401, 500):
        with pytest.raises(PixelRouterError) as caught:
            backend().submit(wish(), MARK).read(answer({"detail": "no"}, status))
        assert "test-key-1" not in str(caught.value)
