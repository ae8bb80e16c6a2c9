"""The ``[atlas.NAME]`` tables: which assets go on which sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pixelrouter.assets.asset import Atlas
from pixelrouter.assets.manifest.lines import Keys
from pixelrouter.assets.manifest.names import is_pattern, matching, unsafe
from pixelrouter.assets.manifest.problems import Problems, nearest
from pixelrouter.assets.manifest.tables import AtlasTable, Table

Check = Callable[[type[Table], Any, Keys], tuple[dict[str, Any], bool]]


def read_atlases(
    tables: Mapping[str, Any], assets: Sequence[str], problems: Problems, checked: Check
) -> dict[str, Atlas]:
    """The atlases by name. ``assets`` are the names there are, in the manifest's order."""
    order = {name: place for place, name in enumerate(assets)}
    atlases = {}
    for name, table in tables.items():
        path = ("atlas", name)
        if why := unsafe(name):
            problems.add(path, f"the name {why}.", "Rename it.")
            continue
        words, _ = checked(AtlasTable, table, path)
        found: set[str] = set()
        for number, pattern in enumerate(words.pop("assets", ())):
            if not (matched := matching(assets, pattern)):
                what = f"no asset {'matches' if is_pattern(pattern) else 'is called'} {pattern!r}."
                problems.add((*path, "assets", number), what, nearest(pattern, assets))
            found.update(matched)
        members = tuple(sorted(found, key=order.__getitem__))
        atlases[name] = Atlas(name=name, assets=members, line=problems.line(path), **{"out": name, **words})
    return atlases
