"""The decorator that makes a drawing function a subject, and what a subject is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pixelrouter.backends.procedural.pen import Pen


@dataclass(frozen=True)
class Subject:
    """Something that can be drawn. ``stretch`` is the most that one axis may be scaled beyond the other."""

    name: str
    nouns: tuple[str, ...]
    paint: Callable[[Pen], None]
    stretch: float = 1.15
    symmetric: bool = False
    tile: bool = False


SUBJECTS: dict[str, Subject] = {}
NOUNS: dict[str, str] = {}


def subject(
    name: str, nouns: str = "", *, stretch: float = 1.15, symmetric: bool = False, tile: bool = False
) -> Callable[[Callable[[Pen], None]], Callable[[Pen], None]]:
    """Register a drawing function under ``name`` and the further ``nouns`` (singular, separated by spaces)."""

    def register(paint: Callable[[Pen], None]) -> Callable[[Pen], None]:
        words = (name, *nouns.split())
        SUBJECTS[name] = Subject(name, words, paint, stretch, symmetric, tile)
        for word in words:
            if word in NOUNS:
                raise ValueError(f"{word!r} means {NOUNS[word]!r} already, so it cannot mean {name!r}")
            NOUNS[word] = name
        return paint

    return register
