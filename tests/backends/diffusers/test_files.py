"""A model's folder is looked through before it is loaded; adapters are found by folder, file or name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixelrouter.backends.diffusers.files import check_model, lora_file, model_folder, variant_there
from pixelrouter.backends.diffusers.presets import Lora
from pixelrouter.errors import ConfigError

PARTS = {
    "unet": ["diffusers", "UNet2DConditionModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": [None, None],
}
FILES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "tokenizer": "vocab.json",
    "scheduler": "scheduler_config.json",
    "feature_extractor": "preprocessor_config.json",
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The skeleton of an SDXL folder: every file there, all of them empty."""
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionXLPipeline", **PARTS}))
    for part, name in FILES.items():
        (tmp_path / part).mkdir()
        (tmp_path / part / name).write_text("{}")
    return tmp_path


def test_a_whole_model_passes(model: Path) -> None:
    check_model(model, "m", "sdxl")
    (model / "feature_extractor" / "preprocessor_config.json").unlink()
    check_model(model, "m", "sdxl")


@pytest.mark.parametrize("part", ["unet", "tokenizer", "scheduler"])
def test_a_part_without_its_file_is_named(model: Path, part: str) -> None:
    (model / part / FILES[part]).unlink()
    with pytest.raises(ConfigError, match=part):
        check_model(model, "m", "sdxl")


def test_a_missing_part_is_named(model: Path) -> None:
    (model / "tokenizer" / "vocab.json").unlink()
    (model / "tokenizer").rmdir()
    with pytest.raises(ConfigError, match=r"'tokenizer' .CLIPTokenizer. is missing"):
        check_model(model, "m", "sdxl")


def test_weights_that_are_a_dead_link_are_missing(model: Path) -> None:
    weights = model / "unet" / FILES["unet"]
    weights.unlink()
    weights.symlink_to(model / "blob-that-was-deleted")
    with pytest.raises(ConfigError, match=r"no .safetensors weights"):
        check_model(model, "m", "sdxl")


def test_another_kind_of_model_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="StableDiffusionXLPipeline, which is not a flux model"):
        check_model(model, "m", "flux")
    (model / "model_index.json").write_text("not json")
    with pytest.raises(ConfigError, match=r"model_index\.json"):
        check_model(model, "m", "sdxl")


def test_the_variant_is_used_where_it_is_there(model: Path) -> None:
    assert variant_there(model, "fp16") is None
    (model / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_text("")
    assert variant_there(model, "fp16") == "fp16"


@pytest.mark.parametrize("base", ["/nowhere/at/all", "./nowhere", "~/nowhere", "one/two/three", "word"])
def test_a_folder_that_is_not_there_is_no_download(base: str) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        model_folder(base, None, download=True)


def test_an_adapter_is_found_by_file_and_by_folder(tmp_path: Path) -> None:
    one = tmp_path / "one.safetensors"
    one.write_text("")
    assert lora_file(Lora(path=str(one)), download=False) == one
    assert lora_file(Lora(path=str(tmp_path)), download=False) == one
    (tmp_path / "two.safetensors").write_text("")
    with pytest.raises(ConfigError, match=r"weight_name has to say which of one.safetensors, two.safetensors"):
        lora_file(Lora(path=str(tmp_path)), download=False)
    named = Lora(path=str(tmp_path), weight_name="two.safetensors")
    assert lora_file(named, download=False).name == "two.safetensors"
    with pytest.raises(ConfigError, match=r"no file three.safetensors"):
        lora_file(Lora(path=str(tmp_path), weight_name="three.safetensors"), download=False)
    with pytest.raises(ConfigError, match="no such file"):
        lora_file(Lora(path=str(tmp_path / "gone.safetensors")), download=False)


def test_an_empty_folder_holds_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no .safetensors"):
        lora_file(Lora(path=str(tmp_path)), download=False)
