"""The examples and the README's picture of the project, run as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


def run(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=120,
        env={**os.environ, "HOME": str(cwd), "XDG_DATA_HOME": str(cwd / "data"), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_quickstart(tmp_path: Path) -> None:
    result = run("quickstart.py", "art", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for name, side in (("potion.png", 32), ("potion-8x.png", 256)):
        with Image.open(tmp_path / "art" / name) as image:
            assert (image.mode, image.size) == ("P", (side, side))


def test_build_script_runs_again_for_free(tmp_path: Path) -> None:
    first = run("build_script.py", "art", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    again = run("build_script.py", "art", cwd=tmp_path)
    assert again.stdout.count("reused") == 4
    assert sorted(p.name for p in (tmp_path / "art").iterdir()) == ["coin.png", "potion.png", "slime.png", "sword.png"]


def test_the_readme_has_its_two_commands_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert (
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/pixelrouter generate"
        ' "a red potion in a round bottle" --size 32 -o potion.png\n' in text
    )
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest\n" in text
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target


PAGES = [
    "README.md",
    "docs/money.md",
    "docs/sheets.md",
    "docs/tiles.md",
    "docs/explain.md",
    "docs/convert.md",
    "docs/animation.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_python_in_the_docs_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL):
        exec(compile(code, page, "exec"), {})


def test_importing_pulls_nothing_heavy() -> None:
    code = "import sys, pixelrouter; print([m for m in ('httpx','numpy','PIL','pydantic','typer') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.strip() == "[]"
