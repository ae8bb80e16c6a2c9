"""Adapters on real pipelines: both ways of naming them, switching, and the ones that do not fit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.backends.diffusers import Backend, DiffusersSettings, adapters, pipelines
from pixelrouter.backends.diffusers.presets import Preset
from pixelrouter.errors import ConfigError
from pixelrouter.types import Inline
from tests.backends.diffusers.wishes import png, request

pytest.importorskip("torch")
pytest.importorskip("diffusers")
# The libraries warn of themselves (deprecations, missing torchvision); what is ours is tested without them as well.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def nothing_loaded() -> Iterator[None]:
    pipelines.forget()
    yield
    pipelines.forget()


@pytest.fixture
def backend(models: Path) -> Backend:
    names = ("sdxl", "flux", "kontext", "klein")
    table = {name: Preset(base=str(models / name), native=64, steps=2) for name in names}
    return Backend(DiffusersSettings(device="cpu", presets=table), None)


def draw(backend: Backend, model: str, *loras: Path, scale: float = 1.0, **wish: Any) -> bytes:
    if model == "kontext":
        wish |= {"task": "edit", "images": (png(),)}
    options = {"loras": [{"path": str(file), "scale": scale} for file in loras]}
    delivery = backend.generate(request(model=model, options=options, **wish), lambda _: None)
    (item,) = delivery.items
    assert isinstance(item, Inline)
    return item.data


def loaded() -> pipelines.Loaded:
    (one,) = pipelines._loaded.values()
    return one


@pytest.mark.parametrize(
    ("model", "name"), [("sdxl", "kohya"), *((m, m) for m in ("sdxl", "flux", "kontext", "klein"))]
)
def test_an_adapter_changes_the_picture_and_comes_off_again(
    backend: Backend, models: Path, model: str, name: str
) -> None:
    file = models / "lora" / f"{name}.safetensors"
    plain = draw(backend, model)
    changed = draw(backend, model, file)
    assert changed != plain
    assert draw(backend, model, file, scale=0.5) not in (plain, changed)
    assert draw(backend, model) == plain
    assert draw(backend, model, file) == changed


def test_every_layer_of_both_ways_of_naming_takes_its_adapter(backend: Backend, models: Path) -> None:
    files = [models / "lora" / "kohya.safetensors", models / "lora" / "sdxl.safetensors"]
    both = draw(backend, "sdxl", *files)
    assert both != draw(backend, "sdxl", files[0])
    one = loaded()
    counts = {adapters.layers_with(one.any_pipe, name) for name in one.adapters.names.values()}
    assert counts == {adapters.layers_in(files[0])} == {adapters.layers_in(files[1])}
    assert not one.adapters.notes


def test_an_adapter_is_loaded_once_and_again_when_its_file_changes(
    backend: Backend, models: Path, tmp_path: Path
) -> None:
    from tests.backends.diffusers import tiny

    file = tmp_path / "mine.safetensors"
    shutil.copy(models / "lora" / "sdxl.safetensors", file)
    first = draw(backend, "sdxl", file)
    draw(backend, "sdxl", file)
    assert loaded().adapters.made == 1
    tiny.peft_lora(models / "sdxl", "unet", file, seed=9)
    assert draw(backend, "sdxl", file) != first
    assert loaded().adapters.made == 2


@pytest.mark.parametrize(("model", "of"), [("sdxl", "flux"), ("flux", "sdxl"), ("klein", "sdxl")])
def test_an_adapter_of_another_model_is_an_error_and_leaves_nothing(
    backend: Backend, models: Path, model: str, of: str
) -> None:
    plain = draw(backend, model)
    file = models / "lora" / f"{of}.safetensors"
    for _ in range(2):  # the second time it must not be "already in use"
        with pytest.raises(ConfigError, match="fits no layer"):
            draw(backend, model, file)
    assert not loaded().adapters.names
    assert not loaded().any_pipe.get_list_adapters()
    assert draw(backend, model) == plain


def test_after_a_wrong_adapter_none_is_left_and_the_right_one_works(backend: Backend, models: Path) -> None:
    right, wrong = models / "lora" / "sdxl.safetensors", models / "lora" / "flux.safetensors"
    plain, expected = draw(backend, "sdxl"), draw(backend, "sdxl", right)
    with pytest.raises(ConfigError, match="fits no layer"):
        draw(backend, "sdxl", right, wrong)
    assert not loaded().any_pipe.get_list_adapters()
    assert draw(backend, "sdxl") == plain
    assert draw(backend, "sdxl", right) == expected


def test_an_adapter_of_another_size_is_an_error_and_leaves_nothing(
    backend: Backend, models: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    plain = draw(backend, "klein")
    wide = {name: weight.repeat(2, 2) for name, weight in load_file(models / "lora" / "klein.safetensors").items()}
    save_file(wide, tmp_path / "9b.safetensors")
    for _ in range(2):
        with pytest.raises(ConfigError, match="another size of the model"):
            draw(backend, "klein", tmp_path / "9b.safetensors")
    assert draw(backend, "klein") == plain


def test_an_adapter_that_fits_in_part_is_told(backend: Backend, models: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(models / "lora" / "sdxl.safetensors")
    weights |= {f"unet.nowhere.{i}.to_q.lora_{h}.weight": torch.ones(4, 4) for i in range(3) for h in "AB"}
    save_file(weights, tmp_path / "part.safetensors")
    options = {"loras": [{"path": str(tmp_path / "part.safetensors")}]}
    delivery = backend.generate(request(model="sdxl", options=options), lambda _: None)
    assert any("Only" in note and "layers of the adapter" in note for note in delivery.notes)


def test_a_damaged_adapter_is_an_error(backend: Backend, models: Path, tmp_path: Path) -> None:
    whole = (models / "lora" / "sdxl.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="damaged"):
        draw(backend, "sdxl", tmp_path / "half.safetensors")
    assert draw(backend, "sdxl", models / "lora" / "sdxl.safetensors")


def test_adapters_do_not_pile_up(backend: Backend, models: Path, tmp_path: Path) -> None:
    for number in range(adapters.MOST + 2):
        file = tmp_path / f"{number}.safetensors"
        shutil.copy(models / "lora" / "sdxl.safetensors", file)
        draw(backend, "sdxl", file)
        assert len(loaded().adapters.names) <= adapters.MOST
