"""What the PixelLab backend sends: every body exact and valid, every limit and option checked before it leaves."""

from __future__ import annotations

import pytest

from pixelrouter.backends import load
from pixelrouter.backends.pixellab.endpoints import ENDPOINTS
from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import Mark, Ticket
from tests.backends.pixellab.made import (
    BODIES,
    JOINTS,
    KEY,
    OTHER,
    PIC,
    POSES,
    backend,
    picture,
    sent,
    wire,
    wish,
)
from tests.testing.pixellab import published

V1 = {"pixflux", "bitforge", "inpaint", "rotate", "animate-text", "animate-skeleton"}


def test_it_is_found_by_name_and_keeps_the_protocol():
    assert isinstance(backend(), RemoteBackend)
    assert load("pixellab") is type(backend())
    assert set(BODIES) == {model.id for model in backend().capabilities().models}


@pytest.mark.parametrize("name", BODIES)
def test_every_body_is_exact_and_goes_to_its_own_path(name):
    request, body = BODIES[name]
    assert backend().resolve(request).id == name
    call = sent(request)
    assert (call.method, call.json) == ("POST", body)
    path = next(each.path for each in ENDPOINTS if each.id == name)
    assert call.url == f"https://api.pixellab.ai/v2/{path}"
    assert call.secrets["Authorization"].get_secret_value() == f"Bearer {KEY}"
    assert sent(request).body == call.body  # the same attempt is the same bytes


@published.needed
@pytest.mark.parametrize("name", BODIES)
def test_every_body_is_valid_by_the_published_document(name):
    request, body = BODIES[name]
    url = sent(request).url
    published.check_request("v2", "POST", url.removeprefix("https://api.pixellab.ai/v2"), body)
    known = published.operation("v2", "POST", url.removeprefix("https://api.pixellab.ai/v2"))
    reference = published.schema_of(known["requestBody"]).rpartition("/")[2]
    # v2 refuses fields that it does not know; the copy of the document has lost that word.
    assert set(body) <= set(published.document("v2")["components"]["schemas"][reference]["properties"])


@published.needed
@pytest.mark.parametrize("name", sorted(V1))
def test_every_v1_body_is_valid_too(name):
    request, body = BODIES[name]
    call = sent(request, "v1")
    assert call.json == body
    published.check_request("v1", "POST", call.url.removeprefix("https://api.pixellab.ai/v1"), call.json)


@published.needed
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.id)
def test_every_option_is_a_field_of_the_document(endpoint):
    known = published.operation("v2", "POST", f"/{endpoint.path}")
    reference = published.schema_of(known["requestBody"]).rpartition("/")[2]
    fields = set(published.document("v2")["components"]["schemas"][reference]["properties"])
    assert {*endpoint.options, *endpoint.parts} <= fields
    if endpoint.v1:
        known = published.operation("v1", "POST", f"/{endpoint.v1}")
        reference = published.schema_of(known["requestBody"]).rpartition("/")[2]
        fields = set(published.document("v1")["components"]["schemas"][reference]["properties"])
        assert {*endpoint.options, *endpoint.parts} - endpoint.v2_only <= fields


def test_v1_has_its_own_models_and_paths():
    api = backend("v1")
    assert {model.id for model in api.capabilities().models} == V1
    assert sent(wish(), "v1").url == "https://api.pixellab.ai/v1/generate-image-pixflux"
    with pytest.raises(InvalidRequest, match=r"v1 has no 'tileset'.*api_version"):
        sent(wish(model="tileset"), "v1")
    with pytest.raises(InvalidRequest, match=r"no model for task 'views'.*api_version"):
        sent(wish(task="views"), "v1")
    with pytest.raises(InvalidRequest, match="no option 'background_removal_task'"):
        sent(wish(options={"background_removal_task": "remove_complex_background"}), "v1")
    assert sent(wish(options={"background_removal_task": "remove_complex_background"})).json["background_removal_task"]


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_every_other_path(version):
    api = backend(version, base_url="http://127.0.0.1:9/")
    assert api.poll(Ticket("j-1", {"model": "pixflux"})).request.url == "http://127.0.0.1:9/v2/background-jobs/j-1"
    at = Ticket("j-1", {"model": "tileset", "at": "tilesets/t-1"})
    assert api.poll(at).request.url == "http://127.0.0.1:9/v2/tilesets/t-1"
    assert api.renew(at).request.url == "http://127.0.0.1:9/v2/tilesets/t-1"
    assert api.balance().request.url == f"http://127.0.0.1:9/{version}/balance"
    assert backend("v1", account="subscription").balance().request.url == "https://api.pixellab.ai/v2/balance"
    assert api.hosts().api == ("http://127.0.0.1:9",)
    assert api.hosts().delivery == ("127.0.0.1", "*")
    assert api.find(Mark("a", 1), wish()) is None
    assert api.cancel(at) is None
    assert KEY not in repr(api)


def test_jobs_where_they_are_preferred():
    background = "https://api.pixellab.ai/v2/create-image-pixflux-background"
    assert sent(wish(), prefer_jobs=True).url == background
    assert sent(wish(), prefer_jobs=True).json == sent(wish()).json
    assert sent(wish(), "v1", prefer_jobs=True).url == "https://api.pixellab.ai/v1/generate-image-pixflux"
    assert sent(wish(model="pixen"), prefer_jobs=True).url.endswith("/create-image-pixen")


# --- which model ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        (wish(), "pixflux"),
        (wish(16), "pixen"),  # under pixflux's area
        (wish(16, 20), "bitforge"),  # pixen wants a square here
        (wish(512), "pixen"),
        (wish(256, transparent=True), "pixen"),  # pixflux would come out blank
        (wish(201, transparent=False), "pixflux"),
        (wish(images=(PIC,)), "bitforge"),
        (wish(task="edit", images=(PIC,)), "edit-image"),
        (wish(task="edit", images=(PIC,), strength=0.5), "pixflux"),
        (wish(task="views", views="8", images=(PIC,)), "rotations-v3"),
        (wish(task="views", views="8"), "character-8"),
        (wish(task="views"), "character-4"),
        (wish(task="animation", action="walk", images=(PIC,)), "animate-v3"),
        (wish(task="animation", images=(PIC,), options=POSES), "animate-skeleton"),
        (wish(16, task="tileset", upper="sand"), "tileset"),
        (wish(task="remove_background", images=(PIC,)), "remove-background"),
    ],
)
def test_the_automatic_choice(request_, model):
    assert backend().resolve(request_).id == model


def test_a_model_from_the_config_and_a_name_that_is_none():
    assert backend(model="pixen").resolve(wish()).id == "pixen"
    assert backend(model="pixen").resolve(wish(task="views", views="4")).id == "character-4"  # pixen draws no views
    with pytest.raises(InvalidRequest, match="Did you mean one of: pixflux"):
        backend().resolve(wish(model="pixfluks"))
    with pytest.raises(InvalidRequest, match=r"cannot do task 'tileset'.*It does: image, edit"):
        backend().resolve(wish(task="tileset", model="pixflux"))
    with pytest.raises(InvalidRequest, match="pixen can do it"):
        backend().resolve(wish(16, model="pixflux"))


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (wish(16, model="pixflux"), "at least 1024 pixels"),
        (wish(401, model="pixflux"), "16x16 to 400x400"),
        (wish(201, model="pixflux", transparent=True), "transparent background up to 200x200"),
        (wish(30, model="pixen"), "multiples of 4"),
        (wish(16, 32, model="pixen"), "squares only where a side is under 32"),
        (wish(516, 512, model="pixen"), "at most 262144 pixels"),
        (wish(201, model="bitforge"), "16x16 to 200x200"),
        (wish(513, model="generate-image-v2"), "must fit into one of 384x688"),
        (wish(793, 100, model="generate-image-v2"), "16x16 to 792x688"),
        (wish(43, n=17, model="generate-image-v2"), "returns 16 images at 43 pixels, not 17"),
        (wish(model="generate-image-v2", images=(PIC,) * 5), "at most 4 reference images"),
        (wish(model="generate-image-v2", prompt="x" * 2001), "at most 2000 characters"),
        (wish(n=2), "at most 1 images a request.*By name it can be had: model='generate-image-v2'"),
        (wish(task="inpaint", images=(PIC,)), "needs a mask"),
        (wish(task="edit"), "needs an input image"),
        (wish(task="edit", model="edit-image", images=(picture(8),)), "works on pictures of 16x16 to 400x400, not 8x8"),
        (wish(task="edit", model="edit-image", images=(PIC,), strength=0.5), "no strength"),
        (wish(task="edit", model="image-to-pixelart", images=(picture(1281, 16),)), "not 1281x16"),
        (wish(task="edit", model="image-to-pixelart", images=(PIC,)), "takes no prompt"),
        (wish(task="edit", model="rotate", images=(PIC,)), "takes no prompt"),
        (wish(321, task="edit", model="image-to-pixelart", images=(PIC,)), "16x16 to 320x320"),
        (wish(task="views", views="2x2"), "not 2x2"),
        (wish(257, task="views", views="8", images=(picture(257),)), "1x1 to 256x256"),
        (wish(task="animation", images=(PIC,)), "needs an action"),
        (wish(task="animation", action="walk", prompt=""), "needs an input image"),
        (wish(8, task="animation", action="walk", images=(), model="animate-text"), "64x64, not 8x8"),
        (wish(task="animation", action="walk", frames=5, images=(PIC,)), "12 or 14 or 16 frames, not 5"),
        (wish(256, task="animation", action="w", frames=16, images=(picture(256),)), "at most 8 frames at 256x256"),
        (wish(task="animation", model="animate-v3", action="w" * 1001, images=(PIC,)), "actions of at most 1000"),
        (wish(32, task="animation", model="animate-text", action="w", images=(PIC,)), "64x64, not 32x32"),
        (wish(task="animation", model="animate-skeleton", images=(PIC,)), "needs options={'skeleton_keypoints'"),
        (wish(16, task="tileset"), "needs upper="),
        (wish(16, task="tileset", upper="sand", tiles="seamless"), "wang tiles, not seamless"),
        (wish(24, task="tileset", upper="sand"), "16x16 or 32x32, not 24x24"),
        (wish(64, task="tileset", upper="sand"), "16x16 to 32x32, not 64x64"),  # larger ones are pro
        (wish(16, task="tileset", upper="s", options={"transition_size": 0.3}), "0, 0.25, 0.5 or 1, not 0.3"),
        (wish(64, task="tileset", model="tileset-sidescroller"), "16x16 to 32x32"),
        (wish(65, model="isometric-tile"), "16x16 to 64x64"),
        (wish(31, model="map-object"), "32x32 to 400x400"),
        (wish(401, task="remove_background", images=(picture(401),)), "1x1 to 400x400"),
    ],
)
def test_limits(request_, words):
    with pytest.raises(InvalidRequest, match=words):
        backend().resolve(request_)


@pytest.mark.parametrize("side", [16, 42, 85, 170, 512])
def test_as_many_images_as_a_request_returns(side):
    count = {16: 64, 42: 64, 85: 16, 170: 4, 512: 1}[side]
    assert backend().resolve(wish(side, model="generate-image-v2", n=count))


@pytest.mark.parametrize(("width", "height"), [(792, 336), (688, 384), (384, 688), (512, 512), (16, 16)])
def test_canvases_that_fit_a_bucket(width, height):
    assert backend().resolve(wish(width, height, model="generate-image-v2"))


def test_pictures_that_decide_the_size_must_have_it():
    for request in (
        wish(32, task="animation", action="walk", images=(PIC,)),
        wish(32, task="views", views="8", images=(PIC,)),
        wish(32, task="views", views="4", images=(PIC,)),
        wish(32, task="inpaint", images=(PIC,), mask=picture(32, color=0, mode="L")),
        wish(64, task="inpaint", images=(PIC,), mask=picture(32, color=0, mode="L")),
        wish(32, task="remove_background", images=(PIC,)),
    ):
        with pytest.raises(InvalidRequest, match="but the request asks for"):
            sent(request)


def test_pictures_that_are_none():
    with pytest.raises(UnreadableImage, match="Image 1 is not an image"):
        sent(wish(task="remove_background", images=(b"no image",)))
    with pytest.raises(UnreadableImage, match="The mask is not an image"):
        sent(wish(task="inpaint", images=(PIC,), mask=b"GIF89a"))
    with pytest.raises(UnreadableImage, match="The picture is not an image"):
        sent(wish(task="edit", images=(b"no image",)))


def test_a_jpeg_becomes_a_png_and_a_png_stays_as_it_is():
    jpeg = picture(mode="RGB", color=(9, 8, 7), kind="JPEG")
    assert sent(wish(task="remove_background", images=(jpeg,))).json["image"]["base64"].startswith("iVBOR")
    assert sent(wish(task="remove_background", images=(PIC,))).json["image"] == wire(PIC)


# --- what the arguments become ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("transparent", "flag"), [(True, True), (False, False), (None, None)])
def test_the_background_is_always_said_aloud(transparent, flag):
    usual = {"pixflux": False, "pixen": False, "bitforge": False, "generate-image-v2": True}
    for model, default in usual.items():
        body = sent(wish(model=model, transparent=transparent)).json
        assert body["no_background"] is (default if flag is None else flag)
    assert sent(wish(task="edit", images=(PIC,), transparent=transparent)).json["no_background"] is (flag is not False)


def test_strength_runs_the_other_way_at_the_vendor():
    edits = {strength: sent(wish(task="edit", images=(PIC,), strength=strength)).json for strength in (0, 0.7, 1)}
    assert {s: body["init_image_strength"] for s, body in edits.items()} == {0: 999, 0.7: 300, 1: 1}
    assert edits[0]["init_image"] == wire(PIC)
    plain = sent(wish(task="edit", model="pixflux", images=(PIC,))).json
    assert "init_image_strength" not in plain


def test_a_second_picture_of_an_edit_is_its_style():
    body = sent(wish(task="edit", model="bitforge", images=(PIC, OTHER))).json
    assert (body["init_image"], body["style_image"], body["style_strength"]) == (wire(PIC), wire(OTHER), 50)
    body = sent(wish(model="bitforge", options={"style_image": OTHER, "style_strength": 20})).json
    assert (body["style_image"], body["style_strength"]) == (wire(OTHER), 20)
    assert sent(wish(model="bitforge", options={"style_image": OTHER})).json["style_strength"] == 50


def test_concept_art_has_any_size():
    options = {"method": "create_from_concept"}
    body = sent(wish(32, task="views", model="rotations-v2", images=(PIC,), options=options)).json
    assert body["concept_image"] == {"image": wire(PIC), "width": 64, "height": 64}
    assert body["method"] == "create_from_concept"
    assert "reference_image" not in body


def test_seeds():
    seed = lambda value, **more: sent(wish(**more), mark=Mark("a", value)).json["seed"]  # noqa: E731 - short
    assert seed(0) == 0
    assert seed(2**31 + 5) == 5  # the router's own choice is cut to 31 bits
    with pytest.raises(InvalidRequest, match="Seed 2147483648 is outside"):
        seed(2**31, seed=2**31)
    text = {"task": "animation", "model": "animate-text", "action": "walk", "images": (PIC,)}
    assert seed(0, **text) == 1  # zero means random there
    assert seed(2**31, **text) == 1
    with pytest.raises(InvalidRequest, match="seed 0 means a random one"):
        seed(0, seed=0, **text)


def test_colours_and_palette_stay_here():
    assert sent(wish(colors=4, palette=("#000000", "#ffffff"))).json == BODIES["pixflux"][1]


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"text_guidance": 3}, "Did you mean 'text_guidance_scale'"),
        ({"text_guidance_scale": 21}, "from 1 to 20"),
        ({"text_guidance_scale": True}, "from 1 to 20"),
        ({"text_guidance_scale": float("nan")}, "from 1 to 20"),
        ({"init_image_strength": 0}, "from 1 to 999"),
        ({"init_image_strength": 2.5}, "whole number"),
        ({"outline": "bold"}, "single color black outline"),
        ({"isometric": 1}, "true or false"),
        ({"color_image": "***"}, "not base64"),
        ({"color_image": 7}, "bytes or base64 text"),
        ({"color_image": "aGVsbG8="}, "not an image"),
        ({"seed": 3}, "Use seed="),
        ({"image_size": {}}, "Use size="),
        ({"no_background": True}, "Use transparent="),
        ({"coverage_percentage": 40}, "no option 'coverage_percentage'"),
        ({"extra_guidance_scale": 3}, "ignores it"),
    ],
)
def test_options_of_pixflux(options, words):
    with pytest.raises(InvalidRequest, match=words):
        sent(wish(options=options))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (wish(task="views", views="8", options={"mode": "pro"}), "cannot be bought from here"),
        (wish(16, task="tileset", upper="s", options={"mode": "pro"}), "cannot be bought from here"),
        (wish(16, task="tileset", upper="s", options={"transition_size": 1.5, "shape_style": "round"}), "from 0 to 1"),
        (wish(16, task="tileset", model="tileset-sidescroller", options={"transition_size": 0.3}), "0, 0.25, 0.5, 1"),
        (wish(model="map-object", options={"detail": "highly detailed"}), "high detail"),
        (wish(model="map-object", options={"inpainting": {"type": "star"}}), "needs a type: mask, oval, rectangle"),
        (wish(model="map-object", options={"inpainting": {"type": "oval", "size": 1}}), "size unknown or missing"),
        (wish(model="isometric-tile", options={"isometric_tile_size": 24}), "16, 32"),
        (wish(task="views", options={"proportions": {"type": "custom", "head_size": 3}}), "from 0.5 to 2"),
        (wish(task="views", options={"directions": {"north": PIC}}), "south among them"),
        (
            wish(task="views", views="4", options={"directions": {"south": PIC, "north-east": PIC}}),
            "There are south, w",
        ),
        (
            wish(task="views", views="4", images=(PIC,), options={"directions": {"south": PIC}}),
            "directions is given twi",
        ),
        (wish(model="bitforge", options={"skeleton_keypoints": []}), "list of points"),
        (wish(model="bitforge", options={"skeleton_keypoints": [{"x": 1, "y": 2}]}), "label unknown or missing"),
        (wish(model="bitforge", options={"skeleton_keypoints": [{"x": 1, "y": 2, "label": "TAIL"}]}), "not one of"),
        (wish(model="generate-image-v2", options={"style_options": {"size": True}}), "size unknown"),
        (wish(model="generate-image-v2", options={"style_options": 3}), "must be an object"),
        (wish(task="remove_background", images=(PIC,), options={"text": "x"}), "Use the prompt"),
        (wish(task="remove_background", images=(PIC,), options={"background_removal_task": ""}), "not one of"),
        (wish(task="views", model="rotations-v2", images=(PIC,), options={"style_description": "x" * 501}), "0 to 500"),
        (wish(task="views", model="rotations-v2", images=(PIC,), options={"style_description": 5}), "must be text"),
    ],
)
def test_options_of_others(request_, words):
    with pytest.raises(InvalidRequest, match=words):
        sent(request_)


@pytest.mark.parametrize("frames", [0, 2, 4])
def test_a_skeleton_has_exactly_three_frames(frames):
    options = {"skeleton_keypoints": [JOINTS] * frames}
    with pytest.raises(InvalidRequest, match="list of exactly 3"):
        sent(wish(task="animation", model="animate-skeleton", images=(PIC,), options=options))


def test_pictures_in_options_and_gaps_in_their_lists():
    options = {**POSES, "inpainting_images": [PIC, None, f"data:image/png;base64,{wire(PIC)['base64']}"]}
    body = sent(wish(task="animation", images=(PIC,), options=options)).json
    assert body["inpainting_images"] == [wire(PIC), None, wire(PIC)]
    assert sent(wish(options={"color_image": wire(PIC)})).json["color_image"] == wire(PIC)
    body = sent(wish(model="generate-image-v2", options={"style_image": PIC})).json
    assert body["style_image"] == {"image": wire(PIC), "size": {"width": 64, "height": 64}}
