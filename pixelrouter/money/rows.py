"""A row of the ledger's table as an Attempt."""

from __future__ import annotations

import json
from typing import Any, cast

from pixelrouter.types import Attempt, Cost, CostSource, Money, State, Ticket, Unit


def attempt_of(row: Any) -> Attempt:
    """The attempt that a row holds."""
    unit = cast("Unit", row["unit"])
    delivery = json.loads(row["delivery"])
    return Attempt(
        id=row["id"],
        key=row["key"],
        backend=row["backend"],
        model=row["model"],
        state=cast("State", row["state"]),
        held=Money(row["held"], unit),
        charged=None if row["charged"] is None else Money(row["charged"], unit),
        cost_source=cast("CostSource", row["cost_source"]),
        seed=row["seed"],
        ticket=Ticket.loads(row["ticket"]) if row["ticket"] else None,
        error=f"{row['error_type']}: {row['error']}" if row["error_type"] else None,
        raws=tuple(json.loads(row["raws"])),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        prompt=row["prompt"],
        run=row["run"],
        vendor_request=row["vendor_request"],
        quoted=Cost(Money(row["quoted"], row["quoted_unit"]), cast("CostSource", row["quoted_source"])),
        unit_price=None if row["unit_price"] is None else Money(row["unit_price"], row["quoted_unit"]),
        names=tuple(delivery.get("names", ())),
        notes=tuple(delivery.get("notes", ())),
        sent_at=row["sent_at"],
        asset=row["asset"],
        tags=tuple(json.loads(row["tags"])),
        style_group=row["style_group"],
        evidence=json.loads(row["evidence"]),
    )
