"""Where finished files go: below the out folder, each place taken once, on every file system."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pixelrouter.assets.asset import Asset, Atlas
from pixelrouter.assets.manifest.lines import Keys
from pixelrouter.assets.manifest.names import ASSET, leaves, outside, unsafe
from pixelrouter.assets.manifest.problems import Problems


def check_places(
    out: Path,
    folder: Path,
    assets: Mapping[str, Asset],
    atlases: Mapping[str, Atlas],
    paths: Mapping[str, Keys],
    problems: Problems,
) -> None:
    """Tell of places that cannot be written to, that leave the project's folder, and that two would write to."""
    taken: dict[str, tuple[Keys, str]] = {}
    read = _read(folder, assets)
    folders: dict[str, bool] = {}
    rows = [(asset.out, paths[name], name) for name, asset in assets.items()]
    rows += [(atlas.out, ("atlas", name), "") for name, atlas in atlases.items()]
    for place, path, made in rows:
        label = made if made != path[-1] else ""
        if why := outside(place) or unsafe(place):
            problems.add(
                (*path, "out"),
                f"{place!r} {why}.",
                'Write a file\'s place in the out folder: "items/coin".',
                made=label,
            )
            continue
        above = place.rpartition("/")[0]
        if above not in folders:
            folders[above] = leaves(folder, out / above)
        if folders[above]:
            problems.add(
                (*path, "out"), f"{place!r} leads out of the project's folder by a link.", "Remove it.", made=label
            )
        if (own := os.path.normpath(out / f"{place}.png").casefold()) in read:
            what = f"would overwrite {read[own]}, which is read."
            problems.add((*path, "out"), what, "Give it another out, or move the picture.", made=label)
        first, other = taken.setdefault(place.casefold(), (path, made))
        if (first, other) != (path, made):
            _twice(place, path, first, label, problems)


def _read(folder: Path, assets: Mapping[str, Asset]) -> dict[str, str]:
    """The pictures that assets are made from, by their whole paths in small letters."""
    files = {file for asset in assets.values() for file in (*asset.images, asset.mask) if file}
    return {os.path.normpath(folder / file).casefold(): file for file in files if not file.startswith(ASSET)}


def _twice(place: str, path: Keys, first: Keys, label: str, problems: Problems) -> None:
    what = f"would write the same files as line {problems.line(first)}: {place!r} (upper and lower case are one)."
    problems.add((*path, "out"), what, "Give one of them another name or out.", made=label)
