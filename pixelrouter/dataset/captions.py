"""Captions: found beside an image, in it or in a list of its folder, and put together as a template says.

Where trainers look: kohya-ss/sd-scripts reads ``NAME.txt`` or ``NAME.caption`` beside ``NAME.png``; Hugging Face
datasets (ImageFolder) read ``metadata.jsonl`` with ``file_name``, and its training scripts take the column ``text``
(both read in November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelrouter.dataset.spec import DatasetSpec
from pixelrouter.files import read_bounded

BESIDE = (".txt", ".caption")
LIST = "metadata.jsonl"
_COLUMNS = ("text", "caption", "prompt")
_MOST = 1 << 20  # bytes of one caption file
_LIST_MOST = 1 << 28
# Keys of text chunks in a PNG: "parameters" is what AUTOMATIC1111's web UI writes, the others are the PNG standard's.
_CHUNKS = ("parameters", "prompt", "Description", "Comment", "Title")
_REST = re.compile(r"\n(?:Negative prompt:|Steps: ).*", re.DOTALL)  # of "parameters": not the prompt


@dataclass(frozen=True)
class Found:
    """A caption's text, and where it is from: "given", "file", "list", "png", "name", or "" for none."""

    text: str
    source: str


class Finder:
    """Finds the captions of a folder's images.

    ``known``: captions by paths in the folder, which come first. ``names``: at last the words of a file's name are its
    caption.
    """

    def __init__(self, root: Path, *, names: bool = False, known: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.names = names
        self.known = known or {}
        self._lists: dict[Path, Mapping[str, str]] = {}

    def find(self, image: Path) -> Found:
        """The caption of an image: a file beside it, a list in its folder or one above it, or its PNG text."""
        if text := _one_line(self.known.get(image.relative_to(self.root).as_posix(), "")):
            return Found(text, "given")
        for path in (*(image.with_suffix(ending) for ending in BESIDE), image.with_name(f"{image.name}.txt")):
            if text := _one_line(_read(path, _MOST)):
                return Found(text, "file")
        for folder in image.parents:
            if text := self._listed(folder).get(image.relative_to(folder).as_posix(), ""):
                return Found(text, "list")
            if folder == self.root or self.root not in folder.parents:
                break
        if text := _in_png(image):
            return Found(text, "png")
        return Found(words(image.stem), "name") if self.names else Found("", "")

    def _listed(self, folder: Path) -> Mapping[str, str]:
        if folder not in self._lists:
            self._lists[folder] = _read_list(folder / LIST)
        return self._lists[folder]


def words(name: str) -> str:
    """A file's name as words: ``red_potion-02`` is "red potion"."""
    plain = re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip()
    return re.sub(r"(?: \d+)+$", "", plain).lower()


def compose(text: str, spec: DatasetSpec, facts: Mapping[str, Any]) -> str:
    """The caption as it is written: the template filled in, the trigger in front unless it stands there already.

    Parts between commas that stay empty are left out.
    """
    filled = spec.caption.format(**{**facts, "text": text, "trigger": spec.trigger})
    parts = [part.strip() for part in filled.split(",")]
    caption = ", ".join(part for part in parts if part)
    trigger = spec.trigger.strip()
    if trigger and not re.match(rf"{re.escape(trigger)}(?!\w)", caption):
        caption = f"{trigger}, {caption}" if caption else trigger
    return caption


def _read_list(path: Path) -> dict[str, str]:
    """The captions of a ``metadata.jsonl`` by file name; lines that say nothing are passed over."""
    found = {}
    for line in _read(path, _LIST_MOST).splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
            continue
        text = next((row[name] for name in _COLUMNS if isinstance(row.get(name), str)), "")
        found[row["file_name"]] = _one_line(text)
    return found


def _in_png(image: Path) -> str:
    from PIL import Image

    from pixelrouter.errors import UnreadableImage
    from pixelrouter.pixels.decode import guarded

    if image.suffix.lower() != ".png":
        return ""

    def text() -> dict[str, Any]:
        with Image.open(image, formats=("PNG",)) as picture:
            return {key: value for key, value in picture.info.items() if isinstance(key, str)}

    try:
        info = guarded(image.name, text)
    except UnreadableImage:
        return ""  # whoever decodes it says so
    for key in _CHUNKS:
        value = info.get(key)
        if isinstance(value, str) and value.strip() and not value.lstrip().startswith(("{", "[")):  # no node graph
            return _one_line(_REST.sub("", value))
    return ""


def _one_line(text: str) -> str:
    clean = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(clean.split())


def _read(path: Path, most: int) -> str:
    try:
        return read_bounded(path, most).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
