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
from math import ceil
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
    kind: Literal["area", "image", "request", "steps", "megapixel", "frames"]
    amount: Amount | None = None
    steps: tuple[tuple[int, Amount], ...] = ()
    pixels: int = Field(default=1 << 20, gt=0)
    frames: int = Field(default=1, gt=0)
    floor: Amount = Decimal(0)
    offset: int = Field(default=0, ge=0)
    divisor: int | None = Field(default=None, gt=0)
    decimals: int | None = Field(default=None, ge=0, le=6)
    unit: Unit = "usd"
    source: str = Field(min_length=1)
    date: str = Field(pattern=r"\d{4}-\d\d(-\d\d)?")

    @model_validator(mode="after")
    def _complete(self) -> Price:
        wanted = {"area": {"divisor"}, "steps": {"steps"}, "frames": {"amount", "divisor"}}.get(self.kind, {"amount"})
        given = {name for name in ("amount", "divisor", "steps") if getattr(self, name) not in (None, ())}
        if wanted != given:
            raise ValueError(f"kind {self.kind!r} needs {' and '.join(sorted(wanted))}, and only that")
        if list(self.steps) != sorted(self.steps):
            raise ValueError("steps go from the smallest area to the largest")
        return self

    def matches(self, backend: str, model: str) -> bool:
        """True if this entry prices ``model`` of ``backend``."""
        return backend == self.backend and any(fnmatchcase(model, pattern) for pattern in self.models)

    def of(self, request: GenerationRequest) -> Money:
        """The price of ``request``: its size, n images, and what it brings along."""
        each = self._each(request, request.width * request.height)
        n = 1 if self.kind in ("request", "megapixel") else request.n
        # Whether a vendor rounds each image or the sum is rarely documented: the dearer of the two is held.
        return Money.of(max(self._rounded(each) * n, self._rounded(each * n)), self.unit)

    def _each(self, request: GenerationRequest, area: int) -> Decimal:
        amount = self.amount or Decimal(0)
        match self.kind:
            case "area":
                return max(self.floor, Decimal(area + self.offset) / Decimal(self.divisor or 1))
            case "steps":
                largest, dearest = self.steps[-1]
                beyond = dearest * max(Decimal(1), Decimal(area) / largest)  # nothing published: in proportion
                return next((price for most, price in self.steps if area <= most), beyond)
            case "megapixel":
                return amount * (Decimal(self.pixels * request.n) / (1 << 20) + len(request.images))
            case "frames":
                return amount * ceil(Decimal(area * (request.frames or self.frames)) / Decimal(self.divisor or 1))
            case _:
                return amount

    @property
    def formula(self) -> str:
        """How the price is worked out, in words; amounts in the entry's unit."""
        match self.kind:
            case "area":
                return f"max({self.floor}, (w*h + {self.offset}) / {self.divisor}) an image"
            case "steps":
                steps = ", ".join(f"{price} to {most}" for most, price in self.steps)
                return f"{steps} pixels (w*h) an image"
            case "megapixel":
                return f"{self.amount} a megapixel: {self.pixels / (1 << 20):g} an image, and 1 each image that goes in"
            case "frames":
                return f"{self.amount} * ceil(w*h*frames / {self.divisor}) an image"
            case "image":
                return f"{self.amount} an image"
            case _:
                return f"{self.amount} a request"

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


def entry(backend: str, model: str | None, unit: Unit | None = None) -> Price | None:
    """The entry that prices ``model`` (in ``unit``), with its source and date, or None. None matches only ``*``."""
    matching = (price for price in table() if price.matches(backend, model or ""))
    return next((price for price in matching if unit in (None, price.unit)), None)


def listed(backend: str, model: str | None, request: GenerationRequest, unit: Unit | None = None) -> Cost | None:
    """The list price of ``request`` drawn by ``model`` of ``backend``, or None where no price was published."""
    price = entry(backend, model, unit)
    return None if price is None else Cost(price.of(request), "listed")
