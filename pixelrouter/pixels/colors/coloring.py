"""The colours of finished frames: one palette for all of them, every pixel put into it, nothing over the limit."""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.alpha.key import key_out
from pixelrouter.pixels.color import Bytes, Ints, nearest, pack, parse_hex, to_oklab, unpack
from pixelrouter.pixels.colors.dither import dither
from pixelrouter.pixels.colors.indexed import ENTRIES, thin_alpha
from pixelrouter.pixels.colors.merge import ROUNDING, Counts, measure_noise, merge_noise, merge_within
from pixelrouter.pixels.colors.one_bit import one_bit, two_colors
from pixelrouter.pixels.colors.quantize import reduce_counted
from pixelrouter.pixels.spec import FinishSpec


def color(
    frames: list[Bytes], spec: FinishSpec, warnings: list[str], *, drawn: bool = False
) -> tuple[list[Bytes], Bytes]:
    """Frames ``(h, w, 4)`` in one palette, and that palette ``(k, 3)`` in stable order; backgrounds keyed out.

    An own palette runs from dark to light, one asked for keeps its order. Near-duplicate colours are merged first;
    ``drawn`` says that the colours are the artist's own (true 1x pixels, or copies of them), so that none are where
    they fit.
    """
    clear = spec.transparent is True or any((frame[..., 3] == 0).any() for frame in frames)
    room = ENTRIES - (1 if clear else 0)
    if spec.one_bit:
        palette = two_colors(spec.palette)
        frames = one_bit(frames, palette, spec.dither)
    else:
        frames, palette = _reduce(frames, spec, room, drawn)
    asked = len(spec.palette) if spec.palette is not None else (spec.colors or 0)
    if asked > room and len(palette) == room:
        warnings.append(f"Transparency takes one of {ENTRIES} entries, so {room} colours are visible.")
    frames = [_keyed(frame, spec, warnings) for frame in frames]
    if spec.pad_palette and spec.palette is not None:
        return frames, palette
    left = np.unique(np.concatenate([pack(frame[..., :3])[frame[..., 3] > 0] for frame in frames]))
    return frames, palette[np.isin(pack(palette), left)]


def _reduce(frames: list[Bytes], spec: FinishSpec, room: int, drawn: bool) -> tuple[list[Bytes], Bytes]:
    seen = [frame[..., 3] > 0 for frame in frames]
    packed = np.concatenate([pack(frame[..., :3])[mask] for frame, mask in zip(frames, seen, strict=True)])
    values, place, counts = np.unique(packed, return_inverse=True, return_counts=True)
    given = None if spec.palette is None else parse_hex(spec.palette)
    limit = min(len(given) if given is not None else spec.colors or ENTRIES, room)
    colors, owner = _merge(frames, unpack(values), counts, spec, drawn=drawn, fits=len(values) <= limit)
    place, counts = owner[place.reshape(-1)], np.bincount(owner, counts, minlength=len(colors)).astype(np.intp)
    if given is not None:
        palette = given[_most_used(colors, counts, given, room, pad=spec.pad_palette)]
    else:
        palette = _by_lightness(reduce_counted(colors, counts, limit, spec.quantizer))
    inks = _apart(palette, colors, counts, spec.merge) if spec.merge and len(palette) else palette
    if spec.dither == "none" and len(inks):
        colors = inks[nearest(to_oklab(colors), to_oklab(inks))]
    out = []
    for frame, mask in zip(frames, seen, strict=True):
        here, place = np.split(place, [np.count_nonzero(mask)])
        painted = frame.copy()
        painted[..., :3][mask] = colors[here]
        out.append(painted if spec.dither == "none" else dither(painted, inks, spec.dither))
    return out, palette


def _merge(
    frames: list[Bytes], colors: Bytes, counts: Counts, spec: FinishSpec, *, drawn: bool, fits: bool
) -> tuple[Bytes, Ints]:
    """The colours that are left when near duplicates are one, and which of them each colour became."""
    if spec.merge and len(colors):
        return merge_within(colors, counts, spec.merge)
    if spec.merge is None and spec.mode == "restore" and not (drawn and fits) and len(colors):
        noise = max(measure_noise(frames, drawn=drawn), 0 if drawn else ROUNDING)
        if noise:
            return merge_noise(colors, counts, noise)
    return colors, np.arange(len(colors))


def _apart(palette: Bytes, colors: Bytes, counts: Counts, radius: float) -> Bytes:
    """The palette without what counts as one with a colour used more: a second finish would merge those."""
    used = np.bincount(nearest(to_oklab(colors), to_oklab(palette)), counts, minlength=len(palette))
    kept, _ = merge_within(palette, used, radius)
    return palette[np.isin(pack(palette), pack(kept))]


def _most_used(colors: Bytes, counts: Counts, palette: Bytes, room: int, *, pad: bool) -> Ints:
    """Indices of the ``room`` most used palette colours, in the palette's order; unused ones only to pad."""
    if not len(colors):
        return np.arange(min(room, len(palette)) if pad else 0)
    used = np.bincount(nearest(to_oklab(colors), to_oklab(palette)), counts, minlength=len(palette))
    most = np.argsort(-used, kind="stable")[:room]
    return np.sort(most if pad else most[used[most] > 0])


def _by_lightness(palette: Bytes) -> Bytes:
    return palette[np.lexsort((pack(palette), to_oklab(palette)[:, 0]))]


def _keyed(frame: Bytes, spec: FinishSpec, warnings: list[str]) -> Bytes:
    # Keyed after the colours are final: a second finish then sees the same picture and decides the same.
    if spec.transparent is True and not (frame[..., 3] == 0).any():
        keyed = key_out(frame, holes=spec.holes) if spec.matte == "key" else None
        if keyed is None:
            warnings.append("The background is not one solid colour, so it could not be made transparent.")
        else:
            frame = keyed
    return thin_alpha(frame) if spec.partial_alpha else frame
