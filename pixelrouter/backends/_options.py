"""Checks of a vendor's own options: each takes the option's name and value and returns the value as it is sent.

Every check raises InvalidRequest in words, before anything is sent: an option that is wrong is a wrong image, paid for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pixelrouter.errors import InvalidRequest

Check = Callable[[str, object], Any]


def number(low: float, high: float) -> Check:
    """A number, both ends included."""

    def check(name: str, value: object) -> Any:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not fits or not low <= value <= high:  # type: ignore[operator]  # ``fits`` says that it is a number
            raise InvalidRequest(f"{name}={value!r} is not a number from {low:g} to {high:g}.")
        return value

    return check


def whole(low: int, high: int) -> Check:
    """A whole number, both ends included."""

    def check(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidRequest(f"{name}={value!r} is not a whole number from {low} to {high}.")
        return value

    return check


def one_of(*values: object) -> Check:
    """One of the words, or whole numbers, that the vendor lists."""

    def check(name: str, value: object) -> Any:
        # 8.0 is no 8, and True no 1.
        if not any(type(value) is type(known) and value == known for known in values):
            raise InvalidRequest(f"{name}={value!r} is not one of: {', '.join(map(str, values))}.")
        return value

    return check


def text(low: int = 0, high: int | None = None) -> Check:
    """Text of so many characters."""

    def check(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidRequest(f"{name} must be text, not {type(value).__name__}.")
        if len(value) < low or (high is not None and len(value) > high):
            raise InvalidRequest(f"{name} must have {low} to {high or 'any number of'} characters, not {len(value)}.")
        return value

    return check


def flag(name: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false, not {value!r}.")
    return value
