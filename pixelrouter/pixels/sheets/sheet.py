"""Sheets: a vendor's file cut into the images that lie in it, and all of them finished with one grid and palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.alpha.key import key_out
from pixelrouter.pixels.color import Bytes, parse_hex
from pixelrouter.pixels.colors.indexed import to_indexed
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.finish import Finished, finish, finish_many
from pixelrouter.pixels.fit import crop_margins, fit
from pixelrouter.pixels.grid import Lattice
from pixelrouter.pixels.sheets.content import Box, bounds, find_contents
from pixelrouter.pixels.sheets.frames import Anchor, Axes, place, register
from pixelrouter.pixels.sheets.slice import Slicing, slice_boxes
from pixelrouter.pixels.spec import FinishSpec
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


def finish_sheet(
    source: Source,
    slicing: Slicing | Layout,
    spec: FinishSpec,
    *,
    anchor: Anchor | None = None,
    axes: Axes = "both",
) -> list[Finished]:
    """Every image of a sheet, finished: one pixel grid and one palette for all of them.

    The grid is that of the whole sheet, and the borders of cells, given in the sheet's own pixels, move to its nearest
    line, so that no pixel is cut in two; gutters and views are looked for after snapping. ``spec.size`` is that of one
    image: what is smaller is padded, never enlarged. ``anchor`` registers the frames, see :func:`register`, ``axes``
    says in which directions.

    A sheet without a grid, or one to convert, is cut first and its images share the palette. Raises as :func:`finish`
    and :func:`slice_boxes` do.
    """
    image = decode(source).image
    if isinstance(slicing, Layout):
        spec = replace(spec, transparent=True) if slicing.key and spec.transparent is None else spec
        slicing = _as_slicing(slicing)
    loose = spec.mode == "convert" or (spec.policy == "resample" and spec.cell is None and spec.origin is None)
    if not loose:
        try:
            whole = finish(image, replace(spec, size=None))
        except InvalidRequest:  # no grid: the images can still be brought to a size
            if spec.size is None:
                raise
            loose = True
    if loose:
        spec = replace(spec, policy="resample")
        parts = [image.crop(box) for box in slice_boxes(image, slicing)]
        done = finish_many(parts, spec)
        frames = [np.asarray(one.image) for one in done]
        return [_part(one, frame) for one, frame in zip(done, _arranged(frames, spec, anchor, axes), strict=True)]
    rgba = np.asarray(whole.image)
    boxes = _boxes(image, whole, slicing)
    frames = [rgba[top:bottom, left:right] for left, top, right, bottom in boxes]
    if slicing.by != "gutters":
        frames = _alike(frames, boxes, _lattice(whole))
    return [_part(whole, frame) for frame in _arranged(frames, spec, anchor, axes)]


def _as_slicing(layout: Layout) -> Slicing:
    if layout.cell is not None:
        return Slicing("cells", cell=layout.cell)
    return Slicing("cells", grid=(layout.columns, layout.rows))


def _boxes(image: Image.Image, whole: Finished, slicing: Slicing) -> list[Box]:
    """Where the images lie on the finished sheet. Raises InvalidRequest where a cell is smaller than a pixel."""
    if slicing.by != "cells":
        return list(slice_boxes(whole.image, slicing))
    size = whole.image.size
    if size == image.size:
        return list(slice_boxes(image, slicing))
    lattice = _lattice(whole)
    lines = (lattice.x, lattice.y)
    boxes = []
    for box in slice_boxes(image, slicing):
        left, top, right, bottom = (int(np.abs(lines[at % 2] - value).argmin()) for at, value in enumerate(box))
        if left >= right or top >= bottom:
            raise InvalidRequest(
                "The cells are smaller than the pixels of the sheet.",
                hint="Cells are counted in the file's own pixels; check their size.",
            )
        boxes.append((left, top, right, bottom))
    return boxes


def _lattice(whole: Finished) -> Lattice:
    assert whole.lattice is not None  # noqa: S101  # it has just been finished
    return whole.lattice


def _alike(frames: list[Bytes], boxes: Sequence[Box], lattice: Lattice) -> list[Bytes]:
    """Frames of equal cells at one size: the usual one, or the largest where that would lose something visible.

    A drifting grid may have a line too many in a cell, most likely where nothing is to hold on to. What is visible then
    stays as far from the border of its cell as it was in the source.
    """
    shown = np.array([bounds(content.shown) or (0, 0, 0, 0) for content in find_contents(frames)])
    windows = []
    for axis, lines in enumerate((lattice.x, lattice.y)):
        have = np.array([box[axis + 2] - box[axis] for box in boxes])
        first, last = shown[:, axis], shown[:, axis + 2]
        usual = _usual(have)
        want = usual if (last - first <= usual).all() else int(have.max())
        begins = np.array([box[axis] for box in boxes])
        away = (lines[begins + first] - lines[begins]) / lattice.grid.period[axis]
        moved = first - np.rint(away).astype(np.intp)
        start = np.clip(moved, np.maximum(0, last - want), np.minimum(first, np.maximum(0, have - want)))
        windows.append((start.tolist(), want))
    (left, width), (top, height) = windows
    kept = [frame[y : y + height, x : x + width] for frame, x, y in zip(frames, left, top, strict=True)]
    return [fit(frame, (width, height))[0] for frame in kept]


def _usual(counts: NDArray[np.intp]) -> int:
    """The most common count, the largest of those that are."""
    common = np.bincount(counts)
    return int(np.flatnonzero(common == common.max())[-1])


def _arranged(frames: list[Bytes], spec: FinishSpec, anchor: Anchor | None, axes: Axes) -> list[Bytes]:
    """Registered where that is wanted, and at the size wanted."""
    if anchor is not None:
        frames = [np.asarray(frame) for frame in register([*map(Image.fromarray, frames)], anchor, axes=axes).frames]
    if spec.size is None or all((frame.shape[1], frame.shape[0]) == spec.size for frame in frames):
        return frames
    if len({frame.shape for frame in frames}) == 1 and (cropped := crop_margins(frames, spec.size)):
        return cropped
    width, height = spec.size
    grounds = [content.ground for content in find_contents(frames)]
    sized = []
    for frame, ground in zip(frames, grounds, strict=True):
        x, y = width - frame.shape[1], height - frame.shape[0]
        padded = (
            place(frame, spec.size, (x // 2, y if anchor == "feet" else y // 2), ground) if min(x, y) >= 0 else None
        )
        sized.append(fit(frame, spec.size)[0] if padded is None else padded)
    return sized


def _part(whole: Finished, frame: Bytes) -> Finished:
    """One image of a finished sheet, as if it had been finished alone."""
    image = Image.fromarray(np.ascontiguousarray(frame))
    shown = frame[..., 3] > 0
    report = replace(
        whole.report,
        size=image.size,
        colors_after=len(np.unique(frame[..., :3][shown], axis=0)),
        transparent=not shown.all(),
    )
    indexed = to_indexed(np.asarray(image), parse_hex(whole.palette))
    return Finished(image, indexed, whole.palette, report, (image,))
