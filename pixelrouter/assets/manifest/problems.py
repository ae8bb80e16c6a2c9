"""Everything wrong with a manifest, told at once: each mistake with its line, its table and key, and the fix."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from pixelrouter.assets.manifest.lines import Keys
from pixelrouter.config_file import short
from pixelrouter.errors import ConfigError

Known = Mapping[str, Sequence[str]]  # the words of a table (""), and of a table inside of it, by its key
MOST = 20  # mistakes that are told; the rest is counted
MOST_GUESSES = 100
_MEANT = {
    **dict.fromkeys(("provider", "vendor"), "backend"),
    **dict.fromkeys(("export", "formats", "format"), "exports"),
    **dict.fromkeys(("candidates", "count", "variants"), "n"),
    **dict.fromkeys(("width", "height", "resolution"), "size"),
    **dict.fromkeys(("colours", "max_colors"), "colors"),
    **dict.fromkeys(("for", "each", "matrix", "foreach"), "for_each"),
    **dict.fromkeys(("files", "glob", "for_glob"), "for_files"),
    **dict.fromkeys(("images", "reference"), "references"),
    **dict.fromkeys(("budget", "max_usd"), "budget_usd"),
    **dict.fromkeys(("inherits", "parent", "base"), "extends"),
    **dict.fromkeys(("alpha", "transparency"), "transparent"),
    **dict.fromkeys(("output", "path", "file"), "out"),
}
_HOMES = {
    **dict.fromkeys(("sticky", "extends"), "[style.NAME]"),
    **dict.fromkeys(("prompt", "image", "mask", "seed", "for_each", "for_files", "frame_tags"), "[asset.NAME]"),
    **dict.fromkeys(("name", "store", "budget_usd", "budget_generations", "provenance"), "[project]"),
    "pixels_per_unit": "[project]",
}
_FIXES = {  # by pydantic's kinds of errors
    "less_than_equal": "Write {le} or less.",
    "less_than": "Write less than {lt}.",
    "greater_than_equal": "Write {ge} or more.",
    "greater_than": "Write more than {gt}.",
    "int_type": "Write a whole number, without quotes.",
    "float_type": "Write a number, without quotes.",
    "finite_number": "Write a number.",
    "bool_type": "Write true or false, without quotes.",
    "string_type": 'Write a text in quotes: "...".',
    "string_too_short": "Write something, or take it out.",
    "too_short": "Name one at least.",
    "too_long": "Use fewer.",
    "tuple_type": "Write a list: [...].",
    "model_type": "Write a table: {{ ... }}.",
}
_SECRETS = ("key", "token", "secret", "password")


class Problems:
    """Collects the mistakes of one file. ``lines`` says where each key stands."""

    def __init__(self, file: str, lines: Mapping[Keys, int]) -> None:
        self.file, self.lines = file, lines
        self._guesses = MOST_GUESSES
        self._found: dict[tuple[int, str], str] = {}  # the fix, by line and sentence

    def __bool__(self) -> bool:
        return bool(self._found)

    def line(self, path: Keys) -> int:
        """The line of a key, or of what holds it."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return 1

    def add(self, path: Keys, what: str, hint: str = "", *, made: str = "") -> None:
        """A mistake at ``path``: ``what`` says it, ``hint`` the fix; ``made``: the name of a matrix's one asset."""
        where = _place(path) + (f" ({short(made)})" if made else "")
        self._found.setdefault((self.line(path), f"{where}: {what}" if where else what), hint)

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """The fix for an unknown word; of many mistakes the first ones only, since guessing takes time."""
        self._guesses -= 1
        return nearest(word, known) if self._guesses >= 0 else ""

    def wrong(self, path: Keys, errors: Iterable[ErrorDetails], known: Known, *, made: str = "") -> None:
        """What pydantic says of the table at ``path``; ``known`` are its words, and those of tables inside of it."""
        for error in errors:
            inside = str(error["loc"][0]) if len(error["loc"]) > 1 else ""
            what, hint = _sentence(error, known.get(inside, ()) if self._guesses > 0 else ())
            self._guesses -= 1
            self.add((*path, *error["loc"]), what, hint, made=made)

    def check(self) -> None:
        """Raise ConfigError with all that was found, in the order of the lines."""
        if not self._found:
            return
        rows = sorted(self._found.items(), key=lambda row: row[0][0])
        if len(rows) == 1:
            (line, what), hint = rows[0]
            raise ConfigError(f"{self.file}:{line}: {what}", hint=hint or None)
        lines = [f"{self.file}:{line}: {what} {hint}".rstrip() for (line, what), hint in rows[:MOST]]
        if len(rows) > MOST:
            lines.append(f"... and {len(rows) - MOST} more.")
        raise ConfigError("\n".join(lines), hint=f"Correct these {len(rows)} places in {self.file}.")


def nearest(word: str, known: Iterable[str]) -> str:
    """The fix for an unknown word: the one that was probably meant, or those there are."""
    names = list(known)
    close = difflib.get_close_matches(word[:60].lower(), names[:2000], 1)
    if close:
        return f"Did you mean {close[0]!r}?"
    shown = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
    return f"Known: {shown}." if names else ""


def unknown_key(key: str, known: Sequence[str]) -> str:
    """The fix for a key that no table of this kind has."""
    meant = _MEANT.get(key.lower().replace("-", "_"))
    if meant in known:
        return f"Did you mean {meant!r}?"
    if key in _HOMES:
        return f"It belongs in {_HOMES[key]}."
    if any(word in key.lower() for word in _SECRETS):
        return "Keys are read from the environment, never from a file."
    return nearest(key.replace("-", "_"), known)


def _place(path: Keys) -> str:
    """``[asset.slime] size``, ``[project] out``, ``[asset.slime] frame_tags 2 name``."""
    depth = 1 if path[:1] == ("project",) else 2
    header = ".".join(_bare(str(part)) for part in path[:depth])
    rest = " ".join(str(part + 1 if isinstance(part, int) else part) for part in path[depth:])
    return short(f"[{header}] {rest}".strip()) if path else ""


def _bare(key: str) -> str:
    plain = key.replace("-", "").replace("_", "")
    return key if plain.isalnum() and key.isascii() else json.dumps(key, ensure_ascii=False)


def _sentence(error: ErrorDetails, known: Sequence[str]) -> tuple[str, str]:
    """What is wrong with a value, and the fix."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "there is no such key.", unknown_key(str(error["loc"][-1]), known)
    if kind == "missing":
        return "is missing.", "Add it."
    shown = _shown(value)
    if kind == "literal_error":
        words = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        hint = nearest(value.replace("_", "-"), words) if isinstance(value, str) else ""
        return f"is {shown}; it should be one of {', '.join(words)}.", hint or f"Write one of: {', '.join(words)}."
    if kind == "wrong":
        what = context["what"]
        return (f"is {shown}; it {what}." if what.startswith("should") else f"{what}."), context["hint"]
    return f"is {shown}; it {_plain(error['msg'])}.", _FIXES.get(kind, "").format(**context)


def _plain(message: str) -> str:
    """Pydantic's words as the rest of a sentence."""
    words = message.removeprefix("Input ").removeprefix("String ").removeprefix("Value ").replace("valid ", "")
    return (
        words.replace("a boolean", "true or false").replace("dictionary", "table").replace("tuple", "list").rstrip(".")
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(short(value), ensure_ascii=False)
    if isinstance(value, dict):
        return "a table"
    return short(value)
