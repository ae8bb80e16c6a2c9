"""Builds the body of POST /inferences: the request's own fields, then the vendor options the caller passed.

Fields and ranges: github.com/Retro-Diffusion/api-examples contracts/v2/openapi.json and llms.txt, 2026-09.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from pixelrouter.backends._options import Check, flag, one_of, text
from pixelrouter.backends.protocol import reject_unknown_options
from pixelrouter.backends.retrodiffusion.actions import prompt_for
from pixelrouter.backends.retrodiffusion.layouts import wants_sheet
from pixelrouter.backends.retrodiffusion.pictures import encode, flatten
from pixelrouter.backends.retrodiffusion.seeds import checked_seed
from pixelrouter.backends.retrodiffusion.styles import FRAMES, needs_whole_frame, takes_input_image
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest, ModelInfo

# Fields that we set ourselves, and what to use instead.
REFUSED: Mapping[str, str] = {
    "prompt": "Use the prompt argument.",
    "prompt_style": "Use model=.",
    "model": "Use model= with a style's id; the vendor's own field of this name has no effect.",
    "width": "Use size=.",
    "height": "Use size=.",
    "num_images": "Use n=.",
    "seed": "Use seed=.",
    "remove_bg": "Use transparent=True.",
    "reference_images": "Use images=.",
    "upscale_output_factor": "Images come at their own size; enlarge when saving: save(path, scale=8).",
    "check_cost": "Use quote().",
    "async": "Every job is queued and polled.",
    "async_process": "Every job is queued and polled.",
    "negative": "Retro Diffusion accepts it and ignores it; say in the prompt what you want.",
}


def _bytes(name: str, value: object) -> bytes:
    """The image behind an option: bytes, or base64 text with or without a ``data:`` prefix."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be bytes or base64 text, not {type(value).__name__}.")
    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(f"{name} is not base64.", hint="Give the file's bytes.") from None


def _image(name: str, value: object) -> str:
    return flatten(_bytes(name, value), name)


def _strength(name: str, value: object) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not 0 < number <= 1:
        raise InvalidRequest(
            f"{name}={value!r} is outside 0..1 (0 itself excluded).", hint="Low keeps more of the image."
        )
    return number


OPTIONS: Mapping[str, Check] = {
    "input_image": _image,
    "strength": _strength,
    "extra_prompt": text(),
    "extra_input_image": _image,
    "extra_strength": _strength,
    "input_palette": _image,
    "return_pre_palette": flag,
    "return_non_bg_removed": flag,
    "output_bg_color": text(),
    "tile_x": flag,
    "tile_y": flag,
    "frames_duration": one_of(*FRAMES),
    "return_spritesheet": flag,
    "bypass_prompt_expansion": flag,
    "include_downloadable_data": flag,
    "include_extra_data": flag,
    "upload_outputs": flag,
}


def _options(request: GenerationRequest, model: ModelInfo) -> dict[str, Any]:
    for name in request.options:
        if name in REFUSED:
            raise InvalidRequest(f"{name!r} cannot be given as an option of retrodiffusion.", hint=REFUSED[name])
    reject_unknown_options("retrodiffusion", request.options, tuple(OPTIONS))
    if "frames_duration" in request.options and model.id == "rd_advanced_animation__rotate":
        raise InvalidRequest(f"{model.id} ignores frames_duration.", hint="Leave it out.")
    return {name: OPTIONS[name](name, value) for name, value in request.options.items()}


def _also_given(request: GenerationRequest, argument: str, option: str) -> None:
    if option in request.options:
        raise InvalidRequest(
            f"{argument}= and the option {option!r} say the same twice.", hint=f"Give {argument}= alone."
        )


def _task_fields(request: GenerationRequest, model: ModelInfo) -> dict[str, Any]:
    """What the arguments of a task become: strength, frames, a sheet, tiles."""
    fields: dict[str, Any] = {}
    if request.strength is not None:
        _also_given(request, "strength", "strength")
        fields["strength"] = _strength("strength", request.strength)
    if request.frames is not None:
        _also_given(request, "frames", "frames_duration")
        fields["frames_duration"] = request.frames
    if wants_sheet(model, request):
        fields["return_spritesheet"] = True
    if request.task == "tileset" and model.tiles == ("seamless",):
        fields |= {"tile_x": True, "tile_y": True}
    return fields


def inference_body(request: GenerationRequest, model: ModelInfo, seed: int | None) -> dict[str, Any]:
    """The JSON body. Raises InvalidRequest for a bad option, seed or image."""
    number = checked_seed(request, seed)
    body: dict[str, Any] = {
        "prompt": prompt_for(model, request),
        "prompt_style": model.id,
        "width": request.width,
        "height": request.height,
        "num_images": request.n,
    }
    if request.upper is not None:
        # The vendor calls the two grounds inside (prompt) and outside: what lies on the other is the inside.
        _also_given(request, "upper", "extra_prompt")
        body |= {"prompt": request.upper, "extra_prompt": request.prompt}
    if number is not None:
        body["seed"] = number
    # Sent always: the documents of before 2026-07 enlarge by default, the later ones do not.
    body["upscale_output_factor"] = 1
    if request.transparent:
        body["remove_bg"] = True
    images = list(request.images)
    if images and "input_image" not in request.options and takes_input_image(model, request):
        frame = request.size if needs_whole_frame(model) else None
        body["input_image"] = flatten(images.pop(0), "The input image", frame)
    if images:
        body["reference_images"] = [encode(image) for image in images]
    body |= _task_fields(request, model) | _options(request, model)
    if "strength" in body and "input_image" not in body:
        raise InvalidRequest("strength needs an image to start from.", hint="Give images= with task 'edit'.")
    return body
