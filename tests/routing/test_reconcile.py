"""Lost answers are settled by each vendor's own means; and everything that could fool them is tried."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pixelrouter import AsyncPixelRouter, backends
from pixelrouter.backends.protocol import Absence
from pixelrouter.errors import (
    ChargedWithoutImage,
    InvalidRequest,
    NotTaken,
    OutcomeUnknown,
    PixelRouterError,
)
from pixelrouter.money.budget import Purse
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.routing.keys import generation_key
from pixelrouter.testing.shop import Shop
from pixelrouter.types import Cost, Money, PixelArt
from tests.routing.losses import DAY, LATER, SOON, WAYS, arrive, booked, buy, price, router_of, sent

Open = Callable[..., Shop]
FOUND_AT_ONCE = {"replicate": "list", "fal": "list", "retrodiffusion v2": "resend", "pixellab character": "list"}
SLOW_LISTS = ("fal", "pixellab character")
QUICK = ("retrodiffusion v1", "pixellab still", "replicate")
NOT_TAKEN = [
    pytest.param(way, marks=() if way in QUICK else pytest.mark.slow) for way in WAYS if way != "retrodiffusion v2"
]


def late_enough(way: str) -> float:
    """Seconds after which the vendor's list or balance counts."""
    return SOON if way == "replicate" else LATER


@pytest.mark.parametrize("way", FOUND_AT_ONCE)
def test_a_job_that_was_taken_is_collected_in_the_same_call(shops: Open, way: str) -> None:
    shop = shops(WAYS[way][0])
    shop.simulator.fault("lose_reply")
    router = router_of(shop, way)
    art = buy(router, way)
    assert isinstance(art, PixelArt), art
    assert len(shop.simulator.charges) == 1
    (row,) = router.attempts()
    assert (row.state, row.evidence["outcome"], row.evidence["means"]) == ("settled", "found", FOUND_AT_ONCE[way])
    assert row.evidence["words"]
    assert row.evidence["sure"] == ("likely" if way == "pixellab character" else "certain")
    shop.check_money(router)


def test_an_idempotent_vendor_is_asked_once_more_and_charges_once(shops: Open) -> None:
    """Both POSTs carry one key; even where the first never arrived, the second is the only purchase."""
    for fault in ("lose_reply", "lose_before"):
        shop = shops("retrodiffusion")
        shop.simulator.fault(fault)
        assert isinstance(buy(router_of(shop, "retrodiffusion v2"), "retrodiffusion v2", prompt=fault), PixelArt)
        posts = [
            one for one in shop.simulator.requests if one.path == "/v2/inferences" and "check_cost" not in one.json
        ]
        assert len(posts) == 2
        assert len({one.headers["idempotency-key"] for one in posts}) == 1
        assert posts[0].body == posts[1].body
        assert len(shop.simulator.charges) == 1


def test_it_is_asked_once_and_not_again_and_again(shops: Open) -> None:
    shop = shops("retrodiffusion")
    shop.simulator.fault("lose_reply", 2)
    router = router_of(shop, "retrodiffusion v2")
    error = buy(router, "retrodiffusion v2")
    assert isinstance(error, OutcomeUnknown)
    assert "idempotency key" in str(error)
    assert shop.simulator.paid_posts == 2
    assert [one.evidence.outcome for one in router.reconcile()] == ["found"]
    assert len(shop.simulator.charges) == 1


@pytest.mark.parametrize("way", NOT_TAKEN)
def test_a_request_that_never_arrived_is_likely_free_in_time_and_stays_held(shops: Open, way: str) -> None:
    shop = shops(WAYS[way][0])
    shop.simulator.fault("lose_before")
    router = router_of(shop, way)
    error = buy(router, way)
    assert isinstance(error, OutcomeUnknown)
    assert error.held
    early = router.reconcile()
    assert [(one.attempt.state, one.evidence.outcome) for one in early] == [("unknown", "unknown")]
    assert early[0].evidence.next.startswith("Reconcile again in")
    patient = router_of(shop, way, later=late_enough(way))
    (one,) = patient.reconcile()
    assert (one.attempt.state, one.evidence.outcome, one.evidence.sure) == ("unknown", "not charged", "likely")
    assert sum(booked(patient).values()) == one.attempt.held.micros  # likely is not enough to free money
    assert "--accept likely" in one.evidence.next
    (one,) = patient.reconcile(one.attempt.id, accept="likely")
    assert (one.attempt.state, one.evidence.accepted, one.settled) == ("released", True, True)
    assert sum(booked(patient).values()) == 0
    assert isinstance(buy(patient, way), PixelArt)
    assert len(shop.simulator.charges) == 1


@pytest.mark.parametrize("way", ["pixellab still", "pixellab v1"])
def test_a_fall_of_the_balance_is_booked_and_nothing_is_bought_again(shops: Open, way: str) -> None:
    shop = shops("pixellab")
    shop.simulator.fault("lose_reply")
    router = router_of(shop, way)
    for _ in range(2):
        error = buy(router, way)
        assert type(error) is ChargedWithoutImage
        assert "likely charged" in str(error)
    (row,) = router.attempts()
    assert (row.state, row.evidence["means"], row.evidence["sure"]) == ("settled", "balance", "likely")
    assert row.evidence["numbers"]["fell"] == str(shop.simulator.charged_total.amount)
    assert shop.simulator.paid_posts == 1
    shop.check_money(router)


def test_a_job_that_may_be_ours_waits_for_a_persons_word(shops: Open) -> None:
    """Retro Diffusion's v1 lists jobs without anything to recognise them by."""
    way = "retrodiffusion v1"
    shop = shops("retrodiffusion")
    shop.simulator.fault("lose_reply")
    router = router_of(shop, way)
    assert isinstance(buy(router, way), OutcomeUnknown)
    (one,) = router.reconcile()
    assert (one.attempt.state, one.evidence.outcome, one.evidence.sure) == ("unknown", "found", "likely")
    assert one.evidence.numbers["jobs"][0] in one.evidence.next
    (one,) = router.reconcile(accept="likely")
    assert one.art is not None
    assert one.attempt.charged == shop.simulator.charged_total
    assert buy(router, way).reused  # type: ignore[union-attr]  # art, as it was collected
    assert len(shop.simulator.charges) == 1


# --- what could fool it ---


@pytest.mark.parametrize("way", ["retrodiffusion v1", "pixellab still"])
def test_a_stranger_who_spends_the_same_cannot_free_money(shops: Open, way: str) -> None:
    shop = shops(WAYS[way][0])
    router = router_of(shop, way)
    cost = price(shop, way, router)
    shop.simulator.fault("lose_before")
    error = buy(router_of(shop, way), way)
    assert isinstance(error, OutcomeUnknown)
    shop.simulator.move_balance(Money(-cost.micros))
    shop.check_money(router)
    late = router_of(shop, way, later=late_enough(way))
    late.reconcile()
    arrive(shop.simulator, sent(shop.simulator))  # and then ours is charged all the same
    late.reconcile()
    shop.check_money(late)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["retrodiffusion v1", "pixellab still"])
def test_a_payment_that_hides_a_charge_does_not_free_money(shops: Open, way: str) -> None:
    shop = shops(WAYS[way][0])
    cost = price(shop, way, router_of(shop, way))
    router = router_of(shop, way)
    shop.simulator.fault("late", seconds=3.0)
    moved = threading.Event()

    def pay_in() -> None:  # while the answer is on its way
        while len(shop.simulator.charges) < 2 and not moved.wait(0.01):
            pass
        shop.simulator.move_balance(cost)

    thread = threading.Thread(target=pay_in)
    thread.start()
    error = buy(router, way)
    moved.set()
    thread.join()
    assert isinstance(error, OutcomeUnknown)
    router = router_of(shop, way, later=LATER)
    (one,) = router.reconcile()
    assert one.attempt.state == "unknown"
    shop.check_money(router)


@pytest.mark.parametrize("way", NOT_TAKEN)
def test_a_request_that_arrives_late_was_never_freed(shops: Open, way: str) -> None:
    shop = shops(WAYS[way][0])
    shop.simulator.fault("lose_before")
    router = router_of(shop, way)
    assert isinstance(buy(router, way), OutcomeUnknown)
    late = router_of(shop, way, later=late_enough(way))
    assert late.reconcile()[0].evidence.outcome == "not charged"
    arrive(shop.simulator, sent(shop.simulator))
    shop.check_money(late)
    (one,) = late.reconcile()
    assert one.evidence.outcome != "not charged"
    shop.check_money(late)
    assert len(shop.simulator.charges) == 1


def test_a_refund_by_the_vendor_frees_only_by_a_persons_word(shops: Open) -> None:
    way = "retrodiffusion v1"
    shop = shops("retrodiffusion", job_seconds=60)
    shop.simulator.fault("lose_reply")
    shop.simulator.fault("job_failed")
    assert isinstance(buy(router_of(shop, way), way), OutcomeUnknown)
    router = router_of(shop, way, later=late_enough(way))
    (one,) = router.reconcile()
    assert not shop.simulator.charged_total
    assert (one.attempt.state, one.evidence.outcome) == ("unknown", "unknown")
    shop.check_money(router)


@pytest.mark.parametrize(("charged", "states"), [(0, ["unknown"] * 2), (1, ["unknown"] * 2), (2, ["settled"] * 2)])
def test_two_lost_requests_of_one_account_are_told_apart_or_not_at_all(
    shops: Open, charged: int, states: list[str]
) -> None:
    """Both or neither can be told from one balance; which of the two, never."""
    way = "pixellab still"
    shop = shops("pixellab", job_seconds=0)
    shop.simulator.fault("lose_before", 2)
    router = router_of(shop, way)
    lost = []
    for prompt in ("a potion", "a sword"):
        assert isinstance(buy(router, way, prompt=prompt), OutcomeUnknown)
        lost.append(sent(shop.simulator))
    for request in lost[:charged]:
        arrive(shop.simulator, request)
    late = router_of(shop, way, later=late_enough(way))
    done = late.reconcile()
    assert [one.attempt.state for one in done] == states
    assert {one.evidence.outcome for one in done} == {{0: "not charged", 1: "unknown", 2: "charged"}[charged]}
    shop.check_money(late)


def test_a_purchase_under_way_makes_the_balance_worthless(shops: Open) -> None:
    way = "pixellab still"
    shop = shops("pixellab", job_seconds=30)
    router = router_of(shop, way)
    shop.simulator.fault("lose_before")
    assert isinstance(buy(router, way), OutcomeUnknown)
    error = buy(router, "pixellab character", timeout_s=0.3)
    assert not isinstance(error, OutcomeUnknown)
    (one,) = router_of(shop, way, later=late_enough(way)).reconcile()
    assert (one.evidence.outcome, one.attempt.state) == ("unknown", "unknown")
    assert one.evidence.numbers["unclear"]


def test_two_orders_in_the_same_words_are_not_told_apart(shops: Open) -> None:
    way = "pixellab character"
    shop = shops("pixellab")
    router = router_of(shop, way)
    shop.simulator.list_lag = 3600
    shop.simulator.fault("lose_reply")
    assert isinstance(buy(router, way), OutcomeUnknown)
    arrive(shop.simulator, sent(shop.simulator))  # a colleague's script, on another machine
    shop.simulator.list_lag = 0
    (one,) = router.reconcile()
    assert (one.evidence.outcome, one.attempt.state) == ("unknown", "unknown")
    assert len(one.evidence.numbers["jobs"]) == 2


@pytest.mark.parametrize("way", ["replicate", *(pytest.param(way, marks=pytest.mark.slow) for way in SLOW_LISTS)])
def test_a_list_that_lags_never_frees_money_and_tells_in_the_end(shops: Open, way: str) -> None:
    shop = shops(WAYS[way][0])
    router = router_of(shop, way)
    shop.simulator.list_lag = DAY
    shop.simulator.fault("lose_reply")
    error = buy(router, way)
    assert isinstance(error, OutcomeUnknown)
    late = router_of(shop, way, later=late_enough(way))
    assert late.reconcile()[0].attempt.state == "unknown"
    shop.check_money(late)
    shop.simulator.list_lag = 0
    (one,) = late.reconcile()
    assert one.evidence.outcome == "found"
    assert one.art is not None
    assert len(shop.simulator.charges) == 1


def test_a_prediction_whose_input_was_removed_is_not_taken_for_absent(shops: Open) -> None:
    shop = shops("replicate")
    router = router_of(shop, "replicate")
    shop.simulator.list_lag = 10
    shop.simulator.fault("lose_reply")
    assert isinstance(buy(router, "replicate"), OutcomeUnknown)
    (one,) = router_of(shop, "replicate", later=LATER).reconcile()
    assert (one.evidence.outcome, one.attempt.state) == ("unknown", "unknown")
    assert one.evidence.numbers["jobs"]


# --- another key, another time, another process ---


@pytest.mark.parametrize("way", ["retrodiffusion v2", "retrodiffusion v1", "replicate", "fal", "pixellab still"])
def test_another_key_is_asked_nothing_that_could_mislead(shops: Open, way: str) -> None:
    """Another account's list never holds the job, and under another token the same key is a new purchase."""
    vendor = WAYS[way][0]
    mine, other = ("a:" + "1" * 20, "b:" + "2" * 20) if vendor == "fal" else ("key-one-0001", "key-two-0002")
    shop = shops(vendor, keys=(mine, other))
    shop.simulator.fault("lose_before", 2)
    assert isinstance(buy(router_of(shop, way, keys={vendor: mine}), way), OutcomeUnknown)
    posts = shop.simulator.paid_posts
    late = router_of(shop, way, later=late_enough(way), keys={vendor: other})
    (one,) = late.reconcile(accept="likely")
    assert (one.attempt.state, one.evidence.outcome) == ("unknown", "unknown")
    assert "another one than this attempt was sent with" in one.evidence.text
    assert shop.simulator.paid_posts == posts


def test_a_key_that_the_vendor_may_have_forgotten_is_not_sent_again(shops: Open) -> None:
    way = "retrodiffusion v2"
    shop = shops("retrodiffusion")
    shop.simulator.fault("lose_reply", 2)
    assert isinstance(buy(router_of(shop, way), way), OutcomeUnknown)
    old = router_of(shop, way, later=DAY + 60)
    (one,) = old.reconcile()
    assert "too old" in one.evidence.text
    assert one.attempt.state == "unknown"
    assert shop.simulator.paid_posts == 2
    shop.check_money(old)


def test_a_clock_that_is_ahead_is_noticed(shops: Open) -> None:
    """The list is asked from this machine's time on: from the future it would always be empty."""
    shop = shops("replicate")
    shop.simulator.fault("lose_reply")
    router = router_of(shop, "replicate")
    router._open().ledger._clock = router._open().engine.recovery.clock = lambda: time.time() + LATER
    for error in (buy(router, "replicate"), router.reconcile()[0].error):
        assert isinstance(error, OutcomeUnknown)
        assert "ahead of the vendor's" in str(error)
    shop.check_money(router)


def test_after_a_second_loss_absence_counts_from_the_second(shops: Open) -> None:
    way = "retrodiffusion v2"
    shop = shops("retrodiffusion")
    shop.simulator.fault("lose_before", 2)
    assert isinstance(buy(router_of(shop, way), way), OutcomeUnknown)
    shop.simulator.fault("lose_before")
    (one,) = router_of(shop, way, later=late_enough(way)).reconcile()
    assert one.evidence.outcome == "unknown"
    assert one.attempt.evidence["resent_at"] > one.attempt.created_at + LATER - 60
    (one,) = router_of(shop, way, later=2 * LATER).reconcile()
    assert one.evidence.outcome == "found"
    assert len(shop.simulator.charges) == 1


def test_pictures_that_only_the_caller_has_are_asked_for(shops: Open) -> None:
    shop = shops("retrodiffusion")
    picture = _picture()
    call: dict[str, Any] = {"prompt": "a red potion", "size": 64, "images": [picture], "task": "edit"}
    shop.simulator.fault("lose_reply", 2)
    router = router_of(shop, "retrodiffusion v2")
    assert isinstance(buy(router, "retrodiffusion v2", **call), OutcomeUnknown)
    (one,) = router.reconcile()
    assert one.attempt.state == "unknown"
    assert "The same call again, with its pictures" in one.evidence.text
    assert isinstance(buy(router, "retrodiffusion v2", **call), PixelArt)
    assert len(shop.simulator.charges) == 1


def _picture() -> bytes:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "PNG")
    return data.getvalue()


def test_what_a_dead_router_left_while_sending_is_settled(shops: Open) -> None:
    way = "replicate"
    shop = shops("replicate")
    router = router_of(shop, way)
    shop.simulator.fault("lose_reply")
    with router._open().ledger.database.reading():
        pass
    art = buy(router, way)
    assert isinstance(art, PixelArt)
    with router._open().ledger.database.transaction() as db:  # as it was before its answer was looked for
        db.execute(
            "UPDATE attempt SET state = 'sending', ticket = NULL, ticket_id = NULL, charged = NULL, held = quoted,"
            " raws = '[]', owner = 'dead'"
        )
    (one,) = router_of(shop, way).reconcile()
    assert one.evidence.outcome == "found"
    assert one.art is not None
    assert len(shop.simulator.charges) == 1


def test_what_another_router_works_on_is_left_alone(shops: Open) -> None:
    shop = shops("replicate")
    working, other = router_of(shop, "replicate"), router_of(shop, "replicate")
    ledger: Ledger = working._open().ledger
    request = working._open().ask("a red potion", size=64).candidates[0].request
    draft = Draft("a" * 32, generation_key("replicate", request), "replicate", None, Cost(Money(1), "listed"), 1, "")
    ledger.reserve(draft, Purse("run", "", "2026-11-21"))
    ledger.sending(draft.id)
    (one,) = other.reconcile()
    assert one.attempt.state == "sending"
    assert "works on it" in one.evidence.text


def test_two_routers_at_once_settle_it_once(shops: Open) -> None:
    way = "retrodiffusion v2"
    shop = shops("retrodiffusion")
    shop.simulator.fault("lose_reply", 2)
    assert isinstance(buy(router_of(shop, way), way), OutcomeUnknown)
    routers = [router_of(shop, way) for _ in range(3)]
    done: list[Any] = []
    threads = [threading.Thread(target=lambda r=router: done.extend(r.reconcile())) for router in routers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shop.simulator.charges) == 1
    assert [row.state for row in routers[0].attempts()] == ["settled"]
    assert any(one.art for one in done)


# --- what is done with it ---


def test_what_is_certainly_not_charged_is_free_and_the_next_backend_is_asked(
    shops: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No vendor we know documents an immediate list; one that does frees its money at once."""
    shop = shops("replicate")
    monkeypatch.setattr("pixelrouter.backends.replicate.recovery.ABSENT", Absence("certain", 0))
    shop.simulator.fault("lose_before")
    router = router_of(shop, "replicate", route=["replicate", "procedural"], backend=None)
    art = buy(router, "replicate", size=64)
    assert isinstance(art, PixelArt), art
    assert art.backend == "procedural"
    assert shop.simulator.paid_posts == 1  # never a second one at the same vendor in the same call
    row = next(row for row in router.attempts() if row.backend == "replicate")
    assert (row.state, row.evidence["sure"]) == ("released", "certain")
    assert row.error is not None
    assert row.error.startswith(NotTaken.__name__)
    assert buy(router, "replicate").reused  # type: ignore[union-attr]  # art


def test_a_dry_run_enters_and_sends_nothing(shops: Open) -> None:
    for way in ("retrodiffusion v2", "pixellab still"):
        shop = shops(WAYS[way][0])
        shop.simulator.fault("lose_before", 2)
        router = router_of(shop, way, later=late_enough(way))
        buy(router, way)
        before, posts = router.attempts(), shop.simulator.paid_posts
        done = router.reconcile(before[0].id, dry_run=True)
        assert [one.attempt.state for one in done] == ["unknown"]
        assert router.attempts() == before
        assert shop.simulator.paid_posts == posts


def test_what_is_known_is_not_reconciled(shops: Open) -> None:
    shop = shops("replicate")
    router = router_of(shop, "replicate")
    assert isinstance(buy(router, "replicate"), PixelArt)
    assert router.reconcile() == []
    with pytest.raises(InvalidRequest, match="settled"):
        router.reconcile(router.attempts()[0].id)
    with pytest.raises(InvalidRequest, match="likely"):
        router.reconcile(accept="certain")  # type: ignore[arg-type]  # that is the test


def test_the_callers_own_decision_to_go_on_still_holds(shops: Open) -> None:
    shop = shops("pixellab")
    shop.simulator.fault("lose_reply")
    router = router_of(shop, "pixellab still", route=["pixellab", "procedural"], backend=None)
    art = buy(router, "pixellab still", on_unknown="spend_again")
    assert isinstance(art, PixelArt)
    assert art.backend == "procedural"
    shop.check_money(router)


def test_a_vendor_that_cannot_be_asked_leaves_it_as_it_was(shops: Open) -> None:
    way = "pixellab character"
    shop = shops("pixellab")
    router = router_of(shop, way, timeout_s=0.5)
    shop.simulator.fault("lose_reply")
    shop.simulator.fault("server_error", 20, on="list")
    shop.simulator.fault("server_error", 20, on="balance")
    error = buy(router, way)
    assert isinstance(error, OutcomeUnknown)
    assert "could not be read" in str(error)
    shop.check_money(router)


def test_a_balance_that_cannot_be_read_never_fails_a_purchase(shops: Open) -> None:
    shop = shops("pixellab")
    shop.simulator.fault("garbage_json", 20, on="balance")
    assert isinstance(buy(router_of(shop, "pixellab still"), "pixellab still"), PixelArt)
    assert sum(one.path == "/v2/balance" for one in shop.simulator.requests) == 1


def test_the_balance_is_read_once_a_minute(shops: Open) -> None:
    shop = shops("pixellab")
    router = router_of(shop, "pixellab still")
    for prompt in ("a potion", "a sword", "a key"):
        assert isinstance(buy(router, "pixellab still", prompt=prompt), PixelArt)
    assert sum(one.path == "/v2/balance" for one in shop.simulator.requests) == 1


def test_awaited_it_does_the_same(shops: Open) -> None:
    shop = shops("retrodiffusion")
    shop.simulator.fault("lose_reply", 2)
    assert isinstance(buy(router_of(shop, "retrodiffusion v2"), "retrodiffusion v2"), OutcomeUnknown)

    async def run() -> list[str]:
        async with AsyncPixelRouter(**shop.options()) as router:
            return [one.evidence.outcome for one in await router.reconcile()]

    assert asyncio.run(run()) == ["found"]


def test_backends_say_when_a_charge_shows() -> None:
    names = {name for name in backends.names() if getattr(backends.load(name), "billing", None)}
    assert names == {"retrodiffusion", "pixellab"}


def test_the_key_is_in_no_evidence(shops: Open) -> None:
    shop = shops("pixellab")
    shop.simulator.fault("lose_before")
    router = router_of(shop, "pixellab still", later=LATER)
    buy(router, "pixellab still")
    done = router.reconcile()
    shop.close()
    shop.check_secrets(*(repr(one.as_dict()) for one in done))
    assert all(not isinstance(one.error, PixelRouterError) or one.error.hint for one in done)
