"""Three identities of an asset: what is bought (it costs money when it changes), how it is finished, how it is handed
over (both free).

They outlive versions of pixelrouter: a field that is added later is left out while it has its default value, and no key
holds the version of anything, so that no upgrade makes anyone pay or even redo again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pixelrouter.assets.asset import Asset, Project
from pixelrouter.assets.lock import Candidate

ASSET = "asset:"  # an image that another asset is to draw
_BOUGHT = ("model", "seed", "transparent", "strength", "views", "action", "frames", "tiles", "upper")
_HANDED = ("fps", "pivot")


def digest(prefix: str, value: Any) -> str:
    """A key of JSON-ready values; tuples count as lists."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return f"{prefix}:{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def wish_key(asset: Asset, content: Callable[[str], str]) -> str:
    """What is bought. ``content`` gives the hash of an image that the asset names.

    The backends it may come from are not in it: another order of the route, or a route that is now written down, makes
    nobody pay again. An image from a backend that is no longer among them does count as missing.
    """
    fields: dict[str, Any] = {"prompt": asset.prompt, "size": asset.size}
    if asset.task != "image":
        fields["task"] = asset.task
    fields |= {name: value for name in _BOUGHT if (value := getattr(asset, name)) is not None}
    if asset.images:
        fields["images"] = [content(image) for image in asset.images]
    if asset.mask:
        fields["mask"] = content(asset.mask)
    if asset.options:
        fields["options"] = asset.options
    return digest("w1", fields)


def finishing_key(asset: Asset, candidate: Candidate) -> str:
    """How the raws of a candidate are finished. The post-processor's version is kept beside it, not in it."""
    wishes = {name: value for name, value in asset.finishing.items() if value is not None}
    fields: dict[str, Any] = {"raws": candidate.raws, "size": asset.size, "wishes": wishes}
    optional = {
        "colors": asset.colors,
        "palette": asset.palette,
        "transparent": asset.transparent,
        "layout": candidate.layout or None,
        "native": candidate.native or None,
        "names": candidate.raw_names or None,
    }
    fields |= {name: value for name, value in optional.items() if value is not None}
    return digest("f1", fields)


def exporting_key(asset: Asset, project: Project, out: str) -> str:
    """What is handed over: the files and where they lie. ``out`` is the out folder relative to the manifest's."""
    fields: dict[str, Any] = {"out": f"{out}/{asset.out}", "exports": asset.exports}
    fields |= {name: value for name in _HANDED if (value := getattr(asset, name)) is not None}
    if not asset.loop:
        fields["loop"] = False
    if asset.frame_tags:
        fields["tags"] = [[tag.name, tag.first, tag.last, tag.direction] for tag in asset.frame_tags]
    if project.provenance != "none":
        fields["provenance"] = project.provenance
    if project.pixels_per_unit is not None:
        fields["pixels_per_unit"] = project.pixels_per_unit
    return digest("x1", fields)
