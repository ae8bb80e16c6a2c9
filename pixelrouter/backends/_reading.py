"""Reading vendors' answers: the few things that are the same at every vendor."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from math import isfinite

from pixelrouter.types import HttpResponse

LONGEST_MESSAGE = 300


def clean(value: object) -> str | None:
    """A vendor's text in one line of at most 300 characters, or None if it is no text, or empty."""
    if not isinstance(value, str):
        return None
    text = " ".join(value.encode("utf-8", "replace").decode().split())
    return (text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…") or None


def ended(text: str) -> str:
    """``text`` with a full stop, which a vendor's words often lack: a hint may follow."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def what_came(response: HttpResponse) -> str:
    """An answer that nobody can read, in words: its length and its type."""
    return f"{len(response.content)} bytes of {clean(response.headers.get('content-type')) or 'no content type'}"


def seconds_of(value: object) -> float | None:
    """A number of seconds as a vendor writes it, never below 0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if isfinite(seconds) else None


def http_date(text: str) -> datetime | None:
    """The moment that an HTTP date names, or None."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(response: HttpResponse) -> float | None:
    """Seconds to wait by the Retry-After header, which holds seconds or an HTTP date; None without a usable one."""
    header = response.headers.get("retry-after", "").strip()
    if (told := seconds_of(header or None)) is not None:
        return told
    if (then := http_date(header)) is None:
        return None
    now = http_date(response.headers.get("date", "")) or datetime.now(UTC)
    return seconds_of((then - now).total_seconds())
