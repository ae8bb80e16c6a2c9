"""Frames of one figure: trimmed, padded and registered, so that a walk cycle stands still while it walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.sheets.content import Box, Mask, bounds, find_contents

Anchor = Literal["feet", "centre", "mass"]
Axes = Literal["both", "x", "y"]

_FEET = 0.3  # share of a figure's height that its feet area takes: low enough to leave arms and weapons out


@dataclass(frozen=True)
class Registered:
    """Frames of one size, RGBA, the anchor of all in one place.

    ``shifts``: by how many pixels ``(x, y)`` each was moved on the common canvas, against the first.
    ``jitter_before`` and ``jitter_after``: see :func:`jitter`.
    """

    frames: tuple[Image.Image, ...]
    shifts: tuple[tuple[int, int], ...]
    jitter_before: tuple[float, float]
    jitter_after: tuple[float, float]


def anchor_points(frames: Sequence[Source], anchor: Anchor = "feet") -> list[tuple[float, float] | None]:
    """Where the figure of each frame is anchored, ``(x, y)`` in pixels from the top left; None where it is empty.

    "feet": the lower edge of its lowest visible row, and the centre of mass of its feet area (the lowest three tenths
    of it) across. "centre": the middle of its bounding box. "mass": the centre of mass of all that is visible.
    """
    _check("anchor", anchor, get_args(Anchor))
    return [_point(content.shown, anchor) for content in find_contents([_bytes(frame) for frame in frames])]


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidRequest(f"{name}={value!r} is unknown.", hint=f"Use one of: {', '.join(known)}.")


def _bytes(frame: Source) -> Bytes:
    return np.asarray(decode(frame).image)


def _point(shown: Mask, anchor: Anchor) -> tuple[float, float] | None:
    box = bounds(shown)
    if box is None:
        return None
    left, top, right, bottom = box
    if anchor == "centre":
        return (left + right) / 2, (top + bottom) / 2
    if anchor == "feet":
        top = bottom - max(1, round(_FEET * (bottom - top)))
    part = shown[top:bottom, left:right]
    mass = part.sum()
    x = left + 0.5 + float(part.sum(axis=0) @ np.arange(right - left) / mass)
    y = top + 0.5 + float(part.sum(axis=1) @ np.arange(bottom - top) / mass)
    return x, float(bottom) if anchor == "feet" else y


def jitter(frames: Sequence[Source], anchor: Anchor = "feet") -> tuple[float, float]:
    """How far the anchor strays from its own mean over the frames, across and down: root mean square, in pixels."""
    return _spread(anchor_points(frames, anchor))


def _spread(points: Sequence[tuple[float, float] | None]) -> tuple[float, float]:
    known = [point for point in points if point is not None]
    if not known:
        return 0.0, 0.0
    x, y = np.round(np.std(known, axis=0), 6).tolist()  # what is left of rounding is no jitter
    return x, y


def register(
    frames: Sequence[Source], anchor: Anchor = "feet", *, axes: Axes = "both", size: tuple[int, int] | None = None
) -> Registered:
    """The frames moved by whole pixels so that the anchor of every frame lies in one place.

    ``axes="x"`` leaves heights alone: a jump stays a jump. The canvas is ``size`` (width, height), else that of the
    largest frame; without ``size`` it grows where something visible would be lost otherwise. Frames that show nothing
    stay as they are. What is uncovered shows the ground: transparent, or its colour.

    Raises InvalidRequest without frames, and where the figures do not fit into ``size``.
    """
    if not frames:
        raise InvalidRequest("There are no frames to register.")
    _check("axes", axes, get_args(Axes))
    _check("anchor", anchor, get_args(Anchor))
    pixels = [_bytes(frame) for frame in frames]
    contents = find_contents(pixels)
    points = [_point(content.shown, anchor) for content in contents]
    moved = _moves(points)
    moved[:, {"both": [], "x": [1], "y": [0]}[axes]] = 0
    canvas, origin = _canvas(pixels, [bounds(content.shown) for content in contents], moved, size)
    moved = moved + origin
    at = [(int(x), int(y)) for x, y in moved.tolist()]
    placed = [place(one, canvas, here, each.ground) for one, here, each in zip(pixels, at, contents, strict=True)]
    after = [None if p is None else (p[0] + x, p[1] + y) for p, (x, y) in zip(points, at, strict=True)]
    shifts = tuple((x - at[0][0], y - at[0][1]) for x, y in at)
    return Registered(tuple(Image.fromarray(one) for one in placed), shifts, _spread(points), _spread(after))


def _moves(points: Sequence[tuple[float, float] | None]) -> NDArray[np.intp]:
    """By how many whole pixels each frame moves, ``(n, 2)``: to the place where least jitter is left."""
    out = np.zeros((len(points), 2), dtype=np.intp)
    known = np.array([at for at, point in enumerate(points) if point is not None], dtype=np.intp)
    if not len(known):
        return out
    there = np.array([point for point in points if point is not None])
    # Anchors are fractions of pixels; with the mean among the places, jitter never grows.
    homes = np.concatenate([np.median(there, axis=0)[None], there, there.mean(axis=0)[None]])
    moves = np.rint(homes[:, None] - there[None])
    best = np.round((there[None] + moves).std(axis=1), 9).argmin(axis=0)
    for axis in (0, 1):
        out[known, axis] = moves[best[axis], :, axis]
    return out


def place(
    rgba: Bytes, canvas: tuple[int, int], at: tuple[int, int], ground: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> Bytes:
    """``(h, w, 4)`` on a canvas (width, height) of a ground's colour, its corner ``at`` (x, y), cut to it."""
    height, width = rgba.shape[:2]
    out = np.empty((canvas[1], canvas[0], 4), dtype=np.uint8)
    out[:] = ground
    left, top = max(0, at[0]), max(0, at[1])
    right, bottom = min(canvas[0], at[0] + width), min(canvas[1], at[1] + height)
    if left < right and top < bottom:
        out[top:bottom, left:right] = rgba[top - at[1] : bottom - at[1], left - at[0] : right - at[0]]
    return out


def _canvas(
    pixels: Sequence[Bytes],
    boxes: Sequence[Box | None],
    moved: NDArray[np.intp],
    size: tuple[int, int] | None,
) -> tuple[tuple[int, int], NDArray[np.intp]]:
    """Width and height of the common canvas, and by how much everything moves onto it."""
    used = [np.array(box).reshape(2, 2) + shift for box, shift in zip(boxes, moved, strict=True) if box is not None]
    largest = np.array([max(one.shape[1] for one in pixels), max(one.shape[0] for one in pixels)])
    wanted = largest if size is None else np.array(size)
    if not used:
        return (int(wanted[0]), int(wanted[1])), np.zeros(2, dtype=np.intp)
    low, high = np.min([box[0] for box in used], axis=0), np.max([box[1] for box in used], axis=0)
    need = high - low
    if size is not None and (need > wanted).any():
        raise InvalidRequest(
            f"The registered figures take {need[0]}x{need[1]} pixels and do not fit into {size[0]}x{size[1]}.",
            hint="Give a larger size, or none: the canvas then grows as needed.",
        )
    canvas = np.maximum(wanted, need)
    # As little as possible, so that a figure keeps its place in the cell; a larger canvas has it in the middle.
    origin = (canvas - largest) // 2
    origin = np.clip(origin, -low, canvas - high)
    return (int(canvas[0]), int(canvas[1])), origin.astype(np.intp)


def trim(source: Source) -> tuple[Image.Image, Box]:
    """An image without its transparent margin, RGBA, and where that lay: ``(left, top, right, bottom)``.

    A picture that is transparent everywhere becomes its first pixel.
    """
    image = decode(source).image
    box = image.getchannel("A").getbbox() or (0, 0, 1, 1)
    return image.crop(box), box


def trim_together(frames: Sequence[Source]) -> tuple[tuple[Image.Image, ...], Box]:
    """Frames of one size without the margin that is transparent in all of them, so that nothing moves; and their box.

    Raises InvalidRequest without frames, or where their sizes differ.
    """
    images = [decode(frame).image for frame in frames]
    if len({image.size for image in images}) != 1:
        raise InvalidRequest("Only frames of one size are trimmed together.", hint="Register them first.")
    whole = bounds(np.any([np.asarray(image)[..., 3] > 0 for image in images], axis=0)) or (0, 0, 1, 1)
    return tuple(image.crop(whole) for image in images), whole


def pad(source: Source, size: tuple[int, int], anchor: Literal["feet", "centre"] = "centre") -> Image.Image:
    """An image on a larger transparent canvas (width, height), RGBA: in the middle, or standing on the lower edge.

    Raises InvalidRequest where it is larger than the canvas.
    """
    _check("anchor", anchor, ("feet", "centre"))
    rgba = _bytes(source)
    spare = size[0] - rgba.shape[1], size[1] - rgba.shape[0]
    if min(spare) < 0:
        raise InvalidRequest(f"{rgba.shape[1]}x{rgba.shape[0]} pixels do not fit into {size[0]}x{size[1]}.")
    return Image.fromarray(place(rgba, size, (spare[0] // 2, spare[1] if anchor == "feet" else spare[1] // 2)))
