"""Finishing: from any image a vendor returned to pixel art that keeps the guarantee.

Always: exactly the size asked for; at most N colours, or only colours of the palette; alpha 0 or 255 unless asked
otherwise, and colour zero under alpha 0; an indexed image that a PNG file gives back unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from pixelrouter.errors import InvalidRequest, QualityRejected
from pixelrouter.pixels.alpha.harden import OPAQUE_FROM, flatten, harden
from pixelrouter.pixels.alpha.matte import cut_out, lift, matte
from pixelrouter.pixels.color import Bytes, count_colors, pack, to_hex
from pixelrouter.pixels.colors.coloring import color
from pixelrouter.pixels.colors.indexed import to_indexed
from pixelrouter.pixels.convert import conversion, convert
from pixelrouter.pixels.decode import Source, decode, to_array
from pixelrouter.pixels.fit import crop_margins, fit, resample
from pixelrouter.pixels.grid import THRESHOLD, Lattice, find_lattice
from pixelrouter.pixels.snap import snap
from pixelrouter.pixels.spec import MAX_SIDE, FinishSpec
from pixelrouter.pixels.steady import steady
from pixelrouter.types import Report

_ASKED = 5  # frames of an animation whose grid is looked for


@dataclass(frozen=True)
class Finished:
    """Finished pixel art: ``image`` in RGBA, ``indexed`` the same in mode P, ``palette`` its visible colours.

    ``frames`` holds every frame of an animation in RGBA (one for a still), ``durations`` their milliseconds.
    ``lattice``: the cut lines in source pixels that the cells were read from; None where nobody kept them.
    """

    image: Image.Image
    indexed: Image.Image
    palette: tuple[str, ...]
    report: Report
    frames: tuple[Image.Image, ...]
    durations: tuple[int, ...] = (0,)
    lattice: Lattice | None = field(default=None, repr=False, compare=False)


@dataclass
class _Draft:
    """One image on its way: frames at the size asked for, and what there is to say about them."""

    frames: list[Bytes]
    durations: tuple[int, ...]
    source_size: tuple[int, int]
    size: tuple[int, int]
    lattice: Lattice
    method: str
    colors_before: int
    warnings: list[str] = field(default_factory=list)


def finish(image: Source, spec: FinishSpec) -> Finished:
    """One image, finished. Raises UnreadableImage, InvalidRequest where no size was given and none is to be found, and
    QualityRejected under ``policy="reject"`` or ``"reroute"``.
    """
    return finish_many([image], spec)[0]


def finish_many(images: Sequence[Source], spec: FinishSpec) -> list[Finished]:
    """Several images with one palette, so that the frames of a set can share it. Raises as :func:`finish` does."""
    drafts = [_draft(*_frames(image), spec) for image in images]
    if not drafts:
        return []
    _shape(drafts, spec)
    for draft in drafts:
        if draft.method != "native":
            draft.frames = steady(draft.frames)
        draft.frames = [cut_out(frame, spec) for frame in draft.frames]
    warnings: list[str] = []
    drawn = all(map(_drawn, drafts))
    frames, palette = color([frame for draft in drafts for frame in draft.frames], spec, warnings, drawn=drawn)
    for draft in drafts:
        draft.frames, frames = frames[: len(draft.frames)], frames[len(draft.frames) :]
        draft.warnings += warnings
    return [_finished(draft, palette) for draft in drafts]


def _frames(source: Source) -> tuple[list[Bytes], tuple[int, ...]]:
    """The bytes of every frame, and their milliseconds. What is decoded on the way does not stay beside them."""
    if isinstance(source, Image.Image | np.ndarray):
        return [to_array(source)], (0,)
    decoded = decode(source)
    return [to_array(frame) for frame in decoded.frames], decoded.durations


def _draft(frames: list[Bytes], durations: tuple[int, ...], spec: FinishSpec) -> _Draft:
    frames = [lift(frame, spec) for frame in frames]
    first = frames[0]
    height, width = first.shape[:2]
    method, lattice, warnings = _plan(frames, spec)
    before = count_colors(first)
    frames = [matte(frame, spec) for frame in frames]
    if method == "snap":
        frames = [snap(frame, lattice) for frame in frames]
    elif method == "convert":
        cells = lattice.grid.size
        frames = [flatten(frame) if spec.transparent is False else frame for frame in frames]
        frames = [convert(frame, spec.size or cells, cells) for frame in frames]
    frames = [_alpha(frame, spec) for frame in frames]
    size = spec.size or (frames[0].shape[1], frames[0].shape[0])
    return _Draft(frames, durations, (width, height), size, lattice, method, before, warnings)


def _drawn(draft: _Draft) -> bool:
    """Whether the colours are the artist's own: pixels taken as they are, or an enlargement that added none."""
    exact = draft.method == "snap" and count_colors(draft.frames[0]) >= draft.colors_before
    return draft.method == "native" or (draft.method == "resample" and draft.size == draft.source_size) or exact


def _shape(drafts: list[_Draft], spec: FinishSpec) -> None:
    """Brings every frame to the size asked for."""
    frames = [frame for draft in drafts for frame in draft.frames]
    alike = {frame.shape for frame in frames} == {frames[0].shape}
    together = alike and all(draft.method == "native" for draft in drafts)
    # Together, so that a figure stands still from frame to frame.
    if spec.size and together and (cropped := crop_margins(frames, spec.size)):
        for draft in drafts:
            draft.frames, cropped = cropped[: len(draft.frames)], cropped[len(draft.frames) :]
        return
    for draft in drafts:
        if draft.method == "resample":
            draft.frames = [resample(frame, draft.size) for frame in draft.frames]
            continue
        shaped = [fit(frame, draft.size) for frame in draft.frames]
        draft.frames = [frame for frame, _ in shaped]
        if note := shaped[0][1]:
            draft.warnings.append(f"{note[0].upper()}{note[1:]} {draft.size[0]}x{draft.size[1]}.")


def _plan(frames: list[Bytes], spec: FinishSpec) -> tuple[str, Lattice, list[str]]:
    """How an image is treated ("native", "snap", "resample" or "convert"), its lattice, and warnings."""
    height, width = frames[0].shape[:2]
    if spec.mode == "convert":
        lattice, note = conversion((width, height), spec.size, spec.cell)
        return "convert", _sizeable(lattice, spec), note
    detect = spec.cell is None and spec.origin is None
    if (width, height) == spec.size and detect:
        return "native", Lattice.native(width, height, 1.0), []
    if spec.policy == "resample" and detect:
        return "resample", _sizeable(Lattice.native(width, height, 0.0, at_1x=False), spec), []
    lattice = _surest(frames, spec)
    if lattice.grid.native or (spec.native and detect and not _believable(lattice, spec)):
        return "native", _sizeable(Lattice.native(width, height, lattice.grid.confidence), spec), []
    if lattice.grid.confidence >= THRESHOLD:
        return "snap", _sizeable(lattice, spec), []
    why = f"No pixel grid was found in the {width}x{height} image (confidence {lattice.grid.confidence:.2f}"
    if spec.policy in ("reject", "reroute"):
        raise QualityRejected(
            f"{why}, needed {THRESHOLD}).", hint="Finish it again with policy='snap' or a pixel_size; that is free."
        )
    if spec.size is None:
        raise InvalidRequest(
            f"{why}, needed {THRESHOLD}), so it has no size of its own.",
            hint="Say the size you want, size=(64, 64) or --size 64; or how large a pixel is: pixel_size=8 or "
            "--pixel-size 8.",
        )
    return "resample", lattice, [f"{why}); it was resampled, which is not true pixel art. A pixel_size may help."]


def _surest(frames: list[Bytes], spec: FinishSpec) -> Lattice:
    """One lattice for all frames: of the size that most of them have, the one that is surest.

    A blank or blurred frame has none, and an animation may well begin with one.
    """
    found = [find_lattice(frame, spec.cell, spec.origin) for frame in frames[:: max(1, -(-len(frames) // _ASKED))]]
    sizes = Counter(lattice.grid.size for lattice in found if lattice.grid.confidence >= THRESHOLD)
    return max(found, key=lambda lattice: (sizes[lattice.grid.size], lattice.grid.confidence))


def _sizeable(lattice: Lattice, spec: FinishSpec) -> Lattice:
    """The lattice, if a size was asked for or its own can be one. Raises InvalidRequest."""
    if spec.size is None and max(lattice.grid.size) > MAX_SIDE:
        width, height = lattice.grid.size
        raise InvalidRequest(f"{width}x{height} cells are too many.", hint=f"Say a size; {MAX_SIDE} is the most.")
    return lattice


def _believable(lattice: Lattice, spec: FinishSpec) -> bool:
    """Whether a true 1x backend enlarged this picture after all: only if its grid gives the size asked for."""
    if spec.size is None:
        return lattice.grid.confidence >= THRESHOLD
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


def _finished(draft: _Draft, palette: Bytes) -> Finished:
    images = tuple(Image.fromarray(frame) for frame in draft.frames)
    colors = {color for frame in draft.frames for color in np.unique(pack(frame[..., :3][frame[..., 3] > 0])).tolist()}
    warnings = list(dict.fromkeys(draft.warnings))
    if not colors:
        warnings.append("The picture is transparent everywhere.")
    elif len(colors) == 1 and all((frame[..., 3] > 0).all() for frame in draft.frames):
        warnings.append("The picture is one colour everywhere: vendors black out what their content policy holds back.")
    report = Report(
        source_size=draft.source_size,
        size=draft.size,
        method=draft.method,
        grid=draft.lattice.grid,
        colors_before=draft.colors_before,
        colors_after=len(colors),
        transparent=any(bool((frame[..., 3] < OPAQUE_FROM).any()) for frame in draft.frames),
        warnings=tuple(warnings),
    )
    indexed = to_indexed(draft.frames[0], palette)
    return Finished(images[0], indexed, to_hex(palette), report, images, draft.durations, draft.lattice)
