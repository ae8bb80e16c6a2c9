"""Builds a prediction's ``input``: the request's own fields, then the vendor inputs that the caller passed as options.

Fields, ranges and defaults: the input schemas of retro-diffusion/rd-fast, rd-plus, rd-tile and rd-animation on
replicate.com, read 2026-07.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping
from typing import Any

from pixelrouter.backends._options import Check, flag, number, text
from pixelrouter.backends.protocol import reject_unknown_options
from pixelrouter.backends.replicate import styles
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import GenerationRequest, ModelInfo

MAX_SEED = 2**31 - 1  # the schema names no range; clients use this one
MAX_PIXELS = 4096 * 4096
# Replicate's API reference takes data addresses of at most 256 kB, its page on input files of less than 1 MB: the
# stricter counts, on the whole address.
LONGEST_ADDRESS = 256_000
IMAGES = ("input_image", "input_palette", "extra_input_image")
_LINK = re.compile(r"https?://[^\s]+")

# Inputs that we set ourselves, and what to use instead.
REFUSED: Mapping[str, str] = {
    "prompt": "Use the prompt argument.",
    "style": "Use model= with FAMILY/STYLE, for instance rd-plus/isometric.",
    "width": "Use size=.",
    "height": "Use size=.",
    "num_images": "Use n=.",
    "seed": "Use seed=.",
    "remove_bg": "Use transparent=True.",
    "webhook": "Jobs are polled.",
    "stream": "Jobs are polled.",
}


def picture(name: str, data: bytes) -> str:
    """An image as a ``data:`` address of a PNG in RGB; what was transparent becomes white. Such a PNG goes as it is.

    Retro Diffusion's own API refuses alpha in input images (api-examples README, 2026-09), and these are its models.
    Raises UnreadableImage, or InvalidRequest for one that is too large.
    """
    from PIL import Image  # heavy, and most requests have no image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage(f"{name} is {image.width}x{image.height} pixels: too large to send.")
            ready = (image.format, image.mode) == ("PNG", "RGB") and "transparency" not in image.info
            rgba = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise UnreadableImage(f"{name} is not an image that can be read.", hint="Give a PNG, GIF or WebP.") from None
    png = data
    if not ready:
        ground = Image.new("RGBA", rgba.size, "white")
        ground.alpha_composite(rgba)
        out = io.BytesIO()
        ground.convert("RGB").save(out, format="PNG")
        png = out.getvalue()
    address = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    if len(address) > LONGEST_ADDRESS:
        raise InvalidRequest(
            f"{name} takes {len(address):,} characters, and Replicate takes at most {LONGEST_ADDRESS:,} in a request.",
            hint="Give a smaller image, or its https address as an option.",
        )
    return address


def _image(name: str, value: object) -> str:
    """An image option: bytes, a ``data:`` address, or a link that Replicate reads itself and that goes as it is."""
    if isinstance(value, bytes | bytearray):
        return picture(name, bytes(value))
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be bytes or an address, not {type(value).__name__}.")
    if _LINK.fullmatch(value):
        return value
    head, comma, text = value.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        raise InvalidRequest(f"{name} is neither bytes nor an https or data: address.", hint="Give the file's bytes.")
    try:
        return picture(name, base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest(f"{name} is not base64.", hint="Give the file's bytes.") from None


_STILL: Mapping[str, Check] = {
    "input_image": _image,
    "strength": number(0, 1),
    "input_palette": _image,
    "tile_x": flag,
    "tile_y": flag,
    "bypass_prompt_expansion": flag,
}
OPTIONS: Mapping[str, Mapping[str, Check]] = {
    "rd-fast": _STILL,
    "rd-plus": _STILL,
    "rd-tile": {
        "input_image": _image,
        "extra_prompt": text(1),
        "extra_input_image": _image,
        "bypass_prompt_expansion": flag,
    },
    "rd-animation": {"input_image": _image, "return_spritesheet": flag, "bypass_prompt_expansion": flag},
}


def _options(request: GenerationRequest, model: ModelInfo) -> dict[str, Any]:
    for name in request.options:
        if name in REFUSED:
            raise InvalidRequest(f"{name!r} cannot be given as an option of replicate.", hint=REFUSED[name])
    known = [name for name in OPTIONS[model.family] if not name.startswith("extra_") or _has_two_grounds(model)]
    reject_unknown_options(f"replicate's {model.id}", request.options, known)
    return {name: OPTIONS[model.family][name](name, value) for name, value in request.options.items()}


def _has_two_grounds(model: ModelInfo) -> bool:
    return model.id == "rd-tile/tileset_advanced"


def input_of(request: GenerationRequest, model: ModelInfo, seed: int | None) -> dict[str, Any]:
    """The JSON object under ``input``. Raises InvalidRequest for whatever the model would drop, clamp or refuse."""
    if request.seed is not None and request.seed > MAX_SEED:
        raise InvalidRequest(f"Seed {request.seed} is outside 0..{MAX_SEED}.", hint="These models' seeds have 31 bits.")
    body: dict[str, Any] = {
        "prompt": _prompt(request, model),
        "style": model.id.partition("/")[2],
        "width": request.width,
        "height": request.height,
    }
    if model.family == "rd-animation":
        body["return_spritesheet"] = styles.wants_sheet(request.model_copy(update={"model": model.id}))
    else:
        body["num_images"] = request.n
    if seed is not None:
        body["seed"] = seed % (MAX_SEED + 1)
    if request.transparent and model.family in ("rd-fast", "rd-plus"):
        body["remove_bg"] = True  # animations are transparent as they come, and rd-tile cannot
    if request.task == "tileset" and model.family in ("rd-fast", "rd-plus"):
        body |= {"tile_x": True, "tile_y": True}
    if request.images and "input_image" not in request.options:
        body["input_image"] = picture("The input image", request.images[0])
    if request.strength is not None:
        if "strength" in request.options:
            raise InvalidRequest("strength is given twice.", hint="Give strength= or the option, not both.")
        body["strength"] = request.strength
    body |= _options(request, model)
    if "strength" in body and "input_image" not in body:
        raise InvalidRequest("strength needs an image to start from.", hint="Give images= with task 'edit'.")
    return _with_upper(body, request, model)


def _with_upper(body: dict[str, Any], request: GenerationRequest, model: ModelInfo) -> dict[str, Any]:
    """The second ground of a tileset goes where the model wants it; a model that has no place for one is refused."""
    if request.upper is not None:
        if not _has_two_grounds(model):
            raise InvalidRequest(f"{model.id} has no second ground.", hint="rd-tile/tileset_advanced has one.")
        if "extra_prompt" in body:
            raise InvalidRequest("The second ground is given twice.", hint="Give upper= or extra_prompt, not both.")
        # Retro Diffusion calls the two grounds inside (prompt) and outside: what lies on the other is the inside.
        body |= {"prompt": text(1)("upper", request.upper), "extra_prompt": body["prompt"]}
    if _has_two_grounds(model) and not {"extra_prompt", "extra_input_image"} & body.keys():
        raise InvalidRequest(
            f"{model.id} needs a second ground.", hint="Give upper=, or take rd-tile/tileset, which draws one ground."
        )
    return body


def _prompt(request: GenerationRequest, model: ModelInfo) -> str:
    """The caller's words. The models have no input for an action: fixed ones are checked, others join the prompt."""
    action = (request.action or "").strip()
    if not action:
        return request.prompt
    shown = styles.groups()[model.id].actions
    if not shown:
        return f"{request.prompt}, {action}"
    if not any(word in action.lower() for word in shown):
        raise InvalidRequest(
            f"{model.id} shows {' and '.join(shown)}, not {action!r}.", hint="Leave action out, or name another model."
        )
    return request.prompt
