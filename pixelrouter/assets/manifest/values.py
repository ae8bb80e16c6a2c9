"""The kinds of values in ``assets.toml``: what may be written, what it becomes, and its JSON Schema.

Each is one annotated type without unions, so that a wrong value gives one sentence instead of one for every branch.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pixelrouter.assets.export import NAMES as EXPORTS
from pixelrouter.errors import PixelRouterError
from pixelrouter.types import MAX_SIDE, Task, Views, parse_size, plain_text

MOST_ENTRIES = 4096  # of one list
PIVOTS = {
    f"{row}{'-' if row and column else ''}{column}" or "center": (x, y)
    for row, y in (("top", 0.0), ("", 0.5), ("bottom", 1.0))
    for column, x in (("left", 0.0), ("", 0.5), ("right", 1.0))
}
ATLAS_FORMATS = ("aseprite-json", "aseprite-json-hash", "pixi", "phaser")
_SHOWN = 60  # characters of a wrong word
_COLOR = r"^#?([0-9a-fA-F]{6})$|^#[0-9a-fA-F]{3}$"


def wrong(what: str, hint: str) -> PydanticCustomError:
    """What is wrong with a value, as the rest of a sentence that begins with "it", and the fix."""
    return PydanticCustomError("wrong", "{what}", {"what": what, "hint": hint})


def _text(value: Any) -> Any:
    try:
        return plain_text(value) if isinstance(value, str) else value
    except ValueError as error:
        raise wrong(f"is no text: {error}", "Take them out.") from None


def _size(value: Any) -> tuple[int, int]:
    try:
        return parse_size(value)
    except PixelRouterError:
        hint = 'Write 16, "16x24" or [16, 24].'
        raise wrong(f"should be the sprite's own pixels, 1 to {MAX_SIDE} a side", hint) from None


def _list(value: Any) -> Any:
    """One text stands for a list of one."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise wrong("should be a text or a list of texts", 'Write "..." or ["...", "..."].')
    if len(value) > MOST_ENTRIES:
        raise wrong(f"has {len(value)} entries; {MOST_ENTRIES} are the most", "Use fewer.")
    return tuple(value)


def _palette(value: Any) -> str | tuple[str, ...]:
    hint = 'Write a built-in name ("pico-8"), a palette file, or colours (["#ff8800"]).'
    if isinstance(value, str) and value.strip():
        return str(_text(value))
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        if bad := next((one for one in value if not re.match(_COLOR, one)), None):
            raise wrong(f"holds {bad[:_SHOWN]!r}, which is no colour", 'Write "#ff8800".')
        return tuple(value)
    raise wrong("should be a palette", hint)


def _pair(what: str, hint: str, low: float, high: float) -> Callable[[Any], tuple[float, float]]:
    def check(value: Any) -> tuple[float, float]:
        pair = list(value) if isinstance(value, list | tuple) else []
        if len(pair) == 2 and all(_is_number(one) and low <= one <= high for one in pair):
            return (float(pair[0]), float(pair[1]))
        raise wrong(what, hint)

    return check


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


_point = _pair("should be a place in source pixels", "Write [x, y]: [0, 3.5].", 0, 1e6)
_anchor = _pair(
    "should be a place in the sprite", f"Write one of {', '.join(PIVOTS)}, or [x, y] from 0 to 1: [0.5, 1].", 0, 1
)
_cell = _pair("should be source pixels a pixel of the art, 1 to 4096", "Write 8, or [7.5, 8].", 1, 4096)


def _pivot(value: Any) -> tuple[float, float]:
    return PIVOTS[value] if isinstance(value, str) and value in PIVOTS else _anchor(value)


def _pixel_size(value: Any) -> float | tuple[float, float]:
    if isinstance(value, int | float):
        return _cell((value, value))[0]
    return _cell(value)


def _amount(value: Any) -> Decimal:
    """Money as it is written: 1.10 is not 1.1000000000000001."""
    text = str(value) if isinstance(value, str) or _is_number(value) else ""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return Decimal(text)
    raise wrong("should be an amount, 0 or more, to six places", "Write 15 or 2.50.")


def _options(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and _is_json(value):
        return value
    raise wrong("should be a table of texts, numbers, truth values and lists", 'Write { strength = "low" }.')


def _is_json(value: Any) -> bool:
    """Whether a vendor can be sent it: no dates, no infinities."""
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, str | bool) or _is_number(value)


def _views(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _task(value: Any) -> Any:
    return value.replace("-", "_") if isinstance(value, str) else value


_SIDE = "0*([1-9][0-9]{0,2}|10[01][0-9]|102[0-4])"  # 1 to MAX_SIDE
_BY = "[xX,\u00d7]"  # the last one is the multiplication sign
_SIZE_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MAX_SIDE},
        {"type": "string", "pattern": rf"^\s*{_SIDE}\s*({_BY}\s*{_SIDE}\s*)?$"},
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": MAX_SIDE},
            "minItems": 2,
            "maxItems": 2,
        },
    ]
}
_PALETTE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"\S"},
        {"type": "array", "items": {"type": "string", "pattern": _COLOR}, "minItems": 1},
    ]
}


def _pair_schema(low: float, high: float) -> dict[str, Any]:
    number = {"type": "number", "minimum": low, "maximum": high}
    return {"type": "array", "items": number, "minItems": 2, "maxItems": 2}


def _one_or_more(item: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": least, "maxItems": MOST_ENTRIES}]}


def _one_of(known: Sequence[str], what: str) -> Callable[[Any], tuple[str, ...]]:
    """A list whose entries are all known words, repeats left out."""

    def check(value: Any) -> tuple[str, ...]:
        names = _list(value)
        for name in names:
            if name not in known:
                close = difflib.get_close_matches(name[:_SHOWN].lower(), known, 1) if isinstance(name, str) else ()
                hint = f"Did you mean {close[0]!r}?" if close else f"Write some of: {', '.join(known)}."
                raise wrong(f"holds {str(name)[:_SHOWN]!r}, which is no {what}", hint)
        return tuple(dict.fromkeys(names))

    return check


Text = Annotated[str, BeforeValidator(_text)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_list), WithJsonSchema(_one_or_more({"type": "string"}))]
Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(_list),
    Field(min_length=1),
    WithJsonSchema(_one_or_more({"type": "string", "minLength": 1}, 1)),
]
Size = Annotated[tuple[int, int], PlainValidator(_size), WithJsonSchema(_SIZE_SCHEMA)]
PaletteWord = Annotated[str | tuple[str, ...], PlainValidator(_palette), WithJsonSchema(_PALETTE_SCHEMA)]
Point = Annotated[tuple[float, float], PlainValidator(_point), WithJsonSchema(_pair_schema(0, 1e6))]
Pivot = Annotated[
    tuple[float, float],
    PlainValidator(_pivot),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": list(PIVOTS)}, _pair_schema(0, 1)]}),
]
PixelSize = Annotated[
    float | tuple[float, float],
    PlainValidator(_pixel_size),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 1, "maximum": 4096}, _pair_schema(1, 4096)]}),
]
Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 999_999_999},
                {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,6})?$"},
            ]
        }
    ),
]
Exports = Annotated[
    tuple[str, ...],
    PlainValidator(_one_of(EXPORTS, "export")),
    WithJsonSchema(_one_or_more({"type": "string", "enum": list(EXPORTS)})),
]
Formats = Annotated[
    tuple[str, ...],
    PlainValidator(_one_of(ATLAS_FORMATS, "format of an atlas")),
    WithJsonSchema(_one_or_more({"type": "string", "enum": list(ATLAS_FORMATS)})),
]
Options = Annotated[dict[str, Any], PlainValidator(_options), WithJsonSchema({"type": "object"})]
TaskWord = Annotated[
    Task,
    BeforeValidator(_task),
    WithJsonSchema({"enum": [*(task.replace("_", "-") for task in get_args(Task)), "remove_background"]}),
]
ViewsWord = Annotated[Views, BeforeValidator(_views), WithJsonSchema({"enum": [*get_args(Views), 4, 8]})]
_VALUE = {"type": ["string", "number"]}
_VARIABLES = {"propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, "minProperties": 1}
ForEach = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    **_VARIABLES,
                    "additionalProperties": {"type": "array", "items": _VALUE, "minItems": 1, "uniqueItems": True},
                },
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", **_VARIABLES, "additionalProperties": _VALUE},
                },
            ]
        }
    ),
]
Exclude = Annotated[
    Any,
    WithJsonSchema(
        {"type": "array", "items": {"type": "object", "minProperties": 1, "additionalProperties": _VALUE}},
    ),
]
