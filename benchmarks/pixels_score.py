"""How right a recovered 1x image is, beside the truth it came from.

``size`` right: every cell that lies wholly on the canvas is there; rows and columns that its border cuts off may be
there or not. ``near``: the share of cells whose colour cannot be told from the truth's (no channel more than 16 levels
off, or less than 3 apart in CIELAB, and opaque or clear alike), at the best of the shifts -2..2, because a cut-off row
that was left out shifts the rest; 0 where the size is wrong. ``exact``: the same within 2 levels, at that shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

REACH = 2  # shifts tried in x and y
LEVELS, DELTA_E = 16, 3.0  # near
EXACT = 2  # levels
# IEC 61966-2-1: linear sRGB to CIE XYZ, white D65.
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
# Björn Ottosson, "A perceptual color space for image processing" (2020).
_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_OKLAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    size: bool
    near: float
    exact: float


def score(found: Image.Image, truth: Image.Image, optional: tuple[bool, bool, bool, bool]) -> Score:
    """``optional``: whether the first column, last column, first row, last row of the truth is cut off."""
    left, right, top, bottom = optional
    width, height = truth.size
    wide = width - left - right <= found.width <= width
    high = height - top - bottom <= found.height <= height
    if not (wide and high):
        return Score(False, 0.0, 0.0)
    want, got = np.asarray(truth.convert("RGBA")), np.asarray(found.convert("RGBA"))
    needed = np.zeros((height, width), dtype=bool)
    needed[int(top) : height - bottom, int(left) : width - right] = True
    shifts = range(-REACH, REACH + 1)
    near, exact = max(
        (_agreement(want, got, needed, dx, dy) for dy in shifts for dx in shifts), key=lambda both: both[0]
    )
    return Score(True, near, exact)


def _agreement(want: np.ndarray, got: np.ndarray, needed: np.ndarray, dx: int, dy: int) -> tuple[float, float]:
    """Shares of near and exact cells where ``got`` is read ``dx``, ``dy`` cells further on."""
    rows = slice(max(0, -dy), min(want.shape[0], got.shape[0] - dy))
    columns = slice(max(0, -dx), min(want.shape[1], got.shape[1] - dx))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return 0.0, 0.0
    ours = got[rows.start + dy : rows.stop + dy, columns.start + dx : columns.stop + dx]
    theirs = want[rows, columns]
    solid, was_solid = ours[..., 3] >= 128, theirs[..., 3] >= 128
    off = np.abs(ours[..., :3].astype(np.int16) - theirs[..., :3]).max(axis=-1)
    close = off <= LEVELS
    doubtful = ~close & solid & was_solid
    if doubtful.any():
        apart = cielab(ours[doubtful][:, :3]) - cielab(theirs[doubtful][:, :3])
        close[doubtful] = (apart**2).sum(axis=-1) < DELTA_E**2
    clear = ~solid & ~was_solid
    counted = needed[rows, columns]
    cells = needed.sum()
    near = ((solid & was_solid & close) | clear) & counted
    exact = ((solid & was_solid & (off <= EXACT)) | clear) & counted
    return float(near.sum() / cells), float(exact.sum() / cells)


def _linear(rgb: np.ndarray) -> np.ndarray:
    value = rgb / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def cielab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (D65) of sRGB bytes ``(..., 3)``."""
    xyz = _linear(rgb) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def oklab_error(found: Image.Image, truth: Image.Image) -> float:
    """Mean OKLab distance over the opaque pixels of two images of one size."""
    got, want = np.asarray(found.convert("RGBA")), np.asarray(truth.convert("RGBA"))
    both = (got[..., 3] >= 128) & (want[..., 3] >= 128)
    labs = [np.cbrt(_linear(image[both][:, :3]) @ _TO_LMS.T) @ _TO_OKLAB.T for image in (got, want)]
    return float(np.sqrt(((labs[0] - labs[1]) ** 2).sum(axis=-1)).mean()) if both.any() else 0.0


def roc_auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The chance that a positive lies above a negative, ties counted half: the area under the ROC curve."""
    ordered = np.sort(negative)
    below, upto = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + upto).mean() / 2 / len(negative))
