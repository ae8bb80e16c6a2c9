"""verify, report and provenance from the command line: exit codes, streams, JSON, JUnit, annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.assets.drawn import candidate, game, potion, repaint, slope

MANIFEST = """
[project]
name = "quest"
out = "art"
provenance = "full"
[asset.potion]
prompt = "a potion"
size = 32
[asset.flask]
prompt = "a flask"
size = 32
"""


@pytest.fixture
def build(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    game(home, MANIFEST, {"potion": [potion()], "flask": [potion()]})
    return home


def test_a_good_build(cli: Any, build: Path) -> None:
    result = cli("verify")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "passed: 2 assets, 2 files, 0 errors, 0 warnings\n"
    assert cli("verify", "--quiet").stderr == ""


def test_a_bad_build_leaves_with_3_and_says_what_to_do(cli: Any, cli_json: Any, build: Path) -> None:
    repaint(build / "art" / "potion.png", slope())
    result = cli("verify")
    assert result.exit_code == 3
    assert "It is 16x16, not 32x32." in result.stdout
    assert "pixelrouter adopt potion" in result.stderr
    assert cli("verify", "flask").exit_code == 0
    report = cli_json("verify", code=3)
    assert report["passed"] is False
    assert {(one["rule"], one["asset"], one["file"]) for one in report["issues"]} == {
        ("changed", "potion", "art/potion.png"),
        ("size", "potion", "art/potion.png"),
        ("indexed", "potion", "art/potion.png"),
    }
    assert cli("verify", "--ignore", "changed", "--ignore", "size:pot*", "--ignore", "indexed").exit_code == 0


def test_warnings_fail_only_if_strict(cli: Any, build: Path) -> None:
    (build / "art" / "old.png").write_bytes(b"")
    assert cli("verify").exit_code == 0
    assert cli("verify", "--strict").exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "code"), [(["swords"], 2), (["--ignore", "sizes"], 2), (["-m", "nowhere.toml"], 3)]
)
def test_wrong_usage(cli: Any, build: Path, arguments: list[str], code: int) -> None:
    result = cli("verify", *arguments)
    assert result.exit_code == code
    assert result.stderr.startswith("error: ")


def test_junit(cli: Any, build: Path) -> None:
    repaint(build / "art" / "potion.png", slope())
    (build / "art" / "a&b.png").write_bytes(b"")
    assert cli("verify", "--junit", "ci/verify.xml").exit_code == 3
    suite = ET.parse(build / "ci" / "verify.xml").getroot()
    assert suite.attrib["tests"] == "3"
    assert suite.attrib["failures"] == "1"
    cases = {case.attrib["name"]: case for case in suite}
    assert set(cases) == {"potion", "flask", "the build"}
    failure = cases["potion"].find("failure")
    assert failure is not None
    assert "It is 16x16, not 32x32." in (failure.text or "")
    assert list(cases["flask"]) == []
    told = cases["the build"].find("system-out")
    assert told is not None
    assert "art/a&b.png" in (told.text or "")


def test_annotations_in_github_actions(cli: Any, build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (build / "art" / "potion.png").unlink()
    (build / "art" / "odd,name.png").write_bytes(b"")
    assert "::error" not in cli("verify").stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(build.parent))
    lines = [line for line in cli("verify").stdout.splitlines() if line.startswith("::")]
    place = f"file={build.name}/art"
    assert lines[0].startswith(f"::error {place}/potion.png,title=potion%3A missing::The file is not there. ")
    assert lines[1].startswith(f"::warning {place}/odd%2Cname.png,title=unknown-file::")
    assert "::error" not in cli("verify", "--no-github").stdout
    result = cli("verify", "--json")
    assert json.loads(result.stdout)["errors"] == 1  # data stays data
    assert "::error" in result.stderr


def test_the_report_is_text_data_or_a_file(cli: Any, cli_json: Any, build: Path) -> None:
    text = cli("report", "--steam").stdout
    assert text.startswith("# How the pictures of quest were made\n")
    assert "## Steam" in text
    assert "itch.io" not in text
    everything = cli("report")
    assert all(shop in everything.stdout for shop in ("## Steam", "## itch.io", "## Unity"))
    assert everything.stderr == "This is a draft and no legal advice.\n"
    assert cli("report", "--steam", "-o", "docs/steam.md").stdout == ""
    assert (build / "docs" / "steam.md").read_text() == text
    data = cli_json("report", "--itch")
    assert (data["shops"], data["generative"], data["project"]) == (["itch"], 2, "quest")
    assert "a potion" not in json.dumps(data)
    assert "a potion" in cli("report", "--prompts").stdout
    assert cli("report", "-o", "art").exit_code == 11


def test_the_report_counts_what_has_to_be_settled(cli: Any, build: Path) -> None:
    game(build, MANIFEST, {"potion": [potion()]}, candidates={"potion": [candidate(licence=None)]})
    assert "1 assets have a licence to settle" in cli("report").stderr


def test_provenance_of_files(cli: Any, cli_json: Any, build: Path) -> None:
    (build / "art" / "broken.png").write_bytes(b"x")
    result = cli("provenance", "show", "art/potion.png")
    assert result.exit_code == 0
    assert "trainedAlgorithmicMedia" in result.stdout
    rows = cli_json("provenance", "show", "art", code=2)
    assert [Path(row["file"]).name for row in rows] == ["broken.png", "flask.png", "potion.png"]
    assert rows[0]["error"]["type"] == "UnreadableImage"
    assert rows[2]["provenance"]["asset"] == "potion"
    assert rows[2]["provenance"]["model"] == "rd_fast"
