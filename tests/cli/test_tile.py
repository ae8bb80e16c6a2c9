"""tile: seams checked with an exit code for scripts, previews, seams taken out, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from pixelrouter.backends.procedural.grounds import seamless, wang

Cli = Callable[..., Result]
Json = Callable[..., Any]


@pytest.fixture
def tiles(home: Path) -> Path:
    """A tile that repeats, and a piece of one that does not."""
    sprite = seamless("lava", 1, 64, 64)
    rgb = np.array(sprite.palette, np.uint8)[sprite.pixels]
    Image.fromarray(rgb).save(home / "lava.png")
    Image.fromarray(rgb[5:45, 10:52]).save(home / "piece.png")
    return home


def test_a_seam_that_shows_fails_the_build(cli: Cli, tiles: Path) -> None:
    good = cli("tile", "check", "lava.png")
    assert good.exit_code == 0, good.output
    assert "tileable" in good.stdout
    bad = cli("tile", "check", "lava.png", "piece.png", "--picture", "look.png")
    assert bad.exit_code == 3
    assert "seam shows" in bad.stdout
    with Image.open("look.png") as picture:
        assert min(picture.size) > 190


def test_checking_as_json(cli_json: Json, tiles: Path) -> None:
    good, bad = cli_json("tile", "check", "lava.png", "piece.png", code=3)
    assert (good["tileable"], bad["tileable"]) == (True, False)
    assert bad["score"] == max(bad["x"], bad["y"]) > 0.5 > good["score"]
    (row,) = cli_json("tile", "check", "piece.png", "--max-score", "99")
    assert row["tileable"]
    (row,) = cli_json("tile", "check", "lava.png", "--axes", "x")
    assert row["y"] is None


def test_a_bad_file_does_not_stop_the_rest(cli: Cli, cli_json: Json, tiles: Path) -> None:
    (tiles / "text.png").write_text("no picture")
    first, second = cli_json("tile", "check", "text.png", "lava.png", code=2)
    assert first["error"]["type"] == "UnreadableImage"
    assert second["tileable"]
    assert "error: text.png" in cli("tile", "check", "text.png", "lava.png").stderr


def test_a_seam_is_taken_out(cli: Cli, cli_json: Json, tiles: Path) -> None:
    result = cli("tile", "seamless", "piece.png")
    assert result.exit_code == 0, result.output
    assert result.stdout == "piece-seamless.png\n"
    assert "seam " in result.stderr
    (row,) = cli_json("tile", "seamless", "piece.png", "-o", "done.png")
    assert row["after"]["tileable"]
    assert not row["before"]["tileable"]
    with Image.open("piece.png") as before, Image.open("done.png") as after:
        assert after.size == before.size
        colors = {color for _, color in before.convert("RGB").getcolors()}
        assert {color for _, color in after.convert("RGB").getcolors()} <= colors


def test_tiles_side_by_side(cli: Cli, tiles: Path) -> None:
    result = cli("tile", "preview", "lava.png", "--scale", "2")
    assert result.stdout == "lava-3x3.png\n"
    with Image.open("lava-3x3.png") as picture:
        assert picture.size == (384, 384)


def test_a_set_of_corner_tiles(cli: Cli, cli_json: Json, tiles: Path) -> None:
    (tiles / "set").mkdir()
    for code, tile in wang("water", "sand", 1, 16, 16).items():
        Image.fromarray(np.array(tile.palette, np.uint8)[tile.pixels]).save(tiles / "set" / f"wang-{code}.png")
    good = cli("tile", "check", "set", "--wang", "--picture", "map.png")
    assert good.exit_code == 0, good.output
    assert "the set fits" in good.stderr
    with Image.open("map.png") as picture:
        assert picture.size == (128, 96)
    assert cli("tile", "preview", "set", "--wang", "-o", "other.png").stdout == "other.png\n"
    with Image.open("set/wang-0110.png") as tile:
        tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("set/wang-0110.png")
    bad = cli_json("tile", "check", "set", "--wang", code=3)
    assert not bad["fits"]
    (tiles / "set" / "wang-1111.png").unlink()
    assert "missing: wang-1111" in cli("tile", "check", "set", "--wang").stderr


def test_a_picture_that_is_no_tile_of_the_set_is_named(cli: Cli, tiles: Path) -> None:
    sprite = seamless("lava", 1, 16, 16)
    for name, side in (("wang-0000", 16), ("wang-0000-3x3", 48)):
        Image.fromarray(np.array(sprite.palette, np.uint8)[sprite.pixels]).resize((side, side)).save(f"{name}.png")
    result = cli("tile", "check", "wang-*.png", "--wang")
    assert result.exit_code == 2
    assert "wang-0000-3x3 is 48x48, wang-0000 16x16" in result.stderr


def test_quiet_leaves_only_the_table(cli: Cli, tiles: Path) -> None:
    loud = cli("tile", "check", "piece.png", "--picture", "look.png")
    quiet = cli("tile", "check", "piece.png", "--picture", "look.png", "--quiet")
    assert loud.stderr == "drawn: look.png\n"
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (3, loud.stdout, "")


def test_patterns_and_folders_mean_the_same_files(cli_json: Json, tiles: Path) -> None:
    named = cli_json("tile", "check", "lava.png", "piece.png", code=3)
    assert cli_json("tile", "check", "*.png", code=3) == named
    (tiles / "more").mkdir()
    for name in ("b.png", "a.JPEG", ".hidden.png"):
        with Image.open("lava.png") as picture:
            picture.convert("RGB").save(tiles / "more" / name)
    (tiles / "more" / "notes.txt").write_text("no picture")
    rows = cli_json("tile", "check", "more", "more/b.png", "--max-score", "99")
    assert [row["source"] for row in rows] == ["more/a.JPEG", "more/b.png"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("check", "nothing*.png"), "No file matches"),
        (("check", "nothing.png"), "nothing.png"),
        (("check", "lava.png", "--axes", "z"), "Use one of"),
        (("check", "lava.png", "--wang"), "corners"),
        (("seamless", "lava.png", "-o", "lava.png"), "overwrite"),
        (("preview", "lava.png", "-o", "look.jpg"), ".png"),
    ],
)
def test_what_cannot_be_done_is_said_so(cli: Cli, tiles: Path, args: tuple[str, ...], says: str) -> None:
    result = cli("tile", *args)
    assert result.exit_code == 2
    assert says in result.output
