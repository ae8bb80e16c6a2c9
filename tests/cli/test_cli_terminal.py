"""What a person sees on a terminal, and what a pipe gets: the program as a real process."""

import os
import subprocess
import sys

import pytest
from PIL import Image

from pixelrouter import __version__
from pixelrouter.cli.preview import LOWER, UPPER, preview

RED, BLUE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)


def sprite(*rows):
    image = Image.new("RGBA", (len(rows[0]), len(rows)))
    for y, row in enumerate(rows):
        for x, pixel in enumerate(row):
            image.putpixel((x, y), pixel)
    return image


def cells(text):
    """(character, foreground, background) of every cell."""
    found = []
    for span in text.spans:
        color, ground = span.style.color, span.style.bgcolor
        found += [(c, color and color.name, ground and ground.name) for c in text.plain[span.start : span.end]]
    return found


def test_a_cell_shows_two_pixels():
    text = preview([sprite([RED, RED, CLEAR, CLEAR], [BLUE, CLEAR, BLUE, CLEAR])], columns=80, lines=20)
    assert text.plain == f"{UPPER}{UPPER}{LOWER} \n"
    red, blue = "#ff0000", "#0000ff"
    assert [c for c in cells(text) if c[0] != " "] == [(UPPER, red, blue), (UPPER, red, None), (LOWER, blue, None)]


def test_an_odd_last_row_stands_on_the_terminals_ground():
    text = preview([sprite([RED], [RED], [BLUE])], columns=80, lines=20)
    assert text.plain == f"{UPPER}\n{UPPER}\n"
    assert cells(text)[1] == (UPPER, "#0000ff", None)


def test_sprites_stand_side_by_side_as_far_as_they_fit():
    image = Image.new("RGBA", (30, 2), RED)
    assert len(preview([image] * 4, columns=80, lines=20).plain) == 30 + 2 + 30 + 1


@pytest.mark.parametrize("size", [(300, 10), (10, 300), (1024, 1024)])
def test_a_big_sprite_is_shrunk_to_fit(size):
    lines = preview([Image.new("RGBA", size, RED)], columns=80, lines=20).plain.splitlines()
    assert 0 < len(lines) <= 20
    assert 0 < len(lines[0]) <= 80


def test_python_m_and_version(process):
    done = process("--version", stdout=subprocess.PIPE)
    assert done.communicate()[0].decode().split() == ["pixelrouter", __version__]
    assert done.returncode == 0


def test_a_pipe_gets_paths_only(process, home):
    done = process("generate", "a tree", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.communicate()
    assert out.decode().split() == ["a-tree.png"]
    assert b"\x1b" not in out + err
    assert done.returncode == 0


def test_a_reader_that_leaves_is_no_error(process):
    done = process("backends", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    done.stdout.close()
    err = done.stderr.read()
    done.stderr.close()
    assert done.wait() == 0
    assert err == b""


def test_a_console_of_few_letters_is_no_crash(process):
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = process(
        "generate", "\u5251 dr\u00e4gon", "--dry-run", env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert done.communicate()[1]
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(
    ("env", "drawn"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"PYTHONIOENCODING": "ascii"}, False)],
)
def test_a_terminal_gets_a_preview(process, env, drawn):
    import pty  # POSIX only

    master, slave = pty.openpty()
    everywhere = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100", "LINES": "40", **env}
    done = process("generate", "a red potion", "--size", "16", env=everywhere, stdout=slave, stderr=subprocess.PIPE)
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
    done.stderr.close()
    assert done.wait() == 0
    assert shown.decode().splitlines()[-1] == "a-red-potion.png"
    assert (UPPER in shown.decode()) == drawn
    assert (b"\x1b[38;2;" in shown) == drawn
