"""The simulated Replicate's books: it judges every promise about money, so its own counting is tested first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from pixelrouter.types import Money
from tests.testing.replicate.asking import asker, data_uri, finished, made, order, poll, problem, submit

PRICE = Money.of("0.017")  # of the still in asking.order


@pytest.mark.parametrize(
    ("model", "changes", "usd"),
    [
        ("rd-fast", {}, "0.017"),
        ("rd-fast", {"width": 128, "height": 128}, "0.019"),  # a documented example
        ("rd-fast", {"width": 24, "height": 24}, "0.017"),  # the delivered 64x64 is what is paid
        ("rd-fast", {"width": 64, "height": 64, "num_images": 4}, "0.069"),  # rounded after multiplying
        ("rd-fast", {"style": "low_res", "width": 32, "height": 32}, "0.025"),
        ("rd-plus", {"style": "default", "width": 256, "height": 256}, "0.058"),  # a documented example
        ("rd-plus", {"style": "skill_icon", "width": 128, "height": 128}, "0.05"),
        ("rd-tile", {"style": "tileset", "width": 32, "height": 32}, "0.10"),
        ("rd-tile", {"style": "single_tile", "width": 16, "height": 16}, "0.023"),
        ("rd-tile", {"style": "scene_object", "width": 128, "height": 128}, "0.033"),
        ("rd-animation", {"style": "vfx"}, "0.07"),
    ],
)
def test_prices(client: httpx.Client, sim: ReplicateSimulator, model: str, changes: dict[str, Any], usd: str) -> None:
    made(submit(client, model, **changes))
    assert sim.charged_total == Money.of(usd)


def test_a_charge_tells_what_it_was_for(client: httpx.Client, sim: ReplicateSimulator) -> None:
    first = made(submit(client))
    [charge] = sim.charges
    assert (charge.money, charge.request_id, charge.refunded) == (PRICE, first["id"], False)
    assert (charge.body, charge.idempotency_key) == ({"input": order()}, None)
    assert (sim.charged_total, sim.balance, sim.paid_posts) == (PRICE, Money.of("9.983"), 1)
    poll(client, first)
    assert (len(sim.charges), sim.paid_posts) == (1, 1)


def test_each_post_is_charged(client: httpx.Client, sim: ReplicateSimulator) -> None:
    ids = {made(client.post("/v1/predictions", json=body, headers={"Idempotency-Key": "k"}))["id"] for body in [
        {"version": "retro-diffusion/rd-fast", "input": order()}] * 2}  # fmt: skip
    assert {charge.request_id for charge in sim.charges} == ids
    assert len(ids) == sim.paid_posts == 2


def test_it_is_charged_when_it_ends() -> None:
    with ReplicateSimulator(job_seconds=60, polls=1) as sim, asker(sim) as client:
        first = made(submit(client))
        assert (sim.charges, sim.balance) == ([], Money.of(10))
        sim.advance(61)
        assert sim.charged_total == PRICE  # although nobody polled
        assert [poll(client, first)["status"] for _ in range(2)] == ["processing", "succeeded"]
        assert sim.charged_total == PRICE


def test_a_deadline_before_the_start_is_free() -> None:
    with ReplicateSimulator(queue_seconds=60) as sim, asker(sim) as client:
        first = made(submit(client, life="10s"))
        sim.advance(11)
        done = poll(client, first)
        assert (done["status"], done["started_at"], done["output"], done["error"]) == ("aborted", None, None, None)
        assert done["completed_at"] == done["deadline"]
        sim.advance(60)
        assert poll(client, first)["status"] == "aborted"
        assert (sim.charges, sim.balance) == ([], Money.of(10))


def test_a_deadline_during_the_run_is_charged() -> None:
    with ReplicateSimulator(job_seconds=60) as sim, asker(sim) as client:
        first = made(submit(client, life="10s"))
        sim.advance(11)
        done = poll(client, first)
        assert (done["status"], done["output"]) == ("canceled", None)
        assert done["metrics"]["predict_time"] == pytest.approx(10)
        sim.advance(60)
        assert (poll(client, first)["status"], sim.charged_total) == ("canceled", PRICE)


def test_a_deadline_after_the_end_changes_nothing() -> None:
    with ReplicateSimulator(job_seconds=5) as sim, asker(sim) as client:
        first = made(submit(client, life="10s"))
        sim.advance(11)
        assert (poll(client, first)["status"], sim.charged_total) == ("succeeded", PRICE)


@pytest.mark.parametrize("knobs", [{"job_seconds": 60}, {"queue_seconds": 60}, {"polls": 1}])
def test_cancelled_by_hand_is_charged_once(knobs: dict[str, Any]) -> None:
    """The vendor says that it charges what ends as ``canceled``; also what had not started ends so."""
    with ReplicateSimulator(**knobs) as sim, asker(sim) as client:
        first = made(submit(client))
        for _ in range(2):
            assert client.post(first["urls"]["cancel"]).json()["status"] == "canceled"
        sim.advance(120)
        assert (len(sim.charges), sim.charged_total) == (1, PRICE)


def test_a_failure_is_free(client: httpx.Client, sim: ReplicateSimulator) -> None:
    assert poll(client, made(submit(client, input_image=data_uri(b"x"))))["status"] == "failed"
    assert (sim.charges, sim.balance) == ([], Money.of(10))


@pytest.mark.parametrize(("balance", "taken"), [("0.016999", False), ("0.017", True)])
def test_the_credit_has_to_cover_the_price(balance: str, taken: bool) -> None:
    with ReplicateSimulator(balance=balance) as sim, asker(sim) as client:
        answer = submit(client)
        if taken:
            assert (answer.status_code, sim.balance) == (201, Money(0))
        else:
            assert problem(answer) == (402, "Insufficient credit")
            assert answer.json()["detail"].startswith("You have insufficient credit to run this model.")
            assert (sim.charges, sim.balance) == ([], Money.of(balance))


def test_what_is_still_running_counts_as_spent() -> None:
    with ReplicateSimulator(balance="0.034", job_seconds=60) as sim, asker(sim) as client:
        first, _ = made(submit(client)), made(submit(client, life="5s"))
        assert submit(client).status_code == 402
        sim.advance(6)  # the second was cancelled while running, and paid
        assert submit(client).status_code == 402
        sim.advance(60)
        assert poll(client, first)["status"] == "succeeded"
        assert sim.balance == Money(0)


def test_what_is_charged_is_not_held_as_well() -> None:
    with ReplicateSimulator(balance="0.034", polls=1) as sim, asker(sim) as client:
        assert [submit(client).status_code for _ in range(3)] == [201, 201, 402]
        assert sim.balance == Money(0)


def test_the_last_money_is_spent_once() -> None:
    """Twenty threads, money for four."""
    with ReplicateSimulator(balance="0.07", job_seconds=60) as sim:
        start = threading.Barrier(20)

        def buy(_: int) -> int:
            with asker(sim) as client:
                start.wait()
                return submit(client).status_code

        with ThreadPoolExecutor(20) as pool:
            answers = sorted(pool.map(buy, range(20)))
        assert answers == [201] * 4 + [402] * 16
        sim.advance(61)
        assert (len(sim.charges), sim.balance, sim.paid_posts) == (4, Money.of("0.002"), 20)


def test_reset_and_state(client: httpx.Client, sim: ReplicateSimulator) -> None:
    done = finished(client)
    sim.fault("rate_limit")
    state = client.get("/_sim/state").json()
    assert (state["vendor"], state["charged_micros"], state["balance_micros"]) == ("replicate", 17_000, 9_983_000)
    assert (state["paid_posts"], state["requests"], state["faults_waiting"]) == (1, 2, 1)
    assert state["charges"][0]["request_id"] == done["id"]
    sim.reset()
    assert (sim.charges, sim.balance, sim.paid_posts, sim.requests) == ([], Money.of(10), 0, [])
    assert client.get(done["urls"]["get"]).status_code == 404
    assert submit(client).status_code == 201


def test_a_wrong_balance_is_told() -> None:
    with pytest.raises(ValueError, match="not an amount of money"):
        ReplicateSimulator(balance="much")
