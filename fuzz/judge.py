"""What has to hold whatever an answer says: one place for the fuzzers and for the tests."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from fuzz.readers import KEY, Reader
from pixelrouter.backends.protocol import Found
from pixelrouter.errors import PixelRouterError, Refused
from pixelrouter.routing import verdict
from pixelrouter.routing.verdict import REFUSED_STATUSES, Verdict
from pixelrouter.types import Cost, Delivery, HttpResponse, Inline, ModelInfo, Money, Progress, Quote, Remote, Ticket

LONGEST_ERROR = 5000  # characters: a message and its hint
_KINDS: dict[str, Any] = {
    "submit": Ticket | Delivery,
    "quote": Quote,
    "poll": Ticket | Delivery | Progress,
    "renew": Delivery,
    "find": Found,
    "balance": Money,
    "catalogue": tuple,
    "fetch": bytes,
}


def check(reader: Reader, answer: HttpResponse) -> Any:
    """Read the answer. Returns the value or the error; raises AssertionError where a promise is broken.

    Any other exception is a crash of the reader: nothing here catches it.
    """
    error: PixelRouterError | None = None
    value: Any = None
    try:
        value = reader.call.read(answer)
    except PixelRouterError as caught:
        error = caught
        _check_error(error)
    else:
        _check_value(reader.kind, value)
    if reader.kind == "submit":
        _check_verdict(answer, error)
    return value if error is None else error


def _check_error(error: PixelRouterError) -> None:
    text = f"{error} {error.as_dict()}"
    assert KEY not in text, "the key is in an error"
    assert "hush" not in text, "a signature is in an error"
    assert len(str(error)) <= LONGEST_ERROR, f"an error of {len(str(error))} characters"
    text.encode()  # no half surrogate pair: neither a file nor a database would take it
    assert str(error).isprintable(), "an error with control characters"
    charged = getattr(error, "charged", None)
    assert charged is None or charged.micros >= 0
    wait = getattr(error, "retry_after", None)
    assert wait is None or (math.isfinite(wait) and wait >= 0)


def _check_verdict(answer: HttpResponse, error: PixelRouterError | None) -> None:
    """Garbage is never accepted, and never a free refusal unless the vendor's status or words say so."""
    judged = verdict.of_answer(answer.status, error)
    if judged is Verdict.ACCEPTED:
        assert answer.ok, f"accepted at {answer.status}"
        assert isinstance(answer.json(), dict), "accepted without an object"
    if judged is Verdict.REFUSED:
        assert isinstance(error, Refused) or answer.status in REFUSED_STATUSES
        assert not answer.ok, "refused by a success"
    assert judged is not Verdict.NOT_SENT


def _check_value(kind: str, value: Any) -> None:
    assert isinstance(value, _KINDS.get(kind, object)), f"{kind} read a {type(value).__name__}"
    match value:
        case Ticket():
            _check_ticket(value)
        case Delivery():
            _check_delivery(value)
        case Progress():
            assert value.fraction is None or 0 <= value.fraction <= 1
            assert value.retry_after is None or (math.isfinite(value.retry_after) and value.retry_after >= 0)
            _check_text(value.status, 400)
        case Found():
            for ticket in value.tickets:
                _check_ticket(ticket)
        case Quote():
            _check_cost(value.cost)
            assert value.unit_price is None or value.unit_price.micros >= 0
        case Money():
            assert value.micros >= 0
        case tuple():
            for model in value:
                assert isinstance(model, ModelInfo)
                assert 1 <= model.min_width <= model.max_width
                assert 1 <= model.min_height <= model.max_height
                _check_text(model.id, 1000)


def _check_ticket(ticket: Ticket) -> None:
    assert 1 <= len(ticket.id) <= 300
    assert not set(ticket.id) & set("/?#\\% \r\n\0"), f"a job id that is no segment of a path: {ticket.id!r}"
    assert ticket.id not in (".", "..")
    for name, text in ticket.extra.items():
        _check_text(name, 100)
        _check_text(text, 10_000)


def _check_delivery(delivery: Delivery) -> None:
    _check_cost(delivery.cost)
    assert delivery.units is None or (Decimal(0) <= delivery.units <= 10**6)
    assert len(delivery.items) <= 1000, f"{len(delivery.items)} files"
    assert not delivery.names or len(delivery.names) == len(delivery.items)
    for item in delivery.items:
        assert isinstance(item, Inline | Remote)
    for text in (*delivery.names, *delivery.notes):
        _check_text(text, 1000)
    for name in delivery.names:
        assert not set(name) & set("/\\:\0") and name not in ("", ".", ".."), f"a name that is a path: {name!r}"
    if delivery.ticket is not None:
        _check_ticket(delivery.ticket)


def _check_cost(cost: Cost | None) -> None:
    assert cost is None or 0 <= cost.money.micros <= 10**6 * 10**6


def _check_text(text: str, most: int) -> None:
    assert isinstance(text, str)
    assert len(text) <= most, f"a text of {len(text)} characters"
    assert text.isprintable(), f"a text with control characters: {text[:80]!r}"
    text.encode()
