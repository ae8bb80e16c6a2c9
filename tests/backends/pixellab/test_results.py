"""Where the pictures are: every family of PixelLab's results, and the address where it keeps what it has drawn."""

from __future__ import annotations

import base64

import pytest

from pixelrouter.errors import JobFailed, UnexpectedAnswer
from pixelrouter.types import VIEW_NAMES, Inline, Money, Progress, Remote, Ticket
from tests.backends.pixellab.made import (
    JOB,
    OTHER,
    PIC,
    STORE,
    USD,
    dollars,
    generations,
    job,
    polled,
    submitted,
    ticket,
    wire,
)

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
    assert done.names == ("wang-0102", "wang-0102-2", "tile-3")
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
