"""sheet: cutting, finishing, registering and packing from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from typer.testing import Result

Cli = Callable[..., Result]
Json = Callable[..., Any]


def figure(color: str, shift: tuple[int, int] = (0, 0)) -> Image.Image:
    """A figure of 10 x 14 pixels somewhere in a cell of 20."""
    image = Image.new("RGBA", (20, 20))
    pen = ImageDraw.Draw(image)
    x, y = 5 + shift[0], 3 + shift[1]
    pen.ellipse((x, y, x + 9, y + 8), fill=color, outline="#101018")
    pen.rectangle((x + 2, y + 8, x + 7, y + 13), fill=color, outline="#101018")
    pen.point((x + 3, y + 4), fill="#ffffff")
    return image


@pytest.fixture
def strip(home: Path) -> Path:
    """Four figures that stray, in one row."""
    image = Image.new("RGBA", (80, 20))
    for at, shift in enumerate([(0, 0), (2, -1), (-2, 1), (1, 2)]):
        image.paste(figure("#4080c0", shift), (at * 20, 0))
    image.save(home / "walk.png")
    return home


def test_cells_become_files(cli: Cli, strip: Path) -> None:
    result = cli("sheet", "slice", "walk.png", "--cells", "20", "-o", "out", "--picture", "cuts.png")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [f"out/walk-{at}.png" for at in range(1, 5)]
    with Image.open("walk.png") as sheet, Image.open("out/walk-2.png") as image:
        assert image.convert("RGBA").tobytes() == sheet.convert("RGBA").crop((20, 0, 40, 20)).tobytes()
    with Image.open("cuts.png") as picture:
        assert picture.size == (800, 200)


def test_gutters_are_the_default_and_boxes_are_told(cli_json: Json, strip: Path) -> None:
    found = cli_json("sheet", "slice", "walk.png")
    assert found["by"] == "gutters"
    assert found["images"][0]["box"] == [5, 3, 15, 17]
    assert Path(found["images"][3]["file"]).exists()


def test_every_image_is_finished_with_one_palette(cli_json: Json, strip: Path) -> None:
    with Image.open("walk.png") as image:
        image.resize((80 * 7, 20 * 7), Image.Resampling.NEAREST).save("big.png")
    args = ("--grid", "4x1", "--anchor", "feet", "--colors", "4", "-o", "out")
    found = cli_json("sheet", "finish", "big.png", *args)
    assert len(found["images"]) == 4
    assert len(found["palette"]) == 3
    assert {row["method"] for row in found["images"]} == {"snap"}
    pictures = []
    for row in found["images"]:
        with Image.open(row["file"]) as image:
            assert image.mode == "P"
            pictures.append(image.convert("RGBA").tobytes())
    assert len(set(pictures)) == 1


def test_registering_tells_the_jitter_before_and_after(cli: Cli, cli_json: Json, strip: Path) -> None:
    cli("sheet", "slice", "walk.png", "--cells", "20x20", "-o", "loose")
    result = cli("sheet", "register", "loose", "-o", "still")
    assert result.exit_code == 0, result.output
    assert "jitter 1.48, 1.12 -> 0.00, 0.00 pixels" in result.stderr
    found = cli_json("sheet", "register", "loose", "-o", "still", "--anchor", "centre", "--axes", "x")
    assert found["jitter_after"][0] == 0
    assert found["jitter_after"][1] == found["jitter_before"][1]
    assert [shift[0] for shift in found["shifts"]] == [0, -2, 2, -1]


def test_a_film_is_registered_frame_by_frame(cli_json: Json, home: Path) -> None:
    frames = [figure("#4080c0", shift) for shift in ((0, 0), (2, 1), (-1, 2))]
    frames[0].save("film.png", save_all=True, append_images=frames[1:], duration=80)
    found = cli_json("sheet", "register", "film.png", "-o", "still")
    assert found["files"] == ["still/film-1.png", "still/film-2.png", "still/film-3.png"]


def test_packing_writes_the_sheet_and_its_json(cli: Cli, strip: Path) -> None:
    cli("sheet", "slice", "walk.png", "--cells", "20", "-o", "frames")
    result = cli("sheet", "pack", "frames", "-o", "atlas.png", "--trim", "--spacing", "1", "--power-of-two")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["atlas.png", "atlas.json"]
    data = json.loads(Path("atlas.json").read_text("utf-8"))
    assert [frame["filename"] for frame in data["frames"]] == [f"walk-{at}" for at in range(1, 5)]
    with Image.open("atlas.png") as image:
        assert image.size == (data["meta"]["size"]["w"], data["meta"]["size"]["h"]) == (32, 32)
        first = data["frames"][0]["frame"]
        part = image.convert("RGBA").crop((first["x"], first["y"], first["x"] + first["w"], first["y"] + first["h"]))
    assert part.tobytes() == figure("#4080c0").crop((5, 3, 15, 17)).tobytes()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("slice", "walk.png", "--cells", "20", "--views"), "use one of them"),
        (("slice", "walk.png", "--cells", "0"), "is not N or NxM"),
        (("slice", "walk.png", "--cells", "999"), "cannot be cut"),
        (("slice", "nothing.png"), "nothing.png"),
        (("slice", "walk.png", "-o", "walk.png"), "not a folder"),
        (("register", "walk.png", "--anchor", "nose"), "Use one of"),
        (("pack", "walk.png", "-o", "atlas.gif"), ".png"),
        (("pack", "empty", "-o", "atlas.png"), "No image lies in empty"),
    ],
)
def test_what_cannot_be_done_is_said_so(cli: Cli, strip: Path, args: tuple[str, ...], says: str) -> None:
    (strip / "empty").mkdir()
    result = cli("sheet", *args)
    assert result.exit_code == 2
    assert says in result.output


def test_an_error_is_json_as_well(cli_json: Json, strip: Path) -> None:
    assert cli_json("sheet", "slice", "nothing.png", code=2)["error"]["type"] == "UnreadableImage"
