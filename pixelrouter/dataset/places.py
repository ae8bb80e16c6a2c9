"""Which files are read, what their results are called, and which folders of the set are this command's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelrouter.dataset import record
from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.batch.batch import folder_items, items_below
from pixelrouter.pixels.batch.journal import NAME as JOURNAL

NATIVE, ASIDE, SPLITS = "1x", "rejected", ("train", "validation")


def check_places(root: Path, place: Path) -> None:
    """Raise InvalidRequest where sources could be overwritten, or files that somebody else made."""
    if not root.is_dir():
        raise InvalidRequest(f"{root} is not a folder.", hint="Name a folder with images.")
    if root.resolve().is_relative_to(place.resolve()):
        raise InvalidRequest(f"{root} lies in {place}: its images could be overwritten.", hint="Choose another -o.")
    ours = any((place / name).exists() for name in (record.NAME, JOURNAL))
    taken = next((place / name for name in (*SPLITS, NATIVE, ASIDE) if (place / name).exists()), None)
    if taken and not ours:
        raise InvalidRequest(f"{taken} was not made by this command.", hint="Choose a new folder with -o.")


@dataclass(frozen=True)
class File:
    """One image file: its path, its name relative to the folder, and the name of what comes of it."""

    path: Path
    source: str
    stem: str


def flat_names(sources: Sequence[str]) -> dict[str, str]:
    """A file name, without an ending, for each path: ``units/orc.png`` is ``units-orc``.

    Trainers look into one folder and not below. Names that differ in upper and lower case alone count as one.
    """
    taken: set[str] = set()
    numbered: set[str] = set()  # what names like hero.2 begin with: the frames of a file hero would be called so
    names = {}
    for source in sources:
        plain = "-".join(Path(source).with_suffix("").parts)
        name, number = plain, 2
        while (folded := name.casefold()) in taken or folded in numbered or _base(folded) in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(folded)
        numbered.add(_base(folded))
        names[source] = name
    return names


def _base(name: str) -> str:
    """What stands before a number at the end of ``hero.2``; "" where there is none."""
    base, _, number = name.rpartition(".")
    return base if number.isdigit() else ""


def find_files(root: Path, out: Path, names: Iterable[str] | None) -> tuple[list[File], list[str]]:
    """The images of a folder, or those of its files that are named, sorted; and the names of what is no image."""
    items, others = folder_items(root, out) if names is None else items_below(root, [root / n for n in names], out)
    sources = [item.source.relative_to(root).as_posix() for item in items]
    stems = flat_names(sources)
    files = [File(item.source, name, stems[name]) for item, name in zip(items, sources, strict=True)]
    return files, [path.relative_to(root).as_posix() for path in others]
