"""What a map is built of: tilesets, isometric tiles, objects."""

from __future__ import annotations

from pixelrouter.backends._options import flag, number, one_of, text
from pixelrouter.backends.pixellab import wish
from pixelrouter.backends.pixellab.endpoints import endpoint as limits
from pixelrouter.backends.pixellab.endpoints.endpoint import Endpoint
from pixelrouter.backends.pixellab.endpoints.shared import COLOURS, GUIDANCE, LOOK, START_OPTIONS, TEXT, model
from pixelrouter.backends.pixellab.rules import OUTLINES, SHADINGS, VIEWS, inpainting, picture
from pixelrouter.types import GenerationRequest

_TILES = {
    **GUIDANCE,
    **COLOURS,
    **LOOK,
    "lower_base_tile_id": text(),
    "tile_strength": number(0.1, 2),
    "tileset_adherence_freedom": number(0, 900),
    "tileset_adherence": number(0, 500),
    "lower_reference_image": picture,
    "transition_reference_image": picture,
}


def tiles_of(request: GenerationRequest) -> int | None:
    """How many tiles a top-down tileset has: 16, or 25 with a whole transition; None where the vendor does not say."""
    transition = request.options.get("transition_size", 0)
    if "shape_style" in request.options and transition > 0.5:
        return None
    return 25 if transition == 1 else 16


WORLDS = (
    Endpoint(
        model(
            "tileset",
            (16, 32),
            ("tileset",),
            "The 16 Wang tiles of the border between the prompt's ground and upper=, seen from above.",
            square=True,
            tiles=("wang",),
            palettes=True,
        ),
        "create-tileset",
        {
            "lower_description": wish.description,
            "upper_description": wish.upper,
            "tile_size": wish.size,
            "seed": wish.seed,
        },
        {
            **_TILES,
            "transition_description": text(),
            "upper_base_tile_id": text(),
            "shape_style": one_of("square", "round"),
            "enhance": flag,
            "view": one_of("low top-down", "high top-down"),
            "transition_size": number(0, 1),
            "upper_reference_image": picture,
        },
        limits=(limits.tile_of(16, 32), limits.needs_upper, limits.transition_in_steps),
        kept=("tilesets", "tileset_id"),
    ),
    Endpoint(
        model(
            "tileset-sidescroller",
            (16, 32),
            ("tileset",),
            "16 platform tiles seen from the side, on a transparent ground; upper= is the layer on top.",
            square=True,
            tiles=("wang",),
            alpha=True,
            palettes=True,
        ),
        "create-tileset-sidescroller",
        {
            "lower_description": wish.description,
            "transition_description": wish.upper,
            "tile_size": wish.size,
            "seed": wish.seed,
        },
        {**_TILES, "transition_size": one_of(0, 0.25, 0.5, 1)},
        limits=(limits.tile_of(16, 32),),
        kept=("tilesets-sidescroller", "tileset_id"),
    ),
    Endpoint(
        model("isometric-tile", (16, 64), ("image",), "One isometric tile or block.", alpha=True, palettes=True),
        "create-isometric-tile",
        TEXT,
        {
            **GUIDANCE,
            **LOOK,
            "outline": one_of(*OUTLINES[1:]),
            **START_OPTIONS,
            "isometric_tile_size": one_of(16, 32),
            "isometric_tile_shape": one_of("thick tile", "thin tile", "block"),
            **COLOURS,
        },
        kept=("isometric-tiles", "tile_id"),
    ),
    Endpoint(
        model(
            "map-object",
            (32, 400),
            ("image",),
            "An object for a map, on a transparent ground.",
            max_prompt=2000,
            alpha=True,
            palettes=True,
        ),
        "map-objects",
        TEXT,
        {
            **GUIDANCE,
            "view": one_of(*VIEWS),
            "outline": one_of(*OUTLINES[1:]),
            "shading": one_of(*SHADINGS[:4]),
            "detail": one_of("low detail", "medium detail", "high detail"),  # here it is not "highly detailed"
            **START_OPTIONS,
            **COLOURS,
            "background_image": picture,
            "inpainting": inpainting,
        },
        kept=("map-objects", "object_id"),
    ),
)
