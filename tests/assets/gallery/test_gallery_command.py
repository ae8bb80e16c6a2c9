"""``pixelrouter gallery`` on a game that was really built, as a file and served."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pixelrouter import assets
from pixelrouter.assets.gallery import write_gallery
from pixelrouter.cli.app import app
from pixelrouter.errors import ConfigError, InvalidRequest
from tests.assets.gallery.browser import Browser

MANIFEST = """
[project]
name = "cave"
[style.items]
size = 16
transparent = true
[asset.potion]
style = "items"
prompt = "a red potion"
n = 2
[asset.sword]
style = "items"
prompt = "a steel sword"
n = 2
[asset.lava]
prompt = "lava"
size = 16
"""


@pytest.fixture
def cave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "assets.toml"
    manifest.write_text(MANIFEST)
    assets.build(manifest, ["potion", "sword"], max_usd=0)
    return manifest


def test_a_page_is_written_and_counted(cave: Path) -> None:
    result = CliRunner().invoke(app, ["gallery", "--json", "-o", "page.html"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told == {
        "file": "page.html",
        "assets": 3,
        "candidates": 4,
        "states": {"unpicked": 2, "warnings": 0, "changed": 0, "missing": 1, "hand": 0},
        "unpicked": ["potion", "sword"],
        "missing": ["lava"],
    }
    assert Path("page.html").read_text("utf-8").startswith("<!doctype html>")


def test_the_path_is_the_data(cave: Path) -> None:
    result = CliRunner().invoke(app, ["gallery"])
    assert (result.exit_code, result.stdout) == (0, "gallery.html\n")
    assert "3 assets, 4 candidates, 2 to choose" in result.stderr


def test_a_pick_and_a_change_are_seen(cave: Path) -> None:
    assets.pick(cave, "potion", 2, by="ana")
    cave.write_text(MANIFEST.replace("a steel sword", "a golden sword"))
    told = json.loads(CliRunner().invoke(app, ["gallery", "--json"]).stdout)
    assert told["unpicked"] == ["sword"]
    assert told["states"]["changed"] == 1
    page = write_gallery(cave, "again.html").read_text("utf-8")
    assert '"by":"ana"' in page


def test_lost_images_are_told(cave: Path) -> None:
    lock = assets.read_lock(cave.with_suffix(".lock"))
    lost = lock.assets["sword"].candidates[1].raws[0]
    found = list(cave.parent.rglob(lost))
    assert found
    for path in found:
        path.unlink()
    result = CliRunner().invoke(app, ["gallery"])
    assert result.exit_code == 0
    assert f"warning: sword 2: The raw image {lost[:12]} is not in" in result.stderr


@pytest.mark.parametrize("arguments", [["--serve", "-o", "x.html"], ["--port", "8080"], ["-o", "x.png"]])
def test_wrong_usage(cave: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["gallery", *arguments]).exit_code == 2


def test_what_cannot_be_read_or_written_is_said(cave: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be written"):
        write_gallery(cave, cave / "no" / "gallery.html")
    cave.with_suffix(".lock").write_text("<<<<<<< ours\n")
    with pytest.raises(ConfigError, match="merge conflict"):
        write_gallery(cave)


@pytest.fixture
def address(cave: Path) -> Iterator[str]:
    """The address of a gallery that is served by the command line itself."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from pixelrouter.cli import main; main()", "gallery", "--serve"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cave.parent,
        env={**os.environ, "PIXELROUTER_USER": "ana"}, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=30)
    assert process.returncode == 0, messages
    assert "Ended." in messages


@pytest.mark.slow
def test_a_click_picks(browser: Browser, address: str, cave: Path) -> None:
    browser.open(address)
    browser.wait("document.querySelectorAll('.shot').length === 4")
    browser.click('[aria-label="Pick sword, candidate 2"]')
    browser.wait("!!document.querySelector('[data-name=sword] [data-number=\"2\"].picked')")
    sword = assets.read_lock(cave.with_suffix(".lock")).assets["sword"]
    assert (sword.pick.number, sword.pick.by) == (2, "ana")
    wanted = write_gallery(cave).read_text("utf-8")
    assert '"pick":2' in wanted
    assert browser.run("document.querySelector('#told').textContent") == "Picked sword 2"

    # What another program writes is on the page by itself.
    browser.click('[aria-label="Open potion, candidate 1"]')
    assets.pick(cave, "potion", 2, by="bo")
    browser.wait("data.cards[0].by === 'bo'")
    assert browser.run("document.querySelector('#overlay').open")
    browser.press("Escape")
    browser.wait("!!document.querySelector('[data-name=potion] [data-number=\"2\"].picked')")
    cave.write_text(MANIFEST.replace("[asset.lava]", "[asset.magma]"))
    browser.wait("data.cards.some((card) => card.name === 'magma')")
    assert all(request.startswith(address) for request in browser.requests)
    assert not browser.complaints


@pytest.mark.slow
def test_what_is_wrong_is_told_on_the_page(browser: Browser, address: str, cave: Path) -> None:
    browser.open(address)
    browser.wait("document.querySelectorAll('.shot').length === 4")
    cave.write_text("[asset.potion\n")
    browser.wait("document.querySelector('#told').textContent.includes('assets.toml:1')")
    cave.write_text(MANIFEST)
    browser.wait("document.querySelectorAll('.shot').length === 4")
