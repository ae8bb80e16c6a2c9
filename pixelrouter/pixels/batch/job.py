"""One file of a batch as a worker sees it: bytes and wishes in, bytes and a report out. Pure functions.

Nothing here reads or writes a file or knows of other images, so it does not matter which process or machine runs it.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata

import numpy as np
from PIL import Image

from pixelrouter.errors import ConfigError
from pixelrouter.pixels.color import pack, parse_hex, to_hex, to_oklab
from pixelrouter.pixels.colors.indexed import ENTRIES
from pixelrouter.pixels.colors.merge import merge_within
from pixelrouter.pixels.colors.quantize import quantizer, reduce_counted
from pixelrouter.pixels.explain.explain import explain
from pixelrouter.pixels.finish import Finished, finish
from pixelrouter.pixels.spec import ALGORITHM, FinishSpec
from pixelrouter.types import Report

_COLORS, _PIXELS = 1 << 16, 1 << 22  # of a group: more have no say in its palette, which bounds time and memory
_SAME = 0.02  # OKLab distance that only a direct comparison shows


@dataclass(frozen=True)
class Job:
    """What a worker gets: one image and what to make of it."""

    name: str
    data: bytes
    spec: FinishSpec
    scale: int = 1
    ending: str = ""  # of the file to make: ".png", ".gif", ".apng", ".webp"; "" for what suits the image
    explain: str = ""  # ".html" or ".png", "" for nothing
    versions: str = ""


@dataclass(frozen=True)
class Made:
    """What a worker gives back: the bytes of the image file and of the explanation, and what is known about them."""

    data: bytes
    ending: str  # of the image file
    explanation: bytes
    palette: tuple[str, ...]
    report: Report


def make(job: Job) -> Made:
    """One image finished: the work of a worker. Raises as :func:`pixelrouter.pixels.finish` does.

    Raises ConfigError where the worker has not the versions of whoever sent the job: the results would differ.
    """
    if job.versions and job.versions != versions():
        raise ConfigError(
            f"A worker runs other versions: {versions()} instead of {job.versions}.",
            hint="Install the same pixelrouter, Pillow, numpy and imagequant on every machine.",
        )
    explanation = b""
    if job.explain:
        story = explain(job.data, job.spec)
        finished = story.finished
        explanation = story.html(job.name).encode() if job.explain == ".html" else to_png(story.picture(job.name))
    else:
        finished = finish(job.data, job.spec)
    ending = job.ending.lower() or _suitable(job.data, finished)
    report = finished.report
    loop = _loop(job.data) if len(finished.frames) > 1 else 0
    data, notes = encode(finished, ending, job.scale, loop=loop)
    if notes:
        report = replace(report, warnings=(*report.warnings, *notes))
    return Made(data, ending, explanation, finished.palette, report)


def _suitable(data: bytes, finished: Finished) -> str:
    """A still is a PNG file; what moves stays in the format it came in."""
    if len(finished.frames) == 1:
        return ".png"
    return {b"GIF8": ".gif", b"RIFF": ".webp"}.get(data[:4], ".png")


def _loop(data: bytes) -> int | None:
    from pixelrouter.pixels.animation import loop_of

    return loop_of(data)


def encode(
    finished: Finished, ending: str = ".png", scale: int = 1, *, loop: int | None = 0
) -> tuple[bytes, tuple[str, ...]]:
    """The file of a finished image, enlarged by a whole factor without smoothing, and warnings.

    A still is an indexed PNG, unless ``ending`` asks for .gif or .webp; an animation is a GIF, APNG or WebP and is
    played ``loop`` times (0: for ever, None: once).
    """
    images = finished.frames if len(finished.frames) > 1 or ending != ".png" else (finished.indexed,)
    if scale > 1:
        nearest = Image.Resampling.NEAREST
        images = tuple(image.resize((image.width * scale, image.height * scale), nearest) for image in images)
    if len(images) == 1 and ending == ".png":
        return to_png(images[0]), ()
    from pixelrouter.pixels.animation import encode_animation

    data, _, warnings = encode_animation(images, ending, finished.durations, loop)
    return data, warnings


def to_png(image: Image.Image) -> bytes:
    """An image as the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def count_colors(job: Job) -> tuple[dict[str, int], bool]:
    """The colours of one image finished alone, with their pixels, and whether it is transparent anywhere."""
    finished = finish(job.data, job.spec)
    frames = [np.asarray(frame) for frame in finished.frames]
    visible = np.concatenate([pack(frame[..., :3][frame[..., 3] > 0]) for frame in frames])
    values, counts = np.unique(visible, return_counts=True)
    named = {f"#{value:06x}": count for value, count in zip(values.tolist(), counts.tolist(), strict=True)}
    return named, finished.report.transparent


def common_palette(counts: Mapping[str, int], spec: FinishSpec, *, clear: bool) -> tuple[str, ...]:
    """One palette for all the colours of a group, given with their pixels, from dark to light.

    ``clear``: something is transparent, which takes an entry. Each image's own noise is gone already. What is left are
    shades that differ from image to image; those nobody can tell apart become one, unless all colours fit anyway.
    """
    if not counts:
        return ()
    most = sorted(counts, key=lambda name: (-counts[name], name))[:_COLORS]
    colors, pixels = parse_hex(most), np.array([counts[name] for name in most], dtype=np.intp)
    pixels = np.maximum(1, pixels // -(-int(pixels.sum()) // _PIXELS))
    limit = min(spec.colors or ENTRIES, ENTRIES - clear)
    merge = spec.merge if spec.merge is not None else _SAME if len(colors) > limit else 0.0
    if merge:
        colors, owner = merge_within(colors, pixels, merge)
        pixels = np.bincount(owner, pixels, minlength=len(colors)).astype(np.intp)
    palette = reduce_counted(colors, pixels, limit, spec.quantizer)
    return to_hex(palette[np.lexsort((pack(palette), to_oklab(palette)[:, 0]))])


def versions() -> str:
    """What has to be the same for results to be the same to the byte."""
    parts = [f"{name} {metadata.version(name)}" for name in ("numpy", "pillow")]
    return ", ".join([f"finishing {ALGORITHM}", quantizer(), *parts, f"zlib {zlib.ZLIB_RUNTIME_VERSION}"])
