"""Where a model's files are on this machine, and whether they are all there.

A model whose tokenizer is missing loads without complaint and fails at its first prompt; one without weights fails
with the name of a file that nobody misses. So the folder is looked through before it is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelrouter.backends.diffusers.failures import explain, no_file
from pixelrouter.backends.diffusers.families import BY_CLASS, FamilyName
from pixelrouter.backends.diffusers.presets import Lora, folder_of

_WORDS = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")


def model_folder(base: str, variant: str | None, *, download: bool) -> Path:
    """The folder of the base model: itself, or where the Hub's cache has it. Raises ConfigError, JobFailed."""
    folder = folder_of(base)
    if folder is not None:
        return folder
    if _looks_like_path(base):
        raise no_file(base, "there is no such folder")
    import diffusers

    try:
        where = diffusers.DiffusionPipeline.download(
            base, variant=variant, local_files_only=not download, use_safetensors=True
        )
    except Exception as error:
        raise explain(error, "finding", base, download=download) from error
    return Path(where)


def lora_file(lora: Lora, *, download: bool) -> Path:
    """The adapter's file: itself, or where the Hub's cache has it. Raises ConfigError, JobFailed."""
    path = Path(lora.path).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _one_of(path, lora)
    if _looks_like_path(lora.path) or lora.path.endswith(".safetensors"):
        raise no_file(lora.path, "there is no such file")
    import huggingface_hub

    try:
        if lora.weight_name is not None:
            return Path(huggingface_hub.hf_hub_download(lora.path, lora.weight_name, local_files_only=not download))
        if download:
            names = [n for n in huggingface_hub.list_repo_files(lora.path) if n.endswith(".safetensors")]
            if len(names) != 1:
                raise _which(lora, names)
            return Path(huggingface_hub.hf_hub_download(lora.path, names[0]))
        cached = huggingface_hub.snapshot_download(lora.path, allow_patterns="*.safetensors", local_files_only=True)
    except Exception as error:
        raise explain(error, "finding", lora.path, download=download) from error
    return _one_of(Path(cached), lora)


def _looks_like_path(text: str) -> bool:
    return text.startswith(("/", ".", "~")) or "\\" in text or text.count("/") != 1


def _one_of(folder: Path, lora: Lora) -> Path:
    if lora.weight_name is not None:
        file = folder / lora.weight_name
        if not file.is_file():
            raise no_file(lora.path, f"there is no file {lora.weight_name} in it")
        return file
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise _which(lora, [file.name for file in found])
    return found[0]


def _which(lora: Lora, names: list[str]) -> Exception:
    listed = f"weight_name has to say which of {', '.join(names)}" if names else "it holds no .safetensors file"
    return no_file(lora.path, listed)


def check_model(folder: Path, base: str, family: FamilyName) -> None:
    """Raise ConfigError if the folder is no model of that family, or if a part of it is missing."""
    try:
        index: dict[str, Any] = json.loads((folder / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise no_file(base, "it has no readable model_index.json, so it is no diffusers model") from None
    name = index.get("_class_name")
    if BY_CLASS.get(str(name)) != family:
        raise no_file(base, f"its pipeline is {name}, which is not a {family} model")
    for part, value in index.items():
        if not part.startswith("_") and isinstance(value, list) and len(value) == 2 and value[1]:
            _check_part(folder / part, base, str(value[1]))


def _check_part(part: Path, base: str, cls: str) -> None:
    if not part.is_dir():
        raise no_file(base, f"its part {part.name!r} ({cls}) is missing")
    if "Tokenizer" in cls:
        if not any((part / name).is_file() for name in _WORDS):
            raise no_file(base, f"its {part.name} has no vocabulary ({', '.join(_WORDS[:2])})")
    elif "Scheduler" in cls:
        if not (part / "scheduler_config.json").is_file():
            raise no_file(base, f"its {part.name} has no scheduler_config.json")
    elif not cls.endswith(("Processor", "FeatureExtractor")) and not any(
        file.is_file()
        for file in part.glob("*.safetensors")  # is_file(): the Hub's cache holds links
    ):
        raise no_file(base, f"its part {part.name!r} ({cls}) has no .safetensors weights")


def variant_there(folder: Path, variant: str | None) -> str | None:
    """The variant, if the folder holds files of it; else None, for the plain ones."""
    return variant if variant and any(folder.rglob(f"*.{variant}.safetensors")) else None
