"""Two purses, what is charged and when, and what the customer is told of it."""

from __future__ import annotations

import httpx
import pytest

from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from pixelrouter.types import Money
from tests.testing.pixellab.bodies import EVERY, JOBS, STILL, buy, picture, poll, size
from tests.testing.pixellab.conftest import Start

FLUX, FOUR = STILL[1], "/create-character-with-4-directions"
NOTHING = {"type": "usd", "usd": 0.0}


def generations(amount: str) -> Money:
    return Money.of(amount, "generations")


@pytest.mark.parametrize(("version", "path"), EVERY)
def test_what_is_billed_is_what_is_charged(
    sim: PixelLabSimulator, client: httpx.Client, version: str, path: str
) -> None:
    answer = buy(client, path, version)
    job = version == "v2" and path in JOBS
    usage = (poll(client, answer) if job else answer.json())["usage"]
    assert Money.of(usage["usd"]) == sim.charged_total == sim.charges[0].money > Money(0)
    assert sim.balance == Money.of(10) - sim.charged_total
    assert sim.charged_generations == generations("0")
    assert (sim.paid_posts, len(sim.charges)) == (1, 1)


@pytest.mark.parametrize(("version", "path"), EVERY)
def test_a_subscription_pays_in_generations(start: Start, version: str, path: str) -> None:
    sim, client = start(account="subscription", generations="100")
    answer = buy(client, path, version)
    job = version == "v2" and path in JOBS
    usage = (poll(client, answer) if job else answer.json())["usage"]
    assert usage["type"] == "generations"
    assert generations(usage["generations"]) == sim.charged_generations == sim.charges[0].money
    assert sim.generations == generations("100") - sim.charged_generations
    assert (sim.charged_total, sim.balance) == (Money(0), Money.of(10))


@pytest.mark.parametrize(
    ("path", "changes", "dollars", "units"),
    [
        (FLUX, {}, "0.00793", "1"),
        (FLUX, {"no_background": True}, "0.0084", "1"),
        (FLUX, {"image_size": size(400)}, "0.0132", "1"),
        ("/create-image-pixen", {"image_size": size(32)}, "0.007", "1"),
        ("/create-image-bitforge", {"no_background": True}, "0.00738", "1"),
        ("/generate-image-v2", {}, "0.095", "20"),
        ("/generate-image-v2", {"image_size": size(512)}, "0.185", "40"),
        (FOUR, {}, "0.0105", "1"),
        ("/create-character-with-8-directions", {}, "0.0133", "1"),
        ("/create-character-with-8-directions", {"mode": "pro"}, "0.095", "20"),
        ("/create-character-v3", {"image_size": size(128)}, "0.045", "3"),
        ("/create-character-v3", {"reference_image": picture(128)}, "0.045", "2"),
        ("/animate-with-text-v3", {"first_frame": picture(256), "frame_count": 8}, "0.0302", "8"),
        ("/create-tileset", {}, "0.0079", "3"),
        ("/create-tileset", {"tile_size": size(32)}, "0.0099", "3"),
    ],
)
def test_prices(start: Start, path: str, changes: dict[str, object], dollars: str, units: str) -> None:
    sim, client = start()
    assert buy(client, path, **changes).is_success
    assert sim.charged_total == Money.of(dollars)
    sim, client = start(account="subscription", generations="100")
    assert buy(client, path, **changes).is_success
    assert sim.charged_generations == generations(units)


def test_generations_first_then_dollars_then_none(start: Start) -> None:
    sim, client = start(account="subscription", generations="1.5", balance="0.008")
    kinds = [buy(client, FLUX).json()["usage"]["type"] for _ in range(2)]
    assert kinds == ["generations", "usd"]
    refused = buy(client, FLUX)
    assert (refused.status_code, refused.json()["detail"]) == (402, "Insufficient generations")
    assert (sim.charged_generations, sim.charged_total) == (generations("1"), Money.of("0.00793"))
    assert (sim.generations, sim.balance) == (generations("0.5"), Money.of("0.00007"))


def test_no_money(start: Start) -> None:
    sim, client = start(balance="0.007")
    for path in (FLUX, FOUR):
        refused = buy(client, path)
        assert (refused.status_code, refused.json()["detail"]) == (402, "Insufficient credits")
    assert (sim.charges, sim.paid_posts) == ([], 2)


def test_running_jobs_hold_their_price(start: Start) -> None:
    sim, client = start(balance="0.02", job_seconds=60)
    assert buy(client, FOUR).status_code == 200
    assert buy(client, FOUR).status_code == 402
    assert (sim.charges, sim.balance) == ([], Money.of("0.02"))
    sim.advance(60)
    assert sim.balance == Money.of("0.0095")


def test_a_job_is_charged_when_it_ends_whoever_asks(start: Start) -> None:
    sim, client = start(job_seconds=60, polls=5)
    taken = buy(client, FOUR)
    assert poll(client, taken)["usage"] == NOTHING
    assert sim.charges == []
    sim.advance(60)
    assert [charge.request_id for charge in sim.charges] == [taken.json()["background_job_id"]]


def test_a_late_bill(start: Start) -> None:
    sim, client = start(billing_lag=30)
    taken = buy(client, FOUR)
    done = poll(client, taken)
    assert (done["status"], done["usage"], "billing_usage" in done["last_response"]) == ("completed", NOTHING, False)
    assert sim.charged_total == Money.of("0.0105")
    assert client.get("/v1/balance").json()["usd"] == 10
    sim.advance(30)
    done = poll(client, taken)
    assert done["usage"]["usd"] == done["last_response"]["billing_usage"]["usd"] == 0.0105
    assert client.get("/v1/balance").json()["usd"] == 9.9895


def test_a_bill_above_the_list(start: Start) -> None:
    sim, client = start(surcharge="0.001")
    assert buy(client, FLUX).json()["usage"]["usd"] == 0.00893
    assert sim.charged_total == Money.of("0.00893")


@pytest.mark.parametrize("usage", ["null", "missing"])
def test_an_account_that_is_told_nothing(start: Start, usage: str) -> None:
    sim, client = start(usage=usage)
    taken = buy(client, FOUR)
    for answer in (buy(client, FLUX).json(), taken.json(), poll(client, taken)):
        assert answer.get("usage", "missing") == (None if usage == "null" else "missing")
    assert len(sim.charges) == 2


@pytest.mark.parametrize("code", [3007, 504, 500])
def test_a_failed_job_costs_nothing(sim: PixelLabSimulator, client: httpx.Client, code: int) -> None:
    sim.fault("job_failed", code=code)
    done = poll(client, buy(client, FOUR))
    assert (done["status"], done["usage"], done["last_response"]["code"]) == ("failed", NOTHING, code)
    assert done["last_response"]["detail"]
    assert (sim.charges, sim.balance) == ([], Money.of(10))


def test_a_failed_job_that_is_charged(sim: PixelLabSimulator, client: httpx.Client) -> None:
    sim.fault("job_failed", refund=False)
    done = poll(client, buy(client, FOUR))
    assert (done["status"], done["usage"]["usd"]) == ("failed", 0.0105)
    assert sim.charged_total == Money.of("0.0105")


def test_a_stuck_job_is_never_charged_and_keeps_its_slot(start: Start) -> None:
    sim, client = start(slots=1)
    sim.fault("job_stuck")
    taken = buy(client, FOUR)
    sim.advance(3600)
    assert poll(client, taken)["status"] == "processing"
    assert buy(client, FOUR).status_code == 429
    assert sim.charges == []


def test_a_free_account(start: Start) -> None:
    sim, client = start(account="free", balance="0")
    done = poll(client, buy(client, FOUR))
    assert (done["status"], done["last_response"]["code"]) == ("failed", 3007)
    assert buy(client, FLUX).status_code == 402
    assert client.get("/v2/balance").json() == {
        "credits": {"type": "usd", "usd": 0.0},
        "subscription": {"type": "generations", "status": "none", "plan": None, "generations": 0.0, "total": 0.0},
    }
    assert sim.charges == []


def test_the_balance_of_a_subscription(start: Start) -> None:
    _, client = start(account="subscription", generations="450", balance="10.5")
    buy(client, FLUX)
    assert client.get("/v2/balance").json() == {
        "credits": {"type": "usd", "usd": 10.5},
        "subscription": {
            "type": "generations",
            "status": "active",
            "plan": "Tier 2: Pixel Artisan",
            "generations": 449.0,
            "total": 450.0,
        },
    }
    assert client.get("/v1/balance").json() == {"type": "usd", "usd": 10.5}


def test_too_many_at_once(start: Start) -> None:
    sim, client = start(job_seconds=60, slots=2, retry_after=7)
    answers = [buy(client, FOUR) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "7"
    sim.advance(61)
    assert buy(client, FOUR).status_code == 200
    sim, client = start(per_minute=1)
    answers = [buy(client, FLUX) for _ in range(2)]
    assert (answers[1].status_code, answers[1].json()["detail"]) == (429, "Too many requests")
    assert "Retry-After" not in answers[1].headers
    sim.advance(61)
    assert buy(client, FLUX).status_code == 200


def test_refusals_cost_nothing_and_reset_forgets(sim: PixelLabSimulator, client: httpx.Client) -> None:
    buy(client, FLUX)
    buy(client, FLUX, seed="many")
    assert (len(sim.charges), sim.paid_posts) == (1, 2)
    sim.reset()
    assert (sim.charges, sim.paid_posts, sim.requests, sim.balance) == ([], 0, [], Money.of(10))


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"balance": "-1"}, "-1"),
        ({"generations": "5"}, "subscription"),
        ({"account": "rich"}, "rich"),
        ({"usage": "some"}, "some"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        PixelLabSimulator(**settings)  # type: ignore[arg-type]  # wrong on purpose
