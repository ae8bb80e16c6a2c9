"""The bodies of the endpoints that turn, move or measure a picture. A class is a body; its docstring names the path.

Source: the vendor's OpenAPI documents of v1 and v2 (August 2026).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pixelrouter.testing.simulator.pixellab.fields import (
    Base64Image,
    Body,
    Direction,
    Guidance,
    Point,
    Seed,
    ShortText,
    Size16to200,
    Size16to256,
    Size32to168,
    Size32to256,
    Size64,
    Strength,
    View,
)


def _four_nulls() -> list[Base64Image | None]:
    return [None] * 4


class Rotate(Body):
    """rotate, in both versions."""

    image_size: Size16to200
    image_guidance_scale: Guidance = 3
    view_change: Annotated[int, Field(ge=-90, le=90)] | None = None
    direction_change: Annotated[int, Field(ge=-180, le=180)] | None = None
    from_view: View | None = "side"
    to_view: View | None = "side"
    from_direction: Direction | None = "south"
    to_direction: Direction | None = "east"
    isometric: bool = False
    oblique_projection: bool = False
    init_image: Base64Image | None = None
    init_image_strength: Strength = 300
    mask_image: Base64Image | None = None
    from_image: Base64Image
    color_image: Base64Image | None = None
    seed: int | None = None


class SizedReference(Body):
    """A picture with its size in the same object, as the eight rotations take it."""

    image: Base64Image
    width: Annotated[int, Field(ge=1, le=1024)]
    height: Annotated[int, Field(ge=1, le=1024)]


class EightRotationsV2(Body):
    """generate-8-rotations-v2."""

    method: Literal["rotate_character", "create_with_style", "create_from_concept"] = "rotate_character"
    image_size: Size32to168
    reference_image: SizedReference | None = None
    concept_image: SizedReference | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    style_description: ShortText | None = None
    view: View = "low top-down"
    seed: Seed | None = None
    no_background: bool | None = True


class EightRotationsV3(Body):
    """generate-8-rotations-v3. The seed is 0 unless the caller says otherwise."""

    first_frame: Base64Image
    description: Annotated[str, Field(max_length=2000)] | None = None
    no_background: bool | None = None
    seed: Seed | None = 0


class AnimateWithSkeleton(Body):
    """animate-with-skeleton, in both versions: exactly three frames."""

    image_size: Size16to256
    guidance_scale: Guidance = 4
    view: View = "side"
    direction: Direction = "east"
    isometric: bool = False
    oblique_projection: bool = False
    init_images: list[Base64Image] | None = None
    init_image_strength: Strength = 300
    skeleton_keypoints: list[list[Point]] = Field(default=[])
    reference_image: Base64Image
    inpainting_images: list[Base64Image | None] = Field(default=[None] * 3)
    mask_images: list[Base64Image | None] = Field(default=[None] * 3)
    color_image: Base64Image | None = None
    seed: int | None = None


class AnimateWithText(Body):
    """animate-with-text, in both versions: always four pictures of 64x64; seed 0 means a random one."""

    image_size: Size64
    description: str
    negative_description: str | None = ""
    action: str
    text_guidance_scale: Guidance | None = 8
    image_guidance_scale: Guidance | None = 1.4
    n_frames: Annotated[int, Field(ge=2, le=20)] | None = 4
    start_frame_index: Annotated[int, Field(ge=0, le=20)] | None = 0
    view: View = "side"
    direction: Direction = "east"
    init_images: list[Base64Image] | None = None
    init_image_strength: Strength = 300
    reference_image: Base64Image
    inpainting_images: list[Base64Image | None] = Field(default=[None] * 4)
    mask_images: list[Base64Image | None] | None = Field(default_factory=_four_nulls)
    color_image: Base64Image | None = None
    seed: int | None = 0


class AnimateWithTextV2(Body):
    """animate-with-text-v2."""

    reference_image: Base64Image
    reference_image_size: Size32to256
    action: Annotated[str, Field(min_length=1, max_length=500)]
    image_size: Size32to256
    seed: Seed | None = None
    no_background: bool | None = True
    view: Literal["none"] | View = "none"
    direction: Literal["none"] | Direction = "none"


class AnimateWithTextV3(Body):
    """animate-with-text-v3. The seed is 0 unless the caller says otherwise."""

    first_frame: Base64Image
    last_frame: Base64Image | None = None
    action: Annotated[str, Field(min_length=1, max_length=1000)]
    frame_count: Annotated[int, Field(ge=4, le=16)] = 8
    seed: Seed | None = 0
    no_background: bool | None = None
    drift_threshold: Annotated[float, Field(ge=0)] | None = None
    enhance_prompt: bool = False


class EstimateSkeleton(Body):
    """estimate-skeleton, in both versions."""

    image: Base64Image
