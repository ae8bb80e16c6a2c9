"""What the Replicate backend sends: every body exact, every option checked before anything leaves."""

from __future__ import annotations

import base64
import io
import random

import pytest
from PIL import Image
from pydantic import ValidationError

from pixelrouter.backends import load
from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.backends.replicate import ReplicateSettings
from pixelrouter.backends.replicate.inputs import OPTIONS, REFUSED
from pixelrouter.backends.replicate.styles import bundled
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import Mark
from tests.backends.replicate.answers import MARK, TICKET, TOKEN, backend, picture, wish

PLAIN = {"prompt": "a red potion", "style": "low_res", "width": 32, "height": 32, "num_images": 1, "seed": 77}


def sent(request, mark=MARK, **settings):
    return backend(**settings).submit(request, mark).request


def inputs(request, mark=MARK):
    return sent(request, mark).json["input"]


def test_it_is_found_by_name_and_keeps_the_protocol():
    assert isinstance(backend(), RemoteBackend)
    assert load("replicate") is type(backend())


def test_submit():
    request = sent(wish())
    assert (request.method, request.url) == (
        "POST",
        "https://api.replicate.com/v1/models/retro-diffusion/rd-fast/predictions",
    )
    assert request.headers == {"Accept": "application/json", "Cancel-After": "600s"}
    assert request.json == {"input": PLAIN}
    assert {name: value.get_secret_value() for name, value in request.secrets.items()} == {
        "Authorization": f"Bearer {TOKEN}"
    }
    assert TOKEN not in repr(request)
    assert TOKEN not in repr(backend())


def test_without_a_key_it_still_makes_requests():
    assert backend(key=None).submit(wish(), MARK).request.secrets == {}


def test_deadline_and_sync_mode_are_settings():
    assert sent(wish(), cancel_after_s=90, prefer_wait_s=30).headers == {
        "Accept": "application/json",
        "Cancel-After": "90s",
        "Prefer": "wait=30",
    }
    assert sent(wish(), cancel_after_s=0).headers == {"Accept": "application/json"}


@pytest.mark.parametrize(
    "bad",
    [
        {"cancel_after_s": 4},
        {"cancel_after_s": 1801},
        {"prefer_wait_s": 61},
        {"prefer_wait_s": -1},
        {"prefer_wait_s": 10, "timeout_s": 10},
    ],
)
def test_settings_that_replicate_would_refuse_or_that_lose_answers(bad):
    with pytest.raises(ValidationError) as caught:
        ReplicateSettings(**bad)
    [problem] = caught.value.errors()
    assert problem["loc"] == (next(iter(bad)),)  # so that the error names the key


def test_every_path_is_below_base_url():
    api = backend(base_url="http://127.0.0.1:9/")
    assert api.submit(wish(), MARK).request.url == "http://127.0.0.1:9/v1/models/retro-diffusion/rd-fast/predictions"
    job = f"predictions/{TICKET.id}"
    calls = [
        (api.poll(TICKET), "GET", job),
        (api.renew(TICKET), "GET", job),
        (api.cancel(TICKET), "POST", f"{job}/cancel"),
        (
            api.find(MARK, wish(model="rd-fast/low_res")),
            "GET",
            "predictions?created_after=2026-11-21T09%3A55%3A00.000Z",
        ),
    ]
    for call, method, path in calls:
        assert (call.request.method, call.request.url) == (method, f"http://127.0.0.1:9/v1/{path}")
        assert call.request.secrets["Authorization"].get_secret_value() == f"Bearer {TOKEN}"
    assert api.hosts().api == ("http://127.0.0.1:9",)
    assert api.hosts().delivery[0] == "127.0.0.1"


def test_hosts():
    hosts = backend(delivery_hosts=("files.example.com",)).hosts()
    assert hosts.api == ("https://api.replicate.com",)
    assert hosts.delivery == (
        "api.replicate.com",
        "replicate.delivery",
        "*.replicate.delivery",
        "files.example.com",
    )


def test_what_the_vendor_cannot_do():
    api = backend()
    assert api.quote(wish()) is None
    assert api.balance() is None
    assert api.first(wish()) is None
    assert api.catalogue() == ()


def test_the_same_attempt_is_the_same_bytes():
    make = lambda: sent(wish(64, images=(picture(mode="RGBA"),), task="edit", strength=0.5)).body  # noqa: E731 - twice
    assert make() == make()


@pytest.mark.parametrize("model", bundled(), ids=lambda model: model.id)
def test_the_whole_body_of_every_style(model):
    """One request a style, at its smallest and largest size."""
    family, style = model.id.split("/")
    for side in (model.min_width, model.max_width):
        more = {"images": (picture(),)} if model.needs_image else {}
        if model.id == "rd-tile/tileset_advanced":
            more["upper"] = "grass"
        request = wish(side, model=model.id, task=model.tasks[0], **more)
        body = {"prompt": "a red potion", "style": style, "width": side, "height": side, "seed": 77}
        if family == "rd-animation":
            body["return_spritesheet"] = style != "vfx"
        else:
            body["num_images"] = 1
        if model.needs_image:
            body["input_image"] = "data:image/png;base64," + base64.b64encode(picture()).decode()
        if model.id == "rd-tile/tileset_advanced":
            body |= {"prompt": "grass", "extra_prompt": "a red potion"}
        call = sent(request)
        assert call.json == {"input": body}
        assert call.url.endswith(f"/models/retro-diffusion/{family}/predictions")


@pytest.mark.parametrize(("transparent", "there"), [(True, True), (False, False), (None, False)])
def test_background_is_removed_only_when_asked(transparent, there):
    assert inputs(wish(transparent=transparent)).get("remove_bg", False) is there


@pytest.mark.parametrize(
    "request_",
    [
        wish(16, model="rd-tile/single_tile", transparent=True),
        wish(48, task="animation", transparent=True),
    ],
)
def test_models_without_the_input_are_never_sent_it(request_):
    assert "remove_bg" not in inputs(request_)


def test_colours_and_palette_stay_here():
    assert inputs(wish(colors=4, palette=("#000000", "#ffffff"))) == PLAIN


def test_seeds():
    assert inputs(wish(seed=0), Mark("a", 0))["seed"] == 0
    assert inputs(wish(seed=2**31 - 1), Mark("a", 2**31 - 1))["seed"] == 2**31 - 1
    assert inputs(wish(), Mark("a", 2**31 + 5))["seed"] == 5  # the router's own choice is cut to 31 bits
    with pytest.raises(InvalidRequest, match="Seed 2147483648 is outside"):
        sent(wish(seed=2**31), Mark("a", 2**31))


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_edit_sends_the_picture_and_how_far_to_go():
    body = inputs(wish(64, task="edit", images=(picture(),), strength=0.25))
    assert body["strength"] == 0.25
    assert body["input_image"] == "data:image/png;base64," + base64.b64encode(picture()).decode()
    assert "strength" not in inputs(wish(64, task="edit", images=(picture(),)))  # 0.8 is the vendor's own default


def test_seamless_tiles():
    for model in (None, "rd-plus/environment"):
        body = inputs(wish(64, task="tileset", tiles="seamless", model=model))
        assert body["tile_x"] is True
        assert body["tile_y"] is True
    body = inputs(wish(32, task="tileset", tiles="seamless", model="rd-tile/single_tile"))
    assert "tile_x" not in body  # seamless by itself, and the model has no such input


def test_wang_tiles_and_their_upper_ground():
    assert inputs(wish(16, task="tileset", tiles="wang"))["style"] == "tileset"
    body = inputs(wish(16, task="tileset", tiles="wang", upper="deep water"))
    # The prompt's ground lies around the upper one, which the vendor calls the inside.
    assert body["style"] == "tileset_advanced"
    assert (body["prompt"], body["extra_prompt"]) == ("deep water", wish(16).prompt)
    option = inputs(wish(16, task="tileset", options={"extra_prompt": "deep water"}))
    assert (option["prompt"], option["extra_prompt"]) == (wish(16).prompt, "deep water")
    with pytest.raises(InvalidRequest, match="no second ground"):
        sent(wish(16, task="tileset", model="rd-tile/tileset", upper="water"))
    with pytest.raises(InvalidRequest, match="no second ground"):
        sent(wish(64, task="tileset", tiles="seamless", upper="water"))
    with pytest.raises(InvalidRequest, match="needs a second ground"):
        sent(wish(16, task="tileset", model="rd-tile/tileset_advanced"))
    with pytest.raises(InvalidRequest, match="given twice"):
        sent(wish(16, task="tileset", upper="water", options={"extra_prompt": "sea"}))


def test_an_animation_may_have_a_subject():
    body = inputs(wish(48, task="animation", images=(picture(),)))
    assert body["input_image"].startswith("data:image/png;base64,")
    assert (body["style"], body["return_spritesheet"]) == ("four_angle_walking", True)
    assert "num_images" not in body


def test_actions():
    assert inputs(wish(48, task="animation", action="walking slowly"))["prompt"] == "a red potion"
    assert inputs(wish(48, task="animation", action="Idle", model="rd-animation/walking_and_idle"))
    with pytest.raises(InvalidRequest, match="shows walk, not 'swim'"):
        sent(wish(48, task="animation", action="swim"))
    body = inputs(wish(64, task="animation", action="bursting", model="rd-animation/vfx"))
    assert body["prompt"] == "a red potion, bursting"


# --- images -----------------------------------------------------------------------------------------------------------


def opened(address):
    head, _, text = address.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def test_what_was_transparent_is_white():
    image = opened(inputs(wish(64, task="edit", images=(picture(color=(255, 0, 0, 0), mode="RGBA"),)))["input_image"])
    assert (image.mode, image.getpixel((0, 0))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize("form", ["GIF", "BMP", "WEBP"])
def test_other_formats_become_png(form):
    image = opened(inputs(wish(64, task="edit", images=(picture(form=form),)))["input_image"])
    assert image.size == (8, 8)


def test_image_options():
    address = "data:image/png;base64," + base64.b64encode(picture()).decode()
    link = "https://example.com/potion.png"
    for given, there in ((picture(), address), (address, address), (link, link)):
        assert inputs(wish(64, options={"input_palette": given}))["input_palette"] == there
        assert inputs(wish(64, options={"input_image": given}))["input_image"] == there
    assert inputs(wish(64, task="edit", options={"input_image": link}))["input_image"] == link
    assert inputs(wish(16, model="rd-tile/tile_variation", options={"input_image": link}))["input_image"] == link
    with pytest.raises(InvalidRequest, match="not in both"):
        sent(wish(64, task="edit", images=(picture(),), options={"input_image": link}))


@pytest.mark.parametrize("bad", [3, None, "potion.png", "data:image/png;base64,???", "data:image/png,abc", ""])
def test_image_options_that_are_none(bad):
    with pytest.raises(InvalidRequest):
        sent(wish(64, options={"input_palette": bad}))


def test_unreadable_and_large_images():
    with pytest.raises(UnreadableImage):
        sent(wish(64, task="edit", images=(b"no image",)))
    noise = Image.frombytes("RGB", (300, 300), random.Random(1).randbytes(300 * 300 * 3))
    out = io.BytesIO()
    noise.save(out, "PNG")
    with pytest.raises(InvalidRequest, match="at most 256,000"):
        sent(wish(64, task="edit", images=(out.getvalue(),)))


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_an_argument_stands_for(name):
    with pytest.raises(InvalidRequest, match="cannot be given as an option") as caught:
        sent(wish(options={name: 1}))
    assert caught.value.hint == REFUSED[name]


@pytest.mark.parametrize("model", bundled(), ids=lambda model: model.id)
def test_each_model_knows_its_own_inputs_and_no_other(model):
    everything = {name for known in OPTIONS.values() for name in known} | {"negative_prompt", "frames_duration"}
    images = (picture(),) if model.needs_image else ()
    for name in everything - OPTIONS[model.family].keys():
        with pytest.raises(InvalidRequest, match="has no option"):
            sent(wish(model.min_width, model=model.id, task=model.tasks[0], images=images, options={name: True}))


def test_a_second_ground_is_the_advanced_tilesets_alone():
    with pytest.raises(InvalidRequest, match="has no option 'extra_prompt'"):
        sent(wish(16, model="rd-tile/single_tile", options={"extra_prompt": "x"}))


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("tile_x", 1, "true or false"),
        ("bypass_prompt_expansion", "yes", "true or false"),
        ("strength", 1.5, "from 0 to 1"),
        ("strength", float("nan"), "from 0 to 1"),
        ("strength", True, "from 0 to 1"),
        ("strength", 0.5, "needs an image"),
    ],
)
def test_options_out_of_range(name, value, match):
    with pytest.raises(InvalidRequest, match=match):
        sent(wish(64, options={name: value}))


def test_strength_twice():
    with pytest.raises(InvalidRequest, match="twice"):
        sent(wish(64, task="edit", images=(picture(),), strength=0.5, options={"strength": 0.4}))


def test_options_pass_through_under_the_vendors_names():
    body = inputs(wish(64, options={"tile_x": True, "bypass_prompt_expansion": True}))
    assert body["tile_x"] is True
    assert body["bypass_prompt_expansion"] is True
    assert "tile_y" not in body
    assert inputs(wish(48, task="animation", options={"return_spritesheet": False}))["return_spritesheet"] is False
