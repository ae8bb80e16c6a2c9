"""Palettes: built-in names, files of the usual formats, lists of colours."""

from __future__ import annotations

import difflib
import os
import re
import reprlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

from pixelrouter.errors import UnknownPalette, UnreadableImage
from pixelrouter.files import read_bounded

PaletteLike: TypeAlias = str | os.PathLike[str] | Sequence[str] | Sequence[tuple[int, int, int]]

MAX_COLORS = 256
MAX_BYTES = 1 << 20  # of a palette file
_MOST_ENTRIES = 1 << 16  # of a list, repeats included
_SHOWN = 60  # characters of a wrong value
_NUMBER = re.compile(r"[0-9]{1,9}")
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_SHORT = re.compile(r"#([0-9a-fA-F]{3})")
_ALIASES = {
    "gb": "gameboy",
    "dmg": "gameboy",
    "dawnbringer16": "db16",
    "dawnbringer32": "db32",
    "endesga32": "edg32",
    "commodore64": "c64",
    "bw": "1bit",
}
_SUFFIXES = (".hex", ".gpl", ".pal", ".txt", ".png")


@dataclass(frozen=True)
class BuiltIn:
    """A palette that ships with pixelrouter. ``source`` says where its values were checked."""

    key: str
    name: str
    author: str
    source: str
    colors: tuple[str, ...]


@cache
def built_ins() -> dict[str, BuiltIn]:
    """Every built-in palette by its key."""
    text = resources.files("pixelrouter.pixels.colors").joinpath("palettes.toml").read_text(encoding="utf-8")
    return {
        key: BuiltIn(key, row["name"], row["author"], row["source"], tuple(f"#{c}" for c in row["colors"].split()))
        for key, row in tomllib.loads(text).items()
    }


def resolve_palette(value: PaletteLike) -> tuple[str, ...]:
    """``("#rrggbb", ...)`` in the palette's own order, without repeats, 1 to 256 colours.

    ``value`` is a built-in name ("pico-8", "db32", ...), a path to a .hex, .gpl (GIMP), .pal (JASC), .txt (Paint.NET)
    or .png file, or a sequence of "#rrggbb" or of (r, g, b). Raises UnknownPalette.
    """
    if isinstance(value, str):
        if (key := _key(value)) in built_ins():
            return built_ins()[key].colors
        looks_like_path = value.lower().endswith(_SUFFIXES) or os.sep in value or "/" in value
        if not looks_like_path:
            raise _unknown(value)
        return _from_file(Path(value))
    if isinstance(value, os.PathLike):
        return _from_file(Path(value))
    if not isinstance(value, Iterable):
        raise UnknownPalette(
            f"{_short(value)} is no palette.", hint="Give a built-in name, a file or a list of colours."
        )
    entries = list(islice(value, _MOST_ENTRIES + 1))
    if len(entries) > _MOST_ENTRIES:
        raise UnknownPalette(f"The list holds more than {_MOST_ENTRIES} entries.", hint="A palette has at most 256.")
    return _checked([_color(c) for c in entries], "The list")


def _key(name: str) -> str:
    plain = re.sub(r"[\s_-]+", "", name.lower())
    plain = _ALIASES.get(plain, plain)
    return next((key for key in built_ins() if key.replace("-", "") == plain), plain)


def _unknown(name: str) -> UnknownPalette:
    close = difflib.get_close_matches(name[:_SHOWN].lower(), [*built_ins(), *_ALIASES], n=1, cutoff=0.5)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return UnknownPalette(
        f"There is no palette called {_short(name)}.",
        hint=f"{guess}Built in: {', '.join(sorted(built_ins()))}. Or give a file ({', '.join(_SUFFIXES)}) or colours.",
    )


def _short(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
    return reprlib.repr(value)


def _color(value: Any) -> str:
    if isinstance(value, str):
        if match := _HEX.fullmatch(value.strip()):
            return f"#{match[1].lower()}"
        if match := _SHORT.fullmatch(value.strip()):
            return "#" + "".join(2 * digit for digit in match[1].lower())
    elif isinstance(value, Sequence) and len(value) == 3:
        channels = [int(c) for c in value if isinstance(c, Integral) and 0 <= int(c) <= 255]
        if len(channels) == 3:
            return "#" + "".join(f"{c:02x}" for c in channels)
    raise UnknownPalette(f"{_short(value)} is not a colour.", hint="Write '#ff8800' or (255, 136, 0).")


def _checked(colors: Iterable[str], what: str) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(colors))
    if not unique:
        raise UnknownPalette(f"{what} holds no colour.", hint="A palette needs 1 to 256 colours.")
    if len(unique) > MAX_COLORS:
        raise UnknownPalette(f"{what} holds {len(unique)} colours.", hint="A palette has at most 256.")
    return unique


def _from_file(path: Path) -> tuple[str, ...]:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UnknownPalette(f"{path} is not a palette file.", hint=f"Readable are {', '.join(_SUFFIXES)}.")
    if suffix == ".png":
        return _from_strip(path)
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise UnknownPalette(f"Cannot read the palette {path}: {error.strerror or error}.") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    readers = {".hex": _hex_lines, ".gpl": _gpl_lines, ".pal": _jasc_lines, ".txt": _paint_net_lines}
    colors = readers[suffix](lines, path)
    return _checked([_color(c) for c in colors], str(path))


def _hex_lines(lines: list[str], path: Path) -> Iterable[Any]:
    """One rrggbb a line (Lospec); ``;`` or ``//`` start a comment."""
    return [line for line in lines if not line.startswith((";", "//"))]


def _gpl_lines(lines: list[str], path: Path) -> Iterable[Any]:
    """GIMP: a first line "GIMP Palette", then "r g b name"."""
    if not lines or not lines[0].startswith("GIMP Palette"):
        raise UnknownPalette(f"{path} does not begin with 'GIMP Palette'.")
    return [_numbers(line) for line in lines[1:] if line[0].isdigit()]


def _jasc_lines(lines: list[str], path: Path) -> Iterable[Any]:
    """JASC (Paint Shop Pro): "JASC-PAL", version, count, then "r g b"."""
    if not lines or lines[0] != "JASC-PAL":
        raise UnknownPalette(f"{path} does not begin with 'JASC-PAL'.", hint="Other .pal formats are not readable.")
    return [_numbers(line) for line in lines[3:]]


def _paint_net_lines(lines: list[str], path: Path) -> Iterable[Any]:
    """Paint.NET: one aarrggbb a line; ``;`` starts a comment."""
    return [line[-6:] if len(line) == 8 else line for line in lines if not line.startswith(";")]


def _numbers(line: str) -> tuple[int, ...]:
    return tuple(int(part) for part in line.split(maxsplit=3)[:3] if _NUMBER.fullmatch(part))


def _from_strip(path: Path) -> tuple[str, ...]:
    """The colours of a picture in reading order, transparent pixels left out."""
    import numpy as np  # here, since names and text files need neither it nor Pillow

    from pixelrouter.pixels.color import pack, to_hex, unpack
    from pixelrouter.pixels.decode import decode

    try:
        pixels = np.asarray(decode(path).image).reshape(-1, 4)
    except UnreadableImage as error:
        raise UnknownPalette(f"The palette {path} cannot be read. {error.message}") from error
    packed = pack(pixels[pixels[:, 3] >= 128][:, :3])
    values, first = np.unique(packed, return_index=True)
    return _checked(to_hex(unpack(values[np.argsort(first)])), str(path))
