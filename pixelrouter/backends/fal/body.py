"""Builds what is sent: the request's own fields, then the vendor options the caller passed.

Fields, defaults and ranges: github.com/fal-ai/fal-js (type map, 2026-08-02) and the llms.txt pages of the endpoints on
fal.ai, 2026. fal tolerates unknown fields silently, so a misspelt one is refused here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from pixelrouter.backends._options import Check, flag, number, one_of, text, whole
from pixelrouter.backends.fal.models import EDIT, KLEIN, PIXELIZE, SPRITESHEET, TEXT
from pixelrouter.backends.fal.settings import FalSettings, lora_address
from pixelrouter.backends.protocol import reject_unknown_options
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import GenerationRequest

TRIGGER = "2x2 sprite sheet"
#: Words for the picture that the sheet is made from: the LoRA wants one object, isolated on a clean background.
ISOLATED = "{prompt}, a single object, centred and isolated on a plain white background"
MOST_LORAS = 3
SHORTEST_SIDE, STEP = 512, 16
# fal publishes no limit for images inside the body and advises against large ones; this is ours.
MOST_IMAGE_BYTES = 8 * 1024 * 1024

_TYPES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_HEX = re.compile(r"#?[0-9a-fA-F]{6}")

# Fields that we set ourselves, and what to use instead.
REFUSED: Mapping[str, str] = {
    "prompt": "Use the prompt argument.",
    "image_urls": "Use images=.",
    "image_url": "Use images=.",
    "image_size": "Use size=; the side of the picture behind it is `canvas` in [backends.fal].",
    "num_images": "Use n=.",
    "seed": "Use seed=.",
    "output_format": "PNG is always asked for: anything else would smear the pixels.",
    "sync_mode": "Results are downloaded; a result inside the answer is kept by fal for a shorter time.",
    "transparent_background": "Use transparent=True.",
}


def raw_size(request: GenerationRequest, canvas: int) -> tuple[int, int]:
    """``(width, height)`` in pixels that Klein is asked to draw: the shape asked for, its longer side ``canvas``.

    Sides are multiples of 16 (of 32 for a sheet, so that its cells are) and at least 512, for which the longer one
    grows beyond ``canvas`` where it has to; at most 1024 * 1024 pixels.
    """
    step = STEP * (2 if request.task == "views" else 1)
    scale = max(canvas / max(request.size), SHORTEST_SIDE / min(request.size))
    width, height = (max(SHORTEST_SIDE, round(side * scale / step) * step) for side in request.size)
    return width, height


def data_uri(data: bytes, name: str) -> str:
    """An encoded image as a ``data:`` address. Raises UnreadableImage for what is no PNG, JPEG, GIF or WebP."""
    kind = next((kind for magic, kind in _TYPES if data.startswith(magic)), None)
    if kind is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is None:
        raise UnreadableImage(f"{name} is no PNG, JPEG, GIF or WebP.", hint="Give the bytes of an image file.")
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _images(request: GenerationRequest) -> list[str]:
    size = sum(map(len, request.images))
    if size > MOST_IMAGE_BYTES:
        raise InvalidRequest(
            f"The images are {size:,} bytes together, more than the {MOST_IMAGE_BYTES:,} that are sent to fal.",
            hint="Give smaller ones; Klein reduces each of them to one megapixel anyway.",
        )
    return [data_uri(data, f"Image {number}") for number, data in enumerate(request.images, 1)]


# --- options ----------------------------------------------------------------------------------------------------------


def _or_none(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _colors(name: str, value: object) -> list[str]:
    colors = list(value) if isinstance(value, list | tuple) else []
    if not colors or not all(isinstance(color, str) and _HEX.fullmatch(color) for color in colors):
        raise InvalidRequest(f"{name} must be a list of colours such as '#20242c'.")
    return [f"#{color.lstrip('#').lower()}" for color in colors]


def _lora(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = {"path": value}
    if not isinstance(value, Mapping) or not {"path"} <= set(value) <= {"path", "scale"}:
        raise InvalidRequest(
            "Each of loras must be {'path': ADDRESS, 'scale': NUMBER}.", hint="scale may be left out; it is 1 then."
        )
    path = text()("loras path", value["path"])
    try:
        lora_address(path)
    except ValueError as error:
        raise InvalidRequest(
            f"The LoRA {path!r} {error}.", hint="A bare repository name is ambiguous at fal."
        ) from None
    scale = {"scale": number(0, 4)("loras scale", value["scale"])} if "scale" in value else {}
    return {"path": path, **scale}


def _loras(name: str, value: object) -> list[dict[str, Any]]:
    if isinstance(value, str | Mapping) or not isinstance(value, list | tuple):
        raise InvalidRequest(
            f"{name} must be a list of LoRAs.", hint="For one: options={'loras': [{'path': ADDRESS}]}."
        )
    return [_lora(each) for each in value]


_KLEIN: Mapping[str, Check] = {
    "negative_prompt": text(),
    "guidance_scale": number(0, 20),
    "num_inference_steps": whole(4, 50),
    "acceleration": one_of("none", "regular", "high"),
    "enable_safety_checker": flag,
    "loras": _loras,
}
OPTIONS: Mapping[str, Mapping[str, Check]] = {
    TEXT: _KLEIN,
    EDIT: _KLEIN,
    SPRITESHEET: _KLEIN,
    PIXELIZE: {
        "max_colors": _or_none(whole(1, 256)),
        "auto_color_detect": flag,
        "fixed_palette": _colors,
        "detect_method": one_of("auto", "runs", "edge"),
        "downscale_method": one_of("dominant", "median", "mode", "mean", "content-adaptive"),
        "scale": _or_none(whole(1, 1024)),
        "snap_grid": flag,
        "cleanup_morph": flag,
        "cleanup_jaggy": flag,
        "alpha_threshold": whole(0, 255),
        "dominant_color_threshold": number(0, 1),
        "background_mode": one_of("corners", "edges", "midpoints"),
        "background_tolerance": whole(0, 255),
        "trim_borders": flag,
    },
}


def _options(request: GenerationRequest, model: str) -> dict[str, Any]:
    known = OPTIONS.get(model, {})
    for name in request.options:
        if name in REFUSED:
            raise InvalidRequest(f"{name!r} cannot be given as an option of fal.", hint=REFUSED[name])
    if request.options and not known:
        raise InvalidRequest(f"{model} has no options.", hint="Leave options out.")
    reject_unknown_options(model, request.options, tuple(known))
    return {name: known[name](name, value) for name, value in request.options.items()}


# --- bodies -----------------------------------------------------------------------------------------------------------


def words(request: GenerationRequest, model: str) -> str:
    """The prompt that is sent. A sheet's begins with the LoRA's trigger, and is nothing else without a prompt."""
    prompt = request.prompt.strip()
    if model != SPRITESHEET:
        return request.prompt
    return f"{TRIGGER}, {prompt}" if prompt else TRIGGER


def drawn(request: GenerationRequest, model: str, settings: FalSettings, seed: int) -> dict[str, Any]:
    """What a Klein body says apart from images, LoRAs and options: by this a lost job is recognised."""
    width, height = raw_size(request, settings.canvas)
    return {
        "prompt": words(request, model),
        # Sent always: without it an edit comes in the size of its input.
        "image_size": {"width": width, "height": height},
        "num_images": request.n,
        "seed": seed,
    }


def _own_loras(model: str, settings: FalSettings) -> list[dict[str, Any]]:
    if model == SPRITESHEET:
        return [{"path": settings.lora_url, "scale": settings.lora_scale}]
    if model == TEXT and settings.text_lora_url:
        return [{"path": settings.text_lora_url, "scale": settings.text_lora_scale}]
    return []


def body_of(request: GenerationRequest, model: str, settings: FalSettings, seed: int) -> dict[str, Any]:
    """The JSON body. Raises InvalidRequest for a bad option or image."""
    options, images = _options(request, model), _images(request)
    if model not in KLEIN:
        body: dict[str, Any] = {"image_url": images[0], **options}
        if model == PIXELIZE and request.transparent is not None:
            body["transparent_background"] = request.transparent
        return body
    body = drawn(request, model, settings, seed)
    if model != TEXT:
        if not images:
            raise InvalidRequest(
                f"fal's {model} needs a reference image, and none was given.",
                hint="The router draws one first when the call goes through it; else give images=.",
            )
        body["image_urls"] = images
    body["output_format"] = "png"
    loras = _own_loras(model, settings) + options.pop("loras", [])
    if len(loras) > MOST_LORAS:
        raise InvalidRequest(f"fal takes at most {MOST_LORAS} LoRAs, not {len(loras)}.", hint="Leave some out.")
    if loras:
        body["loras"] = loras
    return {**body, **options}
