"""Every mistake is told with its line, its table and key, and the fix; all of a file's at once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from pixelrouter.assets.manifest import load_manifest
from pixelrouter.assets.manifest.tables import AssetTable, AtlasTable, ProjectTable, StyleTable
from pixelrouter.errors import ConfigError
from tests.assets.manifest.conftest import Read, Refused

A = '[asset.a]\nprompt = "x"\n'


@pytest.mark.parametrize(
    ("text", "start", "fix"),
    [
        ("[asset.a]\nprmpt = 'x'", "2: [asset.a] prmpt: there is no such key.", "Did you mean 'prompt'?"),
        (A + "provider = 'x'", "3: [asset.a] provider: there is no such key.", "Did you mean 'backend'?"),
        (A + "api_key = 'x'", "3: [asset.a] api_key: there is no such key.", "read from the environment"),
        (A + "sticky = true", "3: [asset.a] sticky: there is no such key.", "It belongs in [style.NAME]."),
        ("[assets.a]", "1: [assets]: there is no table 'assets'.", "Did you mean 'asset'?"),
        ("colour = 3", "1: [colour]: there is no table 'colour'.", "Known: project, style, asset, atlas."),
        ("[asset]\na = 3", "2: [asset.a]: is 3; it should be a table.", "Write [asset.NAME]"),
        ("asset = 3", "1: [asset]: asset should be tables.", "Write [asset.NAME]"),
        ("project = 3", "1: [project]: should be a table.", "Write [project]."),
        (A + "size = [16,\n 0]", "3: [asset.a] size: is [16, 0]; it should be", "[16, 24]"),
        (A + "size = true", "3: [asset.a] size: is true;", "Write 16"),
        (A + "n = 0", "3: [asset.a] n: is 0; it should be greater than or equal to 1.", "Write 1 or more."),
        (A + "n = true", "3: [asset.a] n: is true;", "whole number"),
        (A + "n = '3'", "3: [asset.a] n: is \"3\";", "without quotes"),
        (A + "fps = nan", "3: [asset.a] fps: is nan;", "Write"),
        (A + "transparent = 1", "3: [asset.a] transparent: is 1; it should be true or false.", "without quotes"),
        (A + "policy = 'snp'", "3: [asset.a] policy: is \"snp\"; it should be one of snap,", "Did you mean 'snap'?"),
        (A + "task = 'animaton'", "3: [asset.a] task:", "Did you mean 'animation'?"),
        (A + "exports = ['gif', 'godt']", "3: [asset.a] exports: holds 'godt'", "Did you mean 'godot'?"),
        (A + "exports = 3", "3: [asset.a] exports: is 3; it should be a text or a list", 'Write "..."'),
        (A + "palette = 'pico9'", "3: [asset.a] palette: There is no palette called", "Did you mean 'pico-8'?"),
        (A + "palette = ['red']", "3: [asset.a] palette: holds 'red', which is no colour.", "#ff8800"),
        (A + "palette = 'no.hex'", "3: [asset.a] palette: Cannot read the palette", "Write a built-in"),
        (A + "palette = '../x.hex'", "3: [asset.a] palette: '../x.hex' leaves the project's folder.", "Copy"),
        (A + "pivot = 'botom'", "3: [asset.a] pivot: is \"botom\"; it should be a place in the sprite.", "bottom"),
        (A + "pixel_size = 0.5", "3: [asset.a] pixel_size:", "[7.5, 8]"),
        (A + "origin = [1]", "3: [asset.a] origin:", "[0, 3.5]"),
        (A + "backend = 'procedurel'", "3: [asset.a] backend: there is no backend", "Did you mean 'procedural'?"),
        (A + "route = ['fal', 'flal']", "3: [asset.a] route: there is no backend 'flal'.", "Did you mean 'fal'?"),
        (A + "backend = 'fal'\nroute = ['fal']", "4: [asset.a] route: backend and route are both", "Keep one"),
        (A + "route = []", "3: [asset.a] route:", "Name one at least."),
        (A + "style = 'cav'\n[style.cave]", "3: [asset.a] style: there is no style 'cav'.", "Did you mean 'cave'?"),
        ("project.style = 'x'", "1: [project] style: there is no style 'x'.", ""),
        ("[style.a]\nextends = 'b'", "2: [style.a] extends: there is no style 'b'.", "Known: a."),
        ("[style.a]\nextends = 'a'", "2: [style.a] extends: style 'a' extends itself in a ring.", "Take one"),
        (A + "options = { at = 1979-05-27 }", "3: [asset.a] options:", 'Write { strength = "low" }.'),
        (A + "image = 'no.png'", "3: [asset.a] image: 'no.png' is not there.", "asset:NAME"),
        (A + "image = '../no.png'", "3: [asset.a] image: '../no.png' leaves", "Copy the file"),
        (A + "references = ['no/*.png']", "3: [asset.a] references: no file matches", "folder of assets.toml"),
        (A + "image = 'asset:b'\n[asset.bb]\nprompt='x'", "3: [asset.a] image: there is no asset 'b'.", "mean 'bb'?"),
        (A + "image = 'asset:a'", "1: [asset.a]: is drawn from itself: a -> a.", "ring"),
        (A + "task = 'edit'", "1: [asset.a]: task 'edit' needs an image.", "Add image"),
        (A + "frames = 3", "3: [asset.a] frames: is for task 'animation'", 'Add task = "animation"'),
        ("[asset.a]", "1: [asset.a]: has no prompt.", "Add prompt"),
        (A + "task = 'tileset'\ntiles = 'wang'", "1: [asset.a]: wang tiles need the ground", "Add upper"),
        (A + "prompt2 = 1\n[asset.b]\nn = 65", "3: [asset.a] prompt2", "assets.toml:5: [asset.b] n: is 65"),
        (
            A + "task = 'animation'\nframe_tags = [\n {name='a', first=0, last=1},\n {name='b', first=2, lst=1}]",
            "6: [asset.a] frame_tags 2 last: is missing.",
            "Did you mean 'last'?",
        ),
        (
            A + "task = 'animation'\nframes = 2\nframe_tags = [{name='a', first=0, last=2}]",
            "5: [asset.a] frame_tags 1: frames 0 to 2 are not in order",
            "Count from 0 to 1.",
        ),
        (A + "prompt = 'y'", "3: not valid TOML: Cannot overwrite a value", "Correct"),
        (A + "x = ", "3: not valid TOML", "Correct"),
        ("[atlas.x]\nassets = ['b*']\n" + A, "2: [atlas.x] assets 1: no asset matches 'b*'.", "Known: a."),
        ("[atlas.x]\n" + A, "1: [atlas.x] assets: is missing.", "Add it."),
        ("[atlas.x]\nassets = 'a'\nformats = 'gdot'\n" + A, "3: [atlas.x] formats: holds 'gdot'", "Write some of"),
        ("project.budget_usd = -1", "1: [project] budget_usd: is -1; it should be an amount", "2.50"),
        ("project.budget_usd = inf", "1: [project] budget_usd: is inf;", "2.50"),
    ],
)  # fmt: skip
def test_each_mistake_has_line_key_and_fix(refused: Refused, text: str, start: str, fix: str) -> None:
    message = refused(text)
    assert message.startswith(f"assets.toml:{start}")
    assert fix in message


@pytest.mark.parametrize(
    "place",
    ["../x", "/x", "a/../../x", "~/x", "C:\\x", "..\\x", "x\x00y", "con", "a/NUL.v1", "x.", "x ", "x.png", "a//b"],
)
def test_places_that_are_not_written_to(refused: Refused, place: str) -> None:
    text = place.replace("\\", "\\\\").replace("\x00", "\\u0000")
    assert refused(f'{A}out = "{text}"').startswith("assets.toml:3: [asset.a] out: ")
    assert "[asset." in refused(f'[asset."{text}"]\nprompt = "x"')


@pytest.mark.parametrize("place", ["../x", "/x", "a/../../x", "~/x", "C:\\x", "..\\x"])
def test_the_out_folder_stays_inside(refused: Refused, place: str) -> None:
    assert refused(f"project.out = '{place}'").startswith("assets.toml:1: [project] out: ")


def test_links_do_not_lead_out(refused: Refused, read: Read, tmp_path: Path) -> None:
    outer = tmp_path.parent / "elsewhere"
    outer.mkdir()
    (tmp_path / "art").symlink_to(outer)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "deep").symlink_to(outer)
    assert "by a link" in refused(A)
    assert refused(f'project.out = "in"\n{A}out = "deep/x"').startswith("assets.toml:4: [asset.a] out: ")
    assert read(f'project.out = "in"\n{A}out = "x"').assets


def test_two_that_would_write_the_same_file(refused: Refused) -> None:
    text = f'{A}[asset.b]\nprompt = "x"\nout = "A"\n[atlas."a"]\nassets = "a"\n'
    message = refused(text)
    assert "assets.toml:5: [asset.b] out: would write the same files as line 1: 'A'" in message
    assert "assets.toml:6: [atlas.a] out: would write the same files as line 1: 'a'" in message


def test_no_picture_that_is_read_is_overwritten(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "art").mkdir()
    (tmp_path / "art" / "a.png").write_bytes(b"")
    assert "would overwrite art/a.png" in refused(f'{A}references = "art/*.png"')


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_its_lines(refused: Refused) -> None:
    message = refused("".join(f'[asset.a{number}]\nprompt = 3\nn = "x"\n' for number in range(30)))
    lines = message.split("\n")
    assert [line.split(":")[1] for line in lines[:4]] == ["2", "3", "5", "6"]
    assert len(lines) == 21
    assert lines[20] == "... and 40 more. Correct these 60 places in assets.toml."


def test_a_chain_of_styles_has_an_end(refused: Refused) -> None:
    text = "".join(f'[style.s{number}]\nextends = "s{number + 1}"\n' for number in range(2000)) + "[style.s2000]"
    assert "too far down a chain of styles" in refused(text)


def test_long_chains_of_assets_are_no_trouble(read: Read) -> None:
    links = "".join(
        f'[asset.a{number}]\nprompt = "x"\ntask = "edit"\nimage = "asset:a{number + 1}"\n' for number in range(3000)
    )
    assets = read(f'{links}[asset.a3000]\nprompt = "x"\nsize = 9').assets
    assert assets["a0"].size == (9, 9)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 5000,
        b".".join([b"a"] * 5000) + b" = 1",
        b"[asset.a]\n" + b"x" * (5 << 20),
        b'[asset."a\\nb"]\nprompt = "\\u0000"',
        b"".join(b'[atlas.a%d]\nassets = ["x*"]\n' % number for number in range(3000)) + A.encode(),
        b"[asset.a]\nfor_files = [" + b'"**/*.no",' * 4000 + b"]",
        b"".join(b'[asset.a%d]\nprompt = "x"\nstyle = "nearly%d"\n' % (n, n) for n in range(3000)),
    ],
    ids=["bytes", "nesting", "digits", "dots", "size", "control", "patterns", "globs", "guesses"],
)
def test_whatever_the_file_holds_the_answer_is_a_config_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "assets.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_manifest(tmp_path)
    assert "assets.toml" in str(caught.value)
    assert len(str(caught.value)) < 6000


VALUES = [
    *(
        "true",
        "-1",
        "9" * 400,
        "1e400",
        "nan",
        "''",
        "'\\u0000'",
        '"\\u0000"',
        "1979-05-27",
        "07:32:00",
        "[]",
        "{}",
        "[[]]",
    ),
    *(
        "[{}]",
        "[1, 'a', {}]",
        "{ a = [] }",
        "{ a = { b = 1 } }",
        "'{x}'",
        "'asset:'",
        "'**'",
        "'/'",
        "'~'",
        "'a\\b'",
        "'%s'",
    ),
    *(
        "[{ name = 1 }]",
        "[{ a = [1] }]",
        "'" + "x" * 5000 + "'",
        "'" + "*a" * 200 + "'",
        '"\\U0001F600"',
        "[true, 1979-05-27]",
    ),
]
TABLES = {"project": ProjectTable, "style": StyleTable, "asset": AssetTable, "atlas": AtlasTable}


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES, ids=[value[:12] for value in VALUES])
def test_any_value_in_any_place_is_good_or_told(tmp_path: Path, value: str) -> None:
    text = f"{A}[asset.m]\nfor_each = {value}\nfor_files = {value}\nexclude = {value}\n"
    for kind, model in TABLES.items():
        text += f"[{kind}]\n" if kind == "project" else f"[{kind}.many]\n"
        text += "".join(f"{word} = {value}\n" for word in model.model_fields)
    (tmp_path / "assets.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_manifest(tmp_path)
    assert str(caught.value).startswith("assets.toml:")
    for kind, model in TABLES.items():
        for word in list(model.model_fields)[::7]:
            header = "[project]" if kind == "project" else f"[{kind}.one]"
            (tmp_path / "assets.toml").write_text(f"{header}\n{word} = {value}\n", "utf-8")
            with contextlib.suppress(ConfigError):
                load_manifest(tmp_path)
