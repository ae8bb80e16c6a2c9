"""What a simulated vendor took: the judge of every promise about money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pixelrouter.types import Money


@dataclass(frozen=True)
class Charge:
    """Money that the vendor took for one request, and whether it gave it back."""

    money: Money
    body: Mapping[str, Any]
    idempotency_key: str | None
    request_id: str
    refunded: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "micros": self.money.micros,
            "body": dict(self.body),
            "idempotency_key": self.idempotency_key,
            "request_id": self.request_id,
            "refunded": self.refunded,
        }
