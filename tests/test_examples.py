"""The examples and the README's picture of the project, run as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter import pixels
from pixelrouter.pixels import FinishSpec

ROOT = Path(__file__).resolve().parent.parent
FINISHING = (ROOT / "docs" / "finishing.md").read_text("utf-8")


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


def test_the_readme_has_its_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert (
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/pixelrouter generate"
        ' "a red potion in a round bottle" --size 32 -o potion.png\n' in text
    )
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest\n" in text


PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
TEXTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", *PAGES]
# Pages whose code needs more: a key, a cassette, model weights, a process of its own. Their own tests run it.
ELSEWHERE = {"backends", "batch", "diffusers", "fal", "pixellab", "recording", "team"}


def slug(heading: str) -> str:
    """The anchor that a heading has on GitHub and GitLab."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page: str) -> None:
    here = ROOT / page
    for target in re.findall(r"\]\(([^)\s]+)\)", here.read_text("utf-8")):
        if ":" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (here.parent / path).resolve() if path else here
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), target


def test_every_page_is_listed_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    linked = set(re.findall(r"\]\((docs/[^)#]+\.md)", readme)) | {"docs/simulator-fal.md"}
    for page in linked & set(PAGES):  # pages reached over one other page are listed, too
        for target in re.findall(r"\]\(([^):#]+\.md)", (ROOT / page).read_text("utf-8")):
            linked.add((Path(page).parent / target).as_posix())
    assert set(PAGES) <= linked


@pytest.mark.parametrize("page", ["README.md", *(page for page in PAGES if Path(page).stem not in ELSEWHERE)])
def test_python_in_the_docs_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL):
        exec(compile(code, page, "exec"), {})


def test_the_table_of_wishes_is_the_spec() -> None:
    """Each field of FinishSpec with its default, in its order, and the options of the command line beside them."""
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", FINISHING, re.MULTILINE)
    assert rows == [(field.name, repr(field.default).replace("'", '"')) for field in fields(FinishSpec)]


def test_every_public_name_of_the_post_processor_has_a_line() -> None:
    section = FINISHING.partition("## Everything in pixelrouter.pixels")[2]
    named = set(re.findall(r"`(\w+)[`(]", re.sub(r"\| [^|]*\|$", "", section, flags=re.MULTILINE)))
    assert named == set(pixels.__all__)


def test_importing_pulls_nothing_heavy() -> None:
    code = "import sys, pixelrouter; print([m for m in ('httpx','numpy','PIL','pydantic','typer') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.strip() == "[]"
