"""finish over folders, patterns and pipes: what is written, what is said, what Ctrl-C leaves behind."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

COLORS = np.array([(200, 30, 40), (40, 180, 60), (30, 60, 210), (240, 230, 180)], dtype=np.uint8)


def sprite(seed, scale=7):
    pick = np.random.default_rng(seed).integers(0, len(COLORS), (12, 12))
    return Image.fromarray(COLORS[pick]).resize((12 * scale, 12 * scale), Image.Resampling.NEAREST)


@pytest.fixture
def art(home):
    (home / "art" / "units").mkdir(parents=True)
    sprite(1).save(home / "art" / "hero.png")
    sprite(2).save(home / "art" / "units" / "orc.png")
    (home / "art" / "notes.txt").write_text("no image")
    return home / "art"


def test_a_folder_and_a_second_run(cli, cli_json, art):
    result = cli("finish", "art", "-o", "out", "--jobs", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["out/hero.png", "out/units/orc.png"]
    assert "no images: 1 (notes.txt)" in result.stderr
    assert "2 finished" in result.stderr
    again = cli("finish", "art", "-o", "out", "--jobs", "1")
    assert again.stdout == result.stdout
    assert "2 unchanged" in again.stderr
    rows = cli_json("finish", "art", "-o", "out", "--jobs", "1")
    assert [(row["source"], row["skipped"], row["size"]) for row in rows] == [
        ("art/hero.png", True, [12, 12]),
        ("art/units/orc.png", True, [12, 12]),
    ]


def test_errors_come_last_and_decide_the_exit_code(cli, art):
    (art / "broken.png").write_text("no")
    result = cli("finish", "art", "-o", "out", "--jobs", "1")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert lines[-3:] == [
        "error: art/broken.png: The image is not a picture.",
        "hint:  Readable are PNG, GIF, WEBP, JPEG.",
        "2 finished, 1 failed",
    ]
    (row, *_) = json.loads(cli("finish", "art", "-o", "out", "--jobs", "1", "--json").stdout)
    assert (row["error"]["type"], row["error"]["exit_code"]) == ("UnreadableImage", 2)


def test_processes_by_default(cli, art):
    result = cli("finish", "art", "-o", "out", "-q", "--shared-palette", "--colors", "4")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    palettes = []
    for line in result.stdout.splitlines():
        with Image.open(line) as image:
            palettes.append(bytes(image.getpalette()))
    assert len(palettes) == 2
    assert palettes[0] == palettes[1]


def test_patterns_and_several_folders(cli, art):
    result = cli("finish", "art/**/*", "-o", "out", "--jobs", "1")
    assert result.stdout.splitlines() == ["out/hero.png", "out/units/orc.png"]
    result = cli("finish", "art/units", "art/hero.png", "-o", "both", "--jobs", "1")
    assert result.stdout.splitlines() == ["both/units/orc.png", "both/hero.png"]
    assert cli("finish", "art/*.jpg", "-o", "out").exit_code == 2


def test_pages_and_pictures(cli, art):
    result = cli("finish", "art/hero.png", "-o", "hero.png", "--explain", "hero.html")
    assert result.stdout.splitlines() == ["hero.png", "hero.html"]
    assert (art.parent / "hero.html").read_text().startswith("<!doctype html>")
    result = cli("finish", "art/hero.png", "-o", "hero.png", "--explain", "seen.png")
    with Image.open(art.parent / "seen.png") as image:
        assert image.width > 500
    result = cli("finish", "art", "-o", "out", "--explain", "pages", "--jobs", "1")
    assert result.exit_code == 0, result.output
    index = (art.parent / "pages" / "index.html").read_text()
    assert 'href="units/orc.png.html"' in index
    assert (art.parent / "pages" / "units" / "orc.png.html").exists()
    assert "2 unchanged" in cli("finish", "art", "-o", "out", "--explain", "pages", "--jobs", "1").stderr
    (art.parent / "pages" / "hero.png.html").unlink()
    assert "1 finished, 1 unchanged" in cli("finish", "art", "-o", "out", "--explain", "pages", "--jobs", "1").stderr


def test_pipes(home):
    from pixelrouter.cli.app import app

    buffer = io.BytesIO()
    sprite(3).save(buffer, format="PNG")
    result = CliRunner().invoke(app, ["finish", "-", "-o", "-", "--explain", "page.html"], input=buffer.getvalue())
    assert result.exit_code == 0, result.stderr
    with Image.open(io.BytesIO(result.stdout_bytes)) as image:
        assert (image.mode, image.size) == ("P", (12, 12))
    assert (home / "page.html").exists()
    result = CliRunner().invoke(app, ["finish", "-", "-o", "x.png"], input=buffer.getvalue())
    assert result.stdout == "x.png\n"
    assert (home / "x.png").read_bytes() == CliRunner().invoke(app, ["finish", "x.png", "-o", "-"]).stdout_bytes
    broken = CliRunner().invoke(app, ["finish", "-"], input=b"no")
    assert broken.exit_code == 2
    assert broken.stderr.startswith("error: The image is not a picture.")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["art"], "-o OUT"),
        (["art", "-o", "art"], "overwrite"),
        (["art", "-o", "one.png"], "one file"),
        (["art", "-o", "out", "--explain", "page.html"], "folder for the pages"),
        (["art/hero.png", "--explain", "page.txt"], ".html or a .png"),
        (["art/hero.png", "-", "-o", "-"], "one image"),
        (["-", "--json"], "stdout cannot hold"),
        (["art", "-o", "out", "--executor", "fork"], "local or ray"),
        (["art", "-o", "out", "--executor", "local", "--ray-address", "auto"], "--executor ray"),
    ],
)
def test_mistakes_are_told_before_any_work(cli, art, args, words):
    result = cli("finish", *args)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert not (art.parent / "out").exists()


def test_an_empty_folder_is_no_error(cli, home):
    (home / "empty").mkdir()
    result = cli("finish", "empty", "-o", "out")
    assert result.exit_code == 0
    assert "no images" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a process group is interrupted as POSIX does it")
def test_ctrl_c_keeps_what_is_done(process, home):
    (home / "art").mkdir()
    for number in range(24):
        sprite(number, scale=30).save(home / "art" / f"{number:02}.png")
    args = ("finish", "art", "-o", "out", "--jobs", "2")
    running = process(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list((home / "out").glob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err.decode()
    done = sorted(path.name for path in (home / "out").glob("*.png"))
    assert 1 <= len(done) < 24
    told = int(re.search(r"Interrupted\. (\d+) of 24 files are done and kept\.\n", err.decode())[1])
    assert told <= len(done) <= told + 1  # one may just have been written, and not been told yet
    assert "same command again" in err.decode()
    assert b"Traceback" not in err
    assert not list((home / "out").glob(".*.part"))
    for name in done:
        with Image.open(home / "out" / name) as image:
            image.load()
    again = process(*args[:-1], "1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0
    finished, unchanged = map(int, re.search(r"(\d+) finished, (\d+) unchanged", err.decode()).groups())
    assert finished + unchanged == 24
    assert told <= unchanged <= len(done)
    assert len(out.splitlines()) == 24


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_a_bar_on_a_terminal_and_only_there(process, art):
    import pty  # POSIX only

    master, slave = pty.openpty()
    env = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    running = process("finish", "art", "-o", "out", "--jobs", "1", env=env, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    out = running.communicate()[0]
    assert running.returncode == 0
    assert out.split() == [b"out/hero.png", b"out/units/orc.png"]
    assert "2/2" in shown.decode()
    assert b"2 finished" in shown
