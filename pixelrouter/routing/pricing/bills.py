"""What a vendor's bill means for the books, and what of it a caller should be told."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from pixelrouter.types import MICROS, Attempt, Cost, Money

MOST = 1_000_000  # dollars, generations, units: a bill above is a broken answer


def bill(attempt: Attempt, told: Cost | None, units: Decimal | None) -> Cost | None:
    """What the vendor says it charged: in money, or in its own units at the price noted when the attempt was made.

    None where it does not say, or says what cannot be: what is held is booked then. A fraction of a micro-unit counts
    as a whole one, as spent must not be below charged.
    """
    if told is None and units is not None and attempt.unit_price is not None and units.is_finite() and units <= MOST:
        micros = int((attempt.unit_price.micros * units).to_integral_value(ROUND_CEILING))
        # The vendor's units at the vendor's price are its bill; at a list price they are not.
        source = attempt.quoted.source if attempt.quoted else "listed"
        told = Cost(Money(micros, attempt.unit_price.unit), "reported" if source == "quoted" else source)
    return told if told is not None and 0 <= told.money.micros <= MOST * MICROS else None


def booked(attempt: Attempt, told: Cost | None) -> Cost:
    """The bill, a zero too, or what is held where there is none."""
    return Cost(attempt.held, attempt.cost_source) if told is None else told


def warnings(attempt: Attempt, cost: Cost) -> tuple[str, ...]:
    """What is wrong with a bill that no cap could have stopped: another currency, or a price that nobody knows."""
    if cost.money and cost.money.unit != attempt.held.unit:
        return (
            f"{attempt.backend} billed {cost.money}, and not {attempt.held.unit} as expected: caps on"
            f" {attempt.held.unit} cannot hold that. Is the plan used up?",
        )
    if cost.source == "unknown":
        return (
            f"Nobody knows the price of {attempt.model} at {attempt.backend}: {cost.money} is booked in its place."
            " Look at the vendor's bill.",
        )
    return ()
