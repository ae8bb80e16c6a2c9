"""The bodies of the endpoints that make or change one picture. A class is a body; its docstring names the path.

Source: the vendor's OpenAPI documents of v1 and v2 (August 2026).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pixelrouter.testing.simulator.pixellab.fields import (
    AnySize,
    BackgroundTask,
    Base64Image,
    Body,
    Detail,
    Direction,
    Guidance,
    LowGuidance,
    Outline,
    PixenSize,
    Point,
    ProSize,
    Seed,
    Shading,
    ShortText,
    Size1to400,
    Size16to200,
    Size16to320,
    Size16to400,
    Size16to1280,
    Strength,
    Text,
    View,
)


class Pixflux(Body):
    """v1 generate-image-pixflux."""

    description: str
    negative_description: str = ""
    image_size: Size16to400
    text_guidance_scale: Guidance = 8
    outline: Outline | None = None
    shading: Shading | None = None
    detail: Detail | None = None
    view: View | None = None
    direction: Direction | None = None
    isometric: bool = False
    no_background: bool = False
    init_image: Base64Image | None = None
    init_image_strength: Strength = 300
    color_image: Base64Image | None = None
    seed: int | None = None


class PixfluxV2(Pixflux):
    """create-image-pixflux and create-image-pixflux-background."""

    background_removal_task: BackgroundTask = "remove_simple_background"


class Pixen(Body):
    """create-image-pixen."""

    description: str
    image_size: PixenSize
    outline: Outline | None = None
    detail: Detail | None = "highly detailed"
    view: View | None = None
    direction: Direction | None = None
    no_background: bool = False
    background_removal_task: BackgroundTask = "remove_simple_background"
    seed: int | None = None
    enhance_prompt: bool = False


class Bitforge(Body):
    """v1 generate-image-bitforge; v2 create-image-bitforge."""

    description: str
    negative_description: str = ""
    image_size: Size16to200
    text_guidance_scale: Guidance = 8
    extra_guidance_scale: Annotated[float, Field(ge=0, le=20)] = 3
    style_strength: Annotated[int, Field(ge=0, le=100)] = 0
    outline: Outline | None = None
    shading: Shading | None = None
    detail: Detail | None = None
    view: View | None = None
    direction: Direction | None = None
    isometric: bool = False
    oblique_projection: bool = False
    no_background: bool = False
    coverage_percentage: Annotated[float, Field(ge=0, le=100)] | None = None
    init_image: Base64Image | None = None
    init_image_strength: Strength = 300
    style_image: Base64Image | None = None
    inpainting_image: Base64Image | None = None
    mask_image: Base64Image | None = None
    color_image: Base64Image | None = None
    skeleton_guidance_scale: Annotated[float, Field(ge=0, le=5)] = 1
    skeleton_keypoints: list[Point] | None = None
    seed: int | None = None


class Inpaint(Body):
    """inpaint, in both versions. White in the mask is drawn anew."""

    description: str
    negative_description: str = ""
    image_size: Size16to200
    text_guidance_scale: LowGuidance = 3
    extra_guidance_scale: Annotated[float, Field(ge=0, le=20)] = 3
    outline: Outline | None = None
    shading: Shading | None = None
    detail: Detail | None = None
    view: View | None = None
    direction: Direction | None = None
    isometric: bool = False
    oblique_projection: bool = False
    no_background: bool = False
    init_image: Base64Image | None = None
    init_image_strength: Strength = 300
    inpainting_image: Base64Image
    mask_image: Base64Image
    color_image: Base64Image | None = None
    seed: int | None = None


class SizedImage(Body):
    """A picture with its size beside it."""

    image: Base64Image
    size: AnySize


class ReferenceImage(SizedImage):
    """A picture that generate-image-v2 looks at."""

    usage_description: ShortText | None = None


class StyleOptions(Body):
    """What generate-image-v2 takes over from its style image."""

    color_palette: bool = True
    outline: bool = True
    detail: bool = True
    shading: bool = True


class ProImages(Body):
    """generate-image-v2: 64, 16, 4 or 1 pictures by size."""

    description: Text
    image_size: ProSize
    seed: Seed | None = None
    no_background: bool | None = True
    reference_images: Annotated[list[ReferenceImage], Field(max_length=4)] | None = None
    style_image: ReferenceImage | None = None
    style_options: StyleOptions = StyleOptions()


class ImageToPixelart(Body):
    """image-to-pixelart."""

    image: Base64Image
    image_size: Size16to1280
    output_size: Size16to320
    text_guidance_scale: Guidance | None = 8
    seed: Seed | None = None


class Resize(Body):
    """resize."""

    description: Text
    reference_image: Base64Image
    reference_image_size: Size16to200
    target_size: Size16to200
    view: View | None = None
    direction: Direction | None = None
    isometric: bool | None = False
    oblique_projection: bool | None = False
    no_background: bool | None = False
    color_image: Base64Image | None = None
    init_image: Base64Image | None = None
    init_image_strength: Annotated[float, Field(ge=0, le=999)] | None = 150
    seed: Seed | None = None


class RemoveBackground(Body):
    """remove-background."""

    image: Base64Image
    image_size: Size1to400
    background_removal_task: BackgroundTask = "remove_simple_background"
    text: ShortText | None = None
    seed: Seed | None = None


class BoundingBox(Body):
    """The part of a picture that inpaint-v3 works on, in pixels."""

    x: Annotated[int, Field(ge=0)]
    y: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class InpaintV3(Body):
    """inpaint-v3."""

    description: Text
    inpainting_image: SizedImage
    mask_image: SizedImage
    context_image: SizedImage | None = None
    bounding_box: BoundingBox | None = None
    seed: Seed | None = None
    no_background: bool | None = False
    crop_to_mask: bool | None = True


class EditImage(Body):
    """edit-image."""

    image: Base64Image
    image_size: Size16to400
    description: Annotated[str, Field(min_length=1, max_length=500)]
    width: Annotated[int, Field(ge=16, le=400)]
    height: Annotated[int, Field(ge=16, le=400)]
    seed: Seed | None = None
    no_background: bool | None = True
    text_guidance_scale: LowGuidance | None = 8
    color_image: Base64Image | None = None
