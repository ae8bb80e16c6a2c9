"""The rules that go beyond one field: the vendor checks them after the shape of a body, and names them in plain text.

The texts of the area, bucket and frame rules are as seen in third-party records (July 2026); the others are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

from pixelrouter.testing.simulator.pixellab import drawing, motion, stills, worlds
from pixelrouter.testing.simulator.pixellab.fields import Base64Image, Size
from pixelrouter.testing.simulator.pixellab.problems import Refused

_BUCKETS = (
    (384, 688),
    (424, 632),
    (448, 600),
    (464, 576),
    (512, 512),
    (576, 464),
    (600, 448),
    (632, 424),
    (688, 384),
    (792, 336),
)
_ANIMATION_PIXELS = 524_288
_V3_SIDE = 256


def _pixflux(order: stills.Pixflux) -> None:
    if order.image_size.width * order.image_size.height < 32 * 32:
        raise Refused(422, "Canvas must be size 32x32 area or larger")


def _pixen(order: stills.Pixen) -> None:
    size = order.image_size
    if size.width * size.height > 512 * 512:
        raise Refused(422, "Canvas must be size 512x512 area or smaller")
    if min(size.width, size.height) < 32 and size.width != size.height:
        raise Refused(422, "Canvas must be square when a side is below 32")


def _pro_images(order: stills.ProImages) -> None:
    width, height = order.image_size.width, order.image_size.height
    # The bucket is the one whose shape is nearest.
    limit = min(_BUCKETS, key=lambda bucket: abs(log(width / height) - log(bucket[0] / bucket[1])))
    if width > limit[0] or height > limit[1]:
        text = f"image_size must be between 16x16 and {limit[0]}x{limit[1]} for this aspect ratio"
        raise Refused(400, text)


def _true_size(image: Base64Image, said: Size) -> None:
    if drawing.opened(image).size != (said.width, said.height):
        raise Refused(400, "Invalid image size constraints")


def _image_to_pixelart(order: stills.ImageToPixelart) -> None:
    _true_size(order.image, order.image_size)


def _resize(order: stills.Resize) -> None:
    _true_size(order.reference_image, order.reference_image_size)


def _skeleton(order: motion.AnimateWithSkeleton) -> None:
    if len(order.skeleton_keypoints) != 3:
        raise Refused(422, "skeleton_keypoints must have exactly 3 frames")


def _small_frame(image: Base64Image) -> tuple[int, int]:
    width, height = drawing.opened(image).size
    if max(width, height) > _V3_SIDE:
        raise Refused(422, f"Image must be at most {_V3_SIDE}x{_V3_SIDE}")
    return width, height


def _animation_v3(order: motion.AnimateWithTextV3) -> None:
    if order.frame_count % 2:
        raise Refused(422, "frame_count must be even")
    _most_frames(order.frame_count, *_small_frame(order.first_frame))


def _most_frames(frames: int, width: int, height: int) -> None:
    if width * height * frames > _ANIMATION_PIXELS:
        most = _ANIMATION_PIXELS // (width * height)
        raise Refused(422, f"frame_count {frames} too high for {width}x{height} image. Max frame_count: {most}")


def _rotations_v2(order: motion.EightRotationsV2) -> None:
    needed = {
        "rotate_character": ("reference_image", order.reference_image),
        "create_with_style": ("description", order.description),
        "create_from_concept": ("concept_image", order.concept_image),
    }[order.method]
    if not needed[1]:
        raise Refused(422, f"{needed[0]} is required for method {order.method}")
    if order.reference_image is not None and max(order.reference_image.width, order.reference_image.height) > 168:
        raise Refused(422, "reference_image must be at most 168x168")


def _rotations_v3(order: motion.EightRotationsV3) -> None:
    _small_frame(order.first_frame)


def _character_v3(order: worlds.CharacterV3) -> None:
    if order.reference_image is not None:
        _small_frame(order.reference_image)


def _tileset(order: worlds.Tileset) -> None:
    if order.mode == "standard" and 64 in (order.tile_size.width, order.tile_size.height):
        raise Refused(422, "tile_size 64 needs mode pro")


def character_animation(order: worlds.CharacterAnimation, width: int, height: int) -> None:
    """The rules of an animation of a character whose canvas is ``width`` by ``height``. Raises Refused."""
    frames = order.frame_count or 8
    if order.way == "template" and not order.template_animation_id:
        raise Refused(422, "template_animation_id is required for mode template")
    if order.way != "v3":
        if order.enhance_prompt or order.custom_start_frame or order.end_frame:
            raise Refused(422, "enhance_prompt, custom_start_frame and end_frame need mode v3")
        return
    if frames % 2:
        raise Refused(422, "frame_count must be even for mode v3")
    if (order.custom_start_frame or order.end_frame) and len(order.directions or ["south"]) != 1:
        raise Refused(422, "custom_start_frame and end_frame need exactly one direction")
    _most_frames(frames, width, height)


_RULES: dict[type[Any], Callable[[Any], None]] = {
    stills.Pixflux: _pixflux,
    stills.PixfluxV2: _pixflux,
    stills.Pixen: _pixen,
    stills.ProImages: _pro_images,
    stills.ImageToPixelart: _image_to_pixelart,
    stills.Resize: _resize,
    motion.AnimateWithSkeleton: _skeleton,
    motion.AnimateWithTextV3: _animation_v3,
    motion.EightRotationsV2: _rotations_v2,
    motion.EightRotationsV3: _rotations_v3,
    worlds.CharacterV3: _character_v3,
    worlds.Tileset: _tileset,
}


def check(order: Any) -> None:
    """Raise Refused where the order breaks a rule of its endpoint, or carries a picture that cannot be read."""
    rule = _RULES.get(type(order))
    if rule is not None:
        rule(order)
    for image in _pictures(order):
        drawing.opened(image)


def _pictures(value: Any) -> list[Base64Image]:
    """Every picture anywhere in a body."""
    if isinstance(value, Base64Image):
        return [value]
    if isinstance(value, list):
        return [image for each in value for image in _pictures(each)]
    if isinstance(value, dict):
        return _pictures(list(value.values()))
    if hasattr(value, "model_fields_set"):
        return _pictures([getattr(value, name) for name in type(value).model_fields])
    return []
