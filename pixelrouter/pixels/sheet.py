"""Sheets: a vendor's file cut into the images that lie in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.key import key_out
from pixelrouter.types import Layout


@dataclass(frozen=True)
class Cut:
    """The images of one file in RGBA, their names ("" where they have none) and their milliseconds (0: a still)."""

    images: tuple[Image.Image, ...]
    names: tuple[str, ...]
    durations: tuple[int, ...]
    warnings: tuple[str, ...] = ()


def cut(source: Source, layout: Layout) -> Cut:
    """The images in one file, as ``layout`` says they lie. Raises UnreadableImage.

    The frames of a moving picture come one by one, a still in cells, row by row. A moving picture of a layout without
    ``frames`` is taken whole: its first frame counts.
    """
    decoded = decode(source)
    moving = layout.frames and len(decoded.frames) > 1
    if moving:
        images: Sequence[Image.Image] = decoded.frames
        durations = decoded.durations
    else:
        images = _cells(decoded.image, layout)
        durations = (0,) * len(images)
    names = layout.names if len(layout.names) >= len(images) else ("",) * len(images)
    kept = [at for at in range(len(images)) if names[at] or not any(layout.names) or names is not layout.names]
    warnings = []
    if layout.raw_size and decoded.image.size != layout.raw_size:
        have, want = decoded.image.size, layout.raw_size
        warnings.append(f"The vendor drew {have[0]}x{have[1]} instead of {want[0]}x{want[1]}.")
    if layout.names and len(images) != len(layout.names):
        warnings.append(f"{len(layout.names)} images were expected in the file and {len(images)} are there.")
    pictures = [images[at] for at in kept]
    if layout.key:
        keyed = [_keyed(picture) for picture in pictures]
        if None in keyed:
            warnings.append("The ground is not one solid colour everywhere, so not all of it was made transparent.")
        pictures = [cutout or picture for cutout, picture in zip(keyed, pictures, strict=True)]
    return Cut(tuple(pictures), tuple(names[at] for at in kept), tuple(durations[at] for at in kept), tuple(warnings))


def _cells(image: Image.Image, layout: Layout) -> list[Image.Image]:
    columns, rows = layout.columns, layout.rows
    if layout.cell is not None:
        columns, rows = max(1, image.width // layout.cell[0]), max(1, image.height // layout.cell[1])
    if columns == rows == 1:
        return [image]
    # Edges are rounded one by one, so a sheet that does not divide evenly is shared out fairly.
    xs = [round(image.width * at / columns) for at in range(columns + 1)]
    ys = [round(image.height * at / rows) for at in range(rows + 1)]
    return [image.crop((left, top, right, bottom)) for top, bottom in pairwise(ys) for left, right in pairwise(xs)]


def _keyed(image: Image.Image) -> Image.Image | None:
    """The image with its solid ground made transparent, or None if it has none.

    A line between the cells of a sheet would hide the ground from the border, so a hundredth of each side goes first.
    """
    x, y = image.width // 100, image.height // 100
    inner = image.crop((x, y, image.width - x, image.height - y))
    keyed = key_out(np.asarray(inner.convert("RGBA")))
    return None if keyed is None else Image.fromarray(keyed)
