"""The bodies of the endpoints whose results the vendor keeps: characters, tilesets, tiles, map objects.

Source: the vendor's OpenAPI documents of v2 (August 2026).
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import Field

from pixelrouter.testing.simulator.pixellab.fields import (
    Base64Image,
    Body,
    Detail,
    Guidance,
    Outline,
    OutlineNoBlack,
    Seed,
    Shading,
    Size16to64,
    Size16to128,
    Size32to256,
    Size32to400,
    Strength,
    Text,
    View,
)

_Length = Annotated[float, Field(ge=0.5, le=2)]
_Freedom = Annotated[float, Field(ge=0, le=900)]
_Adherence = Annotated[float, Field(ge=0, le=500)]
_TileStrength = Annotated[float, Field(ge=0.1, le=2)]
_Fraction = Annotated[float, Field(ge=0.05, le=0.95)]
_Part = Annotated[float, Field(ge=0, le=1)]


class PresetProportions(Body):
    """A body's build by name."""

    type: Literal["preset"] = "preset"
    name: Literal["default", "chibi", "cartoon", "stylized", "realistic_male", "realistic_female", "heroic"] = "default"


class CustomProportions(Body):
    """A body's build by lengths; 1 is usual."""

    type: Literal["custom"] = "custom"
    head_size: _Length = 1
    arms_length: _Length = 1
    legs_length: _Length = 1
    shoulder_width: _Length = 1
    hip_width: _Length = 1


class FourDirections(Body):
    """create-character-with-4-directions."""

    description: Text
    image_size: Size16to128
    async_mode: Literal[True] | None = True
    text_guidance_scale: Guidance | None = 8
    outline: str | None = "single color black outline"
    shading: str | None = "basic shading"
    detail: str | None = "medium detail"
    view: str | None = "low top-down"
    isometric: bool | None = False
    color_image: Base64Image | None = None
    force_colors: bool | None = False
    proportions: Annotated[PresetProportions | CustomProportions, Field(discriminator="type")] | None = None
    template_id: str | None = None
    seed: Seed | None = None
    directions: dict[str, Base64Image] | None = None
    output_type: Literal["dict"] | None = "dict"


class EightDirections(FourDirections):
    """create-character-with-8-directions."""

    mode: Literal["standard", "pro"] | None = "standard"


class CharacterV3(Body):
    """create-character-v3: from a picture that looks south, or from words."""

    description: Text
    reference_image: Base64Image | None = None
    image_size: Size32to256 | None = None
    view: View = "low top-down"
    template_id: str = "mannequin"
    name: str | None = None
    seed: Seed | None = None
    no_background: bool | None = True
    outline: str | None = "single color black outline"
    detail: str | None = "medium detail"
    enhance_prompt: bool = False


class CharacterAnimation(Body):
    """characters/animations and animate-character: one job for each direction."""

    character_id: str
    animation_name: str | None = None
    description: Text | None = None
    action_description: str | None = None
    async_mode: Literal[True] | None = True
    mode: Literal["template", "v3", "pro"] | None = None
    template_animation_id: str | None = None
    frame_count: Annotated[int, Field(ge=4, le=16)] | None = 8
    custom_start_frame: Base64Image | None = None
    end_frame: Base64Image | None = None
    keep_first_frame: bool = True
    text_guidance_scale: Guidance | None = 8
    outline: str | None = None
    shading: str | None = None
    detail: str | None = None
    directions: list[str] | None = None
    isometric: bool | None = False
    color_image: Base64Image | None = None
    force_colors: bool | None = False
    seed: Seed | None = None
    enhance_prompt: bool = False

    @property
    def way(self) -> Literal["template", "v3", "pro"]:
        """The mode; the vendor finds it itself where the caller names none."""
        return self.mode or ("template" if self.template_animation_id else "v3")


class TileSize(Body):
    """A top-down tile, in pixels."""

    width: Literal[16, 32, 64] = 16
    height: Literal[16, 32, 64] = 16


class Tileset(Body):
    """create-tileset and tilesets: 16 Wang tiles, 25 where transition_size is 1."""

    lower_description: Annotated[str, Field(min_length=1)]
    upper_description: Annotated[str, Field(min_length=1)]
    transition_description: str = ""
    lower_base_tile_id: str | None = None
    upper_base_tile_id: str | None = None
    tile_size: TileSize = TileSize()
    mode: Literal["standard", "pro"] = "standard"
    shape_style: Literal["square", "round"] | None = None
    enhance: bool = True
    spread_x: _Part = 0.5
    slope_size: _Part = 0
    raggedness: _Part = 0
    text_guidance_scale: Guidance = 8
    outline: Outline | None = None
    shading: Shading | None = None
    detail: Detail | None = None
    view: Literal["low top-down", "high top-down"] = "high top-down"
    tile_strength: _TileStrength = 1
    tileset_adherence_freedom: _Freedom = 500
    tileset_adherence: _Adherence = 100
    transition_size: _Part = 0
    lower_reference_image: Base64Image | None = None
    upper_reference_image: Base64Image | None = None
    transition_reference_image: Base64Image | None = None
    color_image: Base64Image | None = None
    seed: Seed | None = None


class SideTileSize(Body):
    """A side-scroller's tile, in pixels."""

    width: Literal[16, 32] = 16
    height: Literal[16, 32] = 16


class TransitionSize(float, Enum):
    """How far a side-scroller's top layer reaches down: four steps only."""

    NONE = 0.0
    QUARTER = 0.25
    HALF = 0.5
    WHOLE = 1.0


class SideTileset(Body):
    """create-tileset-sidescroller and tilesets-sidescroller."""

    lower_description: Annotated[str, Field(min_length=1)]
    transition_description: str = ""
    lower_base_tile_id: str | None = None
    tile_size: SideTileSize = SideTileSize()
    text_guidance_scale: Guidance = 8
    outline: Outline | None = None
    shading: Shading | None = None
    detail: Detail | None = None
    tile_strength: _TileStrength = 1
    tileset_adherence_freedom: _Freedom = 500
    tileset_adherence: _Adherence = 100
    transition_size: TransitionSize = TransitionSize.NONE
    lower_reference_image: Base64Image | None = None
    transition_reference_image: Base64Image | None = None
    color_image: Base64Image | None = None
    seed: Seed | None = None


class IsometricTile(Body):
    """create-isometric-tile."""

    description: str
    image_size: Size16to64
    text_guidance_scale: Guidance = 8
    outline: OutlineNoBlack | None = "lineless"
    shading: Shading | None = "basic shading"
    detail: Detail | None = "medium detail"
    init_image: Base64Image | None = None
    init_image_strength: Strength = 300
    isometric_tile_size: Literal[16, 32] | None = 16
    isometric_tile_shape: Literal["thick tile", "thin tile", "block"] = "block"
    color_image: Base64Image | None = None
    seed: int | None = None


class MaskInpainting(Body):
    """Where a map object goes, by a mask."""

    type: Literal["mask"] = "mask"
    mask_image: Base64Image


class OvalInpainting(Body):
    """Where a map object goes: an oval of this part of the picture."""

    type: Literal["oval"] = "oval"
    fraction: _Fraction = 0.3


class RectangleInpainting(Body):
    """Where a map object goes: a rectangle of this part of the picture."""

    type: Literal["rectangle"] = "rectangle"
    fraction: _Fraction = 0.3


class MapObject(Body):
    """map-objects. Here the most detailed word is "high detail", and there are four shadings."""

    description: Text
    image_size: Size32to400 = Size32to400(width=128, height=128)
    view: View = "high top-down"
    outline: OutlineNoBlack | None = "single color outline"
    shading: Literal["flat shading", "basic shading", "medium shading", "detailed shading"] | None = "medium shading"
    detail: Literal["low detail", "medium detail", "high detail"] | None = "medium detail"
    text_guidance_scale: Guidance = 8
    init_image: Base64Image | None = None
    init_image_strength: Strength = 300
    color_image: Base64Image | None = None
    background_image: Base64Image | None = None
    inpainting: MaskInpainting | OvalInpainting | RectangleInpainting | None = None
    seed: Seed | None = None
