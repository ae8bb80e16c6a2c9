"""The price list: what a request should cost by the vendors' published prices (prices.toml, each with its source).

A list price is only as good as its date, so it is called "listed", never "quoted". Doubt raises it: a hold that is too
low could break a budget, one that is too high is given back.
"""

from __future__ import annotations

import tomllib
from decimal import ROUND_HALF_UP, Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pixelrouter.types import Cost, GenerationRequest, Money, Unit


def _exact(value: object) -> object:
    # A float in the table would bring its binary tail along; amounts are written as text.
    if isinstance(value, float):
        raise ValueError('write amounts of money as text, for instance "0.18"')
    return value


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]


class Price(BaseModel):
    """One entry of prices.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    models: tuple[str, ...] = Field(min_length=1)
    kind: Literal["area", "image", "request"]
    amount: Amount | None = None
    floor: Amount = Decimal(0)
    offset: int = Field(default=0, ge=0)
    divisor: int | None = Field(default=None, gt=0)
    decimals: int | None = Field(default=None, ge=0, le=6)
    unit: Unit = "usd"
    source: str = Field(min_length=1)
    date: str = Field(pattern=r"\d{4}-\d\d(-\d\d)?")

    @model_validator(mode="after")
    def _complete(self) -> Price:
        if (self.kind == "area") != (self.divisor is not None) or (self.kind == "area") == (self.amount is not None):
            raise ValueError(
                f"kind {self.kind!r} needs {'divisor' if self.kind == 'area' else 'amount'}, and only that"
            )
        return self

    def matches(self, backend: str, model: str) -> bool:
        """True if this entry prices ``model`` of ``backend``."""
        return backend == self.backend and any(fnmatchcase(model, pattern) for pattern in self.models)

    def of(self, request: GenerationRequest) -> Money:
        """The price of ``request``: its size, and n images."""
        if self.divisor is not None:
            each = max(self.floor, Decimal(request.width * request.height + self.offset) / self.divisor)
        else:
            each = self.amount or Decimal(0)
        n = 1 if self.kind == "request" else request.n
        # Whether a vendor rounds each image or the sum is rarely documented: the dearer of the two is held.
        return Money.of(max(self._rounded(each) * n, self._rounded(each * n)), self.unit)

    def _rounded(self, value: Decimal) -> Decimal:
        return value if self.decimals is None else value.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP)


class PriceList(BaseModel):
    """The whole table, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: tuple[Price, ...]


@cache
def table() -> tuple[Price, ...]:
    """Every entry of the bundled price list; the first that matches counts."""
    text = (files("pixelrouter.money") / "prices.toml").read_text(encoding="utf-8")
    return PriceList.model_validate(tomllib.loads(text)).price


def entry(backend: str, model: str | None) -> Price | None:
    """The entry that prices ``model``, with its source and date, or None. ``model`` None matches only ``*``."""
    return next((price for price in table() if price.matches(backend, model or "")), None)


def listed(backend: str, model: str | None, request: GenerationRequest) -> Cost | None:
    """The list price of ``request`` drawn by ``model`` of ``backend``, or None where no price was published."""
    price = entry(backend, model)
    return None if price is None else Cost(price.of(request), "listed")
