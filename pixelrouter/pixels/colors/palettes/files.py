"""Palette files by their endings: which reader, which writer, and what a format cannot hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelrouter.errors import StoreError, UnknownPalette
from pixelrouter.files import read_bounded, write_whole
from pixelrouter.pixels.colors.palettes import adobe, aseprite, strip, text
from pixelrouter.pixels.colors.palettes.value import Palette, Sheet

MAX_BYTES = 1 << 20  # of a file that is only a palette
_MAX_SPRITE = 64 << 20  # of one with a picture in it
_ASEPRITE = b"\xe0\xa5"  # 0xA5E0 at offset 4


@dataclass(frozen=True)
class Format:
    """One kind of palette file. ``names``, ``alpha``, ``transparent``: whether it can hold them."""

    ending: str
    title: str
    read: Callable[[bytes, str], Palette]
    write: Callable[[Sheet], bytes]
    names: bool = False
    alpha: bool = False
    transparent: bool = False
    most_bytes: int = MAX_BYTES
    most_shown: int | None = None  # colours beyond which the program leaves some out


FORMATS: dict[str, Format] = {
    "hex": Format(".hex", "Lospec", text.read_hex, text.write_hex),
    "gpl": Format(".gpl", "GIMP", text.read_gpl, text.write_gpl, names=True, alpha=True),
    "pal": Format(".pal", "JASC, Paint Shop Pro", text.read_jasc, text.write_jasc),
    "txt": Format(
        ".txt", "Paint.NET", text.read_paint_net, text.write_paint_net, alpha=True, most_shown=text.SHOWN_BY_PAINT_NET
    ),
    "act": Format(".act", "Adobe colour table", adobe.read_act, adobe.write_act, transparent=True),
    "ase": Format(".ase", "Adobe swatch exchange", adobe.read_ase, adobe.write_ase, names=True),
    "png": Format(".png", "a strip of colours", strip.read_strip, strip.write_strip, most_bytes=_MAX_SPRITE),
    "aseprite": Format(
        ".aseprite",
        "Aseprite",
        aseprite.read_aseprite,
        aseprite.write_aseprite,
        names=True,
        alpha=True,
        transparent=True,
        most_bytes=_MAX_SPRITE,
    ),
}
PALETTE_FORMATS = {name: one.ending for name, one in FORMATS.items()}
ENDINGS = tuple(PALETTE_FORMATS.values())


def read_palette(path: str | os.PathLike[str]) -> Palette:
    """Everything that a palette file says, by its ending. Raises UnknownPalette.

    ``.ase`` is the ending of Adobe's and of Aseprite's files; which it is, the content says. At most 1 MB is read, and
    64 MB of a PNG or a sprite; at most 4096 colours.
    """
    path = Path(path)
    chosen = _by_ending(path)
    most = _MAX_SPRITE if chosen.ending in (".ase", ".aseprite") else chosen.most_bytes
    try:
        data = read_bounded(path, most)
    except OSError as error:
        raise UnknownPalette(f"Cannot read the palette {path}: {error.strerror or error}.") from error
    if chosen.ending in (".ase", ".aseprite"):
        chosen = FORMATS["aseprite" if data[4:6] == _ASEPRITE and data[:4] != b"ASEF" else "ase"]
        if len(data) > chosen.most_bytes:
            raise UnknownPalette(f"Cannot read the palette {path}: it has more than {chosen.most_bytes} bytes.")
    return chosen.read(data, str(path))


def _by_ending(path: Path) -> Format:
    found = next((one for one in FORMATS.values() if one.ending == path.suffix.lower()), None)
    if found is None:
        raise UnknownPalette(f"{path} is not a palette file.", hint=f"Readable are {', '.join(ENDINGS)}.")
    return found


def write_palette(
    path: str | os.PathLike[str],
    colors: Sequence[str] | Sequence[tuple[int, int, int]],
    names: Sequence[str] | None = None,
    name: str = "",
    *,
    alpha: Sequence[int] | None = None,
    transparent: int | None = None,
    scale: int = 1,
    format: str | None = None,
) -> tuple[str, ...]:
    """Write a palette file, whole or not at all, and return what it could not hold, in words.

    The format is that of the ending, or ``format``: one of PALETTE_FORMATS. ``names``: one a colour. ``alpha``: 0 to
    255 a colour. ``transparent``: the index that is not drawn. ``scale``: pixels a side of a colour in a PNG; 1 is what
    Retro Diffusion takes as a palette. Colours stay in their order, repeats included. Raises UnknownPalette for
    colours, numbers or a format that cannot be written, StoreError where the disk refuses.
    """
    chosen = _by_name(format) if format is not None else _by_ending(Path(path))
    sheet = _sheet(colors, names, name, alpha, transparent, scale)
    data = chosen.write(sheet)
    try:
        write_whole(Path(path), data)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreError(f"{path} cannot be written: {why}.", hint="Choose another place.") from error
    return _lost(chosen, sheet)


def _by_name(name: str) -> Format:
    if name not in FORMATS:
        raise UnknownPalette(f"{name!r} is no palette format.", hint=f"There are {', '.join(FORMATS)}.")
    return FORMATS[name]


def _sheet(
    colors: Sequence[str] | Sequence[tuple[int, int, int]],
    names: Sequence[str] | None,
    name: str,
    alpha: Sequence[int] | None,
    transparent: int | None,
    scale: int,
) -> Sheet:
    """The values, each checked. Raises UnknownPalette."""
    from pixelrouter.pixels.colors.palette import parse_colors

    plain = parse_colors(colors)
    rgb = tuple((int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in plain)
    for what, given in (("names", names), ("values of alpha", alpha)):
        if given is not None and len(given) != len(rgb):
            raise UnknownPalette(f"There are {len(rgb)} colours and {len(given)} {what}.", hint="Give one for each.")
    if alpha is not None and not all(0 <= value <= 255 for value in alpha):
        raise UnknownPalette("Alpha is not 0 to 255.")
    if transparent is not None and not 0 <= transparent < min(len(rgb), 256):
        raise UnknownPalette(f"The transparent index {transparent} is none of {len(rgb)} colours.")
    faded = None if alpha is None or all(value == 255 for value in alpha) else tuple(alpha)
    return Sheet(rgb, tuple(names or ("",) * len(rgb)), name, faded, transparent, scale)


def _lost(chosen: Format, sheet: Sheet) -> tuple[str, ...]:
    """What the format has no place for."""
    warnings = []
    if any(sheet.names) and not chosen.names:
        warnings.append(f"{chosen.ending} files have no names of colours; they are left out.")
    if sheet.alpha is not None and not chosen.alpha:
        warnings.append(f"{chosen.ending} files have no alpha; it is left out.")
    if sheet.transparent is not None and not chosen.transparent:
        warnings.append(f"{chosen.ending} files have no transparent index; it is left out.")
    if sheet.alpha is not None and chosen.ending == ".gpl":
        warnings.append("GIMP cannot read the fourth column, which is Aseprite's extension for alpha.")
    if chosen.most_shown is not None and len(sheet.colors) > chosen.most_shown:
        warnings.append(f"Paint.NET shows {chosen.most_shown} colours; the file has {len(sheet.colors)}.")
    return tuple(warnings)
