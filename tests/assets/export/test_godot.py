"""Read by godot-parser, and by the engine itself where it is installed."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.export.godot import export
from pixelrouter.assets.sprite import Sprite
from tests.assets.export import sprites

GODOT = os.environ.get("PIXELROUTER_GODOT") or shutil.which("godot") or shutil.which("godot4")
TIMES = (80, 83, 100, 120, 1000, 57)
TAGS = (FrameTag("walk", 0, 3, "pingpong"), FrameTag('say "hi"\\', 4, 5, "reverse"))


# The parser calls pyparsing by names that pyparsing 3.3 warns of.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def read(sprite: Sprite, **where: str) -> Any:
    from godot_parser import GDResource

    text = export(sprite, "hero", "art", **where)["hero.tres"].decode()
    # It knows no names as Godot 4 writes them, &"walk"; plain strings stand in for them.
    return GDResource.parse(text.replace('&"', '"'))


def animations(sprite: Sprite) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(sprite).find_section("resource")["animations"]
    return found


def test_every_frame_has_its_region() -> None:
    sprite = sprites.film(durations=TIMES, tags=TAGS)
    found = read(sprite)
    regions = [(part["region"].args, part["atlas"].id) for part in found.get_sub_resources()]
    assert regions == [([left, top, right - left, bottom - top], "1") for left, top, right, bottom in sprite.boxes]
    assert 'type="SpriteFrames" format=3]' in str(found).splitlines()[0]
    assert "load_steps" not in str(found)


def test_time_is_exact() -> None:
    walk, say = animations(sprites.film(durations=TIMES, tags=TAGS))
    assert (walk["name"], say["name"]) == ("walk", 'say "hi"\\')
    for animation, frames in ((walk, (0, 1, 2, 3, 2, 1)), (say, (5, 4))):
        assert animation["loop"] is True
        shown = [(part["texture"].id, 1000 * part["duration"] / animation["speed"]) for part in animation["frames"]]
        assert [name for name, _ in shown] == [f"frame_{number}" for number in frames]
        assert [time for _, time in shown] == pytest.approx([TIMES[number] for number in frames], abs=1e-9)


def test_names_are_string_names() -> None:
    text = export(sprites.film(), "hero", "")["hero.tres"].decode()
    assert '"name": &"default"' in text


def test_loops() -> None:
    assert [part["loop"] for part in animations(sprites.film(loop=False))] == [False]
    assert [part["loop"] for part in animations(sprites.views())] == [False] * 8
    assert [part["name"] for part in animations(sprites.views())] == list(sprites.views().names)


def test_names_that_the_editor_does_not_take() -> None:
    sprite = sprites.film(tags=[FrameTag("a/b", 0, 1), FrameTag("a_b", 2, 3), FrameTag("x,y", 4, 5)])
    assert [part["name"] for part in animations(sprite)] == ["a_b", "a_b-2", "x y"]


def test_where_the_texture_lies() -> None:
    def path(**where: str) -> str:
        return str(read(sprites.still(), **where).get_ext_resources()[0].path)

    assert path() == "hero.png"
    assert path(root="") == "res://art/hero.png"
    assert path(root="assets/made/") == "res://assets/made/art/hero.png"


def test_corner_tiles_are_a_terrain() -> None:
    order = [5, 0, 15, *(number for number in range(16) if number not in (0, 5, 15))]
    found = read(sprites.wang(order))
    tiles = found.find_sub_resource(type="TileSetAtlasSource")
    assert tiles["texture_region_size"].args == [8, 8]
    for at, number in enumerate(order):
        cell = f"{at % 4}:{at // 4}/0"
        bits = [
            tiles[f"{cell}/terrains_peering_bit/{corner}_corner"]
            for corner in ("top_left", "top_right", "bottom_left", "bottom_right")
        ]
        assert bits == [int(digit) for digit in f"{number:04b}"]
        assert (tiles[cell], tiles[f"{cell}/terrain_set"]) == (0, 0)
        assert tiles[f"{cell}/terrain"] == (number == 15)
    made = found.find_section("resource")
    assert made["terrain_set_0/mode"] == 1  # TileSet.TERRAIN_MODE_MATCH_CORNERS
    assert [made[f"terrain_set_0/terrain_{ground}/name"] for ground in (0, 1)] == ["lower", "upper"]
    lower = [round(255 * value) for value in made["terrain_set_0/terrain_0/color"].args[:3]]
    assert lower == list(bytes.fromhex(sprites.PALETTE[1][1:]))


def test_other_tiles_have_no_terrain() -> None:
    tile = Sprite("grass", (sprites.frame(3),), sprites.PALETTE, "tileset")
    text = export(tile, "grass", "")["grass.tres"].decode()
    assert "0:0/0 = 0" in text
    assert "terrain" not in text


def test_the_import_hint() -> None:
    hint = configparser.ConfigParser()
    hint.read_string(export(sprites.still(), "potion", "art")["potion.png.import"].decode())
    assert dict(hint["remap"]) == {"importer": '"texture"', "type": '"CompressedTexture2D"'}
    assert dict(hint["params"]) == {
        "compress/mode": "0",
        "mipmaps/generate": "false",
        "process/fix_alpha_border": "true",
        "detect_3d/compress_to": "0",
    }


PROBE = """
extends SceneTree
func _init():
    var told = {}
    var frames = load("res://some/where/art/hero.tres")
    for name in frames.get_animation_names():
        var shown = []
        for at in frames.get_frame_count(name):
            var picture = frames.get_frame_texture(name, at)
            var time = 1000 * frames.get_frame_duration(name, at) / frames.get_animation_speed(name)
            shown.append([time, Marshalls.raw_to_base64(picture.get_image().get_data())])
        told[name] = [frames.get_animation_loop(name), shown]
    var layer = TileMapLayer.new()
    layer.tile_set = load("res://some/where/art/shore.tres")
    root.add_child(layer)
    for y in 12:
        for x in 12:
            layer.set_cell(Vector2i(x, y), 0, Vector2i(0, 0))
    var island = [Vector2i(3, 3), Vector2i(4, 3), Vector2i(5, 4), Vector2i(8, 8)]
    layer.set_cells_terrain_connect(island, 0, 1)
    var rows = []
    for y in 12:
        for x in 12:
            var place = layer.get_cell_atlas_coords(Vector2i(x, y))
            rows.append(place.y * 4 + place.x)
    print("TOLD", JSON.stringify({"frames": told, "map": rows}))
    quit()
"""


@pytest.mark.slow
@pytest.mark.skipif(GODOT is None, reason="Godot 4 is not installed; PIXELROUTER_GODOT names its binary")
def test_godot_itself_reads_what_we_write(tmp_path: Path) -> None:
    """Both files in a folder of any depth: each frame's pixels and time, and an island painted with the terrain."""
    hero, shore = sprites.film(durations=TIMES, tags=TAGS), sprites.wang()
    folder = tmp_path / "some" / "where" / "art"
    folder.mkdir(parents=True)
    for sprite in (hero, shore):
        for name, data in export(sprite, sprite.name, "art").items():
            (folder / name).write_bytes(data)
        sprite.sheet.save(folder / f"{sprite.name}.png")
    (tmp_path / "project.godot").write_text("config_version=5\n")
    (tmp_path / "probe.gd").write_text(PROBE)
    command = [str(GODOT), "--headless", "--path", str(tmp_path)]
    run = {"env": {**os.environ, "HOME": str(tmp_path)}, "capture_output": True, "text": True, "timeout": 300}
    subprocess.run([*command, "--import"], check=True, **run)  # type: ignore[call-overload]  # one dict of options
    done = subprocess.run([*command, "-s", "probe.gd"], check=True, **run)  # type: ignore[call-overload]  # the same
    assert "ERROR" not in done.stdout + done.stderr
    told = json.loads(done.stdout.partition("TOLD")[2])

    import base64

    walk, say = told["frames"]["walk"], told["frames"]['say "hi"\\']
    for (loop, shown), frames in ((walk, (0, 1, 2, 3, 2, 1)), (say, (5, 4))):
        assert loop is True
        assert [time for time, _ in shown] == pytest.approx([TIMES[number] for number in frames], rel=1e-6)
        seen = [_visible(base64.b64decode(data)) for _, data in shown]
        assert seen == [_visible(sprites.cell(hero, number)) for number in frames]
    _assert_fits(told["map"])
    hint = (folder / "hero.png.import").read_text()
    assert all(line in hint for line in ("compress/mode=0", "mipmaps/generate=false", "detect_3d/compress_to=0"))


def _visible(rgba: bytes) -> list[bytes]:
    """Pixels; clear ones alike, since Godot gives them their neighbours' colours."""
    pixels = [rgba[at : at + 4] for at in range(0, len(rgba), 4)]
    return [pixel if pixel[3] else b"" for pixel in pixels]


def _assert_fits(cells: list[int]) -> None:
    """Cells that touch have equal corners, and the island is where it was painted."""
    codes = [f"{cell:04b}" for cell in cells]
    for y in range(12):
        for x in range(12):
            here = codes[12 * y + x]
            if x < 11:
                beside = codes[12 * y + x + 1]
                assert (here[1], here[3]) == (beside[0], beside[2])
            if y < 11:
                below = codes[12 * y + 12 + x]
                assert (here[2], here[3]) == (below[0], below[1])
    assert [(at % 12, at // 12) for at, cell in enumerate(cells) if cell == 15] == [(3, 3), (4, 3), (5, 4), (8, 8)]
