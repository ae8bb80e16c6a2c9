"""Fitting to the exact size asked for, with colours that are in the image already: nothing is ever blended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes

_SMALL = 0.09  # a difference up to this share of the size (and at least two pixels) is cropped or padded
_SKEW = 1.15  # aspect ratios further apart than this are padded instead of stretched


def fit(rgba: Bytes, size: tuple[int, int]) -> tuple[Bytes, str | None]:
    """``(h, w, 4)`` at exactly ``size`` (width, height), and a sentence about what had to be done, if anything."""
    have, want = (rgba.shape[1], rgba.shape[0]), size
    if have == want:
        return rgba, None
    if all(abs(h - w) <= max(2, round(_SMALL * w)) for h, w in zip(have, want, strict=True)):
        return _frame(rgba, want), f"the picture has {have[0]}x{have[1]} cells and was cropped or padded to fit"
    return resample(rgba, want), f"the picture has {have[0]}x{have[1]} cells and was resampled to fit"


def crop_margins(frames: Sequence[Bytes], size: tuple[int, int]) -> list[Bytes] | None:
    """Frames ``(h, w, 4)`` of one size cut to ``size`` (width, height) by the same window, losing only empty margin.

    Vendors draw figures on a larger canvas than asked; resampling that would spoil true pixels. None where something
    visible would be lost, or where there is nothing to cut. The window keeps to the middle as far as it can.
    """
    height, width = frames[0].shape[:2]
    if (width, height) == size or width < size[0] or height < size[1]:
        return None
    visible = np.any([frame[..., 3] > 0 for frame in frames], axis=0)
    if visible.all() or not visible.any():
        return None
    x = _window(np.flatnonzero(visible.any(axis=0)), width, size[0])
    y = _window(np.flatnonzero(visible.any(axis=1)), height, size[1])
    if x is None or y is None:
        return None
    return [frame[y : y + size[1], x : x + size[0]] for frame in frames]


def _window(used: NDArray[np.intp], length: int, wanted: int) -> int | None:
    """Where a window of ``wanted`` begins that holds everything used; None if none is large enough."""
    first, last = int(used[0]), int(used[-1])
    if last - first >= wanted:
        return None
    return min(max((length - wanted) // 2, last - wanted + 1), first)


def resample(rgba: Bytes, size: tuple[int, int]) -> Bytes:
    """Another size by picking, for each new pixel, the sample of its area that is most like all the others.

    That is the medoid: the majority colour in flat areas, a real colour everywhere. A very different aspect ratio is
    kept and padded.
    """
    return keep_aspect(rgba, size, _pick)


def keep_aspect(
    rgba: Bytes,
    size: tuple[int, int],
    scale: Callable[[Bytes, tuple[int, int]], Bytes],
    inner: tuple[int, int] | None = None,
) -> Bytes:
    """``rgba`` brought to ``size`` by ``scale``; a very different aspect ratio is kept, and the rest padded.

    ``inner``: the part of ``size`` to fill, if that is not to be :func:`inner_size`.
    """
    inner = inner or inner_size((rgba.shape[1], rgba.shape[0]), size)
    return scale(rgba, size) if inner == size else _frame(scale(rgba, inner), size)


def inner_size(have: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """How much of ``size`` a picture fills: all of it, unless its aspect ratio is too different to be stretched."""
    scale = (size[0] / have[0], size[1] / have[1])
    if max(scale) <= _SKEW * min(scale):
        return size
    return min(size[0], max(1, round(have[0] * min(scale)))), min(size[1], max(1, round(have[1] * min(scale))))


def _pick(rgba: Bytes, size: tuple[int, int]) -> Bytes:
    dense = 5 if size[0] * size[1] <= 128 * 128 else 3
    columns = _positions(rgba.shape[1], size[0], dense)
    rows = _positions(rgba.shape[0], size[1], dense)
    out = np.empty((size[1], size[0], 4), dtype=np.uint8)
    for start in range(0, size[1], 16):  # bounds the memory
        part = rows[start : start + 16]
        block = rgba[part[:, None, :, None], columns[None, :, None, :]]
        out[start : start + 16] = _medoid(block.reshape(*block.shape[:2], -1, 4))
    return out


def _positions(length: int, count: int, dense: int) -> NDArray[np.intp]:
    """Source indices ``(count, samples)``: one sample where pixels are repeated, more where they are merged."""
    ratio = length / count
    samples = min(dense, max(1, round(ratio)))
    inner = (np.arange(count)[:, None] + (np.arange(samples) + 0.5)[None, :] / samples) * ratio
    return np.floor(inner).astype(np.intp).clip(0, length - 1)


def _medoid(samples: Bytes) -> Bytes:
    """Of each ``(..., n, 4)`` the sample with the smallest sum of distances to the others; the first one of equals."""
    values = samples.astype(np.float32)
    values[..., :3] *= values[..., 3:] / 255  # hidden colours have no say
    total = np.zeros(samples.shape[:-1], dtype=np.float32)
    for index in range(samples.shape[-2]):
        total += np.abs(values - values[..., index : index + 1, :]).sum(axis=-1)
    best = total.argmin(axis=-1)
    return np.asarray(np.take_along_axis(samples, best[..., None, None], axis=-2)[..., 0, :], dtype=np.uint8)


def _frame(rgba: Bytes, size: tuple[int, int]) -> Bytes:
    """Crop the emptier border lines, or pad both sides: transparent if anything is, else the edge repeated."""
    across = _frame_rows(rgba.transpose(1, 0, 2), size[0]).transpose(1, 0, 2)
    return np.ascontiguousarray(_frame_rows(across, size[1]))


def _frame_rows(rgba: Bytes, count: int) -> Bytes:
    first, last = 0, len(rgba)
    while last - first > count:
        if _content(rgba[last - 1]) <= _content(rgba[first]):
            last -= 1
        else:
            first += 1
    rgba = rgba[first:last]
    missing = count - len(rgba)
    if missing <= 0:
        return rgba
    around = ((missing // 2, missing - missing // 2), (0, 0), (0, 0))
    if (rgba[..., 3] == 0).any():
        return np.pad(rgba, around)
    return np.pad(rgba, around, mode="edge")


def _content(line: Bytes) -> float:
    """How much would be lost with a border line: its visible pixels, and how much they differ."""
    visible = line[line[..., 3] > 0][:, :3]
    if not len(visible):
        return 0.0
    return len(visible) / len(line) + float(visible.astype(np.float32).std(axis=0).sum())
