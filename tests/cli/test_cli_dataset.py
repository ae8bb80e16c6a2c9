"""``pixelrouter dataset``: options, what is printed, exit codes, and a game's picks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixelrouter.assets.lock import Candidate, Lock, Locked, Output, Pick, Price, write_lock
from tests.dataset.art import enlarged, photo, sprite

SMALL = ("--resolution", "256", "--jobs", "1")


@pytest.fixture
def art(home: Path) -> Path:
    folder = home / "art"
    folder.mkdir()
    enlarged(sprite(1, clear=True), 8).save(folder / "potion.png")
    enlarged(sprite(2, (32, 48)), 6).save(folder / "wizard.png")
    (folder / "potion.txt").write_text("a red potion")
    photo().save(folder / "photo.png")
    return folder


def test_prepare_and_verify(art: Path, cli) -> None:
    result = cli("dataset", "prepare", art, "-o", "set", *SMALL, "--trigger", "pixly", "--factor", "4,8", "--square")
    assert result.exit_code == 0, result.output
    assert "256x256" in result.stdout
    assert "x4" in result.stdout
    for words in ("no grid: 1 (photo.png)", "no caption for 1: wizard", "2 to train", "dataset.html"):
        assert words in result.stderr
    assert Path("set/train/potion.txt").read_text() == "pixly, a red potion\n"
    verified = cli("dataset", "verify", "set")
    assert (verified.exit_code, verified.stdout) == (0, "")
    sprite(5).save("set/train/potion.png")
    wrong = cli("dataset", "verify", "set")
    assert wrong.exit_code == 3
    assert "train/potion.png: size" in wrong.stdout
    again = cli("dataset", "prepare", art, "-o", "set", *SMALL, "--trigger", "pixly", "--factor", "4,8", "--square")
    assert "1 files written" in again.stderr


def test_json(art: Path, cli_json) -> None:
    (art / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    made = cli_json("dataset", "prepare", art, "-o", "set", *SMALL, code=2)
    assert made["summary"]["pictures"] == 2
    assert made["errors"]["broken.png"]["exit_code"] == 2
    assert made["changed"] > 0
    assert cli_json("dataset", "verify", "set") == {"pictures": 2, "passed": True, "problems": []}


def test_a_set_of_nothing_fails(home: Path, cli) -> None:
    (home / "art").mkdir()
    photo().save(home / "art" / "photo.png")
    result = cli("dataset", "prepare", "art", "-o", "set", *SMALL)
    assert result.exit_code == 3
    assert "No picture came into the set." in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--factor", "x8"), "whole factor"),
        (("--mode", "convert"), "size"),
        (("--slice", "rows"), "rows"),
        (("--policy", "snap"), "policy"),
        (("--resolution", "100"), "resolution"),
    ],
)
def test_wrong_options(art: Path, cli, options: tuple[str, ...], words: str) -> None:
    result = cli("dataset", "prepare", art, "-o", "set", *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not Path("set").exists()


def test_a_sheet_and_a_palette(home: Path, cli_json) -> None:
    (home / "art").mkdir()
    enlarged(sprite(3, (32, 16), 4), 5).save(home / "art" / "sheet.png")
    options = ("--slice", "80x80", "--palette", "pico-8", "--caption", "{palette} {width}")
    made = cli_json("dataset", "prepare", "art", "-o", "set", *SMALL, *options)
    assert [(one["size"], one["caption"]) for one in made["pictures"]] == [([16, 16], "pico-8 16")] * 2
    assert made["most_colors"] == 16


def test_the_picks_of_a_game(home: Path, cli_json) -> None:
    """Only what was picked, with the prompts of the manifest."""
    (home / "out").mkdir()
    sprite(1).save(home / "out" / "hat.png")
    sprite(2).save(home / "out" / "hat-sheet.png")
    one = Candidate(1, "key", "procedural", None, 7, ("0" * 64,), Price("0"))
    outputs = {"out/hat.png": Output("1" * 64), "out/hat-sheet.png": Output("2" * 64)}
    locked = Locked("wish", (one,), Pick(1), "finishing", "exporting", "f5", outputs=outputs)
    write_lock(home / "assets.lock", Lock({"hat": locked}))
    alone = cli_json("dataset", "prepare", "assets.lock", "-o", "set", *SMALL)
    assert [(row["source"], row["caption"]) for row in alone["pictures"]] == [("out/hat.png", "")]
    (home / "assets.toml").write_text('[project]\nname = "game"\n\n[asset.hat]\nprompt = "a tall hat"\nsize = 24\n')
    made = cli_json("dataset", "prepare", "assets.lock", "-o", "set", *SMALL)
    assert [(row["caption"], row["caption_from"]) for row in made["pictures"]] == [("a tall hat", "given")]
    assert json.loads(Path("set/train/metadata.jsonl").read_text()) == {
        "file_name": "out-hat.png",
        "text": "a tall hat",
    }
    missing = cli_json("dataset", "prepare", "other.lock", "-o", "set", code=2)
    assert "other.lock" in missing["error"]["message"]
