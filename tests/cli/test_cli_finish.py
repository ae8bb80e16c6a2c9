"""finish: image files through the post-processor from the command line."""

import json
import struct
import zlib

import pytest
from PIL import Image


def enlarged(folder, name="art.png", scale=8, side=16):
    """A sprite of ``side`` pixels, enlarged by ``scale``."""
    small = Image.new("RGB", (side, side))
    for x in range(side):
        for y in range(side):
            small.putpixel(
                (x, y), ((x * 37) % 256, (y * 91) % 256, (x * y * 13) % 256) if (x + y) % 3 else (20, 20, 40)
            )
    small.resize((side * scale, side * scale), Image.Resampling.NEAREST).save(folder / name)
    return small


def test_the_native_size_is_found(cli, home):
    enlarged(home)
    result = cli("finish", "art.png")
    assert result.exit_code == 0, result.output
    assert result.stdout == "art-finished.png\n"
    assert "128x128 -> 16x16" in result.stderr
    with Image.open(home / "art-finished.png") as image:
        assert image.size == (16, 16)


def test_options_are_obeyed(cli_json, home):
    enlarged(home)
    args = ["--size", "8", "--colors", "4", "--scale", "3", "--policy", "resample", "-o", "small.png"]
    (row,) = cli_json("finish", "art.png", *args)
    assert row["files"] == ["small.png"]
    assert row["method"] == "resample"
    assert len(row["palette"]) <= 4
    with Image.open(home / "small.png") as image:
        assert image.size == (24, 24)


def test_a_pixel_size_says_how_many_cells_there_are(cli_json, home):
    enlarged(home)
    (row,) = cli_json("finish", "art.png", "--pixel-size", "8")
    assert row["size"] == [16, 16]
    (row,) = cli_json("finish", "art.png", "--pixel-size", "8,16", "--origin", "0,0")
    assert row["size"] == [16, 8]


@pytest.mark.parametrize("wrong", ["eight", "8,8,8", "8,", "0.5", "nan", "8,0", ""])
def test_a_pixel_size_that_is_none_is_refused(cli, home, wrong):
    enlarged(home)
    result = cli("finish", "art.png", "--pixel-size", wrong)
    assert result.exit_code == 2
    assert "hint:" in result.stderr


def test_several_files_go_into_a_folder_and_one_failure_does_not_stop_the_rest(cli, home):
    enlarged(home, "a.png")
    enlarged(home, "c.png")
    (home / "b.png").write_text("not an image")
    result = cli("finish", "a.png", "b.png", "c.png", "-o", "done", "--jobs", "1")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == ["done/a.png", "done/c.png"]
    assert "error: b.png: " in result.stderr
    rows = json.loads(cli("finish", "a.png", "b.png", "-o", "done", "--json", "--jobs", "1").stdout)
    assert [sorted(row)[0] for row in rows] == ["colors_after", "error"]
    assert rows[1]["error"]["type"] == "UnreadableImage"


def test_an_image_bomb_is_refused(cli, home):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 6, 0, 0, 0)
    (home / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    result = cli("finish", "bomb.png")
    assert result.exit_code == 2
    assert "50000" in result.stderr.replace(",", "")
    assert "Traceback" not in result.stderr


def test_a_source_is_never_overwritten(cli, home):
    enlarged(home, "a.png")
    before = (home / "a.png").read_bytes()
    for output in ("a.png", "."):
        result = cli("finish", "a.png", "-o", output)
        assert result.exit_code == 2
        assert "overwrite its own source" in result.stderr
    assert (home / "a.png").read_bytes() == before


def test_two_results_never_share_a_name(cli, home):
    (home / "x").mkdir()
    enlarged(home, "a.png")
    enlarged(home / "x", "a.png")
    result = cli("finish", "a.png", "x/a.png", "-o", "out")
    assert result.exit_code == 2
    assert not (home / "out").exists()


@pytest.mark.parametrize("args", [["nowhere.png"], ["."], ["a.png", "-o", "a.jpg"], ["a.png", "--size", "big"]])
def test_mistakes_are_told(cli, home, args):
    enlarged(home, "a.png")
    result = cli("finish", *args)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")


def test_an_image_that_suggests_no_size_asks_for_one(cli, home):
    Image.linear_gradient("L").resize((1500, 1400)).save(home / "smooth.png")
    result = cli("finish", "smooth.png")
    if result.exit_code:  # whether a grid is found is the post-processor's business; a refusal has to help
        assert "--size" in result.stderr
    assert cli("finish", "smooth.png", "--size", "32").exit_code == 0


def test_a_size_may_be_larger_than_any_backend_draws(cli, cli_json, home):
    enlarged(home, scale=2)
    (row,) = cli_json("finish", "art.png", "--size", "2000x16")
    assert row["size"] == [2000, 16]
    refused = cli("finish", "art.png", "--size", "4097")
    assert refused.exit_code == 2
    assert "outside 1..4096" in refused.stderr


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("--policy", "hope", "snap, resample, reject, reroute"),
        ("--mode", "improve", "restore, convert"),
        ("--dither", "bayer16", "none, bayer2"),
        ("--matte", "scissors", "key, rembg"),
        ("--quantizer", "magic", "auto, imagequant, own"),
    ],
)
def test_a_wrong_word_is_told_in_one_way_whatever_the_option(cli, cli_json, home, option, value, known):
    enlarged(home)
    result = cli("finish", "art.png", option, value)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {option[2:]}='{value}' is unknown.\nhint:  Use one of: {known}")
    assert cli_json("finish", "art.png", option, value, code=2)["error"]["type"] == "InvalidRequest"
