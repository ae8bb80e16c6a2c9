"""The colours of finished frames: one palette for all of them, every pixel put into it, nothing over the limit."""

from __future__ import annotations

import numpy as np

from pixelrouter.pixels.color import Bytes, pack, parse_hex, to_oklab
from pixelrouter.pixels.indexed import ENTRIES, thin_alpha
from pixelrouter.pixels.key import key_out
from pixelrouter.pixels.quantize import apply_palette, reduce_colors
from pixelrouter.pixels.spec import FinishSpec


def color(frames: list[Bytes], spec: FinishSpec, warnings: list[str]) -> tuple[list[Bytes], Bytes]:
    """Frames ``(h, w, 4)`` in one palette, and that palette ``(k, 3)`` in stable order; backgrounds keyed out."""
    visible = np.concatenate([frame[..., :3][frame[..., 3] > 0] for frame in frames])
    clear = spec.transparent is True or any((frame[..., 3] == 0).any() for frame in frames)
    room = ENTRIES - (1 if clear else 0)
    if spec.palette is not None:
        palette = parse_hex(spec.palette)
        palette = palette[_used(visible, palette, room)]
    else:
        palette = _by_lightness(reduce_colors(visible, min(spec.colors or ENTRIES, room), spec.quantizer))
    asked = len(spec.palette) if spec.palette is not None else (spec.colors or 0)
    if asked > room and len(palette) == room:
        warnings.append(f"Transparency takes one of {ENTRIES} entries, so {room} colours are visible.")
    frames = [_apply(frame, palette, spec, warnings) for frame in frames]
    left = np.unique(np.concatenate([pack(frame[..., :3][frame[..., 3] > 0]) for frame in frames]))
    return frames, palette[np.isin(pack(palette), left)]


def _used(visible: Bytes, palette: Bytes, room: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Indices of the ``room`` most used palette colours, in the palette's order."""
    count = np.bincount(apply_palette(visible, palette), minlength=len(palette))
    most = np.argsort(-count, kind="stable")[:room]
    return np.sort(most[count[most] > 0])


def _by_lightness(palette: Bytes) -> Bytes:
    return palette[np.lexsort((pack(palette), to_oklab(palette)[:, 0]))]


def _apply(frame: Bytes, palette: Bytes, spec: FinishSpec, warnings: list[str]) -> Bytes:
    out = frame.copy()
    visible = frame[..., 3] > 0
    if visible.any():
        out[..., :3][visible] = palette[apply_palette(frame[..., :3][visible], palette)]
    # Keyed after the colours are final: a second finish then sees the same picture and decides the same.
    if spec.transparent is True and not (out[..., 3] == 0).any():
        keyed = key_out(out, holes=spec.holes) if spec.matte == "key" else None
        if keyed is None:
            warnings.append("The background is not one solid colour, so it could not be made transparent.")
        else:
            out = keyed
    return thin_alpha(out) if spec.partial_alpha else out
