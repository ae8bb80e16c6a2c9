"""Times and durations as Replicate writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pixelrouter.testing.simulator.replicate import problems
from pixelrouter.testing.simulator.replicate.problems import Invalid

_WAIT = re.compile(r"wait(?:=([1-9]|[1-5][0-9]|60))?")
_DURATION = re.compile(r"(\d+)|(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
LONGEST_WAIT = 60
SHORTEST_LIFE = 5


def stamp(at: float) -> str:
    """Seconds since the epoch as the vendor writes times: ISO 8601, UTC, to the millisecond, with a Z."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(where: str, text: str | None) -> float | None:
    """Seconds since the epoch of an ISO 8601 time with a zone. Raises Refused for any other text."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise problems.invalid([Invalid(where, "format", "Does not match format 'date-time'")])
    return found.timestamp()


def wait_of(header: str | None) -> int | None:
    """The seconds that ``Prefer: wait[=N]`` asks to hold the request; None where it does not. Refuses a bad N."""
    if header is None or not header.strip().startswith("wait"):
        return None  # a preference that the server does not know is no error
    match = _WAIT.fullmatch(header.strip())
    if match is None:
        raise problems.invalid([Invalid("Prefer", "pattern", "Must be wait or wait=n with n between 1 and 60")])
    return int(match[1]) if match[1] else LONGEST_WAIT


def life_of(header: str | None) -> int | None:
    """The seconds in ``Cancel-After``: ``90``, ``90s``, ``5m``, ``1h30m45s``. Refuses other texts, and less than 5."""
    if header is None:
        return None
    match = _DURATION.fullmatch(header.strip())
    if match is None or not header.strip():
        raise problems.invalid([Invalid("Cancel-After", "pattern", "Must be a duration like 30s, 5m or 1h30m45s")])
    plain, hours, minutes, seconds = (int(text or 0) for text in match.groups())
    total = plain + 3600 * hours + 60 * minutes + seconds
    if total < SHORTEST_LIFE:
        raise problems.invalid([Invalid("Cancel-After", "number_gte", "Must be at least 5 seconds")])
    return total
