"""What is handed to the ledger to be reserved, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field

from pixelrouter.errors import InvalidRequest
from pixelrouter.types import Attempt, Cost, Money, plain_text


@dataclass(frozen=True)
class Labels:
    """What the caller calls a purchase: the asset it is for, tags, and the set of sprites that it belongs to."""

    asset: str = ""
    tags: tuple[str, ...] = ()
    style_group: str = ""

    def __post_init__(self) -> None:
        """Raise InvalidRequest for what a ledger cannot take."""
        for value in (self.asset, self.style_group, *self.tags):
            try:
                plain_text(value)
            except (ValueError, AttributeError, TypeError) as error:
                raise InvalidRequest(f"The label {str(value)[:40]!r} cannot be used: {error}.") from None


NO_LABELS = Labels()


@dataclass(frozen=True)
class Draft:
    """An attempt about to be reserved. ``hold`` is the amount to keep back, with its source."""

    id: str
    key: str
    backend: str
    model: str | None
    hold: Cost
    seed: int
    prompt: str
    body: str = ""  # hash of the exact bytes to be sent
    fresh: bool = False  # True: buy anew although the same was bought before
    wish: str = "{}"  # the request as JSON
    unit_price: Money | None = None  # of one billable unit, where the vendor bills units
    own_seed: bool = False  # True: the router chose the seed, so that no two purchases draw the same
    labels: Labels = field(default=NO_LABELS)
    account: str = ""  # fingerprint of the key: whose balance and whose lists tell of it


@dataclass(frozen=True)
class Reservation:
    """What a reserve led to: a new row (``new``), or the attempt that already stands for the same request."""

    attempt: Attempt
    new: bool
