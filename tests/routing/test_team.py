"""Several machines, one ledger on a server: what one has paid for all have, and no two do the same."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("psycopg")

import psycopg

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import OverBudget, PixelRouterError, StillRunning, StoreError, TakenOver
from pixelrouter.money.lease import Lease
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of
from pixelrouter.types import Money

ROOT = Path(__file__).resolve().parents[2]
POTION: dict[str, Any] = {"prompt": "a red potion", "size": 64}
Machines = Callable[..., PixelRouter]


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    vendor, job_seconds = getattr(request, "param", ("retrodiffusion", 0))
    with simulator_of(vendor)(job_seconds=job_seconds) as simulator:
        made = Shop(vendor, simulator, tmp_path / "unused")
        yield made
        made.close()


@pytest.fixture
def machine(shop: Shop, team_ledger: str, tmp_path: Path) -> Machines:
    """A router on a machine of its own: nothing is shared but the ledger."""
    numbers = iter(range(100))

    def make(**options: Any) -> PixelRouter:
        state = tmp_path / f"machine-{next(numbers)}"
        return shop.router(**{"state": state, "ledger": team_ledger, "lease_s": 20, "timeout_s": 30, **options})

    return make


@pytest.fixture
def options(shop: Shop, team_ledger: str, tmp_path: Path) -> dict[str, Any]:
    return {**shop.options(timeout_s=30), "state": tmp_path / "async", "ledger": team_ledger}


def lease_of(router: PixelRouter) -> Lease:
    lease = router._open().owner
    assert isinstance(lease, Lease)
    return lease


def put_to_sleep(router: PixelRouter) -> None:
    """Suspended for longer than its lease, as everybody else sees it."""
    lease = lease_of(router)
    lease._over.set()
    with router._open().state.database.transaction() as db:
        db.execute("UPDATE worker SET until = 0 WHERE id = :id", {"id": lease.id})
    lease._renewed = (lease._renewed[0], lease._renewed[1] - 3600)


long_jobs = pytest.mark.parametrize("shop", [("replicate", 60)], indirect=True)


def test_the_page_about_it_runs(team_ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_LEDGER", team_ledger)
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    page = (ROOT / "docs" / "team.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "team.md", "exec"), {})


# --- images ---


def test_what_one_machine_paid_for_every_machine_has(machine: Machines, shop: Shop) -> None:
    one, two = machine(), machine()
    art = one.generate(**POTION)
    again = two.generate(**POTION)
    assert again.reused
    assert again.raws == art.raws
    assert again.image.tobytes() == art.image.tobytes()
    assert shop.simulator.paid_posts == 1
    assert all((two.settings.state_dir / "store" / raw[:2] / raw).exists() for raw in art.raws)  # for the next time


def test_a_damaged_copy_is_fetched_again(machine: Machines) -> None:
    router = machine()
    art = router.generate(**POTION)
    kept = router.settings.state_dir / "store" / art.raws[0][:2] / art.raws[0]
    kept.write_bytes(b"damaged")
    assert router.generate(**POTION).image.tobytes() == art.image.tobytes()
    assert kept.read_bytes() != b"damaged"
    store = next(row for row in router.doctor() if row["check"] == "store")
    assert store["ok"], store


@pytest.mark.slow
def test_an_image_that_the_server_has_damaged_is_not_handed_out(machine: Machines) -> None:
    one, two = machine(), machine()
    one.generate(**POTION)
    with one._open().state.database.transaction() as db:
        db.execute("UPDATE raw SET data = :data", {"data": b"damaged"})
    with pytest.raises(StoreError):
        two.generate(**POTION)


def test_an_image_counts_as_delivered_once_the_server_has_it(machine: Machines, shop: Shop) -> None:
    one, two = machine(), machine()
    database = one._open().state.database
    with database.transaction() as db:
        db.execute("ALTER TABLE raw RENAME TO mislaid")
    with pytest.raises(PixelRouterError):
        one.generate(**POTION)
    assert [row.state for row in one.attempts()] == ["accepted"]
    with database.transaction() as db:
        db.execute("ALTER TABLE mislaid RENAME TO raw")
    (art,) = two.resume()
    assert not isinstance(art, PixelRouterError)
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


# --- work that is shared ---


@long_jobs
def test_two_machines_that_resume_at_once_do_each_job_once(machine: Machines, shop: Shop) -> None:
    buyer = machine(timeout_s=0.3)
    for number in range(4):
        with pytest.raises(StillRunning):
            buyer.generate(f"potion {number}", size=64)
    shop.simulator.advance(120)
    machines = [machine(), machine()]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda router: router.resume(), machines))
    for arts in results:
        assert not [art for art in arts if isinstance(art, PixelRouterError)]
        assert len({art.raws for art in arts if not isinstance(art, PixelRouterError)}) == 4  # everybody has them all
    assert shop.simulator.paid_posts == 4
    assert [row.state for row in buyer.attempts()] == ["settled"] * 4
    downloads = [one.path for one in shop.simulator.requests if one.method == "GET" and "predictions" not in one.path]
    assert len(downloads) == len(set(downloads)) == 4


@pytest.mark.slow
@long_jobs
def test_a_job_that_cannot_be_collected_is_tried_once_in_a_pass(machine: Machines, shop: Shop) -> None:
    buyer = machine(timeout_s=0.3)
    with pytest.raises(StillRunning):
        buyer.generate(**POTION)
    outcomes = machine(timeout_s=0.3).resume()
    assert [type(outcome) for outcome in outcomes] == [StillRunning]
    shop.simulator.advance(120)
    assert len(machine().resume()) == 1


# --- a machine that wakes up ---


def is_paid(request: httpx.Request) -> bool:
    """Retro Diffusion's price is asked for with a POST, too, but without a key."""
    return request.method == "POST" and ("idempotency-key" in request.headers or "predictions" in request.url.path)


class Held(httpx.HTTPTransport):
    """A network that keeps the paid request back, as a machine does that is suspended just before it sends."""

    def __init__(self, *, after: bool = False) -> None:
        super().__init__()
        self.reached, self.go_on, self._after = threading.Event(), threading.Event(), after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not is_paid(request) or self.reached.is_set():
            return super().handle_request(request)
        response = super().handle_request(request) if self._after else None
        self.reached.set()
        assert self.go_on.wait(30)
        return response or super().handle_request(request)


def test_who_slept_while_connecting_leaves_the_purchase_to_who_took_over(machine: Machines, shop: Shop) -> None:
    network = Held()
    sleeper, other = machine(transport=network), machine()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(sleeper.generate, **POTION)
        assert network.reached.wait(30)
        put_to_sleep(sleeper)
        art = other.generate(**POTION)  # sends the same bytes under the same idempotency key
        network.go_on.set()
        with pytest.raises(TakenOver):
            late.result(30)
    assert sleeper.generate(**POTION).raws == art.raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    (row,) = other.attempts()
    assert row.state == "settled"
    shop.check_money(other)


@pytest.mark.slow
def test_who_slept_before_the_answer_came_gets_the_same_image(machine: Machines, shop: Shop) -> None:
    network = Held(after=True)
    sleeper, other = machine(transport=network), machine()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(sleeper.generate, **POTION)
        assert network.reached.wait(30)
        put_to_sleep(sleeper)
        art = other.generate(**POTION)
        network.go_on.set()
        assert late.result(30).raws == art.raws
    assert len(shop.simulator.charges) == 1
    assert [row.state for row in other.attempts()] == ["settled"]
    shop.check_money(other)


def test_who_slept_before_sending_buys_nothing_that_another_bought(
    machine: Machines, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper, other = machine(), machine()
    ledger = sleeper._open().ledger
    real, bought = ledger.sending, []

    def slept(attempt: str, *arguments: Any) -> float:
        if not bought:
            put_to_sleep(sleeper)
            bought.append(other.generate(**POTION))
        return real(attempt, *arguments)

    monkeypatch.setattr(ledger, "sending", slept)
    with pytest.raises(PixelRouterError, match="released"):
        sleeper.generate(**POTION)
    assert sleeper.generate(**POTION).raws == bought[0].raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    assert sorted(row.state for row in other.attempts()) == ["released", "settled"]


@pytest.mark.parametrize("shop", [("replicate", 0)], indirect=True)
def test_who_slept_while_connecting_sends_nothing_that_another_looked_for(machine: Machines, shop: Shop) -> None:
    network = Held()
    sleeper, other = machine(transport=network), machine()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(sleeper.generate, **POTION)
        assert network.reached.wait(30)
        put_to_sleep(sleeper)
        with pytest.raises(PixelRouterError):
            other.generate(**POTION)  # asks the vendor, whose list has no such job
        network.go_on.set()
        with pytest.raises(TakenOver):
            late.result(30)
    assert shop.simulator.paid_posts == 0
    shop.check_money(other)


@pytest.mark.parametrize("shop", [("replicate", 0)], indirect=True)
def test_who_slept_before_the_answer_came_shares_the_job_that_was_found(machine: Machines, shop: Shop) -> None:
    network = Held(after=True)
    sleeper, other = machine(transport=network), machine()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(sleeper.generate, **POTION)
        assert network.reached.wait(30)
        put_to_sleep(sleeper)
        art = other.generate(**POTION)  # found in the vendor's list
        network.go_on.set()
        assert late.result(30).raws == art.raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    shop.check_money(other)


def test_an_event_loop_that_slept_while_connecting_sends_nothing(
    options: dict[str, Any], shop: Shop, machine: Machines
) -> None:
    class HeldAsync(httpx.AsyncHTTPTransport):
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if is_paid(request) and not self.reached.is_set():
                self.reached.set()
                await self.go_on.wait()
            return await super().handle_async_request(request)

    async def run() -> str:
        network, other = HeldAsync(), machine()
        async with AsyncPixelRouter(**options, transport=network) as router:
            job = asyncio.create_task(router.generate(**POTION))
            await network.reached.wait()
            await asyncio.to_thread(put_to_sleep, router)
            art = await asyncio.to_thread(other.generate, **POTION)
            network.go_on.set()
            with pytest.raises(TakenOver):
                await job
            again = await router.generate(**POTION)
            return "same" if again.raws == art.raws else "other"

    assert asyncio.run(run()) == "same"
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


# --- asyncio ---


def hold_the_ledger(url: str) -> psycopg.Connection[Any]:
    """Another machine that is in the middle of a reservation."""
    from pixelrouter.money.postgres import _ALONE

    connection = psycopg.connect(url)
    connection.execute(_ALONE.encode())
    return connection


def waiting(url: str) -> bool:
    """Whether somebody waits for that machine."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
        return row is not None and row[0] > 0


def test_an_event_loop_does_not_wait_for_the_server(options: dict[str, Any], team_ledger: str) -> None:
    async def run() -> int:
        turns = 0
        async with AsyncPixelRouter(**options) as router:
            await router.generate("first", size=64)
            other = await asyncio.to_thread(hold_the_ledger, team_ledger)
            job = asyncio.create_task(router.generate(**POTION))
            while not await asyncio.to_thread(waiting, team_ledger):
                await asyncio.sleep(0.01)
            for _ in range(20):  # the loop turns, and the job waits
                await asyncio.sleep(0)
                turns += 1
            assert not job.done()
            await asyncio.to_thread(other.close)
            assert (await job).size == (64, 64)
        return turns

    assert asyncio.run(run()) == 20


def test_cancelled_while_it_waits_for_the_ledger_nothing_is_bought(
    options: dict[str, Any], team_ledger: str, shop: Shop
) -> None:
    async def run() -> list[str]:
        async with AsyncPixelRouter(**options) as router:
            await asyncio.to_thread(router.attempts)
            other = await asyncio.to_thread(hold_the_ledger, team_ledger)
            job = asyncio.create_task(router.generate(**POTION))
            while not await asyncio.to_thread(waiting, team_ledger):
                await asyncio.sleep(0.01)
            job.cancel()
            await asyncio.sleep(0.05)
            assert not job.done()  # what the ledger is writing is written, and then it stops
            await asyncio.to_thread(other.close)
            with pytest.raises(asyncio.CancelledError):
                await job
            return [row.state for row in await asyncio.to_thread(router.attempts)]

    assert asyncio.run(run()) == ["released"]
    assert shop.simulator.paid_posts == 0


def test_cancelled_while_sending_is_written_the_request_stays_here(
    options: dict[str, Any], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> list[str]:
        async with AsyncPixelRouter(**options) as router:
            ledger = (await router._opened()).ledger
            real, inside, go_on = ledger.sending, threading.Event(), threading.Event()

            def slow(*arguments: Any) -> float:
                answer = real(*arguments)
                inside.set()
                assert go_on.wait(30)
                return answer

            monkeypatch.setattr(ledger, "sending", slow)
            job = asyncio.create_task(router.generate(**POTION))
            assert await asyncio.to_thread(inside.wait, 30)
            job.cancel()
            await asyncio.sleep(0)
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await job
            assert job.cancelled()
            return [row.state for row in await asyncio.to_thread(router.attempts)]

    assert asyncio.run(run()) == ["released"]
    assert shop.simulator.paid_posts == 0


@pytest.mark.slow
@long_jobs
def test_a_time_limit_of_asyncios_ends_it_as_usual(options: dict[str, Any], shop: Shop) -> None:

    async def run() -> list[str]:
        async with AsyncPixelRouter(**options) as router:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await router.generate(**POTION)
            return [row.state for row in await asyncio.to_thread(router.jobs)]

    assert asyncio.run(run()) == ["accepted"]


# --- processes ---

WORKER = """
import json, sys
from pixelrouter import PixelRouter
from pixelrouter.errors import OverBudget
options, prompts = map(json.loads, sys.argv[1:])
with PixelRouter(**options) as router:
    for prompt in prompts:
        try:
            print(json.dumps(router.generate(prompt, size=64).raws))
        except OverBudget:
            print(json.dumps("over"))
"""


def at_once(jobs: list[tuple[dict[str, Any], list[str]]]) -> list[list[Any]]:
    """What each process printed, a line a prompt."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps(options, default=str), json.dumps(prompts)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for options, prompts in jobs
    ]
    told = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers), told
    return [[json.loads(line) for line in out.splitlines()] for out, _ in told]


@pytest.mark.slow
def test_eight_machines_never_cross_one_cap(machine: Machines, shop: Shop, team_ledger: str, tmp_path: Path) -> None:
    price = machine().quote("x", size=64).money
    cap = price.micros * 10 / 1_000_000
    jobs = [
        (
            shop.options(state=tmp_path / f"m{n}", ledger=team_ledger, max_usd_per_project=cap, timeout_s=60),
            [f"potion {n}-{m}" for m in range(4)],
        )
        for n in range(8)
    ]
    results = [line for lines in at_once(jobs) for line in lines]
    assert len(results) == 32
    assert results.count("over") == 22
    assert shop.simulator.charged_total == Money(price.micros * 10)
    assert shop.simulator.paid_posts == 10


@pytest.mark.slow
def test_machines_that_ask_for_the_same_pay_once_and_all_get_it(shop: Shop, team_ledger: str, tmp_path: Path) -> None:
    jobs = [
        (shop.options(state=tmp_path / f"m{n}", ledger=team_ledger, timeout_s=60), ["one potion"]) for n in range(8)
    ]
    results = at_once(jobs)
    assert len({json.dumps(lines) for lines in results}) == 1
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


@pytest.mark.slow
def test_threads_of_two_machines_never_cross_one_cap(machine: Machines, shop: Shop) -> None:
    price = machine().quote("x", size=64).money
    routers = [machine(max_usd_per_day=price.micros * 3 / 1_000_000) for _ in range(2)]

    def buy(number: int) -> object:
        try:
            return routers[number % 2].generate(f"potion {number}", size=64)
        except OverBudget as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(buy, range(6)))
    assert sum(isinstance(result, OverBudget) for result in results) == 3
    assert shop.simulator.paid_posts == 3


@pytest.mark.slow
@long_jobs
def test_a_dead_machines_job_is_collected_by_another(machine: Machines, shop: Shop) -> None:
    dead = machine(timeout_s=0.3, lease_s=1)
    with pytest.raises(StillRunning):
        dead.generate(**POTION)
    ledger = dead._open().ledger
    row = ledger.claim()  # at work on it again, when it dies without a word
    assert row is not None
    lease_of(dead)._over.set()
    shop.simulator.advance(120)
    (art,) = machine().resume()
    assert not isinstance(art, PixelRouterError)
    assert shop.simulator.paid_posts == 1
