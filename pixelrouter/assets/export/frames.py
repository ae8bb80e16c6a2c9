"""Every frame as a PNG of its own, for engines that load single files."""

from __future__ import annotations

import re

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.clips import unique
from pixelrouter.assets.export.listing import frame_names
from pixelrouter.assets.sprite import Sprite

_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\s]+')  # in a file name, on one system or another


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM-NAME.png`` for each view or tile, ``STEM-0.png``, ``STEM-1.png`` … for films; nothing for single pictures.

    All are indexed and share one palette. Numbers have as many digits as the last, so that names sort.
    """
    from pixelrouter.formats.tables import compressed

    if len(sprite.frames) == 1:
        return {}
    names = unique(
        _UNFIT.sub("-", _padded(name, len(sprite.frames))).strip("-. ") or "_" for name in frame_names(sprite)
    )
    images = zip(names, sprite.frames, strict=True)
    return {f"{stem}-{name}.png": compressed(image, "PNG", optimize=True) for name, image in images}


def _padded(name: str, count: int) -> str:
    """A name whose last part is a number, with leading zeros."""
    before, slash, last = name.rpartition("/")
    return f"{before}{slash}{last.zfill(len(str(count - 1)))}" if last.isdecimal() else name
