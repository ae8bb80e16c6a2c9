"""A row of the ledger's table as an Attempt.

A ledger may have been written by another version, or by somebody's hand, so a row is read as a stranger's: what cannot
be is a LedgerError that names the attempt, and nothing is sent on the word of such a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter

from pixelrouter.errors import LedgerError
from pixelrouter.types import Attempt, Cost, CostSource, Money, State, Ticket, Unit

T = TypeVar("T")
_LATEST = 253_402_300_799.0  # the last second of the year 9999: what a calendar can still show
_STATE: TypeAdapter[State] = TypeAdapter(State)
_UNIT: TypeAdapter[Unit] = TypeAdapter(Unit)
_SOURCE: TypeAdapter[CostSource] = TypeAdapter(CostSource)
_TEXTS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])
_TIME = TypeAdapter(Annotated[float, Field(ge=0, le=_LATEST)])
_OBJECT = TypeAdapter(dict[str, Any])
_DELIVERY = TypeAdapter(dict[str, tuple[str, ...]])
_TICKET = TypeAdapter(Ticket)


def attempt_of(row: Any) -> Attempt:
    """The attempt that a row holds. Raises LedgerError for one that cannot be."""
    return _read(row["id"], lambda: _attempt(row))


def wish_of(attempt: str, text: str) -> dict[str, Any]:
    """The request that an attempt serves, from its column. Raises LedgerError if it is none."""
    wish = _read(attempt, lambda: _OBJECT.validate_json(text))
    if not {"prompt", "width", "height"} <= wish.keys():
        raise LedgerError(
            f"Attempt {attempt[:12]} does not say what was asked for, so its image cannot be finished.",
            hint="Make the same call again: it is collected, not bought.",
        )
    return wish


def _read(attempt: object, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LedgerError(
            f"Attempt {str(attempt)[:12]} is in the ledger in a form that cannot be read: {why}. Nothing was sent.",
            hint="Another program or version wrote it. `pixelrouter doctor` lists such rows, and"
            " `pixelrouter doctor --rescue FILE` copies what can be read into a new ledger.",
        ) from error


def _attempt(row: Any) -> Attempt:
    unit, quoted_unit = _UNIT.validate_python(row["unit"]), _UNIT.validate_python(row["quoted_unit"])
    delivery = _DELIVERY.validate_json(row["delivery"])
    return Attempt(
        id=row["id"],
        key=row["key"],
        backend=row["backend"],
        model=row["model"],
        state=_STATE.validate_python(row["state"]),
        held=Money(row["held"], unit),
        charged=None if row["charged"] is None else Money(row["charged"], unit),
        cost_source=_SOURCE.validate_python(row["cost_source"]),
        seed=row["seed"],
        ticket=_TICKET.validate_json(row["ticket"]) if row["ticket"] else None,
        error=f"{row['error_type']}: {row['error']}" if row["error_type"] else None,
        raws=_TEXTS.validate_json(row["raws"]),
        created_at=_TIME.validate_python(row["created_at"]),
        updated_at=_TIME.validate_python(row["updated_at"]),
        prompt=row["prompt"],
        run=row["run"],
        vendor_request=row["vendor_request"],
        quoted=Cost(Money(row["quoted"], quoted_unit), _SOURCE.validate_python(row["quoted_source"])),
        unit_price=None if row["unit_price"] is None else Money(row["unit_price"], quoted_unit),
        names=delivery.get("names", ()),
        notes=delivery.get("notes", ()),
        sent_at=None if row["sent_at"] is None else _TIME.validate_python(row["sent_at"]),
        asset=row["asset"],
        tags=_TEXTS.validate_json(row["tags"]),
        style_group=row["style_group"],
        evidence=_OBJECT.validate_json(row["evidence"]),
    )
