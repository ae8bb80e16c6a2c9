"""A real ``.aseprite`` file, for artists and for the engines that import it (Unity, LDtk, Godot's plug-ins).

Films and views are frames with tags: a view can be drawn over without moving anything else. Tiles lie on one canvas
with a grid and a named slice each, since editors of tile maps take a canvas.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.clips import plain
from pixelrouter.assets.export.listing import frame_names, pivot_pixel, pivot_slices
from pixelrouter.assets.export.tagging import frame_tags
from pixelrouter.assets.sprite import DEFAULT_MS, Sprite
from pixelrouter.formats.aseprite import Color
from pixelrouter.formats.aseprite_marks import Key, Slice

if TYPE_CHECKING:
    from PIL.Image import Image


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.aseprite``: indexed, with the sprite's palette, times, tags, pivot and grid.

    Provenance, where it is asked for, is the sprite's own user data, as JSON.
    """
    import numpy as np

    from pixelrouter.formats.aseprite_writing import write_aseprite

    tiles = sprite.task == "tileset" and len(sprite.frames) > 1
    images = (sprite.sheet,) if tiles else sprite.frames
    pixels = [np.asarray(image) for image in images]
    palette, clear = _palette(sprite.frames[0], max(int(frame.max()) for frame in pixels))
    table = np.arange(256, dtype=np.uint8)
    if clear is not None:
        table[[at for at, color in enumerate(palette) if color.rgba[3] == 0]] = clear
    data = write_aseprite(
        [table[frame] for frame in pixels],
        palette,
        (DEFAULT_MS,) if tiles else sprite.times,
        transparent=clear,
        layer=plain(sprite.name),
        tags=() if tiles else frame_tags(sprite),
        slices=_tile_slices(sprite) if tiles else pivot_slices(sprite),
        grid=sprite.size if tiles else None,
        note=json.dumps(dict(sprite.facts), sort_keys=True, ensure_ascii=False) if sprite.facts else "",
    )
    return {f"{stem}.aseprite": data}


def _tile_slices(sprite: Sprite) -> tuple[Slice, ...]:
    boxes = zip(frame_names(sprite), sprite.boxes, strict=True)
    pivot = pivot_pixel(sprite)
    return tuple(Slice(name, (Key(0, (box[0], box[1], *sprite.size), pivot),)) for name, box in boxes)


def _palette(image: Image, highest: int) -> tuple[list[Color], int | None]:
    """The colours of an indexed image, at least to the ``highest`` index, and the entry that is clear."""
    flat: list[int] = image.getpalette("RGB") or []
    count = max(len(flat) // 3, highest + 1)
    flat += [0] * (3 * count - len(flat))
    alphas = _alphas(image.info.get("transparency"), count)
    colors = []
    for at, alpha in enumerate(alphas):
        red, green, blue = flat[3 * at : 3 * at + 3]
        colors.append(Color((red, green, blue, alpha)))
    return colors, alphas.index(0) if 0 in alphas else None


def _alphas(transparency: Any, count: int) -> list[int]:
    """The alpha of each colour; Pillow keeps the number of the clear one, or one byte for each."""
    alphas = [255] * count
    if isinstance(transparency, bytes):
        alphas[: len(transparency)] = transparency[:count]
    elif isinstance(transparency, int):
        alphas[transparency] = 0
    return alphas
