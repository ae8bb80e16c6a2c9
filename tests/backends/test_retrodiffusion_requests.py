"""What the Retro Diffusion backend sends: every body exact, every option checked before anything leaves."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from pixelrouter.backends import load
from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.backends.retrodiffusion.body import OPTIONS, REFUSED
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import Mark, Ticket
from tests.backends.retrodiffusion_answers import KEY, MARK, backend, picture, wish

PLAIN = {
    "prompt": "a red potion",
    "prompt_style": "rd_fast__low_res",
    "width": 32,
    "height": 32,
    "num_images": 1,
    "seed": 77,
    "upscale_output_factor": 1,
}
STILL = {"width": 64, "model": "rd_plus__default"}


def sent(request, version="v2", mark=MARK):
    return backend(version).submit(request, mark).request


def test_it_is_found_by_name_and_keeps_the_protocol():
    assert isinstance(backend(), RemoteBackend)
    assert load("retrodiffusion") is type(backend())


def test_v2_submit_carries_the_mark_as_idempotency_key():
    request = sent(wish())
    assert (request.method, request.url) == ("POST", "https://api.retrodiffusion.ai/v2/inferences")
    assert request.headers == {"Accept": "application/json", "Idempotency-Key": "attempt-1"}
    assert request.json == PLAIN
    assert {name: value.get_secret_value() for name, value in request.secrets.items()} == {"X-RD-Token": KEY}


def test_v1_submit_is_queued_and_has_no_key():
    request = sent(wish(), "v1")
    assert request.url == "https://api.retrodiffusion.ai/v1/inferences"
    assert "Idempotency-Key" not in request.headers
    assert request.json == {**PLAIN, "async": True}


def test_the_same_attempt_is_the_same_bytes():
    make = lambda: sent(wish(64, images=(picture(),), task="edit", options={"strength": 0.5})).body  # noqa: E731 - twice
    assert make() == make()


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_every_path(version):
    api = backend(version, base_url="http://127.0.0.1:9/")
    job = Ticket("t-1", {"version": version, "request_id": "r-1"})
    root = f"http://127.0.0.1:9/{version}"
    assert api.quote(wish()).request.url == f"{root}/inferences"
    assert api.poll(job).request.url == f"{root}/inferences/tasks/t-1"
    assert api.balance().request.url == f"{root}/inferences/credits"
    assert [call.request.url for call in api.catalogue()] == [
        f"{root}/styles/selector?model={family}" for family in ("rd_fast", "rd_plus", "rd_pro")
    ]
    # API Activity is a part of v2, and lists what v1 was asked for too.
    assert api.renew(job).request.url == f"{root.removesuffix(version)}v2/inferences/requests/r-1"
    assert api.renew(Ticket("t-1", {"version": version})).request.url == f"{root}/inferences/tasks/t-1"
    calls = [api.quote(wish()), api.poll(job), api.balance(), *api.catalogue(), api.renew(job)]
    assert all(call.request.secrets["X-RD-Token"].get_secret_value() == KEY for call in calls)
    assert api.hosts().api == ("http://127.0.0.1:9",)
    assert "127.0.0.1" in api.hosts().delivery


def test_a_ticket_is_polled_where_it_was_bought():
    assert backend("v2").poll(Ticket("t", {"version": "v1"})).request.url.endswith("/v1/inferences/tasks/t")
    assert backend("v1").poll(Ticket("t")).request.url.endswith("/v1/inferences/tasks/t")


def test_quote_is_the_same_body_with_check_cost_and_no_key():
    request = backend().quote(wish(n=2, transparent=True)).request
    body = {name: value for name, value in PLAIN.items() if name != "seed"}
    assert request.json == {**body, "num_images": 2, "remove_bg": True, "check_cost": True}
    assert "Idempotency-Key" not in request.headers
    assert backend("v1").quote(wish(seed=5)).request.json == {**PLAIN, "seed": 5, "check_cost": True}


@pytest.mark.parametrize(("transparent", "there"), [(True, True), (False, False), (None, False)])
def test_background_is_removed_only_when_asked(transparent, there):
    assert sent(wish(transparent=transparent)).json.get("remove_bg", False) is there


def test_colours_and_palette_stay_here():
    assert sent(wish(colors=4, palette=("#000000", "#ffffff"))).json == PLAIN


def test_seeds():
    assert sent(wish(seed=0), mark=Mark("a", 0)).json["seed"] == 0
    assert sent(wish(seed=2**31 - 1), mark=Mark("a", 2**31 - 1)).json["seed"] == 2**31 - 1
    assert sent(wish(), mark=Mark("a", 2**31 + 5)).json["seed"] == 5  # the router's own choice is cut to 31 bits
    with pytest.raises(InvalidRequest, match="Seed 2147483648 is outside"):
        sent(wish(seed=2**31), mark=Mark("a", 2**31))


# --- images -----------------------------------------------------------------------------------------------------------


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def test_references_go_as_raw_base64():
    one, two = picture(), picture(color=(1, 2, 3, 255))
    body = sent(wish(64, model="rd_pro__default", images=(one, two))).json
    assert body["reference_images"] == [base64.b64encode(one).decode(), base64.b64encode(two).decode()]
    assert "input_image" not in body


def test_the_image_to_edit_is_flattened_to_rgb():
    body = sent(wish(**STILL, task="edit", images=(picture(),), options={"strength": 0.4})).json
    image = opened(body["input_image"])
    assert (image.mode, image.size, image.getpixel((0, 0))) == ("RGB", (8, 8), (255, 255, 255))
    assert body["strength"] == 0.4
    assert "reference_images" not in body


def test_a_style_that_needs_an_image_takes_the_first_and_refers_to_the_rest():
    body = sent(wish(64, model="rd_pro__edit", images=(picture(), b"\x01"))).json
    assert opened(body["input_image"]).size == (8, 8)
    assert body["reference_images"] == ["AQ=="]


def test_an_animated_frame_must_have_the_size_asked_for():
    ask = {"task": "animation", "model": "rd_advanced_animation__walking", "prompt": "walks"}
    assert opened(sent(wish(48, images=(picture((48, 48)),), **ask)).json["input_image"]).size == (48, 48)
    with pytest.raises(InvalidRequest, match="is 8x8, but the request asks for 48x48"):
        sent(wish(48, images=(picture(),), **ask))


@pytest.mark.parametrize("data", [b"", b"no image", picture()[:40]])
def test_an_unreadable_input_image_is_refused(data):
    with pytest.raises(UnreadableImage, match="The input image is not an image that can be read"):
        sent(wish(**STILL, task="edit", images=(data,)))


def test_an_image_bomb_is_refused_undecoded():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (5000, 10_000, 50_000):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        with pytest.raises(UnreadableImage, match=r"too large|not an image"):
            sent(wish(**STILL, task="edit", images=(bomb,)))


# --- options ----------------------------------------------------------------------------------------------------------

GOOD = {
    "strength": (0.25, 0.25),
    "extra_prompt": ("moss", "moss"),
    "extra_strength": (1, 1.0),
    "return_pre_palette": (True, True),
    "return_non_bg_removed": (False, False),
    "output_bg_color": ("#ffffff", "#ffffff"),
    "tile_x": (True, True),
    "tile_y": (True, True),
    "frames_duration": (8, 8),
    "return_spritesheet": (True, True),
    "bypass_prompt_expansion": (True, True),
    "include_downloadable_data": (True, True),
    "include_extra_data": (True, True),
    "upload_outputs": (True, True),
}
BAD = {
    "strength": [0, -1, 1.01, "0.5", True, None, float("nan")],
    "extra_strength": [0, 2, "x"],
    "extra_prompt": [1, None],
    "output_bg_color": [0],
    "frames_duration": [0, 5, 17, 8.0, "8", True],
    "tile_x": [1, "true", None],
    "input_palette": [1, "%%%", b"junk", "AAAA"],
    "extra_input_image": [None, "data:image/png;base64,%%%"],
    "input_image": [3.5],
}
IMAGES = ("input_image", "extra_input_image", "input_palette")


def test_every_option_has_a_case():
    assert set(GOOD) | set(IMAGES) == set(OPTIONS)


@pytest.mark.parametrize("name", GOOD)
def test_an_option_goes_under_its_own_name(name):
    given, wanted = GOOD[name]
    start = {"task": "edit", "images": (picture(),)}
    body = sent(wish(**STILL, **start, options={name: given})).json
    assert body[name] == wanted


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("form", ["bytes", "base64", "data"])
def test_image_options_become_raw_base64_without_alpha(name, form):
    data = picture(color=(9, 8, 7, 255))
    text = base64.b64encode(data).decode()
    given = {"bytes": data, "base64": text, "data": f"data:image/png;base64,{text}"}[form]
    body = sent(wish(**STILL, options={name: given})).json
    image = opened(body[name])
    assert (image.mode, image.getpixel((0, 0))) == ("RGB", (9, 8, 7))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_option_is_refused(name, value):
    with pytest.raises(InvalidRequest, match=name):
        sent(wish(**STILL, options={name: value}))


@pytest.mark.parametrize("name", REFUSED)
def test_what_we_set_ourselves_is_refused_with_a_hint(name):
    with pytest.raises(InvalidRequest, match=f"{name!r} cannot be given") as caught:
        sent(wish(options={name: 1}))
    assert caught.value.hint


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(InvalidRequest, match="Did you mean 'strength'"):
        sent(wish(options={"strenght": 0.5}))


def test_strength_without_an_image_is_refused():
    with pytest.raises(InvalidRequest, match="strength needs an image"):
        sent(wish(options={"strength": 0.5}))


def test_input_image_as_an_option_serves_a_style_that_needs_one():
    body = sent(wish(64, model="rd_pro__edit", options={"input_image": picture()})).json
    assert opened(body["input_image"]).size == (8, 8)
    with pytest.raises(InvalidRequest, match="not in both"):
        sent(wish(64, model="rd_pro__edit", images=(picture(),), options={"input_image": picture()}))


def test_rotate_refuses_the_option_that_the_vendor_ignores():
    ask = wish(64, model="rd_advanced_animation__rotate", task="animation", images=(picture((64, 64)),))
    assert "frames_duration" not in sent(ask).json
    with pytest.raises(InvalidRequest, match="ignores frames_duration"):
        sent(ask.model_copy(update={"options": {"frames_duration": 8}}))


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_in_any_repr():
    api = backend()
    for thing in (api, api.submit(wish(), MARK), api.submit(wish(), MARK).request, api.balance(), api.settings):
        assert KEY not in repr(thing)
    assert KEY not in api.submit(wish(), MARK).request.body.decode()


def test_without_a_key_it_can_still_show_what_it_would_send():
    api = backend(key=None)
    assert api.submit(wish(), MARK).request.secrets == {}
    assert api.submit(wish(), MARK).request.json == PLAIN


def test_what_the_vendor_cannot_do():
    api = backend()
    assert api.find(MARK, wish(model="edit__image_edit")) is None  # edits are in no list
    assert api.cancel(Ticket("t")) is None
    assert api.capabilities().idempotent
    assert not backend("v1").capabilities().idempotent
    assert api.capabilities().licence.commercial is None
