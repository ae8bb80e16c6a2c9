"""Reading vendors' answers: the few things that are the same at every vendor."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from email.utils import parsedate_to_datetime
from math import isfinite
from urllib.parse import unquote_to_bytes

from pixelrouter.types import MICROS, Delivery, HttpResponse, Money, Unit

LONGEST_MESSAGE = 300
MOST_FILES = 1000  # the largest order of any vendor is of some dozens
MOST_ENTRIES = 10_000  # of a list: styles, prices, jobs
MOST_ISSUES = 20  # of a refusal that go into its message
MOST = 1_000_000  # an amount above is a broken answer, not a price


def clean(value: object) -> str | None:
    """A vendor's text in one line of at most 300 characters, or None if it is no text, or empty.

    What does not print is left out: a terminal obeys escape sequences, and PostgreSQL takes no NUL.
    """
    if not isinstance(value, str):
        return None
    start = value[: 8 * LONGEST_MESSAGE]  # splitting megabytes into words would take hundreds
    text = " ".join("".join(each if each.isprintable() else " " for each in start).split())
    return (text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…") or None


def place(value: object) -> str:
    """Where a validation error lies, as ``body.image_size.width``: the first few names of a list, else nothing."""
    parts = value[:8] if isinstance(value, list) else []
    return clean(".".join(str(part) for part in parts if isinstance(part, str | int))) or ""


def amount(value: object, unit: Unit = "usd") -> Money | None:
    """An amount as a vendor writes it: a JSON number, finite, not negative, believable. Anything else is None.

    A fraction of a millionth counts as a whole one: what is booked must not be below what the vendor says.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if not Decimal(value).is_finite() or not 0 <= value <= MOST:
        return None
    return Money(int((Decimal(value) * MICROS).to_integral_value(ROUND_CEILING)), unit)


def bounded(delivery: Delivery) -> Delivery:
    """The delivery with its first thousand files: nobody ordered more, and each would be fetched, decoded and kept."""
    more = len(delivery.items) - MOST_FILES
    if more <= 0:
        return delivery
    note = f"The answer names {more} files more than anybody ordered; they were left out."
    names = delivery.names[:MOST_FILES]
    return replace(delivery, items=delivery.items[:MOST_FILES], names=names, notes=(*delivery.notes, note))


def same_job(told: object, asked: str) -> bool:
    """Whether an answer is about the job that was asked for; one that names none is believed.

    A server that sends two answers to one request leaves the second for whoever uses the connection next, and another
    job's picture, or bill, must not pass for this one's.
    """
    return told is None or told == asked


def data_of(text: str) -> bytes:
    """The bytes behind raw base64 or a ``data:`` address.

    Text that is not what it says comes back as its own bytes: it was paid for, so it is kept, and found unreadable
    later.
    """
    raw = text.encode("utf-8", "replace")
    head, comma, rest = text.partition(",") if text.startswith("data:") else ("", "", text)
    if comma and not head.endswith(";base64"):
        # Each escape costs the standard library a bytes object: a file of nothing else would take gigabytes.
        return raw if rest.count("%") > MOST else unquote_to_bytes(rest.encode("utf-8", "replace"))
    try:
        return base64.b64decode(rest.encode("ascii").translate(None, b" \t\r\n\v\f"), validate=True) or raw
    except ValueError:  # binascii.Error and UnicodeEncodeError are ValueErrors
        return raw


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
