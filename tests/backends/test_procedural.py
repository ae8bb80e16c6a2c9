"""The procedural backend as a backend: the contract, repeatability, limits."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys

import pytest
from PIL import Image

from pixelrouter import backends
from pixelrouter.backends.procedural import Backend
from pixelrouter.backends.protocol import BackendSettings, LocalBackend
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import FREE, GenerationRequest, Inline, Progress

BACKEND = Backend(BackendSettings(), None)


def request(prompt: str = "a red potion in a round bottle", width: int = 32, height: int = 32, **rest: object):
    return GenerationRequest.model_validate({"prompt": prompt, "width": width, "height": height, "seed": 7, **rest})


def pngs(*args: object, **rest: object) -> list[bytes]:
    delivery = BACKEND.generate(request(*args, **rest), lambda _: None)
    return [item.data for item in delivery.items if isinstance(item, Inline)]


def test_is_a_local_backend_found_by_name() -> None:
    assert "procedural" in backends.names()
    assert backends.load("procedural") is Backend
    assert isinstance(BACKEND, LocalBackend)
    assert Backend.credentials == ()


def test_capabilities_tell_the_truth() -> None:
    told = BACKEND.capabilities()
    model = told.model(told.default_model)
    assert {each.id: each.tasks for each in told.models} == {
        "sprites": ("image",),
        "motion": ("animation",),
        "grounds": ("tileset",),
        "cutout": ("remove_background",),
    }
    assert (told.native, told.alpha, told.seeds, told.idempotent, told.unit) == (True, True, True, True, "usd")
    assert told.licence.commercial is True
    assert (model.min_width, model.max_width, model.min_height, model.max_height, model.max_n) == (8, 256, 8, 256, 64)


def test_delivery_is_free_inline_and_names_its_model() -> None:
    delivery = BACKEND.generate(request(n=3), lambda _: None)
    assert delivery.cost == FREE
    assert delivery.model == BACKEND.capabilities().default_model
    assert len(delivery.items) == 3
    assert all(isinstance(item, Inline) and item.data.startswith(b"\x89PNG") for item in delivery.items)


def test_progress_rises_to_one() -> None:
    seen: list[Progress] = []
    BACKEND.generate(request(n=4), seen.append)
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {step.status for step in seen} == {"drawing"}


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (17, 40), (255, 8)])
def test_png_has_the_size_asked_for_and_decodes(size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(pngs("a sword", *size)[0])) as image:
        image.load()
        assert image.size == size
        assert image.mode == "P"


def test_same_request_same_bytes() -> None:
    assert pngs(n=3) == pngs(n=3)
    assert Backend(BackendSettings(), None).generate(request(), lambda _: None).items == (Inline(pngs()[0]),)


def test_bytes_do_not_depend_on_the_process() -> None:
    code = (
        "import hashlib, sys\n"
        "from pixelrouter.backends.procedural import Backend\n"
        "from pixelrouter.backends.protocol import BackendSettings\n"
        "from pixelrouter.types import GenerationRequest\n"
        "for prompt in ('a red potion in a round bottle', 'zorblax', 'grass tile', 'a glowing dragon'):\n"
        "    request = GenerationRequest(prompt=prompt, width=24, height=32, seed=7, n=2)\n"
        "    for item in Backend(BackendSettings(), None).generate(request, lambda _: None).items:\n"
        "        print(hashlib.sha256(item.data).hexdigest())\n"
    )
    outputs = set()
    for salt in ("1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": salt}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        outputs.add(done.stdout)
    here = [
        hashlib.sha256(data).hexdigest()
        for prompt in ("a red potion in a round bottle", "zorblax", "grass tile", "a glowing dragon")
        for data in pngs(prompt, 24, 32, n=2)
    ]
    assert outputs == {"\n".join(here) + "\n"}


# Decoded pixels, so that a change of the drawing is seen and a change of Pillow is not.
GOLDEN: dict[tuple[str, int, int], str] = {
    ("a red potion in a round bottle", 32, 32): "233a8930092069aa",
    ("a golden sword", 16, 16): "a7e0dc263f2cccea",
    ("a blue wizard with a beard", 24, 32): "303aaac77fb2defe",
    ("zorblax", 32, 32): "8f41e210806411e4",
    ("brick wall", 16, 16): "926823af0f08df39",
    ("a glowing dragon", 48, 48): "b9d1c84f9784483e",
}


@pytest.mark.parametrize(("prompt", "width", "height"), sorted(GOLDEN))
def test_pixels_are_what_they_were(prompt: str, width: int, height: int) -> None:
    with Image.open(io.BytesIO(pngs(prompt, width, height)[0])) as image:
        pixels = image.convert("RGBA").tobytes()
    assert hashlib.sha256(pixels).hexdigest()[:16] == GOLDEN[prompt, width, height], (
        "the drawing changed: look at it, and if it is meant, note it in CHANGELOG.md and update the hash"
    )


@pytest.mark.parametrize("prompt", ["a red potion", "coin", "zorblax", "grass tile"])
@pytest.mark.parametrize("side", [8, 32])
def test_images_of_one_request_differ(prompt: str, side: int) -> None:
    images = pngs(prompt, side, side, n=64 if side == 8 else 8)
    assert len(set(images)) == len(images)


def test_asking_for_more_keeps_the_first_ones() -> None:
    assert pngs(n=5)[:2] == pngs(n=2)


def test_image_i_is_what_seed_plus_i_draws() -> None:
    assert pngs(n=3)[2] == pngs(seed=9)[0]


def test_prompt_and_seed_change_the_picture() -> None:
    pictures = {pngs(prompt, seed=seed)[0] for prompt in ("red potion", "blue potion", "sword") for seed in (1, 2)}
    assert len(pictures) == 6


def test_case_and_spaces_do_not_change_the_picture() -> None:
    assert pngs("A  Red Potion ") == pngs("a red potion")


def test_subject_option_overrides_the_prompt() -> None:
    assert pngs("something red", options={"subject": "potion"}) != pngs("something red")
    assert pngs("something red", options={"subject": "bottle"}) == pngs("something red", options={"subject": "potion"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"width": 7}, "8x8 to 256x256"),
        ({"height": 257}, "8x8 to 256x256"),
        ({"task": "views", "views": "4"}, "cannot do task 'views'"),
        ({"task": "edit"}, "cannot do task 'edit'"),
        ({"task": "animation", "model": "sprites"}, "sprites cannot do task 'animation'"),
        ({"images": (b"x",)}, "reference"),
        ({"prompt": "  "}, "prompt"),
        ({"model": "dall-e"}, "sprites"),
        ({"options": {"subjekt": "sword"}}, "subject"),
        ({"options": {"subject": "quasar"}}, "potion"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(change: dict[str, object], named: str) -> None:
    bad = request(**change)  # type: ignore[arg-type]  # the keys vary by case
    with pytest.raises(InvalidRequest, match=named):
        BACKEND.resolve(bad)
    with pytest.raises(InvalidRequest, match=named):
        BACKEND.generate(bad, lambda _: None)


def test_model_from_settings_is_checked() -> None:
    with pytest.raises(InvalidRequest, match="no model 'other'"):
        Backend(BackendSettings(model="other"), None).resolve(request())
    assert BACKEND.resolve(request(model="sprites")).id == "sprites"


def test_loading_the_backend_does_not_import_numpy() -> None:
    code = "import sys, pixelrouter.backends.procedural; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
