"""Every limit of every style, the automatic choice, and how deliveries are cut."""

from __future__ import annotations

import pytest

from pixelrouter.backends.replicate.styles import bundled, defaults, groups
from pixelrouter.errors import InvalidRequest
from pixelrouter.money.prices import listed
from tests.backends.replicate.answers import backend, picture, wish

# The ranges as the vendors' documents list them, kept apart from the table under test.
RANGES = {
    "rd-fast": {
        (64, 384): "default simple detailed retro game_asset portrait texture ui item_sheet character_turnaround 1_bit "
        "no_style",
        (16, 128): "low_res mc_item mc_texture",
    },
    "rd-plus": {
        (64, 384): "default retro watercolor textured cartoon ui_element item_sheet character_turnaround environment "
        "isometric isometric_asset topdown_map topdown_asset",
        (32, 192): "classic skill_icon",
        (16, 96): "topdown_item",
        (16, 128): "low_res mc_item mc_texture",
    },
    "rd-tile": {
        (16, 32): "tileset tileset_advanced",
        (16, 64): "single_tile",
        (16, 128): "tile_variation",
        (16, 96): "tile_object",
        (64, 384): "scene_object",
    },
    "rd-animation": {(48, 48): "four_angle_walking walking_and_idle", (32, 32): "small_sprites", (24, 96): "vfx"},
}
EXPECTED = {
    f"{family}/{style}": span
    for family, spans in RANGES.items()
    for span, names in spans.items()
    for style in names.split()
}


def ask(model, width, height=None, **more):
    info = groups()[model]
    more.setdefault("task", info.tasks[0])
    if info.image == "required":
        more.setdefault("images", (picture(),))
    return wish(width, height, model=model, **more)


def test_the_table_is_whole():
    assert {model.id: (model.min_width, model.max_width) for model in bundled()} == EXPECTED
    assert all((m.min_width, m.max_width) == (m.min_height, m.max_height) for m in bundled())
    assert set(groups()) == set(EXPECTED)


@pytest.mark.parametrize("model", EXPECTED)
def test_sizes_that_the_vendor_would_clamp_are_refused(model):
    low, high = EXPECTED[model]
    api = backend()
    for side in (low, high):
        assert api.resolve(ask(model, side)).id == model
    for width, height in ((low - 1, low), (low, low - 1), (high + 1, high), (high, high + 1)):
        with pytest.raises(InvalidRequest, match=f"{model} draws"):
            api.resolve(ask(model, width, height))


@pytest.mark.parametrize("model", EXPECTED)
def test_counts(model):
    most = 1 if model.startswith(("rd-animation", "rd-tile/tileset")) else 10
    api = backend()
    assert api.resolve(ask(model, EXPECTED[model][0], n=most)).id == model
    with pytest.raises(InvalidRequest, match=f"at most {most} images"):
        api.resolve(ask(model, EXPECTED[model][0], n=most + 1))


def test_vfx_is_square():
    with pytest.raises(InvalidRequest, match="squares only"):
        backend().resolve(ask("rd-animation/vfx", 24, 32))


def test_other_limits():
    api = backend()
    with pytest.raises(InvalidRequest, match="at most 0 reference images"):
        api.resolve(wish(64, images=(picture(),)))
    with pytest.raises(InvalidRequest, match="at most 0 reference images"):
        api.resolve(wish(48, task="animation", images=(picture(), picture())))
    with pytest.raises(InvalidRequest, match="needs an input image"):
        api.resolve(wish(64, task="edit"))
    with pytest.raises(InvalidRequest, match="needs an input image"):
        api.resolve(wish(64, model="rd-tile/tile_variation"))
    with pytest.raises(InvalidRequest, match="needs a prompt"):
        api.resolve(wish(64, prompt=" "))
    with pytest.raises(InvalidRequest, match="number of frames itself"):
        api.resolve(wish(48, task="animation", frames=4))
    with pytest.raises(InvalidRequest, match="no strength"):
        api.resolve(wish(48, task="animation", images=(picture(),), strength=0.5))
    with pytest.raises(InvalidRequest, match="wang tiles, not seamless"):
        api.resolve(wish(16, task="tileset", tiles="seamless", model="rd-tile/tileset"))


@pytest.mark.parametrize("task", ["inpaint", "views", "remove_background"])
def test_tasks_that_nobody_there_does(task):
    with pytest.raises(InvalidRequest, match="No model that we know on Replicate does task"):
        backend().resolve(wish(64, task=task, images=(picture(),), mask=picture()))


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        (wish(64), "rd-fast/default"),
        (wish(384, 64), "rd-fast/default"),
        (wish(16), "rd-fast/low_res"),
        (wish(32, 190), "rd-plus/classic"),
        (wish(64, task="edit", images=(picture(),)), "rd-fast/default"),
        (wish(48, task="animation"), "rd-animation/four_angle_walking"),
        (wish(32, task="tileset"), "rd-tile/tileset"),
        (wish(32, task="tileset", upper="snow"), "rd-tile/tileset_advanced"),
        (wish(32, task="tileset", tiles="seamless"), "rd-fast/mc_texture"),
        (wish(128, task="tileset", tiles="seamless"), "rd-fast/texture"),
    ],
)
def test_what_draws_when_nobody_says(request_, model):
    assert backend().resolve(request_).id == model


def test_nothing_fits():
    with pytest.raises(InvalidRequest, match="rd-fast/default draws 64x64 to 384x384, not 400x20"):
        backend().resolve(wish(400, 20))
    with pytest.raises(InvalidRequest, match="draws 48x48, not 64x64"):
        backend().resolve(wish(64, task="animation"))


def test_the_configured_model_counts():
    assert backend(model="rd-plus/isometric").resolve(wish(64)).id == "rd-plus/isometric"
    with pytest.raises(InvalidRequest, match="not 16x16") as caught:
        backend(model="rd-plus/isometric").resolve(wish(16))
    assert "rd-fast/low_res can draw it" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rd_plus__isometric", "'rd-plus/isometric'"),
        ("isometric", "'rd-plus/isometric'"),
        ("retro-diffusion/rd-tile", "'rd-tile/tileset'"),
        ("rd-fast/gameasset", "'rd-fast/game_asset'"),
        ("rd-animation/four_angle_walking_idle", "'rd-animation/"),
        ("stability-ai/sdxl", "pixelrouter backends"),
    ],
)
def test_names_that_people_write(name, hint):
    with pytest.raises(InvalidRequest, match="no model") as caught:
        backend().resolve(wish(64, model=name))
    assert hint in caught.value.hint


@pytest.mark.parametrize("model", EXPECTED)
def test_every_style_has_an_estimate_and_says_so(model):
    from pixelrouter.money.prices import entry

    cost = listed("replicate", model, ask(model, EXPECTED[model][0]))
    assert cost.source == "listed"
    assert 0.015 <= cost.usd <= 0.12
    assert entry("replicate", model).source.startswith("an estimate")


def test_capabilities():
    can = backend().capabilities()
    assert (can.native, can.alpha, can.seeds, can.idempotent, can.unit) == (True, True, True, False, "usd")
    assert can.licence.use == "terms"
    assert can.licence.url == "https://replicate.com/terms"
    assert can.tasks == ("image", "edit", "tileset", "animation")
    assert [model.id for model in can.models if model.alpha is False] == [
        m for m in EXPECTED if m.startswith("rd-tile")
    ]


def test_defaults_are_of_inputs_that_exist():
    for family in RANGES:
        assert defaults(family)["bypass_prompt_expansion"] is False


# --- layout -----------------------------------------------------------------------------------------------------------


def cut(model, side, **more):
    return backend().layout(ask(model, side, **more))


def test_stills_are_the_images_of_exactly_that_size():
    layout = cut("rd-fast/low_res", 32, n=3)
    assert (layout.raws, layout.raw_size, layout.is_plain) == (3, (32, 32), True)


def test_tilesets_are_sheets_of_four_by_five():
    layout = cut("rd-tile/tileset", 32)
    assert (layout.raws, layout.columns, layout.rows, layout.raw_size) == (1, 4, 5, (128, 160))
    assert layout.names[0] == "tile-0"
    assert layout.names[-1] == "tile-19"
    assert len(layout.names) == 20


@pytest.mark.parametrize(
    ("model", "side", "columns", "size"),
    [
        ("rd-animation/four_angle_walking", 48, 4, (192, 192)),
        ("rd-animation/walking_and_idle", 48, 4, (192, 192)),
        ("rd-animation/small_sprites", 32, 5, (160, 128)),
    ],
)
def test_animation_sheets(model, side, columns, size):
    layout = cut(model, side)
    assert (layout.columns, layout.rows, layout.raw_size) == (columns, 4, size)
    assert layout.names[0] == "row-0/0"
    assert layout.names[columns] == "row-1/0"
    assert len(layout.names) == 4 * columns


def test_effects_are_films_unless_asked_for_as_a_sheet():
    assert (cut("rd-animation/vfx", 64).frames, cut("rd-animation/vfx", 64).raw_size) == (True, (64, 64))
    sheet = cut("rd-animation/vfx", 64, options={"return_spritesheet": True})
    assert (sheet.frames, sheet.cell) == (False, (64, 64))
    film = cut("rd-animation/four_angle_walking", 48, options={"return_spritesheet": False})
    assert (film.frames, film.columns, film.raw_size) == (True, 1, None)
