"""Adobe's palettes: colour tables (.act) and swatch exchange files (.ase). Numbers are big-endian.

Sources, read in November 2026: for .act Aseprite's act_file.cpp (github.com/aseprite/aseprite, commit d586b3f); for
.ase the descriptions by Cyotek ("Writing Adobe Swatch Exchange files") and Carl Camera. L*a*b* is CIE 1976 under D50,
as Adobe's programs mean it; the matrix to sRGB is Bruce Lindbloom's (brucelindbloom.com).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pixelrouter.errors import UnknownPalette
from pixelrouter.pixels.colors.palettes.value import MAX_ENTRIES, Palette, Sheet, bounded, hexed, own_name

ACT_ENTRIES = 256
_NONE = 0xFFFF  # of a transparent index: none
_GROUP, _GROUP_END, _COLOR = 0xC001, 0xC002, 0x0001
_MODELS = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Gray": 1}
_NORMAL = 2  # neither a spot colour nor a global one
_MAX_BLOCKS = 4 * MAX_ENTRIES
_CUT = "breaks off in the middle of a colour."

# ---- .act


def read_act(data: bytes, what: str) -> Palette:
    """768 bytes of 256 colours; in files of 772 bytes, how many of them count and which is transparent follow."""
    if len(data) not in (768, 772):
        raise UnknownPalette(
            f"{what} has {len(data)} bytes; a colour table has 768 or 772.", hint="It may be cut off or another format."
        )
    count, clear, warnings = ACT_ENTRIES, _NONE, []
    if len(data) == 772:
        count, clear = struct.unpack(">HH", data[768:])
        if not 1 <= count <= ACT_ENTRIES:
            warnings.append(f"The file says that {count} of its colours count; all 256 are taken.")
            count = ACT_ENTRIES
        if clear != _NONE and clear >= count:
            warnings.append(f"The transparent index {clear} is none of the {count} colours.")
            clear = _NONE
    colors = tuple(hexed(*data[at : at + 3]) for at in range(0, 3 * count, 3))
    padding = len(colors) - len("".join("x" if c != colors[-1] else " " for c in colors).rstrip())
    if len(data) == 768 and padding > 1:
        warnings.append(f"The file does not say how many colours count; the last {padding} are all {colors[-1]}.")
    return Palette(colors, transparent=None if clear == _NONE else clear, format="act", warnings=tuple(warnings))


def write_act(sheet: Sheet) -> bytes:
    """772 bytes: the colours, black up to 256, their count, and 65535 where no index is transparent."""
    if len(sheet.colors) > ACT_ENTRIES:
        raise UnknownPalette(
            f"A colour table holds 256 colours, not {len(sheet.colors)}.", hint="Choose another format."
        )
    table = b"".join(map(bytes, sheet.colors)).ljust(3 * ACT_ENTRIES, b"\0")
    clear = _NONE if sheet.transparent is None else sheet.transparent
    return table + struct.pack(">HH", len(sheet.colors), clear)


# ---- .ase


class _Block(NamedTuple):
    kind: int
    data: bytes


def read_ase(data: bytes, what: str) -> Palette:
    """Swatches in the models RGB, CMYK, Gray and LAB, in their order; groups only name the palette, if there is one.

    CMYK is turned into RGB without a colour profile, as (1 - c)(1 - k). Numbers out of range are cut to it.
    """
    if data[:4] != b"ASEF":
        raise UnknownPalette(f"{what} does not begin with 'ASEF'.", hint="Is it another kind of file?")
    rows, groups, cut, warnings = [], [], 0, []
    for kind, body in _blocks(data, what):
        if kind == _GROUP:
            groups.append(_name(body, what)[0])
        elif kind == _COLOR:
            rgb, name, clipped = _swatch(body, what)
            rows.append((hexed(*rgb), name))
            cut += clipped
    bounded(what, len(rows))
    if cut:
        warnings.append(f"{cut} colours lie outside sRGB and were cut to it.")
    names = tuple(own_name(name, color) for color, name in rows)
    name = groups[0] if len(groups) == 1 else ""
    return Palette(tuple(color for color, _ in rows), names, name, format="ase", warnings=tuple(warnings))


def _blocks(data: bytes, what: str) -> Iterator[_Block]:
    """As many blocks as are announced, or as there are."""
    if len(data) < 12:
        raise UnknownPalette(f"{what} breaks off in its header.")
    (count,) = struct.unpack(">I", data[8:12])
    at = 12
    for _ in range(min(count, _MAX_BLOCKS)):
        if at == len(data):
            return
        if at + 2 > len(data):
            raise UnknownPalette(f"{what} {_CUT}")
        (kind,) = struct.unpack(">H", data[at : at + 2])
        (length,) = struct.unpack(">I", data[at + 2 : at + 6].rjust(4, b"\0"))
        if at + 6 > len(data) and kind == _GROUP_END:
            return  # some writers leave out the length of the last one
        if at + 6 + length > len(data):
            raise UnknownPalette(f"{what} {_CUT}")
        yield _Block(kind, data[at + 6 : at + 6 + length])
        at += 6 + length
    if count > _MAX_BLOCKS:
        raise UnknownPalette(f"{what} announces {count} entries.", hint=f"At most {_MAX_BLOCKS} are read.")


def _name(body: bytes, what: str) -> tuple[str, int]:
    """The name that a block begins with, and where it ends."""
    if len(body) < 2:
        raise UnknownPalette(f"{what} {_CUT}")
    end = 2 + 2 * int.from_bytes(body[:2], "big")
    if end > len(body):
        raise UnknownPalette(f"{what} {_CUT}")
    text = body[2:end].decode("utf-16-be", errors="replace").partition("\0")[0]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()), end


def _swatch(body: bytes, what: str) -> tuple[tuple[int, int, int], str, bool]:
    """The colour of a block, its name, and whether it had to be cut to sRGB."""
    name, at = _name(body, what)
    model = body[at : at + 4]
    if model not in _MODELS:
        raise UnknownPalette(f"{what} has a colour in the model {model!r}.", hint="Read are RGB, CMYK, LAB and Gray.")
    count = _MODELS[model]
    if len(body) < at + 4 + 4 * count:
        raise UnknownPalette(f"{what} {_CUT}")
    values = struct.unpack(f">{count}f", body[at + 4 : at + 4 + 4 * count])
    if not all(map(math.isfinite, values)):
        raise UnknownPalette(f"{what} has a colour that is no number.")
    rgb = _to_rgb(model, values)
    clipped = any(not -0.001 <= channel <= 1.001 for channel in rgb)
    red, green, blue = (round(255 * min(max(channel, 0.0), 1.0)) for channel in rgb)
    return (red, green, blue), name, clipped


def _to_rgb(model: bytes, values: Sequence[float]) -> tuple[float, float, float]:
    """Channels of sRGB, 0 to 1, or beyond where the colour is."""
    if model == b"Gray":
        return values[0], values[0], values[0]
    if model == b"RGB ":
        return values[0], values[1], values[2]
    if model == b"CMYK":
        cyan, magenta, yellow, black = (min(max(value, 0.0), 1.0) for value in values)
        return (1 - cyan) * (1 - black), (1 - magenta) * (1 - black), (1 - yellow) * (1 - black)
    return _lab(values[0] * 100, values[1], values[2])


def _lab(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Channels of sRGB for L*a*b* under D50. L* is 0 to 100."""
    fy = (min(max(lightness, 0.0), 100.0) + 16) / 116
    fx, fz = fy + min(max(a, -500.0), 500.0) / 500, fy - min(max(b, -500.0), 500.0) / 200
    x, y, z = (_uncurved(f) * white for f, white in ((fx, 0.96422), (fy, 1.0), (fz, 0.82521)))
    linear = (  # XYZ under D50 to linear sRGB, Bradford adaptation included
        3.1338561 * x - 1.6168667 * y - 0.4906146 * z,
        -0.9787684 * x + 1.9161415 * y + 0.0334540 * z,
        0.0719453 * x - 0.2289914 * y + 1.4052427 * z,
    )
    red, green, blue = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
    return red, green, blue


def _uncurved(f: float) -> float:
    return f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29)


def write_ase(sheet: Sheet) -> bytes:
    """Swatches in RGB; a colour without a name gets its hex digits; a palette with a name is a group."""
    blocks = [
        _block(
            _COLOR,
            _named(name or hexed(*color)[1:])
            + struct.pack(">4s3fH", b"RGB ", *(channel / 255 for channel in color), _NORMAL),
        )
        for color, name in zip(sheet.colors, sheet.names, strict=True)
    ]
    if sheet.name:
        blocks = [_block(_GROUP, _named(sheet.name)), *blocks, _block(_GROUP_END, b"")]
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def _block(kind: int, body: bytes) -> bytes:
    return struct.pack(">HI", kind, len(body)) + body


def _named(name: str) -> bytes:
    """A name as UTF-16 with its closing zero, after the count of its units."""
    text = name.replace("\0", " ")[:1000].encode("utf-16-be", errors="replace") + b"\0\0"
    return struct.pack(">H", len(text) // 2) + text
