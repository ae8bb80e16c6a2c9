"""What people change by hand: a picture that was drawn over is taken as it is, and builds leave it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL.Image import Image


def by_hand(sprite: Sprite, path: Path) -> Sprite:
    """The sprite with the frames of a picture that a person has drawn, cut where the sprite's own sheet has them.

    Raises UnreadableImage, InvalidRequest for a picture of another size or of more colours than a PNG can index.
    """
    from pixelrouter.pixels import decode

    picture = decode(path).image
    size = sprite.sheet.size
    if picture.size != size:
        raise InvalidRequest(
            f"{path.name} is {picture.width}x{picture.height}, and the sprite's picture {size[0]}x{size[1]}.",
            hint="Draw on the picture that was built, and keep its size.",
        )
    return with_frames(sprite, [picture.crop(box) for box in sprite.boxes], path.name)


def with_frames(sprite: Sprite, frames: Sequence[Image], name: str) -> Sprite:
    """The sprite with other frames, RGBA and of its size; the colours are the frames' own, the sprite's first."""
    import numpy as np

    from pixelrouter.pixels import to_indexed
    from pixelrouter.pixels.color import pack, to_hex, unpack

    rgba = np.concatenate([np.asarray(frame.convert("RGBA")) for frame in frames])
    rgba = np.where(rgba[..., 3:] == 0, 0, rgba).astype(np.uint8)
    used = np.unique(pack(rgba[rgba[..., 3] > 0][:, :3]))
    colors = to_hex(unpack(used))
    palette = (
        *(one for one in sprite.palette if one in set(colors)),
        *(one for one in colors if one not in sprite.palette),
    )
    if len(palette) > 255:
        raise InvalidRequest(
            f"{name} has {len(palette)} colours.", hint="An indexed picture has at most 255 and clear."
        )
    entries = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in palette], dtype=np.uint8)
    tall = to_indexed(rgba, entries.reshape(-1, 3))
    width, height = sprite.size
    cut = tuple(tall.crop((0, at * height, width, (at + 1) * height)) for at in range(len(frames)))
    return replace(sprite, frames=cut, palette=palette)
