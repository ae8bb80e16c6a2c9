"""What a worker does with one image: to 1x, and later into its bucket. Pure functions, bytes in and bytes out."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from pixelrouter.dataset.buckets import Placement, Size
from pixelrouter.dataset.spec import DatasetSpec
from pixelrouter.errors import ConfigError, QualityRejected
from pixelrouter.pixels import Decoded, Finished, FinishSpec, decode, detect_grid, finish, finish_sheet, to_indexed
from pixelrouter.pixels.batch.job import to_png, versions
from pixelrouter.pixels.color import Bytes, pack, parse_hex, to_hex, unpack
from pixelrouter.types import Report

RESAMPLED = "It has no pixel grid and was resampled: that is not true pixel art."
_BLOCK, _NEAR, _SURE = 8, 0.02, 0.9  # JPEG's blocks; how near to them, and how unsure, a doubtful grid is
PREVIEW = 256  # pixels of the longer side of the small copy of what is set aside


@dataclass(frozen=True)
class Job:
    """One image file and the wishes."""

    data: bytes
    spec: DatasetSpec
    versions: str = ""


@dataclass(frozen=True)
class Native:
    """One picture at 1x, as the bytes of a PNG file. ``part``: "" or which frame or sprite of its file, from 1.

    ``pixels`` is the hash of its size and RGBA bytes, ``mirrored`` that of its mirror image.
    """

    png: bytes
    part: str
    size: Size
    palette: tuple[str, ...]
    transparent: bool
    pixels: str
    mirrored: str
    report: Report


@dataclass(frozen=True)
class NoGrid:
    """An image without a pixel grid, with a small copy to look at."""

    message: str
    confidence: float
    preview: bytes


def to_native(job: Job) -> tuple[Native, ...] | NoGrid:
    """The pictures of one file at 1x. Raises UnreadableImage, and ConfigError as :func:`pixels.batch.job.make`."""
    if job.versions and job.versions != versions():
        raise ConfigError(
            f"A worker runs other versions: {versions()} instead of {job.versions}.",
            hint="Install the same pixelrouter, Pillow, numpy and imagequant on every machine.",
        )
    decoded = decode(job.data)
    if job.spec.frames == "first" or job.spec.slicing:
        decoded = Decoded(decoded.frames[:1], decoded.durations[:1])
    try:
        made = _finished(decoded, replace(job.spec.finish, policy="reject"), job.spec)
        notes = _doubts(job.data, made[0].report)
        return tuple(_natives(made, job.spec, notes))
    except QualityRejected as error:
        if job.spec.finish.policy == "resample" and not job.spec.slicing:
            made = _finished(decoded, _resampling(decoded.image.size, job.spec), job.spec)
            return tuple(_natives(made, job.spec, (RESAMPLED,)))
        return NoGrid(error.message, detect_grid(decoded.image).confidence, _preview(decoded.image))


def _resampling(size: Size, spec: DatasetSpec) -> FinishSpec:
    """The wishes for an image without a grid: its longer side brought to so many pixels, the shorter in proportion."""
    most = min(max(size), spec.resample_size or max(1, spec.resolution // 8))
    wide, high = (max(1, round(side * most / max(size))) for side in size)
    return replace(spec.finish, policy="resample", size=(wide, high))


def _finished(image: Decoded, wish: FinishSpec, spec: DatasetSpec) -> list[Finished]:
    """The image finished, once more with one colour less where its ground needs that."""
    made = _run(image, wish, spec)
    if any(_lacks_room(frame, spec) for one in made for frame in one.frames):
        made = _run(image, replace(wish, colors=spec.most_colors - 1), spec)
    return made


def _run(image: Decoded, wish: FinishSpec, spec: DatasetSpec) -> list[Finished]:
    return finish_sheet(image.image, spec.slicing, wish) if spec.slicing else [finish(image, wish)]


def _lacks_room(frame: Image.Image, spec: DatasetSpec) -> bool:
    """Whether a picture has so many colours that the ground would be one too many."""
    if spec.finish.palette or spec.finish.one_bit or spec.ground_color is None:
        return False
    rgba = np.asarray(frame)
    colors = {*np.unique(pack(rgba[rgba[..., 3] > 0][:, :3])).tolist()}
    colors |= {int(spec.ground_color[1:], 16)} if _shows_ground(rgba, spec) else set()
    return len(colors) > spec.most_colors


def _shows_ground(rgba: Bytes, spec: DatasetSpec) -> bool:
    if (rgba[..., 3] == 0).any():
        return True
    placement = spec.placement((rgba.shape[1], rgba.shape[0]))
    return spec.pad == "ground" and placement is not None and placement.waste > 0


def _doubts(data: bytes, report: Report) -> tuple[str, ...]:
    """A smooth photo saved as JPEG shows that format's own blocks of 8x8 pixels, and they look like a grid."""
    blocks = all(abs(side / _BLOCK - round(side / _BLOCK)) < _NEAR and side > _NEAR for side in report.grid.period)
    if data[:2] == b"\xff\xd8" and report.method == "snap" and report.confidence < _SURE and blocks:
        return ("Its grid may be that of JPEG's own blocks: look at it, or set a min_confidence.",)
    return ()


def _natives(made: list[Finished], spec: DatasetSpec, notes: tuple[str, ...]) -> list[Native]:
    frames = [(one, frame) for one in made for frame in one.frames]
    digits = len(str(len(frames)))
    natives = []
    for number, (one, frame) in enumerate(frames, 1):
        box = frame.getchannel("A").getbbox() if spec.trim else None
        part = f"{number:0{digits}}" if len(frames) > 1 else ""
        natives.append(_native(frame.crop(box) if box else frame, one.report, part, notes))
    return natives


def _native(frame: Image.Image, report: Report, part: str, notes: tuple[str, ...]) -> Native:
    rgba = np.asarray(frame)
    colors = unpack(np.unique(pack(rgba[rgba[..., 3] > 0][:, :3])))
    return Native(
        png=to_png(to_indexed(rgba, colors)),
        part=part,
        size=frame.size,
        palette=to_hex(colors),
        transparent=bool((rgba[..., 3] == 0).any()),
        pixels=pixel_hash(rgba),
        mirrored=pixel_hash(rgba[:, ::-1]),
        report=replace(report, warnings=(*report.warnings, *notes)),
    )


def pixel_hash(rgba: Bytes) -> str:
    """SHA-256 of the size and the RGBA bytes of a picture, row by row: the same however the file is packed."""
    return hashlib.sha256(f"{rgba.shape[1]}x{rgba.shape[0]}:".encode() + rgba.tobytes()).hexdigest()


def _preview(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((PREVIEW, PREVIEW))  # for the eye only: nobody trains on it
    return to_png(small)


@dataclass(frozen=True)
class Plate:
    """One picture at 1x and where it goes in its bucket. ``ground``: "#rrggbb", or None to stay transparent."""

    png: bytes
    placement: Placement
    ground: str | None
    pad: str


def to_bucket(plate: Plate) -> bytes:
    """The training file, an indexed PNG: every pixel repeated, transparent ones in the ground's colour, then padded."""
    with Image.open(io.BytesIO(plate.png)) as image:
        rgba = np.asarray(image.convert("RGBA"))
    clear = rgba[..., 3] == 0
    pad = plate.pad
    if pad == "auto":
        pad = "ground" if clear.any() else "border"
    if plate.ground is not None:
        rgba = np.where(clear[..., None], np.append(parse_hex([plate.ground])[0], np.uint8(255)), rgba)
    seen = pack(rgba[rgba[..., 3] > 0][:, :3])
    more = pack(parse_hex([plate.ground])) if pad == "ground" and plate.ground else seen[:0]
    palette = unpack(np.unique(np.concatenate([seen, more])))
    cells = to_indexed(rgba, palette)
    # Rows of whole numbers are repeated: there is nothing here that could mix two colours.
    index = np.asarray(cells).repeat(plate.placement.factor, axis=0).repeat(plate.placement.factor, axis=1)
    (wide, high), (left, top, right, bottom) = plate.placement.bucket, plate.placement.box
    around = ((top, high - bottom), (left, wide - right))
    if pad == "edge":
        index = np.pad(index, around, mode="edge")
    else:
        index = np.pad(index, around, constant_values=_filling(np.asarray(cells), palette, plate.ground, pad))
    out = Image.fromarray(np.ascontiguousarray(index))
    out.putpalette(cells.getpalette() or [])
    if "transparency" in cells.info:
        out.info["transparency"] = cells.info["transparency"]
    return to_png(out)


def _filling(cells: Bytes, palette: Bytes, ground: str | None, pad: str) -> int:
    """The index of the colour that fills the room around the picture."""
    if pad == "border":
        border = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
        return int(np.bincount(border).argmax())
    if ground is None:
        return 0  # the transparent entry
    return int(np.flatnonzero(pack(palette) == int(ground[1:], 16))[0])
