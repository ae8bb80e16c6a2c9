"""The vendor options of fal: each goes under its own name, and a wrong one is refused before anything is sent."""

from __future__ import annotations

import pytest

from pixelrouter.backends.fal.body import OPTIONS, REFUSED
from pixelrouter.backends.fal.settings import SPRITESHEET_LORA
from pixelrouter.errors import InvalidRequest
from tests.backends.fal.answers import LORA, MARK, backend, picture, sheet, wish

IMAGE = (picture(),)
OWN_LORA = {"path": SPRITESHEET_LORA, "scale": 1.1}


def sent(request):
    return backend().submit(request, MARK).request


GOOD = {
    "negative_prompt": "blur",
    "guidance_scale": 3.5,
    "num_inference_steps": 50,
    "acceleration": "none",
    "enable_safety_checker": True,
    "loras": [{"path": LORA}],
    "max_colors": 1,
    "auto_color_detect": True,
    "fixed_palette": ["#20242c", "#ffffff"],
    "detect_method": "edge",
    "downscale_method": "content-adaptive",
    "scale": 8,
    "snap_grid": False,
    "cleanup_morph": True,
    "cleanup_jaggy": True,
    "alpha_threshold": 0,
    "dominant_color_threshold": 0.5,
    "background_mode": "midpoints",
    "background_tolerance": 255,
    "trim_borders": True,
}
BAD = {
    "negative_prompt": [1, None],
    "guidance_scale": [-0.1, 20.1, "5", True, float("nan")],
    "num_inference_steps": [3, 51, 28.0, "28", True],
    "acceleration": ["fast", None, 1],
    "enable_safety_checker": [1, "true"],
    "loras": [
        LORA,
        {"path": LORA},
        [{"scale": 1}],
        [{"path": "somebody/pixels"}],
        [{"path": f"{LORA} "}],
        [{"path": "http://example.com/a.safetensors"}],
        [{"path": LORA, "scale": "1"}],
        [{"path": LORA, "scale": 5}],
        [{"path": LORA, "weight": 1}],
        [7],
        [{"path": LORA}] * 4,
    ],
    "max_colors": [0, 257, 16.0, True],
    "auto_color_detect": [1],
    "fixed_palette": ["#ffffff", [], ["red"], ["#fff"], None, [1]],
    "detect_method": ["grid", None],
    "downscale_method": ["nearest"],
    "scale": [0, -1, 2.5],
    "snap_grid": ["yes"],
    "cleanup_morph": [0],
    "cleanup_jaggy": [0],
    "alpha_threshold": [-1, 256],
    "dominant_color_threshold": [-0.1, 1.1],
    "background_mode": ["all"],
    "background_tolerance": [256],
    "trim_borders": [None],
}


def asking(name, value):
    if name in OPTIONS["image2pixel"]:
        return wish(task="edit", model="image2pixel", images=IMAGE, options={name: value})
    return wish(options={name: value})


def test_every_option_has_a_case():
    assert set(GOOD) == set(BAD) == {name for options in OPTIONS.values() for name in options}


@pytest.mark.parametrize("name", GOOD)
def test_an_option_goes_under_its_own_name(name):
    assert sent(asking(name, GOOD[name])).json[name] == GOOD[name]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_option_is_refused(name, value):
    with pytest.raises(InvalidRequest):
        sent(asking(name, value))


@pytest.mark.parametrize("name", ["max_colors", "scale"])
def test_null_is_an_answer_where_fal_documents_it(name):
    assert sent(asking(name, None)).json[name] is None


@pytest.mark.parametrize("name", REFUSED)
def test_what_we_set_ourselves_is_refused_with_a_hint(name):
    with pytest.raises(InvalidRequest, match=f"{name!r} cannot be given") as caught:
        sent(wish(options={name: 1}))
    assert caught.value.hint


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(InvalidRequest, match="Did you mean 'guidance_scale'"):
        sent(wish(options={"guidance": 5}))
    with pytest.raises(InvalidRequest, match="has no options"):
        sent(wish(task="remove_background", images=IMAGE, options={"model": "x"}))


def test_loras_add_up_to_three():
    more = [{"path": LORA}, {"path": LORA, "scale": 0.5}]
    assert sent(sheet(options={"loras": more})).json["loras"] == [OWN_LORA, *more]
    with pytest.raises(InvalidRequest, match="at most 3 LoRAs, not 4"):
        sent(sheet(options={"loras": [*more, {"path": LORA}]}))
    assert sent(wish(options={"loras": [LORA]})).json["loras"] == [{"path": LORA}]
