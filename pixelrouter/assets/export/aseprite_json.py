"""The JSON that Aseprite writes beside a sheet, with tags, layers and slices: as an array and as a hash of frames."""

from __future__ import annotations

from typing import Any

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.listing import Listing, listing, to_json
from pixelrouter.assets.sprite import Sprite


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.json``: frames as an array, each with its ``filename``, which is its name or its number."""
    return {f"{stem}.json": to_json(as_array(listing(sprite, stem)))}


def export_hash(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.hash.json``: the same with frames by their names."""
    return {f"{stem}.hash.json": to_json(as_hash(listing(sprite, stem)))}


def as_array(found: Listing) -> dict[str, Any]:
    """Frames in their order, as ``--format json-array`` of Aseprite has them."""
    frames = [{"filename": frame.name, **frame.record} for frame in found.frames]
    return {"frames": frames, "meta": found.meta}


def as_hash(found: Listing) -> dict[str, Any]:
    """Frames by name, as ``--format json-hash`` of Aseprite has them."""
    return {"frames": {frame.name: frame.record for frame in found.frames}, "meta": found.meta}
