"""The rules of colour and alpha: few colours, all of them different to the eye, and nothing half transparent."""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.check.look import Look
from pixelrouter.pixels.check.places import boxes as frame_boxes
from pixelrouter.pixels.check.report import KEPT, Verdict, broken
from pixelrouter.pixels.color import Bytes, pack, to_oklab

FEW = 64  # colours that a picture may have unless the caller says another number; hand-made sprites seldom have more
_ALIKE = 0.015  # OKLab distance below which two colours look the same side by side
_PAIRS = 512  # colours up to which every pair is compared
_PARTIAL = 20.0  # how fast half-transparent pixels cost: 5 % of them leave nothing


def few_colors(look: Look, limit: int | None, palette: Bytes | None) -> Verdict:
    """At most so many colours, or only those of a palette.

    Twice the colours score 71, four times 50 (the square root of limit / colours); with a palette it is the share of
    pixels that are in it.
    """
    colors, _ = look.colors
    if palette is not None:
        return _in_palette(look, palette)
    most = FEW if limit is None else limit
    if len(colors) <= most:
        return KEPT
    return broken(
        "colors",
        100 * (most / len(colors)) ** 0.5,
        f"{len(colors)} colours; {most} are the most.",
        f"Finish it with --colors {most}, or with a --palette.",
        count=len(colors) - most,
    )


def _in_palette(look: Look, palette: Bytes) -> Verdict:
    visible = look.art[..., 3] > 0
    off = visible & ~np.isin(pack(look.art[..., :3]), pack(palette))
    if not off.any():
        return KEPT
    share = float(off.sum()) / float(visible.sum())
    what = f"{len(np.unique(look.art_codes[off]))} colours, {share:.0%} of the pixels, are not in the palette."
    return broken("colors", 100 * (1 - share), what, "Finish it with that --palette.", look.boxes(off), int(off.sum()))


def partial_alpha(look: Look) -> Verdict:
    """Alpha is 0 or 255: every half-transparent pixel in a hundred visible ones costs 20."""
    alpha = look.rgba[..., 3]
    partial = (alpha > 0) & (alpha < 255)
    if not partial.any():
        return KEPT
    share = float(partial.sum()) / float((alpha > 0).sum())
    what = f"{int(partial.sum())} pixels ({share:.1%}) are half transparent."
    boxes = frame_boxes(partial)
    return broken(
        "alpha",
        100 * (1 - _PARTIAL * share),
        what,
        "Finish it: alpha becomes 0 or 255 for every pixel.",
        boxes,
        int(partial.sum()),
    )


def hidden_color(look: Look) -> Verdict:
    """Nothing hides under alpha 0: the share of clear pixels that are black."""
    clear = look.rgba[..., 3] == 0
    hidden = clear & look.rgba[..., :3].any(axis=2)
    if not hidden.any():
        return KEPT
    share = float(hidden.sum()) / float(clear.sum())
    return broken(
        "hidden",
        100 * (1 - share),
        f"{int(hidden.sum())} transparent pixels hide a colour: it shows when an engine smooths or drops alpha.",
        "Finish it: clear pixels become (0, 0, 0, 0).",
        frame_boxes(hidden),
        int(hidden.sum()),
    )


def near_duplicates(look: Look) -> Verdict:
    """No two colours look the same: the share of colours that are left when those are merged."""
    colors, counts = look.colors
    if len(colors) < 2:
        return KEPT
    if len(colors) > _PAIRS:
        # Too many to compare one by one: those that share a small cube of colours.
        red, green, blue = (colors >> 2).astype(np.intp).T
        cubes = np.zeros((64, 64, 64), dtype=bool)
        cubes[red, green, blue] = True
        twins, flagged = len(colors) - int(cubes.sum()), np.zeros(look.art.shape[:2], dtype=bool)
    else:
        colors = colors[np.argsort(-counts, kind="stable")]
        lab = to_oklab(colors)
        distance = ((lab[:, None] - lab[None]) ** 2).sum(axis=2)
        # A twin is a colour close to one that more pixels have.
        twin = np.tril(distance < _ALIKE**2, -1).any(axis=1)
        twins = int(twin.sum())
        flagged = np.isin(pack(look.art[..., :3]), pack(colors[twin])) & ~look.clear
    if not twins:
        return KEPT
    return broken(
        "duplicates",
        100 * (1 - twins / len(colors)),
        f"{twins} of {len(colors)} colours look the same as another.",
        "Finish it with fewer --colors, or with --merge 0.02.",
        look.boxes(flagged),
        twins,
    )
