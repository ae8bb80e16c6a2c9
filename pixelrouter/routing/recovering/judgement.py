"""What was seen of a lost request, and what it proves: pure, one rule after the other, never a guess.

Two kinds of sight: the vendor's list, and by how much the account fell. What they show has to agree. ``likely`` is
where somebody else on the same account could have made the same picture; it never frees money by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pixelrouter.backends.protocol import Absence
from pixelrouter.money.balances import Movement
from pixelrouter.types import Attempt, Billing, Evidence, Money, Ticket
from pixelrouter.types.evidence import Means


@dataclass(frozen=True)
class Listed:
    """What the vendor's list shows that no other attempt owns; ``problem``: why it could not be read."""

    tickets: tuple[Ticket, ...] = ()
    sure: Literal["certain", "likely"] = "certain"
    perhaps: tuple[Ticket, ...] = ()
    absence: Absence | None = None
    problem: str = ""


@dataclass(frozen=True)
class Look:
    """One look at the vendor. None: it has no list of such jobs, or its balance proves nothing."""

    listed: Listed | None = None
    moved: Movement | None = None
    balance_problem: str = ""


@dataclass(frozen=True)
class Case:
    """The attempt in question. ``age_s``: seconds since its bytes last left.

    ``same_account`` False: the key is another one than it was sent with, so lists and balance tell of another account.
    """

    attempt: Attempt
    billing: Billing | None
    age_s: float
    same_account: bool = True


@dataclass(frozen=True)
class Finding:
    """What was found: the evidence, and the vendor's jobs to collect. ``ask_first``: a person has to say yes."""

    evidence: Evidence
    tickets: tuple[Ticket, ...] = ()
    ask_first: bool = False

    def after(self, words: Sequence[str]) -> Finding:
        """The same, after what was tried before."""
        return replace(self, evidence=replace(self.evidence, words=(*words, *self.evidence.words)))


@dataclass(frozen=True)
class _Sight:
    """One kind of evidence, weighed: what it says (None: nothing), and since when it would say something."""

    says: Literal["charged", "not charged", "unclear"] | None
    words: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    sure: Literal["certain", "likely"] = "likely"
    wait_s: float = 0.0


def judge(case: Case, looks: Sequence[Look]) -> Finding:
    """What the looks prove together."""
    if not looks:
        return _unknown(case, (), {}, 0.0)
    for look in looks:
        if look.listed and look.listed.tickets:
            return _found(case, look.listed)
    if not case.same_account:
        other = "The key is another one than this attempt was sent with: its account cannot be asked."
        return _unknown(case, (other,), {}, 0.0, "Set the key of that time, then reconcile again.")
    short = case.attempt.id[:12]
    listed, balance = _of_list(case, looks), _of_balance(case, looks)
    words = tuple(sight.words for sight in (listed, balance) if sight and sight.words)
    numbers = {**(listed.numbers if listed else {}), **(balance.numbers if balance else {})}
    says = {sight.says for sight in (listed, balance) if sight and sight.says}
    wait = max([sight.wait_s for sight in (listed, balance) if sight], default=0.0)
    perhaps = looks[-1].listed.perhaps if looks[-1].listed else ()
    if balance and balance.says == "charged" and len(perhaps) == 1 and listed and listed.says == "unclear":
        evidence = Evidence(
            "found", "likely", "list", words, numbers, _TAKE.format(job=perhaps[0].id, attempt=case.attempt.id[:12])
        )
        return Finding(evidence, perhaps, ask_first=True)
    if says == {"not charged"} and wait <= 0:
        certain = listed is not None and listed.sure == "certain"
        means: Means = "list" if listed and listed.says else "balance"
        then = "" if certain else _FREE.format(attempt=short)
        return Finding(Evidence("not charged", "certain" if certain else "likely", means, words, numbers, then))
    if says == {"charged"}:
        return Finding(Evidence("charged", "likely", "balance", words, numbers, _BOOKED))
    if {"charged", "not charged"} <= says:
        words = (*words, "The list and the balance contradict each other.")
    return _unknown(case, words, numbers, wait)


_TAKE = (
    "Look at job {job} at the vendor. If it is this one: `pixelrouter reconcile {attempt} --accept likely` collects it."
)
_FREE = "The money stays held. `pixelrouter reconcile {attempt} --accept likely` frees it."
_BOOKED = "It is booked as spent. To buy the image anew: fresh=True (--fresh)."


def _found(case: Case, listed: Listed) -> Finding:
    jobs = {"jobs": [ticket.id for ticket in listed.tickets]}
    if listed.sure == "certain":
        words = f"The vendor's list holds the job {listed.tickets[0].id}, which is exactly what was sent."
        return Finding(Evidence("found", "certain", "list", (words,), jobs), listed.tickets)
    if len(listed.tickets) > 1:
        several = f"The vendor's list holds {len(listed.tickets)} jobs in the same words, and cannot tell them apart."
        return _unknown(case, (several,), jobs, 0.0)
    one = f"The vendor's list holds one job ordered since in the same words, {listed.tickets[0].id}."
    return Finding(Evidence("found", "likely", "list", (one,), jobs), listed.tickets)


def _of_list(case: Case, looks: Sequence[Look]) -> _Sight | None:
    last = looks[-1].listed
    if last is None:
        return None
    if last.problem:
        return _Sight("unclear", f"The vendor's list could not be read: {last.problem}")
    if last.perhaps:
        jobs = [ticket.id for ticket in last.perhaps]
        some = f"{jobs[0]} may be it" if len(jobs) == 1 else f"{len(jobs)} jobs may be it ({', '.join(jobs[:5])})"
        words = f"The vendor's list shows too little to recognise a job by: {some}."
        return _Sight("unclear", words, {"jobs": jobs})
    if last.absence is None:
        return _Sight("unclear", "The vendor's list could not be read back to before the request.")
    wait = last.absence.after_s - case.age_s
    if wait > 0:
        words = (
            f"The vendor's list does not hold it, which counts only {_span(last.absence.after_s)} after the request."
        )
        return _Sight("unclear", words, {"listed": 0}, wait_s=wait)
    absent = [look.listed for look in looks if look.listed]
    if len(absent) < 2 or any(one.tickets or one.perhaps or one.problem or not one.absence for one in absent):
        return _Sight("unclear", "The vendor's list was not seen twice without it.", {"listed": 0})
    words = "The vendor's list reaches back to before the request and does not hold it, looked at twice."
    return _Sight("not charged", words, {"listed": 0}, last.absence.sure)


def _of_balance(case: Case, looks: Sequence[Look]) -> _Sight | None:
    moves = [look.moved for look in looks if look.moved]
    billing, held = case.billing, case.attempt.held
    if billing is None:
        return None
    if looks[-1].balance_problem:
        return _Sight(None, f"The balance could not be read: {looks[-1].balance_problem}")
    if not moves:
        return _Sight(None, "The balance is not known from before the request, so its difference says nothing.")
    last = moves[-1]
    numbers, told = _numbers(last), _told(last)
    if last.unclear:
        named = ", ".join(one[:12] for one in last.unclear[:5])
        words = f"{told} Other purchases of the same time ({named}) may be part of that."
        return _Sight("unclear", words, numbers)
    if last.start.money < held:
        return _Sight("unclear", f"{told} There was too little on the account to pay it from.", numbers)
    others = "another open request" if len(last.open) == 1 else f"{len(last.open)} other open requests"
    rest = f" and {others}" if last.open else ""
    if held and last.unexplained == held.micros + sum(last.open):
        return _Sight("charged", f"{told} That is exactly what is held for this request{rest}.", numbers)
    if held and _within_the_list(case.attempt, last):
        words = f"{told} That is what this request{rest} may cost: the list price, {held}, is an upper bound."
        return _Sight("charged", words, numbers)
    if last.unexplained != 0:
        words = f"{told} That is neither nothing nor the {held} held for this request{rest}."
        return _Sight("unclear", words, numbers)
    wait = billing.lost_s - case.age_s
    if wait > 0:
        words = f"{told} That counts only {_span(billing.lost_s)} after the request, as charges may show late."
        return _Sight("unclear", words, numbers, wait_s=wait)
    if len(moves) < 2 or any(move.unexplained or move.unclear for move in moves):
        return _Sight("unclear", f"{told} It was not seen twice.", numbers)
    return _Sight("not charged", f"{told} Nothing was charged for this request, by two readings.", numbers)


def _within_the_list(attempt: Attempt, move: Movement) -> bool:
    """Whether the fall is what a listed price allows, which is an upper bound, for all the open requests together.

    More than all but the cheapest can have cost, so none is left out; and at least half of the whole.
    """
    listed = attempt.quoted is not None and attempt.quoted.source == "listed"
    holds = (attempt.held.micros, *move.open)
    whole, fall = sum(holds), move.unexplained
    return listed and whole - min(holds) < fall <= whole and 2 * fall >= whole


def _told(move: Movement) -> str:
    unit = move.start.money.unit
    fell = Money(abs(move.fell), unit)
    how = f"fell by {fell}" if move.fell > 0 else f"rose by {fell}" if move.fell else "did not change"
    known = f", of which {Money(move.booked, unit)} are other purchases" if move.booked else ""
    return f"The balance {how} since before the request{known}."


def _numbers(move: Movement) -> dict[str, Any]:
    unit = move.start.money.unit
    return {
        "unit": unit,
        "before": str(move.start.money.amount),
        "before_at": move.start.at,
        "after": str(move.end.money.amount),
        "after_at": move.end.at,
        "fell": str(Money(move.fell, unit).amount),
        "others": str(Money(move.booked, unit).amount),
        "others_open": [str(Money(micros, unit).amount) for micros in move.open],
        "unclear": list(move.unclear),
    }


def _unknown(case: Case, words: tuple[str, ...], numbers: Mapping[str, Any], wait_s: float, then: str = "") -> Finding:
    by_hand = f"Compare the vendor's bill, then `pixelrouter resume {case.attempt.id[:12]} --charged` or --not-charged."
    then = then or (f"Reconcile again in {_span(wait_s)}." if wait_s > 0 else by_hand)
    return Finding(Evidence("unknown", "", "", words, {**numbers, "wait_s": round(max(0.0, wait_s))}, then))


def _span(seconds: float) -> str:
    """A time in words, rounded up."""
    minutes = -(-seconds // 60)
    return f"{max(1, -(-seconds // 1)):.0f} seconds" if seconds <= 120 else f"{minutes:.0f} minutes"
