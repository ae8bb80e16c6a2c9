"""How the simulated account is set up: everything that a test chooses once, at the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pixelrouter.types import Money

Plan = Literal["usd", "subscription", "free"]
Usage = Literal["real", "null", "missing"]


@dataclass(frozen=True)
class Settings:
    """The knobs of `PixelLabSimulator`, which explains them."""

    balance: str = "10"
    generations: str = "0"
    account: Plan = "usd"
    job_seconds: float = 0.0
    polls: int = 0
    lag_polls: int = 0
    billing_lag: float = 0.0
    canvas_growth: int = 28
    usage: Usage = "real"
    data_uri: bool = False
    retry_after: int | None = None
    slots: int = 8
    per_minute: int | None = None
    surcharge: str = "0"

    def __post_init__(self) -> None:
        if self.account not in get_args(Plan):
            raise ValueError(f"account={self.account!r}: it is one of {', '.join(get_args(Plan))}")
        if self.usage not in get_args(Usage):
            raise ValueError(f"usage={self.usage!r}: it is one of {', '.join(get_args(Usage))}")
        if Money.of(self.generations, "generations") and self.account != "subscription":
            raise ValueError(f'generations={self.generations!r}: only account="subscription" has generations')
        Money.of(self.balance)
        Money.of(self.surcharge)
