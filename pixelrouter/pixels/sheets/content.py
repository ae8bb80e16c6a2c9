"""Which pixels of a sheet or frame show something, and what lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.alpha.checkerboard import find_checkerboard
from pixelrouter.pixels.alpha.ground import find_ground
from pixelrouter.pixels.color import Bytes, pack

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two outside, as Pillow has them

_FEW = 32  # near-ground colours that a drawn picture may have; more of them are noise
_RINGING = 32.0  # byte distance that compression strays from the ground beside a sprite, even if the border is exact
_CLEAR_BELOW = 64  # alpha below this is transparent ground, or the haze of a cut-out
_HEADROOM = 1.3  # haze beside the border may be a little stronger than on it
_CLEAR = (0, 0, 0, 0)


@dataclass(frozen=True)
class Content:
    """``shown`` ``(h, w)``: True where there is something; ``ground``: RGBA of what lies between; ``covered``: no
    ground was found, so everything counts as shown.
    """

    shown: Mask
    ground: tuple[int, int, int, int]
    covered: bool = False


def find_content(rgba: Bytes) -> Content:
    """What ``(h, w, 4)`` bytes show: what is not transparent, and in an opaque picture what is not like its border.

    The ground may be one colour, a slow gradient or a checkerboard. On a noisy one, specks of noise are no content.
    """
    if (rgba[..., 3] < _CLEAR_BELOW).any():
        return _visible(rgba)
    ground = find_checkerboard(rgba[..., :3]) or find_ground(rgba[..., :3])
    if ground is None:
        return Content(np.ones(rgba.shape[:2], dtype=np.bool_), _CLEAR, covered=True)
    distance = ground.distance(rgba[..., :3])
    reach = max(ground.tolerance, _RINGING)
    near = (distance >= 1.0) & (distance <= reach)
    noisy = len(np.unique(pack(rgba[..., :3][near]))) > _FEW
    shown = np.asarray(distance > reach if noisy else distance >= 1.0)
    shown = _despeckled(shown) if noisy else shown
    return Content(shown, _ground_color(rgba, shown))


def _ground_color(rgba: Bytes, shown: Mask) -> tuple[int, int, int, int]:
    """The colour that most ground pixels of the border have."""
    lines = ((0, slice(None)), (-1, slice(None)), (slice(None), 0), (slice(None), -1))
    border = np.concatenate([rgba[line][~shown[line]] for line in lines])
    colors, counts = np.unique(pack(border[:, :3]), return_counts=True)
    common = int(colors[counts.argmax()]) if len(colors) else 0
    return common >> 16, common >> 8 & 255, common & 255, 255


def _visible(rgba: Bytes) -> Content:
    border = np.concatenate([rgba[0, :, 3], rgba[-1, :, 3], rgba[1:-1, 0, 3], rgba[1:-1, -1, 3]])
    clear = border[border < _CLEAR_BELOW]
    haze = int(np.quantile(clear, 0.995)) if len(clear) else 0
    shown = np.asarray(rgba[..., 3] > haze * _HEADROOM)
    return Content(_despeckled(shown) if haze else shown, _CLEAR)


def find_contents(frames: Sequence[Bytes]) -> list[Content]:
    """What each frame of a set shows. Where one is transparent somewhere, that is the ground of all of them: a crate
    that fills its frame is no ground. Every pixel that is at all visible counts then.
    """
    if any((frame[..., 3] < _CLEAR_BELOW).any() for frame in frames):
        return [Content(frame[..., 3] > 0, _CLEAR) for frame in frames]
    return [find_content(frame) for frame in frames]


def bounds(mask: Mask) -> Box | None:
    """``(left, top, right, bottom)`` around everything True, None where nothing is."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _despeckled(mask: Mask) -> Mask:
    """Without pixels that have fewer than two True neighbours among the eight."""
    wide = np.pad(mask, 1).astype(np.uint8)
    lines = wide[:-2] + wide[1:-1] + wide[2:]
    around = lines[:, :-2] + lines[:, 1:-1] + lines[:, 2:]
    return np.asarray(mask & (around >= 3), dtype=np.bool_)
