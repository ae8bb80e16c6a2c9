"""Read by pytiled-parser, and drawn by Tiled itself where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.export.tiled import export
from pixelrouter.assets.sprite import Sprite
from tests.assets.export import sprites

RASTERIZER = os.environ.get("PIXELROUTER_TMXRASTERIZER") or shutil.which("tmxrasterizer")
TIMES = (80, 83, 100, 120, 1000, 57)


def written(sprite: Sprite, folder: Path) -> Path:
    """The tileset file beside its picture."""
    for name, data in export(sprite, sprite.name, "").items():
        (folder / name).write_bytes(data)
    sprite.sheet.save(folder / f"{sprite.name}.png")
    return folder / f"{sprite.name}.tsx"


def a_map(folder: Path, tileset: str, cells: list[list[int]], size: tuple[int, int]) -> Path:
    """A map of tile numbers."""
    rows = ",\n".join(",".join(str(number + 1) for number in row) for row in cells)
    width, height = len(cells[0]), len(cells)
    path = folder / "level.tmx"
    sides = f'width="{width}" height="{height}"'
    path.write_text(
        f'<map version="1.10" tiledversion="1.10.2" orientation="orthogonal" renderorder="right-down" {sides}'
        f' tilewidth="{size[0]}" tileheight="{size[1]}" infinite="0" nextlayerid="2" nextobjectid="1">'
        f'<tileset firstgid="1" source="{tileset}"/><layer id="1" name="ground" {sides}>'
        f'<data encoding="csv">\n{rows}\n</data></layer></map>'
    )
    return path


def read(sprite: Sprite, folder: Path) -> Any:
    from pytiled_parser import parse_map

    tileset = written(sprite, folder)
    return parse_map(a_map(folder, tileset.name, [[0]], sprite.size)).tilesets[1]


def test_tiles_and_their_picture(tmp_path: Path) -> None:
    found = read(sprites.views(), tmp_path)
    assert (found.name, found.tile_width, found.tile_height) == ("hero", 12, 16)
    assert (found.tile_count, found.columns) == (8, 3)
    with Image.open(found.image) as picture:
        assert picture.size == (found.image_width, found.image_height) == (36, 48)
    named = {number: tile.properties["name"] for number, tile in found.tiles.items()}
    assert named == dict(enumerate(sprites.views().names))
    assert found.wang_sets is None


def test_a_still_is_a_tileset_of_one(tmp_path: Path) -> None:
    found = read(sprites.still(), tmp_path)
    assert (found.tile_count, found.columns, found.tiles) == (1, 1, None)


def test_animations_in_milliseconds(tmp_path: Path) -> None:
    tags = [FrameTag("walk", 0, 3, "pingpong"), FrameTag("again", 0, 1), FrameTag("back", 4, 5, "reverse")]
    found = read(sprites.film(durations=TIMES, tags=tags), tmp_path)
    moving = {number: [(f.tile_id, f.duration) for f in tile.animation] for number, tile in found.tiles.items()}
    assert moving == {
        0: [(0, 80), (1, 83), (2, 100), (3, 120), (2, 100), (1, 83)],
        5: [(5, 57), (4, 1000)],
    }
    assert [found.tiles[number].properties["name"] for number in (0, 5)] == ["walk", "back"]


def test_corner_tiles_are_a_wang_set(tmp_path: Path) -> None:
    order = [6, *(number for number in range(16) if number != 6)]
    found = read(sprites.wang(order), tmp_path)
    (wang,) = found.wang_sets
    assert (wang.name, wang.wang_type, wang.tile) == ("shore", "corner", -1)
    lower, upper = wang.wang_colors
    assert (lower.name, lower.tile, lower.probability, upper.name, upper.tile) == ("lower", 1, 1, "upper", 15)
    assert (*lower.color[:3], *upper.color[:3]) == (0x36, 0x90, 0xDE, 0xD6, 0xBA, 0x7A)
    assert len(wang.wang_tiles) == 16
    # wang-0110 is upper in the north-east and the south-west; ids go clockwise from the top, corners second.
    assert wang.wang_tiles[0].wang_id == [0, 2, 0, 1, 0, 2, 0, 1]
    for number, tile in wang.wang_tiles.items():
        _, north_east, _, south_east, _, south_west, _, north_west = tile.wang_id
        bits = (value - 1 for value in (north_west, north_east, south_west, south_east))
        assert "".join(map(str, bits)) == f"{order[number]:04b}"


def test_the_first_tile_can_be_an_icon(tmp_path: Path) -> None:
    (wang,) = read(sprites.wang(), tmp_path).wang_sets
    assert [color.tile for color in wang.wang_colors] == [0, 15]


def test_part_of_a_set(tmp_path: Path) -> None:
    (wang,) = read(sprites.wang([3, 12]), tmp_path).wang_sets
    assert [color.tile for color in wang.wang_colors] == [-1, -1]
    assert set(wang.wang_tiles) == {0, 1}
    assert wang.wang_colors[0].color != wang.wang_colors[1].color


@pytest.mark.parametrize(
    ("pivot", "alignment"),
    [
        (None, None),
        ((0, 0), "topleft"),
        ((0.5, 1), "bottom"),
        ((0.5, 0.5), "center"),
        ((1, 0.4), "right"),
        ((0.6, -3), "top"),
        ((7, 7), "bottomright"),
    ],
)
def test_the_pivot_holds_objects(pivot: tuple[float, float] | None, alignment: str | None, tmp_path: Path) -> None:
    assert read(sprites.film(pivot=pivot), tmp_path).alignment == alignment


def test_names_of_any_kind() -> None:
    name = "a<b>&\"c' \x01\ud800é"
    sprite = Sprite(name, sprites.views().frames, sprites.PALETTE, "views", ("]]>", name, *"cdefgh"))
    root = ElementTree.fromstring(export(sprite, 'x"&y', "")['x"&y.tsx'])
    assert root.attrib["name"] == "a<b>&\"c' __é"
    assert root.find("image").attrib["source"] == 'x"&y.png'  # type: ignore[union-attr]  # it is there
    assert [one.attrib["value"] for one in root.iter("property")][:2] == ["]]>", "a<b>&\"c' __é"]


@pytest.mark.slow
@pytest.mark.skipif(RASTERIZER is None, reason="Tiled is not installed; PIXELROUTER_TMXRASTERIZER names the binary")
def test_tiled_itself_draws_what_we_write(tmp_path: Path) -> None:
    """A map of every corner tile, and each frame of an animation at its time."""

    def drawn(level: Path, *options: str) -> Image.Image:
        target = tmp_path / "drawn.png"
        command = [str(RASTERIZER), *options, str(level), str(target)]
        subprocess.run(
            command, check=True, capture_output=True, timeout=120, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        )
        with Image.open(target) as picture:
            return picture.convert("RGBA")

    shore = sprites.wang()
    cells = [[3 * y + 7 * x & 15 for x in range(7)] for y in range(5)]
    picture = drawn(a_map(tmp_path, written(shore, tmp_path).name, cells, shore.size))
    expected = Image.new("RGBA", (56, 40))
    for y, row in enumerate(cells):
        for x, number in enumerate(row):
            expected.paste(shore.frames[number].convert("RGBA"), (8 * x, 8 * y))
    assert (picture.size, picture.tobytes()) == (expected.size, expected.tobytes())

    hero = sprites.film(durations=TIMES, tags=[FrameTag("walk", 0, 3, "pingpong")])
    level = a_map(tmp_path, written(hero, tmp_path).name, [[0]], hero.size)
    moments = {0: 0, 79: 0, 81: 1, 162: 1, 164: 2, 264: 3, 384: 2, 484: 1, 567: 0}
    for moment, number in moments.items():
        picture = drawn(level, "--advance-animations", str(moment))
        assert (moment, picture.tobytes()) == (moment, sprites.cell(hero, number))
