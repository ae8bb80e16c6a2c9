"""What the fal backend sends: every body exact, every option and limit checked before anything leaves."""

from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from pixelrouter.backends import load
from pixelrouter.backends.fal import FalSettings
from pixelrouter.backends.fal.body import MOST_IMAGE_BYTES
from pixelrouter.backends.fal.settings import SPRITESHEET_LORA
from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import VIEW_NAMES
from tests.backends.fal.answers import KEY, LORA, MARK, SPRITESHEET, backend, picture, sheet, wish

URI = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
SQUARE = {"width": 1024, "height": 1024}
OWN_LORA = {"path": SPRITESHEET_LORA, "scale": 1.1}


def sent(request, mark=MARK, **settings):
    return backend(**settings).submit(request, mark).request


def test_it_is_found_by_name_and_keeps_the_protocol():
    assert isinstance(backend(), RemoteBackend)
    assert load("fal") is type(backend())


# --- the four bodies --------------------------------------------------------------------------------------------------


def test_a_sheet():
    request = sent(sheet())
    assert (request.method, request.url) == ("POST", f"https://queue.fal.run/{SPRITESHEET}")
    assert request.json == {
        "prompt": "2x2 sprite sheet, a red potion",
        "image_size": SQUARE,
        "num_images": 1,
        "seed": 77,
        "image_urls": [URI],
        "output_format": "png",
        "loras": [OWN_LORA],
    }
    assert request.headers == {"Accept": "application/json", "x-app-fal-disable-fallback": "true"}
    assert {name: secret.get_secret_value() for name, secret in request.secrets.items()} == {
        "Authorization": f"Key {KEY}"
    }


def test_a_sheet_without_a_prompt_says_the_trigger_and_nothing_else():
    assert sent(sheet(prompt=" ")).json["prompt"] == "2x2 sprite sheet"


def test_the_sheets_lora_is_pinned_to_a_revision_and_a_file():
    assert "/resolve/6d3128f9223f585251ad3a02dd0d8082c9b5ca3f/flux-spritesheet-lora.safetensors" in SPRITESHEET_LORA


def test_a_picture_from_text():
    request = sent(wish(n=4, options={"loras": [{"path": LORA, "scale": 0.8}]}))
    assert request.url == "https://queue.fal.run/fal-ai/flux-2/klein/4b/base/lora"
    assert request.json == {
        "prompt": "a red potion",
        "image_size": SQUARE,
        "num_images": 4,
        "seed": 77,
        "output_format": "png",
        "loras": [{"path": LORA, "scale": 0.8}],
    }
    assert "loras" not in sent(wish()).json


def test_an_edit():
    request = sent(wish(task="edit", images=(picture(), picture(form="JPEG")), options={"guidance_scale": 4}))
    assert request.url == f"https://queue.fal.run/{SPRITESHEET}"
    assert request.json == {
        "prompt": "a red potion",
        "image_size": SQUARE,
        "num_images": 1,
        "seed": 77,
        "image_urls": [URI, f"data:image/jpeg;base64,{base64.b64encode(picture(form='JPEG')).decode()}"],
        "output_format": "png",
        "guidance_scale": 4.0,
    }


def test_image2pixel():
    request = sent(wish(task="edit", model="image2pixel", images=(picture(),), options={"max_colors": 16}))
    assert request.url == "https://queue.fal.run/fal-ai/image2pixel"
    assert request.json == {"image_url": URI, "max_colors": 16}


@pytest.mark.parametrize("transparent", [True, False])
def test_image2pixel_removes_the_ground_when_asked(transparent):
    request = wish(task="edit", model="image2pixel", images=(picture(),), transparent=transparent)
    assert sent(request).json == {"image_url": URI, "transparent_background": transparent}


def test_background_removal():
    request = sent(wish(task="remove_background", images=(picture(),), prompt=""))
    assert request.url == "https://queue.fal.run/fal-ai/bria/background/remove"
    assert request.json == {"image_url": URI}


def test_the_same_attempt_is_the_same_bytes():
    assert sent(sheet()).body == sent(sheet()).body


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_go_as_data_addresses(form):
    data = picture(form=form)
    kind, _, text = sent(sheet(images=(data,))).json["image_urls"][0].partition(";base64,")
    assert (kind, base64.b64decode(text)) == (f"data:image/{form.lower()}", data)


@pytest.mark.parametrize("data", [b"", b"no image", b"RIFF0000WAVE"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(UnreadableImage, match="Image 1 is no PNG"):
        sent(sheet(images=(data,)))


def test_images_that_are_too_large_together_are_refused():
    half = picture() + b"\0" * (MOST_IMAGE_BYTES // 2)
    with pytest.raises(InvalidRequest, match="more than the"):
        sent(wish(task="edit", images=(half, half)))


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "canvas", "raw"),
    [
        ((32, 32), 1024, (1024, 1024)),
        ((32, 32), 512, (512, 512)),
        ((32, 48), 1024, (688, 1024)),
        ((64, 32), 1024, (1024, 512)),
        ((128, 32), 1024, (2048, 512)),
        ((32, 128), 512, (512, 2048)),
        ((1, 1), 640, (640, 640)),
    ],
)
def test_the_shape_asked_for_is_drawn_large(size, canvas, raw):
    body = sent(wish(*size), canvas=canvas).json
    assert (body["image_size"]["width"], body["image_size"]["height"]) == raw
    assert raw[0] * raw[1] <= 1 << 20
    assert backend(canvas=canvas).layout(wish(*size, model="klein", n=2)).raw_size == raw


@pytest.mark.parametrize("size", [(width, height) for width in (1, 3, 7, 32, 100) for height in (2, 5, 12, 48, 97)])
@pytest.mark.parametrize("canvas", [512, 736, 1024])
def test_no_shape_costs_more_than_a_megapixel_or_leaves_the_limits(size, canvas):
    if max(size) > 4 * min(size):
        with pytest.raises(InvalidRequest, match="at most 4:1"):
            sent(wish(*size))
        return
    for request in (wish(*size), sheet(*size)):
        drawn = sent(request, canvas=canvas).json["image_size"]
        step = 32 if request.task == "views" else 16
        assert all(512 <= side <= 2048 and side % step == 0 for side in drawn.values())
        assert drawn["width"] * drawn["height"] <= 1 << 20


def test_layouts():
    api = backend()
    cut = api.layout(sheet(model="klein-spritesheet"))
    assert (cut.raws, cut.columns, cut.rows, cut.names, cut.key) == (1, 2, 2, VIEW_NAMES["2x2"], True)
    assert cut.raw_size == (1024, 1024)
    assert api.layout(wish(n=3)).raws == 3
    assert api.layout(wish(n=3)).key is False
    assert api.layout(wish(task="edit", model="image2pixel", images=(picture(),))).raws == 1
    assert api.layout(wish(task="remove_background", images=(picture(),))).raws == 1


# --- two steps --------------------------------------------------------------------------------------------------------


def test_a_sheet_of_a_prompt_has_its_picture_bought_first():
    api = backend()
    first = api.first(sheet(images=(), seed=5))
    assert first is not None
    assert (first.task, first.model, first.seed, first.size, first.n) == ("image", "klein", 5, (1024, 1024), 1)
    assert first.prompt == "a red potion, a single object, centred and isolated on a plain white background"
    assert api.first(first) is None
    assert api.submit(first, MARK).request.json["prompt"] == first.prompt
    second = sheet(images=(picture(),), seed=5)
    assert api.first(second) is None
    assert api.submit(second, MARK).request.json["image_urls"] == [URI]


def test_a_sheet_is_never_sent_without_its_picture():
    with pytest.raises(InvalidRequest, match="needs a reference image"):
        sent(sheet(images=()))


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(InvalidRequest, match="needs a prompt or an image"):
        backend().first(sheet(images=(), prompt=" "))


@pytest.mark.parametrize("request_", [wish(), wish(task="edit", images=(picture(),))])
def test_nothing_else_has_a_first_step(request_):
    assert backend().first(request_) is None


# --- limits -----------------------------------------------------------------------------------------------------------

IMAGE = (picture(),)
TOO_MUCH = [
    (wish(n=5), "at most 4 images"),
    (wish(images=IMAGE), "at most 0 reference images"),
    (wish(prompt=" "), "needs a prompt"),
    (wish(task="edit", images=IMAGE * 5), "at most 3 reference images"),
    (wish(task="edit", images=IMAGE, strength=0.5), "no strength"),
    (wish(task="edit", images=IMAGE, prompt=""), "needs a prompt"),
    (wish(task="edit"), "needs an input image"),
    (sheet(n=2), "at most 1 images"),
    (sheet(images=IMAGE * 2), "at most 0 reference images"),
    (sheet(513), "not 513x513"),
    (wish(task="views", views="8", images=IMAGE), "2x2 views, not 8"),
    (wish(task="edit", model="image2pixel", images=IMAGE, n=2), "at most 1 images"),
    (wish(task="remove_background"), "needs an input image"),
    (wish(model="image2pixel", images=IMAGE), "cannot do task 'image'"),
    (wish(task="tileset", tiles="seamless"), "no model for task 'tileset'"),
    (wish(task="animation"), "no model for task 'animation'"),
    (wish(model="klien"), "no model 'klien'"),
    (wish(640, model="klein"), "not 640x640"),
]


@pytest.mark.parametrize(("request_", "why"), TOO_MUCH)
def test_every_limit(request_, why):
    with pytest.raises(InvalidRequest, match=why):
        backend(canvas=512).submit(request_, MARK)


def test_a_misspelt_model_names_the_nearest():
    with pytest.raises(InvalidRequest, match="Did you mean 'klein-edit'"):
        backend().resolve(wish(model="klein-edi"))
    with pytest.raises(InvalidRequest, match="Did you mean 'klein'"):
        backend(model="klien").resolve(wish())


def test_which_model_draws():
    api = backend(model="image2pixel")
    assert api.resolve(wish(task="edit", images=IMAGE)).id == "image2pixel"
    assert api.resolve(wish()).id == "klein"
    assert backend().resolve(wish(task="edit", images=IMAGE)).id == "klein-edit"
    assert backend().resolve(sheet(images=())).id == "klein-spritesheet"
    assert backend().resolve(wish(task="remove_background", images=IMAGE)).id == "remove-background"


# --- settings ---------------------------------------------------------------------------------------------------------


def test_configured_endpoints_and_loras():
    set_up = {"spritesheet_endpoint": "me/app/x", "text_endpoint": "me/text", "edit_endpoint": "me/edit/y"}
    assert sent(sheet(), **set_up, lora_url=LORA, lora_scale=1).url == "https://queue.fal.run/me/app/x"
    assert sent(sheet(), lora_url=LORA, lora_scale=1).json["loras"] == [{"path": LORA, "scale": 1.0}]
    assert sent(wish(), **set_up).url == "https://queue.fal.run/me/text"
    assert sent(wish(task="edit", images=IMAGE), **set_up).url == "https://queue.fal.run/me/edit/y"
    assert sent(wish(), text_lora_url=LORA, text_lora_scale=0.7).json["loras"] == [{"path": LORA, "scale": 0.7}]


def test_start_deadline_is_a_header():
    assert sent(wish(), start_timeout_s=30).headers["X-Fal-Request-Timeout"] == "30.0"
    assert "X-Fal-Request-Timeout" not in sent(wish()).headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"queue_url": "queue.fal.run"},
        {"api_url": "ftp://x"},
        {"storage_url": "x"},
        {"lora_url": "fal/flux-2-klein-4b-spritesheet-lora"},
        {"text_lora_url": "http://x/y"},
        {"lora_scale": 0},
        {"canvas": 511},
        {"canvas": 1056},
        {"canvas": 1000},
        {"start_timeout_s": 1},
        {"spritesheet_endpoint": "flux"},
        {"edit_endpoint": "a/../b"},
        {"text_endpoint": "a/b?c"},
        {"loras": []},
    ],
)
def test_wrong_settings(wrong):
    with pytest.raises(ValidationError):
        FalSettings(**wrong)


def test_each_host_has_its_own_key_and_base_url_stands_for_all():
    one = backend(base_url="http://127.0.0.1:9/")
    assert one.submit(wish(), MARK).request.url.startswith("http://127.0.0.1:9/fal-ai/")
    assert one.quote(wish()).request.url.startswith("http://127.0.0.1:9/v1/models/pricing?")
    assert one.hosts().api == ("http://127.0.0.1:9",)
    assert "127.0.0.1" in one.hosts().delivery
    many = backend(
        base_url="http://a:1",
        queue_url="http://q:2/",
        api_url="http://p:3",
        storage_url="http://s:4",
        delivery_hosts=("cdn",),
    )
    assert many.submit(wish(), MARK).request.url.startswith("http://q:2/fal-ai/")
    assert many.quote(wish()).request.url.startswith("http://p:3/v1/")
    assert many.hosts().api == ("http://q:2", "http://p:3")
    assert {"s", "cdn", "*.fal.media"} <= set(many.hosts().delivery)


def test_the_published_hosts():
    hosts = backend().hosts()
    assert hosts.api == ("https://queue.fal.run", "https://api.fal.ai")
    assert {"v3.fal.media", "*.fal.media", "fal.media"} <= set(hosts.delivery)
    assert "*" not in hosts.delivery


# --- licences, secrets ------------------------------------------------------------------------------------------------


def test_licences():
    caps = backend().capabilities()
    assert caps.idempotent is False
    assert {model.id: caps.licence_of(model.id).commercial for model in caps.models} == {
        **dict.fromkeys(("klein", "klein-edit", "image2pixel", "remove-background"), True),
        "klein-spritesheet": None,  # its LoRA's card was not seen
    }
    assert all(caps.licence_of(model.id).checked and caps.licence_of(model.id).url for model in caps.models)
    other = backend(text_lora_url=LORA, lora_url=LORA).capabilities()
    assert other.licence_of("klein").commercial is None
    assert other.licence_of("klein-spritesheet").commercial is None
    assert backend().resolve(wish(options={"loras": [LORA]})).licence.commercial is None
    nine = "fal-ai/flux-2/klein/9b/base/lora"  # whose weights are not for commercial use
    elsewhere = backend(text_endpoint=nine, edit_endpoint=nine, spritesheet_endpoint=nine)
    caps = elsewhere.capabilities()
    assert {caps.licence_of(model).commercial for model in ("klein", "klein-edit", "klein-spritesheet")} == {None}
    assert "Apache" not in elsewhere.resolve(wish(options={"loras": [LORA]})).licence.note
    assert backend().resolve(wish()).licence.commercial is True


def test_only_image2pixel_draws_native_pixels():
    caps = backend().capabilities()
    assert [model.id for model in caps.models if caps.is_native(model.id)] == ["image2pixel"]


def test_no_secret_in_any_repr():
    api = backend()
    for thing in (api, api.submit(wish(), MARK), api.submit(wish(), MARK).request, api.settings):
        assert KEY not in repr(thing)
    assert KEY not in api.submit(wish(), MARK).request.body.decode()


def test_a_pasted_line_break_is_not_sent():
    secret = backend(f"{KEY}\n").submit(wish(), MARK).request.secrets["Authorization"]
    assert secret.get_secret_value() == f"Key {KEY}"


def test_without_a_key_it_can_still_show_what_it_would_send():
    api = backend(key=None)
    assert api.submit(wish(), MARK).request.secrets == {}
    assert api.submit(wish(), MARK).request.json["prompt"] == "a red potion"


def test_what_the_vendor_cannot_do():
    assert backend().balance() is None
    assert backend().catalogue() == ()
