"""What the fal simulator charges, and when: the judge of every promise about money must itself be right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.types import Money
from tests.testing.fal.asking import HEADERS, SHEET, TEXT, body, data_uri, result, status, submit, text


def client_of(sim: FalSimulator) -> httpx.Client:
    return httpx.Client(base_url=sim.url, headers=HEADERS, timeout=10, verify=False)


@pytest.mark.parametrize(
    ("endpoint", "changes", "whole", "exact"),
    [
        (SHEET, {"image_size": {"width": 1024, "height": 1024}}, "2", "2"),  # fal's own example: $0.032
        (SHEET, {}, "2", "1.25"),
        (SHEET, {"image_urls": [data_uri()] * 3, "num_images": 2}, "5", "3.5"),
        (TEXT, {"image_urls": None, "image_size": "landscape_4_3"}, "1", "0.75"),
        (TEXT, {"image_urls": None, "image_size": {"width": 2048, "height": 1024}}, "2", "2"),
        ("fal-ai/image2pixel", {"image_url": data_uri()}, "1", "1"),
        ("fal-ai/bria/background/remove", {"image_url": data_uri()}, "1", "1"),
        ("fal-ai/birefnet/v2", {"image_url": data_uri()}, "1", "1"),
    ],
)
def test_units(endpoint: str, changes: dict[str, Any], whole: str, exact: str) -> None:
    prices = {SHEET: "0.016", TEXT: "0.01", "fal-ai/image2pixel": "0.01", "fal-ai/bria/background/remove": "0.018"}
    for fractional, units in ((False, whole), (True, exact)):
        with FalSimulator(fractional_units=fractional, noise=0) as sim, client_of(sim) as client:
            answer = client.get(submit(client, endpoint, **changes)["response_url"])
            assert answer.headers["x-fal-billable-units"] == units
            assert sim.charged_total == Money.of(Decimal(units) * Decimal(prices.get(endpoint, "0")))
            assert sim.balance == Money.of("10") - sim.charged_total
            assert len(sim.charges) == 1


def test_a_charge_knows_its_request(client: httpx.Client, sim: FalSimulator) -> None:
    accepted = submit(client)
    [charge] = sim.charges
    assert (charge.request_id, charge.money, charge.refunded) == (accepted["request_id"], Money(32_000), False)
    assert charge.body["seed"] == 41237
    assert charge.idempotency_key is None


def test_money_is_taken_when_the_job_is_through_not_before() -> None:
    with FalSimulator(job_seconds=60) as sim, client_of(sim) as client:
        submit(client)
        sim.advance(59)
        assert sim.charges == []
        sim.advance(2)
        assert len(sim.charges) == 1  # nobody had to poll


def test_a_job_is_billed_whether_or_not_anyone_polls_and_once() -> None:
    with FalSimulator(polls=2) as sim, client_of(sim) as client:
        accepted = submit(client)
        assert len(sim.charges) == 1
        assert [status(client, accepted)["status"] for _ in range(3)] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
        result(client, accepted)
        assert len(sim.charges) == 1


def test_work_that_is_billed_can_no_more_be_cancelled() -> None:
    with FalSimulator(polls=2) as sim, client_of(sim) as client:
        accepted = submit(client)
        assert len(sim.charges) == 1
        assert client.put(accepted["cancel_url"]).status_code == 202
        [status(client, accepted) for _ in range(2)]
        assert result(client, accepted)["images"]
        free = submit(client)
        client.put(free["cancel_url"])
        assert len(sim.charges) == 1


def test_an_account_that_ran_out_is_locked() -> None:
    with FalSimulator(balance="0.05") as sim, client_of(sim) as client:
        for _ in range(2):
            result(client, submit(client))
        assert sim.balance.micros == -14_000  # the last job took it below zero
        for path in (f"/{SHEET}", f"/run/{SHEET}"):
            answer = client.post(path, json=body())
            assert answer.status_code == 403
            assert answer.json()["detail"].startswith("User is locked. Reason: Exhausted balance.")
        assert (len(sim.charges), sim.paid_posts) == (2, 4)


def test_an_account_with_nothing_is_locked_from_the_start() -> None:
    with FalSimulator(balance="0") as sim, client_of(sim) as client:
        assert client.post(f"/{SHEET}", json=body()).status_code == 403


def test_a_job_cancelled_in_the_queue_costs_nothing_however_it_would_have_ended() -> None:
    with FalSimulator(job_seconds=60) as sim, client_of(sim) as client:
        for fault, params in (("moderated", {"units": 2}), ("job_failed", {"refund": False})):
            sim.fault(fault, **params)
            assert client.put(submit(client)["cancel_url"]).status_code == 202
        sim.advance(61)
        assert sim.charges == []


def test_every_post_buys_anew(client: httpx.Client, sim: FalSimulator) -> None:
    for _ in range(3):
        client.post(f"/{SHEET}", json=body(), headers={"Idempotency-Key": "same"})
    assert (len(sim.charges), sim.paid_posts) == (3, 3)  # fal knows no idempotency keys


def test_many_at_once(client: httpx.Client, sim: FalSimulator) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: text(client, seed=seed), range(40)))
    assert sim.charged_total == Money(40 * 10_000)
    assert len({charge.request_id for charge in sim.charges}) == 40


def test_prices_are_a_knob_and_the_bill_may_be_left_out() -> None:
    with FalSimulator(unit_prices={SHEET: "0.5"}, billing_header=False) as sim, client_of(sim) as client:
        assert "x-fal-billable-units" not in client.get(submit(client)["response_url"]).headers
        assert sim.charged_total == Money.of("1")
        [price] = client.get("/v1/models/pricing", params={"endpoint_id": SHEET}).json()["prices"]
        assert price["unit_price"] == 0.5
    with pytest.raises(ValueError, match="no endpoint named a/b"):
        FalSimulator(unit_prices={"a/b": "1"})
    with pytest.raises(ValueError, match="not an amount"):
        FalSimulator(balance="plenty")
