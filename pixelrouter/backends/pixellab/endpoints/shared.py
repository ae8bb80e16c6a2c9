"""Fields that several endpoints have alike, and how a table entry's limits are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelrouter.backends._options import Check, flag, number, one_of, whole
from pixelrouter.backends.pixellab import wish
from pixelrouter.backends.pixellab.rules import DETAILS, DIRECTIONS, OUTLINES, SHADINGS, VIEWS, picture
from pixelrouter.backends.pixellab.wish import Part
from pixelrouter.types import ModelInfo, Task

# Parts: filled from our own arguments.
TEXT: Mapping[str, Part] = {"description": wish.description, "image_size": wish.size, "seed": wish.seed}
START: Mapping[str, Part] = {"init_image": wish.start, "init_image_strength": wish.start_strength}

# Options: passed through under the vendor's names.
GUIDANCE: Mapping[str, Check] = {"text_guidance_scale": number(1, 20)}
COLOURS: Mapping[str, Check] = {"color_image": picture}
DETAIL: Mapping[str, Check] = {"detail": one_of(*DETAILS)}
OUTLINE: Mapping[str, Check] = {"outline": one_of(*OUTLINES)}
LOOK: Mapping[str, Check] = {**OUTLINE, "shading": one_of(*SHADINGS), **DETAIL}
CAMERA: Mapping[str, Check] = {"view": one_of(*VIEWS), "direction": one_of(*DIRECTIONS)}
SLANT: Mapping[str, Check] = {"isometric": flag, "oblique_projection": flag}
STRENGTH: Mapping[str, Check] = {"init_image_strength": whole(1, 999)}
START_OPTIONS: Mapping[str, Check] = {"init_image": picture, **STRENGTH}
REMOVAL: Mapping[str, Check] = {
    "background_removal_task": one_of("remove_simple_background", "remove_complex_background")
}


def model(name: str, sides: tuple[int, int], tasks: tuple[Task, ...], description: str, **more: Any) -> ModelInfo:
    """A model whose ``sides`` (pixels, both ends included) count for width and height alike, unless ``more`` says."""
    low, high = sides
    limits = {"min_width": low, "max_width": high, "min_height": low, "max_height": high, **more}
    return ModelInfo(id=name, family=name.partition("-")[0], tasks=tasks, description=description, **limits)
