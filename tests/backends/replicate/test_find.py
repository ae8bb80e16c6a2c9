"""Lost submits in the vendor's list: found exactly, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrouter.backends.replicate.recovery import same
from pixelrouter.errors import UnexpectedAnswer
from pixelrouter.types import Mark
from tests.backends.replicate.answers import JOB, MARK, TOKEN, answer, backend, picture, prediction, wish

LOW = wish(model="rd-fast/low_res")
NEXT = "https://api.replicate.com/v1/predictions?cursor=c3Rh"


def listing(*jobs, more=None):
    return answer({"previous": None, "next": more, "results": list(jobs)})


def found(*jobs, request=LOW, mark=MARK, more=None, **settings):
    return backend(**settings).find(mark, request).read(listing(*jobs, more=more))


def ids(*jobs, **more):
    return [ticket.id for ticket in found(*jobs, **more).tickets]


def order(request=LOW, mark=MARK, **more):
    """The prediction that submitting ``request`` makes, as the list shows it."""
    call = backend().submit(request, mark).request
    model = call.url.partition("/models/")[2].removesuffix("/predictions")
    return prediction("processing", model=model, input=call.json["input"], **more)


def test_the_job_that_was_ordered_is_found():
    [ticket] = found(order()).tickets
    assert (ticket.id, ticket.extra) == (JOB, {"model": "rd-fast/low_res"})


@pytest.mark.parametrize("status", ["starting", "processing", "succeeded", "failed", "canceled", "aborted"])
def test_whatever_became_of_it(status):
    assert ids({**order(), "status": status}) == [JOB]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 78},
        {"seed": "77"},
        {"prompt": "a blue potion"},
        {"style": "mc_item"},
        {"width": 33},
        {"height": 31},
        {"num_images": 2},
        {"remove_bg": True},
        {"tile_x": True},
        {"strength": 0.5},
        {"input_image": "https://example.com/a.png"},
        {"something_new": 1},
    ],
)
def test_one_other_input_is_another_job(change):
    job = order()
    assert ids({**job, "input": {**job["input"], **change}}) == []


@pytest.mark.parametrize("missing", ["seed", "prompt", "style", "width", "height", "num_images"])
def test_one_missing_input_is_another_job(missing):
    job = order()
    assert ids({**job, "input": {k: v for k, v in job["input"].items() if k != missing}}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"model": "retro-diffusion/rd-plus"},
        {"model": None},
        {"model": "somebody/rd-fast"},
        {"input": None},
        {"input": {}, "data_removed": True},
        {"data_removed": True},
        {"id": None},
        {"created_at": "2026-11-21T09:54:59Z"},
    ],
)
def test_another_job_altogether(change):
    assert ids({**order(), **change}) == []


def test_defaults_that_the_echo_adds_change_nothing():
    job = order()
    defaults = {
        "tile_x": False,
        "remove_bg": False,
        "strength": 0.8,
        "input_image": None,
        "bypass_prompt_expansion": False,
    }
    assert ids({**job, "input": {**job["input"], **defaults}}) == [JOB]


def test_several_matches_come_newest_first_as_listed():
    assert ids({**order(), "id": "second"}, {**order(), "id": "first"}) == ["second", "first"]


def test_images_must_be_the_same():
    edit = wish(64, task="edit", model="rd-fast/default", images=(picture(),), strength=0.25)
    other = edit.model_copy(update={"images": (picture(color=(0, 0, 255)),)})
    assert ids(order(edit), request=edit) == [JOB]
    assert ids(order(other), request=edit) == []
    job = order(edit)
    elsewhere = {**job["input"], "input_image": "https://replicate.delivery/stored.png"}
    assert ids({**job, "input": elsewhere}, request=edit) == []  # it cannot be told, so it is none


def test_images_lost_in_a_crash():
    """The seed that the router chose is made from the images too, a caller's own is not."""
    edit = wish(64, task="edit", model="rd-fast/default", images=(picture(),), strength=0.25)
    after = edit.model_copy(update={"images": ()})
    assert ids(order(edit), request=after) == [JOB]
    assert ids(order(edit.model_copy(update={"strength": 0.5})), request=after) == []
    assert backend().find(MARK, after.model_copy(update={"seed": 77})) is None
    moving = wish(48, task="animation", model="rd-animation/four_angle_walking")
    with_subject = moving.model_copy(update={"images": (picture(),)})
    assert ids(order(with_subject), request=moving) == [JOB]
    assert ids(order(moving), request=moving) == [JOB]
    assert backend().find(MARK, moving.model_copy(update={"seed": 77})) is None


def test_options_lost_in_a_crash():
    assert backend().find(MARK, wish(model="rd-fast/low_res", options={"input_palette": "<bytes>"})) is None


def test_when_it_was_made():
    assert backend().find(MARK, LOW).request.url.endswith("/v1/predictions?created_after=2026-11-21T09%3A55%3A00.000Z")
    unknown = backend().find(Mark("a", 77), LOW)
    assert unknown.request.url == "https://api.replicate.com/v1/predictions"
    assert len(unknown.read(listing(order())).tickets) == 1


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_next_page():
    more = found({**order(), "id": "other", "input": {"a": 1}}, more=NEXT).more
    assert more.request.url == NEXT
    assert more.request.secrets["Authorization"].get_secret_value() == f"Bearer {TOKEN}"
    last = more.read(listing(order()))
    assert ([ticket.id for ticket in last.tickets], last.more) == ([JOB], None)


def test_the_next_page_stays_with_base_url():
    base = "http://127.0.0.1:8100"
    job = {**order(), "input": {"a": 1}}
    for address in (NEXT, f"{base}/v1/predictions?cursor=c3Rh"):
        assert found(job, more=address, base_url=base).more.request.url == f"{base}/v1/predictions?cursor=c3Rh"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/v1/predictions?cursor=a",
        "http://api.replicate.com/v1/predictions?cursor=a",
        "https://api.replicate.com:444/v1/predictions?cursor=a",
        "https://api.replicate.com@evil.example/v1/predictions?cursor=a",
        "https://api.replicate.com\\@evil.example/v1/predictions?cursor=a",
        "https://api.replicate.com/v1/other?cursor=a",
        "https://api.replicate.com/v1/predictions",
        "/v1/predictions?cursor=a",
        "https://api.replicate.com/v1/predictions?a=\n",
        "https://[::1/v1/predictions?a",
        7,
    ],
)
def test_a_next_page_elsewhere_is_not_asked(address):
    with pytest.raises(UnexpectedAnswer, match="next page outside"):
        found({**order(), "input": {"a": 1}}, more=address)
    kept = found(order(), more=address)  # what was found is not lost over it
    assert (len(kept.tickets), kept.more) == (1, None)


def test_the_search_ends():
    assert found(order(), more=None).more is None
    assert found(more=NEXT).more is None  # an empty page
    assert (
        found({**order(), "input": {}, "data_removed": True}, more=NEXT).more is None
    )  # all wiped: older than an hour
    assert found({**order(), "created_at": "2026-11-21T09:00:00Z"}, more=NEXT).more is None  # before the attempt


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": "x"}])
def test_an_answer_that_is_no_list(body):
    with pytest.raises(UnexpectedAnswer, match="no list"):
        backend().find(MARK, LOW).read(answer(body))


def test_odd_entries_are_passed_over():
    assert ids(7, None, [], {}, order()) == [JOB]


# --- equality ---------------------------------------------------------------------------------------------------------

VALUES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 0.5]), st.text(max_size=2))


@given(VALUES, VALUES)
def test_same_is_json_equality(one, other):
    assert same(one, one)
    assert same(one, other) == same(other, one)
    if same(one, other):
        assert one == other
        assert isinstance(one, bool) == isinstance(other, bool)
