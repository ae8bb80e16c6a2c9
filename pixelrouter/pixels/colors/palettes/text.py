"""Palettes as lines of text: Lospec's .hex, GIMP's .gpl, JASC's .pal, Paint.NET's .txt.

Sources, read in November 2026: Aseprite's readers and writers (github.com/aseprite/aseprite, src/doc/file, commit
d586b3f) and its docs/gpl-palette-extension.md; Paint.NET's manual, "Working with palettes" (getpaint.net/doc/latest);
for the line ends of .pal files jasc_pal.c of gbagfx, the converter of Game Boy Advance projects.
"""

from __future__ import annotations

import re

from pixelrouter.errors import UnknownPalette
from pixelrouter.pixels.colors.palettes.value import Palette, Sheet, bounded, faded, hexed, one_line, own_name

SHOWN_BY_PAINT_NET = 96  # colours; it leaves out the rest

_DIGITS = re.compile(r"[0-9a-fA-F]+")
_SHORT = re.compile(r"#([0-9a-fA-F]{3})")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SHOWN = 40  # characters of a wrong line

RGBA = tuple[int, int, int, int]


def _lines(data: bytes) -> list[str]:
    text = data.decode("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _wrong(what: str, line: str, hint: str) -> UnknownPalette:
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
    return UnknownPalette(f"{what} has the line {shown!r}, which is no colour.", hint=hint)


def _palette(what: str, kind: str, rows: list[tuple[RGBA, str]], name: str, warnings: list[str]) -> Palette:
    bounded(what, len(rows))
    colors = tuple(hexed(*rgba[:3]) for rgba, _ in rows)
    alpha = tuple(rgba[3] for rgba, _ in rows)
    if warning := faded(alpha):
        warnings.append(warning)
    names = tuple(own_name(one_line(each), color) for (_, each), color in zip(rows, colors, strict=True))
    return Palette(colors, names, name, alpha=alpha, format=kind, warnings=tuple(warnings))


def _rgba(digits: str, alpha: int = 255) -> RGBA:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue, alpha


# ---- .hex


def read_hex(data: bytes, what: str) -> Palette:
    """Lospec: one ``rrggbb`` a line, the first six hex digits of it; ``;`` and ``//`` start a comment.

    Lines without such digits are passed over, as Aseprite does. A longer run of digits is refused: of ``ffrrggbb`` the
    first six would be another colour.
    """
    rows, junk = [], 0
    for line in _lines(data):
        if line.startswith((";", "//")):
            continue
        if match := _SHORT.fullmatch(line):
            rows.append((_rgba("".join(2 * digit for digit in match[1])), ""))
            continue
        digits = next((run for run in _DIGITS.findall(line) if len(run) >= 6), "")
        if len(digits) > 6:
            raise _wrong(
                what, line, "A .hex file has RRGGBB on each line; leave alpha out, or name it .txt for AARRGGBB."
            )
        if digits:
            rows.append((_rgba(digits), ""))
        junk += not digits
    return _palette(what, "hex", rows, "", [f"{junk} lines hold no colour and were passed over."] if junk else [])


def write_hex(sheet: Sheet) -> bytes:
    """Lower case, no ``#``, a line break after each."""
    return "".join(f"{hexed(*color)[1:]}\n" for color in sheet.colors).encode("ascii")


# ---- .gpl


def read_gpl(data: bytes, what: str) -> Palette:
    """GIMP: the first line is ``GIMP Palette``; a line that begins with a digit is ``r g b name``, others say things.

    After ``Channels: RGBA``, Aseprite's extension, rows are ``r g b a name``.
    """
    lines = _lines(data)
    if not lines or lines[0] != "GIMP Palette":
        raise UnknownPalette(f"{what} does not begin with the line 'GIMP Palette'.", hint="Is it another kind of file?")
    name, four, rows = "", False, []
    for line in lines[1:]:
        if line[0] in "0123456789":
            rows.append(_gpl_row(what, line, four))
            continue
        key, _, value = line.partition(":")
        if key == "Name":
            name = one_line(value)
        elif key == "Channels":
            four = value.strip() == "RGBA"
    return _palette(what, "gpl", rows, name, [])


def _gpl_row(what: str, line: str, four: bool) -> tuple[RGBA, str]:
    count = 4 if four else 3
    parts = line.split(maxsplit=count)
    rgb, alpha = _bytes(parts[:3]), _bytes(parts[3:4]) if four else [255]
    if len(rgb) < 3 or not alpha:
        raise _wrong(what, line, f"A row is {'r g b a' if four else 'r g b'} from 0 to 255, then a name.")
    return (rgb[0], rgb[1], rgb[2], alpha[0]), parts[count] if len(parts) > count else ""


def write_gpl(sheet: Sheet) -> bytes:
    """Rows of three columns and a name: its own hex digits where it has none, for Aseprite passes over nameless rows.

    With alpha, ``Channels: RGBA`` and a fourth column, which GIMP cannot read.
    """
    head = ["GIMP Palette", *([f"Name: {one_line(sheet.name)}"] if one_line(sheet.name) else [])]
    if sheet.alpha is not None:
        head.append("Channels: RGBA")
    rows = []
    for at, (color, name) in enumerate(zip(sheet.colors, sheet.names, strict=True)):
        numbers = color if sheet.alpha is None else (*color, sheet.alpha[at])
        rows.append(f"{' '.join(f'{n:3d}' for n in numbers)}\t{one_line(name) or hexed(*color)[1:]}")
    return "\n".join([*head, "#", *rows, ""]).encode("utf-8")


# ---- .pal


def read_jasc(data: bytes, what: str) -> Palette:
    """JASC, Paint Shop Pro: ``JASC-PAL``, a version, a count, then ``r g b``, or ``r g b a`` from Aseprite.

    A wrong count is told and not believed.
    """
    lines = _lines(data)
    if not lines or lines[0] != "JASC-PAL":
        raise UnknownPalette(f"{what} does not begin with 'JASC-PAL'.", hint="Other .pal formats are not readable.")
    rows, warnings = [], []
    for line in lines[3:]:
        parts = line.split()
        numbers = _bytes(parts[:4])
        if len(numbers) < 3 or len(numbers) != len(parts):
            raise _wrong(what, line, "A row is r g b from 0 to 255.")
        rows.append(((numbers[0], numbers[1], numbers[2], numbers[3] if len(numbers) > 3 else 255), ""))
    if lines[2:3] != [str(len(rows))]:
        warnings.append(f"The file announces {_short(lines[2:3])} colours and has {len(rows)}.")
    return _palette(what, "pal", rows, "", warnings)


def _short(line: list[str]) -> str:
    return line[0][:_SHOWN] if line else "no"


def write_jasc(sheet: Sheet) -> bytes:
    """CRLF after every line, the last one too, and never alpha: other readers take no more than eleven characters."""
    rows = [f"{red} {green} {blue}" for red, green, blue in sheet.colors]
    return "".join(f"{line}\r\n" for line in ("JASC-PAL", "0100", str(len(rows)), *rows)).encode("ascii")


def _bytes(parts: list[str]) -> list[int]:
    """The numbers from 0 to 255 that the parts begin with."""
    out: list[int] = []
    for part in parts:
        if not _NUMBER.fullmatch(part) or int(part) > 255:
            break
        out.append(int(part))
    return out


# ---- .txt


def read_paint_net(data: bytes, what: str) -> Palette:
    """Paint.NET: ``aarrggbb`` a line, alpha first; ``;`` starts a comment. Six digits count as opaque."""
    rows, warnings, name = [], [], ""
    for line in _lines(data):
        digits, _, comment = (part.strip() for part in line.partition(";"))
        if comment.lower().startswith("palette name:"):
            name = one_line(comment[len("palette name:") :])
        if not digits:
            continue
        if not _DIGITS.fullmatch(digits) or len(digits) not in (6, 8):
            raise _wrong(what, line, "A line of Paint.NET's is AARRGGBB, eight hex digits.")
        rows.append((_rgba(digits[-6:], int(digits[:2], 16) if len(digits) == 8 else 255), ""))
    if len(rows) > SHOWN_BY_PAINT_NET:
        warnings.append(f"Paint.NET shows {SHOWN_BY_PAINT_NET} colours; the file has {len(rows)}.")
    return _palette(what, "txt", rows, name, warnings)


def write_paint_net(sheet: Sheet) -> bytes:
    """A heading of comments, then ``AARRGGBB``."""
    head = [";paint.net Palette File", f";Palette Name: {one_line(sheet.name)}", f";Colors: {len(sheet.colors)}"]
    alpha = sheet.alpha or (255,) * len(sheet.colors)
    rows = [f"{a:02X}{hexed(*color)[1:].upper()}" for color, a in zip(sheet.colors, alpha, strict=True)]
    return "\n".join([*head, *rows, ""]).encode("utf-8")
