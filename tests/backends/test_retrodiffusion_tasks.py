"""What each task becomes on the wire: views, animations, tilesets, edits, and the edit tools' own endpoints."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pixelrouter.backends.retrodiffusion import styles, tools
from pixelrouter.errors import (
    ContentBlocked,
    ContentRefused,
    InvalidRequest,
    JobFailed,
    OutOfCredit,
    RequestRejected,
    UnexpectedAnswer,
    UnreadableImage,
)
from pixelrouter.money.prices import listed
from pixelrouter.types import Money, Ticket
from tests.backends.retrodiffusion_answers import MARK, answer, backend, picture, v2_error, wish

FRAME = {"images": (picture((64, 64)),)}


def sent(request, version="v2"):
    return backend(version).submit(request, MARK).request


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def animation(**more):
    return wish(64, task="animation", **more)


# --- edit with strength -----------------------------------------------------------------------------------------------


def test_strength_is_sent_as_the_vendor_means_it():
    body = sent(wish(64, task="edit", images=(picture(),), strength=0.3)).json
    assert (body["strength"], body["prompt_style"]) == (0.3, "rd_fast__default")
    assert "strength" not in sent(wish(64, task="edit", images=(picture(),))).json


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"strength": 0.3, "options": {"strength": 0.5}}, "strength= and the option 'strength' say the same twice"),
        ({"strength": 0.0}, "strength=0.0 is outside"),
        ({"strength": 0.5, "model": "rd_advanced_animation__walking", "task": "animation"}, "no strength to set"),
    ],
)
def test_a_strength_that_cannot_be_is_refused(change, named):
    ask = {"task": "edit", **FRAME} | change
    with pytest.raises(InvalidRequest, match=named):
        sent(wish(64, **ask))


# --- views ------------------------------------------------------------------------------------------------------------


def test_views_of_an_image_are_rotated_and_come_as_a_sheet():
    body = sent(wish(64, task="views", views="8", prompt="", **FRAME)).json
    assert (body["prompt_style"], body["return_spritesheet"]) == ("rd_advanced_animation__rotate", True)
    assert opened(body["input_image"]).size == (64, 64)


def test_views_from_words_are_drawn():
    body = sent(wish(80, task="views", views="4")).json
    assert (body["prompt_style"], body["return_spritesheet"]) == ("rd_animation__8_dir_rotation", True)
    named = sent(wish(80, task="views", model="rd_animation__8_dir_rotation", images=(b"x",))).json
    assert named["reference_images"] == ["eA=="]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"width": 64}, "8_dir_rotation draws 80x80, not 64x64"),
        ({"width": 80, "views": "2x2"}, "draws 4 or 8 views, not 2x2"),
        ({"width": 36, "images": (picture((36, 36)),)}, "multiples of 8"),
        ({"width": 48, "images": (picture((64, 64)),)}, "is 64x64, but the request asks for 48x48"),
        ({"width": 64, "frames": 8, **FRAME}, "chooses the number of frames itself"),
    ],
)
def test_views_that_cannot_be_are_refused(more, named):
    with pytest.raises(InvalidRequest, match=named):
        sent(wish(task="views", **{"views": "8", **more}))


# --- animations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "style", "prompt"),
    [
        ("walk", "walking", "a knight"),
        ("  Walking ", "walking", "a knight"),
        ("idle", "idle", "a knight"),
        ("jumps", "jump", "a knight"),
        ("crouch", "crouch", "a knight"),
        ("attack", "attack", "a knight"),
        ("destroyed", "destroy", "a knight"),
        ("attack with  an axe", "custom_action", "a knight, attack with an axe"),
        (None, "custom_action", "a knight"),
    ],
)
def test_an_action_finds_its_style(action, style, prompt):
    body = sent(animation(prompt="a knight", action=action, **FRAME)).json
    assert (body["prompt_style"], body["prompt"]) == (f"rd_advanced_animation__{style}", prompt)
    assert "frames_duration" not in body
    assert "return_spritesheet" not in body


def test_an_action_without_other_words_is_the_prompt():
    assert sent(animation(prompt=" ", action="waves", **FRAME)).json["prompt"] == "waves"


@pytest.mark.parametrize(
    ("more", "prompt"),
    [
        ({"action": "jump"}, "jump"),
        ({"action": "Jumps "}, "Jumps"),
        ({"action": None, "model": "rd_advanced_animation__destroy"}, "destroy"),
        ({"action": "jump", "prompt": "a knight"}, "a knight"),
        ({"action": "turn", "model": "rd_advanced_animation__rotate"}, ""),  # the vendor asks for none here
    ],
)
def test_a_style_of_one_motion_takes_its_word_where_there_is_no_prompt(more, prompt):
    assert sent(animation(**{"prompt": "", **FRAME, **more})).json["prompt"] == prompt


def test_any_motion_needs_to_be_told_which():
    with pytest.raises(InvalidRequest, match=r"needs an action.*By name can: rd_advanced_animation__walking"):
        sent(animation(prompt="", **FRAME))


@pytest.mark.parametrize(
    ("action", "size", "style"),
    [
        ("walk", 48, "rd_animation__four_angle_walking"),
        ("Idle", 48, "rd_animation__four_angle_walking_idle"),
        ("walk", 64, "rd_animation__any_animation"),
        ("walk", 128, "rd_animation__big_animation"),
    ],
)
def test_an_action_and_a_size_find_the_style_that_has_both(action, size, style):
    body = sent(wish(size, task="animation", prompt="a knight", action=action)).json
    assert (body["prompt_style"], body["prompt"]) == (style, "a knight" if size == 48 else f"a knight, {action}")


@pytest.mark.parametrize(
    ("size", "action", "hint"),
    [
        (48, "dance", r"48x48\. By name can: rd_animation__vfx\.$"),
        (48, None, "By name can: rd_animation__four_angle_walking, "),
        (32, None, "By name can: rd_animation__small_sprites, rd_animation__vfx"),
        (256, "walk", r"not 256x256\.$"),
    ],
)
def test_styles_that_are_never_chosen_by_themselves_are_named(size, action, hint):
    with pytest.raises(InvalidRequest, match=hint):
        sent(wish(size, task="animation", prompt="a knight", action=action))


def test_animations_from_words():
    assert sent(animation(action="dances")).json["prompt"] == "a red potion, dances"
    assert sent(animation(action="dances")).json["prompt_style"] == "rd_animation__any_animation"
    assert sent(wish(128, task="animation")).json["prompt_style"] == "rd_animation__big_animation"


@pytest.mark.parametrize("frames", styles.FRAMES)
def test_frames_are_sent_where_the_style_takes_them(frames):
    assert sent(animation(action="walk", frames=frames, **FRAME)).json["frames_duration"] == frames


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"action": "walk", "frames": 5, **FRAME}, "draws 4 or 6 or 8 or 10 or 12 or 16 frames, not 5"),
        ({"frames": 8}, "any_animation chooses the number of frames itself"),
        ({"frames": 8, "options": {"frames_duration": 8}, **FRAME}, "say the same twice"),
        ({"model": "rd_advanced_animation__walking", "action": "swim", **FRAME}, "cannot do 'swim'"),
        ({"model": "rd_animation__battle_sprites", "action": "walk"}, "motions of its own"),
    ],
)
def test_animations_that_cannot_be_are_refused(more, named):
    with pytest.raises(InvalidRequest, match=named):
        sent(animation(**more))


def test_sheets_of_directions_are_asked_for():
    ask = wish(48, task="animation", model="rd_animation__four_angle_walking", action="walk")
    assert sent(ask).json["return_spritesheet"] is True
    film = ask.model_copy(update={"options": {"return_spritesheet": False}})
    assert sent(film).json["return_spritesheet"] is False


# --- tilesets ---------------------------------------------------------------------------------------------------------


def test_wang_tiles_of_one_prompt():
    body = sent(wish(16, task="tileset", tiles="wang", prompt="grass and dirt")).json
    assert (body["prompt_style"], body["prompt"]) == ("rd_tile__tileset", "grass and dirt")
    assert "extra_prompt" not in body
    assert "tile_x" not in body


def test_of_two_grounds_the_upper_one_is_the_vendors_inside():
    body = sent(wish(16, task="tileset", tiles="wang", prompt="grass", upper="stones")).json
    assert body["prompt_style"] == "rd_tile__tileset_advanced"
    assert (body["prompt"], body["extra_prompt"]) == ("stones", "grass")


@pytest.mark.parametrize(
    ("side", "style"), [(16, "rd_tile__single_tile"), (64, "rd_tile__single_tile"), (96, "rd_fast__texture")]
)
def test_a_seamless_tile(side, style):
    body = sent(wish(side, task="tileset", tiles="seamless", n=3)).json
    assert (body["prompt_style"], body["tile_x"], body["tile_y"]) == (style, True, True)
    assert body["num_images"] == 3


def test_a_still_of_a_tile_style_is_what_it_was():
    body = sent(wish(16, model="rd_tile__single_tile")).json
    assert "tile_x" not in body


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"tiles": "wang", "upper": "x", "model": "rd_tile__tileset"}, "are for rd_tile__tileset_advanced"),
        ({"tiles": "wang", "upper": "x", "options": {"extra_prompt": "y"}}, "say the same twice"),
        ({"tiles": "seamless", "model": "rd_tile__tileset"}, "draws wang tiles, not seamless"),
        ({"tiles": "wang", "width": 64}, "draws 16x16 to 32x32"),
    ],
)
def test_tiles_that_cannot_be_are_refused(more, named):
    with pytest.raises(InvalidRequest, match=named):
        sent(wish(task="tileset", **{"width": 16, **more}))


# --- edit tools -------------------------------------------------------------------------------------------------------

RED = picture((16, 16), (255, 0, 0, 255))
MASK = picture((16, 16), 255, "L")


def inpaint(**more):
    return wish(16, task="inpaint", **({"images": (RED,), "mask": MASK} | more))


def test_an_edit_is_a_task_whose_custom_id_is_the_mark():
    request = sent(inpaint(options={"soft_inpaint": True}))
    assert (request.method, request.url.rpartition("/v2/")[2]) == ("POST", "edit/tools/inpainting/tasks")
    assert request.headers == {"Accept": "application/json"}
    body = dict(request.json)
    assert opened(body.pop("input_image")).getpixel((0, 0)) == (255, 0, 0, 255)
    assert body.pop("mask_image") == base64.b64encode(MASK).decode()  # grey, and as it was given
    assert body == {"prompt": "a red potion", "seed": 77, "soft_inpaint": True, "custom_id": "attempt-1"}


def test_background_removal_sends_the_image_and_its_own_options():
    body = sent(wish(8, task="remove_background", prompt="", images=(RED,), options={"transparency_threshold": 9})).json
    assert set(body) == {"input_image", "transparency_threshold", "custom_id"}


def test_image_edit_is_there_by_name():
    request = sent(wish(16, task="edit", model="edit__image_edit", images=(RED,)))
    assert request.url.endswith("/v2/edit/tools/image_edit/tasks")
    assert request.json["prompt"] == "a red potion"


def test_the_estimate_is_the_same_body_without_the_mark():
    call = backend().quote(inpaint(seed=5))
    assert call.request.url.endswith("/v2/edit/tools/inpainting/estimate")
    body = sent(inpaint(seed=5)).json
    assert call.request.json == {**{k: v for k, v in body.items() if k != "custom_id"}, "seed": 5}
    quote = call.read(answer({"tool_id": "inpainting", "balance_cost": 0.18, "estimate_seconds": 30}))
    assert (quote.cost.money, quote.cost.source, quote.model) == (Money.of("0.18"), "quoted", "edit__inpainting")
    with pytest.raises(UnexpectedAnswer, match="no usable balance_cost"):
        call.read(answer({"tool_id": "inpainting"}))


def test_a_png_that_is_right_already_goes_out_byte_for_byte():
    """Else another release of the image library would make another request of the same attempt."""
    raw = base64.b64encode(picture((16, 16), (1, 2, 3), "RGB")).decode()
    given = {"images": (base64.b64decode(raw),)}
    assert sent(inpaint(**given)).json["input_image"] == raw
    assert sent(wish(64, task="edit", **given)).json["input_image"] == raw
    clear = io.BytesIO()
    Image.new("RGB", (16, 16), (1, 2, 3)).save(clear, "PNG", transparency=(1, 2, 3))
    assert opened(sent(inpaint(images=(clear.getvalue(),))).json["input_image"]).mode == "RGBA"


def test_alpha_survives_in_an_edit_and_the_format_does_not_matter():
    assert opened(sent(inpaint(images=(picture((16, 16)),))).json["input_image"]).mode == "RGBA"
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "blue").save(out, "WEBP", lossless=True)
    assert opened(sent(inpaint(images=(out.getvalue(),))).json["input_image"]).format == "PNG"


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "clear"])
def test_white_of_the_mask_becomes_opaque_and_all_else_clear(mode):
    if mode == "clear":  # white painted on a clear layer; what is clear counts as black, whatever its hidden colour
        mask = Image.new("RGBA", (16, 16), (255, 255, 255, 0))
        mask.paste((255, 255, 255, 255), (4, 4, 8, 8))
    else:
        mask = Image.new("L", (16, 16), 127)
        mask.paste(128, (4, 4, 8, 8))
        mask = mask.point(lambda grey: 255 if grey > 127 else 0).convert(mode) if mode in "1P" else mask.convert(mode)
    out = io.BytesIO()
    mask.save(out, "PNG")
    went = opened(sent(inpaint(mask=out.getvalue())).json["mask_image"])
    assert went.mode == "RGBA"
    alpha = np.array(went.getchannel("A"))
    wanted = np.zeros((16, 16), np.uint8)
    wanted[4:8, 4:8] = 255
    assert np.array_equal(alpha, wanted)


def film():
    out = io.BytesIO()
    Image.new("L", (16, 16)).save(out, "GIF", save_all=True, append_images=[Image.new("L", (16, 16), 255)])
    return out.getvalue()


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"mask": None}, "needs a mask"),
        ({"mask": picture((16, 16), 0, "L")}, "no white in it"),
        ({"mask": picture((8, 8), 255, "L")}, "The mask is 8x8, but the request asks for 16x16"),
        ({"images": (picture((8, 8)),)}, "The input image is 8x8"),
        ({"images": ()}, "needs an input image"),
        ({"images": (RED, RED)}, "at most 0 reference images"),
        ({"images": (film(),)}, "is an animation"),
        ({"prompt": " "}, "needs a prompt"),
        ({"strength": 0.5}, "no strength"),
        ({"seed": 2**31}, "Seed 2147483648"),
        ({"options": {"soft_inpaint": 1}}, "must be true or false"),
        ({"options": {"softinpaint": True}}, "Did you mean 'soft_inpaint'"),
        ({"options": {"upload_outputs": True}}, "no option"),
    ],
)
def test_edits_that_cannot_be_are_refused(more, named):
    with pytest.raises(InvalidRequest, match=named):
        sent(inpaint(**more))


@pytest.mark.parametrize("value", [-1, "3", True, 1.5])
def test_a_bad_threshold_is_refused(value):
    with pytest.raises(InvalidRequest, match="transparency_threshold"):
        sent(wish(16, task="remove_background", images=(RED,), options={"transparency_threshold": value}))


def test_an_unreadable_mask_is_refused():
    with pytest.raises(UnreadableImage, match="The mask is not an image"):
        sent(inpaint(mask=b"junk"))


def test_the_edit_tools_need_v2():
    assert not any(model.family == "edit" for model in backend("v1").capabilities().models)
    for ask in (inpaint(), wish(16, task="edit", model="edit__image_edit", images=(RED,))):
        with pytest.raises(InvalidRequest, match="through its API v2 only") as caught:
            backend("v1").resolve(ask)
        assert 'api_version = "v2"' in str(caught.value)


def test_a_configured_style_does_not_stand_in_the_way_of_other_tasks():
    api = backend(model="rd_plus__low_res")
    assert api.resolve(inpaint()).id == "edit__inpainting"
    assert api.resolve(wish(16, task="edit", images=(RED,))).id == "rd_plus__low_res"
    with pytest.raises(InvalidRequest, match="has no style 'rd_plus__typo'"):
        backend(model="rd_plus__typo").resolve(inpaint())


def test_every_tool_has_a_list_price():
    for model in tools.MODELS:
        found = listed("retrodiffusion", model.id, wish(16))
        assert found.money == Money.of("0.01" if "background" in model.id else "0.18")


# --- reading an edit's answers ----------------------------------------------------------------------------------------

ACCEPTED = {"status": "accepted", "task_id": "e-1", "request_id": "r-1", "message": "Edit accepted."}
RESULT = {
    "tool_id": "inpainting",
    "toolId": "inpainting",
    "balance_cost": 0.18,
    "charged": True,
    "remaining_balance": 9.82,
    "base64_images": [],
    "output_urls": ["https://out.example/e.png?sig=s"],
}


def ticket():
    return backend().submit(inpaint(), MARK).read(answer(ACCEPTED, 202))


def test_an_accepted_edit_remembers_where_it_is_polled():
    job = ticket()
    assert (job.id, job.extra["kind"]) == ("e-1", "edit")
    again = Ticket.loads(job.dumps())
    assert backend().poll(again).request.url.endswith("/v2/edit/tasks/e-1")
    assert backend().renew(again).request.url.endswith("/v2/inferences/requests/r-1")
    bare = Ticket("e-1", {"version": "v2", "kind": "edit"})
    assert backend().renew(bare).request.url.endswith("/v2/edit/tasks/e-1")


def test_a_finished_edit_is_an_address():
    done = backend().poll(ticket()).read(answer({"status": "succeeded", "task_id": "e-1", "result": RESULT}))
    assert [item.url for item in done.items] == RESULT["output_urls"]
    assert done.cost.money == Money.of("0.18")
    assert done.balance == Money.of("9.82")


def refund_of(error):
    """What is read of a failed edit, and then of its entry in API Activity."""
    failed = backend().poll(ticket()).read(answer({"status": "failed", "task_id": "e-1", "error": error}))
    return backend().poll(failed).read(answer({"status": "failed", "charged": False, "balance_cost": 0.18}))


def test_a_failed_edit_is_refunded():
    error = {"status_code": 500, "code": "edit_tool_failed", "message": "Failed.", "request_id": "r"}
    with pytest.raises(JobFailed, match="edit_tool_failed") as caught:
        refund_of(error)
    assert caught.value.charged == Money(0)
    assert not isinstance(caught.value, ContentRefused)


def test_a_job_held_back_by_the_content_policy_is_refunded():
    error = {"status_code": 403, "code": "generation_rejected", "message": "No.", "request_id": "r"}
    with pytest.raises(ContentBlocked, match="held back") as caught:
        refund_of(error)
    assert caught.value.charged == Money(0)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (402, "not_enough_balance", OutOfCredit),
        (404, "tool_not_found", RequestRejected),
        (413, "image_too_large", RequestRejected),
        (403, "generation_rejected", ContentRefused),
        (500, "edit_tool_failed", UnexpectedAnswer),  # refunds are documented for tasks that fail, not for this answer
        (500, "internal_error", UnexpectedAnswer),
    ],
)
def test_what_an_edits_refusal_means(status, code, error):
    with pytest.raises(error):
        backend().submit(inpaint(), MARK).read(answer(v2_error(code), status))


def test_an_edit_that_the_vendor_forgot_is_no_refusal():
    with pytest.raises(UnexpectedAnswer, match="does not know job e-1"):
        backend().poll(ticket()).read(answer(v2_error("edit_task_not_found"), 404))
