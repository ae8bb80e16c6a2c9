"""Finishing: from any image a vendor returned to pixel art that keeps the guarantee.

Always: exactly the size asked for; at most N colours, or only colours of the palette; alpha 0 or 255 unless asked
otherwise, and colour zero under alpha 0; an indexed image that a PNG file gives back unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from PIL import Image

from pixelrouter.errors import InvalidRequest, QualityRejected
from pixelrouter.pixels.alpha import OPAQUE_FROM, flatten, harden, key_out
from pixelrouter.pixels.color import Bytes, pack, parse_hex, to_hex, to_oklab
from pixelrouter.pixels.decode import Decoded, Source, decode
from pixelrouter.pixels.fit import crop_margins, fit, resample
from pixelrouter.pixels.grid import THRESHOLD, Lattice, find_lattice
from pixelrouter.pixels.indexed import ENTRIES, thin_alpha, to_indexed
from pixelrouter.pixels.palette import resolve_palette
from pixelrouter.pixels.quantize import apply_palette, quantizer, reduce_colors
from pixelrouter.pixels.snap import snap
from pixelrouter.types import Grid, Report

ALGORITHM = "f2"  # changes whenever the same input and spec would give another picture

Policy = Literal["snap", "resample", "reject"]


@dataclass(frozen=True)
class FinishSpec:
    """What the finished image shall be.

    ``size``: width and height in pixels. ``colors``: the most visible colours, 1 to 256, None for as many as an
    indexed image holds; a ``palette`` ("#rrggbb", ...) takes its place. ``transparent``: None keeps the vendor's
    alpha, True insists (a solid background is keyed out where there is none), False lays the picture over white.
    ``policy`` says what becomes of an image: "snap" to its grid, or resample it with a warning where it has none;
    "resample" without looking for a grid; "reject" it (QualityRejected) where it has none. ``pixel_size``: source
    pixels a cell, instead of detection. ``native``: the backend says that it draws true 1x pixels. ``partial_alpha``
    keeps half-transparent pixels of images that are not snapped. Raises InvalidRequest.
    """

    size: tuple[int, int]
    colors: int | None = 32
    palette: tuple[str, ...] | None = None
    transparent: bool | None = None
    policy: Policy = "snap"
    pixel_size: float | None = None
    native: bool = False
    dither: Literal["none"] = "none"
    partial_alpha: bool = False

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(isinstance(s, int) and 1 <= s <= 4096 for s in self.size):
            raise InvalidRequest(f"{self.size!r} is not a size.", hint="Give (width, height), each 1 to 4096.")
        if self.colors is not None and not 1 <= self.colors <= ENTRIES:
            raise InvalidRequest(f"colors={self.colors} is outside 1 to {ENTRIES}.")
        if self.policy not in ("snap", "resample", "reject"):
            raise InvalidRequest(f"policy={self.policy!r} is unknown.", hint="Use snap, resample or reject.")
        if self.dither != "none":
            raise InvalidRequest(f"dither={self.dither!r} is unknown.", hint="Use none.")
        if self.pixel_size is not None and not self.pixel_size >= 1:
            raise InvalidRequest(f"pixel_size={self.pixel_size} is below one pixel.")
        if self.palette is not None:
            object.__setattr__(self, "palette", resolve_palette(self.palette))

    def key_parts(self) -> dict[str, Any]:
        """Everything that decides what comes out, JSON-ready: beside the hash of the image, the finishing key."""
        return {
            "algorithm": ALGORITHM,
            "quantizer": None if self.palette else quantizer(),
            "size": list(self.size),
            "colors": None if self.palette else self.colors,
            "palette": None if self.palette is None else list(self.palette),
            "transparent": self.transparent,
            "policy": self.policy,
            "pixel_size": self.pixel_size,
            "native": self.native,
            "dither": self.dither,
            "partial_alpha": self.partial_alpha,
        }


@dataclass(frozen=True)
class Finished:
    """Finished pixel art: ``image`` in RGBA, ``indexed`` the same in mode P, ``palette`` its visible colours.

    ``frames`` holds every frame of an animation in RGBA (one for a still), ``durations`` their milliseconds.
    """

    image: Image.Image
    indexed: Image.Image
    palette: tuple[str, ...]
    report: Report
    frames: tuple[Image.Image, ...]
    durations: tuple[int, ...] = (0,)


@dataclass
class _Draft:
    """One image on its way: frames at the size asked for, and what there is to say about them."""

    frames: list[Bytes]
    durations: tuple[int, ...]
    source_size: tuple[int, int]
    grid: Grid
    method: str
    colors_before: int
    warnings: list[str] = field(default_factory=list)


def finish(image: Source, spec: FinishSpec) -> Finished:
    """One image, finished. Raises UnreadableImage, and QualityRejected under ``policy="reject"``."""
    return finish_many([image], spec)[0]


def finish_many(images: Sequence[Source], spec: FinishSpec) -> list[Finished]:
    """Several images with one palette, so that the frames of a set can share it. Raises as :func:`finish` does."""
    drafts = [_draft(decode(image), spec) for image in images]
    if not drafts:
        return []
    _shape(drafts, spec)
    palette = _colors(drafts, spec)
    return [_finished(draft, palette, spec) for draft in drafts]


def _draft(source: Decoded, spec: FinishSpec) -> _Draft:
    frames = [np.asarray(frame) for frame in source.frames]
    first = frames[0]
    height, width = first.shape[:2]
    method, lattice, warnings = _plan(first, spec)
    before = _count_colors(first)
    if method == "snap":
        frames = [snap(frame, lattice) for frame in frames]
    frames = [_alpha(frame, spec) for frame in frames]
    return _Draft(frames, source.durations, (width, height), lattice.grid, method, before, warnings)


def _shape(drafts: list[_Draft], spec: FinishSpec) -> None:
    """Brings every frame to the size asked for."""
    frames = [frame for draft in drafts for frame in draft.frames]
    alike = {frame.shape for frame in frames} == {frames[0].shape}
    # Together, so that a figure stands still from frame to frame.
    cropped = crop_margins(frames, spec.size) if alike and all(draft.method == "native" for draft in drafts) else None
    if cropped is not None:
        for draft in drafts:
            draft.frames, cropped = cropped[: len(draft.frames)], cropped[len(draft.frames) :]
        return
    for draft in drafts:
        if draft.method == "resample":
            draft.frames = [resample(frame, spec.size) for frame in draft.frames]
            continue
        shaped = [fit(frame, spec.size) for frame in draft.frames]
        draft.frames = [frame for frame, _ in shaped]
        if note := shaped[0][1]:
            draft.warnings.append(f"{note[0].upper()}{note[1:]} {spec.size[0]}x{spec.size[1]}.")


def _plan(rgba: Bytes, spec: FinishSpec) -> tuple[str, Lattice, list[str]]:
    """How an image is treated ("native", "snap" or "resample"), its lattice, and warnings."""
    height, width = rgba.shape[:2]
    if (width, height) == spec.size and spec.pixel_size is None:
        return "native", Lattice.native(width, height, 1.0), []
    if spec.policy == "resample" and spec.pixel_size is None:
        return "resample", Lattice.native(width, height, 0.0, at_1x=False), []
    lattice = find_lattice(rgba, spec.pixel_size)
    if lattice.grid.native or (spec.native and spec.pixel_size is None and not _believable(lattice, spec)):
        return "native", Lattice.native(width, height, lattice.grid.confidence), []
    if lattice.grid.confidence >= THRESHOLD:
        return "snap", lattice, []
    why = f"No pixel grid was found in the {width}x{height} image (confidence {lattice.grid.confidence:.2f}"
    if spec.policy == "reject":
        raise QualityRejected(
            f"{why}, needed {THRESHOLD}).", hint="Finish it again with policy='snap' or a pixel_size; that is free."
        )
    return "resample", lattice, [f"{why}); it was resampled, which is not true pixel art. A pixel_size may help."]


def _believable(lattice: Lattice, spec: FinishSpec) -> bool:
    """Whether a true 1x backend enlarged this picture after all: only if its grid gives the size asked for."""
    near = all(abs(have - want) <= max(1, want // 16) for have, want in zip(lattice.grid.size, spec.size, strict=True))
    return near and lattice.grid.confidence >= THRESHOLD


def _alpha(rgba: Bytes, spec: FinishSpec) -> Bytes:
    if spec.transparent is False:
        return flatten(rgba)
    if spec.partial_alpha:
        out = rgba.copy()
        out[rgba[..., 3] == 0] = 0
        return out
    return harden(rgba)


def _count_colors(rgba: Bytes) -> int:
    packed = pack(rgba[..., :3][rgba[..., 3] >= OPAQUE_FROM])
    if packed.size < 1 << 18:
        return len(np.unique(packed))
    # One flag for every possible colour beats sorting a large image, and costs 16 MiB: not worth it for a small one.
    seen = np.zeros(1 << 24, dtype=np.bool_)
    seen[packed] = True
    return int(np.count_nonzero(seen))


def _colors(drafts: list[_Draft], spec: FinishSpec) -> Bytes:
    """Puts all frames into one palette, keys backgrounds out, and returns the palette that is left, in stable order."""
    frames = [frame for draft in drafts for frame in draft.frames]
    visible = np.concatenate([frame[..., :3][frame[..., 3] > 0] for frame in frames])
    clear = spec.transparent is True or any((frame[..., 3] == 0).any() for frame in frames)
    room = ENTRIES - (1 if clear else 0)
    if spec.palette is not None:
        palette = parse_hex(spec.palette)
        palette = palette[_used(visible, palette, room)]
    else:
        palette = _by_lightness(reduce_colors(visible, min(spec.colors or ENTRIES, room)))
    asked = len(spec.palette) if spec.palette is not None else (spec.colors or 0)
    if asked > room and len(palette) == room:
        for draft in drafts:
            draft.warnings.append(f"Transparency takes one of {ENTRIES} entries, so {room} colours are visible.")
    for draft in drafts:
        draft.frames = [_apply(frame, palette, spec, draft.warnings) for frame in draft.frames]
    frames = [frame for draft in drafts for frame in draft.frames]
    left = np.unique(np.concatenate([pack(frame[..., :3][frame[..., 3] > 0]) for frame in frames]))
    return palette[np.isin(pack(palette), left)]


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
        keyed = key_out(out)
        if keyed is None:
            warnings.append("The background is not one solid colour, so it could not be made transparent.")
        else:
            out = keyed
    return thin_alpha(out) if spec.partial_alpha else out


def _finished(draft: _Draft, palette: Bytes, spec: FinishSpec) -> Finished:
    images = tuple(Image.fromarray(frame) for frame in draft.frames)
    colors = {color for frame in draft.frames for color in np.unique(pack(frame[..., :3][frame[..., 3] > 0])).tolist()}
    warnings = list(dict.fromkeys(draft.warnings))
    if not colors:
        warnings.append("The picture is transparent everywhere.")
    elif len(colors) == 1 and all((frame[..., 3] > 0).all() for frame in draft.frames):
        warnings.append("The picture is one colour everywhere: vendors black out what their content policy holds back.")
    report = Report(
        source_size=draft.source_size,
        size=spec.size,
        method=draft.method,
        grid=draft.grid,
        colors_before=draft.colors_before,
        colors_after=len(colors),
        transparent=any(bool((frame[..., 3] < OPAQUE_FROM).any()) for frame in draft.frames),
        warnings=tuple(warnings),
    )
    indexed = to_indexed(draft.frames[0], palette)
    return Finished(images[0], indexed, to_hex(palette), report, images, draft.durations)
