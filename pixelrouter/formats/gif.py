"""GIF: "GIF89a specification" (CompuServe, 1990)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.formats.tables import ENTRIES, Bytes, Indexed, colors, compressed, indexed, is_clear, is_hard

_SLOW = 20  # milliseconds; browsers show a GIF frame that is to be shorter for 100


def write(
    frames: Sequence[Bytes], times: Sequence[int], loop: int | None
) -> tuple[bytes, tuple[int, ...], tuple[str, ...]]:
    """The file, the milliseconds it holds and warnings; ``loop`` None: played once. Raises InvalidRequest."""
    if not is_hard(frames):
        raise InvalidRequest("A GIF has no half-transparent pixels.", hint="Save as .png or .webp.")
    shared = indexed(frames)
    clear = is_clear(frames)
    steps = _hundredths(times)
    out = [b"GIF89a", struct.pack("<HHBBB", frames[0].shape[1], frames[0].shape[0], 0x70, 0, 0)]
    if loop is not None:
        out.append(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", loop, 0))
    for at, (frame, step) in enumerate(zip(frames, steps, strict=True)):
        alone = Indexed(shared.frames[at : at + 1], shared.table, shared.clear) if shared else indexed([frame])
        if alone is None:
            beside = " beside transparency" if clear else ""
            raise InvalidRequest(
                f"Frame {at + 1} has {len(colors([frame]))} colours; a GIF frame holds {ENTRIES - clear}{beside}.",
                hint="Fewer colours, or save as .png or .webp.",
            )
        out.append(_frame(alone.frames[0], alone, step, clear=clear))
    out.append(b"\x3b")
    held = tuple(step * 10 for step in steps)
    notes = []
    if held != tuple(times):
        notes.append("A GIF counts in steps of 10 ms, so some durations were rounded.")
    if len(frames) > 1 and min(held) < _SLOW:
        notes.append("Browsers show GIF frames shorter than 20 ms for 100 ms; .png and .webp are played as they are.")
    return b"".join(out), held, tuple(notes)


def _hundredths(times: Sequence[int]) -> list[int]:
    """Hundredths of a second, at least 1 each; every frame begins as near as can be to where it should."""
    steps: list[int] = []
    end = done = 0
    for time in times:
        end += time
        steps.append(min(max(1, round(end / 10) - done), 65535))
        done += steps[-1]
    return steps


def _frame(index: Bytes, colored: Indexed, step: int, *, clear: bool) -> bytes:
    """The blocks of one frame: its times and transparency, its place, its own colours, its compressed pixels."""
    height, width = index.shape
    bits = max(1, (max(len(colored.table), 2) - 1).bit_length())
    table = colored.table.tobytes().ljust(3 << bits, b"\0")
    # Cleared before the next (2) where anything is transparent, else the next would be drawn over this one.
    flags = ((2 if clear else 1) << 2) | colored.clear
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", flags, step, 0, 0)
    place = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0x80 | (bits - 1))
    plain = Image.fromarray(index)  # mode L: no palette is sorted or cut on the way
    return control + place + table + _lzw(compressed(plain, "GIF", optimize=False, interlace=0))


def _lzw(gif: bytes) -> bytes:
    """The compressed pixels of a still GIF, its code size included."""
    at = 13 + (3 << ((gif[10] & 7) + 1) if gif[10] & 0x80 else 0)
    while gif[at] == 0x21:  # extensions
        at += 2
        while gif[at]:
            at += gif[at] + 1
        at += 1
    flags = gif[at + 9]
    at += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    return gif[at:-1]
