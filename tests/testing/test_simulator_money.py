"""The simulator's books: it is the judge of every promise about money, so its own counting is tested first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pixelrouter.testing import Faults, RetroDiffusionSimulator
from pixelrouter.types import Money
from tests.testing.simulator_asking import body, code, submit, task

PRICE = Money.of("0.025")  # of the still in simulator_asking.body


def test_a_charge_tells_what_it_was_for(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    accepted = submit(client, key="job-1")
    [charge] = sim.charges
    assert (charge.money, charge.idempotency_key, charge.refunded) == (PRICE, "job-1", False)
    assert charge.request_id == accepted.json()["request_id"]
    assert charge.body == body()
    assert (sim.charged_total, sim.balance, sim.paid_posts) == (PRICE, Money.of("9.975"), 1)
    assert sim.requests[0].headers["idempotency-key"] == "job-1"
    assert (sim.requests[0].method, sim.requests[0].path, sim.requests[0].json) == ("POST", "/v2/inferences", body())


def test_without_a_key_each_post_is_charged(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    first, second = submit(client).json(), submit(client).json()
    assert first["task_id"] != second["task_id"]
    assert (len(sim.charges), sim.paid_posts) == (2, 2)


def test_the_same_key_buys_once(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    assert submit(client, key="k").json() == submit(client, key="k").json()
    assert (len(sim.charges), sim.paid_posts) == (1, 2)
    other = submit(client, key="k", seed=8)
    assert (other.status_code, code(other)) == (409, "idempotency_conflict")
    assert submit(client, key="l").status_code == 200
    assert len(sim.charges) == 2


def test_keys_belong_to_a_token() -> None:
    with RetroDiffusionSimulator(keys=("rdpk-sim-1", "rdpk-sim-2")) as sim:
        for token in sim.keys:
            headers = {"X-RD-Token": token, "Idempotency-Key": "k"}
            assert httpx.post(f"{sim.url}/v2/inferences", json=body(), headers=headers).status_code == 200
        assert len(sim.charges) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 257])
def test_bad_keys(client: httpx.Client, sim: RetroDiffusionSimulator, key: str) -> None:
    answer = submit(client, key=key)
    assert (answer.status_code, code(answer)) == (400, "invalid_idempotency_key")
    assert sim.charges == []


def test_a_price_question_takes_no_key(client: httpx.Client) -> None:
    answer = submit(client, key="k", check_cost=True)
    assert (answer.status_code, code(answer)) == (400, "idempotency_async_required")


def test_v1_does_not_know_keys(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    for _ in range(2):
        client.post("/v1/inferences", json=body(), headers={"Idempotency-Key": "k"})
    assert [charge.idempotency_key for charge in sim.charges] == [None, None]


@pytest.mark.parametrize(("balance", "taken"), [("0.024", False), ("0.025", False), ("0.025001", True)])
def test_the_balance_has_to_exceed_the_price(balance: str, taken: bool) -> None:
    with (
        RetroDiffusionSimulator(balance=balance) as sim,
        httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}) as client,
    ):
        old = client.post("/v1/inferences", json=body())
        if taken:
            assert old.status_code == 200
            return
        assert (old.status_code, old.json()) == (400, {"detail": [{"msg": "Not enough balance."}]})
        new = submit(client, key="k")
        assert (new.status_code, code(new)) == (402, "not_enough_balance")
        assert sim.charges == []
        assert sim.balance == Money.of(balance)


def test_a_refused_key_may_come_again(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault(Faults.NO_BALANCE)
    assert submit(client, key="k").status_code == 402
    assert submit(client, key="k").status_code == 200
    assert len(sim.charges) == 1


def test_failure_is_refunded_even_if_nobody_asks(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("job_failed")
    submit(client)
    [charge] = sim.charges
    assert charge.refunded
    assert (sim.charged_total, sim.balance) == (Money(0), Money.of(10))


def test_a_failure_is_charged_until_it_happens() -> None:
    with (
        RetroDiffusionSimulator(job_seconds=60) as sim,
        httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}) as client,
    ):
        sim.fault("job_failed")
        accepted = submit(client)
        assert (sim.charged_total, sim.balance) == (PRICE, Money.of("9.975"))
        sim.advance(61)
        assert task(client, accepted)["status"] == "failed"
        assert task(client, accepted)["status"] == "failed"
        assert (sim.charged_total, sim.balance) == (Money(0), Money.of(10))


def test_a_failure_may_keep_the_money(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("job_failed", refund=False)
    assert task(client, submit(client))["status"] == "failed"
    assert sim.charged_total == PRICE


def test_twenty_threads_are_counted_exactly(sim: RetroDiffusionSimulator) -> None:
    start = threading.Barrier(20)

    def buy(number: int) -> set[str]:
        with httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}, timeout=30) as client:
            start.wait()
            return {submit(client, key=f"{number}-{each}").json()["task_id"] for each in range(5)}

    with ThreadPoolExecutor(20) as pool:
        bought = set().union(*pool.map(buy, range(20)))
    assert len(bought) == sim.paid_posts == len(sim.charges) == 100
    assert {charge.request_id for charge in sim.charges} == bought
    assert sim.charged_total == Money(PRICE.micros * 100)
    assert sim.balance == Money.of("7.5")


def test_the_last_money_is_spent_once() -> None:
    """Twenty threads, money for four."""
    with RetroDiffusionSimulator(balance="0.101") as sim:

        def buy(_: int) -> int:
            return httpx.post(f"{sim.url}/v2/inferences", json=body(), headers={"X-RD-Token": "rdpk-sim-1"}).status_code

        with ThreadPoolExecutor(20) as pool:
            answers = sorted(pool.map(buy, range(20)))
        assert answers == [200] * 4 + [402] * 16
        assert sim.balance == Money.of("0.001")


def test_one_key_from_eight_threads_buys_once(sim: RetroDiffusionSimulator) -> None:
    start = threading.Barrier(8)

    def buy(_: int) -> str:
        with httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}) as client:
            start.wait()
            return str(submit(client, key="same").json()["task_id"])

    with ThreadPoolExecutor(8) as pool:
        tasks = set(pool.map(buy, range(8)))
    assert (len(tasks), len(sim.charges), sim.paid_posts) == (1, 1, 8)
