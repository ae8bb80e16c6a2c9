"""What spans and metrics say of an event, as OpenTelemetry's attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pixelrouter.errors import redact
from pixelrouter.types import Attempt, Money
from pixelrouter.watch.event import prompt_hash

Value = str | bool | int | float | Sequence[str]


def of_details(details: Mapping[str, Any], prefix: str = "pixelrouter") -> dict[str, Value]:
    """An event's details, each under its name; what they do not say is left out."""
    found: dict[str, Value] = {}
    for name, value in details.items():
        key = f"{prefix}.{name}"
        if isinstance(value, Mapping):
            found |= _money(key, value) if {"amount", "unit"} <= set(value) else of_details(value, key)
        elif isinstance(value, list):
            if value:
                found[key] = [str(item) for item in value]
        elif value is not None and value != "":
            found[key] = value
    return found


def _money(key: str, value: Mapping[str, Any]) -> dict[str, Value]:
    told: dict[str, Value] = {f"{key}.{value['unit']}": float(value["amount"])}
    return {**told, f"{key}.source": str(value["source"])} if "source" in value else told


def of_model(attempt: Attempt) -> dict[str, Value]:
    """Who was asked, in the words of the conventions: the same on spans and on metrics."""
    told: dict[str, Value] = {"gen_ai.operation.name": "generate_content", "gen_ai.provider.name": attempt.backend}
    return {**told, "gen_ai.request.model": attempt.model} if attempt.model else told


def of_attempt(attempt: Attempt) -> dict[str, Value]:
    """An attempt as it stands now."""
    told: dict[str, Value | None] = {
        **of_model(attempt),
        "gen_ai.output.type": "image",
        "gen_ai.request.seed": attempt.seed,
        "gen_ai.response.id": attempt.vendor_request,
        "error.type": error_type(attempt),
        "pixelrouter.attempt": attempt.id,
        "pixelrouter.state": attempt.state,
        "pixelrouter.cost.source": attempt.cost_source,
        "pixelrouter.run": attempt.run,
        "pixelrouter.asset": attempt.asset,
        "pixelrouter.tags": list(attempt.tags),
        "pixelrouter.style_group": attempt.style_group,
        "pixelrouter.prompt_hash": prompt_hash(attempt.prompt),
        **_amount("quoted", attempt.quoted.money if attempt.quoted else None),
        **_amount("charged", attempt.charged),
        **_amount("held", None if attempt.state in ("settled", "released") else attempt.held),
    }
    return {name: value for name, value in told.items() if value is not None and value != "" and value != []}


def _amount(name: str, money: Money | None) -> dict[str, Value]:
    return {} if money is None else {f"pixelrouter.{name}.{money.unit}": float(money)}


def error_type(attempt: Attempt) -> str | None:
    """The class of the error that the attempt ended with."""
    return attempt.error.partition(":")[0] if attempt.error else None


def error_text(attempt: Attempt) -> str:
    """Its message."""
    return redact((attempt.error or "").partition(": ")[2])
