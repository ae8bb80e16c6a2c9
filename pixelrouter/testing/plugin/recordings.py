"""Where a test's recording lies, how old it is, and which recordings nobody used."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

FILE = "cassette.json"
FOLDER = "recordings"
_AGE = re.compile(r"(\d+)\s*(?:d|days?)")
_ODD = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Age:
    """When a recording was made. ``origin``: ``recorded`` at a vendor, or ``documented``: written by its contract."""

    folder: Path
    origin: str
    date: dt.date

    def expired(self, limit: dt.timedelta | None, today: dt.date) -> bool:
        """Whether it is too old to say how the vendor answers today. What was never recorded cannot expire."""
        return limit is not None and self.origin == "recorded" and today - self.date > limit


def folder_of(item: pytest.Item, named: str | None) -> Path:
    """``recordings/<module>/<test>`` beside the test file, or the folder that the marker names, from there too."""
    beside = item.path.parent
    if named is not None:
        return beside / named
    own = item.nodeid.partition("::")[2] or item.name
    return beside / FOLDER / item.path.stem / file_name(own.replace("::", "-"))


def file_name(test: str) -> str:
    """The test's name as a folder's, on every system; where that loses letters, a hash keeps tests apart."""
    plain, _, case = test.partition("[")
    name = _ODD.sub("-", plain + (f"-{case.removesuffix(']')}" if case else "")).strip("-.")
    lost = bool(_ODD.search(plain + case.removesuffix("]"))) or len(name) > 80
    return f"{name[:80]}-{hashlib.sha256(test.encode()).hexdigest()[:6]}" if lost else name


def age_of(folder: Path) -> Age | None:
    """How old the recording is; None where there is none, or none that says."""
    try:
        data = json.loads((folder / FILE).read_text("utf-8"))
        return Age(folder, str(data["origin"]), dt.date.fromisoformat(str(data["date"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def limit_of(text: str) -> dt.timedelta | None:
    """``180d`` as a span; ``never``: None. Raises pytest.UsageError."""
    if text.strip().lower() == "never":
        return None
    match = _AGE.fullmatch(text.strip().lower())
    if match is None or len(match[1]) > 6:
        raise pytest.UsageError(f"pixelrouter: {text!r} is no age of a recording. Write 180d, or never.")
    return dt.timedelta(days=int(match[1]))


def swap(new: Path, old: Path) -> None:
    """Put the new recording into the old one's place, whole or not at all."""
    old.parent.mkdir(parents=True, exist_ok=True)
    coming, going = (old.with_name(f".{old.name}.{word}") for word in ("new", "old"))
    for left in (coming, going):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(new, coming)
    if old.exists():
        old.rename(going)
    coming.rename(old)
    shutil.rmtree(going, ignore_errors=True)


def all_below(starts: list[Path]) -> set[Path]:
    """Every recording in a folder ``recordings`` below, or beside, the places that the run was started with."""
    found: set[Path] = set()
    for start in starts:
        here = start if start.is_dir() else start.parent / FOLDER
        found |= {path.parent.resolve() for path in here.rglob(FILE) if _ours(path.relative_to(here.parent))}
    return found


def _ours(path: Path) -> bool:
    return FOLDER in path.parts and not any(part.startswith(".") for part in path.parts)
