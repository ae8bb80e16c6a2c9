"""The presets and their licences: complete, known to diffusers, and never more generous than their parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pixelrouter.backends.diffusers import Backend, DiffusersSettings, presets
from pixelrouter.backends.diffusers.families import FAMILIES
from pixelrouter.backends.diffusers.licences import Terms, effective
from pixelrouter.backends.diffusers.presets import Lora, Preset
from pixelrouter.errors import ConfigError, InvalidRequest
from pixelrouter.types import VIEW_NAMES
from tests.backends.diffusers.wishes import png, request

BUNDLED = sorted(presets.bundled())


@pytest.mark.parametrize("name", BUNDLED)
def test_every_part_of_a_preset_has_a_dated_licence(name: str) -> None:
    preset = presets.bundled()[name]
    for asset in (preset.base, *(lora.path for lora in preset.loras)):
        terms = presets.bundled_terms()[asset]
        assert terms.url
        assert terms.checked


@pytest.mark.parametrize("name", BUNDLED)
def test_every_preset_says_how_to_draw(name: str) -> None:
    preset = presets.bundled()[name]
    assert preset.steps
    assert preset.guidance is not None
    assert preset.description
    assert "{prompt}" in preset.prompt or preset.views
    assert preset.info(name).native is False


def test_the_four_families_have_a_preset_each() -> None:
    assert {preset.kind.name for preset in presets.bundled().values()} == set(FAMILIES)


@pytest.mark.parametrize(
    ("name", "use", "gated"),
    [
        ("pixel-art-xl", "yes", False),
        ("flux-modern-pixel", "no", True),  # its adapter alone is MIT
        ("flux-pixel-characters", "no", True),
        ("kontext-pixel", "no", True),
        ("klein", "yes", False),
        ("klein-pixel", "terms", False),
        ("klein-spritesheet", "terms", False),
    ],
)
def test_what_a_preset_allows_is_what_its_strictest_part_allows(name: str, use: str, gated: bool) -> None:
    licence = Backend(DiffusersSettings(), None).capabilities().licence_of(name)
    assert (licence.use, licence.gated) == (use, gated)


def test_the_strictest_terms_win_whatever_the_order() -> None:
    yes = Terms(name="MIT", commercial="yes", checked="2026-01", url="https://example.com/mit")
    unread = Terms(name="?", checked="2026-09")
    no = Terms(name="NC", commercial="no", gated=True, url="https://example.com/nc")
    assert effective([("a", yes), ("b", unread)]).use == "terms"
    strict = effective([("a", yes), ("b", no), ("c", unread)])
    assert (strict.name, strict.use, strict.url, strict.gated) == ("NC", "no", "https://example.com/nc", True)
    assert strict.checked == "2026-01"
    assert effective([("a", yes), ("b", yes)]).name == "MIT"


def test_an_adapter_given_with_the_call_changes_the_licence() -> None:
    backend = Backend(DiffusersSettings(), None)
    wish = request(model="pixel-art-xl")
    assert backend.resolve(wish).licence.use == "yes"
    other = request(model="pixel-art-xl", options={"loras": [{"path": "somebody/their-lora"}]})
    assert backend.resolve(other).licence.use == "terms"
    noted = {"path": "somebody/their-lora", "licence": {"name": "CC BY-NC 4.0", "commercial": "no"}}
    assert backend.resolve(request(model="pixel-art-xl", options={"loras": [noted]})).licence.use == "no"


def test_a_permissive_adapter_on_a_strict_base_stays_strict() -> None:
    lora = Lora(path="mine", licence=Terms(name="CC0-1.0", commercial="yes"))
    preset = Preset(base="black-forest-labs/FLUX.1-dev", loras=(lora,))
    assert preset.kind.name == "flux"  # known from the bundled presets
    assert preset.licence_with(preset.loras).commercial is False


@pytest.mark.parametrize(
    ("task", "name"), [("image", "pixel-art-xl"), ("edit", "pixel-art-xl"), ("views", "klein-spritesheet")]
)
def test_a_preset_is_chosen_by_the_task(task: str, name: str) -> None:
    wish = (
        request(task=task, images=(png(),), views="2x2" if task == "views" else None) if task != "image" else request()
    )
    assert Backend(DiffusersSettings(), None).resolve(wish).id == name


def test_the_configured_preset_wins_over_the_automatic_one() -> None:
    assert Backend(DiffusersSettings(model="klein"), None).resolve(request()).id == "klein"


def test_a_preset_of_ones_own_stands_beside_the_bundled_ones() -> None:
    own = Preset(base="me/model", family="sdxl", max_size=64)
    backend = Backend(DiffusersSettings(presets={"mine": own}), None)
    assert backend.resolve(request(model="mine")).licence.use == "terms"
    assert {"mine", *BUNDLED} == {model.id for model in backend.capabilities().models}
    with pytest.raises(InvalidRequest, match="8x8 to 64x64"):
        backend.resolve(request(model="mine", size=(65, 64)))


def test_an_unknown_preset_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidRequest, match="Did you mean 'pixel-art-xl'"):
        Backend(DiffusersSettings(), None).resolve(request(model="pixel-art-lx"))


def test_a_folder_can_be_named_as_the_model(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline"}')
    assert Backend(DiffusersSettings(), None).resolve(request(model=str(tmp_path))).family == "klein"


def test_a_folder_that_is_no_model_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="what kind of model"):
        Backend(DiffusersSettings(), None).resolve(request(model=str(tmp_path)))


@pytest.mark.parametrize(
    "wrong",
    [{"scheduler": "nonsense"}, {"views": "8"}, {"native": 1000}, {"steps": 0}, {"guidance": -1}, {"lora": []}],
)
def test_a_preset_with_a_mistake_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Preset.model_validate({"base": "a/b", **wrong})


def test_the_layout_of_views_names_the_four_cells() -> None:
    layout = Backend(DiffusersSettings(), None).layout(request(task="views", views="2x2", size=(32, 32)))
    assert (layout.raws, layout.columns, layout.rows, layout.key) == (1, 2, 2, True)
    assert layout.names == VIEW_NAMES["2x2"]
    assert layout.raw_size == (1024, 1024)
