"""Strangers' words on a page: prompts, names, vendors' messages."""

from __future__ import annotations

import html

from pixelrouter.errors import redact


def escaped(text: str) -> str:
    """Safe between tags and in quoted attributes: without credentials, and without characters that steer the text."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in redact(text))
    return html.escape(clean)


def cut(text: str, most: int) -> str:
    """At most that many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def count(number: int, word: str) -> str:
    """A number of things."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
