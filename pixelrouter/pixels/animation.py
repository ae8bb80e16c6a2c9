"""Moving pictures: finished as one, with a background that does not flicker, and written as GIF, APNG or WebP.

The files are put together here from single frames that Pillow compresses: Pillow's own writers drop a frame that equals
the one before it and encode differences. Every frame is written whole and replaces the one before (nothing shines
through where it is transparent), so what is read back is what was given: each pixel, each frame, each duration.

Formats: "GIF89a specification" (CompuServe, 1990), "PNG specification, third edition" (W3C, 2025; acTL, fcTL, fdAT),
"WebP container specification" (Google, 2024).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.color import Bytes, pack, unpack
from pixelrouter.pixels.colors.indexed import ENTRIES, to_indexed
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.finish import Finished, finish
from pixelrouter.pixels.spec import FinishSpec

ENDINGS = (".gif", ".png", ".apng", ".webp")
PAUSE = 100  # milliseconds of a frame that says nothing, as browsers have it
_SLOW = 20  # milliseconds; browsers show a GIF frame that is to be shorter for 100


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
    data, times, warnings = encode_animation(frames, target.suffix, durations, loop)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return Written(target, times, warnings)


def encode_animation(
    frames: Sequence[Image.Image], ending: str, durations: int | Sequence[int], loop: int | None = 0
) -> tuple[bytes, tuple[int, ...], tuple[str, ...]]:
    """The file's bytes, the durations it holds and warnings; see :func:`save_animation`."""
    if ending.lower() not in ENDINGS:
        raise InvalidRequest(f"{ending!r} is no moving picture.", hint=f"Save as {', '.join(ENDINGS)}.")
    pixels = [np.asarray(decode(frame).image) for frame in frames]
    times = [durations] * len(pixels) if isinstance(durations, int) else [int(time) for time in durations]
    if not pixels or len({frame.shape for frame in pixels}) > 1:
        raise InvalidRequest("An animation needs frames of one size.", hint="Pad them to one size first.")
    if len(times) != len(pixels) or min(times) < 0:
        raise InvalidRequest(f"{len(times)} durations do not fit {len(pixels)} frames.", hint="One a frame, 0 or more.")
    if loop is not None and not 0 <= loop < 1 << 16:
        raise InvalidRequest(f"loop={loop} is outside 0 to 65535.", hint="0 means for ever, None once.")
    times = [time or PAUSE for time in times]
    if ending.lower() == ".gif":
        return _gif(pixels, times, loop)
    once = 1 if loop is None else loop
    data = _webp(pixels, times, once) if ending.lower() == ".webp" else _apng(pixels, times, once)
    return data, tuple(times), ()


def loop_of(source: bytes | str | Path) -> int | None:
    """How often an animated file says it is to be played: 0 for ever, None once or where it says nothing."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        said = image.info.get("loop")
    return None if said is None else int(said)


# -- one palette ------------------------------------------------------------------------------------------------------


def _palette(frames: Sequence[Bytes]) -> Bytes:
    """The visible colours ``(k, 3)`` of all frames."""
    return unpack(np.unique(np.concatenate([pack(frame[..., :3][frame[..., 3] > 0]) for frame in frames])))


def _hard(frames: Sequence[Bytes]) -> bool:
    """Whether alpha is 0 or 255 everywhere."""
    return all(bool(np.isin(frame[..., 3], (0, 255)).all()) for frame in frames)


def _clear(frames: Sequence[Bytes]) -> bool:
    return any(bool((frame[..., 3] == 0).any()) for frame in frames)


def _indexed(frames: Sequence[Bytes]) -> list[Image.Image] | None:
    """The frames in mode P with the same palette and transparency, or None if they have too many colours for one."""
    palette, clear = _palette(frames), _clear(frames)
    if not _hard(frames) or len(palette) + clear > ENTRIES:
        return None
    entries = np.concatenate([np.zeros((int(clear), 3), dtype=np.uint8), palette])
    images = []
    for frame in frames:
        image = to_indexed(frame, palette)
        if clear and "transparency" not in image.info:
            image = Image.fromarray(np.asarray(image) + np.uint8(1))
            image.putpalette(entries.tobytes())
            image.info["transparency"] = 0
        images.append(image)
    return images


def _bytes(image: Image.Image, format_: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


# -- GIF --------------------------------------------------------------------------------------------------------------


def _gif(frames: list[Bytes], times: list[int], loop: int | None) -> tuple[bytes, tuple[int, ...], tuple[str, ...]]:
    if not _hard(frames):
        raise InvalidRequest("A GIF has no half-transparent pixels.", hint="Save as .png or .webp.")
    shared = _indexed(frames)
    clear = _clear(frames)
    steps = _hundredths(times)
    out = [b"GIF89a", struct.pack("<HHBBB", frames[0].shape[1], frames[0].shape[0], 0x70, 0, 0)]
    if loop is not None:
        out.append(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", loop, 0))
    for at, (frame, step) in enumerate(zip(frames, steps, strict=True)):
        alone = [shared[at]] if shared else _indexed([frame])
        if not alone:
            beside = " beside transparency" if clear else ""
            raise InvalidRequest(
                f"Frame {at + 1} has {len(_palette([frame]))} colours; a GIF frame holds {ENTRIES - clear}{beside}.",
                hint="Fewer colours, or save as .png or .webp.",
            )
        out.append(_gif_frame(alone[0], step, clear=clear))
    out.append(b"\x3b")
    held = tuple(step * 10 for step in steps)
    notes = []
    if held != tuple(times):
        notes.append("A GIF counts in steps of 10 ms, so some durations were rounded.")
    if len(frames) > 1 and min(held) < _SLOW:
        notes.append("Browsers show GIF frames shorter than 20 ms for 100 ms; .png and .webp are played as they are.")
    return b"".join(out), held, tuple(notes)


def _hundredths(times: list[int]) -> list[int]:
    """Hundredths of a second, at least 1 each; every frame begins as near as can be to where it should."""
    steps: list[int] = []
    end = done = 0
    for time in times:
        end += time
        steps.append(min(max(1, round(end / 10) - done), 65535))
        done += steps[-1]
    return steps


def _gif_frame(image: Image.Image, step: int, *, clear: bool) -> bytes:
    """The blocks of one frame: its times and transparency, its place, its own colours, its compressed pixels."""
    colors = np.frombuffer(bytes(image.getpalette() or ()), dtype=np.uint8).reshape(-1, 3)
    bits = max(1, (max(len(colors), 2) - 1).bit_length())
    table = colors.tobytes().ljust(3 << bits, b"\0")
    # Cleared before the next (2) where anything is transparent, else the next would be drawn over this one.
    see_through = "transparency" in image.info
    flags = ((2 if clear else 1) << 2) | see_through
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", flags, step, 0, 0)
    place = b"\x2c" + struct.pack("<HHHHB", 0, 0, *image.size, 0x80 | (bits - 1))
    plain = Image.frombytes("L", image.size, image.tobytes())  # mode L: no palette is sorted or cut on the way
    return control + place + table + _lzw(_bytes(plain, "GIF", optimize=False, interlace=0))


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


# -- APNG -------------------------------------------------------------------------------------------------------------


def _apng(frames: list[Bytes], times: list[int], loop: int) -> bytes:
    images = _indexed(frames) or [Image.fromarray(frame) for frame in frames]
    height, width = frames[0].shape[:2]
    out, number = [b"\x89PNG\r\n\x1a\n"], 0
    for at, (image, time) in enumerate(zip(images, times, strict=True)):
        chunks = list(_png_chunks(_bytes(image, "PNG", optimize=True, bits=8)))
        if at == 0:
            out += [_chunk(kind, body) for kind, body in chunks if kind == b"IHDR"]
            out.append(_chunk(b"acTL", struct.pack(">II", len(images), loop)))
            out += [_chunk(kind, body) for kind, body in chunks if kind in (b"PLTE", b"tRNS")]
        # Disposal 0 and blending 0: each frame stays until the next replaces all of it.
        control = struct.pack(">IIIIIHHBB", number, width, height, 0, 0, *_delay(time), 0, 0)
        out.append(_chunk(b"fcTL", control))
        number += 1
        for kind, body in chunks:
            if kind == b"IDAT" and at == 0:
                out.append(_chunk(b"IDAT", body))
            elif kind == b"IDAT":
                out.append(_chunk(b"fdAT", struct.pack(">I", number) + body))
                number += 1
    out.append(_chunk(b"IEND", b""))
    return b"".join(out)


def _delay(time: int) -> tuple[int, int]:
    """Milliseconds as a fraction of a second in two bytes each; more than 65 seconds lose their last digits."""
    for units in (1000, 100, 10):
        if time * units // 1000 < 1 << 16:
            return time * units // 1000, units
    return min(time // 1000, 65535), 1


def _png_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# -- WebP -------------------------------------------------------------------------------------------------------------


def _webp(frames: list[Bytes], times: list[int], loop: int) -> bytes:
    height, width = frames[0].shape[:2]
    extent = _u24(width - 1) + _u24(height - 1)
    alpha = any(bool((frame[..., 3] < 255).any()) for frame in frames)
    parts = [
        _riff(b"VP8X", struct.pack("<I", 0x02 | (0x10 if alpha else 0)) + extent),
        _riff(b"ANIM", struct.pack("<IH", 0, loop)),
    ]
    for frame, time in zip(frames, times, strict=True):
        still = _bytes(Image.fromarray(frame), "WEBP", lossless=True, exact=True, quality=100)
        # Flag 2: not blended with the frame before, and nothing disposed of, so it replaces all of it.
        place = _u24(0) + _u24(0) + extent + _u24(min(time, 0xFFFFFF)) + b"\x02"
        parts.append(_riff(b"ANMF", place + _lossless(still)))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _lossless(webp: bytes) -> bytes:
    """The VP8L chunk of a still, with its header and padding."""
    at = 12
    while webp[at : at + 4] != b"VP8L":
        (length,) = struct.unpack("<I", webp[at + 4 : at + 8])
        at += 8 + length + length % 2
    (length,) = struct.unpack("<I", webp[at + 4 : at + 8])
    return webp[at : at + 8 + length + length % 2]


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")
