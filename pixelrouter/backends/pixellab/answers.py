"""Reads PixelLab's answers: lenient where they vary, strict about money.

Three kinds of success live side by side: 200 with the image, 202 with a job, 200 with a job. Only the presence of a
job id tells them apart. Shapes: OpenAPI documents of 2026-08-15 and recorded traffic of 2026-10, both
github.com/go-api-libs/pixellab.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pixelrouter.backends._reading import amount
from pixelrouter.backends.pixellab.failures import unexpected
from pixelrouter.types import Cost, HttpResponse, Money, Unit

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")  # safe as one segment of a path


def body_of(response: HttpResponse, doing: str) -> dict[str, Any]:
    """The JSON object of a 2xx answer. Raises UnexpectedAnswer."""
    body = response.json()
    if not isinstance(body, dict):
        raise unexpected(response, doing, f"JSON of type {type(body).__name__} instead of an object")
    return body


def identity(value: object) -> str | None:
    """An id that can be asked for, or None."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def usage_of(value: object) -> Money | None:
    """What a ``usage`` object says was charged: ``{type: "usd", usd}`` or ``{type: "generations", generations}``.

    Null, a missing number and zero are all None: zero is the placeholder that stands there until the bill is known,
    and nothing that pixelrouter buys from PixelLab is free.
    """
    if not isinstance(value, dict):
        return None
    unit: Unit = "generations" if value.get("type") == "generations" else "usd"
    if value.get("type", "usd") not in ("usd", "generations"):
        return None
    return amount(value.get(unit), unit) or None


def bill(usages: Sequence[object], extra: Money | None) -> tuple[Cost | None, tuple[str, ...]]:
    """The cost by the first of ``usages`` that names one, with what enhancing the prompt cost on top; and notes."""
    told = next((money for usage in usages if (money := usage_of(usage))), None)
    if told is None:
        return None, ("PixelLab has not said what it cost; the price that was held is booked.",)
    if extra is None:
        return Cost(told, "reported"), ()
    if extra.unit == told.unit:
        return Cost(told + extra, "reported"), ()
    return Cost(told, "reported"), (f"Enhancing the prompt cost {extra} more, in another currency.",)


def job_of(body: Mapping[str, Any], response: HttpResponse, doing: str) -> str | None:
    """The id of the job an answer names, None if it names none. Raises UnexpectedAnswer for several, or a bad one."""
    several = body.get("background_job_ids")
    one = body.get("background_job_id")
    if one is None and isinstance(several, list) and several:
        if len(several) > 1:
            raise unexpected(response, doing, f"{len(several)} jobs where one was ordered")
        one = several[0]
    if one is None:
        return None
    found = identity(one)
    if found is None:
        raise unexpected(response, doing, f"a job id that cannot be asked for: {str(one)[:80]!r}")
    return found


def fraction_of(last: object) -> float | None:
    """How far a job is, 0..1. It may be 1 while the job still runs."""
    value = last.get("progress") if isinstance(last, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return float(value) if 0 <= value <= 1 else None


def balance_of(body: Mapping[str, Any], unit: Unit) -> Money | None:
    """What is left, by the shapes of v2, of v1, and of the envelope that documents before mid-2026 describe."""
    inner = body.get("data")
    if isinstance(inner, dict) and "credits" not in body and "usd" not in body:
        return balance_of(inner, unit) or _remaining(body, unit)
    part = body.get("subscription" if unit == "generations" else "credits")
    if isinstance(part, dict):
        return amount(part.get(unit), unit)
    found = amount(body.get(unit), unit)
    return _remaining(body, unit) if found is None else found


def _remaining(body: Mapping[str, Any], unit: Unit) -> Money | None:
    usage = body.get("usage")
    name = "remaining_generations" if unit == "generations" else "remaining_credits"
    return amount(usage.get(name), unit) if isinstance(usage, dict) else None
