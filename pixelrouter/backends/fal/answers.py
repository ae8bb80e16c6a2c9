"""Reads fal's answers: lenient where its documents vary, strict about money and about where the key may go.

Only ``images[].url`` is guaranteed in an image; seeds can be larger than 64 bits and are not read. Shapes:
github.com/fal-ai/fal-js (types of queue and models, 2026-08-02), Platform API OpenAPI (2026-08-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from pixelrouter.backends._reading import MOST_ENTRIES, bounded, clean, data_of
from pixelrouter.backends.fal.failures import POLICY, billable_units, unexpected
from pixelrouter.errors import ContentBlocked
from pixelrouter.types import MICROS, Delivery, HttpResponse, Inline, Money, Remote, Ticket

MOST_DOLLARS = 1_000_000  # an amount above is a broken answer, not a price


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value[:MOST_ENTRIES] if isinstance(item, dict)] if isinstance(value, list) else []


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dollars(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    amount = Decimal(value)
    return amount if amount.is_finite() and 0 <= amount <= MOST_DOLLARS else None


def _address(value: object) -> str | None:
    # Not shortened, as other texts are: an address is whole or useless.
    return value if isinstance(value, str) and value else None


Text = Annotated[str | None, BeforeValidator(clean)]
Address = Annotated[str | None, BeforeValidator(_address)]
Dicts = Annotated[list[dict[str, Any]], BeforeValidator(_dicts)]
Object = Annotated[dict[str, Any], BeforeValidator(_object)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Dollars = Annotated[Decimal | None, BeforeValidator(_dollars)]


class Answer(BaseModel):
    """Base of every answer: unknown fields are no error, the vendor adds some."""

    model_config = ConfigDict(extra="ignore")


class Submitted(Answer):
    """An accepted request."""

    request_id: Address = None
    response_url: Address = None
    status_url: Address = None
    cancel_url: Address = None


class Status(Answer):
    """How a request stands; ``error`` and ``error_type`` are there on a failed one only."""

    request_id: Address = None
    status: Text = None
    queue_position: Whole = None
    error: Any = None
    error_type: Text = None

    @property
    def told(self) -> str | None:
        """The error that it tells of, in words."""
        said = self.error_type or clean(self.error)
        return said or ("an error" if self.error else None)


class Image(Answer):
    """A file of a result."""

    url: Address = None


class Price(Answer):
    """The price of one billable unit."""

    endpoint_id: Text = None
    unit_price: Dollars = None
    unit: Text = None
    currency: Text = None


class Listed(Answer):
    """One entry of the account's requests."""

    request_id: Address = None
    endpoint_id: Text = None
    json_input: Object = {}


class Listing(Answer):
    """One page of the account's requests, or of prices."""

    items: Dicts = []
    prices: Dicts = []
    next_cursor: Address = None
    has_more: Any = None


def object_of(response: HttpResponse, doing: str) -> dict[str, Any]:
    """The JSON object of an answer. Raises UnexpectedAnswer."""
    body = response.json()
    if not isinstance(body, dict):
        raise unexpected(response, doing, f"JSON of type {type(body).__name__} instead of an object")
    return body


def _item(url: str) -> Inline | Remote:
    """A file at an address, or one inside it (``data:``), which is kept whatever it holds: it was paid for."""
    return Inline(data_of(url)) if url.startswith("data:") else Remote(url)


def delivery_of(response: HttpResponse, ticket: Ticket, doing: str) -> Delivery:
    """The finished job with its bill in units. Raises ContentBlocked if the safety checker blacked out every image.

    The FLUX family answers 200 with a black image and a flag (github.com/gokayfem/ComfyUI-fal-API, issue 4); such
    images are left out. An answer that lists no files at all is an UnexpectedAnswer, an empty list an empty delivery.
    """
    body = object_of(response, doing)
    if not isinstance(body.get("images"), list) and not isinstance(body.get("image"), dict):
        raise unexpected(response, doing, "a result without images")
    units = billable_units(response)
    files = _dicts(body["images"]) if isinstance(body.get("images"), list) else [body["image"]]
    flags = body.get("has_nsfw_concepts")
    flagged = [flag is True for flag in flags] if isinstance(flags, list) else []
    urls = [Image.model_validate(file).url for file in files]
    good = [url for url, bad in zip(urls, flagged + [False] * len(urls), strict=False) if url and not bad]
    if any(flagged) and not good:
        raise ContentBlocked(
            f"fal's safety checker blacked out what {doing} had drawn.",
            charged=Money(0) if units == 0 else None,
            units=units,
            code=POLICY,
            hint="Reword the prompt, or change the image.",
        )
    return bounded(
        Delivery(tuple(map(_item, good)), units=units, notes=tuple(_notes(body, sum(flagged))), ticket=ticket)
    )


def _notes(body: Mapping[str, Any], blacked_out: int) -> list[str]:
    notes = []
    if blacked_out:
        notes.append(f"fal's safety checker blacked out {blacked_out} of the images; they are left out.")
    colors, scale = _whole(body.get("num_colors")), _whole(body.get("pixel_scale"))
    if colors is not None and scale is not None:
        notes.append(f"image2pixel found pixels of {scale}x{scale} and kept {colors} colours.")
    return notes


def price_of(response: HttpResponse, endpoint: str, doing: str) -> Price:
    """The price of an endpoint's unit, in dollars. Raises UnexpectedAnswer."""
    listing = Listing.model_validate(object_of(response, doing))
    prices = [price for item in listing.prices if (price := Price.model_validate(item)).endpoint_id == endpoint]
    if not prices or prices[0].unit_price is None:
        raise unexpected(response, doing, f"no usable price of {endpoint}")
    if (prices[0].currency or "USD").upper() != "USD":
        raise unexpected(response, doing, f"a price in {prices[0].currency} instead of USD")
    return prices[0]


def ceiling(dollars: Decimal) -> Money:
    """Money of at least that amount: what is held may not be a fraction of a micro-dollar too low."""
    return Money(int((dollars * MICROS).to_integral_value(ROUND_CEILING)))
