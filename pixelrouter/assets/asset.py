"""What a manifest says, resolved: every asset with its style's and the project's defaults filled in.

The words of ``assets.toml`` become these values in ``manifest/``; everything else works with the values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pixelrouter.types import Task, Tiles, Views

Provenance = Literal["none", "minimal", "full"]
TagDirection = Literal["forward", "reverse", "pingpong", "pingpong_reverse"]  # Aseprite's words


@dataclass(frozen=True, slots=True)
class FrameTag:
    """Frames ``first`` to ``last`` (from 0, both included) of an animation under one name."""

    name: str
    first: int
    last: int
    direction: TagDirection = "forward"


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing to be drawn. The first group of fields decides what is bought, the others are free to change.

    ``prompt`` has the style's affixes. ``images`` and ``mask`` are files, relative to the manifest's folder, or
    ``asset:NAME``, the picture picked for another asset. ``n`` is how many candidates there shall be to choose from.
    ``out`` is the place of the files below the project's out folder, without an ending.
    """

    name: str
    prompt: str
    size: tuple[int, int]
    task: Task = "image"
    backend: str | None = None
    route: tuple[str, ...] | None = None
    model: str | None = None
    seed: int | None = None
    transparent: bool | None = None
    images: tuple[str, ...] = ()
    mask: str | None = None
    strength: float | None = None
    views: Views | None = None
    action: str | None = None
    frames: int | None = None
    tiles: Tiles | None = None
    upper: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    n: int = 1
    style: str = ""
    sticky: bool = True  # the style keeps the backend that drew its first image
    commercial: bool = False  # True: only models whose licence allows commercial use
    colors: int | None = None
    palette: tuple[str, ...] | None = None  # "#rrggbb"
    palette_name: str = ""  # as the manifest has it
    finishing: Mapping[str, Any] = field(default_factory=dict)  # of routing.arguments.Finishing
    min_score: float | None = None

    out: str = ""
    exports: tuple[str, ...] = ()
    fps: float | None = None  # over the vendor's times
    loop: bool = True
    pivot: tuple[float, float] | None = None  # 0..1, from the upper left
    frame_tags: tuple[FrameTag, ...] = ()
    tags: tuple[str, ...] = ()  # costs can be added up by them
    line: int = 0  # of its table in the manifest


@dataclass(frozen=True, slots=True)
class Atlas:
    """Many assets packed on one sheet. ``assets`` are the names that its patterns matched, in the manifest's order."""

    name: str
    assets: tuple[str, ...]
    out: str
    formats: tuple[str, ...] = ("aseprite-json",)
    method: Literal["grid", "shelf", "maxrects"] = "maxrects"
    spacing: int = 1
    margin: int = 0
    extrude: int = 0
    trim: bool = False
    power_of_two: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Project:
    """What holds for the whole build. ``out`` and ``store`` are absolute; ``store`` None is the router's own."""

    name: str
    out: Path
    store: Path | None = None
    budget_usd: Decimal | None = None
    budget_generations: Decimal | None = None
    palette: tuple[str, ...] | None = None
    palette_name: str = ""
    provenance: Provenance = "none"
    pixels_per_unit: int | None = None  # Unity's; None: the sprite's own width


@dataclass(frozen=True, slots=True)
class Manifest:
    """An ``assets.toml``, read and resolved. ``assets`` and ``atlases`` by name, in the file's order."""

    path: Path
    project: Project
    assets: Mapping[str, Asset]
    atlases: Mapping[str, Atlas] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.parent

    @property
    def lock_path(self) -> Path:
        """``assets.lock`` beside ``assets.toml``."""
        return self.path.with_suffix(".lock")
