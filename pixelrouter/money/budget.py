"""Caps on spending, as values: what is limited, to how much, and how the ledger finds what counts towards it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pixelrouter.types import Money

Scope = Literal["call", "batch", "run", "day", "project"]
LIVE = ("reserved", "sending", "accepted", "unknown")
LIVE_SQL = "state IN ('reserved','sending','accepted','unknown')"


@dataclass(frozen=True)
class Cap:
    """At most ``limit`` may be spent or held within ``scope``. A call's cap looks at the one quote alone.

    ``kept_back`` (micro-units): what another step of the same call needs, or has spent already.
    """

    scope: Scope
    limit: Money
    kept_back: int = 0

    @property
    def label(self) -> str:
        """The scope in words."""
        words = {"call": "this call", "batch": "this batch", "run": "this run", "day": "today (UTC)"}
        return words.get(self.scope, "this project")

    @property
    def option(self) -> str:
        """The configuration key that sets this cap."""
        name = f"max_{self.limit.unit}"
        return name if self.scope in ("call", "batch") else f"{name}_per_{self.scope}"

    @property
    def other_step(self) -> str:
        """What is kept back, in words; empty where nothing is."""
        return f" beside the {Money(self.kept_back, self.limit.unit)} of its other step" if self.kept_back else ""

    def keeping(self, money: Money) -> Cap:
        """The same cap, with ``money`` kept back for another step; unchanged for another unit."""
        return replace(self, kept_back=self.kept_back + money.micros) if money.unit == self.limit.unit else self


@dataclass(frozen=True)
class Purse:
    """Who pays: the names by which an attempt counts towards the caps."""

    run: str
    project: str
    day: str  # UTC date, 2026-11-21
    batch: str = ""


def condition(scope: Scope, purse: Purse) -> tuple[str, dict[str, str]]:
    """The SQL condition, with parameters, for the attempts that count towards ``scope``."""
    if scope == "batch":
        return "batch = :batch", {"batch": purse.batch}
    if scope == "run":
        return "run = :run", {"run": purse.run}
    if scope == "day":
        return "day = :day AND project = :project", {"day": purse.day, "project": purse.project}
    return "project = :project", {"project": purse.project}
