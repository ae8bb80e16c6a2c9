"""The table of what can be bought: path, body, how the result comes, what it costs, what is drawn.

Delivery follows the vendor's OpenAPI documents (August 2026): some answer with the picture, some with 202 and a job,
some with 200 and a job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pixelrouter.testing.simulator.images import Pixels
from pixelrouter.testing.simulator.pixellab import drawing, motion, prices, stills, tiles, worlds
from pixelrouter.testing.simulator.pixellab.fields import CLOCKWISE, FOUR, Body
from pixelrouter.testing.simulator.pixellab.prices import Price

#: Where the pictures of a result are. ``keypoints`` has none; ``stored`` keeps them for a GET of their own.
Family = Literal["image", "images", "keypoints", "directions", "frames", "urls", "map_object", "stored"]
Pictures = dict[str, Pixels]  # by direction, or by number
Draw = Callable[[Any, str], Pictures]


@dataclass(frozen=True)
class Endpoint:
    """One way to spend money. ``owner`` is the id that comes with the job, ``shelf`` where the result is kept."""

    path: str
    body: type[Body]
    price: Callable[[Any], Price]
    draw: Draw
    family: Family = "image"
    status: int = 200
    job: bool = False
    owner: str | None = None
    shelf: str | None = None


def _numbered(pictures: list[Pixels]) -> Pictures:
    return {str(number): pixels for number, pixels in enumerate(pictures)}


def _one(order: Any, identity: str) -> Pictures:
    """A picture from text: at its size, in the colours asked for."""
    size = order.image_size
    clear = bool(getattr(order, "no_background", False))
    pixels = drawing.sprite(identity, size.width, size.height, clear=clear)
    return {"0": drawing.in_colours_of(pixels, getattr(order, "color_image", None))}


def pro_count(side: int) -> int:
    """How many pictures generate-image-v2 returns for a longer side of so many pixels."""
    return next((count for limit, count in ((42, 64), (85, 16), (170, 4)) if side <= limit), 1)


def _several(order: stills.ProImages, identity: str) -> Pictures:
    size, clear = order.image_size, bool(order.no_background)
    names = [f"{identity}:{number}" for number in range(pro_count(size.side))]
    return _numbered([drawing.sprite(name, size.width, size.height, clear=clear) for name in names])


def _pixelart(order: stills.ImageToPixelart, identity: str) -> Pictures:
    return {"0": drawing.resized(order.image, order.output_size.width, order.output_size.height)}


def _resize(order: stills.Resize, identity: str) -> Pictures:
    return {"0": drawing.resized(order.reference_image, order.target_size.width, order.target_size.height)}


def _cut_out(order: stills.RemoveBackground, identity: str) -> Pictures:
    return {"0": drawing.without_background(order.image, order.image_size)}


def _inpaint(order: stills.Inpaint, identity: str) -> Pictures:
    return {"0": drawing.inpainted(order.inpainting_image, order.mask_image, _one(order, identity)["0"])}


def _inpaint_v3(order: stills.InpaintV3, identity: str) -> Pictures:
    size = order.inpainting_image.size
    fresh = drawing.sprite(identity, size.width, size.height, clear=bool(order.no_background))
    return {"0": drawing.inpainted(order.inpainting_image.image, order.mask_image.image, fresh)}


def _edit(order: stills.EditImage, identity: str) -> Pictures:
    """The given picture with a new creature in its middle."""
    pixels = drawing.resized(order.image, order.width, order.height)
    small = drawing.sprite(identity, max(1, order.width // 2), max(1, order.height // 2), clear=True)
    top, left = order.height // 4, order.width // 4
    part = pixels[top : top + small.shape[0], left : left + small.shape[1]]
    part[small[..., 3] > 0] = small[small[..., 3] > 0]
    return {"0": pixels}


def _skeleton_frames(order: motion.AnimateWithSkeleton, identity: str) -> Pictures:
    still = drawing.resized(order.reference_image, order.image_size.width, order.image_size.height)
    return _numbered(drawing.bobbing(still, 3))


def _text_frames(order: motion.AnimateWithText, identity: str) -> Pictures:
    still = drawing.resized(order.reference_image, 64, 64)
    return _numbered(drawing.bobbing(still, 4))


def _text_frames_v2(order: motion.AnimateWithTextV2, identity: str) -> Pictures:
    size = order.image_size
    still = drawing.resized(order.reference_image, size.width, size.height)
    return _numbered(drawing.bobbing(still, 16 if size.side <= 64 else 4))


def _text_frames_v3(order: motion.AnimateWithTextV3, identity: str) -> Pictures:
    still = drawing.array(drawing.opened(order.first_frame))
    # The first picture is not the given one: every frame is made anew.
    return _numbered(drawing.bobbing(still, order.frame_count + 1)[1:])


def _views(identity: str, names: tuple[str, ...], width: int, height: int) -> Pictures:
    return {name: drawing.sprite(f"{identity}:{name}", width, height, clear=True) for name in names}


def _turned(order: motion.Rotate, identity: str) -> Pictures:
    return {"0": drawing.sprite(identity, order.image_size.width, order.image_size.height, clear=True)}


def _rotations_v2(order: motion.EightRotationsV2, identity: str) -> Pictures:
    return _views(identity, CLOCKWISE, order.image_size.width, order.image_size.height)


def _rotations_v3(order: motion.EightRotationsV3, identity: str) -> Pictures:
    return _views(identity, CLOCKWISE, *drawing.opened(order.first_frame).size)


def _four(order: worlds.FourDirections, identity: str) -> Pictures:
    return _views(identity, FOUR, order.image_size.width, order.image_size.height)


def _eight(order: worlds.EightDirections, identity: str) -> Pictures:
    return _views(identity, CLOCKWISE, order.image_size.width, order.image_size.height)


def v3_size(order: worlds.CharacterV3) -> tuple[int, int]:
    """The size of the picture that is turned; 64x64 where the caller names none."""
    if order.reference_image is not None:
        return drawing.opened(order.reference_image).size
    return (order.image_size.width, order.image_size.height) if order.image_size else (64, 64)


def _character_v3(order: worlds.CharacterV3, identity: str) -> Pictures:
    return _views(identity, CLOCKWISE, *v3_size(order))


def _map_object(order: worlds.MapObject, identity: str) -> Pictures:
    return {"0": drawing.sprite(identity, order.image_size.width, order.image_size.height, clear=True)}


def _isometric(order: worlds.IsometricTile, identity: str) -> Pictures:
    return {"0": drawing.sprite(identity, order.image_size.width, order.image_size.height, clear=True)}


def _tiles(order: worlds.Tileset | worlds.SideTileset, identity: str) -> Pictures:
    size = (int(order.tile_size.width), int(order.tile_size.height))
    return _numbered([drawing.tile(identity, size, each.corners) for each in tiles.layout(order.transition_size)])


def _frame_price(order: motion.AnimateWithTextV3) -> Price:
    return prices.animation_v3(*drawing.opened(order.first_frame).size, order.frame_count)


def _v3_price(order: worlds.CharacterV3) -> Price:
    return prices.character_v3(*v3_size(order), from_text=order.reference_image is None)


def _eight_price(order: worlds.EightDirections) -> Price:
    return prices.pro(order.image_size) if order.mode == "pro" else prices.character(order.image_size, 8)


def _pixflux_price(order: stills.Pixflux) -> Price:
    return prices.pixflux(order.image_size, transparent=order.no_background)


def _bitforge_price(order: stills.Bitforge | stills.Inpaint) -> Price:
    return prices.bitforge(order.image_size, transparent=order.no_background)


def _pro_price(order: Any) -> Price:
    return prices.pro(order.image_size)


def _fixed(price: Price) -> Callable[[Any], Price]:
    return lambda order: price


def _tileset(path: str, body: type[Body], shelf: str) -> Endpoint:
    def price(order: worlds.Tileset | worlds.SideTileset) -> Price:
        return prices.tileset(max(order.tile_size.width, order.tile_size.height))

    return Endpoint(path, body, price, _tiles, "stored", 202, True, "tileset_id", shelf)


def _shared() -> list[Endpoint]:
    """The endpoints that have the same name, body and answer in both versions."""
    frames = _fixed(prices.ANIMATE_WITH_SKELETON), _fixed(prices.ANIMATE_WITH_TEXT)
    measured = _fixed(prices.ESTIMATE_SKELETON)
    return [
        Endpoint("/animate-with-skeleton", motion.AnimateWithSkeleton, frames[0], _skeleton_frames, "images"),
        Endpoint("/animate-with-text", motion.AnimateWithText, frames[1], _text_frames, "images"),
        Endpoint("/rotate", motion.Rotate, lambda order: prices.rotate(order.image_size), _turned),
        Endpoint("/inpaint", stills.Inpaint, _bitforge_price, _inpaint),
        Endpoint("/estimate-skeleton", motion.EstimateSkeleton, measured, lambda *_: {}, "keypoints"),
    ]


_V1 = [
    Endpoint("/generate-image-pixflux", stills.Pixflux, _pixflux_price, _one),
    Endpoint("/generate-image-bitforge", stills.Bitforge, _bitforge_price, _one),
    *_shared(),
]
_V2 = [
    *_shared(),
    Endpoint("/create-image-pixflux", stills.PixfluxV2, _pixflux_price, _one),
    Endpoint("/create-image-pixflux-background", stills.PixfluxV2, _pixflux_price, _one, status=202, job=True),
    Endpoint("/create-image-pixen", stills.Pixen, lambda order: prices.pixen(order.image_size), _one),
    Endpoint("/create-image-bitforge", stills.Bitforge, _bitforge_price, _one),
    Endpoint("/generate-image-v2", stills.ProImages, _pro_price, _several, "images", 202, True),
    Endpoint(
        "/image-to-pixelart",
        stills.ImageToPixelart,
        lambda order: prices.image_to_pixelart(order.output_size),
        _pixelart,
    ),
    Endpoint("/resize", stills.Resize, _fixed(prices.RESIZE), _resize),
    Endpoint("/remove-background", stills.RemoveBackground, _fixed(prices.REMOVE_BACKGROUND), _cut_out),
    Endpoint(
        "/inpaint-v3",
        stills.InpaintV3,
        lambda order: prices.pro(order.inpainting_image.size),
        _inpaint_v3,
        status=202,
        job=True,
    ),
    Endpoint("/edit-image", stills.EditImage, _fixed(prices.EDIT_IMAGE), _edit, status=202, job=True),
    Endpoint("/generate-8-rotations-v2", motion.EightRotationsV2, _pro_price, _rotations_v2, "images", 202, True),
    Endpoint(
        "/generate-8-rotations-v3",
        motion.EightRotationsV3,
        lambda order: prices.rotations_v3(*drawing.opened(order.first_frame).size),
        _rotations_v3,
        "images",
        job=True,
    ),
    Endpoint("/animate-with-text-v2", motion.AnimateWithTextV2, _pro_price, _text_frames_v2, "images", 202, True),
    Endpoint("/animate-with-text-v3", motion.AnimateWithTextV3, _frame_price, _text_frames_v3, "images", job=True),
    Endpoint(
        "/create-character-with-4-directions",
        worlds.FourDirections,
        lambda order: prices.character(order.image_size, 4),
        _four,
        "directions",
        job=True,
        owner="character_id",
        shelf="characters",
    ),
    Endpoint(
        "/create-character-with-8-directions",
        worlds.EightDirections,
        _eight_price,
        _eight,
        "directions",
        job=True,
        owner="character_id",
        shelf="characters",
    ),
    Endpoint(
        "/create-character-v3",
        worlds.CharacterV3,
        _v3_price,
        _character_v3,
        "urls",
        job=True,
        owner="character_id",
        shelf="characters",
    ),
    _tileset("/create-tileset", worlds.Tileset, "tilesets"),
    _tileset("/tilesets", worlds.Tileset, "tilesets"),
    _tileset("/create-tileset-sidescroller", worlds.SideTileset, "tilesets-sidescroller"),
    _tileset("/tilesets-sidescroller", worlds.SideTileset, "tilesets-sidescroller"),
    Endpoint(
        "/create-isometric-tile",
        worlds.IsometricTile,
        lambda order: prices.isometric_tile(order.image_size),
        _isometric,
        "stored",
        202,
        True,
        "tile_id",
        "isometric-tiles",
    ),
    Endpoint(
        "/map-objects",
        worlds.MapObject,
        _fixed(prices.MAP_OBJECT),
        _map_object,
        "map_object",
        job=True,
        owner="object_id",
        shelf="map-objects",
    ),
]
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    (version, endpoint.path): endpoint for version, known in (("v1", _V1), ("v2", _V2)) for endpoint in known
}
#: The paths that start an animation of a stored character; their jobs are made one by one (see `animations`).
CHARACTER_ANIMATIONS = ("/characters/animations", "/animate-character")
