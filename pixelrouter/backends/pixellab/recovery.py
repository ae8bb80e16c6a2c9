"""Looks for a lost order in PixelLab's lists: characters, tilesets and isometric tiles are listed, pictures are not.

The lists show what was asked for (its words, its number of directions) and when, but no seed: two orders in the same
words cannot be told apart, so what is found is likely ours, never certainly. The order of the lists is not documented,
so they are read to their end. Fields: the vendor's OpenAPI document (github.com/go-api-libs/pixellab, 2026-08-15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pixelrouter.backends.pixellab.answers import identity
from pixelrouter.backends.protocol import Absence
from pixelrouter.types import Billing, Mark, Ticket

MARGIN_S = 300.0  # that this machine's clock may be ahead of the vendor's
LATEST_S = 3600.0  # after which no gateway hands on a request any more; our own margin
#: A finished job's charge was seen up to half a minute late (recorded 2026-10). How long a job may take is documented
#: nowhere; a quarter of an hour is our own margin.
BILLING = Billing(told_s=60, lost_s=900)
#: What was ordered may be written down late: clients saw 404 for a new id (2026). The margin is ours.
ABSENT = Absence("likely", 900)


@dataclass(frozen=True)
class Shelf:
    """A list: how many entries a page may have, its name in the answer, and the fields that echo the order's."""

    limit: int
    name: str
    echoes: Mapping[str, str]  # field of the entry -> field of the order


#: By the path under which the vendor keeps the thing. Map objects are kept, but not listed.
SHELVES = {
    "characters": Shelf(100, "characters", {"prompt": "description"}),
    "tilesets": Shelf(
        100,
        "tilesets",
        {"lower_description": "lower_description", "upper_description": "upper_description"},
    ),
    "tilesets-sidescroller": Shelf(
        50,
        "tilesets",
        {"lower_description": "lower_description", "transition_description": "transition_description"},
    ),
    "isometric-tiles": Shelf(100, "tiles", {"description": "description"}),
}


def is_ours(entry: Mapping[str, Any], shelf: Shelf, sent: Mapping[str, Any], mark: Mark, views: str | None) -> bool:
    """Whether ``entry`` was ordered in the words of ``sent``, not before the request."""
    at = _moment(entry.get("created_at"))
    if at is None or not mark.at - MARGIN_S <= at <= mark.at + LATEST_S:
        return False
    if views is not None and entry.get("directions") != int(views):
        return False
    return all((entry.get(field) or None) == (sent.get(name) or None) for field, name in shelf.echoes.items())


def ticket_of(entry: Mapping[str, Any], folder: str, model: str, mark: Mark) -> Ticket | None:
    """A ticket that collects a listed thing from the address where the vendor keeps it; its job's id is lost."""
    thing = identity(entry.get("id"))
    if thing is None:
        return None
    return Ticket(thing, {"model": model, "ordered": str(int(mark.at)), "at": f"{folder}/{thing}"})


def _moment(value: object) -> float | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
