"""The ``[atlas.NAME]`` tables: which assets go on which sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pixelrouter.assets.asset import Atlas
from pixelrouter.assets.manifest.lines import Keys
from pixelrouter.assets.manifest.names import is_pattern, matching, unsafe
from pixelrouter.assets.manifest.problems import Problems
from pixelrouter.assets.manifest.tables import AtlasTable, Table

_MOST_COMPARED = 5_000_000  # names with patterns
Check = Callable[[type[Table], Any, Keys], tuple[dict[str, Any], bool]]


def read_atlases(
    tables: Mapping[str, Any], assets: Sequence[str], problems: Problems, checked: Check
) -> dict[str, Atlas]:
    """The atlases by name. ``assets`` are the names there are, in the manifest's order."""
    order = {name: place for place, name in enumerate(assets)}
    left = _MOST_COMPARED
    atlases: dict[str, Atlas] = {}
    for name, table in tables.items():
        path = ("atlas", name)
        if why := unsafe(name):
            problems.add(path, f"the name {why}.", "Rename it.")
            continue
        words, _ = checked(AtlasTable, table, path)
        found: set[str] = set()
        for number, pattern in enumerate(words.pop("assets", ())):
            left -= len(assets) if is_pattern(pattern) else 1
            if left < 0:
                problems.add((*path, "assets"), "too many patterns for so many assets.", "Use fewer.")
                return atlases
            if not (matched := _matching(pattern, order)):
                what = f"no asset {'matches' if is_pattern(pattern) else 'is called'} {pattern!r}."
                problems.add((*path, "assets", number), what, problems.nearest(pattern, assets))
            found.update(matched)
        members = tuple(sorted(found, key=order.__getitem__))
        atlases[name] = Atlas(name=name, assets=members, line=problems.line(path), **{"out": name, **words})
    return atlases


def _matching(pattern: str, order: Mapping[str, int]) -> list[str]:
    """The names that a pattern means; a plain name needs no search."""
    return matching(order, pattern) if is_pattern(pattern) else [pattern] if pattern in order else []
