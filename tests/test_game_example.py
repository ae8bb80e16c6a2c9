"""examples/game is a repository that works: its own tests, in a venv of its own, and its scene."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
GAME = ROOT / "examples" / "game"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns(".pixelrouter", "__pycache__", ".venv", ".pytest_cache")
    return Path(shutil.copytree(GAME, tmp_path / "game", ignore=ignored))


def run(copy: Path, *command: str, **env: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PIXELROUTER"))}
    done = subprocess.run(command, cwd=copy, env=clean | env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_build_script_and_its_replay_are_tested_without_keys(copy: Path) -> None:
    from tests.testing.plugin.conftest import INSTALLED

    plugin = [] if INSTALLED else ["-p", "pixelrouter.testing.plugin"]
    names = ["tests/test_vendor.py", "tests/test_build_art.py", "-k", "vendor or nothing"]
    out = run(copy, sys.executable, "-m", "pytest", "-q", *plugin, *names, PYTHONPATH=str(ROOT), CI="true")
    assert "2 passed" in out


def test_what_the_godot_scene_loads_is_there() -> None:
    scene = (GAME / "scene.tscn").read_text("utf-8")
    paths = re.findall(r'path="res://([^"]+)"', scene)
    assert len(paths) == 3
    assert all((GAME / path).is_file() for path in paths)
    name = re.search(r'autoplay = "(\w+)"', scene)
    assert name is not None
    assert f'"name": &"{name[1]}"' in (GAME / "art" / "slime.tres").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("ci", ["", "true"])
def test_it_works_in_a_fresh_venv(copy: Path, tmp_path: Path, ci: str) -> None:
    """As its README says, with pixelrouter from here. No key is set, and nothing but the package index is asked."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    run(copy, python, "-m", "pip", "install", "-q", str(ROOT), "-r", "requirements.txt")
    assert "9 passed" in run(copy, python, "-m", "pytest", "-q", CI=ci)
    run(copy, python, "game.py", "again.png", CI=ci)
    with Image.open(copy / "again.png") as again, Image.open(GAME / "screenshot.png") as shown:
        assert again.convert("RGB").tobytes() == shown.convert("RGB").tobytes()
