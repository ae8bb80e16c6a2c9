"""The targets: one for each family of things that strangers write, with seeds that the project draws itself.

A target takes bytes and raises nothing but AssertionError, where a promise is broken, or whatever crashed. The errors
of ``pixelrouter.errors`` are what a reader is meant to raise, so they are caught here.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fuzz import judge, mutants
from fuzz.readers import CASSETTES, Reader, answers, readers, vendors
from pixelrouter import backends
from pixelrouter.config import load_settings
from pixelrouter.errors import PixelRouterError
from pixelrouter.formats.aseprite_reading import read_aseprite
from pixelrouter.pixels import decode
from pixelrouter.pixels.colors.palette import resolve_palette
from pixelrouter.pixels.colors.palettes.files import PALETTE_FORMATS, write_palette
from pixelrouter.types import HttpResponse
from pixelrouter.wire.cassette import FILE, Cassette


@dataclass(frozen=True)
class Target:
    """``run`` takes what the fuzzer wrote; ``seeds`` are good inputs to start from."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    longest: int = 16 * 1024  # bytes of an input


# --- vendors' answers -----------------------------------------------------------------------------------------------


@cache
def _readers() -> tuple[Reader, ...]:
    return tuple(reader for vendor in vendors() for reader in readers(vendor))


def _answer(data: bytes) -> None:
    """Two bytes choose the reader, one the status, one whether the rest is the body or chooses how one is spoilt."""
    if len(data) < 4:
        return
    every = _readers()
    reader = every[int.from_bytes(data[:2], "big") % len(every)]
    rest = data[4:]
    if data[3] % 2:
        pick = _picks(rest)
        known = reader.good or answers(reader.vendor)
        answer = mutants.spoil(known[pick(len(known))], pick)
    else:
        status = mutants.STATUSES[data[2] % len(mutants.STATUSES)]
        answer = HttpResponse(status, {"content-type": "application/json"}, rest, "https://x.invalid/")
    judge.check(reader, answer)


def _picks(data: bytes) -> mutants.Pick:
    """Numbers out of bytes; nothing but zeros when they are used up."""
    at = 0

    def pick(count: int) -> int:
        nonlocal at
        at += 2
        return int.from_bytes(data[at - 2 : at], "big") % count

    return pick


def _answer_seeds() -> Iterator[bytes]:
    for number, reader in enumerate(_readers()):
        head = number.to_bytes(2, "big")
        for answer in (reader.good or answers(reader.vendor))[:3]:
            yield head + bytes([0, 0]) + answer.content
        yield head + bytes([0, 1, *range(40)])


# --- files ------------------------------------------------------------------------------------------------------------


def _image(data: bytes) -> None:
    try:
        decoded = decode(data)
    except PixelRouterError:
        return
    assert decoded.image.size[0] >= 1


def _image_seeds() -> Iterator[bytes]:
    from PIL import Image

    square = Image.new("RGBA", (8, 8), (200, 40, 56, 255))
    for mode in ("RGBA", "RGB", "P", "L", "LA", "1", "I;16"):
        yield from _saved(square.convert("L").convert(mode) if mode == "I;16" else square.convert(mode), "PNG")
    for form in ("GIF", "WEBP", "JPEG", "BMP", "TIFF", "ICO", "TGA", "PPM"):
        yield from _saved(square.convert("RGB"), form)
    for form in ("PNG", "GIF", "WEBP"):
        more: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGBA", (8, 8))], "duration": 50}
        yield from _saved(square, form, **more)


def _saved(image: Any, form: str, **more: Any) -> Iterator[bytes]:
    out = io.BytesIO()
    image.save(out, form, **more)
    yield out.getvalue()


def _sprite(data: bytes) -> None:
    """A file of Aseprite's, as an artist would give it back."""
    try:
        found = read_aseprite(data)
    except PixelRouterError:
        return
    assert len(found.frames) == len(found.durations) >= 1
    assert len({frame.shape for frame in found.frames}) == 1


def _sprite_seeds() -> Iterator[bytes]:
    import numpy as np

    from pixelrouter.formats.aseprite import Color
    from pixelrouter.formats.aseprite_marks import Key, Slice, Tag
    from pixelrouter.formats.aseprite_writing import write_aseprite

    frames = [np.arange(4, dtype=np.uint8).reshape(2, 2)] * 2
    palette = [Color((0, 0, 0, 0)), *(Color((at, 40, 56, 255), "ink") for at in range(3))]
    tags, slices = [Tag("walk", 0, 1, "pingpong", 2)], [Slice("all", (Key(0, (0, 0, 2, 2), (1, 2)),))]
    yield write_aseprite(frames, palette, [80, 90], tags=tags, slices=slices, grid=(2, 2), note="{}")
    yield write_aseprite(frames[:1], palette, [100], transparent=None)


_SUFFIXES = (".hex", ".gpl", ".pal", ".txt", ".png", ".act", ".ase", ".aseprite")  # new ones last: found/ has numbers


def _palette(data: bytes) -> None:
    """The first byte chooses the kind of file."""
    if not data:
        return
    path = _folder() / f"palette{_SUFFIXES[data[0] % len(_SUFFIXES)]}"
    path.write_bytes(data[1:])
    try:
        colors = resolve_palette(path)
    except PixelRouterError:
        return
    assert 1 <= len(colors) <= 256
    assert all(len(color) == 7 and color[0] == "#" for color in colors)


def _palette_seeds() -> Iterator[bytes]:
    yield b"\x00" + b"1a1c2c\n5d275d\n#b13e53\n"
    yield b"\x01" + b"GIMP Palette\nName: x\nColumns: 2\n#\n26 28 44 ink\n93 39 93\tplum\n"
    yield b"\x02" + b"JASC-PAL\r\n0100\r\n2\r\n26 28 44\r\n93 39 93\r\n"
    yield b"\x03" + b"; paint.net\nFF1A1C2C\nFF5D275D\n"
    from PIL import Image

    strip = Image.new("RGB", (4, 1))
    strip.putdata([(26, 28, 44), (93, 39, 93), (177, 62, 83), (239, 125, 87)])
    yield from (b"\x04" + png for png in _saved(strip, "PNG"))
    path = _folder() / "seed"
    for kind, ending in PALETTE_FORMATS.items():
        write_palette(path, ["#1a1c2c", "#5d275d"], ["ink", "plum"], "x", format=kind)
        yield bytes([_SUFFIXES.index(ending)]) + path.read_bytes()


def _cassette(data: bytes) -> None:
    """A cassette somebody sent along: read, asked, and its files looked for."""
    folder = _folder()
    (folder / FILE).write_bytes(data)
    try:
        cassette = Cassette(folder)
        for each in cassette.exchanges:
            request = each.request
            cassette.find(request.method, f"https://x.invalid{request.path}", request.content(folder))
    except PixelRouterError:
        return


def _cassette_seeds() -> Iterator[bytes]:
    for path in sorted(CASSETTES.glob("*/*/cassette.json")):
        file = json.loads(path.read_bytes())
        file["exchanges"] = file["exchanges"][:2]
        yield json.dumps(file).encode()


def _config(data: bytes) -> None:
    """A config file in the working folder, read as the router reads it."""
    folder = _folder()
    (folder / "pixelrouter.toml").write_bytes(data)
    try:
        settings = load_settings(start=folder, env={})
        settings.check_backend_names(backends.names())
        for name in backends.names():
            settings.backend_settings(name, backends.load(name).settings_type)
    except PixelRouterError:
        return


def _config_seeds() -> Iterator[bytes]:
    yield b'backend = "fal"\nsize = 32\nseed = 7\n[backends.fal]\nbase_url = "https://x.test"\ntimeout_s = 9\n'
    yield b'route = ["retrodiffusion", "procedural"]\npalette = "pico-8"\n[backends.pixellab]\nconcurrency = 2\n'
    yield b'size = "32x48"\nstate = "~/x"\nmax_per_day = "3 USD"\nstrategy = "cheapest"\nledger = "postgresql://h/d"\n'


@cache
def _folder() -> Path:
    """One folder for the life of the process: a fuzzer runs thousands of inputs a second."""
    made = tempfile.TemporaryDirectory(prefix="fuzz-")
    _KEPT.append(made)
    return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []

TARGETS = {
    "answers": Target(_answer, _answer_seeds),
    "images": Target(_image, _image_seeds, 4096),
    "sprites": Target(_sprite, _sprite_seeds, 4096),
    "palettes": Target(_palette, _palette_seeds, 4096),
    "cassettes": Target(_cassette, _cassette_seeds, 32 * 1024),
    "config": Target(_config, _config_seeds, 2048),
}
