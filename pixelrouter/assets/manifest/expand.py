"""One table that stands for many assets: ``for_each`` (combinations of variables) and ``for_files`` (a pattern)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pixelrouter.assets.manifest.inputs import Inputs
from pixelrouter.assets.manifest.lines import Keys
from pixelrouter.assets.manifest.names import outside, slug
from pixelrouter.assets.manifest.problems import Problems
from pixelrouter.assets.manifest.tables import TEXTS
from pixelrouter.assets.manifest.values import Texts

MOST_ASSETS = 100_000  # of one manifest
WORDS = ("for_each", "for_files", "exclude")
_FILE_VARIABLES = ("stem", "path", "folder")
_NOTHING = "?"  # for a value without any letter that a name may have: the name is refused
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_PATTERNS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Texts)
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """One asset's table with its variables filled in."""

    name: str
    table: Mapping[str, Any]


class _Unknown(Exception):
    """A text uses a variable that there is not."""


class Room:
    """How much text the variables of one manifest may make."""

    left = 50_000_000  # characters


def expand(
    name: str, table: Mapping[str, Any], path: Keys, room: Room, inputs: Inputs, problems: Problems
) -> Iterator[Made]:
    """The assets that a table stands for, in the order of its variables' values; itself, where it has none.

    What is wrong with the variables goes to ``problems``, and nothing is made.
    """
    if not any(word in table for word in WORDS):
        yield Made(name, table)
        return
    rest = {key: value for key, value in table.items() if key not in WORDS}
    rows = _rows(table, path, inputs, problems)
    if rows is None:
        return
    names, count, combinations = rows
    if count > MOST_ASSETS:
        problems.add(path, f"stands for {count} assets; {MOST_ASSETS} are the most.", "Use fewer values.")
        return
    left_out = _left_out(table, names, path, problems)
    if "for_files" in table and "image" not in rest:
        rest["image"] = "{path}"
    template = _name_template(name, names, one="for_each" in table and isinstance(table["for_each"], list))
    try:
        for values in combinations:
            if not any(all(values.get(key) == value for key, value in row.items()) for row in left_out):
                filled = {key: _fill(value, values, room, as_text=key in TEXTS) for key, value in rest.items()}
                if isinstance(rest.get("out"), str):
                    filled["out"] = _named(rest["out"], values)
                if room.left < 0:
                    problems.add(path, "makes more text than a manifest may have.", "Use fewer or shorter values.")
                    return
                yield Made(_named(template, values), filled)
    except _Unknown as error:
        problems.add(path, f"uses {{{error}}}, which is no variable of it.", problems.nearest(str(error), names))


def _named(template: str, values: Values) -> str:
    """A name of an asset or a file: the values in it are made safe for files."""
    name = _text(template, {key: slug(str(value)) or (value and _NOTHING) for key, value in values.items()})
    return "/".join(part for part in name.split("/") if part)


def _rows(
    table: Mapping[str, Any], path: Keys, inputs: Inputs, problems: Problems
) -> tuple[list[str], int, Iterator[Values]] | None:
    """The variables, how many combinations they have, and the combinations; None where something is wrong."""
    each = _each(table.get("for_each"), (*path, "for_each"), problems) if "for_each" in table else [{}]
    files = _files(table.get("for_files"), (*path, "for_files"), inputs, problems) if "for_files" in table else [{}]
    if "exclude" in table and "for_each" not in table and "for_files" not in table:
        problems.add((*path, "exclude"), "leaves out combinations, and there are none.", "Add for_each.")
        return None
    if each is None or files is None:
        return None
    names = list(dict.fromkeys((*(key for key in next(iter(files), {})), *_variables(each))))
    if clash := set(_FILE_VARIABLES) & set(_variables(each)) if "for_files" in table else None:
        problems.add((*path, "for_each"), f"{sorted(clash)[0]} is a variable of for_files already.", "Rename it.")
        return None
    if isinstance(each, dict):
        count = prod(len(values) for values in each.values()) * len(files)
        keys = tuple(each)
        products = ({**file, **dict(zip(keys, row, strict=True))} for file in files for row in _product(each))
        return names, count, products
    return names, len(each) * len(files), ({**file, **row} for file in files for row in each)


def _product(each: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    return itertools.product(*each.values())


def _variables(each: Mapping[str, Any] | Sequence[Values]) -> list[str]:
    return list(each) if isinstance(each, Mapping) else list(each[0]) if each else []


def _each(value: Any, path: Keys, problems: Problems) -> dict[str, list[Any]] | list[Values] | None:
    """``for_each`` checked: a table of lists, or a list of tables that all have the same variables."""
    example = 'Write for_each = { color = ["red", "green"] }.'
    if isinstance(value, dict) and value:
        for key, values in value.items():
            if not isinstance(values, list) or not values or not all(_is_plain(one) for one in values):
                problems.add((*path, key), "should be a list of texts or numbers.", example)
                return None
            if len(set(map(str, values))) < len(values):
                problems.add((*path, key), "has the same value twice.", "Take one of them out.")
                return None
        return value if _named_well(value, path, problems) else None
    if isinstance(value, list) and value and all(isinstance(row, dict) and row for row in value):
        for number, row in enumerate(value):
            if row.keys() != value[0].keys() or not all(_is_plain(one) for one in row.values()):
                what = f"should give {', '.join(value[0])}, each a text or a number, like the first entry."
                problems.add((*path, number), what, "Every entry needs the same variables.")
                return None
        return value if _named_well(value[0], path, problems) else None
    problems.add(path, "should be a table of lists.", example)
    return None


def _named_well(names: Mapping[str, Any], path: Keys, problems: Problems) -> bool:
    wrong = next((name for name in names if not _VARIABLE.fullmatch(name)), None)
    if wrong is not None:
        problems.add(path, f"{wrong!r} is no name for a variable.", "Use letters, digits and _.")
    return wrong is None


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _files(value: Any, path: Keys, inputs: Inputs, problems: Problems) -> list[Values] | None:
    try:
        patterns = _PATTERNS.validate_python(value)
        found = [file for pattern in patterns for file in _matches(inputs, pattern)]
    except ValidationError:
        problems.add(path, "should be a pattern, or a list of them.", 'Write for_files = "sketches/*.png".')
        return None
    except ValueError as error:
        problems.add(path, f"{error}.", "Name the files more closely.")
        return None
    if not found:
        problems.add(
            path, f"no file matches {', '.join(patterns)[:200]}.", "Patterns start from the folder of assets.toml."
        )
        return None
    pure = [PurePosixPath(file) for file in dict.fromkeys(found)]
    folders = ("" if str(file.parent) == "." else str(file.parent) for file in pure)
    return [{"stem": file.stem, "path": str(file), "folder": at} for file, at in zip(pure, folders, strict=True)]


def _matches(inputs: Inputs, pattern: str) -> tuple[str, ...]:
    if why := outside(pattern):
        raise ValueError(f"{pattern!r} {why}")
    return inputs.files(pattern)


def _left_out(table: Mapping[str, Any], names: Sequence[str], path: Keys, problems: Problems) -> list[Values]:
    """``exclude`` checked."""
    rows = table.get("exclude", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row for row in rows):
        problems.add((*path, "exclude"), "should be a list of tables.", 'Write exclude = [{ color = "red" }].')
        return []
    for number, row in enumerate(rows):
        for key in row:
            if key not in names:
                where = (*path, "exclude", number, key)
                problems.add(where, "is no variable of for_each.", problems.nearest(key, names))
    return rows


def _name_template(name: str, variables: Sequence[str], *, one: bool) -> str:
    """The name with what would make its assets different appended, where it does not use it.

    ``one``: rows were given, and the first variable tells them apart.
    """
    used = {match[1].strip() for match in _HOLE.finditer(name) if match[1] is not None}
    files = [key for key in variables if key in _FILE_VARIABLES]
    others = [key for key in variables if key not in _FILE_VARIABLES]
    missing = [] if one and used & set(others) else [key for key in (others[:1] if one else others) if key not in used]
    if files and not used & set(files):
        missing.insert(0, "stem")
    return "-".join((name, *(f"{{{key}}}" for key in missing)))


def _fill(value: Any, values: Values, room: Room, *, as_text: bool) -> Any:
    """A value of the table with the variables in all of its texts.

    A text that is one variable becomes its value: a number stays one, unless the word is a text (``as_text``).
    """
    if isinstance(value, str):
        if "{" not in value and "}" not in value:
            return value
        whole = _HOLE.fullmatch(value)
        if not as_text and whole and whole[1] is not None and whole[1].strip() in values:
            return values[whole[1].strip()]
        text = _text(value, values)
        room.left -= len(text)
        return text
    if isinstance(value, list):
        return [_fill(one, values, room, as_text=as_text) for one in value]
    if isinstance(value, dict):
        return {key: _fill(one, values, room, as_text=as_text) for key, one in value.items()}
    return value


def _text(text: str, values: Values) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        if (key := match[1].strip()) not in values:
            raise _Unknown(key)
        return str(values[key])

    return _HOLE.sub(replaced, text)
