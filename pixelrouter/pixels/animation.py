"""Moving pictures: finished as one, with a background that does not flicker, and written as GIF, APNG or WebP."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from pixelrouter.formats import PAUSE, encode, save
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import FORMATS, Source, decode, guarded, read_file
from pixelrouter.pixels.finish import Finished, finish
from pixelrouter.pixels.spec import FinishSpec


@dataclass(frozen=True)
class Written:
    """A saved animation: its file, the ``durations`` that the format could hold, and what there is to warn of."""

    path: Path
    durations: tuple[int, ...]
    warnings: tuple[str, ...] = ()


def finish_animation(source: Source, spec: FinishSpec) -> Finished:
    """Every frame of a GIF, APNG or WebP finished with one grid and one palette; a still is an animation of one frame.

    The grid is that of the frame where it is surest. What only noise changes from frame to frame stays as it is, so a
    background stands still. ``durations`` of 0, where the file says nothing, become 100 ms. Raises as ``finish``.
    """
    done = finish(source, spec)
    if len(done.frames) == 1:
        return done
    return replace(done, durations=tuple(time or PAUSE for time in done.durations))


def save_animation(
    frames: Sequence[Image.Image], path: str | Path, durations: int | Sequence[int], loop: int | None = 0
) -> Written:
    """Write frames of one size as GIF, APNG (.png, .apng) or WebP by the ending of ``path``, whole or not at all.

    ``durations``: milliseconds, one for all or one for each; 0 becomes 100. ``loop``: the number in the file, 0 for
    ever, None for once. A GIF counts hundredths of a second: times are rounded so that the whole keeps its length.
    Raises InvalidRequest for another ending, for frames of several sizes, and for a GIF of more than 256 colours a
    frame or with partial alpha.
    """
    target = Path(path)
    made = save(_arrays(frames), target, durations, loop)
    return Written(target, made.durations, made.warnings)


def encode_animation(
    frames: Sequence[Image.Image], ending: str, durations: int | Sequence[int], loop: int | None = 0
) -> tuple[bytes, tuple[int, ...], tuple[str, ...]]:
    """The file's bytes, the durations it holds and warnings; see :func:`save_animation`."""
    made = encode(_arrays(frames), ending, durations, loop)
    return made.data, made.durations, made.warnings


def _arrays(frames: Sequence[Image.Image]) -> list[Bytes]:
    return [np.asarray(decode(frame).image) for frame in frames]


def loop_of(source: bytes | str | Path) -> int | None:
    """How often an animated file says it is to be played: 0 for ever, None once or where it says nothing.

    Raises UnreadableImage.
    """
    data = source if isinstance(source, bytes) else read_file(Path(source))
    said = guarded("The image", lambda: Image.open(io.BytesIO(data), formats=FORMATS).info.get("loop"))
    return None if said is None else int(said)
