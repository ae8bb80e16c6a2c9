"""GIF, APNG and WebP behind one door: what they have in common is checked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelrouter.errors import InvalidRequest
from pixelrouter.formats import apng, gif, webp
from pixelrouter.formats.tables import Bytes

ENDINGS = (".gif", ".png", ".apng", ".webp")
PAUSE = 100  # milliseconds of a frame that says nothing, as browsers have it


@dataclass(frozen=True)
class Moving:
    """The bytes of a file, the milliseconds of each frame that it could hold, and what there is to warn of."""

    data: bytes
    durations: tuple[int, ...]
    warnings: tuple[str, ...] = ()


def encode(frames: Sequence[Bytes], ending: str, durations: int | Sequence[int], loop: int | None = 0) -> Moving:
    """Frames ``(h, w, 4)`` of one size as the file of that ending.

    ``durations``: milliseconds, one for all or one for each; 0 becomes 100. ``loop``: the number in the file, 0 for
    ever, None for once. Raises InvalidRequest for another ending, for frames of several sizes, and for a GIF of more
    than 256 colours a frame or with partial alpha.
    """
    if ending.lower() not in ENDINGS:
        raise InvalidRequest(f"{ending!r} is no moving picture.", hint=f"Save as {', '.join(ENDINGS)}.")
    times = [durations] * len(frames) if isinstance(durations, int) else [int(time) for time in durations]
    if not frames or len({frame.shape for frame in frames}) > 1:
        raise InvalidRequest("An animation needs frames of one size.", hint="Pad them to one size first.")
    if len(times) != len(frames) or min(times) < 0:
        raise InvalidRequest(f"{len(times)} durations do not fit {len(frames)} frames.", hint="One a frame, 0 or more.")
    if loop is not None and not 0 <= loop < 1 << 16:
        raise InvalidRequest(f"loop={loop} is outside 0 to 65535.", hint="0 means for ever, None once.")
    times = [time or PAUSE for time in times]
    if ending.lower() == ".gif":
        return Moving(*gif.write(frames, times, loop))
    form = webp if ending.lower() == ".webp" else apng
    data, held = form.write(frames, times, 1 if loop is None else loop)
    notes = () if held == tuple(times) else ("Some durations were longer than the file can say.",)
    return Moving(data, held, notes)


def save(frames: Sequence[Bytes], target: Path, durations: int | Sequence[int], loop: int | None = 0) -> Moving:
    """Write frames as the file ``target``, whole or not at all; see :func:`encode`."""
    made = encode(frames, target.suffix, durations, loop)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(made.data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return made
