"""Who is alive on a team's ledger, and what a machine may still do that was taken for dead."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("psycopg")

from pixelrouter.errors import LedgerError, TakenOver
from pixelrouter.money.lease import Lease
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.owner import Owner, Worker
from pixelrouter.money.postgres import Postgres
from pixelrouter.types import Cost, Money
from tests.money.test_ledger import PURSE, TICKET, draft

ROOT = Path(__file__).resolve().parents[2]
ID = "id-000000"
BILL = Cost(Money(9), "reported")


class Machine:
    """One machine of a team: its connections, its lease, its view of the ledger."""

    def __init__(self, url: str, seconds: float = 20) -> None:
        self.database = Postgres(url)
        self.lease = Lease(self.database, seconds)
        self.book = Ledger(self.database, owner=self.lease)

    def sleep(self) -> None:
        """Suspended for longer than its lease: no heartbeat, and the server's clock goes on without it."""
        self.lease._over.set()
        with self.database.transaction() as db:
            db.execute("UPDATE worker SET until = 0 WHERE id = :id", {"id": self.lease.id})
        monotonic, wall = self.lease._renewed
        self.lease._renewed = (monotonic, wall - 3600)  # its own wall clock has gone on as well

    def take(self, attempt: str = ID) -> bool:
        """Take an attempt over from whoever is dead, as the engine does."""
        owner, _ = self.book.owner_and_body(attempt)
        row = self.book.get(attempt)
        assert row is not None
        return not self.lease.alive(owner) and self.book.take_over(attempt, owner, row.state)

    def close(self) -> None:
        self.lease.close()
        self.database.close()


@pytest.fixture
def machine(team_ledger: str) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(seconds: float = 20) -> Machine:
        made.append(Machine(team_ledger, seconds))
        return made[-1]

    yield make
    for one in made:
        one.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


Make = Callable[..., Machine]


# --- alive ---


def test_a_lease_lives_until_it_is_closed(machine: Make) -> None:
    one, two = machine(), machine()
    assert two.lease.alive(one.lease.id)
    assert one.lease.alive(one.lease.id)
    one.lease.close()
    assert not two.lease.alive(one.lease.id)
    assert not one.lease.alive(one.lease.id)
    assert not two.lease.alive("")


def test_a_lease_is_renewed_for_as_long_as_its_holder_lives(machine: Make) -> None:
    one, two = machine(0.3), machine()
    name = one.lease.id
    time.sleep(0.6)
    assert two.lease.alive(name)
    assert one.lease.id == name
    one.lease._over.set()
    until(lambda: not two.lease.alive(name))


@pytest.mark.slow
def test_a_lease_that_nobody_closed_lapses_with_its_holder(machine: Make, team_ledger: str) -> None:
    judge, forgotten = machine(), Machine(team_ledger, 0.4)
    name, database = forgotten.lease.id, forgotten.database
    del forgotten
    until(lambda: not judge.lease.alive(name))
    database.close()


HOLDER = """
import sys, time
from pixelrouter.money.lease import Lease
from pixelrouter.money.postgres import Postgres
print(Lease(Postgres(sys.argv[1]), 1.0).id, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_process_is_dead_before_long(machine: Make, team_ledger: str) -> None:
    judge = machine()
    command = [sys.executable, "-c", HOLDER, team_ledger]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as worker:
        assert worker.stdout is not None
        name = worker.stdout.readline().decode().strip()
        assert judge.lease.alive(name)
        worker.kill()
    until(lambda: not judge.lease.alive(name))


def test_no_machines_own_clock_matters(machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machine()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400)
    two = machine()
    assert two.lease.alive(one.lease.id)
    monkeypatch.setattr(time, "time", lambda: real() - 86_400)
    assert machine().lease.alive(two.lease.id)


# --- a machine that wakes up ---


def test_who_wakes_up_and_nobody_took_its_work_goes_on_under_a_new_name(machine: Make) -> None:
    one = machine()
    one.book.reserve(draft(), PURSE)
    before = one.lease.id
    one.sleep()
    assert one.book.sending(ID) == 0
    assert one.lease.id != before
    assert one.book.owner_and_body(ID)[0] == one.lease.id
    one.book.still_sending(ID)
    one.book.accepted(ID, TICKET)
    one.book.settle(ID, BILL, raws=["ab"])


def test_a_reservation_that_another_took_is_never_sent(machine: Make) -> None:
    one, two = machine(), machine()
    one.book.reserve(draft(), PURSE)
    one.sleep()
    assert two.take()
    with pytest.raises(TakenOver):
        one.book.sending(ID)
    two.book.release(ID)
    with pytest.raises(LedgerError, match="released"):
        one.book.sending(ID)


def test_one_that_wakes_up_before_its_bytes_left_holds_them_back(machine: Make) -> None:
    one, two = machine(), machine()
    one.book.reserve(draft(), PURSE)
    one.book.sending(ID)
    one.sleep()
    assert two.take()
    two.book.unknown(ID)
    with pytest.raises(TakenOver, match="Nothing was sent twice"):
        one.book.still_sending(ID)


def test_one_that_wakes_up_while_another_has_taken_it_and_not_yet_moved_it(machine: Make) -> None:
    one, two = machine(), machine()
    one.book.reserve(draft(), PURSE)
    one.book.sending(ID)
    one.sleep()
    assert two.take()
    with pytest.raises(TakenOver):
        one.book.still_sending(ID)


def test_a_late_refusal_does_not_free_money_that_another_may_have_spent(machine: Make) -> None:
    one, two = machine(), machine()
    one.book.reserve(draft(), PURSE)
    one.book.sending(ID)
    one.sleep()
    assert two.take()
    two.book.unknown(ID)
    two.book.accepted(ID, TICKET)  # resent under its idempotency key, or found in the vendor's list
    for late in (one.book.release, one.book.unknown):
        with pytest.raises(TakenOver):
            late(ID)
    row = two.book.get(ID)
    assert row is not None
    assert row.state == "accepted"


def test_a_late_answer_is_good_news(machine: Make) -> None:
    one, two = machine(), machine()
    one.book.reserve(draft(), PURSE)
    one.book.sending(ID)
    one.sleep()
    assert two.take()
    two.book.unknown(ID)
    two.book.disown(ID)
    one.book.accepted(ID, TICKET)  # nobody had found the job
    row = two.book.get(ID)
    assert row is not None
    assert (row.state, row.ticket) == ("accepted", TICKET)


def test_a_job_that_both_collect_is_settled_once(machine: Make) -> None:
    one, two = machine(), machine()
    one.book.reserve(draft(), PURSE)
    one.book.sending(ID)
    one.book.accepted(ID, TICKET)
    one.sleep()
    assert two.take()
    two.book.settle(ID, BILL, raws=["ab"])
    one.book.settle(ID, BILL, raws=["ab"])  # the same image of the same job
    one.book.accepted(ID, TICKET)
    assert two.book.used(PURSE, "project") == Money(9)
    for other, raws in [(BILL, ["another"]), (Cost(Money(8), "reported"), ["ab"])]:
        with pytest.raises(LedgerError, match="settled"):
            one.book.settle(ID, other, raws=raws)


def test_whoever_is_cut_off_from_the_server_sends_nothing(machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machine()
    one.book.reserve(draft(), PURSE)
    one.book.sending(ID)
    one.sleep()

    def cut_off() -> None:
        raise LedgerError("cut off")

    monkeypatch.setattr(one.lease, "renew", cut_off)
    with pytest.raises(LedgerError, match="cut off"):
        one.book.still_sending(ID)


def test_many_threads_that_wake_up_become_one_new_worker(machine: Make) -> None:
    one = machine()
    for number in range(6):
        one.book.reserve(draft(number), PURSE)
    one.sleep()
    problems: list[BaseException] = []

    def send(number: int) -> None:
        try:
            one.book.sending(f"id-{number:06}")
        except LedgerError as error:
            problems.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert {one.book.owner_and_body(row.id)[0] for row in one.book.attempts()} == {one.lease.id}


# --- claims ---


@pytest.fixture(params=["file", "server"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Ledger, Ledger]]:
    """Two workers on one ledger, in a file and on a server."""
    made: list[tuple[Worker, Ledger]] = []
    for _ in range(2):
        if request.param == "file":
            owner = Owner(tmp_path / "owners")
            made.append((owner, Ledger(tmp_path / "ledger.db", owner=owner)))
        else:
            database = Postgres(request.getfixturevalue("team_ledger"))
            lease = Lease(database)
            made.append((lease, Ledger(database, owner=lease)))
    yield made[0][1], made[1][1]
    for worker, book in made:
        worker.close()
        book.database.close()


def test_what_is_left_behind_is_handed_out_once(pair: tuple[Ledger, Ledger]) -> None:
    one, two = pair
    for number in range(5):
        one.reserve(draft(number), PURSE)
        one.sending(f"id-{number:06}")
        one.disown(f"id-{number:06}")
    first, second = one.claim(), two.claim()
    assert first is not None
    assert second is not None
    assert [first.id, second.id] == ["id-000004", "id-000003"]  # newest first
    got = {first.id, second.id}
    while (row := two.claim(got)) is not None:
        got.add(row.id)
    assert len(got) == 5
    assert one.claim() is None
    one.disown(first.id)
    assert two.claim({first.id}) is None  # tried before
    again = two.claim()
    assert again is not None
    assert again.id == first.id


def test_what_somebody_works_on_or_has_finished_is_not_handed_out(pair: tuple[Ledger, Ledger]) -> None:
    one, two = pair
    one.reserve(draft(1), PURSE)
    one.reserve(draft(2), PURSE)
    one.release("id-000002")
    one.disown("id-000002")
    assert two.claim() is None


def test_a_claim_passes_over_what_another_has_locked(machine: Make) -> None:
    one, two = machine(), machine()
    for number in (1, 2):
        one.book.reserve(draft(number), PURSE)
        one.book.disown(f"id-{number:06}")
    with one.database.transaction() as db:
        db.execute("UPDATE attempt SET asset = 'x' WHERE id = :id", {"id": "id-000002"})
        row = two.book.claim()
    assert row is not None
    assert row.id == "id-000001"


def test_many_claim_at_once_and_nobody_gets_the_same(pair: tuple[Ledger, Ledger]) -> None:
    one, two = pair
    for number in range(12):
        one.reserve(draft(number), PURSE)
        one.disown(f"id-{number:06}")
    got: list[str] = []

    def work(book: Ledger) -> None:
        while (row := book.claim()) is not None:
            got.append(row.id)

    threads = [threading.Thread(target=work, args=(book,)) for book in (one, two) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [f"id-{number:06}" for number in range(12)]


# --- forks ---

FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads running is what is tested
from pathlib import Path
from pixelrouter.money.database import open_database
from pixelrouter.money.lease import Lease
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.owner import Owner
from tests.money.test_ledger import PURSE, draft

where, folder = sys.argv[1], Path(sys.argv[2])
if where == "file":
    database, worker = open_database(folder / "ledger.db"), Owner(folder / "owners")
    judge = Owner(folder / "owners")
else:
    database = open_database(where)
    worker, judge = Lease(database), Lease(open_database(where))
book = Ledger(database, owner=worker)
book.reserve(draft(1), PURSE)
name = worker.id
child = os.fork()
if child == 0:
    assert worker.id != name, "a child is a worker of its own"
    book.reserve(draft(2), PURSE)
    assert worker.alive(name), "its parent lives"
    worker.close()
    database.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert judge.alive(name), "a child that ends does not end its parent"
assert worker.id == name
book.sending("id-000001")
assert [row.id for row in book.attempts()] == ["id-000002", "id-000001"]
# A child that outlives its parent's work does not keep the parent alive.
ready, go_on = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.write(ready[1], b"x")
    os.read(go_on[0], 1)
    os._exit(0)
os.read(ready[0], 1)
worker.close()
assert not judge.alive(name)
os.write(go_on[1], b"x")
os.waitpid(child, 0)
print("well")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("where", ["file", pytest.param("server", marks=pytest.mark.slow)])
def test_a_forked_child_is_a_worker_of_its_own(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = where if where == "file" else request.getfixturevalue("team_ledger")
    done = subprocess.run(
        [sys.executable, "-c", FORKED, place, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "well", done.stderr
