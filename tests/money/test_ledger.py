"""The ledger: every way to break a state, a cap or a shared purchase."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelrouter.errors import JobFailed, LedgerError, OverBudget
from pixelrouter.money.budget import Cap, Purse
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.money.owner import Owner
from pixelrouter.types import Cost, Money, Ticket

PURSE = Purse(run="run", project="game", day="2026-11-21")
TICKET = Ticket("job-1", {"request_id": "r-1"})


def draft(number: int = 0, micros: int = 25_000, key: str | None = None, *, fresh: bool = False) -> Draft:
    return Draft(
        id=f"id-{number:06}",
        key=key or f"key-{number}",
        backend="retrodiffusion",
        model="m",
        hold=Cost(Money(micros), "quoted"),
        seed=7,
        prompt="a potion",
        fresh=fresh,
    )


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A new ledger, in a file and on a server."""
    return tmp_path / "ledger.db" if request.param == "file" else str(request.getfixturevalue("team_ledger"))


#: For tests that start processes: on a server they run in the gate.
file_first = pytest.mark.parametrize("place", ["file", pytest.param("server", marks=pytest.mark.slow)], indirect=True)


@pytest.fixture
def ledger(place: Path | str) -> Iterator[Ledger]:
    book = Ledger(place, owner="me")
    yield book
    book.close()


def spend(ledger: Ledger, number: int, charged: int, held: int = 25_000) -> None:
    ledger.reserve(draft(number, held), PURSE)
    ledger.sending(f"id-{number:06}")
    ledger.accepted(f"id-{number:06}", TICKET)
    ledger.settle(f"id-{number:06}", Cost(Money(charged), "reported"), raws=["ab"])


def test_the_whole_life_of_an_attempt(ledger: Ledger) -> None:
    reservation = ledger.reserve(draft(), PURSE)
    assert reservation.new
    assert reservation.attempt.state == "reserved"
    ledger.sending("id-000000")
    ledger.accepted("id-000000", TICKET)
    ledger.settle("id-000000", Cost(Money(24_000), "reported"), raws=["ab", "cd"])
    row = ledger.get("id-000000")
    assert row is not None
    assert (row.state, row.charged, row.cost_source, row.raws) == ("settled", Money(24_000), "reported", ("ab", "cd"))
    assert row.ticket == TICKET
    assert row.vendor_request == "r-1"
    assert ledger.used(PURSE, "project") == Money(24_000)


STEPS: dict[str, Callable[[Ledger], None]] = {
    "sending": lambda book: book.sending("id-000000"),
    "accepted": lambda book: book.accepted("id-000000", TICKET),
    "settled": lambda book: book.settle("id-000000", Cost(Money(1), "reported")),
    "released": lambda book: book.release("id-000000"),
    "unknown": lambda book: book.unknown("id-000000"),
}
ALLOWED = {
    "reserved": {"sending", "settled", "released"},
    "sending": {"accepted", "settled", "released", "unknown"},
    "accepted": {"accepted", "settled", "released", "unknown"},  # the same ticket again: it may not know it was written
    "unknown": {"accepted", "settled", "released"},
    "settled": set(),
    "released": set(),
}


@file_first
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=6))
def test_no_order_of_steps_reaches_a_state_it_should_not(ledger: Ledger, steps: list[str]) -> None:
    with ledger.database.transaction() as db:
        db.execute("DELETE FROM attempt")
    ledger.reserve(draft(), PURSE)
    state = "reserved"
    for step in steps:
        if step in ALLOWED[state]:
            STEPS[step](ledger)
            state = step
        else:
            with pytest.raises(LedgerError, match="cannot become"):
                STEPS[step](ledger)
        row = ledger.get("id-000000")
        assert row is not None
        assert row.state == state
        held = Money(25_000) if state not in ("settled", "released") else Money(1 if state == "settled" else 0)
        assert ledger.used(PURSE, "day") == held


def test_the_same_request_shares_one_live_attempt(ledger: Ledger) -> None:
    first = ledger.reserve(draft(1, key="same"), PURSE)
    second = ledger.reserve(draft(2, key="same"), PURSE)
    assert first.new
    assert not second.new
    assert second.attempt.id == first.attempt.id


def test_a_fresh_purchase_has_a_slot_of_its_own(ledger: Ledger) -> None:
    spend(ledger, 1, 25_000)
    again = ledger.reserve(draft(2, key="key-1"), PURSE)
    assert not again.new
    fresh = ledger.reserve(draft(3, key="key-1", fresh=True), PURSE)
    assert fresh.new
    assert fresh.attempt.state == "reserved"


def test_a_released_attempt_does_not_stand_in_the_way(ledger: Ledger) -> None:
    ledger.reserve(draft(1, key="same"), PURSE)
    ledger.release("id-000001", JobFailed("the vendor failed"))
    assert ledger.standing("same") is None
    assert ledger.reserve(draft(2, key="same"), PURSE).new
    row = ledger.get("id-000001")
    assert row is not None
    assert row.error == "JobFailed: the vendor failed"


def test_what_was_paid_and_is_here_comes_before_what_is_under_way(ledger: Ledger) -> None:
    spend(ledger, 1, 25_000)
    ledger.reserve(draft(2, key="key-1", fresh=True), PURSE)
    standing = ledger.standing("key-1")
    assert standing is not None
    assert standing.id == "id-000001"


@pytest.mark.parametrize("scope", ["run", "day", "project"])
def test_a_cap_counts_spent_and_held_within_its_scope_only(ledger: Ledger, scope: str) -> None:
    cap = Cap(scope, Money(60_000))  # type: ignore[arg-type]  # parametrized as text
    spend(ledger, 1, 30_000)
    ledger.reserve(draft(2), PURSE, [cap])  # 30 spent + 25 held = 55
    with pytest.raises(OverBudget) as caught:
        ledger.reserve(draft(3), PURSE, [cap])
    assert caught.value.scope == scope
    assert caught.value.left == Money(5_000)
    assert ledger.get("id-000003") is None
    elsewhere = Purse(run="other", project="other", day="2026-11-22")
    assert ledger.reserve(draft(4), elsewhere, [cap]).new


def test_an_unknown_outcome_keeps_counting(ledger: Ledger) -> None:
    ledger.reserve(draft(1, 50_000), PURSE)
    ledger.sending("id-000001")
    ledger.unknown("id-000001")
    with pytest.raises(OverBudget):
        ledger.reserve(draft(2, 50_000), PURSE, [Cap("day", Money(99_999))])


def test_units_are_never_added_up(ledger: Ledger) -> None:
    spend(ledger, 1, 30_000)
    own_unit = Cap("project", Money(1, "generations"))
    assert ledger.reserve(draft(2), PURSE, [own_unit]).new


def test_threads_cannot_cross_a_cap(ledger: Ledger) -> None:
    cap = Cap("project", Money(10 * 25_000))
    won: list[int] = []

    def buy(start: int) -> None:
        for number in range(start, start + 10):
            try:
                ledger.reserve(draft(number), PURSE, [cap])
            except OverBudget:
                continue
            won.append(number)

    threads = [threading.Thread(target=buy, args=(n * 10,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 10
    assert ledger.used(PURSE, "project") == Money(250_000)


def _buy_in_a_process(place: Path | str, start: int) -> None:
    book = Ledger(place, owner=f"process-{start}")
    for number in range(start, start + 12):
        try:
            book.reserve(draft(number), PURSE, [Cap("project", Money(15 * 25_000))])
        except OverBudget:
            continue
    book.close()


@file_first
def test_processes_cannot_cross_a_cap(place: Path | str) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_buy_in_a_process, args=(place, n * 100)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    book = Ledger(place, owner="judge")
    assert book.used(PURSE, "project") == Money(15 * 25_000)
    assert book.check() == "ok"
    book.close()


def _open_at_once(place: Path | str, barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]  # a multiprocessing Barrier has no public type to name here
    for _ in range(3):
        Ledger(place, owner="x").close()


@file_first
@pytest.mark.parametrize("round_", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_a_new_ledger_may_be_opened_by_many_at_once(place: Path | str, round_: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(6)
    workers = [spawn.Process(target=_open_at_once, args=(place, barrier)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6


def test_every_commit_is_flushed_to_the_disk(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", owner="me")
    db = ledger.database.connection()
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    ledger.close()


def test_a_corrupt_ledger_is_a_clear_error_and_stays_untouched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database, but somebody's proof of purchase" * 100)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger(path, owner="me")
    assert path.read_bytes() == before


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LedgerError, match="newer pixelrouter"):
        Ledger(path, owner="me")


def test_an_owner_lives_until_it_is_closed(tmp_path: Path) -> None:
    first, second = Owner(tmp_path / "owners"), Owner(tmp_path / "owners")
    assert second.alive(first.id)
    assert first.alive(first.id)
    first.close()
    assert not second.alive(first.id)
    assert not second.alive("")
    second.close()


def _die_holding(folder: Path, pipe: object) -> None:
    owner = Owner(folder)
    pipe.send(owner.id)  # type: ignore[attr-defined]  # a Connection has no public type to name here
    threading.Event().wait()


def test_a_killed_owner_is_dead(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    worker = spawn.Process(target=_die_holding, args=(tmp_path / "owners", theirs))
    worker.start()
    other = ours.recv()
    judge = Owner(tmp_path / "owners")
    assert judge.alive(other)
    worker.kill()
    worker.join()
    assert not judge.alive(other)
    judge.close()
    ours.close()
    theirs.close()
