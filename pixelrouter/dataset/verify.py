"""``dataset verify``: the proof that nothing was interpolated, from the files alone.

Every training file is read back, its picture taken apart cell by cell, and compared with the picture at 1x that lies
beside. How the files were made is not asked: this module shares no code with the one that writes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelrouter.dataset import record
from pixelrouter.dataset.record import Dataset, Picture
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import to_array


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file. ``rule``: "missing", "size", "cells", "native", "colors", "caption", "stray"."""

    file: str
    rule: str
    what: str


@dataclass(frozen=True)
class Verified:
    """What verifying found: how many pictures were looked at, and what is wrong."""

    pictures: int
    problems: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"pictures": self.pictures, "passed": self.passed, "problems": [vars(one) for one in self.problems]}


def verify(folder: Path | str) -> Verified:
    """Every picture of a training set against its record and its own 1x.

    Each file has the size of a bucket; its picture consists of whole cells of one colour each, and those cells are the
    picture at 1x, transparent ones in one ground colour; no file has more colours than was asked for; captions are
    those of the record; no other image lies between them. Raises InvalidRequest where there is no set, ConfigError
    where its record is damaged.
    """
    place = Path(folder)
    dataset = record.load(place)
    if dataset is None:
        raise InvalidRequest(f"{place} is no training set.", hint="pixelrouter dataset prepare DIR -o OUT makes one.")
    problems = [problem for one in dataset.pictures for problem in _picture(one, dataset, place)]
    problems += _lists(dataset, place)
    problems += _strays(dataset, place)
    return Verified(len(dataset.pictures), tuple(problems))


def _picture(one: Picture, dataset: Dataset, place: Path) -> Iterator[Problem]:
    try:
        file, native = to_array(place / one.file), to_array(place / one.native)
    except UnreadableImage as error:
        yield Problem(one.file, "missing", error.message)
        return
    high, wide = file.shape[:2]
    left, top, right, bottom = one.box
    inside = 0 <= left < right <= wide and 0 <= top < bottom <= high
    if (wide, high) != one.bucket or (dataset.buckets and one.bucket not in dataset.buckets) or not inside:
        yield Problem(one.file, "size", f"It has {wide}x{high} pixels, which is not its bucket.")
        return
    ground = {tuple(bytes.fromhex(dataset.ground[1:]))} if dataset.ground else set()
    yield from _cells(one, file[top:bottom, left:right], native, ground)
    colors = _visible(file)
    if len(colors) > dataset.most_colors:
        yield Problem(one.file, "colors", f"It has {len(colors)} colours, and the most is {dataset.most_colors}.")
    if strange := colors - _visible(native) - ground:
        yield Problem(
            one.file, "colors", f"It has {len(strange)} colours that neither {one.native} nor the ground has."
        )
    if not np.isin(file[..., 3], (0, 255)).all():
        yield Problem(one.file, "colors", "It has half-transparent pixels.")
    yield from _caption(one, place)


def _cells(one: Picture, art: Bytes, native: Bytes, ground: set[tuple[int, ...]]) -> Iterator[Problem]:
    """The picture in its file is the one at 1x, each pixel ``factor`` times across and down."""
    factor = one.factor
    high, wide = native.shape[:2]
    if (wide, high) != one.size or art.shape[:2] != (high * factor, wide * factor):
        yield Problem(one.file, "native", f"{one.native} has {wide}x{high} pixels, which is not the file's picture.")
        return
    cells = art.reshape(high, factor, wide, factor, 4)
    first = cells[:, :1, :, :1]
    if not (cells == first).all():
        yield Problem(one.file, "cells", f"Pixels of one cell of {factor}x{factor} differ: it was interpolated.")
        return
    small, shown = first[:, 0, :, 0], native[..., 3] > 0
    same = (small[shown] == native[shown]).all() and _visible(small[~shown]) <= ground
    if not same or _hash(native) != one.pixels:
        yield Problem(one.file, "native", f"It is not {one.native}, pixel for pixel.")


def _visible(rgba: Bytes) -> set[tuple[int, ...]]:
    packed = np.unique(np.ascontiguousarray(rgba).view(np.uint32))  # a pixel is one number, in which sorting is quick
    pixels = packed.view(np.uint8).reshape(-1, 4)
    return {tuple(pixel[:3]) for pixel in pixels.tolist() if pixel[3]}


def _hash(rgba: Bytes) -> str:
    return hashlib.sha256(
        f"{rgba.shape[1]}x{rgba.shape[0]}:".encode() + np.ascontiguousarray(rgba).tobytes()
    ).hexdigest()


def _caption(one: Picture, place: Path) -> Iterator[Problem]:
    path = (place / one.file).with_suffix(".txt")
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return  # the set may have lists alone
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(one.file, "caption", f"{path.name} cannot be read: {error}.")
        return
    if " ".join(text.split()) != " ".join(one.caption.split()):
        yield Problem(one.file, "caption", "Its caption was edited since; prepare the set again to take that over.")


def _lists(dataset: Dataset, place: Path) -> Iterator[Problem]:
    """Each ``metadata.jsonl`` names the pictures of its side, with their captions."""
    for split in ("train", "validation"):
        path = place / split / "metadata.jsonl"
        if not path.exists():
            continue
        name = f"{split}/metadata.jsonl"
        try:
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            listed = {f"{split}/{row['file_name']}": row["text"] for row in rows}
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield Problem(name, "caption", f"It cannot be read: {error}.")
            continue
        if listed != {one.file: one.caption for one in dataset.pictures if one.split == split}:
            yield Problem(name, "caption", "It does not list the pictures of the set with their captions.")


def _strays(dataset: Dataset, place: Path) -> Iterator[Problem]:
    known = {one.file for one in dataset.pictures}
    for split in ("train", "validation"):
        for path in sorted((place / split).rglob("*")):
            name = path.relative_to(place).as_posix()
            if path.is_file() and path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp") and name not in known:
                yield Problem(name, "stray", "It is not part of the set, and a trainer would take it.")
