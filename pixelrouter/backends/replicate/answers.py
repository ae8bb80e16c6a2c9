"""Reads Replicate's predictions: lenient where they vary, strict about what they deliver.

Shapes: recorded traffic in github.com/replicate/replicate-python (2023 to 2024), replicate.com/docs (2026). ``output``
is a list of addresses, or one; ``data:`` addresses were recorded in sync mode, https links otherwise.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from pixelrouter.backends._reading import clean, data_of
from pixelrouter.backends.replicate.failures import unexpected
from pixelrouter.types import HttpResponse, Inline, Remote

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")  # safe as one segment of a path
_LINK = re.compile(r"https?://[^\s]+")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _when(value: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 time, or None."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


class Prediction(BaseModel):
    """One job. Unknown fields are no error: Replicate adds some."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    id: Annotated[str | None, BeforeValidator(_id)] = None
    model: Annotated[str | None, BeforeValidator(clean)] = None
    status: Annotated[str | None, BeforeValidator(clean)] = None
    input: Annotated[dict[str, Any], BeforeValidator(_object)] = {}
    output: Any = None
    error: Any = None
    data_removed: Annotated[bool, BeforeValidator(lambda value: value is True)] = False
    created_at: Annotated[float | None, BeforeValidator(_when)] = None


def body_of(response: HttpResponse, doing: str) -> dict[str, Any]:
    """The JSON object of a 2xx answer. Raises UnexpectedAnswer."""
    body = response.json()
    if not isinstance(body, dict):
        raise unexpected(response, doing, f"JSON of type {type(body).__name__} instead of an object")
    return body


def prediction_of(response: HttpResponse, doing: str) -> Prediction:
    """The prediction in a 2xx answer. Raises UnexpectedAnswer."""
    return Prediction.model_validate(body_of(response, doing))


def listed(output: object) -> list[Any]:
    """The outputs as a flat list: models answer with a list, with one address alone, or with an object of them."""
    if output is None or output == "":
        return []
    if isinstance(output, dict):
        output = list(output.values())
    if not isinstance(output, list):
        return [output]
    return [one for entry in output for one in (listed(entry) if isinstance(entry, dict | list) else [entry])]


def items_of(output: object) -> tuple[tuple[Inline | Remote, ...], int]:
    """The files in order, and how many entries could not be understood."""
    entries = listed(output)
    items = tuple(item for entry in entries if (item := _item(entry)) is not None)
    return items, len(entries) - len(items)


def _item(entry: object) -> Inline | Remote | None:
    if not isinstance(entry, str):
        return None
    if entry.startswith("data:"):
        return Inline(data_of(entry))
    return Remote(entry) if _LINK.fullmatch(entry) else None
