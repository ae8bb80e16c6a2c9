"""How the PixelLab backend reads answers: three kinds of success, every family of results, money above all."""

from __future__ import annotations

import base64

import pytest

from pixelrouter.errors import JobFailed, PixelRouterError, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
    VIEW_NAMES,
    Cost,
    Delivery,
    GenerationRequest,
    Inline,
    Money,
    Progress,
    Remote,
    Ticket,
)
from tests.backends.pixellab.made import BODIES, JOB, MARK, OTHER, PIC, answer, backend, wire, wish

USD = {"type": "usd", "usd": 0.0084}
ONE = {"type": "generations", "usd": None, "generations": 1.0}
NOTHING = {"type": "usd", "usd": 0.0}
STORE = "https://assets.example.com/u1"


def submitted(body, model="pixflux", status=200, **settings):
    return backend(**settings).submit(BODIES[model][0], MARK).read(answer(body, status))


def polled(ticket, body, status=200, **headers):
    return backend().poll(ticket).read(answer(body, status, **headers))


def job(status="completed", last=None, usage=ONE):
    return {
        "id": JOB,
        "status": status,
        "created_at": "2026-10-04T09:15:02+00:00",
        "usage": usage,
        "last_response": last,
    }


def ticket(model="character-4", **extra):
    return Ticket(JOB, {"model": model, **extra})


def dollars(amount):
    return Cost(Money.of(amount), "reported")


def generations(amount):
    return Cost(Money.of(amount, "generations"), "reported")


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
    assert (delivery.items, delivery.names) == ((Inline(PIC),), ("lllu",))


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


# --- families of results ----------------------------------------------------------------------------------------------


def test_images_by_direction_in_our_order():
    order = ("west", "north", "south", "east")
    images = {name: wire(name.encode()) for name in order}
    done = polled(ticket(), job(last={"images": images, "quantized_images": images, "storage_urls": {"south": "x"}}))
    assert done.names == VIEW_NAMES["4"]
    assert [item.data for item in done.items] == [name.encode() for name in VIEW_NAMES["4"]]


def test_a_direction_that_did_not_come_leaves_the_others_their_names():
    done = polled(ticket(), job(last={"images": {"west": wire(PIC), "south": wire(OTHER), "east": None}}))
    assert (done.items, done.names) == ((Inline(OTHER), Inline(PIC)), ("south", "west"))


def test_a_list_of_eight_views_gets_its_names():
    clockwise = ("south", "south-west", "west", "north-west", "north", "north-east", "east", "south-east")
    done = polled(ticket("rotations-v2"), job(last={"images": [wire(name.encode()) for name in clockwise]}))
    assert done.names == VIEW_NAMES["8"]
    assert [item.data for item in done.items] == [name.encode() for name in VIEW_NAMES["8"]]
    assert not done.notes
    third = polled(ticket("rotations-v3"), job(last={"images": [wire(name.encode()) for name in clockwise]}))
    assert third.names == VIEW_NAMES["8"]
    assert "documents no order" in third.notes[0]
    assert polled(ticket("rotations-v2"), job(last={"images": [wire(PIC)] * 7})).names == ()


def test_a_list_of_frames():
    done = polled(ticket("animate-v3"), job(last={"images": [wire(PIC), wire(OTHER)], "storage_urls": {"frames": []}}))
    assert (done.items, done.names) == ((Inline(PIC), Inline(OTHER)), ())


def test_one_image_as_an_object_and_as_bare_base64():
    bare = base64.encodebytes(PIC).decode()  # with line breaks
    for image in (wire(PIC), {"base64": bare}, bare, f"data:image/png;base64,{wire(PIC)['base64']}"):
        done = polled(ticket("map-object"), job(last={"image": image, "storage_url": f"{STORE}/o.png"}))
        assert done.items == (Inline(PIC),)


def test_nothing_inline_but_addresses():
    urls = {"east": f"{STORE}/east.png", "south": f"{STORE}/south.png", "north-east": None}
    done = polled(ticket(), job(last={"storage_urls": urls, "character_id": "c-1"}))
    assert done.items == (Remote(urls["south"]), Remote(urls["east"]))
    assert done.names == ("south", "east")
    frames = [f"{STORE}/{n}.png" for n in range(2)]
    done = polled(ticket("animate-v3"), job(last={"storage_urls": {"frames": frames}}))
    assert done.items == tuple(map(Remote, frames))
    done = polled(ticket("map-object"), job(last={"storage_url": f"{STORE}/o.png"}))
    assert done.items == (Remote(f"{STORE}/o.png"),)
    assert done.ticket == ticket("map-object")


def test_text_that_is_no_image_is_kept_all_the_same():
    assert submitted({"image": {"base64": "***"}, "usage": USD}).items == (Inline(b"***"),)


def test_a_finished_job_without_anything():
    done = polled(ticket("edit-image"), job(last=None))
    assert (done.items, done.cost) == ((), generations(1))


# --- the second stage -------------------------------------------------------------------------------------------------


def test_a_tileset_is_fetched_from_its_own_address():
    second = polled(ticket("tileset", kept="tilesets/t-1"), job(last={"type": "message_done", "tileset_id": "t-1"}))
    assert second == Ticket(
        JOB,
        {"model": "tileset", "kept": "tilesets/t-1", "cost": "1", "cost_unit": "generations", "at": "tilesets/t-1"},
    )
    second = Ticket.loads(second.dumps())
    assert polled(second, {"detail": "still"}, 423, retry_after="10") == Progress("generating", None, 10.0)
    corners = ({"NW": "lower", "NE": "upper", "SW": "lower", "SE": "transition"}, {"NW": "lower"})
    tiles = [{"image": wire(PIC), "corners": corners[0]}, {"image": wire(OTHER), "corners": corners[0]}]
    tiles += [{"image": wire(PIC), "corners": corners[1]}, {"image": None}, 7]
    done = polled(second, {"tileset": {"tiles": tiles}, "metadata": {}, "usage": None})
    assert done.items == (Inline(PIC), Inline(OTHER), Inline(PIC))
    assert done.names == ("lult", "lult-2", "tile-3")
    assert done.cost == generations(1)


def test_the_resource_named_by_the_result_where_the_order_named_none():
    second = polled(ticket("isometric-tile"), job(last={"tile_id": "i-1"}, usage=None))
    assert second.extra == {"model": "isometric-tile", "at": "isometric-tiles/i-1"}
    done = polled(second, {"image": wire(PIC), "usage": USD})
    assert (done.items, done.cost) == ((Inline(PIC),), dollars("0.0084"))


def test_a_character_and_a_map_object_by_their_addresses():
    at = ticket(at="characters/c-1")
    urls = {"south": f"{STORE}/s.png", "west": None, "east": f"{STORE}/e.png"}
    assert polled(at, {"status": "processing", "rotation_urls": urls}) == Progress("processing")
    assert polled(at, {"status": "completed", "rotation_urls": urls}).names == ("south", "east")
    at = ticket("map-object", at="map-objects/o-1")
    assert polled(at, {"status": "completed", "download_url": f"{STORE}/o"}).items == (Remote(f"{STORE}/o"),)
    with pytest.raises(JobFailed):
        polled(at, {"status": "failed"})


def test_a_404_soon_after_the_order_is_patience_and_later_it_is_not():
    dates = {"soon": "Sat, 21 Nov 2026 10:01:00 GMT", "late": "Sat, 21 Nov 2026 12:00:00 GMT"}
    for where in ({}, {"at": "tilesets/t-1"}):
        fresh = ticket("tileset", ordered="1795255200", **where)
        assert polled(fresh, {"detail": "Not found"}, 404, date=dates["soon"]) == Progress("not written down yet")
        for headers in ({"date": dates["late"]}, {}):
            with pytest.raises(UnexpectedAnswer, match="does not know"):
                polled(fresh, {"detail": "Not found"}, 404, **headers)
        with pytest.raises(UnexpectedAnswer):
            polled(ticket("tileset", **where), {"detail": "Not found"}, 404, date=dates["soon"])


def test_gone_for_good():
    at = ticket("map-object", at="map-objects/o-1")
    with pytest.raises(JobFailed) as caught:
        polled(at, {"detail": "failed permanently"}, 410)
    assert caught.value.charged is None
    with pytest.raises(JobFailed) as caught:
        polled(ticket("map-object", at="map-objects/o-1", cost="0.0099", cost_unit="usd"), {}, 410)
    assert caught.value.charged == Money.of("0.0099")


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
    expected = {"views": {"character-4": 4}.get(name, 8), "animation": None, "tileset": None}
    assert raws == expected.get(request.task, request.n)


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
