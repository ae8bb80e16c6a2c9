"""Names that lead elsewhere: prompts, ids, vendors' names, targets. Nothing is written outside, or over anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner, Result

from pixelrouter.cli.app import app
from pixelrouter.cli.files import slug
from pixelrouter.errors import InvalidRequest
from pixelrouter.money.draft import Labels
from pixelrouter.money.owner import Owner
from pixelrouter.pixels import FinishSpec, finish
from pixelrouter.types import FREE, PixelArt

NAMES = (
    "..", "/", "../../etc/x", "CON", "nul", "a" * 300, "\u202egnp.exe", "\U0001f600", "...", "a. . .", "~", "$(id)",
    "x\ny", "C:\\x", "..\\..\\x", "%2e%2e%2f", "-rf",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    return tmp_path / "work"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@given(st.text(max_size=400))
def test_a_prompt_becomes_a_plain_file_name(prompt: str) -> None:
    name = slug(prompt)
    assert name
    assert len(name) <= 55
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name not in {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


@pytest.mark.parametrize("prompt", ["CON", "nul", "Com1", "LPT9"])
def test_a_device_is_no_name(prompt: str) -> None:
    assert slug(prompt) == f"{prompt.lower()}-sprite"


def test_prompts_as_names_are_saved_here_and_never_over_each_other(here: Path) -> None:
    count = 0
    for prompt in NAMES[2:6]:
        assert run("generate", "--size", "8", "--", prompt).exit_code == 0, prompt
        count += 1
    assert len(list(here.iterdir())) == count
    assert {each.name for each in here.parent.iterdir()} <= {"work", "state", "data-home"}


def art(*names: str) -> PixelArt:
    done = [finish(Image.new("RGB", (8, 8), (n, 0, 0)), FinishSpec((8, 8))) for n in range(len(names))]
    return PixelArt(
        indexed=tuple(one.indexed for one in done), reports=tuple(one.report for one in done), palette=(), raws=(),
        backend="b", model="m", seed=1, cost=FREE, paid=FREE, attempts=(), names=names, request=None,
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.one_of(st.text(max_size=300), st.sampled_from(NAMES)), min_size=2, max_size=3))
def test_a_vendors_names_stay_in_the_folder(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("names")
    (folder / "out").mkdir()
    files = art(*names).save(folder / "out" / "hero.png")
    assert len({str(file).casefold() for file in files}) == len(names)
    for file in files:
        assert file.parent == folder / "out"
        assert file.name.startswith("hero-")
        assert not set(file.name) & set('\\/:*?"<>|\0')
    assert sorted(each.name for each in folder.rglob("*") if each.is_file()) == sorted(file.name for file in files)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "long", "in a file", "loop"])
def test_a_target_that_is_no_file_is_refused_before_anything_is_drawn(kind: str, here: Path) -> None:
    (here / "file.png").write_text("mine")
    targets = {"folder": "folder.png", "pipe": "pipe.png", "device": "device.png", "long": "x" * 300 + ".png",
               "in a file": "file.png/x.png", "loop": "loop.png/x.png"}  # fmt: skip
    (here / "folder.png").mkdir()
    os.mkfifo(here / "pipe.png")
    (here / "device.png").symlink_to("/dev/null")
    (here / "loop.png").symlink_to("loop.png")
    result = run("generate", "a tree", "--size", "8", "-o", targets[kind])
    assert result.exit_code == 2, result.output
    assert "hint:" in result.stderr
    assert not (here.parent / "state").exists()
    assert (here / "file.png").read_text() == "mine"


def test_a_link_as_target_is_replaced_and_not_followed(here: Path) -> None:
    (here.parent / "theirs.png").write_text("theirs")
    (here / "link.png").symlink_to(here.parent / "theirs.png")
    (here / "nowhere.png").symlink_to(here.parent / "new.png")
    for name in ("link.png", "nowhere.png"):
        assert run("generate", "a tree", "--size", "8", "-o", name).exit_code == 0
        assert not (here / name).is_symlink()
    assert (here.parent / "theirs.png").read_text() == "theirs"
    assert not (here.parent / "new.png").exists()


def test_an_id_is_no_pattern(here: Path) -> None:
    """One attempt is there, and nothing but its own id means it."""
    assert run("generate", "a tree", "--size", "8").exit_code == 0
    for name in ("", "%", "_", "*", "..", "\0", "' OR 1=1 --", "a" * 100_000, "\udcff"):
        assert run("cancel", "--", name).exit_code == 2, name
        assert run("resume", "--charged", "--", name).exit_code == 2, name


@pytest.mark.parametrize("value", ["\udcff", "a\0b", 5])
def test_labels_that_no_ledger_takes(value: str) -> None:
    for make in (lambda: Labels(asset=value), lambda: Labels(tags=(value,)), lambda: Labels(style_group=value)):
        with pytest.raises(InvalidRequest, match="label"):
            make()


@pytest.mark.parametrize("name", ["../victim", "/tmp/victim", "victim", "..", "a" * 5000, "\0"])
def test_an_owner_in_a_ledger_names_no_file(name: str, tmp_path: Path) -> None:
    owner = Owner(tmp_path / "owners")
    for victim in (tmp_path / "victim.lock", tmp_path / "owners" / "victim.lock"):
        victim.write_text("mine")
    assert not owner.alive(name)
    assert (tmp_path / "victim.lock").read_text() == (tmp_path / "owners" / "victim.lock").read_text() == "mine"
    owner.close()


def test_a_proof_of_life_that_cannot_be_read_is_believed(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "owners")
    (tmp_path / "owners" / f"{'a' * 32}.lock").mkdir()  # opened like a file of another user's: refused
    assert owner.alive("a" * 32)
    owner.close()
