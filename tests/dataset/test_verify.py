"""The proof finds every way in which a set can stop being true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixelrouter.dataset import DatasetSpec, prepare, verify
from pixelrouter.errors import ConfigError, InvalidRequest
from pixelrouter.pixels import FinishSpec, InProcess
from tests.dataset.art import sprite


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A set of one transparent sprite at most 6 colours, x13 in 256x256 with padding."""
    (tmp_path / "art").mkdir()
    sprite(1, (19, 19), 6, clear=True).save(tmp_path / "art" / "one.png")
    (tmp_path / "art" / "one.txt").write_text("a thing")
    spec = DatasetSpec(resolution=256, finish=FinishSpec(colors=6, policy="reject"), square=True)
    prepare(tmp_path / "art", tmp_path / "set", spec, InProcess())
    assert verify(tmp_path / "set").passed
    return tmp_path / "set"


def changed(path: Path, change: Callable[[Image.Image], Image.Image]) -> None:
    with Image.open(path) as image:
        result = change(image.convert("RGB" if "transparency" not in image.info else "RGBA"))
    result.save(path)


def pixel(image: Image.Image, place: tuple[int, int], color: tuple[int, ...]) -> Image.Image:
    image.putpixel(place, color)
    return image


def resized(image: Image.Image, method: Image.Resampling) -> Image.Image:
    return image.resize((128, 128), method).resize((256, 256), method)


def test_what_is_wrong_is_found(made: Path) -> None:
    file, native = made / "train" / "one.png", made / "1x" / "one.png"
    good, small = file.read_bytes(), native.read_bytes()

    def rules() -> list[str]:
        found = [problem.rule for problem in verify(made).problems]
        file.write_bytes(good)
        native.write_bytes(small)
        return found

    for method in (Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.NEAREST):
        changed(file, lambda image, method=method: resized(image, method))
        assert "cells" in rules()
    changed(file, lambda image: pixel(image, (100, 100), image.getpixel((0, 0))))
    assert rules() == ["cells"]
    changed(file, lambda image: image.crop((0, 0, 255, 256)))
    assert rules() == ["size"]
    changed(file, lambda image: pixel(image, (255, 255), (1, 2, 3)))
    assert set(rules()) == {"colors"}
    changed(native, lambda image: pixel(image, (9, 9), (1, 2, 3, 255)))
    assert rules() == ["native"]
    changed(native, lambda image: image.resize((20, 20)))
    assert "native" in rules()
    file.unlink()
    assert rules() == ["missing"]
    assert verify(made).passed


def test_a_ground_of_two_colours_is_no_ground(made: Path) -> None:
    file = made / "train" / "one.png"
    with Image.open(file) as image:
        rgb = np.array(image.convert("RGB"))
    rgb[13:26, 13:26] = rgb[128, 128]  # one cell of the ground, as a whole
    Image.fromarray(rgb).save(file)
    assert [problem.rule for problem in verify(made).problems] == ["native"]


def test_pixels_that_are_not_those_of_the_record_are_found(made: Path) -> None:
    """Both files changed alike: only the record knows what the picture was."""
    for name in ("1x/one.png", "train/one.png"):
        changed(made / name, ImageOps.mirror)
    with Image.open(made / "train" / "one.png") as image:
        left = image.transform(image.size, Image.Transform.AFFINE, (1, 0, 9, 0, 1, 0), fillcolor="white")
    left.save(made / "train" / "one.png")  # its padding is on the right again
    assert [problem.rule for problem in verify(made).problems] == ["native"]


def test_captions_and_strays(made: Path) -> None:
    (made / "train" / "one.txt").write_text("another thing")
    (made / "train" / "metadata.jsonl").write_text('{"file_name": "one.png"}\n')
    (made / "train" / "copy.png").write_bytes(b"")
    found = {(problem.file, problem.rule) for problem in verify(made).problems}
    assert found == {
        ("train/one.png", "caption"),
        ("train/metadata.jsonl", "caption"),
        ("train/copy.png", "stray"),
    }


def test_a_folder_without_a_record_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no training set"):
        verify(tmp_path)
    for text in ("{", "[]", '{"version": 9}', '{"version": 1, "pictures": [{}]}'):
        (tmp_path / "dataset.json").write_text(text)
        with pytest.raises(ConfigError, match=r"dataset\.json"):
            verify(tmp_path)
