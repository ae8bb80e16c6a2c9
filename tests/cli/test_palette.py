"""``palette``: list, show, convert and extract, in words, as data, and when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelrouter.pixels import PALETTE_FORMATS, built_ins, read_palette, write_palette

GAME_BOY = "#9bbc0f\n#8bac0f\n#306230\n#0f380f\n"


def size(file: str) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


def test_list(cli: Any, cli_json: Any) -> None:
    text = cli("palette", "list").stdout
    rows = cli_json("palette", "list")
    assert [row["key"] for row in rows] == sorted(built_ins())
    assert all(row["author"] and row["source"] and row["licence_note"] for row in rows)
    assert all(row["key"] in text and row["author"] in text for row in rows)


def test_show_is_plain_in_a_pipe(cli: Any, home: Path) -> None:
    shown = cli("palette", "show", "Game Boy")
    assert shown.stdout == GAME_BOY
    assert shown.stderr == "Game Boy: 4 colours\n"
    write_palette("a.gpl", ["#102030", "#ff8800"], ["night", "warm orange"], alpha=(255, 0))
    assert cli("palette", "show", "a.gpl", "-q").stdout == "#102030  night\n#ff8800  alpha 0  warm orange\n"


def test_show_as_data_and_as_picture(cli_json: Any, home: Path) -> None:
    shown = cli_json("palette", "show", "zx-spectrum", "--png", "zx.png")
    assert shown["colors"] == list(built_ins()["zx-spectrum"].colors)
    assert shown["png"] == "zx.png"
    assert size("zx.png") == (15 * 24, 24)
    assert read_palette("zx.png").colors == built_ins()["zx-spectrum"].colors
    assert cli_json("palette", "show", "resurrect-64", "--png", "r.png")["name"] == "Resurrect 64"
    assert size("r.png") == (16 * 24, 4 * 24)


def test_convert_from_any_to_any(cli: Any, home: Path) -> None:
    """In a ring through all formats: each is read once and written once."""
    last = "pico-8"
    for kind, ending in PALETTE_FORMATS.items():
        assert cli("palette", "convert", last, f"{kind}-of{ending}").stdout == f"{kind}-of{ending}\n"
        last = f"{kind}-of{ending}"
        assert read_palette(last).format == kind
        assert read_palette(last).colors == built_ins()["pico-8"].colors


def test_convert_says_what_is_lost(cli: Any, cli_json: Any, home: Path) -> None:
    write_palette("a.aseprite", ["#102030", "#ff8800"], ["night", ""], alpha=(255, 0), transparent=1)
    told = cli("palette", "convert", "a.aseprite", "a.hex").stderr
    assert [word in told for word in ("names", "alpha", "transparent index")] == [True] * 3
    data = cli_json("palette", "convert", "a.aseprite", "b.gpl", "--name", "Mine")
    assert (data["transparent"], len(data["lost"])) == (1, 2)
    assert read_palette("b.gpl").name == "Mine"
    cli("palette", "convert", "a.hex", "a.dat", "--format", "act")
    assert Path("a.dat").stat().st_size == 772
    cli("palette", "convert", "a.hex", "a.png", "--scale", "8")
    assert size("a.png") == (16, 8)


@pytest.fixture
def art(home: Path) -> Path:
    (home / "art" / "deep").mkdir(parents=True)
    for name, colors in {"a": ["#102030", "#ff8800"], "deep/b": ["#102030", "#00cc44", "#00cd44"]}.items():
        image = Image.new("RGBA", (len(colors), 2))
        for x, color in enumerate(colors):
            image.paste(color, (x, 0, x + 1, 2))
        image.save(home / "art" / f"{name}.png")
    return home / "art"


def test_extract_keeps_every_color(cli: Any, cli_json: Any, art: Path) -> None:
    made = cli("palette", "extract", "art", "-o", "out/shared.gpl", "--name", "Game")
    assert made.stdout == "out/shared.gpl\n"
    assert made.stderr == "2 images | 4 colours, 4 kept | all of them exactly\n"
    assert set(read_palette("out/shared.gpl").colors) == {"#102030", "#ff8800", "#00cc44", "#00cd44"}
    assert read_palette("out/shared.gpl").name == "Game"
    data = cli_json("palette", "extract", "art")
    assert data["file"] is None
    assert [(Path(one["name"]).name, one["changed"]) for one in data["images"]] == [("a.png", 0), ("b.png", 0)]


def test_extract_with_a_limit_reports_what_changes(cli: Any, art: Path) -> None:
    made = cli("palette", "extract", "art", "--colors", "3")
    assert sorted(made.stdout.split()) == ["#00cc44", "#102030", "#ff8800"]
    assert "b.png: 2 of 6 pixels change, by 0.00" in made.stderr
    assert "2 images | 4 colours, 3 kept | 1 of them exactly" in made.stderr


def test_extract_warns_of_what_is_no_pixel_art(cli: Any, home: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save("noise.png")
    told = cli("palette", "extract", "noise.png", "--colors", "8").stderr
    assert "noise.png has 1600 colours. If it is pixel art, `pixelrouter finish` it first." in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "pico-9"], "Did you mean 'pico-8'"),
        (["show", "gone.gpl"], "gone.gpl"),
        (["show", "gameboy", "--png", "a.jpg"], ".png"),
        (["convert", "gameboy", "a.bmp"], "not a palette file"),
        (["convert", "gameboy", "a.hex", "--format", "bmp"], "no palette format"),
        (["convert", "a.hex", "a.hex"], "overwrite"),
        (["convert", "gameboy", "folder"], "is a folder"),
        (["extract", "nothing"], "nothing"),
        (["extract", "folder"], "No image"),
        (["extract", "a.png", "-o", "a.png"], "overwrite"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_with_2(words: list[str], told: str, cli: Any, home: Path) -> None:
    Path("folder").mkdir()
    Path("a.hex").write_text("ff8800\n")
    Image.new("RGB", (2, 2)).save("a.png")
    before = Path("a.hex").read_bytes(), Path("a.png").read_bytes()
    failed = cli("palette", *words)
    assert failed.exit_code == 2
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr
    assert json.loads(cli("palette", *words, "--json").stdout)["error"]["exit_code"] == 2
    assert (Path("a.hex").read_bytes(), Path("a.png").read_bytes()) == before
