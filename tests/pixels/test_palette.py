"""Palettes: built-in values as a snapshot, every file format, and mistakes."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelrouter.errors import UnknownPalette
from pixelrouter.pixels import built_ins, resolve_palette
from pixelrouter.pixels.color import from_oklab, nearest, parse_hex, to_oklab
from pixelrouter.pixels.colors.quantize import apply_palette

COLORS = ("#102030", "#ff8800", "#00cc44")


def test_built_in_values_are_frozen():
    digests = {key: hashlib.sha256(" ".join(p.colors).encode()).hexdigest()[:12] for key, p in built_ins().items()}
    assert digests == SNAPSHOT


def test_every_built_in_names_author_and_source():
    for palette in built_ins().values():
        assert palette.name
        assert palette.author
        assert palette.source
        assert palette.licence_note
        assert len(set(palette.colors)) == len(palette.colors)
        assert resolve_palette(palette.key) == palette.colors


def test_the_page_lists_every_built_in():
    page = (Path(__file__).parents[2] / "docs" / "palettes.md").read_text("utf-8")
    listed = [f"| `{p.key}` | {p.name} | {len(p.colors)} | {p.author} |" for p in built_ins().values()]
    assert sorted(re.findall(r"^\| `.*` \| .* \| \d+ \| .* \|$", page, re.MULTILINE)) == sorted(listed)


def test_well_known_colors():
    assert resolve_palette("pico-8")[8] == "#ff004d"
    assert resolve_palette("gameboy") == ("#9bbc0f", "#8bac0f", "#306230", "#0f380f")
    assert [len(resolve_palette(n)) for n in ("db16", "db32", "edg32", "cga")] == [16, 32, 32, 16]


def test_values_that_copies_get_wrong():
    """As published; each of these is listed elsewhere with other values or in another order."""
    assert resolve_palette("pico-8")[10:12] == ("#ffec27", "#00e436")  # not fff024, 00e556
    assert resolve_palette("gameboy-bgb") == ("#081820", "#346856", "#88c070", "#e0f8d0")
    assert resolve_palette("edg32")[:3] == ("#be4a2f", "#d77643", "#ead4aa")  # not d87644, an older version
    assert resolve_palette("oil-6")[0] == "#fbf5ef"
    assert resolve_palette("slso8")[:4] == ("#0d2b45", "#203c56", "#544e68", "#8d697a")
    assert resolve_palette("resurrect-64")[:4] == ("#2e222f", "#3e3546", "#625565", "#966c6c")
    assert resolve_palette("resurrect-64")[-1] == "#fdcbb0"
    assert resolve_palette("apollo")[0] == "#172038"
    assert resolve_palette("sweetie16")[0] == "#1a1c2c"
    assert resolve_palette("pico-8-secret")[:16] == resolve_palette("pico-8")
    assert resolve_palette("pico-8-secret")[16:18] == ("#291814", "#111d35")
    assert len(resolve_palette("nes")) == 55
    sizes = {"resurrect-64": 64, "endesga-64": 64, "aap-64": 64, "apollo": 46, "journey": 64, "lost-century": 16}
    assert {name: len(resolve_palette(name)) for name in sizes} == sizes


@pytest.mark.parametrize(
    "name", ["PICO-8", "pico8", "Pico 8", "DB_32", "endesga32", "EDG64", "Game Boy", "Resurrect 64"]
)
def test_names_are_forgiving(name):
    assert resolve_palette(name)


def test_files(tmp_path):
    (tmp_path / "a.hex").write_text("102030\nff8800\n00CC44\n")
    (tmp_path / "a.gpl").write_text(
        "GIMP Palette\nName: a\nColumns: 3\n# note\n 16 32 48\tnight\n255 136 0 x\n0 204 68\n"
    )
    (tmp_path / "a.pal").write_text("JASC-PAL\r\n0100\r\n3\r\n16 32 48\r\n255 136 0\r\n0 204 68\r\n")
    (tmp_path / "a.txt").write_text("; paint.net Palette File\nFF102030\nFFff8800\nFF00CC44\n")
    strip = Image.new("RGBA", (4, 1))
    strip.putdata([(16, 32, 48, 255), (255, 136, 0, 255), (0, 204, 68, 255), (9, 9, 9, 0)])
    strip.save(tmp_path / "a.png")
    for kind in ("hex", "gpl", "pal", "txt", "png"):
        assert resolve_palette(tmp_path / f"a.{kind}") == COLORS, kind
        assert resolve_palette(str(tmp_path / f"a.{kind}")) == COLORS, kind


def test_sequences():
    assert resolve_palette(["#102030", "FF8800", "#0c4"]) == (*COLORS[:2], "#00cc44")
    assert resolve_palette([(16, 32, 48), (255, 136, 0), (16, 32, 48)]) == COLORS[:2]


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list():
    with pytest.raises(UnknownPalette, match=r"(?s)'pico-9'.*Did you mean 'pico-8'.*db32.*gameboy"):
        resolve_palette("pico-9")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.hex", "nothex"),
        ("x.hex", ""),
        ("x.gpl", "1 2 3"),
        ("x.gpl", "GIMP Palette\n1 2"),
        ("x.gpl", "GIMP Palette\n1 2 999"),
        ("x.pal", "RIFF"),
        ("x.txt", "zzz"),
        ("x.png", "not a png"),
        ("x.hex", "\n".join(f"{i:06x}" for i in range(300))),
        ("x.act", "abc"),
    ],
)
def test_bad_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UnknownPalette):
        resolve_palette(tmp_path / name)


@pytest.mark.parametrize("value", ["no/such/file.hex", "gone.png", [], [(1, 2)], [(1, 2, 300)], ["#12"], [5]])
def test_bad_values(value):
    with pytest.raises(UnknownPalette):
        resolve_palette(value)


def test_oklab_of_known_colors_and_round_trip():
    # Values from Ottosson's article and its reference implementation.
    white, red = to_oklab(np.array([[255, 255, 255], [255, 0, 0]], dtype=np.uint8))
    assert white == pytest.approx([1, 0, 0], abs=1e-3)
    assert red == pytest.approx([0.6280, 0.2249, 0.1258], abs=1e-3)
    rgb = np.random.default_rng(0).integers(0, 256, (5000, 3), dtype=np.uint8)
    assert np.array_equal(from_oklab(to_oklab(rgb)), rgb)


def test_the_nearest_color_is_the_nearest():
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (500, 3), dtype=np.uint8)
    palette = parse_hex(resolve_palette("db32"))
    got = apply_palette(rgb, palette)
    a, b = to_oklab(rgb).astype(float), to_oklab(palette).astype(float)
    for pixel, index in zip(a, got, strict=True):
        distances = ((b - pixel) ** 2).sum(axis=1)
        assert distances[index] == pytest.approx(distances.min(), abs=1e-9)
    assert np.array_equal(nearest(to_oklab(palette), to_oklab(palette)), np.arange(len(palette)))


SNAPSHOT = {
    "pico-8": "a2cf72a975b8",
    "gameboy": "1c0258b30a71",
    "db16": "f1acb7840c89",
    "db32": "9e2dd7817681",
    "edg32": "3c755b007ddd",
    "sweetie16": "1f5509b72afe",
    "cga": "36d824cbc941",
    "cga1": "cf6826ffdb5e",
    "c64": "0abb23119527",
    "1bit": "6562b92fcb28",
    "resurrect-64": "cc35ec324a33",
    "endesga-64": "be4c3d43b152",
    "endesga-16": "54cc8b093816",
    "endesga-8": "a882d3618d46",
    "aap-64": "5e8d04d6045a",
    "apollo": "b5f888c80ec6",
    "journey": "a4cb52f4be86",
    "lost-century": "7b01f8750945",
    "lospec500": "a45d932ed4a4",
    "vinik24": "a01df68e1d07",
    "fantasy-24": "c656b48ec933",
    "cc-29": "c550e19eceeb",
    "na16": "f48c05d46855",
    "slso8": "6bfd2bbcfd68",
    "oil-6": "5b6b77e770a1",
    "nyx8": "d5e46489e3eb",
    "ammo-8": "92917de2bcd1",
    "bubblegum-16": "dcaf3a2746f4",
    "rosy-42": "f3a3fda125d2",
    "zughy-32": "1873f753b727",
    "arne-16": "417d4f39bb14",
    "arne-32": "d12eca44e94f",
    "mail24": "2e82895b11a5",
    "pico-8-secret": "6c6412a003df",
    "gameboy-bgb": "c2a5a21f102b",
    "gameboy-pocket": "a003b7010cac",
    "nes": "63ada3dbff94",
    "zx-spectrum": "c36a0104b1ab",
    "msx": "f067973400f4",
    "vic-20": "d2740dcf20d0",
    "apple-ii": "e5aa227f5e90",
    "amstrad-cpc": "0bd4cfee2f83",
    "teletext": "2b19e6532a21",
    "virtual-boy": "dfea1bcf7da7",
    "master-system": "c67d5be935ee",
    "cga0": "9624f62692fd",
    "cga0-high": "98122f09ed0e",
    "cga1-high": "4dd309e5f52d",
    "cga2": "102546fda5e7",
    "cga2-high": "8e08d3cea4bc",
}
