"""Which style draws a request, and how what it delivers is laid out: the bundled table, and the automatic choice."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest, Layout, ModelInfo, Task, Tiles

# What is drawn when nobody names a style: general styles, cheapest first by Retro Diffusion's list.
_GENERAL = ("rd-fast/default", "rd-fast/low_res", "rd-plus/classic")
_AUTOMATIC: Mapping[Task, tuple[str, ...]] = {
    "image": _GENERAL,
    "edit": _GENERAL,
    "animation": ("rd-animation/four_angle_walking",),  # the model's own default
}
_SEAMLESS = ("rd-fast/texture", "rd-fast/mc_texture")


class Group(BaseModel):
    """One entry of styles.toml: styles of a family that share their limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    styles: tuple[str, ...]
    size: tuple[int, int]
    n: int
    tasks: tuple[Task, ...]
    tiles: tuple[Tiles, ...] = ()
    image: Literal["edit", "required", "subject"] | None = None
    grid: tuple[int, int] | None = None
    actions: tuple[str, ...] = ()
    square: bool = False
    gif: bool = False


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "styles.toml").read_text(encoding="utf-8"))


@cache
def groups() -> Mapping[str, Group]:
    """The entry of each model id."""
    entries = [Group.model_validate(entry) for entry in _table()["group"]]
    return {f"{group.family}/{style}": group for group in entries for style in group.styles}


def defaults(family: str) -> Mapping[str, Any]:
    """The inputs of a family that have a default, and the default."""
    found: Mapping[str, Any] = _table()["defaults"][family]
    return found


@cache
def bundled() -> tuple[ModelInfo, ...]:
    """Every style as a model."""
    return tuple(_model(name, group) for name, group in groups().items())


def _model(name: str, group: Group) -> ModelInfo:
    low, high = group.size
    still = group.family in ("rd-fast", "rd-plus")
    return ModelInfo(
        id=name,
        family=group.family,
        min_width=low,
        max_width=high,
        min_height=low,
        max_height=high,
        max_n=group.n,
        needs_image=group.image == "required",
        square=group.square,
        tasks=group.tasks,
        takes_image=group.image == "subject",
        strength=group.image == "edit",
        tiles=group.tiles,
        palettes=still,
        alpha=group.family != "rd-tile",
    )


def resolve(request: GenerationRequest, default: str | None) -> ModelInfo:
    """The style that draws ``request``: the one it names, else ``default`` where that does the task, else the cheapest
    general one that fits.

    Raises InvalidRequest that names the limit, or the sizes that are possible.
    """
    known = {model.id: model for model in bundled()}
    if default in known and request.task not in known[default].tasks:
        default = None
    if name := request.model or default:
        model = known.get(name)
        if model is None:
            raise InvalidRequest(f"Replicate has no model {name!r} that we know.", hint=_nearest(name, tuple(known)))
        if reason := why_not(model, request):
            raise InvalidRequest(f"On Replicate, {reason}.", hint=_instead(model, request))
        return model
    candidates = [known[style] for style in _candidates(request)]
    if not candidates:
        raise InvalidRequest(f"No model that we know on Replicate does task {request.task!r}.")
    reasons = {model.id: why_not(model, request) for model in candidates}
    for model in candidates:
        if reasons[model.id] is None:
            return model
    raise InvalidRequest(
        f"No general model on Replicate can draw it: {'; '.join(filter(None, reasons.values()))}.",
        hint="Change the request, or name another model; `pixelrouter backends` lists them.",
    )


def _candidates(request: GenerationRequest) -> tuple[str, ...]:
    if request.task != "tileset":
        return _AUTOMATIC.get(request.task, ())
    if request.tiles == "seamless":
        return _SEAMLESS
    two = request.upper is not None or any(name.startswith("extra_") for name in request.options)
    return ("rd-tile/tileset_advanced",) if two else ("rd-tile/tileset",)


def why_not(model: ModelInfo, request: GenerationRequest) -> str | None:
    """``model.why_not``, where an input image among the options counts as the picture to work on."""
    if request.options.get("input_image") is not None:
        if request.images:
            return f"{model.id} takes one input image: give it in images= or in options, not in both"
        if model.needs_image or request.task == "edit":
            request = request.model_copy(update={"images": (b"",)})
    return model.why_not(request)


def may_have_image(request: GenerationRequest) -> bool:
    """Whether an image may have gone with a request that comes without its images. ``request.model`` is set."""
    group = groups().get(request.model or "")
    return request.task == "edit" or (group is not None and group.image in ("required", "subject"))


def wants_sheet(request: GenerationRequest) -> bool:
    """Whether an animation is asked for as a sheet of frames; else it comes as a moving picture."""
    chosen = request.options.get("return_spritesheet")
    return bool(chosen) if chosen is not None else not groups()[request.model or ""].gif


def layout(request: GenerationRequest) -> Layout:
    """How the files are cut. ``request.model`` is set; sizes in pixels."""
    group = groups()[request.model or ""]
    width, height = request.size
    moving = group.family == "rd-animation"
    if moving and not wants_sheet(request):
        # What one frame of a walking GIF shows is not known, so nothing is promised of its size.
        return Layout(raws=1, frames=True, raw_size=request.size if group.gif else None)
    if group.grid is None:
        return Layout(raws=1, cell=request.size) if moving else Layout(raws=request.n, raw_size=request.size)
    columns, rows = group.grid
    names = [
        f"row-{row}/{column}" if moving else f"tile-{row * columns + column}" for row, column in _cells(group.grid)
    ]
    return Layout(raws=1, columns=columns, rows=rows, names=tuple(names), raw_size=(columns * width, rows * height))


def _cells(grid: tuple[int, int]) -> list[tuple[int, int]]:
    return [(row, column) for row in range(grid[1]) for column in range(grid[0])]


def notes(model: str) -> tuple[str, ...]:
    """What whoever gets images of that model should know about how they are named."""
    group = groups().get(model)
    if group is None or group.grid is None:
        return ()
    if group.family == "rd-animation":
        return (
            "The rows of this sheet are directions, but their order varies: look which is which before you use it.",
        )
    return ("Which tile of this sheet has which border is not documented: the tiles are numbered row by row.",)


def _instead(model: ModelInfo, request: GenerationRequest) -> str:
    """What to do about a model that cannot serve the request."""
    if request.task not in model.tasks:
        return f"It does: {', '.join(model.tasks)}."
    for style in _candidates(request):
        other = next(known for known in bundled() if known.id == style)
        if why_not(other, request) is None:
            return f"{style} can draw it."
    return "Change the request, or name another model."


def _nearest(name: str, known: tuple[str, ...]) -> str:
    """A hint with the models that ``name`` may have meant: by the vendor's path, by the style alone, by spelling."""
    bare = name.removeprefix("retro-diffusion/").replace("__", "/").replace("rd_", "rd-")
    style = bare.rpartition("/")[2]
    if bare in known:
        close = [bare]
    else:
        same = [model for model in known if model.partition("/")[2] == style or model.partition("/")[0] == bare]
        close = same[:4] or difflib.get_close_matches(bare, known, 3, 0.6)
    if not close:
        return "`pixelrouter backends` lists every model."
    return f"Did you mean {' or '.join(repr(model) for model in close)}?"
