"""What a vendor answers: a ticket, progress, a delivery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pixelrouter.types.money import Cost, Money


@dataclass(frozen=True)
class Ticket:
    """A job at the vendor: its id and whatever else is needed to poll it after a crash (strings only)."""

    id: str
    extra: Mapping[str, str] = field(default_factory=dict)

    def dumps(self) -> str:
        """One line of JSON for the ledger."""
        return json.dumps({"id": self.id, "extra": dict(self.extra)}, sort_keys=True)

    @classmethod
    def loads(cls, text: str) -> Ticket:
        data = json.loads(text)
        return cls(data["id"], data["extra"])


@dataclass(frozen=True)
class Progress:
    """A job that is not finished. ``fraction`` 0..1 where known; ``retry_after`` seconds where the vendor asks."""

    status: str
    fraction: float | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Inline:
    """An image whose encoded bytes came with the answer."""

    data: bytes


@dataclass(frozen=True)
class Remote:
    """An image that has to be downloaded, without credentials, from an address that the answer named."""

    url: str


@dataclass(frozen=True)
class Delivery:
    """A finished job. ``items`` are the files in order; those that the backend's layout does not count are extras.

    ``cost`` is the vendor's bill in money; ``units`` is what it bills in units of its own, which the quote's
    ``unit_price`` turns into money. ``names`` are the files' names (views, tiles), one for each item, if they have any.
    """

    items: tuple[Inline | Remote, ...]
    cost: Cost | None = None
    model: str | None = None
    notes: tuple[str, ...] = ()
    balance: Money | None = None
    ticket: Ticket | None = None  # set when a fresh poll can renew expired addresses
    units: Decimal | None = None
    names: tuple[str, ...] = ()
