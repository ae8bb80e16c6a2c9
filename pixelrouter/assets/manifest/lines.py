"""Where every key of a TOML text stands. The standard library's parser tells no lines, so the text is walked again."""

from __future__ import annotations

import contextlib
import re
import tomllib

Keys = tuple[str | int, ...]  # ("asset", "hero", "frame_tags", 0, "name")

_MOST = 250_000  # places that are kept: a hostile array of millions costs no memory
_SPACE = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_PART = re.compile(r"[ \t]*+(\"(?:[^\"\\\n]++|\\.)*+\"|'[^'\n]*+'|[A-Za-z0-9_-]++)[ \t]*+(\.?)")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"""(?:""?)?'  # up to two quotes may stand before the closing three
    r"|'''(?:[^']++|'(?!''))*+'''(?:''?)?"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}\n#]*+")  # a number, a truth value, a date


def positions(text: str) -> dict[Keys, int]:
    """The line, from 1, of every table, key and array entry of ``text``, which has to be valid TOML.

    Entries of an array have their number, from 0, as the last key. A table has the line where it is first named.
    """
    walk = _Walk(text)
    with contextlib.suppress(IndexError, ValueError, RecursionError):  # the lines up to there serve
        walk.statements()
    return walk.found


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: dict[Keys, int] = {}
        self._arrays: dict[Keys, int] = {}  # the last entry of each [[array of tables]]
        self._line, self._counted = 1, 0

    def statements(self) -> None:
        """Headers and ``key = value`` lines, one after the other."""
        text, at = self.text, 0
        here: Keys = ()
        while (at := self._space(at)) < len(text):
            if text[at] == "[":
                double = text.startswith("[[", at)
                keys, end = self._key(at + 1 + double)
                here = self._header(keys, at, double)
                at = text.index("]", end) + 1 + double
            else:
                at = self._assignment(here, at)

    def _header(self, keys: Keys, at: int, double: bool) -> Keys:
        """The table that a header opens: tables inside of an array's entry are in its last one."""
        path: Keys = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            self._note(path, at)
            if double and number == len(keys):
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path])
                self._note(path, at)
        return path

    def _assignment(self, here: Keys, at: int) -> int:
        """``key = value`` at ``at``; the place after it."""
        keys, end = self._key(at)
        for count in range(1, len(keys) + 1):
            self._note((*here, *keys[:count]), at)
        return self._value(self._space(self.text.index("=", end) + 1), (*here, *keys))

    def _value(self, at: int, path: Keys) -> int:
        first = self.text[at]
        if first in "\"'":
            match = _STRING.match(self.text, at)
            return match.end() if match else len(self.text)
        if first == "[":
            return self._array(at + 1, path)
        if first == "{":
            return self._table(at + 1, path)
        match = _PLAIN.match(self.text, at)
        return match.end() if match else len(self.text)

    def _array(self, at: int, path: Keys) -> int:
        number = 0
        while self.text[at := self._space(at)] != "]":
            self._note((*path, number), at)
            at = self._space(self._value(at, (*path, number)))
            at += self.text[at] == ","
            number += 1
        return at + 1

    def _table(self, at: int, path: Keys) -> int:
        while self.text[at := self._space(at)] != "}":
            at = self._space(self._assignment(path, at))
            at += self.text[at] == ","
        return at + 1

    def _key(self, at: int) -> tuple[Keys, int]:
        """A dotted key and the place after it."""
        keys: list[str | int] = []
        while match := _PART.match(self.text, at):
            keys.append(_plain(match[1]))
            at = match.end()
            if not match[2]:
                break
        return tuple(keys), at

    def _space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _note(self, path: Keys, at: int) -> None:
        if len(self.found) >= _MOST:
            return
        if at > self._counted:
            self._line += self.text.count("\n", self._counted, at)
            self._counted = at
        self.found.setdefault(path, self._line)


def _plain(part: str) -> str:
    """A part of a key without its quotes."""
    if part[0] == '"' and "\\" in part:
        return str(tomllib.loads(f"key = {part}")["key"])
    return part[1:-1] if part[0] in "\"'" else part
