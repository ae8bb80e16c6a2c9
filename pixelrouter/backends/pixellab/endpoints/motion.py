"""The same subject several times: from other directions, or moving."""

from __future__ import annotations

from pixelrouter.backends._options import flag, number, one_of, text, whole
from pixelrouter.backends.pixellab import wish
from pixelrouter.backends.pixellab.endpoints import endpoint as limits
from pixelrouter.backends.pixellab.endpoints.endpoint import Endpoint
from pixelrouter.backends.pixellab.endpoints.shared import (
    CAMERA,
    COLOURS,
    GUIDANCE,
    SLANT,
    STRENGTH,
    TEXT,
    model,
)
from pixelrouter.backends.pixellab.rules import VIEWS, listed, picture, points, proportions, views_by_name

# Clockwise: the order the vendor documents for generate-8-rotations-v2. For v3 it documents none.
CLOCKWISE = ("south", "south-west", "west", "north-west", "north", "north-east", "east", "south-east")

_CHARACTER_PARTS = {**TEXT, "directions": wish.south}
_CHARACTER = {
    **GUIDANCE,
    **COLOURS,
    **dict.fromkeys(("outline", "shading", "detail", "view", "template_id"), text()),
    "isometric": flag,
    "force_colors": flag,
    "proportions": proportions,
}

MOTION = (
    Endpoint(
        model(
            "rotations-v3",
            (1, 256),
            ("views",),
            "Eight directions of the subject, given as seen from the south.",
            needs_image=True,
            prompt_optional=True,
            max_prompt=2000,
            views=("8",),
        ),
        "generate-8-rotations-v3",
        {
            "first_frame": wish.frame,
            "description": wish.hint,
            "no_background": wish.background(None),
            "seed": wish.seed,
        },
        {},
        lists=CLOCKWISE,
    ),
    Endpoint(
        model(
            "rotations-v2",
            (32, 168),
            ("views",),
            "Pro: eight directions of a sprite or of concept art.",
            needs_image=True,
            prompt_optional=True,
            max_prompt=2000,
            views=("8",),
        ),
        "generate-8-rotations-v2",
        {
            "method": wish.turn_method,
            "image_size": wish.size,
            "reference_image": wish.turned_sprite,
            "concept_image": wish.turned_concept,
            "description": wish.hint,
            "no_background": wish.background(True),
            "seed": wish.seed,
        },
        {
            "method": one_of("rotate_character", "create_from_concept"),
            "view": one_of(*VIEWS),
            "style_description": text(0, 500),
        },
        limits=(limits.picture_of(1, 1024),),
        lists=CLOCKWISE,
    ),
    Endpoint(
        model(
            "character-4",
            (16, 128),
            ("views",),
            "A character from text, seen from four directions; a given image is its view from the south.",
            takes_image=True,
            max_prompt=2000,
            views=("4",),
            alpha=True,
            palettes=True,
        ),
        "create-character-with-4-directions",
        _CHARACTER_PARTS,
        {**_CHARACTER, "directions": views_by_name(*CLOCKWISE[::2])},
        kept=("characters", "character_id"),
    ),
    Endpoint(
        model(
            "character-8",
            (16, 128),
            ("views",),
            "A character from text, seen from eight directions; a given image is its view from the south.",
            takes_image=True,
            max_prompt=2000,
            views=("8",),
            alpha=True,
            palettes=True,
        ),
        "create-character-with-8-directions",
        _CHARACTER_PARTS,
        {**_CHARACTER, "directions": views_by_name(*CLOCKWISE)},
        kept=("characters", "character_id"),
    ),
    Endpoint(
        model(
            "animate-v3",
            (1, 256),
            ("animation",),
            "Animates an image by an action; 4 to 16 frames. Takes no prompt.",
            needs_image=True,
            prompt_optional=True,
            frames=tuple(range(4, 17, 2)),
        ),
        "animate-with-text-v3",
        {
            "first_frame": wish.frame,
            "action": wish.action,
            "frame_count": wish.frames(8),
            "no_background": wish.background(None),
            "seed": wish.seed,
        },
        {"last_frame": picture, "drift_threshold": number(0, 1e6), "enhance_prompt": flag},
        limits=(limits.needs_action, limits.action_up_to(1000), limits.frames_times_area),
    ),
    Endpoint(
        model(
            "animate-text",
            (64, 64),
            ("animation",),
            "The older animation by an action: 64x64, four frames.",
            needs_image=True,
            frames=(4,),
            palettes=True,
        ),
        "animate-with-text",
        {**TEXT, "action": wish.action, "reference_image": wish.frame},
        {
            **GUIDANCE,
            "image_guidance_scale": number(1, 20),
            "n_frames": whole(2, 20),
            "start_frame_index": whole(0, 20),
            **CAMERA,
            "negative_description": text(),
            "init_images": listed(picture, 4),
            **STRENGTH,
            "inpainting_images": listed(picture, 4, gaps=True),
            "mask_images": listed(picture, 4, gaps=True),
            **COLOURS,
        },
        v1="animate-with-text",
        limits=(limits.needs_action,),
        zero_is_random=True,
    ),
    Endpoint(
        model(
            "animate-skeleton",
            (16, 256),
            ("animation",),
            "Puts the subject into three poses: options={'skeleton_keypoints': three lists of points}.",
            needs_image=True,
            prompt_optional=True,
            frames=(3,),
            palettes=True,
        ),
        "animate-with-skeleton",
        {"image_size": wish.size, "reference_image": wish.frame, "seed": wish.seed},
        {
            "skeleton_keypoints": listed(points, 3),
            "guidance_scale": number(1, 20),
            **CAMERA,
            **SLANT,
            "init_images": listed(picture, 3),
            **STRENGTH,
            "inpainting_images": listed(picture, 3, gaps=True),
            "mask_images": listed(picture, 3, gaps=True),
            **COLOURS,
        },
        v1="animate-with-skeleton",
        needs=("skeleton_keypoints",),
    ),
)
