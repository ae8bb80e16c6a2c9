"""Transparency: hard alpha, nothing hidden under alpha 0, and what of a mask is connected to the border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes

Mask = NDArray[np.bool_]

OPAQUE_FROM = 128  # an alpha of at least this is opaque
_PAPER = 255  # what a transparent pixel becomes in an opaque image: white keeps dark outlines visible


def harden(rgba: Bytes) -> Bytes:
    """Alpha 0 or 255, and colour zero under alpha 0."""
    visible = rgba[..., 3] >= OPAQUE_FROM
    out = np.zeros_like(rgba)
    np.copyto(out, rgba, where=visible[..., None])
    out[..., 3] = visible
    out[..., 3] *= 255
    return out


def flatten(rgba: Bytes) -> Bytes:
    """Opaque everywhere: partly transparent pixels are laid over white."""
    out = rgba.copy()
    clear = rgba[..., 3] < 255
    alpha = rgba[clear][:, 3:].astype(np.uint16)
    out[clear, :3] = (rgba[clear][:, :3] * alpha + _PAPER * (255 - alpha) + 127) // 255
    out[..., 3] = 255
    return out


def connected_to_border(mask: Mask) -> Mask:
    """The part of a ``(h, w)`` mask that is connected (by sides) to the border of the picture.

    Horizontal runs are joined across rows by minimum labels with pointer jumping (Shiloach and Vishkin 1982), so a
    spiral costs no more than a rectangle.
    """
    height, width = mask.shape
    starts = mask & ~np.pad(mask, ((0, 0), (1, 0)))[:, :-1]
    label = np.where(mask, np.cumsum(starts).reshape(height, width), 0)
    count = int(starts.sum())
    parent = np.arange(count + 1)
    both = mask[:-1] & mask[1:]
    upper, lower = label[:-1][both], label[1:][both]
    while True:
        root_a, root_b = parent[upper], parent[lower]
        if (root_a == root_b).all():
            break
        low = np.minimum(root_a, root_b)
        np.minimum.at(parent, root_a, low)
        np.minimum.at(parent, root_b, low)
        while (parent[parent] != parent).any():
            parent = parent[parent]
    reached = np.zeros(count + 1, dtype=bool)
    edge = np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])
    reached[parent[edge]] = True
    reached[0] = False
    return np.asarray(reached[parent[label]] & mask, dtype=np.bool_)
