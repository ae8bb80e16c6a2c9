"""Cuts a subject out of a plain ground: a flood from the border, stopped by any colour that is not the ground's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pixelrouter.backends.procedural.pictures import Bytes

TOLERANCE = 0.05  # in OKLab, where black and white are 1 apart and 0.02 is just visible
Mask = npt.NDArray[np.bool_]
Lab = npt.NDArray[np.float64]


def oklab(rgb: Bytes) -> Lab:
    """OKLab of sRGB bytes (..., 3), by Björn Ottosson's published matrices (2020)."""
    value = rgb.astype(np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.asarray(np.cbrt(linear @ to_cones.T) @ to_lab.T)


def cut_out(rgba: Bytes, tolerance: float = TOLERANCE) -> tuple[Bytes, str | None]:
    """The image (height, width, 4) with its ground clear, and a note where no ground was found.

    The ground is what at least two corners, or half of the border, show; ``tolerance`` is how far in OKLab a pixel may
    be from it. Only what is joined to the border goes: a patch of the ground's colour inside the subject stays.
    """
    out = rgba.copy()
    out[out[..., 3] == 0] = 0
    border = _border(out.shape[:2])
    if (out[border][:, 3] < 128).mean() > 0.5:
        return out, "its ground is clear already"
    lab = oklab(out[..., :3])
    near = np.zeros(border.shape, dtype=np.bool_)
    for color in _grounds(out, lab, border, tolerance):
        near |= np.sqrt(((lab - color) ** 2).sum(axis=2)) <= tolerance
    if not near.any():
        return out, "no plain ground reaches its border, so nothing was cut out"
    ground = _flood(near & border, near | (out[..., 3] == 0))
    if ground.all():
        return rgba.copy(), "it is all one ground, so nothing was cut out"
    out[ground] = 0
    return out, None


def _border(shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, dtype=np.bool_)
    mask[0], mask[-1], mask[:, 0], mask[:, -1] = True, True, True, True
    return mask


def _grounds(rgba: Bytes, lab: Lab, border: Mask, tolerance: float) -> list[Lab]:
    """The colours of the ground: corners that agree with another corner or with half of the border."""
    rim = lab[border & (rgba[..., 3] > 0)]
    corners = [lab[y, x] for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if rgba[y, x, 3] > 0]
    found = []
    for color in corners:
        alike = sum(float(np.sqrt(((color - other) ** 2).sum())) <= tolerance for other in corners)
        share = (np.sqrt(((rim - color) ** 2).sum(axis=1)) <= tolerance).mean()
        if alike >= 2 or share >= 0.5:
            found.append(color)
    return found


def _flood(seeds: Mask, open_: Mask) -> Mask:
    """Every open pixel that a seed reaches over sides. Sweeps along whole rows and columns until nothing changes."""
    reached = seeds.copy()
    height, width = reached.shape
    while True:
        before = int(reached.sum())
        for lines, length in ((reached, height), (reached.T, width)):
            passable = open_ if lines is reached else open_.T
            for at in range(1, length):
                lines[at] |= lines[at - 1] & passable[at]
            for at in range(length - 2, -1, -1):
                lines[at] |= lines[at + 1] & passable[at]
        if int(reached.sum()) == before:
            return reached
