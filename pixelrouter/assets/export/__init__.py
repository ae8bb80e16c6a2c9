"""Exports: what engines and editors load. One module a format, each a pure function from a sprite to files.

Every asset has its PNG (a sheet where it has several frames); an export adds files beside it. The same sprite always
gives the same bytes, so that a build can be compared with the one before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Protocol

from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest

#: Content by path, relative to the folder of the sprite's PNG, with "/" between folders.
Files = Mapping[str, bytes]


class Exporter(Protocol):
    """``stem`` is the PNG's file name without its ending; ``folder`` that of the PNG below the project's out folder,
    "" for the out folder itself: engines that name resources from the project's root need it.
    """

    def __call__(self, sprite: Sprite, stem: str, folder: str) -> Files: ...


_HOMES = {
    "aseprite": "aseprite",  # a real .aseprite file
    "aseprite-json": "aseprite_json",  # Aseprite's array format, which Phaser and others read
    "aseprite-json-hash": "aseprite_json:export_hash",
    "pixi": "pixi",
    "phaser": "pixi:export_phaser",
    "godot": "godot",
    "tiled": "tiled",
    "unity": "unity",
    "gif": "preview",
    "apng": "preview:export_apng",
    "frames": "frames",  # one PNG a frame
}
NAMES = tuple(_HOMES)


def exporter(name: str) -> Exporter:
    """The exporter of that name. Raises InvalidRequest with the names there are."""
    if name not in _HOMES:
        raise InvalidRequest(f"There is no export called {name!r}.", hint=f"Use one of: {', '.join(NAMES)}.")
    module, _, function = _HOMES[name].partition(":")
    found: Callable[..., Files] = getattr(importlib.import_module(f"{__name__}.{module}"), function or "export")
    return found
