"""Palettes: built-in names, files of the usual formats, lists of colours."""

from __future__ import annotations

import os
import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

from pixelrouter.errors import UnknownPalette
from pixelrouter.pixels.colors.palettes.files import ENDINGS, read_palette
from pixelrouter.pixels.colors.palettes.value import MAX_ENTRIES, bounded

PaletteLike: TypeAlias = str | os.PathLike[str] | Sequence[str] | Sequence[tuple[int, int, int]]

MAX_COLORS = 256
_MOST_ENTRIES = 1 << 16  # of a list, repeats included
_SHOWN = 60  # characters of a wrong value
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_SHORT = re.compile(r"#([0-9a-fA-F]{3})")
_ALIASES = {
    "gb": "gameboy",
    "dmg": "gameboy",
    "dawnbringer16": "db16",
    "dawnbringer32": "db32",
    "endesga32": "edg32",
    "commodore64": "c64",
    "commodorevic20": "vic20",
    "edg64": "endesga64",
    "edg16": "endesga16",
    "edg8": "endesga8",
    "bgb": "gameboybgb",
    "pico8secretpalette": "pico8secret",
    "spectrum": "zxspectrum",
    "sms": "mastersystem",
    "bw": "1bit",
}


@dataclass(frozen=True)
class BuiltIn:
    """A palette that ships with pixelrouter.

    ``source`` says where its values were checked, ``licence_note`` what is known there of a licence.
    """

    key: str
    name: str
    author: str
    source: str
    licence_note: str
    colors: tuple[str, ...]


@cache
def built_ins() -> dict[str, BuiltIn]:
    """Every built-in palette by its key."""
    import tomllib  # with its like loaded here, since a file or a list of colours needs none of them
    from importlib import resources

    text = resources.files("pixelrouter.pixels.colors").joinpath("palettes.toml").read_text(encoding="utf-8")
    return {
        key: BuiltIn(key, colors=tuple(f"#{c}" for c in row.pop("colors").split()), **row)
        for key, row in tomllib.loads(text).items()
    }


def resolve_palette(value: PaletteLike) -> tuple[str, ...]:
    """``("#rrggbb", ...)`` in the palette's own order, without repeats, 1 to 256 colours.

    ``value`` is a built-in name ("pico-8", "db32", ...), a path to a palette file that :func:`read_palette` reads, or a
    sequence of "#rrggbb" or of (r, g, b). Entries of a file that have alpha 0 are no colours. Raises UnknownPalette.
    """
    if isinstance(value, str):
        if value.lower().endswith(ENDINGS) or os.sep in value or "/" in value:
            return _from_file(Path(value))
        if (known := find_built_in(value)) is not None:
            return known.colors
        raise _unknown(value)
    if isinstance(value, os.PathLike):
        return _from_file(Path(value))
    if not isinstance(value, Iterable):
        raise UnknownPalette(
            f"{_short(value)} is no palette.", hint="Give a built-in name, a file or a list of colours."
        )
    return _checked(_colors(value, _MOST_ENTRIES), "The list")


def parse_colors(value: Iterable[Any]) -> tuple[str, ...]:
    """``("#rrggbb", ...)`` of 1 to 4096 colours in whatever form, in their order, repeats included.

    Raises UnknownPalette.
    """
    colors = tuple(_colors(value, MAX_ENTRIES))
    bounded("The list", len(colors))
    return colors


def _colors(value: Iterable[Any], most: int) -> list[str]:
    entries = list(islice(value, most + 1))
    if len(entries) > most:
        raise UnknownPalette(f"The list holds more than {most} entries.", hint="A palette has at most 256.")
    return [_color(c) for c in entries]


def find_built_in(name: str) -> BuiltIn | None:
    """The built-in palette of that name, whatever its capitals, spaces, hyphens and underscores; None for none."""
    plain = re.sub(r"[\s_-]+", "", name.lower())
    plain = _ALIASES.get(plain, plain)
    return next((known for key, known in built_ins().items() if key.replace("-", "") == plain), None)


def _unknown(name: str) -> UnknownPalette:
    import difflib

    close = difflib.get_close_matches(name[:_SHOWN].lower(), [*built_ins(), *_ALIASES], n=1, cutoff=0.5)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return UnknownPalette(
        f"There is no palette called {_short(name)}.",
        hint=f"{guess}Built in: {', '.join(sorted(built_ins()))}. Or give a file ({', '.join(ENDINGS)}) or colours.",
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
    return _checked(read_palette(path).visible, str(path))
