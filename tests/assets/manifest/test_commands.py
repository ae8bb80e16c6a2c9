"""``pixelrouter init`` and ``pixelrouter schema``."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from pixelrouter import PixelRouter
from pixelrouter.assets.manifest import load_manifest
from pixelrouter.assets.manifest.schema import FILE
from pixelrouter.cli.app import app
from pixelrouter.routing.arguments import Arguments as Wish


def test_init_writes_a_manifest_that_the_free_backend_can_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init"])
    assert (done.exit_code, done.stdout) == (0, "assets.toml\n")
    assert ".gitignore" in done.stderr
    manifest = load_manifest()
    assert list(manifest.assets) == ["slime", *(f"items/potion-{color}" for color in ("red", "green", "blue")), "grass"]
    data = tomllib.loads((tmp_path / "assets.toml").read_text("utf-8"))
    jsonschema.validate(data, json.loads(FILE.read_text("utf-8")))
    with PixelRouter(state=tmp_path / "state") as router:
        for asset in manifest.assets.values():
            wish = Wish(task=asset.task, tiles=asset.tiles, transparent=asset.transparent, size=asset.size)
            assert not router.quote(asset.prompt, **wish, backend=asset.backend).money


def test_init_replaces_nothing_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "game" / "assets.toml"
    (tmp_path / ".gitignore").write_text("/.pixelrouter/\n")
    file.parent.mkdir()
    file.write_text("mine")
    again = CliRunner().invoke(app, ["init", "game"])
    assert (again.exit_code, file.read_text()) == (2, "mine")
    assert "--force" in again.stderr
    forced = CliRunner().invoke(app, ["init", "--force", "--json"])
    assert (forced.exit_code, json.loads(forced.stdout)) == (0, {"file": "assets.toml", "ignored": True})
    assert CliRunner().invoke(app, ["init", "game", "--force"]).exit_code == 0
    assert file.read_text() == (tmp_path / "assets.toml").read_text()


def test_schema_prints_the_file_or_its_place() -> None:
    assert CliRunner().invoke(app, ["schema"]).stdout == FILE.read_text("utf-8")
    assert CliRunner().invoke(app, ["schema", "--path"]).stdout == f"{FILE}\n"
