"""Names of assets, places of files: what is safe on every file system, and what stays inside the project's folder."""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pixelrouter.config_file import is_file

ASSET = "asset:"  # in front of another asset's name, where a picture is wanted
OUTSIDE = r"^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)"  # places that may not be written to
_ONE = "[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?"
NAME_PATTERN = f"^{_ONE}(?:/{_ONE})*$"
_PART = re.compile(_ONE)
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # Windows keeps them
_ENDING = re.compile(r".*\.(png|gif|apng|json|aseprite|tsx|tres|import|meta)", re.IGNORECASE)
LONGEST = 200  # characters; file systems take 255 bytes a part, and endings are added
_DEEPEST = 50  # parts of a pattern
_MOST_VISITED = 200_000  # entries of folders that a pattern may look at


def unsafe(name: str) -> str:
    """Why a name (parts between "/") cannot be a file's on every system, "" if it can."""
    if len(name) > LONGEST:
        return f"has {len(name)} characters; {LONGEST} are the most"
    for part in name.split("/"):
        if not _PART.fullmatch(part):
            return 'should have letters a-z, digits, "_", "-" and "." only, "/" between folders'
        if _DEVICE.fullmatch(part):
            return f"holds {part!r}, which Windows keeps for a device"
        if match := _ENDING.fullmatch(part):
            return f"ends in .{match[1]}; endings are added to it"
    return ""


def slug(text: str) -> str:
    """A text as a part of a name: accents dropped, and one "-" for whatever else is not safe."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    parts = (re.sub(r"[^A-Za-z0-9_.]+", "-", part).strip("-.") for part in plain.split("/"))
    return "/".join(part for part in parts if part)


def matching(names: Iterable[str], pattern: str) -> list[str]:
    """The names that a pattern means, in their order: ``*`` also stands for "/", so ``items/*`` is all of a folder."""
    if not is_pattern(pattern):
        return [name for name in names if name == pattern]
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


def is_pattern(text: str) -> bool:
    """Whether it stands for many."""
    return any(char in text for char in "*?[")


def leaves(folder: Path, place: Path) -> bool:
    """Whether a place is outside of the folder once its links are followed; it need not be there."""
    real, root = os.path.realpath(place), os.path.realpath(folder)
    return real != root and not real.startswith(root.rstrip(os.sep) + os.sep)


def outside(path: str) -> str:
    """Why a relative path to be written to is refused, "" if it is not."""
    if "\x00" in path:
        return "holds a NUL character"
    if re.search(OUTSIDE, path):
        up = ".." in path.replace("\\", "/").split("/")
        return 'leaves the project\'s folder by ".."' if up else "is not a place below the folder of assets.toml"
    return ""


def visits() -> Iterator[int]:
    """How many entries of folders may be looked at, for all the patterns of one manifest."""
    return iter(range(_MOST_VISITED))


def files_like(folder: Path, pattern: str, budget: Iterator[int]) -> list[str]:
    """The files that a pattern means, sorted, with "/" between folders; upper and lower case differ everywhere.

    ``*`` and ``?`` stay inside a folder, ``**`` is any number of folders. Hidden files are found only by a pattern that
    begins with a dot. A relative pattern starts from ``folder``. ``budget`` is what ``visits`` gives. Raises
    ValueError where too much would be looked at.
    """
    plain = pattern.replace(os.sep, "/")
    anchor = Path(plain).anchor.replace(os.sep, "/")
    parts = [part for part in plain[len(anchor) :].split("/") if part not in ("", ".")]
    parts = [part for at, part in enumerate(parts) if part != "**" or parts[at - 1 : at] != ["**"]]
    if not parts or len(parts) > _DEEPEST:
        raise ValueError(f"should name files in 1 to {_DEEPEST} folders")
    found = _walk(Path(anchor) if anchor else folder, parts, budget)
    return sorted({f"{anchor}{path}" for path in found})


def _walk(folder: Path, parts: Sequence[str], budget: Iterator[int]) -> Iterator[str]:
    """Paths below ``folder`` that match the parts. Links are not followed by ``**``, which could go round in rings."""
    first, rest = parts[0], parts[1:]
    if first == "**" and not rest:
        rest = ("*",)
    if first == "**":
        yield from _walk(folder, rest, budget)
    elif not is_pattern(first):
        place = folder / first
        if rest:
            yield from (f"{first}/{below}" for below in _walk(place, rest, budget))
        elif is_file(place):
            yield first
        return
    for entry in _entries(folder, budget):
        hidden = entry.name.startswith(".")
        if first == "**":
            if not hidden and entry.is_dir(follow_symlinks=False):
                yield from (f"{entry.name}/{below}" for below in _walk(folder / entry.name, parts, budget))
        elif (not hidden or first.startswith(".")) and fnmatch.fnmatchcase(entry.name, first):
            if rest and entry.is_dir():
                yield from (f"{entry.name}/{below}" for below in _walk(folder / entry.name, rest, budget))
            elif not rest and entry.is_file():
                yield entry.name


def _entries(folder: Path, budget: Iterator[int]) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            listed = []
            for entry in entries:
                if next(budget, None) is None:
                    raise ValueError(f"looks at more than {_MOST_VISITED} files")
                listed.append(entry)
    except OSError:
        return
    yield from listed
