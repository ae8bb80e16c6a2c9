"""Readings of a balance, and what the ledger can explain of their difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from pixelrouter.money.balances import KEPT_S, Balances, account_of
from pixelrouter.money.budget import Purse
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.types import Attempt, Billing, Cost, HttpRequest, Money, Ticket

BILLING = Billing(told_s=10, lost_s=100)
PURSE = Purse("run", "", "2026-11-21")


class Books:
    """A ledger and its readings, with a clock that a test sets."""

    def __init__(self, path: Path) -> None:
        self.now = 1000.0
        self.ledger = Ledger(path / "ledger.db", owner="me", clock=lambda: self.now)
        self.balances = Balances(self.ledger.database, lambda: self.now)

    def read(self, micros: int, at: float) -> None:
        self.now = at
        self.balances.note("v", "acc", Money(micros))

    def send(self, name: str, at: float, account: str = "acc", held: int = 100) -> Attempt:
        self.now = at
        draft = Draft(name, name, "v", None, Cost(Money(held), "quoted"), 1, "", account=account)
        self.ledger.reserve(draft, PURSE)
        self.ledger.sending(name)
        found = self.ledger.get(name)
        assert found is not None
        return found

    def settle(self, name: str, at: float, micros: int = 100, source: str = "reported") -> None:
        self.now = at
        self.ledger.accepted(name, Ticket(name))
        self.ledger.settle(name, Cost(Money(micros), source))  # type: ignore[arg-type]  # one of the sources

    def moved(self, attempt: Attempt, micros: int, at: float) -> tuple[int, tuple[int, ...], int]:
        """Unexplained, open, and how many attempts are unclear."""
        self.now = at
        now = self.balances.note("v", "acc", Money(micros))
        found = self.balances.movement(attempt, "acc", now, BILLING)
        assert found is not None
        return found.unexplained, found.open, len(found.unclear)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.ledger.close()


def test_without_a_reading_before_nothing_is_known(books: Books) -> None:
    lost = books.send("lost", 1000)
    books.now = 2000
    now = books.balances.note("v", "acc", Money(1))
    assert books.balances.movement(lost, "acc", now, BILLING) is None
    books.balances.note("v", "other", Money(5))
    assert books.balances.before("v", "acc", "generations", 9e9) == []


def test_a_bill_in_between_is_explained(books: Books) -> None:
    books.read(1000, 900)
    books.send("x", 910)
    books.settle("x", 920, 70)
    lost = books.send("lost", 1000)
    assert books.moved(lost, 830, 2000) == (100, (), 0)


@pytest.mark.parametrize(
    ("sent", "told", "source"),
    [
        (850, 880, "reported"),  # told before the reading: outside
        (850, 895, "reported"),  # its charge may show on either side of the reading
        (910, 1995, "reported"),  # its charge may not show yet
        (910, 920, "listed"),  # what it cost was never told
    ],
)
def test_what_may_lie_on_either_side_makes_it_unclear(books: Books, sent: float, told: float, source: str) -> None:
    if sent < 900:
        books.send("x", sent)
        books.settle("x", told, 70, source)
    books.read(1000, 900)
    if sent >= 900:
        books.send("x", sent)
    lost = books.send("lost", 1000)
    if sent >= 900:
        books.settle("x", told, 70, source)
    assert books.moved(lost, 900, 2000)[2] == (0 if told == 880 else 1)


def test_a_refusal_never_counts_and_a_refund_only_where_it_is_clear(books: Books) -> None:
    books.read(1000, 900)
    books.send("refused", 950)
    books.ledger.release("refused")
    books.send("refunded", 960)
    books.ledger.accepted("refunded", Ticket("r"))
    books.ledger.release("refunded")
    lost = books.send("lost", 1000)
    assert books.moved(lost, 1000, 2000) == (0, (), 0)
    assert books.moved(lost, 1000, 965)[2] == 1


def test_other_lost_ones_are_open_until_they_are_too_old(books: Books) -> None:
    books.read(1000, 100)
    books.send("old", 150)
    books.ledger.unknown("old")
    books.read(1000, 900)
    books.send("new", 950, held=30)
    books.ledger.unknown("new")
    lost = books.send("lost", 1000)
    assert books.moved(lost, 900, 2000) == (100, (30,), 0)


def test_a_purchase_under_way_is_unclear_and_another_accounts_is_not(books: Books) -> None:
    books.read(1000, 900)
    books.send("theirs", 950, account="other")
    lost = books.send("lost", 1000)
    assert books.moved(lost, 900, 2000) == (100, (), 0)
    books.send("ours", 2500)
    assert books.moved(lost, 900, 3000)[2] == 0  # an earlier reading tells, at which it was not there
    fresh = books.send("fresh", 3100)
    assert books.moved(fresh, 900, 3200)[2] == 2  # ours, and the lost one, which is not entered as unknown yet


def test_what_was_clear_stays_clear(books: Books) -> None:
    """A loss of a later day does not blur the reading of an earlier one."""
    books.read(1000, 900)
    lost = books.send("lost", 1000)
    books.ledger.unknown("lost")
    assert books.moved(lost, 1000, 1200) == (0, (), 0)
    books.send("later", 1300)
    books.ledger.unknown("later")
    assert books.moved(lost, 900, 5000) == (0, (), 0)


def test_readings_go_after_a_month(books: Books) -> None:
    books.read(1, 1000)
    books.read(2, 1000 + KEPT_S + 1)
    assert [one.money.micros for one in books.balances.before("v", "acc", "usd", 9e9)] == [2]


def test_the_fingerprint_tells_accounts_apart_and_nothing_of_the_key() -> None:
    def made(key: str | None) -> str:
        return account_of(HttpRequest("GET", "https://x.example", {}, {"A": SecretStr(key)} if key else {}))

    assert made("rdpk-one") == made("rdpk-one") != made("rdpk-two")
    assert "rdpk" not in made("rdpk-one")
    assert made(None) == ""
