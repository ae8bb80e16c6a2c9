"""Documented answers, spoilt: what a broken or hostile vendor might send in their place.

``pick(n)`` chooses a number from 0 to n - 1: a random generator, hypothesis or a fuzzer drives the same mutations.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pixelrouter.types import HttpResponse

Pick = Callable[[int], int]


_LARGEST = 4_000_000  # bytes of a mutant; the wire lets no more than 64 MB through in any case


class Raw(str):
    """Text that goes into JSON as it is, whether that is JSON or not."""

    __slots__ = ()


class Twice(list[tuple[str, Any]]):
    """An object as its pairs: a name may be there twice."""


WEIRD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        -0.01,
        0.0000004,
        17,
        10**30,
        2**63,
        "",
        "x",
        "0.5",
        [],
        {},
        [[]],
        [{}],
        [None],
        {"": None},
    ),
    *(Raw("NaN"), Raw("-Infinity"), Raw("1e999"), Raw("1e-999"), Raw("-0.0"), Raw("9" * 5000), Raw("0." + "9" * 5000)),
    *(
        Raw("[" * 90 + "]" * 90),
        Raw("[" * 100_000),
        Raw("[" * 100_000 + "]" * 100_000),
        Raw('{"a":' * 100_000),
        Raw(""),
    ),
    *("\ud800", "\udc00x", "\x00", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe", "A" * 100_000, "a b " * 50_000, "%" * 1000),
    *("../../etc/passwd", "/", "..", "a/b", "file:///etc/passwd", "javascript:0", "http://169.254.169.254/latest/"),
    *("https://user:word@h.test/x", "https://[::1", "http://h.test/?sig=hush&token=hush", "https://h.test/\r\nX: y"),
    *(
        "data:",
        "data:,",
        "data:image/png;base64,%%%",
        "data:;base64,QUJD",
        "QUJD",
        "Q\nUJD",
        "data:,%zz%",
        "\u00e9" * 99,
    ),
    *("succeeded", "completed", "COMPLETED", "failed", "canceled", "processing", "IN_QUEUE", "usd", "generations"),
)
STATUSES = (200, 200, 200, 201, 202, 204, 206, 299, 301, 304, 400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422)
STATUSES += (423, 429, 499, 500, 502, 503, 504, 529, 599, 101, 999)
HEADERS: tuple[tuple[str, str], ...] = (
    *(
        ("retry-after", value)
        for value in ("0", "-1", "1e308", "NaN", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "x")
    ),
    *(("date", value) for value in ("", "0", "Mon, 99 Foo 0000 99:99:99 +9999", "Thu, 01 Jan 1970 00:00:00 GMT")),
    *(
        ("content-type", value)
        for value in ("text/html", "", "\x00", "x" * 100_000, "application/json; charset=utf-16")
    ),
    *(
        ("x-fal-billable-units", value)
        for value in ("", "0", "-1", "NaN", "sNaN", "1e999", "1, 2", "0.5", "1_0", "\u0663")
    ),
    *(("x-request-id", value) for value in ("\x1b[31m", "x" * 100_000, "../..")),
    *(("location", value) for value in ("file:///etc/passwd", "//", "http://[")),
)


def spoil(answer: HttpResponse, pick: Pick) -> HttpResponse:
    """The answer with one to four things wrong: its JSON, its bytes, its status, its headers."""
    for _ in range(1 + pick(4)):
        match pick(8):
            case 0:
                answer = replace(answer, status=STATUSES[pick(len(STATUSES))])
            case 1:
                name, value = HEADERS[pick(len(HEADERS))]
                answer = replace(answer, headers={**answer.headers, name: value})
            case 2:
                answer = replace(answer, content=_spoilt_bytes(answer.content, pick))
            case _:
                answer = replace(answer, content=_spoilt_json(answer.content, pick))
    return answer


def _spoilt_bytes(data: bytes, pick: Pick) -> bytes:
    at = pick(len(data) + 1)
    match pick(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([pick(256)]) + data[at + 1 :]
        case 2:
            return data + data[at:]
        case 3:
            return b"\xef\xbb\xbf" + data
        case 4:
            return data.decode("utf-8", "replace").encode("utf-16" if pick(2) else "utf-32")
    return (b"", b"null", b"\xff\xfe", b"<html><h1>502</h1></html>", b"[" * 100_000, b"17", b'"x"')[pick(7)]


def _spoilt_json(data: bytes, pick: Pick) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places = list(_places(value))
    if not places:
        return render(_weird(pick))
    holder, name = places[pick(len(places))]
    match pick(12):
        case 0:
            del holder[name]
        case 1 if isinstance(holder, dict):
            # Said twice: once as it was, once otherwise. A dict takes no name twice, so another stands in for it.
            twice = Twice([*holder.items(), (name, _weird(pick))])
            value = _put(value, holder, twice)
        case 2 if isinstance(holder, dict):
            words = [word for word in WEIRD if isinstance(word, str) and not isinstance(word, Raw)]
            holder[words[pick(len(words))]] = holder.pop(name)
        case 3 if isinstance(holder, list) and len(data) < 20_000:
            holder *= max(1, min((2, 100, 2000)[pick(3)], 4000 // max(1, len(holder))))
        case 4:
            other, there = places[pick(len(places))]
            holder[name] = json.loads(json.dumps(other[there]))
        case 5:
            holder[name] = [holder[name]] * (1 + pick(3))
        case 6 if isinstance(holder[name], int | float) and not isinstance(holder[name], bool):
            factor = (-1, 0, 1e-9, 1e9, 1e300, 0.1)[pick(6)]
            holder[name] = holder[name] * factor
        case _:
            holder[name] = _weird(pick)
    spoilt = render(value)
    return spoilt if len(spoilt) < _LARGEST else data


def _weird(pick: Pick) -> Any:
    return copy.deepcopy(WEIRD[pick(len(WEIRD))])  # a copy: the next mutation may change it


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every dict and list inside, with each of its keys or positions."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in list(inside):
        yield value, name
        yield from _places(item)


def _put(value: Any, old: Any, new: Any) -> Any:
    """``value`` with ``new`` where ``old`` is."""
    if value is old:
        return new
    for holder, name in _places(value):
        if holder[name] is old:
            holder[name] = new
            break
    return value


def render(value: Any) -> bytes:
    """JSON, or nearly."""
    return _text(value).encode("utf-8", "surrogatepass")


def _text(value: Any) -> str:
    match value:
        case Raw():
            return str(value)
        case Twice():
            return "{" + ",".join(f"{_text(name)}:{_text(item)}" for name, item in value) + "}"
        case dict():
            return "{" + ",".join(f"{_text(name)}:{_text(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case Decimal():
            return str(value)
    return json.dumps(value)  # escapes half a surrogate pair, and writes NaN
