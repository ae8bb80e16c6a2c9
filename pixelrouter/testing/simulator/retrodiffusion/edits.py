"""Retro Diffusion's edit tools, as far as they run as tasks: what they take, what they cost, what comes back.

By the vendor's guide to its edit tools (September 2026). Served: image_edit, inpainting, background_remover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.images import Output
from pixelrouter.testing.simulator.retrodiffusion.orders import Issue, kind_issue, read_image
from pixelrouter.testing.simulator.retrodiffusion.problems import Refused

MASKED_ABOVE = 12  # alpha of an RGBA mask, or grey of a mask in mode L


@dataclass(frozen=True)
class Tool:
    """One tool. ``fields`` are those it reads beside the image; ``largest`` is the longest side of its input."""

    id: str
    usd: float
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()
    largest: int | None = None

    def catalogue_item(self) -> dict[str, Any]:
        """The tool as GET /edit/tools lists it."""
        title = self.id.replace("_", " ").capitalize()
        fields = [{"id": name, "label": name, "type": _TYPES[name]} for name in ("input_image", *self.fields)]
        return {
            "id": self.id,
            "name": title,
            "description": f"{title}.",
            "balance_cost": self.usd,
            "credit_cost": 0,
            "is_free": False,
            "requires_minimum_balance": False,
            "max_input_size": self.largest,
            "api_fields": fields,
        }


TOOLS = {
    tool.id: tool
    for tool in (
        Tool("image_edit", 0.18, ("prompt", "seed"), ("prompt",), 256),
        Tool("inpainting", 0.18, ("mask_image", "prompt", "seed", "soft_inpaint"), ("mask_image", "prompt")),
        Tool("background_remover", 0.01, ("force_solid_pixels", "transparency_threshold")),
    )
}
# Every field of the one schema that all tools share; any other is refused, one that the tool does not read is not.
_FIELDS = {
    "int": "color_count expand_bottom expand_left expand_right expand_top height repair_window_size seam_width seed "
    "transparency_threshold width",
    "float": "dither_strength rotation_degrees",
    "bool": "dithering force_solid_pixels soft_inpaint tile_x tile_y",
    "str": "custom_id dither_mode extra_input_image input_image input_palette mask_image output_image prompt",
}
_TYPES = {name: kind for kind, names in _FIELDS.items() for name in names.split()}


@dataclass(frozen=True)
class EditOrder:
    """An edit that the vendor takes. ``width`` and ``height`` are the image's own, which the result keeps."""

    operation: ClassVar[str] = "edit_tool"

    tool: Tool
    image: Image.Image
    mask: Image.Image | None
    body: Mapping[str, Any]

    @property
    def usd(self) -> float:
        return self.tool.usd

    @property
    def width(self) -> int:
        return self.image.width

    @property
    def height(self) -> int:
        return self.image.height

    @property
    def told(self) -> dict[str, str]:
        """What API Activity says of the request."""
        return {"tool_id": self.tool.id}

    def flag(self, name: str) -> bool:
        return bool(self.body.get(name))

    def draw(self, salt: str, size: tuple[int, int] | None = None) -> list[Output]:
        """The one file: the image as the tool leaves it, in RGBA. ``size`` enlarges or shrinks it."""
        seed = self.body.get("seed")
        pixels = np.array(self.image.convert("RGBA"))
        if self.tool.id == "background_remover":
            pixels[(pixels == pixels[0, 0]).all(axis=2)] = 0
        else:
            identity = f"{self.tool.id}|{self.body['prompt']}|{salt if seed is None else seed}"
            drawn, subject = images.sprite(identity, self.width, self.height)
            anew = subject if self.mask is None else np.array(self.mask) > 0
            pixels[anew] = np.dstack([drawn, np.full(drawn.shape[:2], 255, np.uint8)])[anew]
        if size is not None:
            pixels = np.array(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))
        return [images.png(pixels)]


def tool_named(name: str) -> Tool:
    """The tool of that id. Raises Refused."""
    if name not in TOOLS:
        raise Refused("tool_not_found")
    return TOOLS[name]


def read_edit(name: str, body: Any) -> EditOrder:
    """The order in a request body. Raises Refused with the vendor's code for each documented mistake."""
    tool = tool_named(name)
    _check_types(body)
    image = read_image(body["input_image"].removeprefix("data:image/png;base64,"), "invalid_image")
    if tool.largest is not None and max(image.size) > tool.largest:
        raise Refused("image_too_large")
    if getattr(image, "n_frames", 1) > 1:
        raise Refused("animated_input_not_supported")
    for required in tool.required:
        if not body.get(required):
            raise Refused("missing_prompt" if required == "prompt" else "missing_input")
    return EditOrder(tool, image, _mask(tool, body, image.size), body)


def _check_types(body: Any) -> None:
    if not isinstance(body, dict):
        raise Refused("validation_error", issues=[(["body"], "type_error.dict", "value is not a valid dict")])
    issues: list[Issue] = []
    if "input_image" not in body:
        issues.append((["body", "input_image"], "value_error.missing", "field required"))
    for name, value in body.items():
        if name not in _TYPES:
            issues.append((["body", name], "value_error.extra", "extra fields not permitted"))
        elif value is not None and (issue := kind_issue(name, _TYPES[name], value)):
            issues.append(issue)
    if issues:
        raise Refused("validation_error", issues=issues)


def _mask(tool: Tool, body: Mapping[str, Any], size: tuple[int, int]) -> Image.Image | None:
    """What may change, as an image in mode L, 0 or 255; an opaque picture without alpha marks everything."""
    if tool.id != "inpainting":
        return None
    mask = read_image(body["mask_image"].removeprefix("data:image/png;base64,"), "invalid_image")
    if mask.size != size:
        raise Refused("invalid_image_size")
    strength = mask if mask.mode == "L" else mask.convert("RGBA").getchannel("A")
    return strength.point([0 if value <= MASKED_ABOVE else 255 for value in range(256)])
