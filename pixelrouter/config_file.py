"""The config file: found by walking up, and read as a stranger's, since it may lie in anybody's project.

No more of it is read than a config file can have, and whatever it holds, the answer is a table or a ConfigError.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelrouter.errors import ConfigError
from pixelrouter.files import read_bounded

FILE_NAME = "pixelrouter.toml"
MAX_BYTES = 1 << 20
_MOST_DOTS = 1_000_000  # in keys: the sum of their squares
_SHOWN = 200  # characters of a wrong value
Keys = tuple[str, ...]  # a key inside a TOML file: ("backends", "fal", "model")


def find_file(start: Path, env: Mapping[str, str], variable: str) -> tuple[Path, Keys] | None:
    """The config file and the table in it that is ours; ``variable`` of the environment may name the file outright."""
    if named := env.get(variable, "").strip():
        file = start / at_home(named)
        if not is_file(file):
            hint = "Correct the variable, or unset it to search from the working folder upwards."
            raise ConfigError(f"{variable} names {named}, which is not a file.", hint=hint)
        return file, ("tool", "pixelrouter") if file.name == "pyproject.toml" else ()
    for folder in (start, *start.parents):
        if os.path.lexists(folder / FILE_NAME):  # also where it is no file: caps must not be passed over in silence
            return folder / FILE_NAME, ()
        project = folder / "pyproject.toml"
        # A broken or unreadable pyproject.toml that never mentions us is none of our business.
        if _mentions_us(project) and table_of(project, ("tool", "pixelrouter")) is not None:
            return project, ("tool", "pixelrouter")
    return None


def at_home(path: str | Path) -> Path:
    """With ``~`` as the home folder; as it is where there is none of that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_file(path: Path) -> bool:
    """Whether it is a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _mentions_us(project: Path) -> bool:
    try:
        return project.is_file() and b"pixelrouter" in project.read_bytes()
    except (OSError, ValueError):
        return False


def text_of(file: Path, most: int = MAX_BYTES) -> str:
    """The text of a config file. Raises ConfigError for one that cannot be one: too long, a pipe, another encoding."""
    try:
        text = read_bounded(file, most).decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.", hint="It has to be a readable UTF-8 file.") from None
    # The parser's time grows with the square of the dots in a key.
    if sum(part.count(".") ** 2 for line in text.splitlines() for part in line.split("=")) > _MOST_DOTS:
        raise ConfigError(f"{file} cannot be read: its keys have too many parts.", hint="A key has a few dots at most.")
    return text


def short(value: object) -> str:
    """A value as it can be shown in a message."""
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def table_of(file: Path, path: Keys) -> dict[str, Any] | None:
    """The table at ``path`` in a TOML file, None if it has none. Raises ConfigError with the line of a mistake."""
    text = text_of(file)
    try:
        data: Any = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a plain ValueError
        line = re.search(r"at line (\d+)", str(error))
        where = f"{file.name}:{line[1]}" if line else file.name
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ConfigError(f"{where}: not valid TOML: {short(why)}.", hint=f"Correct {file}.") from None
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None


_BARE = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_DOTTED = rf"{_BARE}(?:\s*\.\s*{_BARE})*"
_HEADER = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")


def line_numbers(file: Path) -> dict[Keys, int]:
    """Where each key of a TOML file stands: its line, counted from 1."""
    lines: dict[Keys, int] = {}
    section: Keys = ()
    for number, line in enumerate(text_of(file).splitlines(), 1):
        if header := _HEADER.match(line):
            section = tuple(re.findall(_BARE, header[1]))
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            lines.setdefault((*section, *re.findall(_BARE, key[1])), number)
    return {tuple(part.strip("\"'") for part in where): number for where, number in lines.items()}
