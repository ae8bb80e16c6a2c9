"""The endpoints that the simulated fal serves: what each takes, in what unit it bills, and its price.

Fields, defaults and limits: the type map of github.com/fal-ai/fal-js (2026-08) and the endpoints' own pages on fal.ai
(``/llms.txt``, 2026). A price that fal does not publish is marked as a stand-in below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, create_model, field_validator
from pydantic_core import PydanticKnownError

Kind = Literal["klein", "image2pixel", "background"]
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
Preset = Literal["square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"]
KLEIN = "fal-ai/flux-2/klein/4b"
SPRITESHEET = f"{KLEIN}/base/edit/lora"


class ImageSize(BaseModel):
    """Width and height in pixels. The bounds come from the validation context, as ``sides``."""

    width: int = 512
    height: int = 512

    @field_validator("width", "height")
    @classmethod
    def inside(cls, value: int, info: ValidationInfo) -> int:
        low, high = info.context["sides"] if info.context else (1, 2048)
        if value < low:
            raise PydanticKnownError("greater_than_equal", {"ge": low})
        if value > high:
            raise PydanticKnownError("less_than_equal", {"le": high})
        return value


class Lora(BaseModel):
    path: str
    scale: float = Field(1, ge=0, le=4)


class Image2PixelInput(BaseModel):
    image_url: str
    max_colors: int | None = Field(32, ge=1, le=256)
    auto_color_detect: bool = False
    fixed_palette: list[Annotated[str, Field(pattern=r"^#?[0-9a-fA-F]{6}$")]] | None = None
    detect_method: Literal["auto", "runs", "edge"] = "auto"
    downscale_method: Literal["dominant", "median", "mode", "mean", "content-adaptive"] = "dominant"
    scale: int | None = Field(None, ge=1)
    snap_grid: bool = True
    cleanup_morph: bool = False
    cleanup_jaggy: bool = False
    alpha_threshold: int = Field(128, ge=0, le=255)
    dominant_color_threshold: float = Field(0.05, ge=0, le=1)
    transparent_background: bool = False
    background_mode: Literal["corners", "edges", "midpoints"] = "corners"
    background_tolerance: int = Field(0, ge=0, le=255)
    trim_borders: bool = False
    sync_mode: bool = False


class BirefnetInput(BaseModel):
    image_url: str
    model: str = "General Use (Light)"
    operating_resolution: Literal["1024x1024", "2048x2048", "2304x2304"] = "1024x1024"
    output_format: Literal["webp", "png", "gif"] = "png"
    output_mask: bool = False
    refine_foreground: bool = True
    sync_mode: bool = False


class BriaInput(BaseModel):
    image_url: str
    sync_mode: bool = False


@dataclass(frozen=True)
class Endpoint:
    """One endpoint. ``price`` is USD for one ``unit``; ``edits`` says that it takes ``image_urls``."""

    id: str
    kind: Kind
    schema: type[BaseModel]
    unit: str
    price: str
    edits: bool = False
    bills_inputs: bool = False


def app_of(endpoint_id: str) -> str:
    """``owner/app``, under which status, result and cancel of every endpoint of an application live."""
    return "/".join(endpoint_id.split("/")[:2])


def catalogue(*, require_image: bool = True, prices: Mapping[str, str] | None = None) -> dict[str, Endpoint]:
    """Every endpoint by id. ``prices`` replaces unit prices; raises ValueError for an endpoint that is not there."""
    found = {f"{KLEIN}{suffix}": _klein(suffix, price, require_image) for suffix, price in _KLEIN_PRICES.items()}
    others = (
        # fal publishes no price for image2pixel: a stand-in.
        Endpoint("fal-ai/image2pixel", "image2pixel", Image2PixelInput, "generations", "0.01"),
        Endpoint("fal-ai/birefnet/v2", "background", BirefnetInput, "compute seconds", "0"),
        Endpoint("fal-ai/bria/background/remove", "background", BriaInput, "generations", "0.018"),
    )
    found |= {endpoint.id: endpoint for endpoint in others}
    unknown = sorted(set(prices or {}) - set(found))
    if unknown:
        raise ValueError(f"no endpoint named {', '.join(unknown)}; there are: {', '.join(found)}")
    for name, price in (prices or {}).items():
        found[name] = Endpoint(**{**vars(found[name]), "price": price})
    return found


# USD a megapixel. Published: /lora, /base/edit and /base/edit/lora. fal's own pages contradict one another about "",
# /base and /edit (the dearer one is here), and name no price for /base/lora and /edit/lora: stand-ins.
_KLEIN_PRICES = {
    "": "0.014",
    "/base": "0.009",
    "/edit": "0.014",
    "/base/edit": "0.009",
    "/lora": "0.01",
    "/base/lora": "0.016",
    "/edit/lora": "0.016",
    "/base/edit/lora": "0.016",
}


def _klein(suffix: str, price: str, require_image: bool) -> Endpoint:
    """FLUX.2 Klein 4B: base or distilled, from text or as an edit, with or without LoRAs."""
    base, edit, lora = "/base" in suffix, "/edit" in suffix, suffix.endswith("/lora")
    fields: dict[str, Any] = {
        "prompt": (str, ...),
        "seed": (int | None, None),
        "num_images": (int, Field(1, ge=1, le=4)),
        "image_size": (ImageSize | Preset | None, None if edit else "landscape_4_3"),
        "num_inference_steps": (int, Field(28, ge=4, le=50) if base else Field(4, ge=4, le=8)),
        "enable_safety_checker": (bool, True),
        "output_format": (Literal["jpeg", "png", "webp"], "png"),
        "sync_mode": (bool, False),
    }
    if base:
        fields["negative_prompt"] = (str, "")
        fields["guidance_scale"] = (float, Field(5, ge=0, le=20))
        fields["acceleration"] = (Literal["none", "regular", "high"], "regular")
    if edit:
        images = Field(min_length=1, max_length=4) if require_image else Field(default_factory=list, max_length=4)
        fields["image_urls"] = (list[str], images)
    if lora:
        fields["loras"] = (list[Lora], Field(default_factory=list, max_length=3))
    schema: type[BaseModel] = create_model("KleinInput", **fields)
    return Endpoint(KLEIN + suffix, "klein", schema, "megapixels", price, edits=edit, bills_inputs=edit)
