"""Every style's limits, the automatic choice, and the catalogue laid over the bundled table."""

from __future__ import annotations

import pytest

from pixelrouter.backends.retrodiffusion import styles
from pixelrouter.errors import InvalidRequest
from pixelrouter.money.prices import listed
from pixelrouter.types import MAX_SIDE
from tests.backends.retrodiffusion_answers import MARK, answer, backend, wish

# The vendor's table (llms.txt, 2026-09), typed a second time and by style, so that a slip in styles.toml shows.
# (smallest side, largest side, images, references): styles
TABLE = {
    "rd_pro": {
        (12, 256, 16, 9): "default painterly fantasy horror scifi simple isometric topdown platformer",
        (64, 256, 4, 9): "dungeon_map spritesheet fps_weapon typography edit",
        (256, 256, 4, 9): "hexagonal_tiles ui_panel inventory_items",
        (16, 256, 16, 9): "pixelate",
    },
    "rd_plus": {
        (64, 384, 16, 0): "default retro watercolor textured cartoon ui_element item_sheet character_turnaround "
        "environment isometric isometric_asset topdown_map topdown_asset",
        (32, 192, 16, 0): "classic skill_icon",
        (16, 128, 16, 0): "low_res mc_item mc_texture",
        (16, 96, 16, 0): "topdown_item",
    },
    "rd_fast": {
        (64, 384, 15, 0): "default",
        (64, 384, 16, 0): "simple detailed retro game_asset portrait texture ui item_sheet character_turnaround "
        "no_style 1_bit",
        (16, 128, 16, 0): "low_res mc_item mc_texture",
    },
    "rd_mini": {
        (32, 192, 16, 0): "classic skill_icon",
        (16, 128, 16, 0): "low_res mc_item mc_texture fast_low_res fast_mc_item fast_mc_texture",
        (16, 96, 16, 0): "topdown_item",
    },
    "rd_advanced_animation": {
        (32, 256, 1, 0): "walking idle jump crouch attack destroy custom_action subtle_motion rotate",
    },
    "rd_animation": {
        (48, 48, 1, 0): "four_angle_walking four_angle_walking_idle",
        (32, 32, 16, 0): "small_sprites",
        (24, 96, 1, 0): "vfx",
        (64, 64, 1, 9): "any_animation",
        (128, 128, 1, 9): "big_animation",
        (80, 80, 1, 5): "8_dir_rotation",
        (64, 64, 1, 0): "battle_sprites large_walking_idle",
    },
    "rd_tile": {
        (16, 32, 1, 0): "tileset tileset_advanced",
        (16, 64, 16, 0): "single_tile",
        (16, 128, 16, 0): "tile_variation",
        (16, 96, 16, 0): "tile_object",
        (64, 384, 16, 0): "scene_object",
    },
}
LIMITS = {
    f"{family}__{style}": limits
    for family, rows in TABLE.items()
    for limits, names in rows.items()
    for style in names.split()
}
NEED_IMAGE = {s for s in LIMITS if s.startswith("rd_advanced_animation")} | {
    "rd_pro__pixelate",
    "rd_pro__edit",
    "rd_tile__tile_variation",
}


def test_the_bundled_table_is_the_vendors_table():
    table = {m.id: (m.min_width, m.max_width, m.max_n, m.max_references) for m in styles.bundled()}
    assert table == LIMITS
    assert all((m.min_width, m.max_width) == (m.min_height, m.max_height) for m in styles.bundled())
    assert {m.id for m in styles.bundled() if m.needs_image} == NEED_IMAGE
    assert len(styles.bundled()) == len(LIMITS)


def ask(style, width, height=None, **more):
    model = next(m for m in styles.bundled() if m.id == style)
    more.setdefault("images", (b"x",) if model.needs_image else ())
    return wish(width, height, model=style, task=model.tasks[0], **more)


@pytest.mark.parametrize("style", LIMITS)
def test_every_style_takes_its_limits_and_nothing_outside(style):
    low, high, most, references = LIMITS[style]
    extra = 1 if style in NEED_IMAGE else 0
    api = backend()
    for side in (low, high):
        assert api.resolve(ask(style, side, n=most)).id == style
    full = (b"x",) * (references + extra)
    if full:
        assert api.resolve(ask(style, high, images=full)).id == style
    refused = [ask(style, low - 1), ask(style, high + 1), ask(style, low, high + 1)]
    refused += [ask(style, high, n=most + 1), ask(style, high, images=(*full, b"x"))]
    for request in refused:
        with pytest.raises(InvalidRequest, match=style):
            api.resolve(request)


@pytest.mark.parametrize("style", sorted(NEED_IMAGE))
def test_an_image_driven_style_needs_the_image_but_no_words(style):
    high = LIMITS[style][1]
    action = "waves" if style.endswith("custom_action") else None  # which has no motion of its own
    assert backend().resolve(ask(style, high, prompt="", action=action)).id == style
    with pytest.raises(InvalidRequest, match="needs an input image"):
        backend().resolve(ask(style, high, images=()))


def test_words_are_needed_elsewhere():
    with pytest.raises(InvalidRequest, match="needs a prompt"):
        backend().resolve(wish(64, prompt=" ", model="rd_fast__simple"))


def test_special_shapes():
    api = backend()
    assert api.resolve(ask("rd_animation__vfx", 24)).id == "rd_animation__vfx"
    with pytest.raises(InvalidRequest, match="squares only"):
        api.resolve(ask("rd_animation__vfx", 24, 32))
    with pytest.raises(InvalidRequest, match="multiples of 8"):
        api.resolve(ask("rd_advanced_animation__rotate", 36))
    assert api.resolve(wish(64, 384, model="rd_plus__default")).id == "rd_plus__default"


def test_an_animation_style_says_which_task_it_does():
    with pytest.raises(InvalidRequest, match=r"cannot do task 'image'. It does: animation"):
        backend().resolve(wish(64, model="rd_animation__any_animation"))


# --- the automatic choice ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "n", "style"),
    [
        ((12, 12), 1, "rd_pro__default"),
        ((15, 64), 1, "rd_pro__default"),
        ((16, 16), 16, "rd_fast__low_res"),
        ((32, 48), 1, "rd_fast__low_res"),
        ((63, 128), 1, "rd_fast__low_res"),
        ((63, 129), 1, "rd_plus__classic"),
        ((31, 129), 1, "rd_pro__default"),
        ((64, 64), 15, "rd_fast__default"),
        ((64, 64), 16, "rd_fast__simple"),
        ((384, 64), 1, "rd_fast__default"),
        ((384, 384), 1, "rd_fast__default"),
    ],
)
def test_automatic_choice(size, n, style):
    assert backend().resolve(wish(*size, n=n)).id == style


def test_the_automatic_choice_is_the_cheapest_general_style_that_fits():
    api = backend()
    general = [api.capabilities().model(style) for style in styles.AUTOMATIC["image"]]
    for width in range(8, 400, 13):
        for height in range(8, 400, 17):
            request = wish(width, height)
            able = [model for model in general if model.why_not(request) is None]
            if not able:
                with pytest.raises(InvalidRequest, match=r"Possible: 64x64 to 384x384 .rd_fast__default."):
                    api.resolve(request)
                continue
            cheapest = min(listed("retrodiffusion", model.id, request).money.micros for model in able)
            assert listed("retrodiffusion", api.resolve(request).id, request).money.micros == cheapest


def test_references_go_to_the_style_that_takes_them():
    assert backend().resolve(wish(64, images=(b"x",))).id == "rd_pro__default"
    assert backend().resolve(wish(64, images=(b"x",), task="edit")).id == "rd_fast__default"
    with pytest.raises(InvalidRequest, match="at most 9 reference images"):
        backend().resolve(wish(64, images=(b"x",) * 10))


def test_an_edit_needs_an_image():
    with pytest.raises(InvalidRequest, match="needs an input image"):
        backend().resolve(wish(64, task="edit"))


def test_other_tasks():
    assert backend().resolve(wish(16, task="tileset")).id == "rd_tile__tileset"
    with pytest.raises(InvalidRequest, match="any_animation draws 64x64, not 48x48; rd_animation__big_animation"):
        backend().resolve(wish(48, task="animation"))
    with pytest.raises(InvalidRequest, match="edit__inpainting needs an input image"):
        backend().resolve(wish(48, task="inpaint"))


def test_the_call_wins_over_the_config_and_the_config_over_the_automatic_choice():
    api = backend(model="rd_plus__low_res")
    assert api.resolve(wish(32)).id == "rd_plus__low_res"
    assert api.resolve(wish(32, model="rd_fast__mc_item")).id == "rd_fast__mc_item"
    with pytest.raises(InvalidRequest, match=r"rd_plus__low_res draws 16x16 to 128x128, not 200x200.*rd_fast__default"):
        api.resolve(wish(200))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("simple", "'rd_fast__simple' or 'rd_pro__simple'"),
        ("rd_fast_low_res", "rd_fast__low_res"),
        ("animation__walking_and_idle", "called 'rd_animation__four_angle_walking_idle'"),
        ("~", "lists every style"),
    ],
)
def test_an_unknown_style_names_the_nearest(name, hint):
    with pytest.raises(InvalidRequest, match="has no style") as caught:
        backend().resolve(wish(model=name))
    assert hint in str(caught.value)


def test_a_users_own_style_is_left_to_the_vendor():
    model = backend().resolve(wish(500, model="user__mine_42"))
    assert (model.id, model.max_width) == ("user__mine_42", MAX_SIDE)
    body = backend().submit(wish(70, model="user__mine_42"), MARK).request.json
    assert (body["prompt_style"], body["width"]) == ("user__mine_42", 70)


# --- the catalogue ----------------------------------------------------------------------------------------------------

ITEM = {
    "prompt_style": "rd_fast__simple",
    "name": "Simple",
    "description": "Plain.",
    "group_id": "RD Fast",
    "required_model": None,
    "required_tab": "tab:image",
    "min_width": 48,
    "max_width": 200,
    "min_height": 56,
    "max_height": 300,
    "max_number_of_images": 7,
    "require_input_image": None,
    "supports_reference_images": False,
    "supports_frames_duration": False,
    "prompt_requirement": "whatever",
    "example_prompt": None,
}


def fetched(*items):
    body = {"styles": list(items), "models": ["rd_fast"], "tabs": ["tab:image"]}
    return backend().catalogue()[0].read(answer(body))


def test_a_catalogue_item_becomes_a_model():
    (model,) = fetched(ITEM)
    assert (model.min_width, model.max_width, model.min_height, model.max_height) == (48, 200, 56, 300)
    assert (model.max_n, model.max_references, model.needs_image, model.family) == (7, 0, False, "rd_fast")
    assert model.description == "Plain."
    assert model.tasks == ("image", "edit")


def test_nulls_fall_back_to_the_bundled_limits_or_to_the_apis_own():
    names = [name for name in ITEM if name != "prompt_style"]
    (model,) = fetched({"prompt_style": "rd_fast__low_res", **dict.fromkeys(names)})
    assert (model.min_width, model.max_width, model.max_n) == (16, 128, 16)
    (model,) = fetched({"prompt_style": "rd_new__thing"})
    assert (model.min_width, model.max_height, model.max_n, model.family) == (12, 512, 16, "rd_new")


def test_references_and_images_of_a_fetched_style():
    (model,) = fetched({**ITEM, "supports_reference_images": True, "require_input_image": True})
    assert (model.max_references, model.needs_image, model.prompt_optional) == (9, True, True)
    (model,) = fetched({"prompt_style": "rd_animation__8_dir_rotation", "supports_reference_images": True})
    assert model.max_references == 5
    (model,) = fetched({"prompt_style": "animation:x_4by4", "required_tab": "tab:advanced-animation"})
    assert model.tasks == ("animation",)
    (model,) = fetched({"prompt_style": "t", "required_tab": "tab:tileset"})
    assert model.tasks == ("tileset",)


def test_broken_items_are_left_out():
    broken = [
        None,
        3,
        "x",
        [],
        {},
        {"prompt_style": None},
        {"prompt_style": ""},
        {"prompt_style": 7},
        {**ITEM, "min_width": 300},
        {**ITEM, "max_height": 10**9},
        {**ITEM, "max_number_of_images": -1},
        {**ITEM, "min_height": 0},
    ]
    assert [model.id for model in fetched(*broken, ITEM)] == ["rd_fast__simple"]
    assert backend().catalogue()[0].read(answer({"styles": None})) == ()


def test_the_catalogue_is_laid_over_the_bundled_table():
    api = backend()
    new = fetched(ITEM, {**ITEM, "prompt_style": "rd_fast__brand_new"})
    other = api.with_catalogue(new)
    assert other.resolve(wish(50, 56, model="rd_fast__simple")).max_n == 7
    assert other.resolve(wish(64, model="rd_fast__brand_new")).id == "rd_fast__brand_new"
    assert other.capabilities().model("rd_pro__default") == api.capabilities().model("rd_pro__default")
    assert len(other.capabilities().models) == len(api.capabilities().models) + 1
    assert api.capabilities().model("rd_fast__brand_new") is None
    assert other.submit(wish(), MARK).request.secrets
