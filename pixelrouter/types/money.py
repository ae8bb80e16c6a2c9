"""Exact money, and who says so: amounts, costs and quotes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal

Unit = Literal["usd", "generations"]
CostSource = Literal["reported", "quoted", "listed", "unknown"]
MICROS = 1_000_000


@dataclass(frozen=True, order=False)
class Money:
    """An exact amount: ``micros`` millionths of ``unit``. Amounts of different units never mix."""

    micros: int
    unit: Unit = "usd"

    @classmethod
    def of(cls, amount: int | float | str | Decimal, unit: Unit = "usd") -> Money:
        """Money from a number as a vendor or a person writes it. Raises ValueError for NaN, infinity or a negative."""
        try:
            # str() first: Decimal(0.1) would carry the float's binary tail into the ledger.
            value = Decimal(str(amount))
        except InvalidOperation:
            raise ValueError(f"{amount!r} is not an amount of money") from None
        if isinstance(amount, bool) or not value.is_finite() or value < 0:
            raise ValueError(f"{amount!r} is not an amount of money")
        return cls(int((value * MICROS).to_integral_value(ROUND_HALF_UP)), unit)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, exactly."""
        return Decimal(self.micros) / MICROS

    def _same(self, other: Money) -> int:
        if self.unit != other.unit:
            raise TypeError(f"cannot combine {self.unit} with {other.unit}: they have no exchange rate")
        return other.micros

    def __add__(self, other: Money) -> Money:
        return Money(self.micros + self._same(other), self.unit)

    def __sub__(self, other: Money) -> Money:
        return Money(self.micros - self._same(other), self.unit)

    def __lt__(self, other: Money) -> bool:
        return self.micros < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.micros <= self._same(other)

    def __bool__(self) -> bool:
        return self.micros != 0

    def __float__(self) -> float:
        return float(self.amount)

    def __str__(self) -> str:
        if self.unit == "usd":
            sign, micros = ("-", -self.micros) if self.micros < 0 else ("", self.micros)
            text = f"{Decimal(micros) / MICROS:.6f}".rstrip("0")
            whole, _, fraction = text.partition(".")
            return f"{sign}${whole}.{fraction.ljust(2, '0')}"
        return f"{self.amount.normalize():f} {self.unit}"


@dataclass(frozen=True)
class Cost:
    """What something cost, and who says so: the vendor's bill, its quote, our price list, or nobody."""

    money: Money
    source: CostSource

    @property
    def usd(self) -> float:
        """Dollars as a float, for printing and comparing. Raises TypeError for another currency."""
        if self.money.unit != "usd":
            raise TypeError(f"this cost is in {self.money.unit}, not in dollars")
        return float(self.money.amount)

    def __float__(self) -> float:
        return float(self.money)

    def __bool__(self) -> bool:
        return bool(self.money)

    def __str__(self) -> str:
        return f"{self.money} ({self.source})"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: the exact amount as a string, the unit, the source."""
        return {"amount": str(self.money.amount), "unit": self.money.unit, "source": self.source}


FREE = Cost(Money(0), "reported")


@dataclass(frozen=True)
class Quote:
    """What a request would cost. ``binding`` is True where the vendor itself named the price.

    ``unit_price`` is the price of one billable unit, where the vendor bills units and not money. ``steps`` are the
    quotes of the purchases that it takes, where it takes more than one; ``cost`` is their sum.
    """

    cost: Cost
    backend: str
    model: str | None = None
    binding: bool = False
    reused: bool = False  # True: already paid for, the same call costs nothing
    notes: tuple[str, ...] = ()
    unit_price: Money | None = None
    steps: tuple[Quote, ...] = ()

    @property
    def money(self) -> Money:
        return self.cost.money

    @property
    def usd(self) -> float:
        return self.cost.usd

    def as_dict(self) -> dict[str, Any]:
        return {
            "backend": self.backend,
            "model": self.model,
            "cost": self.cost.as_dict(),
            "binding": self.binding,
            "reused": self.reused,
            "notes": list(self.notes),
            **({"steps": [step.as_dict() for step in self.steps]} if self.steps else {}),
        }
