"""A simulated vendor with an account: what it charged, what is left, how many paid requests came."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.server import Simulator
from pixelrouter.types import Money


class Books(Protocol):
    """The account behind a simulator. It is asked under the simulator's lock."""

    charges: list[Charge]

    balance: Money  # what the account still holds; below zero where a job cost more than was left

    def settle_all(self) -> None:
        """Bill the jobs whose time has passed, whether or not anyone polled."""

    def charged_total(self) -> Money:
        """What was taken, less what was given back."""


class BookedSimulator(Simulator):
    """A simulator that says from its books what a test wants to know. It counts ``_paid_posts`` itself."""

    _paid_posts = 0

    @property
    @abstractmethod
    def books(self) -> Books:
        """The account as it is now."""

    @property
    def charges(self) -> list[Charge]:
        """Every charge, oldest first; a refunded one stays, and says so."""
        with self.lock:
            self.books.settle_all()
            return list(self.books.charges)

    @property
    def charged_total(self) -> Money:
        """What the vendor took, less what it gave back."""
        with self.lock:
            self.books.settle_all()
            return self.books.charged_total()

    @property
    def balance(self) -> Money:
        """What the account still holds."""
        with self.lock:
            self.books.settle_all()
            return self.books.balance

    def move_balance(self, by: Money) -> None:
        with self.lock:
            self.books.balance += by

    @property
    def paid_posts(self) -> int:
        """How many requests that cost money arrived, whatever became of them."""
        with self.lock:
            return self._paid_posts

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "vendor": self.vendor,
                "balance_micros": self.balance.micros,
                "charged_micros": self.charged_total.micros,
                "charges": [charge.as_dict() for charge in self.charges],
                "paid_posts": self._paid_posts,
                "requests": len(self._requests),
                "faults_waiting": len(self.faults),
            }
