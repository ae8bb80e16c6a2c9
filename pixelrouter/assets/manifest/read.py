"""``assets.toml`` read: from the file to a resolved manifest, or one error with everything that is wrong in it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pixelrouter.assets.asset import Asset, Manifest, Project
from pixelrouter.assets.manifest.atlases import read_atlases
from pixelrouter.assets.manifest.expand import MOST_ASSETS, Made, Room, expand
from pixelrouter.assets.manifest.inputs import Inputs
from pixelrouter.assets.manifest.lines import Keys, positions
from pixelrouter.assets.manifest.names import ASSET, leaves, outside, unsafe
from pixelrouter.assets.manifest.places import check_places
from pixelrouter.assets.manifest.problems import Known, Problems
from pixelrouter.assets.manifest.resolve import Shared, Words, cycle, nearer, needs, resolve, shared
from pixelrouter.assets.manifest.sizes import keep_sizes
from pixelrouter.assets.manifest.tables import AssetTable, FrameTagTable, MatrixWords, ProjectTable, StyleTable, Table
from pixelrouter.config_file import at_home, short, text_of
from pixelrouter.errors import ConfigError

FILE_NAME = "assets.toml"
MAX_BYTES = 4 << 20
_DEEPEST = 20  # styles that extend each other
_TABLES = ("project", "style", "asset", "atlas")
_NOT_INHERITED = ("name", "out", "store", "budget_usd", "budget_generations", "provenance", "pixels_per_unit")


def load_manifest(path: str | os.PathLike[str] | None = None, *, inputs: bool = True) -> Manifest:
    """The manifest in ``path``: a file, or a folder that has an assets.toml.

    None looks for assets.toml in the working folder, then in those above it. ``inputs`` False takes pictures that are
    not there (frozen builds need none). Raises ConfigError with every mistake of the file, each with its line.
    """
    file = _found(path)
    text = text_of(file, MAX_BYTES)
    data = _parsed(text, file)
    reader = _Reader(file, Problems(file.name, positions(text)), Inputs(file.parent, check=inputs))
    return reader.manifest(data)


def _found(path: str | os.PathLike[str] | None) -> Path:
    if path is None:
        start = Path.cwd()
        for folder in (start, *start.parents):
            if os.path.lexists(folder / FILE_NAME):
                return folder / FILE_NAME
        raise ConfigError(
            f"There is no {FILE_NAME} in {start} or a folder above it.",
            hint="`pixelrouter init` writes one to start from.",
        )
    place = Path(path)
    try:
        file = place / FILE_NAME if place.is_dir() else place
        there = os.path.lexists(file)
    except (OSError, ValueError):
        file, there = place, False
    if not there:
        raise ConfigError(f"{short(file)} is not there.", hint="`pixelrouter init` writes one to start from.")
    return file.absolute()


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a plain ValueError
        line = re.search(r"\(at line (\d+)", str(error))
        at = line[1] if line else text.count("\n") + 1 if "end of document" in str(error) else 1
        why = "it is nested too deeply" if isinstance(error, RecursionError) else short(error)
        raise ConfigError(f"{file.name}:{at}: not valid TOML: {why}.", hint=f"Correct {file}.") from None


class _Reader:
    """Reads one manifest. Each step adds what is wrong to ``problems``; only the last one raises."""

    def __init__(self, file: Path, problems: Problems, inputs: Inputs) -> None:
        self.file, self.folder, self.problems, self.inputs = file, file.parent, problems, inputs
        self.room = Room()
        self.styles: dict[str, Shared] = {}
        self.assets: dict[str, Asset] = {}
        self._paths: dict[str, Keys] = {}  # of each asset's table
        self._colours = cache(inputs.colours)
        self._unsized: list[str] = []  # assets that say nothing of their size

    def manifest(self, data: dict[str, Any]) -> Manifest:
        tables = {name: self._table_of_tables(data, name) for name in _TABLES[1:]}
        for key in data:
            if key not in _TABLES:
                self.problems.add((key,), f"there is no table {short(key)!r}.", self.problems.nearest(key, _TABLES))
        words, _ = self._checked(ProjectTable, data.get("project", {}), ("project",))
        project = self._project(words)
        defaults = {key: value for key, value in words.items() if key not in _NOT_INHERITED}
        self._read_styles(tables["style"], defaults)
        for name, table in tables["asset"].items():
            self._read_asset(name, table)
        self._check_needs()
        atlases = read_atlases(tables["atlas"], list(self.assets), self.problems, self._checked)
        check_places(project.out, self.folder, self.assets, atlases, self._paths, self.problems)
        self.problems.check()
        return Manifest(self.file, project, self.assets, atlases)

    def _table_of_tables(self, data: dict[str, Any], name: str) -> dict[str, Any]:
        """``[name.…]`` tables by their names."""
        tables = data.get(name, {})
        hint = f"Write [{name}.NAME] and its words below."
        if not isinstance(tables, dict):
            self.problems.add((name,), f"{name} should be tables.", hint)
            return {}
        good = {}
        for key, table in tables.items():
            if isinstance(table, dict):
                good[key] = table
            else:
                self.problems.add((name, key), f"is {short(repr(table))}; it should be a table.", hint)
        return good

    def _checked(self, model: type[Table], table: Any, path: Keys, made: str = "") -> tuple[dict[str, Any], bool]:
        """The words of a table that are set and right, and whether all of them are."""
        if not isinstance(table, dict):
            self.problems.add(path, "should be a table.", f"Write [{'.'.join(map(str, path))}].")
            return {}, False
        words, mistakes = _validated(model, table)
        self.problems.wrong(path, mistakes, _known(model), made=made)
        return words, not mistakes and self._vendors_are_right(words, path, made)

    def _vendors_are_right(self, words: Words, path: Keys, made: str) -> bool:
        both = "backend" in words and "route" in words
        if both:
            hint = "Keep one: backend = one name, route = several in order."
            self.problems.add((*path, "route"), "backend and route are both set.", hint, made=made)
        named = [("backend", words[key]) for key in ("backend",) if key in words]
        named += [("route", name) for name in words.get("route", ())]
        unknown = [(key, name) for key, name in named if name not in _backends()]
        for key, name in unknown:
            what = f"there is no backend {short(repr(name))}."
            self.problems.add((*path, key), what, self.problems.nearest(name, _backends()), made=made)
        return not both and not unknown

    def _project(self, words: Words) -> Project:
        out = self._below(words.get("out", "art"), "out")
        store = words.get("store")
        if store is not None:
            place = at_home(store)
            store = place if place.is_absolute() else self._below(store, "store")
        palette = self._palette(words, ("project",))
        name = words.get("palette", "")
        return Project(
            name=words.get("name") or self.folder.name or "game",
            out=out,
            store=store,
            budget_usd=words.get("budget_usd"),
            budget_generations=words.get("budget_generations"),
            palette=palette,
            palette_name=name if palette and isinstance(name, str) else "",
            provenance=words.get("provenance", "none"),
            pixels_per_unit=words.get("pixels_per_unit"),
        )

    def _below(self, text: str, key: str) -> Path:
        """A folder to be written to, which has to be inside the project's."""
        why = outside(text)
        place = self.folder / text if not why else self.folder
        if not why and leaves(self.folder, place):
            why = "leads out of the project's folder by a link"
        if why:
            self.problems.add(("project", key), f"is {short(repr(text))}, which {why}.", 'Write a folder: "art".')
        return Path(os.path.normpath(place))

    def _palette(self, words: Words, path: Keys, made: str = "") -> tuple[str, ...] | None:
        """The colours of the table's own palette; what is wrong with it is told at its own line."""
        value = words.get("palette")
        if value is None or value == "none":
            return None
        colours, why, hint = self._colours(value)
        if why:
            self.problems.add((*path, "palette"), why, hint, made=made)
        return colours

    def _read_styles(self, tables: dict[str, Any], defaults: Words) -> None:
        own: dict[str, Words] = {}
        references: dict[str, tuple[str, ...] | None] = {}
        for name, table in tables.items():
            path = ("style", name)
            if why := unsafe(name):
                self.problems.add(path, f"the name {why}.", "Rename it.")
            own[name], _ = self._checked(StyleTable, table, path)
            self._palette(own[name], path)
            references[name] = self._references(own[name], path)
        base = self._references(defaults, ("project",))
        self.styles[""] = shared(defaults, base or ())
        for name in own:
            chain = self._chain(name, own)
            words: Words = defaults
            follow = base
            for step in reversed(chain):
                words = nearer(words, own[step])
                follow = references[step] if references[step] is not None else follow
            self.styles[name] = shared({**words, "style": name}, follow or ())
        if (named := defaults.get("style")) and named not in own:
            self.problems.add(("project", "style"), f"there is no style {named!r}.", self.problems.nearest(named, own))

    def _chain(self, name: str, own: dict[str, Words]) -> list[str]:
        """A style and those that it extends, the nearest first."""
        chain = [name]
        while (above := own[chain[-1]].get("extends")) is not None:
            path = ("style", chain[-1], "extends")
            if above not in own:
                self.problems.add(path, f"there is no style {above!r}.", self.problems.nearest(above, own))
                break
            if above in chain or len(chain) == _DEEPEST:
                why = "extends itself in a ring" if above in chain else "is too far down a chain of styles"
                self.problems.add(path, f"style {name!r} {why}.", "Take one extends out.")
                break
            chain.append(above)
        return chain

    def _read_asset(self, name: str, table: dict[str, Any]) -> None:
        path: Keys = ("asset", name)
        for made in expand(name, table, path, self.room, self.inputs, self.problems):
            if len(self.assets) >= MOST_ASSETS:
                hint = "Use fewer values."
                self.problems.add(path, f"{MOST_ASSETS} assets are the most of a manifest.", hint)
                return
            label = made.name if made.table is not table else ""
            if not self._add(made, path, label) and label:
                return  # the others of the matrix would say the same again

    def _add(self, made: Made, path: Keys, label: str) -> bool:
        """One asset more; False where something is wrong with it."""
        name = made.name
        if why := unsafe(name):
            self.problems.add(path, f"the name {why}.", f"Rename it{'' if not label else ' or its variables'}.")
            return False
        if name in self.assets:
            first = self.problems.line(self._paths[name])
            self.problems.add(path, f"the name {name!r} is taken by line {first}.", "Rename one.", made=label)
            return False
        own, good = self._checked(AssetTable, made.table, path, label)
        style = self._style(own, path, label)
        references = self._references(own, path, label)
        self._palette(own, path, label)
        for key in ("image", "mask"):
            if key in own:
                own[key] = self._picture(own[key], (*path, key), label)

        def report(key: Sequence[str | int], what: str, hint: str) -> None:
            if good:  # else it may only miss what is wrong
                self.problems.add((*path, *key), what, hint, made=label)

        line = self.problems.line(path)
        asset = resolve(name, own, style, references, lambda value: self._colours(value)[0], report, line)
        if "size" not in own and "size" not in style.words:
            self._unsized.append(name)
        self.assets[name], self._paths[name] = asset, path
        return good

    def _style(self, own: Words, path: Keys, label: str) -> Shared:
        name = own.get("style", self.styles[""].words.get("style", ""))
        if name not in self.styles:
            if "style" in own:
                known = [style for style in self.styles if style]
                what = f"there is no style {name!r}."
                self.problems.add((*path, "style"), what, self.problems.nearest(name, known), made=label)
            return self.styles[""]
        return self.styles[name]

    def _references(self, words: Words, path: Keys, label: str = "") -> tuple[str, ...] | None:
        if "references" not in words:
            return None
        found: list[str] = []
        for one in words["references"]:
            files, why, hint = self.inputs.pictures(one)
            if why:
                self.problems.add((*path, "references"), why, hint, made=label)
            found += files
        return tuple(dict.fromkeys(found))

    def _picture(self, text: str, path: Keys, label: str) -> str:
        place, why, hint = self.inputs.picture(text)
        if why:
            self.problems.add(path, why, hint, made=label)
        return place

    def _check_needs(self) -> None:
        """Every ``asset:NAME`` is there, and none needs itself. Then pictures that are worked on give their size."""
        for name, asset in self.assets.items():
            for needed in needs(asset):
                if needed not in self.assets:
                    path = self._paths[name]
                    keys = ("image", "mask", "references")
                    key = next((key for key in keys if (*path, key) in self.problems.lines), "references")
                    what = f"there is no asset {short(repr(needed))}."
                    self.problems.add(
                        (*path, key), what, self.problems.nearest(needed, self.assets), made=self._label(name)
                    )
        if ring := cycle(self.assets):
            what = f"is drawn from itself: {short(' -> '.join(ring[:10]))}."
            self.problems.add(self._paths[ring[0]], what, f"Take one {ASSET} out of the ring.")
            return
        if not self.problems:
            keep_sizes(self._unsized, self.assets, self.folder, self._no_size)

    def _no_size(self, name: str, what: str, hint: str) -> None:
        self.problems.add(self._paths[name], what, hint, made=self._label(name))

    def _label(self, name: str) -> str:
        """What tells an asset of a matrix from the others of its table."""
        return name if self._paths[name][-1] != name else ""


def _validated(model: type[Table], table: dict[str, Any]) -> tuple[dict[str, Any], list[ErrorDetails]]:
    """The words of a table that are right, and the mistakes in the others."""
    try:
        read = model.model_validate(table)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        bad = {mistake["loc"][0] for mistake in mistakes}
        rest = {key: value for key, value in table.items() if key not in bad}
        return _validated(model, rest)[0] if len(rest) < len(table) else {}, mistakes
    return {key: getattr(read, key) for key in read.model_fields_set}, []


@cache
def _known(model: type[Table]) -> Known:
    """The words of a table, and those of a table inside of it."""
    words = (*model.model_fields, *(MatrixWords.model_fields if model is AssetTable else ()))
    return {"": words, "frame_tags": tuple(FrameTagTable.model_fields)}


@cache
def _backends() -> tuple[str, ...]:
    from pixelrouter.backends import names

    return names()
