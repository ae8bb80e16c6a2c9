"""JSON from strangers: read with bounds on depth and on the number of values, and never in two meanings.

The reader of the standard library takes whatever fits into memory. A vendor's answer is a stranger's text, and what it
says is booked as money, so this one is stricter. 64 MB of ``[],[],`` would become two gigabytes of Python lists; a
thousand brackets exhaust the interpreter's stack in whatever walks over them later; a name that is there twice with two
values (RFC 8259 section 4 leaves open which one counts) would let an answer bill two prices at once; half a surrogate
pair is text that no file, database or socket takes.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

MOST_DEPTH = 100  # no vendor documents an answer nested deeper than about ten
MOST_DIGITS = 1000  # turning digits into a number takes a time that grows with the square of their count
MOST_VALUES = 1_000_000  # about 100 MB of Python objects beside the text itself

# The next bracket, and what lies before it, strings among it. Whatever is missing (the quote that closes a string, the
# bracket itself), it matches to the end of the text, so that no text makes the search start over.
_BRACKET = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?)*+([\[\]{}]?)', re.DOTALL)
# A whole pair, half a pair, or any other escape, which is skipped so that "\\\\ud800" stays what it is.
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


def parse(content: bytes) -> Any:
    """The JSON in ``content`` (UTF-8), numbers with a point as Decimal. Half surrogate pairs become U+FFFD.

    Raises ValueError for everything else: what is no JSON, too deep, too many values, or a name with two values.
    """
    text = content.decode("utf-8-sig")
    _check_bounds(text)
    if "\\ud" in text or "\\uD" in text:
        if text.count("\\") > MOST_VALUES:
            raise ValueError(f"JSON of more than {MOST_VALUES:,} escapes")
        text = _ESCAPES.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    try:
        return json.loads(text, parse_float=_decimal, parse_int=_whole, object_pairs_hook=_object)
    except (ArithmeticError, RecursionError) as error:  # an exponent beyond what Decimal holds; a stack nearly used up
        raise ValueError(f"JSON that cannot be read ({type(error).__name__})") from None


def _check_bounds(text: str) -> None:
    opened = text.count("[") + text.count("{")
    if opened + text.count(",") > MOST_VALUES:
        raise ValueError(f"JSON of more than {MOST_VALUES:,} values")
    if opened <= MOST_DEPTH:
        return
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += {"": 0, "[": 1, "{": 1}.get(found[1], -1)
        if depth > MOST_DEPTH:
            raise ValueError(f"JSON nested deeper than {MOST_DEPTH}")


def _whole(digits: str) -> int:
    return int(_short(digits))


def _decimal(digits: str) -> Decimal:
    return Decimal(_short(digits))


def _short(digits: str) -> str:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"JSON with a number of more than {MOST_DIGITS} digits")
    return digits


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) and any(found[name] != value for name, value in pairs):
        raise ValueError("a name that is there twice with two values")
    return found
