"""Captions: found, put together, written, and kept where a person has changed them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL.PngImagePlugin import PngInfo

from pixelrouter.dataset import Dataset, DatasetSpec, prepare, verify
from pixelrouter.dataset.captions import Finder, compose, words
from pixelrouter.pixels import FinishSpec, InProcess
from tests.dataset.art import sprite


def save(path: Path, seed: int, text: dict[str, str] | None = None) -> Path:
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    sprite(seed, (12, 12), 5).save(path, pnginfo=info)
    return path


def made(source: Path, out: Path, **wishes: Any) -> Dataset:
    dataset = prepare(source, out, DatasetSpec(resolution=256, bucket_step=128, **wishes), InProcess())
    assert verify(out).problems == ()
    return dataset


def test_where_captions_are_found(tmp_path: Path) -> None:
    rows = [{"file_name": "c.png", "text": "from a list"}, {"file_name": "far/d.png", "caption": "far away"}]
    (tmp_path / "metadata.jsonl").write_text("\n".join(["no json", *map(json.dumps, rows), "[1]", "{}"]), "utf-8")
    (tmp_path / "a.txt").write_text("\ufeffa file,\n  two lines\n", "utf-8")
    (tmp_path / "b.caption").write_text("the other ending")
    save(tmp_path / "far" / "d.png", 1)
    finder = Finder(tmp_path, names=True, known={"f.png": "told by hand"})

    def found(name: str, **text: str) -> tuple[str, str]:
        one = finder.find(save(tmp_path / name, 1, text))
        return one.text, one.source

    assert found("a.png", parameters="not this") == ("a file, two lines", "file")
    assert found("b.png") == ("the other ending", "file")
    assert found("c.png") == ("from a list", "list")
    assert found("far/d.png") == ("far away", "list")
    assert found("e.png", parameters="a hat\nNegative prompt: a coat\nSteps: 20") == ("a hat", "png")
    assert found("f.png") == ("told by hand", "given")
    assert found("g.png", prompt='{"3": {"class_type": "KSampler"}}', Description="a shoe") == ("a shoe", "png")
    assert found("redPotion_02.png") == ("red potion", "name")
    assert Finder(tmp_path).find(save(tmp_path / "h.png", 1)).source == ""


def test_a_damaged_picture_has_no_caption_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    assert Finder(tmp_path).find(tmp_path / "a.png").text == ""


@pytest.mark.parametrize(
    ("name", "text"), [("red-potion", "red potion"), ("Orc_Warrior 3", "orc warrior"), ("a", "a"), ("12", "12")]
)
def test_names_as_words(name: str, text: str) -> None:
    assert words(name) == text


@pytest.mark.parametrize(
    ("template", "trigger", "text", "caption"),
    [
        ("{text}", "", "a hat", "a hat"),
        ("{text}", "pixly", "a hat", "pixly, a hat"),
        ("{text}", "pixly", "pixly, a hat", "pixly, a hat"),
        ("{text}", "pix", "pixly hat", "pix, pixly hat"),
        ("{text}", "pixly", "", "pixly"),
        ("{text}", "", "", ""),
        ("a {width}x{height} sprite of {text}, {trigger}", "pixly", "a hat", "pixly, a 8x9 sprite of a hat, pixly"),
        ("pixel art, {text}, {folder}, {colors} colours", "", "", "pixel art, units, 5 colours"),
    ],
)
def test_captions_are_put_together(template: str, trigger: str, text: str, caption: str) -> None:
    facts = {"name": "hat", "folder": "units", "colors": 5, "width": 8, "height": 9, "palette": ""}
    assert compose(text, DatasetSpec(caption=template, trigger=trigger), facts) == caption


def test_what_is_written_beside_the_images(tmp_path: Path) -> None:
    save(tmp_path / "art" / "units" / "orc.png", 1, {"Description": "ein grüner Ork"})
    save(tmp_path / "art" / "hat.png", 2)
    out = tmp_path / "set"
    palette = FinishSpec(palette="pico-8", policy="reject")
    dataset = made(
        tmp_path / "art", out, trigger="pixly", caption="{text}, {palette}", palette_name="pico-8", finish=palette
    )
    assert (out / "train" / "units-orc.txt").read_text("utf-8") == "pixly, ein grüner Ork, pico-8\n"
    lines = (out / "train" / "metadata.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"file_name": "hat.png", "text": "pixly, pico-8"},
        {"file_name": "units-orc.png", "text": "pixly, ein grüner Ork, pico-8"},
    ]
    assert [one.file for one in dataset.without_caption] == ["train/hat.png"]
    assert dataset.summary()["without_caption"] == ["train/hat.png"]
    alone = made(tmp_path / "art", out, captions="none")
    assert not list((out / "train").glob("*.txt"))
    assert not (out / "train" / "metadata.jsonl").exists()
    assert len(alone.pictures) == 2
    assert not made(tmp_path / "art", out, caption="a sprite").without_caption


def test_a_caption_edited_in_the_set_stays_and_moves_along(tmp_path: Path) -> None:
    save(tmp_path / "art" / "hat.png", 1, {"Description": "a hat"})
    save(tmp_path / "art" / "orc.png", 2, {"Description": "an orc"})
    out = tmp_path / "set"
    made(tmp_path / "art", out)
    (out / "train" / "hat.txt").write_text("a very fine hat\n")
    assert [problem.rule for problem in verify(out).problems] == ["caption"]
    for wishes in ({}, {}, {"trigger": "pixly", "repeats": 5}, {"trigger": "pixly"}):
        captions = {
            one.source: (one.caption, one.caption_from) for one in made(tmp_path / "art", out, **wishes).pictures
        }
        assert captions["hat.png"] == ("a very fine hat", "edited")
        assert captions["orc.png"][0].endswith("an orc")
    assert "a very fine hat" in (out / "train" / "metadata.jsonl").read_text("utf-8")
    (out / "train" / "hat.txt").unlink()  # to have the found one again
    assert made(tmp_path / "art", out).pictures[0].caption == "a hat"


def test_no_caption_reads_what_is_no_regular_file(tmp_path: Path) -> None:
    image = save(tmp_path / "a.png", 1)
    (tmp_path / "a.txt").mkdir()
    assert Finder(tmp_path).find(image).source == ""
