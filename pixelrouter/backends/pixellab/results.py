"""Finds the pictures in a finished result: one extractor for each shape that PixelLab's results have.

Synchronous answers hold ``image`` or ``images``. The ``last_response`` of a job holds the same, or images by direction,
or a bare base64 string, or nothing but addresses; a tileset's tiles come from an address of their own. Shapes: recorded
traffic (github.com/go-api-libs/pixellab, 2026-10) and the OpenAPI documents (2026-08-15).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelrouter.backends._reading import MOST_FILES, data_of
from pixelrouter.types import VIEW_NAMES, Inline, Remote

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
Item = Inline | Remote
_NAMES = VIEW_NAMES["8"]  # holds the four as well, in the same order


@dataclass(frozen=True)
class Found:
    """The files of a result in order, and their names, one for each, where they have any."""

    items: tuple[Item, ...] = ()
    names: tuple[str, ...] = ()


def _item(value: object) -> Item | None:
    """One picture: ``{type, base64}``, bare base64, or an address."""
    text = value.get("base64") or value.get("url") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text:
        return None
    return Remote(text) if text.startswith(("http://", "https://")) else Inline(data_of(text))


def _named(pairs: Sequence[tuple[str, object]]) -> Found:
    """Pictures with names, directions in the order of VIEW_NAMES."""
    files = pairs[: MOST_FILES + 1]  # one more than is kept, so that the delivery tells of it
    there = [(_plain(name, at), item) for at, (name, value) in enumerate(files) if (item := _item(value)) is not None]
    if all(name in _NAMES for name, _ in there):
        there.sort(key=lambda pair: _NAMES.index(pair[0]))
    return Found(tuple(item for _, item in there), tuple(name for name, _ in there))


def _plain(name: str, at: int) -> str:
    """A name that may become a file's name; one that may not is replaced by its place."""
    return name if _NAME.fullmatch(name) else f"picture-{at + 1}"


def _by_direction(result: Mapping[str, Any], lists: Sequence[str]) -> Found:
    """Characters: ``images`` maps directions to pictures."""
    images = result.get("images")
    return _named(list(images.items())) if isinstance(images, dict) else Found()


def _list(result: Mapping[str, Any], lists: Sequence[str]) -> Found:
    """Animations, sheets, rotations: ``images`` is a list; ``lists`` names its places where they have names."""
    images = result.get("images")
    if not isinstance(images, list):
        return Found()
    if lists and len(images) == len(lists):
        return _named(list(zip(lists, images, strict=True)))
    return Found(tuple(item for value in images[: MOST_FILES + 1] if (item := _item(value)) is not None))


def _single(result: Mapping[str, Any], lists: Sequence[str]) -> Found:
    """Most: ``image`` is a picture; of a map object it is bare base64."""
    item = _item(result.get("image"))
    return Found((item,)) if item else Found()


def _tiles(result: Mapping[str, Any], lists: Sequence[str]) -> Found:
    """Tilesets: ``tileset.tiles``, each with its picture and the ground at its corners."""
    tileset = result.get("tileset")
    tiles = tileset.get("tiles") if isinstance(tileset, dict) else result.get("tiles")
    pairs: list[tuple[str, object]] = []
    for tile in tiles[: MOST_FILES + 1] if isinstance(tiles, list) else []:
        if isinstance(tile, dict):
            pairs.append((_corners(tile, [name for name, _ in pairs]), tile.get("image")))
    return _named(pairs)


_GROUNDS = {"lower": "0", "upper": "1", "transition": "2"}


def _corners(tile: Mapping[str, Any], taken: Sequence[str]) -> str:
    """A tile's name by the ground at its corners: ``wang-0001`` has the upper ground in the south-east only."""
    corners = tile.get("corners")
    grounds = [corners.get(place) for place in ("NW", "NE", "SW", "SE")] if isinstance(corners, dict) else []
    digits = [_GROUNDS[ground] for ground in grounds if isinstance(ground, str) and ground in _GROUNDS]
    name = f"wang-{''.join(digits)}" if len(digits) == 4 else f"tile-{len(taken) + 1}"
    again = sum(other == name or other.startswith(f"{name}-") for other in taken)
    return f"{name}-{again + 1}" if again else name


def _addresses(result: Mapping[str, Any], lists: Sequence[str]) -> Found:
    """Nothing inline: addresses by direction, of frames, or of one picture."""
    for field in ("storage_urls", "rotation_urls"):
        urls = result.get(field)
        if isinstance(urls, dict):
            frames = urls.get("frames")
            found = _list({"images": frames}, lists) if isinstance(frames, list) else _named(_directions(urls))
            if found.items:
                return found
        if isinstance(urls, list):
            return _list({"images": urls}, lists)
    for field in ("storage_url", "download_url"):
        item = _item(result.get(field))
        if isinstance(item, Remote):
            return Found((item,))
    return Found()


def _directions(urls: Mapping[str, Any]) -> list[tuple[str, object]]:
    return [(name, url) for name, url in urls.items() if name in _NAMES and isinstance(url, str)]


Extractor = Callable[[Mapping[str, Any], Sequence[str]], Found]
EXTRACTORS: tuple[Extractor, ...] = (_by_direction, _list, _single, _tiles, _addresses)


def pictures_of(result: object, lists: Sequence[str] = ()) -> Found:
    """The pictures of a result, by the first extractor that finds any. ``lists`` names the places of a plain list."""
    if not isinstance(result, dict):
        return Found()
    for extract in EXTRACTORS:
        found = extract(result, lists)
        if found.items:
            return found
    return Found()
