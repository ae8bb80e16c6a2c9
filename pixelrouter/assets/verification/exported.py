"""Exported files: whether each can be read as what its ending says, and what it refers to is there and fits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET  # the files are our own, bounded in size; expat expands no external entities

from pixelrouter.assets.verification.report import Issue, issue
from pixelrouter.errors import PixelRouterError

_AGAIN = "Restore it from git, or `pixelrouter build`."
_RESOURCE = re.compile(r'^\[ext_resource\b[^\n]*\bpath="([^"]+)"', re.MULTILINE)


def check_export(path: Path, data: bytes) -> Iterator[Issue]:
    """What is wrong with a file that is no PNG. Endings that nobody here writes are not read."""
    check = _BY_ENDING.get(path.suffix.lower())
    if check is not None:
        yield from check(path, data)


def _json(path: Path, data: bytes) -> Iterator[Issue]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        yield issue("unreadable", f"It is no JSON: {error}.", _AGAIN)
        return
    meta = value.get("meta") if isinstance(value, dict) else None
    if not isinstance(meta, dict) or not isinstance(meta.get("image"), str):
        return
    size = _size_beside(path, meta["image"])
    if size is None:
        yield issue("export", f"It refers to {meta['image']}, which is not beside it.", _AGAIN)
        return
    if (said := meta.get("size")) and (said.get("w"), said.get("h")) != size:
        yield issue(
            "export",
            f"It says that {meta['image']} is {said.get('w')}x{said.get('h')}; it is {size[0]}x{size[1]}.",
            _AGAIN,
        )
    outside = [name for name, box in _frames(value) if not _inside(box, size)]
    if outside:
        yield issue("export", f"Frame {outside[0]!r} lies outside of {meta['image']}.", _AGAIN)


def _frames(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    frames = value.get("frames")
    if isinstance(frames, list):
        return [(str(one.get("filename")), one.get("frame")) for one in frames if isinstance(one, dict)]
    if isinstance(frames, dict):
        return [(name, one.get("frame")) for name, one in frames.items() if isinstance(one, dict)]
    return []


def _inside(box: Any, size: tuple[int, int]) -> bool:
    try:
        left, top, width, height = (int(box[name]) for name in "xywh")
    except (TypeError, KeyError, ValueError):
        return False
    return left >= 0 and top >= 0 and left + width <= size[0] and top + height <= size[1]


def _xml(path: Path, data: bytes) -> Iterator[Issue]:
    if b"<!ENTITY" in data:
        yield issue("unreadable", "It declares entities, which no export has.", _AGAIN)
        return
    try:
        root = ET.fromstring(data)  # noqa: S314  # no entities: seen to just above
    except ET.ParseError as error:
        yield issue("unreadable", f"It is no XML: {error}.", _AGAIN)
        return
    for image in root.iter("image"):
        source = image.get("source", "")
        size = _size_beside(path, source)
        if size is None:
            yield issue("export", f"It refers to {source}, which is not there.", _AGAIN)
        elif (image.get("width"), image.get("height")) not in ((None, None), (str(size[0]), str(size[1]))):
            yield issue("export", f"It has another size for {source} than {size[0]}x{size[1]}.", _AGAIN)


def _godot(path: Path, data: bytes) -> Iterator[Issue]:
    text = data.decode("utf-8", errors="replace")
    if not text.startswith("[gd_"):
        yield issue("unreadable", "It is no Godot resource.", _AGAIN)
        return
    for place in _RESOURCE.findall(text):
        if not _godot_finds(path, place):
            yield issue("export", f"It refers to {place}, which is not there.", _AGAIN)


def _godot_finds(path: Path, place: str) -> bool:
    """Whether a resource has what it refers to: beside it, or below the folder of the Godot project it lies in."""
    if not place.startswith("res://"):
        return (path.parent / place).is_file()
    inner = place.removeprefix("res://")
    root = next((folder for folder in path.absolute().parents if (folder / "project.godot").is_file()), None)
    return (path.parent / inner.rpartition("/")[2] if root is None else root / inner).is_file()


def _moving(path: Path, data: bytes) -> Iterator[Issue]:
    from pixelrouter.pixels import decode

    try:
        decode(data)
    except PixelRouterError as error:
        yield issue("unreadable", error.message, _AGAIN)


def _aseprite(path: Path, data: bytes) -> Iterator[Issue]:
    from pixelrouter.formats.aseprite import parse

    try:
        parse(data, path.name)
    except PixelRouterError as error:
        yield issue("unreadable", error.message, _AGAIN)


def _size_beside(path: Path, name: str) -> tuple[int, int] | None:
    """The size of a picture that a file refers to, None where it is not there."""
    from PIL import Image

    for place in (name, unquote(name)):
        try:
            with Image.open(path.parent / place) as image:
                return image.size
        except (OSError, ValueError):
            continue
    return None


_BY_ENDING: Mapping[str, Callable[[Path, bytes], Iterator[Issue]]] = {
    ".json": _json,
    ".tsx": _xml,
    ".tres": _godot,
    ".gif": _moving,
    ".apng": _moving,
    ".webp": _moving,
    ".aseprite": _aseprite,
}
