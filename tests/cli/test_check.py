"""check: image files against the rules of pixel art, from the command line."""

import json
import os
import pty

import numpy as np
import pytest
from PIL import Image


def sprite(path, factor=1, frames=1):
    """A small face, true pixel art at any whole factor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    for frame in range(frames):
        image = Image.new("RGB", (16, 16), (120, 180, 230))
        image.paste((200, 40, 50), (3, 3, 13, 13))
        image.paste((20, 16, 32), (5, 5 + frame, 7, 8))
        image.paste((20, 16, 32), (9, 5 + frame, 11, 8))
        image.paste((250, 240, 200), (5, 10, 11, 12))
        pictures.append(image.resize((16 * factor, 16 * factor), Image.Resampling.NEAREST))
    extra = {"save_all": True, "append_images": pictures[1:], "duration": 100} if frames > 1 else {}
    pictures[0].save(path, **extra)
    return path


def photo(path):
    y, x = np.mgrid[0:90, 0:120] / 90
    light = np.stack([np.sin(5 * x + y), np.cos(4 * y), np.sin(3 * x * y + 1)], axis=2) * 90 + 130
    grain = np.random.default_rng(1).normal(0, 4, light.shape)
    Image.fromarray(np.clip(light + grain, 0, 255).astype(np.uint8)).save(path)
    return path


def test_what_passes_is_told_in_a_table(cli, home):
    sprite(home / "a.png")
    result = cli("check", sprite(home / "a.png"), sprite(home / "b.png", 8))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["score", "file", "pixels", "of", "colours", "rules", "below", "100"]
    assert [line.split()[:2] for line in lines[2:]] == [["pass", "100"], ["pass", "100"]]
    assert "8x8" in lines[3]
    assert result.stderr == "2 passed\n"


def test_what_fails_says_why_and_what_to_do_and_leaves_with_3(cli, home):
    sprite(home / "good.png")
    photo(home / "photo.png")
    result = cli("check", "good.png", "photo.png")
    assert result.exit_code == 3
    assert "FAIL" in result.stdout
    assert "photo.png:\n" in result.stderr
    assert "--mode convert" in result.stderr
    assert "1 passed, 1 failed" in result.stderr
    assert cli("check", "photo.png", "--min-score", "0").exit_code == 0
    quiet = cli("check", "photo.png", "--quiet")
    assert (quiet.exit_code, quiet.stderr) == (3, "")


def test_json_has_every_finding_with_its_places(cli_json, home):
    photo(home / "photo.png")
    image = Image.open(sprite(home / "a.png")).convert("RGBA")
    image.putpixel((8, 2), (9, 9, 9, 77))
    image.resize((64, 64), Image.Resampling.NEAREST).save(home / "a.png")
    found, bad = cli_json("check", "a.png", "photo.png", code=3)
    assert (found["source"], found["cells"], found["pixel_size"]) == ("a.png", [16, 16], [4.0, 4.0])
    (alpha,) = [finding for finding in found["findings"] if finding["rule"] == "alpha"]
    assert alpha["boxes"] == [[32, 8, 36, 12]]
    assert alpha["count"] == 16
    assert bad["passed"] is False
    assert {rule["name"] for rule in bad["rules"]} >= {"pixel-size", "grid", "colors", "alpha", "orphans", "banding"}


def test_folders_and_patterns_are_looked_through_and_one_bad_file_stops_nothing(cli, cli_json, home):
    sprite(home / "art" / "a.png")
    sprite(home / "art" / "deep" / "b.png")
    sprite(home / "art" / ".hidden" / "c.png")
    (home / "art" / "notes.txt").write_text("no image")
    (home / "art" / "bad.png").write_text("no image")
    rows = cli_json("check", "art", code=2)
    assert [row["source"] for row in rows] == ["art/a.png", "art/bad.png", "art/deep/b.png"]
    assert rows[1]["error"]["type"] == "UnreadableImage"
    result = cli("check", "art")
    assert result.exit_code == 2
    assert "error: art/bad.png: " in result.stderr
    assert "2 passed, 1 unreadable" in result.stderr
    assert len(cli_json("check", "art/**/[ab].png")) == 2
    assert cli("check", "art/*.gif").exit_code == 2
    (home / "empty").mkdir()
    assert "No image lies in empty" in cli("check", "empty").stderr
    assert cli("check", "nothing.png").exit_code == 2


def test_limits_can_be_set(cli, cli_json, home):
    sprite(home / "a.png", 4)
    assert cli("check", "a.png", "--colors", "4", "--size", "16").exit_code == 0
    assert cli("check", "a.png", "--size", "32").exit_code == 3
    (row,) = cli_json("check", "a.png", "--colors", "2", "--min-score", "99", code=3)
    assert row["threshold"] == 99
    assert [finding["rule"] for finding in row["findings"]] == ["colors"]
    colours = "#78b4e6,#c82832,#101020,#faf0c8"
    (row,) = cli_json("check", "a.png", "--palette", colours, "--min-score", "99", code=3)
    assert "not in the palette" in row["findings"][0]["what"]
    for wrong in (["--palette", "nope"], ["--size", "big"], ["--min-score", "200"], ["--colors", "0"]):
        assert cli("check", "a.png", *wrong).exit_code == 2


def test_every_frame_of_a_gif_is_checked(cli_json, home):
    sprite(home / "walk.gif", 3, frames=3)
    (row,) = cli_json("check", "walk.gif")
    assert (row["frames"], row["cells"]) == (3, [16, 16])


def test_pictures_of_what_was_found_are_drawn(cli, cli_json, home):
    sprite(home / "x" / "a.png")
    sprite(home / "y" / "a.png")
    rows = cli_json("check", "x", "y", "--annotate", "found")
    assert [row["annotated"] for row in rows] == ["found/a-check.png", "found/a-check-2.png"]
    with Image.open(home / "found" / "a-check-2.png") as picture:
        assert picture.width > 768
    assert cli("check", "x/a.png", "--annotate", "one.png").exit_code == 0
    assert (home / "one.png").is_file()
    assert "is one file" in cli("check", "x", "y", "--annotate", "one.png").stderr
    before = (home / "x" / "a.png").read_bytes()
    assert "overwrite" in cli("check", "x/a.png", "--annotate", "x/a.png").stderr
    assert (home / "x" / "a.png").read_bytes() == before


def test_a_terminal_sees_a_progress_bar_and_a_pipe_does_not(process, home):
    for number in range(3):
        sprite(home / f"{number}.png")
    ours, theirs = pty.openpty()
    started = process("check", "0.png", "1.png", "2.png", "--annotate", "found", stdout=-1, stderr=theirs)
    os.close(theirs)
    out = started.communicate(timeout=60)[0].decode()
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:
        pass  # the other side is closed
    os.close(ours)
    assert started.returncode == 0
    assert b"checking" in said
    assert out.count("pass") == 3
    piped = process("check", "0.png", "1.png", stdout=-1, stderr=-1).communicate(timeout=60)
    assert b"checking" not in piped[1]


@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_what_a_script_reads_has_no_messages_in_it(cli, home, option):
    sprite(home / "a.png")
    result = cli("check", "a.png", "a.png", option)
    assert result.stderr == ""
    if option == "--json":
        assert len(json.loads(result.stdout)) == 1  # the same file twice is one
