"""A vendor's simulator with routers that buy at it: what a test of money needs, and how it checks the books."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixelrouter.routing.router import PixelRouter
from pixelrouter.testing.simulator import Simulator


class Shop:
    """One vendor's simulator, and routers that buy there with one state folder between them."""

    def __init__(self, name: str, simulator: Simulator, state: Path) -> None:
        self.name, self.simulator, self.state = name, simulator, state
        self.key = simulator.default_keys[0]
        self._open: list[PixelRouter] = []

    def options(self, **options: Any) -> dict[str, Any]:
        """The arguments of a router that buys here."""
        section = {**self.simulator.backend_settings(), "poll_s": 0.01, "timeout_s": 1.0, "price_usd": 0.5}
        own: dict[str, Any] = {"keys": {self.name: self.key}, "backends": {self.name: section}}
        return {"state": self.state, "backend": self.name, "timeout_s": 5, **own, **options}

    def router(self, **options: Any) -> PixelRouter:
        """A new router."""
        self._open.append(PixelRouter(**self.options(**options)))
        return self._open[-1]

    def close(self) -> None:
        """Close every router."""
        while self._open:
            self._open.pop().close()

    def check_money(self, router: PixelRouter) -> None:
        """Spent plus held is never below what the vendor took, in each unit."""
        booked: dict[str, int] = {}
        for attempt in router.attempts():
            booked[attempt.cost.money.unit] = booked.get(attempt.cost.money.unit, 0) + attempt.cost.money.micros
        taken: dict[str, int] = {}
        for charge in self.simulator.charges:
            if not charge.refunded:
                taken[charge.money.unit] = taken.get(charge.money.unit, 0) + charge.money.micros
        for unit, micros in taken.items():
            assert booked.get(unit, 0) >= micros, f"{unit}: booked {booked.get(unit, 0)}, charged {micros}"

    def check_secrets(self, *texts: str) -> None:
        """The key is in no text, and in no file of the state folder."""
        for text in texts:
            assert self.key not in text
        for file in self.state.rglob("*"):
            if file.is_file():
                assert self.key.encode() not in file.read_bytes(), file.name
