"""What is checked before anything is drawn, and how large the model draws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrouter.backends.diffusers import Backend, DiffusersSettings, presets
from pixelrouter.backends.diffusers.families import FAMILIES
from pixelrouter.backends.diffusers.plan import Plan, make
from pixelrouter.backends.diffusers.sizes import raw_size
from pixelrouter.errors import InvalidRequest
from tests.backends.diffusers.wishes import png, request

BACKEND = Backend(DiffusersSettings(), None)


def plan(name: str = "pixel-art-xl", **rest: object) -> Plan:
    return make(name, presets.find(name, {}), request(model=name, **rest))  # type: ignore[arg-type]


@given(st.integers(8, 256), st.integers(8, 256), st.sampled_from([512, 1024]), st.sampled_from([8, 16]))
def test_the_model_always_draws_a_size_it_can(width: int, height: int, native: int, multiple: int) -> None:
    raw = raw_size((width, height), native, multiple)
    assert all(side % multiple == 0 and side > 0 for side in raw)
    assert 0.4 * native**2 <= raw[0] * raw[1] <= 1.3 * native**2


@pytest.mark.parametrize(
    ("size", "raw"),
    [((32, 32), (1024, 1024)), ((32, 64), (704, 1408)), ((48, 48), (1008, 1008)), ((16, 24), (832, 1248))],
)
def test_the_model_draws_a_whole_multiple_of_the_sprite(size: tuple[int, int], raw: tuple[int, int]) -> None:
    assert raw_size(size, 1024, 16) == raw
    assert raw[0] % size[0] == 0
    assert raw[0] // size[0] == raw[1] // size[1]


def test_the_prompt_gets_its_trigger_and_keeps_its_braces() -> None:
    assert plan(prompt="a {potion}").prompt == "pixel, a {potion}"


def test_transparency_asks_for_a_ground_that_can_be_keyed_out() -> None:
    assert plan(transparent=True).prompt.endswith("plain solid white background")
    assert "white" not in plan(transparent=None).prompt
    assert "white" not in plan(transparent=True, task="edit", images=(png(),)).prompt


def test_options_reach_the_plan() -> None:
    options = {"steps": 12, "guidance": 2, "negative_prompt": "blurry", "raw_size": "768x512"}
    made = plan(options=options)
    assert (made.steps, made.guidance, made.negative, made.raw) == (12, 2.0, "blurry", (768, 512))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stepz": 8}, "Did you mean 'steps'"),
        ({"steps": 0}, "whole number"),
        ({"steps": 2.5}, "whole number"),  # the LCM schedule would take it
        ({"steps": True}, "whole number"),
        ({"steps": 51}, "at most 50 steps"),
        ({"guidance": float("nan")}, "guidance=nan"),
        ({"guidance": "high"}, "guidance='high'"),
        ({"negative_prompt": 3}, "not a text"),
        ({"negative_prompt": "x", "guidance": 1.0}, "no effect"),
        ({"true_cfg": 2}, "has no true_cfg"),
        ({"raw_size": 1001}, "multiples of 8"),
        ({"raw_size": 0}, "multiples of 8"),
        ({"raw_size": -8}, "not a size"),
        ({"raw_size": "4096x4096"}, "cannot be drawn"),
        ({"loras": [{"path": "a/b", "weight": 1}]}, "loras: 0.weight"),
        ({"loras": "a/b"}, "loras"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        plan(options=options)


@pytest.mark.parametrize(
    ("name", "wish", "said"),
    [
        ("klein", {"options": {"negative_prompt": "x"}}, "no negative prompt"),
        ("flux-modern-pixel", {"options": {"negative_prompt": "x"}}, "without true_cfg"),
        ("pixel-art-xl", {"strength": 0.5}, "belongs to edits"),
        ("kontext-pixel", {}, "cannot do task 'image'"),
        ("kontext-pixel", {"task": "edit"}, "needs an input image"),
        ("kontext-pixel", {"task": "edit", "images": (png(),), "strength": 0.5}, "no strength"),
        ("pixel-art-xl", {"images": (png(),)}, "at most 0 reference images"),
        ("pixel-art-xl", {"task": "edit", "images": (png(),), "strength": 0.1}, "strength of at least 0.13"),
        ("pixel-art-xl", {"task": "edit", "images": (png(),), "strength": 0.0}, "no step to draw"),
        ("pixel-art-xl", {"size": (7, 32)}, "8x8 to 256x256"),
        ("pixel-art-xl", {"n": 9}, "at most 8 images"),
        ("pixel-art-xl", {"prompt": " "}, "needs a prompt"),
        ("klein", {"mask": b"x"}, "no use for mask"),
        ("klein-spritesheet", {"task": "views"}, "views='2x2'"),
        ("klein-spritesheet", {"task": "views", "views": "8"}, "not 8"),
        ("klein-spritesheet", {"task": "views", "views": "2x2", "prompt": ""}, "or a prompt to draw one from"),
        ("klein-spritesheet", {}, "cannot do task"),
    ],
)
def test_a_wrong_request_is_refused(name: str, wish: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        plan(name, **wish)


def test_a_task_that_no_preset_does_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="cannot do task 'tileset'"):
        BACKEND.resolve(request(task="tileset", tiles="seamless"))


def test_views_without_a_picture_draw_the_subject_first() -> None:
    made = plan("klein-spritesheet", task="views", views="2x2", size=(32, 48))
    assert made.prompt == "2x2 sprite sheet"
    assert "a red potion" in (made.reference_prompt or "")
    assert made.raw[0] // 64 == made.raw[1] // 96
    assert made.reference is not None
    given = plan("klein-spritesheet", task="views", views="2x2", images=(png(),), prompt="")
    assert given.reference is None


def test_an_edit_takes_the_steps_that_its_strength_leaves() -> None:
    edit = {"task": "edit", "images": (png(),), "strength": 0.55}
    assert plan(**edit).steps_done == 4  # of 8, rounded down
    assert plan("flux-modern-pixel", **edit).steps_done == 16  # of 28, rounded up
    assert plan(task="edit", images=(png(),)).strength == FAMILIES["sdxl"].strength


def test_true_cfg_needs_a_negative_prompt_to_count() -> None:
    assert plan("flux-modern-pixel").negative is None
    assert plan("flux-modern-pixel", options={"true_cfg": 2}).negative == ""


def test_the_work_grows_with_images_area_and_guidance() -> None:
    once = plan(size=(64, 64)).work
    assert plan(size=(64, 64), n=4).work == pytest.approx(4 * once)
    assert plan(size=(64, 64), options={"guidance": 1.0}).work == pytest.approx(once / 2)
    assert plan(size=(64, 64), options={"raw_size": 512}).work == pytest.approx(once / 4)
