"""Which style draws a request: the bundled table, the caller's choice, and the automatic choice."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from pixelrouter.backends.retrodiffusion import actions
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import MAX_SIDE, GenerationRequest, ModelInfo, Task

USER_PREFIX = "user__"
FRAMES = (4, 6, 8, 10, 12, 16)
MOST_NAMED = 6  # styles that a hint lists

# What is drawn when nobody names a style: general styles, cheapest first (docs/retrodiffusion.md has the figures).
# rd_fast__default takes 15 images at most, so 16 fall through to rd_fast__simple, which costs the same.
_GENERAL = ("rd_fast__default", "rd_fast__simple", "rd_fast__low_res", "rd_plus__classic", "rd_pro__default")
AUTOMATIC: Mapping[Task, tuple[str, ...]] = {
    "image": _GENERAL,
    "edit": _GENERAL,
    "inpaint": ("edit__inpainting",),
    "remove_background": ("edit__background_remover",),
    "views": ("rd_advanced_animation__rotate", "rd_animation__8_dir_rotation"),
    "animation": ("rd_animation__any_animation", "rd_animation__big_animation"),
    "tileset": ("rd_tile__tileset",),
}
_TWO_GROUNDS = "rd_tile__tileset_advanced"
_PALETTES = ("rd_fast", "rd_plus", "rd_mini", "rd_pro")  # still images; input_palette goes in as an option
_SEAMLESS = ("rd_tile__single_tile", "rd_fast__texture", "rd_fast__mc_texture")


def automatic(request: GenerationRequest) -> tuple[str, ...]:
    """The styles to try, in order, for a request that names none."""
    if request.task == "tileset" and request.tiles == "seamless":
        return _SEAMLESS
    if request.task == "tileset" and request.upper is not None:
        return (_TWO_GROUNDS,)
    given = bool(request.images) or "input_image" in request.options
    if request.task == "animation" and given:
        return (actions.style_for(request),)
    if request.task == "animation":
        return (*AUTOMATIC["animation"], *actions.from_words(request))
    if request.task == "views" and not given:
        return AUTOMATIC["views"][1:]
    return AUTOMATIC.get(request.task, ())


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "styles.toml").read_text(encoding="utf-8"))


@cache
def bundled() -> tuple[ModelInfo, ...]:
    """Every style of the bundled table. An image-driven style may go without a prompt, as the vendor documents."""
    models = []
    for family in _table()["family"]:
        low, high = family["size"]
        required = family.get("image") == "required"
        tasks: tuple[Task, ...] = tuple(family.get("tasks", ["image"]))
        if family.get("image") == "optional" and tasks == ("image",):
            tasks = ("image", "edit")
        takes_palette = family["name"] in _PALETTES
        for style in family["styles"]:
            models.append(
                ModelInfo(
                    id=style,
                    family=family["name"],
                    min_width=low,
                    max_width=high,
                    min_height=low,
                    max_height=high,
                    max_n=family["n"],
                    max_references=family.get("references", 0),
                    needs_image=required,
                    prompt_optional=required,
                    square=family.get("square", False),
                    multiple_of=family.get("multiple_of", 1),
                    tasks=tasks,
                    strength="edit" in tasks,
                    views=("4", "8") if "views" in tasks else (),
                    frames=FRAMES if family.get("frames") else (),
                    tiles=tuple(family.get("tiles", [])),
                    palettes=takes_palette,
                )
            )
    return tuple(models)


def needs_whole_frame(model: ModelInfo) -> bool:
    """True for styles whose input image must have exactly the size asked for (advanced animations)."""
    return model.family == "rd_advanced_animation"


def user_style(name: str) -> ModelInfo:
    """A style that the account's owner made. Its limits are known to the vendor only, so the vendor checks them."""
    return ModelInfo(
        name, "user", 1, MAX_SIDE, 1, MAX_SIDE, max_n=16, max_references=9, tasks=("image", "edit"), strength=True
    )


def takes_input_image(model: ModelInfo, request: GenerationRequest) -> bool:
    """True if ``request.images[0]`` is the picture to start from; otherwise all images are references."""
    return model.needs_image or request.task == "edit"


def why_not(model: ModelInfo, request: GenerationRequest) -> str | None:
    """The first limit of ``model``, or of its style's own rules, that the request breaks; None if there is none."""
    if "input_image" in request.options and takes_input_image(model, request):
        if request.images and model.needs_image:
            return f"{model.id} takes one input image: give it in images= or in options, not in both"
        request = request.model_copy(update={"images": (b"", *request.images)})
    return model.why_not(request) or actions.why_not(model, request) or _tiles_broken(model, request)


def _tiles_broken(model: ModelInfo, request: GenerationRequest) -> str | None:
    if request.upper is not None and model.id != _TWO_GROUNDS:
        return f"{model.id} draws one ground; two (upper=) are for {_TWO_GROUNDS}"
    return None


def resolve(models: Sequence[ModelInfo], request: GenerationRequest, default: str | None) -> ModelInfo:
    """The style that draws ``request``: the one it names, else ``default``, else the cheapest general one that fits.

    Raises InvalidRequest that names the limit, or the sizes that are possible.
    """
    known = {model.id: model for model in models}
    name = request.model or _default(known, request, default)
    if name is not None:
        model = known.get(name) or (user_style(name) if name.startswith(USER_PREFIX) else None)
        if model is None:
            raise InvalidRequest(f"Retro Diffusion has no style {name!r}.", hint=_nearest(name, tuple(known)))
        if reason := why_not(model, request):
            raise InvalidRequest(f"Retro Diffusion's {reason}.", hint=_alternative(known, request, model))
        return model
    candidates = [known[style] for style in automatic(request) if style in known]
    refused = {model: why_not(model, request) for model in candidates}
    for model, reason in refused.items():
        if reason is None:
            return model
    if not candidates:
        raise InvalidRequest(f"This backend has no Retro Diffusion style for task {request.task!r}.")
    named = [m.id for m in bundled() if m.id in known and why_not(known[m.id], request) is None]
    raise _nothing_fits(refused, request, f"By name can: {', '.join(named[:MOST_NAMED])}." if named else None)


def _default(known: Mapping[str, ModelInfo], request: GenerationRequest, default: str | None) -> str | None:
    """The configured style, unless it is known not to do the task: one line of config serves every task."""
    model = known.get(default or "")
    return None if model is not None and request.task not in model.tasks else default


def _nothing_fits(
    refused: Mapping[ModelInfo, str | None], request: GenerationRequest, by_name: str | None
) -> InvalidRequest:
    """The error when no general style fits: the possible sizes or, where the size is fine, the other limits.

    ``by_name`` says which styles could do it that are never chosen by themselves.
    """
    if request.task not in ("image", "edit"):
        reasons = "; ".join(reason for reason in refused.values() if reason)
        return InvalidRequest(f"Retro Diffusion cannot do it: {reasons}.", hint=by_name)
    width, height = request.size
    others = [
        reason
        for model, reason in refused.items()
        if reason and model.min_width <= width <= model.max_width and model.min_height <= height <= model.max_height
    ]
    if others:
        return InvalidRequest(f"No general Retro Diffusion style can draw it: {'; '.join(others)}.", hint=by_name)
    spans = {f"{m.min_width}x{m.min_height} to {m.max_width}x{m.max_height}": m.id for m in reversed(list(refused))}
    return InvalidRequest(
        f"No general Retro Diffusion style draws {width}x{height}.",
        hint=f"Possible: {', '.join(f'{span} ({style})' for span, style in reversed(spans.items()))}.",
    )


def _alternative(known: Mapping[str, ModelInfo], request: GenerationRequest, refused: ModelInfo) -> str:
    """What to do instead: the task the style does, or a general style that fits."""
    if request.task not in refused.tasks:
        return f"It does: {', '.join(refused.tasks)}."
    for style in automatic(request):
        model = known.get(style)
        if model is not None and why_not(model, request) is None:
            return f"{style} can draw it."
    return "Change the request, or name another style."


def _nearest(name: str, known: Sequence[str]) -> str:
    """A hint with the styles that ``name`` may have meant."""
    if new := _table()["renamed"].get(name):
        return f"It is called {new!r} since 2026-04."
    tail = name.rpartition("__")[2]
    same = [style for style in known if style.partition("__")[2] == tail]
    close = same[:3] or difflib.get_close_matches(name, known, 3, 0.5)
    if not close:
        return "`pixelrouter backends` lists every style."
    return f"Did you mean {' or '.join(repr(style) for style in close)}?"
