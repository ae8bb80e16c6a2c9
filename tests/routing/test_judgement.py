"""What looks at a vendor prove: the rules one by one, and that without strangers no verdict is ever wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrouter.backends.protocol import Absence
from pixelrouter.money.balances import Movement, Reading
from pixelrouter.routing.recovering.judgement import Case, Listed, Look, judge
from pixelrouter.types import Attempt, Billing, Cost, Money, Ticket

BILLING = Billing(told_s=60, lost_s=900)
LIKELY = Absence("likely", 60)
ABSENT = Listed(absence=LIKELY)


def attempt(held: int = 100, source: str = "listed", unit: str = "usd") -> Attempt:
    money = Money(held, unit)  # type: ignore[arg-type]  # one of the two
    return Attempt("a" * 32, "k", "pixellab", None, "unknown", money, quoted=Cost(money, source))  # type: ignore[arg-type]


def case(age_s: float = 1e6, billing: Billing | None = BILLING, **row: Any) -> Case:
    return Case(attempt(**row), billing, age_s)


def moved(fell: int, *, booked: int = 0, others: tuple[int, ...] = (), unclear: tuple[str, ...] = ()) -> Movement:
    start, end = Reading(Money(10_000), 1.0), Reading(Money(10_000 - fell), 2.0)
    return Movement(start, end, fell, booked, others, unclear)


def verdict(of: Case, *looks: Look) -> tuple[str, str, str]:
    found = judge(of, looks).evidence
    return found.outcome, found.sure, found.means


NOTHING = ("unknown", "", "")


@pytest.mark.parametrize(
    ("fell", "source", "expected"),
    [
        (100, "quoted", ("charged", "likely", "balance")),
        (99, "quoted", NOTHING),  # a quote is exact
        (99, "listed", ("charged", "likely", "balance")),  # a list price is an upper bound
        (50, "listed", ("charged", "likely", "balance")),
        (49, "listed", NOTHING),
        (101, "listed", NOTHING),
        (-100, "listed", NOTHING),
        (0, "listed", ("not charged", "likely", "balance")),
    ],
)
def test_the_fall_of_a_balance(fell: int, source: str, expected: tuple[str, str, str]) -> None:
    look = Look(moved=moved(fell))
    assert verdict(case(source=source), look, look) == expected


def test_what_others_are_known_to_cost_is_taken_off() -> None:
    look = Look(moved=moved(350, booked=250))
    assert verdict(case(), look, look)[0] == "charged"
    assert verdict(case(), Look(moved=moved(100, unclear=("b" * 32,))))[0] == "unknown"
    assert verdict(case(), *[Look(moved=moved(0, unclear=("b" * 32,)))] * 2)[0] == "unknown"


def test_nothing_is_concluded_from_nothing_too_early_or_once() -> None:
    look = Look(moved=moved(0))
    assert verdict(case(age_s=899), look, look) == NOTHING
    assert verdict(case(), look) == NOTHING
    assert verdict(case(), Look(moved=moved(100)), look) == NOTHING
    assert verdict(case(), Look(ABSENT)) == NOTHING
    assert verdict(case(age_s=59), Look(ABSENT), Look(ABSENT)) == NOTHING
    assert verdict(case()) == NOTHING


def test_a_list_proves_absence_only_where_it_says_so() -> None:
    assert verdict(case(billing=None), Look(ABSENT), Look(ABSENT)) == ("not charged", "likely", "list")
    certain = Look(Listed(absence=Absence("certain", 0)))
    assert verdict(case(billing=None), certain, certain) == ("not charged", "certain", "list")
    for spoilt in (Listed(), Listed(problem="broken"), Listed(perhaps=(Ticket("x"),), absence=LIKELY)):
        assert verdict(case(billing=None), Look(ABSENT), Look(spoilt)) == NOTHING
        assert verdict(case(billing=None), Look(spoilt), Look(ABSENT)) == NOTHING


def test_two_kinds_of_sight_have_to_agree() -> None:
    fell, same = moved(100), moved(0)
    assert verdict(case(), Look(ABSENT, fell), Look(ABSENT, fell)) == NOTHING
    assert verdict(case(), Look(ABSENT, same), Look(ABSENT, same)) == ("not charged", "likely", "list")
    perhaps = Listed(perhaps=(Ticket("x"),), absence=LIKELY)
    found = judge(case(), [Look(perhaps, fell)] * 2)
    assert (found.evidence.outcome, found.ask_first, found.tickets) == ("found", True, (Ticket("x"),))
    assert verdict(case(), *[Look(perhaps, same)] * 2) == NOTHING
    two = Listed(perhaps=(Ticket("x"), Ticket("y")), absence=LIKELY)
    assert verdict(case(), *[Look(two, fell)] * 2) == NOTHING


def test_another_account_says_nothing() -> None:
    of = replace(case(), same_account=False)
    assert verdict(of, *[Look(ABSENT, moved(0))] * 2) == NOTHING
    assert verdict(of, *[Look(None, moved(100))] * 2) == NOTHING
    assert verdict(of, Look(Listed((Ticket("x"),)))) == ("found", "certain", "list")  # what is found is found


def test_too_little_on_the_account_tells_nothing() -> None:
    """A plan that ran out pays in another currency."""
    poor = replace(moved(0), start=Reading(Money(99), 1.0))
    assert verdict(case(), *[Look(moved=poor)] * 2) == NOTHING


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1), st.booleans()), min_size=1, max_size=4),
    st.sampled_from(["listed", "quoted"]),
)
def test_without_strangers_a_balance_is_never_wrong(purchases: list[tuple[int, float, bool]], source: str) -> None:
    """Each is charged or not, exactly its quote or at most its list price: what is said of the first is true."""
    costs = [held if source == "quoted" else max(1, round(held * part)) for held, part, _ in purchases]
    fell = sum(cost for cost, (_, _, charged) in zip(costs, purchases, strict=True) if charged)
    look = Look(moved=moved(fell, others=tuple(held for held, _, _ in purchases[1:])))
    outcome = verdict(case(held=purchases[0][0], source=source), look, look)[0]
    truths = {charged for _, _, charged in purchases}
    if outcome == "charged" and source == "listed":
        assert truths == {True}
    if outcome == "not charged":
        assert truths == {False}
    if len(purchases) == 1 and source == "quoted":
        assert outcome == ("charged" if purchases[0][2] else "not charged")
