"""Despill: the tint of a ground that was keyed out, taken off the outline.

An anti-aliased outline pixel is a mixture: a share of the ground and the rest of the colour beside it, further in. It
lies on the straight line between the two, so the share can be read off (the compositing equation of Porter and Duff,
1984, solved for alpha). A pixel that is mostly ground goes with it; any other takes the colour further in.

Drawn outlines may lie on such a line as well: dark red round red, on black. But they do so at one or two places, while
anti-aliasing leaves every share from none to all. Only such a spread is taken as proof; without it nothing is changed.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.alpha.harden import Mask
from pixelrouter.pixels.alpha.surface import Places
from pixelrouter.pixels.color import Bytes, Floats, pack, unpack

_OFF = 10.0  # bytes a mixture may lie beside the line
_APART = 60.0  # bytes between ground and figure below which no mixture can be told
_SOME, _MUCH = 0.06, 0.5  # share of ground from which a pixel is tinted, and from which it is ground
_LEVELS = 8  # equal steps of the share, for counting how many occur
_PROOF = {True: 4, False: 6}  # so many must: on a bright ground, whose tint figures rarely have, and on a grey one
_BRIGHT = 80  # bytes between a ground's channels
_ROUND = [(y, x) for y in range(-2, 3) for x in range(-2, 3) if (y, x) != (0, 0)]


class Behind(Protocol):
    """What knows the ground's colours ``(n, 3)``, bytes as floats, at rows and columns ``(n,)``."""

    def at(self, y: Places, x: Places) -> Floats:
        """The colours."""
        ...


def despill(rgba: Bytes, ground: Behind) -> Bytes:
    """``(h, w, 4)`` keyed pixels without the ground's tint; unchanged where the outline is not anti-aliased."""
    out = rgba
    proven = False
    for _ in range(2):  # a soft outline may be two pixels wide
        outline = outline_of(out[..., 3] > 0)
        y, x = np.nonzero(outline)
        if not len(y):
            break
        behind = ground.at(y, x)
        share, beside = _mixtures(out, outline, y, x, behind)
        tinted = share >= _SOME
        if not proven and not _is_spread(share[tinted], len(y), behind):
            break
        proven = True
        out = out.copy()
        out[y[tinted], x[tinted], :3] = beside[tinted]
        gone = share > _MUCH
        out[y[gone], x[gone]] = 0
        if not gone.any():
            break
    return out


def outline_of(visible: Mask) -> Mask:
    """The visible pixels of ``(h, w)`` that touch an invisible one, by side or corner; the border is no outline."""
    clear = np.pad(~visible, 1)
    height, width = visible.shape
    near = np.zeros_like(visible)
    for y in range(3):
        for x in range(3):
            near |= clear[y : y + height, x : x + width]
    return np.asarray(near & visible, dtype=np.bool_)


def _is_spread(share: Floats, outline: int, behind: Floats) -> bool:
    """Whether the shares of ground in the tinted pixels are those of anti-aliasing, of every size."""
    bright = float(np.ptp(np.median(behind, axis=0))) >= _BRIGHT
    levels = len(np.unique((share * _LEVELS).astype(np.intp)))
    return len(share) >= 0.2 * outline and levels >= _PROOF[bright]


def _mixtures(rgba: Bytes, outline: Mask, y: Places, x: Places, behind: Floats) -> tuple[Floats, Bytes]:
    """For ``n`` outline pixels the share of ground 0..1 (0: no mixture) and the figure's colour ``(n, 3)``."""
    core = (rgba[..., 3] > 0) & ~outline
    known = np.pad(core, 2)
    padded = np.pad(rgba[..., :3], ((2, 2), (2, 2), (0, 0)))
    color = rgba[y, x, :3].astype(np.float32)
    share = np.zeros(len(y), dtype=np.float32)
    beside = rgba[y, x, :3].copy()
    best = np.full(len(y), np.inf, dtype=np.float32)
    for dy, dx in sorted(_ROUND, key=lambda at: at[0] ** 2 + at[1] ** 2):
        inner = padded[y + 2 + dy, x + 2 + dx]
        way = behind - inner
        length = np.sqrt((way * way).sum(axis=1))
        part = ((color - inner) * way).sum(axis=1) / np.maximum(length, 1.0) ** 2
        off = np.sqrt(((color - inner - way * part.clip(0, 1)[:, None]) ** 2).sum(axis=1))
        # A colour further away must fit better by a byte, so that the nearest of equals is taken.
        better = known[y + 2 + dy, x + 2 + dx] & (length >= _APART) & (off <= _OFF) & (off < best - 1.0)
        best[better], share[better], beside[better] = off[better], part[better].clip(0, 1), inner[better]
    share[_own(color, rgba[core][:, :3])] = 0.0  # a colour that the figure has inside as well is its own
    return share, beside


def _own(color: Floats, inside: Bytes) -> NDArray[np.bool_]:
    """Which of ``(n, 3)`` colours occur inside, give or take noise."""
    own = np.zeros(len(color), dtype=np.bool_)
    values = unpack(np.unique(pack(inside))).astype(np.float32)
    for start in range(0, len(values), 512):
        gap = np.abs(color[:, None] - values[None, start : start + 512]).max(axis=2)
        own |= (gap <= 3).any(axis=1)
    return own
