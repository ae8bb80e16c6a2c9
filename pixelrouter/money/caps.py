"""Does it fit under the caps? Asked inside the transaction that reserves, of everything spent and held."""

from __future__ import annotations

from typing import Any

from pixelrouter.errors import OverBudget
from pixelrouter.money.budget import LIVE_SQL, Cap, Purse, condition
from pixelrouter.money.database import Session
from pixelrouter.types import Money, Unit

_USED_SQL = f"COALESCE(SUM(CASE WHEN state = 'settled' THEN charged WHEN {LIVE_SQL} THEN held ELSE 0 END), 0)"


def used(db: Session, purse: Purse, scope: Any, unit: Unit) -> Money:
    """Spent plus held within a scope."""
    where, values = condition(scope, purse)
    sql = f"SELECT {_USED_SQL} AS used FROM attempt WHERE {where} AND unit = :unit"  # noqa: S608  (constants)
    return Money(int(db.execute(sql, {**values, "unit": unit}).fetchone()["used"]), unit)


def check(db: Session, cap: Cap, purse: Purse, hold: Money) -> None:
    """Raise OverBudget where ``hold`` does not fit under the cap any more."""
    if cap.limit.unit != hold.unit:
        _check_passed(db, cap, purse, hold)
        return
    spent = Money(0, hold.unit) if cap.scope == "call" else used(db, purse, cap.scope, hold.unit)
    left = Money(max(0, cap.limit.micros - spent.micros - cap.kept_back), hold.unit)  # a bill may have passed the cap
    if hold.micros > 0 and left < hold:
        raise OverBudget(
            f"{hold} does not fit under the cap of {cap.limit} for {cap.label}: {left} is left"
            f"{cap.other_step}. Nothing was sent and nothing was charged.",
            hint=f"Raise {cap.option}, ask for fewer or smaller images, or look at `pixelrouter costs`.",
            scope=cap.scope,
            quote=hold,
            left=left,
        )


def _check_passed(db: Session, cap: Cap, purse: Purse, hold: Money) -> None:
    """A plan that has run out goes on in dollars: once its bills have passed a dollar cap, nothing more is bought."""
    if hold.unit == "usd" or cap.scope == "call" or not hold:
        return
    spent = used(db, purse, cap.scope, cap.limit.unit)
    if spent.micros + cap.kept_back > cap.limit.micros:
        raise OverBudget(
            f"The cap of {cap.limit} for {cap.label} is passed: {spent} is spent or held, and an account that pays "
            f"with {hold.unit} may be billed in dollars. Nothing was sent and nothing was charged.",
            hint=f"Raise {cap.option}, or look at `pixelrouter costs` and at what is left of the plan.",
            scope=cap.scope,
            quote=hold,
            left=Money(0, cap.limit.unit),
        )
