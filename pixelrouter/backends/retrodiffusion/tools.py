"""The edit tools, jobs of their own: inpainting, background removal, edits by a prompt. v2 only.

Fields and prices: github.com/Retro-Diffusion/api-examples EDIT_TOOLS.md and contracts/v2/openapi.json, 2026-09.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pixelrouter.backends.protocol import reject_unknown_options
from pixelrouter.backends.retrodiffusion.pictures import as_mask, as_png
from pixelrouter.backends.retrodiffusion.seeds import checked_seed
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import MAX_SIDE, GenerationRequest, ModelInfo, Task

PREFIX = "edit__"


def _tool(tool: str, task: Task, description: str, most: int = MAX_SIDE, **more: Any) -> ModelInfo:
    # Only image_edit has a published limit of size; for the others the vendor checks, before it charges.
    return ModelInfo(
        PREFIX + tool, "edit", 1, most, 1, most, needs_image=True, tasks=(task,), description=description, **more
    )


MODELS: tuple[ModelInfo, ...] = (
    _tool("image_edit", "edit", "Edits an image as the prompt says, keeping its composition.", 256, alpha=False),
    _tool("inpainting", "inpaint", "Draws anew what the mask marks; every other pixel stays.", alpha=False),
    _tool("background_remover", "remove_background", "Cuts the subject out.", prompt_optional=True, seeds=False),
)


def is_tool(model: ModelInfo) -> bool:
    """True for an edit tool, which has endpoints of its own."""
    return model.family == "edit"


def tool_id(model: ModelInfo) -> str:
    """The vendor's name of the tool."""
    return model.id.removeprefix(PREFIX)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false, not {value!r}.")
    return value


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidRequest(f"{name} must be a whole number of at least 0, not {value!r}.")
    return value


OPTIONS: Mapping[str, Mapping[str, Callable[[str, object], Any]]] = {
    "image_edit": {},
    "inpainting": {"soft_inpaint": _flag},
    "background_remover": {"force_solid_pixels": _flag, "transparency_threshold": _whole},
}


def edit_body(request: GenerationRequest, model: ModelInfo, seed: int | None) -> dict[str, Any]:
    """The JSON body, of estimate and task alike. Raises InvalidRequest for a bad option, seed, image or mask."""
    tool = tool_id(model)
    known = OPTIONS[tool]
    reject_unknown_options(f"retrodiffusion's {model.id}", request.options, tuple(known))
    exact = request.size if request.task == "inpaint" else None
    body: dict[str, Any] = {"input_image": as_png(request.images[0], "The input image", exact)}
    if tool == "inpainting" and request.mask is not None:
        body["mask_image"] = as_mask(request.mask, request.size)
    if tool != "background_remover":
        body["prompt"] = request.prompt
        if (number := checked_seed(request, seed)) is not None:
            body["seed"] = number
    return body | {name: known[name](name, value) for name, value in request.options.items()}
