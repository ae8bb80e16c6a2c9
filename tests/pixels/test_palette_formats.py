"""Palette files of every kind: the rules and traps of each format, byte by byte, and what strangers write."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import GimpPaletteFile, Image

from pixelrouter.errors import StoreError, UnknownPalette
from pixelrouter.pixels import PALETTE_FORMATS, Palette, built_ins, read_palette, resolve_palette, write_palette

COLORS = ("#102030", "#ff8800", "#00cc44")
NAMES = ("night", "warm orange", "Gr\u00fcn \U0001f33f")


def read(tmp_path: Path, ending: str, data: bytes | str) -> Palette:
    file = tmp_path / f"p.{ending}"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_palette(file)


def written(tmp_path: Path, ending: str, colors: Sequence[Any] = COLORS, *args: Any, **more: Any) -> bytes:
    file = tmp_path / f"w.{ending}"
    write_palette(file, colors, *args, **more)
    return file.read_bytes()


# ---- all of them


@pytest.mark.parametrize("kind", PALETTE_FORMATS)
def test_what_is_written_is_read_back(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{PALETTE_FORMATS[kind]}"
    lost = write_palette(file, COLORS, NAMES, "My palette")
    back = read_palette(file)
    assert (back.colors, back.format, back.warnings, back.alpha, back.transparent) == (COLORS, kind, (), None, None)
    keeps = kind in ("gpl", "ase", "aseprite")
    assert back.names == (NAMES if keeps else ("", "", ""))
    assert bool(lost) != keeps
    assert back.name == ("My palette" if kind in ("gpl", "ase", "txt") else "")
    assert resolve_palette(file) == COLORS


@pytest.mark.parametrize("kind", PALETTE_FORMATS)
def test_no_names_come_back_as_no_names(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{PALETTE_FORMATS[kind]}"
    assert write_palette(file, COLORS) == ()
    assert read_palette(file).names == ("", "", "")


@pytest.mark.parametrize("kind", PALETTE_FORMATS)
def test_order_and_repeats_are_kept(kind: str, tmp_path: Path) -> None:
    """But for a picture, which shows each colour where it is first seen."""
    colors = ("#ffffff", "#000000", "#ffffff", "#808080")
    file = tmp_path / f"a{PALETTE_FORMATS[kind]}"
    write_palette(file, colors)
    once = ("#ffffff", "#000000", "#808080")
    assert read_palette(file).colors == (once if kind == "png" else colors)
    assert resolve_palette(file) == once


@pytest.mark.parametrize("kind", PALETTE_FORMATS)
def test_every_built_in_goes_through_every_format(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{PALETTE_FORMATS[kind]}"
    for palette in built_ins().values():
        write_palette(file, palette.colors)
        assert read_palette(file).colors == palette.colors


def test_the_format_may_be_named(tmp_path: Path) -> None:
    write_palette(tmp_path / "a.dat", COLORS, format="hex")
    assert (tmp_path / "a.dat").read_text() == "102030\nff8800\n00cc44\n"
    write_palette(tmp_path / "sprite.ase", COLORS, format="aseprite")
    assert read_palette(tmp_path / "sprite.ase").format == "aseprite"


@pytest.mark.parametrize(
    ("colors", "more"),
    [
        ([], {}),
        (["#12"], {}),
        ([(1, 2, 300)], {}),
        (COLORS, {"names": ["one"]}),
        (COLORS, {"alpha": [255]}),
        (COLORS, {"alpha": [1, 2, 256]}),
        (COLORS, {"transparent": 3}),
        (COLORS, {"format": "bmp"}),
        (["#000000"] * 5000, {}),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is(colors: Any, more: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette):
        write_palette(tmp_path / "a.gpl", colors, **more)
    assert not list(tmp_path.iterdir())


def test_places_and_endings_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette, match=r"\.aseprite"):
        write_palette(tmp_path / "a.bmp", COLORS)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError):
        write_palette(tmp_path / "file" / "a.hex", COLORS)


def test_alpha_that_is_all_opaque_is_none() -> None:
    assert Palette(("#000000",), alpha=(255,)).alpha is None


# ---- .hex


def test_hex_is_written_lower_case_with_a_last_line_break(tmp_path: Path) -> None:
    assert written(tmp_path, "hex", ["#AABBCC", (1, 2, 3)]) == b"aabbcc\n010203\n"


def test_hex_takes_the_first_six_digits_of_a_line(tmp_path: Path) -> None:
    text = "\ufeff; by me\n// and 112233\n\n#102030\r\n  FF8800  \njunk\n"
    text += "0x00cc44 // green ffffff\ncolour: abcdef (sky)\n#0c4\n"
    palette = read(tmp_path, "hex", text)
    assert palette.colors == (*COLORS, "#abcdef", "#00cc44")
    assert palette.warnings == ("1 lines hold no colour and were passed over.",)


@pytest.mark.parametrize("line", ["FF102030", "#ff102030", "10203040 night", "1020304", "102030405060"])
def test_hex_refuses_eight_digits_loudly(line: str, tmp_path: Path) -> None:
    """The first six digits of FF102030 are another colour."""
    with pytest.raises(UnknownPalette, match=r"RRGGBB.*AARRGGBB") as caught:
        read(tmp_path, "hex", f"00cc44\n{line}\n")
    assert line in str(caught.value)


# ---- .gpl


def test_gpl_as_gimp_and_aseprite_read_it(tmp_path: Path) -> None:
    data = written(tmp_path, "gpl", COLORS, ("night", "", "a\tb\nc"), "Mine")
    assert data == (b"GIMP Palette\nName: Mine\n#\n 16  32  48\tnight\n255 136   0\tff8800\n  0 204  68\ta b c\n")
    assert GimpPaletteFile.GimpPaletteFile(io.BytesIO(data)).getpalette()[0][:9] == bytes.fromhex("102030ff880000cc44")


def test_gpl_lines_that_are_no_rows_are_properties(tmp_path: Path) -> None:
    text = "GIMP Palette\r\nName: Mine\r\nColumns: 4\r\n#Colors: 3\r\n# 1 2 3\r\n 16 32 48\tnight sky\r\n255 136 0\r\n"
    palette = read(tmp_path, "gpl", text)
    assert (palette.colors, palette.names, palette.name) == (COLORS[:2], ("night sky", ""), "Mine")


def test_gpl_with_aseprites_fourth_column(tmp_path: Path) -> None:
    text = "GIMP Palette\nChannels: RGBA\n#\n 16 32 48 255 night\n255 136 0 0 clear\n0 204 68 128\tUntitled\n"
    palette = read(tmp_path, "gpl", text)
    assert palette.colors == COLORS
    assert palette.alpha == (255, 0, 128)
    assert palette.names == ("night", "clear", "Untitled")
    assert palette.visible == (COLORS[0], COLORS[2])
    assert "half transparent" in palette.warnings[0]
    plain = read(tmp_path, "gpl", text.replace("Channels: RGBA\n", ""))
    assert (plain.alpha, plain.names[0]) == (None, "255 night")


def test_gpl_writes_the_fourth_column_only_for_alpha(tmp_path: Path) -> None:
    assert b"Channels" not in written(tmp_path, "gpl", COLORS, alpha=(255, 255, 255))
    lost = write_palette(tmp_path / "a.gpl", COLORS, alpha=(255, 0, 255))
    assert "GIMP cannot read" in lost[0]
    assert (tmp_path / "a.gpl").read_bytes().splitlines()[1:4] == [b"Channels: RGBA", b"#", b" 16  32  48 255\t102030"]
    assert read_palette(tmp_path / "a.gpl").alpha == (255, 0, 255)


@pytest.mark.parametrize(
    "text",
    ["GIMP Palettes\n1 2 3 a", "\n \n", "GIMP Palette\n1 2", "GIMP Palette\n1 2 256 a", "GIMP Palette\n1 2 x3 a"],
)
def test_gpl_that_is_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette):
        read(tmp_path, "gpl", text)


# ---- .pal


def test_jasc_has_crlf_on_every_line_and_no_alpha(tmp_path: Path) -> None:
    data = written(tmp_path, "pal", COLORS, alpha=(255, 0, 9))
    assert data == b"JASC-PAL\r\n0100\r\n3\r\n16 32 48\r\n255 136 0\r\n0 204 68\r\n"
    assert max(map(len, written(tmp_path, "pal", ["#ffffff"]).split(b"\r\n"))) == 11


@pytest.mark.parametrize("count", ["3", "2", "256", "many", "0 0"])
def test_jasc_with_any_line_ends_and_a_wrong_count(count: str, tmp_path: Path) -> None:
    palette = read(tmp_path, "pal", f"JASC-PAL\n0100\n{count}\n16 32 48\n255 136 0 128\r\n0 204 68\n\n")
    assert palette.colors == COLORS
    assert palette.alpha == (255, 128, 255)
    assert any(f"announces {count} colours and has 3" in warning for warning in palette.warnings) == (count != "3")


@pytest.mark.parametrize("row", ["1 2", "1 2 256", "1 2 3 4 5", "1 2 3 x", "-1 2 3", "a"])
def test_jasc_with_a_wrong_row(row: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette, match="row"):
        read(tmp_path, "pal", f"JASC-PAL\r\n0100\r\n1\r\n{row}\r\n")


# ---- .txt


def test_paint_net_has_alpha_first(tmp_path: Path) -> None:
    palette = read(tmp_path, "txt", "; Palette\n;Palette Name: Mine\nFF102030\n00ff8800 ; clear\n8000CC44\n")
    assert palette.colors == COLORS
    assert palette.alpha == (255, 0, 128)
    assert palette.name == "Mine"
    assert palette.visible == (COLORS[0], COLORS[2])
    data = written(tmp_path, "txt", COLORS, alpha=(255, 0, 128))
    assert data.splitlines()[3:] == [b"FF102030", b"00FF8800", b"8000CC44"]


def test_paint_net_where_all_alpha_is_zero(tmp_path: Path) -> None:
    palette = read(tmp_path, "txt", "00102030\n00ff8800\n")
    assert palette.visible == COLORS[:2]
    assert "alpha 0" in palette.warnings[0]


def test_paint_net_shows_96_colors(tmp_path: Path) -> None:
    many = [(n, 0, 0) for n in range(97)]
    assert write_palette(tmp_path / "a.txt", many[:96]) == ()
    assert "96" in write_palette(tmp_path / "a.txt", many)[0]
    assert "96" in read_palette(tmp_path / "a.txt").warnings[0]


@pytest.mark.parametrize("line", ["zzz", "12345", "1234567", "FF1020301", "#FF102030"])
def test_paint_net_with_a_wrong_line(line: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette, match="AARRGGBB"):
        read(tmp_path, "txt", line)


# ---- .act

TABLE = bytes.fromhex("102030ff880000cc44").ljust(768, b"\0")


def test_act_with_and_without_a_count(tmp_path: Path) -> None:
    plain = read(tmp_path, "act", TABLE)
    assert len(plain.colors) == 256
    assert plain.transparent is None
    assert "253" in plain.warnings[0]
    assert resolve_palette(tmp_path / "p.act") == (*COLORS, "#000000")
    counted = read(tmp_path, "act", TABLE + b"\x00\x03\xff\xff")
    assert (counted.colors, counted.transparent, counted.warnings) == (COLORS, None, ())
    assert read(tmp_path, "act", TABLE + b"\x00\x03\x00\x02").transparent == 2


def test_act_of_aseprite_loses_no_color_to_its_transparent_index(tmp_path: Path) -> None:
    """Aseprite writes 0 there, whatever is meant."""
    palette = read(tmp_path, "act", TABLE + b"\x00\x03\x00\x00")
    assert palette.transparent == 0
    assert palette.visible == COLORS


def test_act_is_written_with_its_count(tmp_path: Path) -> None:
    assert written(tmp_path, "act") == TABLE + b"\x00\x03\xff\xff"
    assert written(tmp_path, "act", transparent=1)[-4:] == b"\x00\x03\x00\x01"
    assert written(tmp_path, "act", [(n, n, n) for n in range(256)])[-4:] == b"\x01\x00\xff\xff"
    with pytest.raises(UnknownPalette, match="256"):
        written(tmp_path, "act", [(n % 256, n // 256, 0) for n in range(257)])


@pytest.mark.parametrize(
    ("tail", "colors"), [(b"\x00\x00\xff\xff", 256), (b"\x01\x01\xff\xff", 256), (b"\0\x03\0\x09", 3)]
)
def test_act_with_numbers_that_cannot_be(tail: bytes, colors: int, tmp_path: Path) -> None:
    palette = read(tmp_path, "act", TABLE + tail)
    assert (len(palette.colors), palette.transparent, len(palette.warnings)) == (colors, None, 1)


@pytest.mark.parametrize("size", [0, 3, 767, 769, 771, 773, 1024])
def test_act_of_another_size(size: int, tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette, match="768 or 772"):
        read(tmp_path, "act", bytes(size))


# ---- .ase of Adobe


def block(kind: int, body: bytes = b"") -> bytes:
    return struct.pack(">HI", kind, len(body)) + body


def swatch(name: str, model: bytes, *values: float, kind: int = 2) -> bytes:
    text = name.encode("utf-16-be") + b"\0\0"
    floats = struct.pack(f">{len(values)}f", *values)
    return block(1, struct.pack(">H", len(text) // 2) + text + model + floats + struct.pack(">H", kind))


def group(name: str) -> bytes:
    text = name.encode("utf-16-be") + b"\0\0"
    return block(0xC001, struct.pack(">H", len(text) // 2) + text)


def ase(*blocks: bytes, count: int | None = None) -> bytes:
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks) if count is None else count) + b"".join(blocks)


def test_ase_byte_by_byte(tmp_path: Path) -> None:
    assert written(tmp_path, "ase", ["#ff8000"], ["ab"], "G") == bytes.fromhex(
        "41534546 0001 0000 00000003"
        "c001 00000006 0002 0047 0000"
        "0001 0000001a 0003 0061 0062 0000 52474220 3f800000 3f008081 00000000 0002"
        "c002 00000000"
    )


def test_ase_with_groups_and_every_model(tmp_path: Path) -> None:
    data = ase(
        group("Warm \U0001f525"),
        swatch("orange", b"RGB ", 1.0, 136 / 255, 0.0),
        swatch("ink", b"CMYK", 0.0, 1.0, 1.0, 0.5, kind=1),
        block(0xC002),
        swatch("mid", b"Gray", 0.5),
        swatch("", b"LAB ", 1.0, 0.0, 0.0),
        swatch("lab red", b"LAB ", 0.5429, 80.81, 69.89),
    )
    palette = read(tmp_path, "ase", data)
    assert palette.colors[:4] == ("#ff8800", "#800000", "#808080", "#ffffff")
    red, green, blue = bytes.fromhex(palette.colors[4][1:])
    assert red >= 253  # L*a*b* of #ff0000 under D50, by Bruce Lindbloom's calculator
    assert max(green, blue) <= 3
    assert palette.names == ("orange", "ink", "mid", "", "lab red")
    assert palette.name == "Warm \U0001f525"


def test_ase_keeps_every_byte_of_rgb(tmp_path: Path) -> None:
    grey = [(n, 255 - n, n // 2) for n in range(256)]
    written(tmp_path, "ase", grey)
    assert [tuple(bytes.fromhex(c[1:])) for c in read_palette(tmp_path / "w.ase").colors] == grey


def test_ase_takes_black_as_a_share_of_each_ink(tmp_path: Path) -> None:
    assert read(tmp_path, "ase", ase(swatch("a", b"CMYK", 0.2, 0.6, 1.0, 0.5))).colors == ("#663300",)


@pytest.mark.parametrize("count", [0, 1, 2, 99])
def test_ase_whose_count_is_wrong(count: int, tmp_path: Path) -> None:
    data = ase(swatch("a", b"Gray", 1.0), swatch("b", b"Gray", 0.0), count=count)
    if count:
        assert len(read(tmp_path, "ase", data).colors) == min(count, 2)
    else:
        with pytest.raises(UnknownPalette, match="no colour"):
            read(tmp_path, "ase", data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ASEF",
        ase(swatch("a", b"HSB ", 1.0, 1.0, 1.0)),
        ase(swatch("a", b"RGB ", 1.0)),
        ase(swatch("a", b"Gray", float("nan"))),
        ase(swatch("a", b"LAB ", float("inf"), 0.0, 0.0)),
        ase(block(1, b"\xff\xff")),
        ase(block(1, b"")),
        ase(group("a")),
        ase(swatch("a", b"Gray", 1.0))[:-3],
        ase(*[swatch("a", b"Gray", 1.0)] * 5000),
        ase(*[block(0xC002)] * 20000),
    ],
)
def test_ase_that_is_broken(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette):
        read(tmp_path, "ase", data)


def test_ase_of_colors_outside_srgb_is_cut_and_told(tmp_path: Path) -> None:
    palette = read(tmp_path, "ase", ase(swatch("a", b"RGB ", 1.5, -1.0, 1e30), swatch("b", b"LAB ", 0.5, 127.0, 1e20)))
    assert palette.colors[0] == "#ff00ff"
    assert "2 colours" in palette.warnings[0]


# ---- .aseprite


def sprite(*chunks: tuple[int, bytes], depth: int = 32, clear: int = 0, colors: int = 0, frames: int = 1) -> bytes:
    """A file by the specification, put together here without the writer that is tested."""
    body = b"".join(struct.pack("<IH", 6 + len(data), kind) + data for kind, data in chunks)
    frame = struct.pack("<IHHH2xI", 16 + len(body), 0xF1FA, len(chunks), 100, len(chunks)) + body
    head = struct.pack("<IHHHHHIH8xB3xH", 128 + frames * len(frame), 0xA5E0, frames, 1, 1, depth, 1, 100, clear, colors)
    return head.ljust(128, b"\0") + frames * frame


def new_chunk(*entries: tuple[int, int, int, int], names: Sequence[str] = (), first: int = 0) -> tuple[int, bytes]:
    body = struct.pack("<III8x", first + len(entries), first, first + len(entries) - 1)
    for at, entry in enumerate(entries):
        name = names[at].encode() if at < len(names) else b""
        body += struct.pack("<H4B", bool(name), *entry) + (struct.pack("<H", len(name)) + name if name else b"")
    return 0x2019, body


def old_chunk(*colors: tuple[int, int, int], kind: int = 4, skip: int = 0) -> tuple[int, bytes]:
    return kind, struct.pack("<HBB", 1, skip, len(colors) % 256) + b"".join(map(bytes, colors))


RED, GREEN = (255, 0, 0), (0, 255, 0)


def test_aseprite_reads_the_new_chunk_with_names_and_alpha(tmp_path: Path) -> None:
    chunk = new_chunk((*RED, 255), (*GREEN, 0), names=["rot", ""])
    palette = read(tmp_path, "aseprite", sprite(old_chunk((1, 2, 3)), chunk))
    assert (palette.colors, palette.names, palette.alpha) == (("#ff0000", "#00ff00"), ("rot", ""), (255, 0))
    assert palette.visible == ("#ff0000",)


def test_aseprite_falls_back_on_the_old_chunks(tmp_path: Path) -> None:
    assert read(tmp_path, "aseprite", sprite(old_chunk(RED, GREEN))).colors == ("#ff0000", "#00ff00")
    six_bits = sprite(old_chunk((63, 0, 32), (1, 2, 3), kind=0x11))
    assert read(tmp_path, "aseprite", six_bits).colors == ("#ff0082", "#04080c")
    full = [(n, 0, 0) for n in range(256)]
    palette = read(tmp_path, "aseprite", sprite(old_chunk(*full), colors=16))
    assert len(palette.colors) == 16
    assert len(read(tmp_path, "aseprite", sprite(old_chunk(*full))).colors) == 256


def test_aseprite_header(tmp_path: Path) -> None:
    chunk = new_chunk((*RED, 255), (*GREEN, 255))
    assert read(tmp_path, "aseprite", sprite(chunk, depth=8, clear=1, colors=2)).transparent == 1
    assert read(tmp_path, "aseprite", sprite(chunk, depth=32, clear=1, colors=2)).transparent is None
    assert read(tmp_path, "aseprite", sprite(chunk, depth=8, clear=9, colors=2)).transparent is None
    assert len(read(tmp_path, "aseprite", sprite(chunk, colors=1)).colors) == 2  # the new chunk knows better
    assert "counts 7" in read(tmp_path, "aseprite", sprite(chunk, colors=7)).warnings[0]
    assert "later frames" in read(tmp_path, "aseprite", sprite(chunk, frames=2)).warnings[0]


def test_aseprite_is_written_as_the_specification_says(tmp_path: Path) -> None:
    data = written(tmp_path, "aseprite", COLORS, ("night", "", ""))
    size, magic, frames, _, _, depth = struct.unpack("<IHHHHH", data[:14])
    assert (size, magic, frames, depth) == (len(data), 0xA5E0, 1, 32)
    assert data[28] == 0
    assert struct.unpack("<H", data[32:34]) == (3,)
    assert new_chunk((16, 32, 48, 255), (255, 136, 0, 255), (0, 204, 68, 255), names=["night"])[1] in data
    indexed = written(tmp_path, "aseprite", COLORS, transparent=2)
    assert (indexed[12], indexed[28]) == (8, 2)
    assert read_palette(tmp_path / "w.aseprite").transparent == 2


@pytest.mark.parametrize("ending", ["ase", "aseprite"])
def test_ase_is_told_by_its_content(ending: str, tmp_path: Path) -> None:
    """Two programs use one ending."""
    assert read(tmp_path, ending, sprite(new_chunk((*RED, 255)))).format == "aseprite"
    assert read(tmp_path, ending, ase(swatch("a", b"Gray", 1.0))).format == "ase"
    # An Adobe file whose bytes 4 and 5 are those of an .aseprite file is still Adobe's.
    odd = b"ASEF\xe0\xa5" + ase(swatch("a", b"Gray", 1.0))[6:]
    assert read(tmp_path, ending, odd).format == "ase"
    with pytest.raises(UnknownPalette):
        read(tmp_path, ending, b"something else")


@pytest.mark.parametrize(
    "data",
    [
        sprite(),
        sprite(new_chunk((*RED, 255)))[:-2],
        sprite((0x2019, b"")),
        sprite((0x2019, struct.pack("<III8x", 1, 0, 0xFFFFFFFF))),
        sprite((0x2019, struct.pack("<III8x", 0xFFFFFFFF, 5, 2))),
        sprite((0x0004, b"\xff\xff")),
        sprite(new_chunk((*RED, 255)), frames=0),
        b"\0\0\0\0\xe0\xa5",
    ],
)
def test_aseprite_that_is_broken(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette):
        read(tmp_path, "aseprite", data)


# ---- .png


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def strip(*pixels: tuple[int, ...], width: int = 0) -> Image.Image:
    width = width or len(pixels)
    image = Image.new("RGBA", (width, len(pixels) // width))
    image.putdata(list(pixels))
    return image


@pytest.mark.parametrize("scale", [1, 2, 3, 8, 32])
def test_png_in_reading_order_at_any_scale(scale: int, tmp_path: Path) -> None:
    clear = (9, 9, 9, 0)
    image = strip((*RED, 255), clear, (0, 0, 255, 255), (*RED, 255), (*GREEN, 255), clear, width=3)
    image = image.resize((3 * scale, 2 * scale), Image.Resampling.NEAREST)
    palette = read(tmp_path, "png", png(image))
    assert palette.colors == ("#ff0000", "#0000ff", "#00ff00")
    assert palette.scale == scale


@pytest.mark.parametrize("turned", [False, True])
def test_png_of_stripes_is_not_one_block(turned: bool, tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 4))
    for x in range(4):
        image.paste((50 * x, 0, 0), (x, 0, x + 1, 4))
    palette = read(tmp_path, "png", png(image.transpose(Image.Transpose.TRANSPOSE) if turned else image))
    assert (len(palette.colors), palette.scale) == (4, 1)


def test_png_with_hidden_colors_has_the_blocks_that_are_seen(tmp_path: Path) -> None:
    image = strip((*RED, 255), (*GREEN, 255), (0, 0, 0, 0)).resize((6, 2), Image.Resampling.NEAREST)
    image.putpixel((5, 0), (77, 0, 0, 0))
    assert read(tmp_path, "png", png(image)).scale == 2


def test_png_takes_every_pixel_that_is_not_wholly_clear(tmp_path: Path) -> None:
    palette = read(tmp_path, "png", png(strip((*RED, 255), (*GREEN, 1), (0, 0, 255, 0))))
    assert palette.colors == ("#ff0000", "#00ff00")
    assert "half transparent" in palette.warnings[0]


@pytest.mark.parametrize("mode", ["P", "RGB", "L", "1"])
def test_png_of_any_mode(mode: str, tmp_path: Path) -> None:
    image = strip((0, 0, 0, 255), (255, 255, 255, 255)).convert("RGB").convert(mode)
    assert read(tmp_path, "png", png(image)).colors == ("#000000", "#ffffff")


@pytest.mark.parametrize("scale", [1, 8])
def test_png_is_written_as_one_opaque_row(scale: int, tmp_path: Path) -> None:
    with Image.open(io.BytesIO(written(tmp_path, "png", scale=scale))) as image:
        assert (image.mode, image.size) == ("RGB", (3 * scale, scale))
        assert [image.getpixel((scale * n, scale - 1)) for n in range(3)] == [(16, 32, 48), (255, 136, 0), (0, 204, 68)]


def test_png_without_colors_or_with_too_many(tmp_path: Path) -> None:
    with pytest.raises(UnknownPalette, match="no colour"):
        read(tmp_path, "png", png(strip((1, 2, 3, 0))))
    with pytest.raises(UnknownPalette, match="more than"):
        read(tmp_path, "png", png(strip(*[(n % 256, n // 256, 0, 255) for n in range(80 * 80)], width=80)))
    with pytest.raises(UnknownPalette, match="scale"):
        written(tmp_path, "png", [(n % 256, n // 256, 0) for n in range(300)], scale=64)


# ---- whatever strangers write

SEEDS: dict[str, list[bytes]] = {
    "hex": [b"102030\n"],
    "gpl": [b"GIMP Palette\nChannels: RGBA\n1 2 3 4 a\n"],
    "pal": [b"JASC-PAL\r\n0100\r\n1\r\n1 2 3\r\n"],
    "txt": [b"FF102030\n"],
    "act": [TABLE, TABLE + b"\0\3\0\0"],
    "ase": [ase(group("g"), swatch("a", b"LAB ", 0.5, 1, 2), block(0xC002)), sprite(new_chunk((1, 2, 3, 4)))],
    "aseprite": [
        sprite(old_chunk(RED), new_chunk((1, 2, 3, 4), names=["n"]), depth=8),
        sprite(old_chunk(RED, kind=17)),
    ],
    "png": [png(strip((*RED, 255), (*GREEN, 0)))],
}


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_file_is_worse_than_unknown(data: st.DataObject) -> None:
    """Noise, and good files with bytes changed, left out and put in: a palette, or UnknownPalette."""
    kind = data.draw(st.sampled_from(sorted(SEEDS)))
    content = bytearray(data.draw(st.one_of(st.sampled_from(SEEDS[kind]), st.binary(max_size=80))))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"p.{kind}")
        file.write_bytes(content)
        try:
            palette = read_palette(file)
        except UnknownPalette:
            return
    assert 1 <= len(palette.colors) <= 4096
    assert len(palette.names) == len(palette.colors)
    assert palette.alpha is None or len(palette.alpha) == len(palette.colors)
    assert palette.transparent is None or palette.transparent < len(palette.colors)
    assert all(name == " ".join(name.split()) or name.isprintable() for name in palette.names)


@given(
    kind=st.sampled_from(sorted(PALETTE_FORMATS)),
    colors=st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=40, unique=True),
    name=st.text(max_size=20),
)
@settings(max_examples=50, deadline=None)
def test_any_palette_survives_any_format(kind: str, colors: list[tuple[int, int, int]], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"p{PALETTE_FORMATS[kind]}")
        write_palette(file, colors, [name] * len(colors), name)
        assert read_palette(file).colors == tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colors)
