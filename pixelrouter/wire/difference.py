"""Why a recorded request does not match: the closest one, and what differs, field by field."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pixelrouter.wire.bodies import parse
from pixelrouter.wire.scrub import scrub

Query = list[tuple[str, str]]
Asked = tuple[str, str, Query, bytes]  # method, path, query, body

_MOST_LINES, _LONGEST_VALUE = 12, 80
_ABSENT = object()


def describe_miss(asked: Asked, recorded: Sequence[Asked]) -> str:
    """Sentences and lines such as ``prompt: recorded 'a', asked 'b'``."""
    if not recorded:
        return "Nothing is recorded in it."
    closest = max(recorded, key=lambda each: _likeness(asked, each))
    lines = differences(asked, closest)
    if not lines:
        return "An equal request is recorded, but was not found."
    more = len(lines) - _MOST_LINES
    shown = lines[:_MOST_LINES] + ([f"… and {more} more"] if more > 0 else [])
    return f"The closest recorded request is {closest[0]} {closest[1]}:\n  " + "\n  ".join(shown) + "\n"


def differences(asked: Asked, recorded: Asked) -> list[str]:
    """One line for each field that differs, what was recorded first."""
    before, after = _fields(recorded), _fields(asked)
    lines = []
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if not _equal(old, new):
            was = "not recorded" if old is _ABSENT else f"recorded {_show(old)}"
            now = "not asked" if new is _ABSENT else f"asked {_show(new)}"
            lines.append(f"{name}: {was}, {now}")
    return lines


def _likeness(asked: Asked, recorded: Asked) -> tuple[bool, bool, float, float]:
    before, after = _fields(recorded), _fields(asked)
    names = before.keys() | after.keys()
    same = sum(_equal(before.get(name, _ABSENT), after.get(name, _ABSENT)) for name in names) / len(names)
    path = difflib.SequenceMatcher(None, asked[1], recorded[1]).ratio()
    return recorded[1] == asked[1], recorded[0] == asked[0], same, path


def _fields(request: Asked) -> dict[str, Any]:
    method, path, query, body = request
    fields: dict[str, Any] = {"method": method.upper(), "path": path}
    fields |= {f"query.{name}": value for name, value in query}
    data = parse(body)
    if data is None:
        return fields | ({"body": scrub(body.decode("utf-8", "backslashreplace"))} if body else {})
    _flatten("", scrub(data), fields)
    return fields


def _flatten(name: str, value: Any, into: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _flatten(f"{name}.{key}" if name else key, item, into)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            _flatten(f"{name}[{index}]", item, into)
    else:
        into[name or "body"] = value


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text)} characters)"
