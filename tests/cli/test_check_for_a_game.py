"""check on hand-made art for a game: what is asked for outright has to be so, tiles repeat, feet stay on one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import check
from tests.assets.drawn import INK, PALETTE, RED, bricks, canvas, potion, slope, walk


def saved(path: Path, rgba: np.ndarray, factor: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgba.repeat(factor, 0).repeat(factor, 1)).save(path)
    return path


def sheet(*rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def test_what_is_asked_for_has_to_be_so_to_the_last_pixel(cli: Any, cli_json: Any, home: Path) -> None:
    one_off = potion()
    one_off[20, 12, :3] = (177, 62, 84)  # next to the palette's red, and to the eye the same
    saved(home / "art" / "potion.png", one_off)
    assert cli("check", "art/potion.png").exit_code == 0
    colors = ",".join(PALETTE)
    (found,) = cli_json("check", "art/potion.png", "--palette", colors, code=3)
    assert found["score"] > 90
    assert found["required"] == ["colors"]
    assert cli("check", "art/potion.png", "--colors", "4").exit_code == 3
    assert cli("check", "art/potion.png", "--colors", "5", "--size", "32").exit_code == 0
    assert cli("check", "art/potion.png", "--size", "31").exit_code == 3
    saved(home / "art" / "potion.png", potion())
    assert cli("check", "art/potion.png", "--palette", colors).exit_code == 0


@pytest.mark.parametrize(("rule", "pixel"), [("alpha", (177, 62, 83, 200)), ("hidden", (1, 1, 1, 0))])
def test_rules_can_be_required(cli: Any, home: Path, rule: str, pixel: tuple[int, ...]) -> None:
    spoiled = potion()
    spoiled[20, 12] = pixel
    saved(home / "potion.png", spoiled)
    assert cli("check", "potion.png").exit_code == 0
    result = cli("check", "potion.png", "--require", f"orphans, {rule}")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[1] == "potion.png:"  # and first of all what made it fail
    assert {"alpha": "half transparent", "hidden": "clear"}[rule] in result.stderr.splitlines()[2]
    saved(home / "potion.png", potion())
    assert cli("check", "potion.png", "--require", f"alpha,hidden,{rule}").exit_code == 0


def test_tiles_show_no_seam(cli: Any, cli_json: Any, home: Path) -> None:
    saved(home / "wall.png", bricks())
    saved(home / "hill.png", slope())
    rows = {row["source"]: row for row in cli_json("check", "*.png", "--tile", code=3)}
    assert rows["wall.png"]["passed"]
    assert not rows["hill.png"]["passed"]
    assert [one["rule"] for one in rows["hill.png"]["findings"] if one["rule"] == "seam"]
    assert cli("check", "wall.png", "--tile").exit_code == 0
    assert cli("check", "hill.png", "--tile", "--axes", "x").exit_code == 0
    assert cli("check", "hill.png", "--tile", "--max-seam", "99").exit_code == 0
    saved(home / "large.png", bricks(), 8)
    assert cli("check", "large.png", "--tile").exit_code == 0
    saved(home / "both.png", sheet([bricks(), bricks()], [bricks(), slope()]))
    (found,) = cli_json("check", "both.png", "--tile", "--sheet", "16", code=3)
    assert [one["boxes"] for one in found["findings"] if one["rule"] == "seam"] == [[[16, 16, 32, 32]]]


def test_a_sheet_is_made_of_whole_cells(cli: Any, home: Path) -> None:
    saved(home / "walk.png", sheet(walk()))
    assert cli("check", "walk.png", "--sheet", "32x32").exit_code == 0
    assert cli("check", "walk.png", "--sheet", "30x32").exit_code == 3
    result = cli("check", "walk.png", "--sheet", "32x20")
    assert result.exit_code == 3
    assert "The sheet of 128x32 is not made of cells of 32x20." in result.stderr


@pytest.mark.parametrize("factor", [1, 4])
def test_rows_of_a_sheet_are_animations(cli: Any, cli_json: Any, home: Path, factor: int) -> None:
    saved(home / "good.png", sheet(walk(), walk(dx=2)), factor)
    saved(home / "bad.png", sheet(walk(), walk(dy=-4)), factor)
    cell = ("--sheet", str(32 * factor), *(("--native",) if factor == 1 else ()))  # coarse shapes may be anything
    assert cli("check", "good.png", *cell, "--frames").exit_code == 0
    assert cli("check", "bad.png", *cell).exit_code == 0
    (found,) = cli_json("check", "bad.png", *cell, "--frames", code=3)
    (jitter,) = (one for one in found["findings"] if one["rule"] == "jitter")
    assert jitter["what"].startswith(f"The feet of frame 2 are {4 * factor} pixels off")
    assert jitter["boxes"] == [[64 * factor, 32 * factor, 96 * factor, 64 * factor]]
    assert cli("check", "bad.png", *cell, "--frames", "--max-jitter", str(4 * factor)).exit_code == 0


def film(path: Path, frames: list[np.ndarray]) -> None:
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(path, save_all=True, append_images=images[1:], duration=100, disposal=1)


def test_moving_pictures_and_files_of_frames(cli: Any, cli_json: Any, home: Path) -> None:
    film(home / "good.png", walk())
    film(home / "bad.png", walk(dy=-4))
    assert cli("check", "good.png", "--frames", "--native").exit_code == 0
    assert cli("check", "bad.png", "--native").exit_code == 0
    assert cli("check", "bad.png", "--native", "--frames").exit_code == 3
    for name, frames in (("calm", walk()), ("wild", walk(dy=-4))):
        for number, frame in enumerate(frames):
            saved(home / name / f"{number}.png", frame)
    assert cli("check", "calm", "--frames", "--native").exit_code == 0
    assert cli("check", "wild", "--native").exit_code == 0
    rows = cli_json("check", "wild", "--frames", "--native", code=3)
    assert [row["passed"] for row in rows] == [True, True, False, True]


def test_patterns_that_no_shell_expanded(cli: Any, cli_json: Any, home: Path) -> None:
    saved(home / "art" / "a.png", potion())
    saved(home / "art" / "deep" / "b.png", potion())
    assert len(cli_json("check", "art/*.png")) == 1
    assert len(cli_json("check", "art/**/*.png")) == 2
    assert cli("check", "art/*.gif").exit_code == 2


def test_wrong_words(cli: Any, home: Path) -> None:
    saved(home / "a.png", potion())
    assert cli("check", "a.png", "--require", "beauty").exit_code == 2
    assert cli("check", "a.png", "--tile", "--axes", "z").exit_code == 2
    with pytest.raises(InvalidRequest, match="no rule 'beauty'") as error:
        check(potion(), required=["beauty"])
    assert "jitter" in (error.value.hint or "")


def test_from_python() -> None:
    report = check(potion(), palette=PALETTE, size=(32, 32), required=["colors", "size", "alpha", "hidden"])
    assert (report.passed, report.unmet) == (True, ())
    spoiled = potion()
    spoiled[20, 12] = (1, 2, 3, 128)
    report = check(spoiled, palette=PALETTE, required=["colors", "alpha", "hidden"])
    assert report.unmet == ("colors", "alpha")
    assert not report.passed
    assert json.dumps(report.as_dict())
    empty = check(sheet([canvas(), canvas()]), cell=(32, 32), moves=True)
    assert empty["jitter"].score == 100
    flat = canvas(16, 16, RED)
    flat[:8] = (*INK, 255)
    assert check(flat, tile="both")["seam"].score < 100
    assert check(flat, tile="x")["seam"].score == 100
