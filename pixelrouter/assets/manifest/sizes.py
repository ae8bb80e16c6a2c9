"""The size of what is made from a picture, where none is said: the picture's own, as the router has it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.manifest.names import ASSET
from pixelrouter.errors import PixelRouterError
from pixelrouter.types import MAX_SIDE, ON_AN_IMAGE

Report = Callable[[str, str, str], None]  # the asset's name, what is wrong, the fix
_LARGEST_SUBJECT = 256  # of views and animations, as in routing.pictures: larger ones are photographs
_PNG = b"\x89PNG\r\n\x1a\n"


def keep_sizes(unsized: Sequence[str], assets: dict[str, Asset], folder: Path, report: Report) -> None:
    """Give each asset of ``unsized`` the size of the picture it is made from, along chains of ``asset:NAME``.

    The chains have to be without rings. Those that are made from nothing keep the default.
    """
    todo = set(unsized)
    for name in unsized:
        chain = []
        while name in todo:
            todo.discard(name)
            chain.append(name)
            name = _picture(assets[name]).removeprefix(ASSET)
        for one in reversed(chain):
            _keep(one, assets, folder, report)


def _picture(asset: Asset) -> str:
    """What it is made from, "" for nothing."""
    on_one = asset.task in ON_AN_IMAGE or asset.task in ("views", "animation")
    return asset.images[0] if on_one and asset.images else ""


def _keep(name: str, assets: dict[str, Asset], folder: Path, report: Report) -> None:
    asset = assets[name]
    if not (picture := _picture(asset)):
        return
    if picture.startswith(ASSET):
        size = assets[picture.removeprefix(ASSET)].size
    else:
        try:
            size = _size(folder / picture)
        except (OSError, PixelRouterError) as error:
            report(name, f"has no size, and {picture} cannot be read: {error}.", "Add size = 32.")
            return
    if asset.task not in ON_AN_IMAGE and max(size) > _LARGEST_SUBJECT:
        return
    if not all(1 <= side <= MAX_SIDE for side in size):
        what = f"has no size, and {picture} has {size[0]}x{size[1]} pixels; {MAX_SIDE} a side are the most."
        report(name, what, "Add the size of the sprite: size = 32.")
        return
    assets[name] = replace(asset, size=size)


def _size(file: Path) -> tuple[int, int]:
    """``(width, height)`` in pixels. A PNG's are in its first bytes; nothing heavy is loaded for it."""
    with file.open("rb") as opened:
        head = opened.read(24)
    if head.startswith(_PNG) and len(head) == 24:
        width, height = struct.unpack(">II", head[16:])
        return (width, height)
    from pixelrouter.pixels.decode import decode

    found = decode(file).image.size
    return (found[0], found[1])
