"""Presets: a base model, its adapters and how to call them, as data. Bundled ones, and the user's own."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pixelrouter.backends.diffusers.families import BY_CLASS, FAMILIES, SCHEDULERS, Family, FamilyName
from pixelrouter.backends.diffusers.licences import Terms, effective, unread
from pixelrouter.errors import ConfigError, InvalidRequest
from pixelrouter.types import Licence, ModelInfo, Task, Views

#: What draws when nobody names a preset: the one with the clearest rights.
AUTOMATIC: Mapping[Task, str] = {"image": "pixel-art-xl", "edit": "pixel-art-xl", "views": "klein-spritesheet"}
GROUND = ", centered, on a plain solid white background"


class Lora(BaseModel):
    """One adapter. ``weight_name`` None: the only .safetensors file of its folder or repository."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, description="Repository, folder or .safetensors file.")
    weight_name: str | None = None
    scale: float = Field(default=1.0, ge=-4, le=4, allow_inf_nan=False)
    licence: Terms | None = None


class Preset(BaseModel):
    """One way to draw, as presets.toml describes it. ``family`` None is read from the folder of the base model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str = Field(min_length=1, description="Repository or folder of the base model.")
    family: FamilyName | None = None
    variant: str | None = None
    loras: tuple[Lora, ...] = ()
    scheduler: str | None = None
    steps: int | None = Field(default=None, ge=1, le=150)
    guidance: float | None = Field(default=None, ge=0, le=30, allow_inf_nan=False)
    strength: float | None = Field(default=None, gt=0, le=1)
    native: int = Field(default=1024, ge=64, le=2048, multiple_of=16)
    cell: int | None = Field(default=None, ge=1, le=256)
    prompt: str = "{prompt}"
    reference_prompt: str | None = None
    negative_prompt: str | None = None
    ground: str = GROUND
    tasks: tuple[Literal["image", "edit", "views"], ...] | None = None
    views: Views | None = None
    min_size: int = Field(default=8, ge=1, le=1024)
    max_size: int = Field(default=256, ge=1, le=1024)
    max_n: int = Field(default=4, ge=1, le=64)
    licence: Terms | None = None
    description: str = ""

    @field_validator("scheduler")
    @classmethod
    def _known_scheduler(cls, value: str | None) -> str | None:
        if value is not None and value not in SCHEDULERS:
            raise ValueError(f"unknown scheduler; known are {', '.join(SCHEDULERS)}")
        return value

    @field_validator("views")
    @classmethod
    def _known_views(cls, value: Views | None) -> Views | None:
        if value not in (None, "2x2"):
            raise ValueError("only the layout '2x2' can be cut into views here")
        return value

    @property
    def kind(self) -> Family:
        """The family. Raises ConfigError where neither the preset nor the base model's folder tells it."""
        name = self.family or _family_of(self.base)
        if name is None:
            raise ConfigError(
                f"It is not known what kind of model {self.base} is.",
                hint=f'Set family = "..." in its preset: {", ".join(FAMILIES)}.',
            )
        return FAMILIES[name]

    @property
    def serves(self) -> tuple[Task, ...]:
        """The tasks it can do: its own list, else what its family can."""
        return self.tasks or self.kind.tasks

    def licence_with(self, loras: tuple[Lora, ...]) -> Licence:
        """The terms on what it draws with these adapters: the strictest of all parts."""
        known = bundled_terms()
        base = self.licence or known.get(self.base) or unread(self.base)
        rest = [(one.path, one.licence or known.get(one.path) or unread(one.path)) for one in loras]
        return effective([(self.base, base), *rest])

    def info(self, name: str) -> ModelInfo:
        """The preset as the router sees it; sizes are those of the finished sprite."""
        family, tasks = self.kind, self.serves
        views = "views" in tasks
        return ModelInfo(
            id=name,
            family=family.name,
            min_width=self.min_size,
            max_width=self.max_size,
            min_height=self.min_size,
            max_height=self.max_size,
            max_n=self.max_n,
            max_references=0 if views else family.references,
            needs_image=tasks == ("edit",),
            takes_image=views,
            prompt_optional=views,
            tasks=tasks,
            strength="edit" in tasks and family.strength is not None,
            views=(self.views,) if views and self.views else (),
            description=self.description,
            native=False,
            alpha=False,
            seeds=True,
            licence=self.licence_with(self.loras),
        )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "presets.toml").read_text(encoding="utf-8"))


@cache
def bundled() -> Mapping[str, Preset]:
    """The presets that come with pixelrouter, by name."""
    return {name: Preset.model_validate(table) for name, table in _table()["presets"].items()}


@cache
def bundled_terms() -> Mapping[str, Terms]:
    """The licences that were looked up, by repository."""
    return {asset: Terms.model_validate(table) for asset, table in _table()["licences"].items()}


def folder_of(base: str) -> Path | None:
    """The folder that ``base`` names, None if it is a repository's id."""
    path = Path(base).expanduser()
    return path if path.is_dir() else None


def cached_folder(base: str) -> Path | None:
    """Where the Hub's cache has the repository ``base``, or a part of it; None where it has nothing of it."""
    try:
        from huggingface_hub import try_to_load_from_cache  # light, and there wherever diffusers is

        found = try_to_load_from_cache(base, "model_index.json")
    except (ImportError, ValueError):  # not installed; no name of a repository
        return None
    return Path(found).parent if isinstance(found, str) else None


def _family_of(base: str) -> FamilyName | None:
    folder = folder_of(base)
    if folder is None:
        same = [p.family for p in bundled().values() if p.base == base]
        if same:
            return same[0]
        folder = cached_folder(base)
    if folder is None:
        return None
    try:
        name = json.loads((folder / "model_index.json").read_text("utf-8"))["_class_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return BY_CLASS.get(name) if isinstance(name, str) else None


def find(name: str, own: Mapping[str, Preset]) -> Preset:
    """The preset called ``name``: the user's own, a bundled one, or the folder or repository of that name.

    Of a repository the family has to be known: from a bundled preset, or because it was fetched before.

    Raises InvalidRequest, with the nearest name, if there is none.
    """
    known = {**bundled(), **own}
    if name in known:
        return known[name]
    if folder_of(name) is not None or ("/" in name and _family_of(name)):
        return Preset(base=name, description=f"{name} as it is.")
    close = difflib.get_close_matches(name, known, 1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Presets: {', '.join(known)}."
    raise InvalidRequest(
        f"The diffusers backend has no preset {name!r}, and no such folder is here.",
        hint=f"{hint} Another model by its id needs a preset with its family: [backends.diffusers.presets.NAME].",
    )


def automatic(task: Task) -> str:
    """The preset that serves ``task`` when nobody names one. Raises InvalidRequest if none does."""
    if task not in AUTOMATIC:
        able = ", ".join(cast("Mapping[str, str]", AUTOMATIC))
        raise InvalidRequest(f"The diffusers backend cannot do task {task!r}.", hint=f"It can do: {able}.")
    return AUTOMATIC[task]
