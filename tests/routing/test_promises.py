"""The money promises, each attacked over real sockets. The simulator's own count of charges is the judge."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import (
    AllFailed,
    AuthFailed,
    ChargedWithoutImage,
    ContentRefused,
    IncompleteDelivery,
    InvalidRequest,
    JobFailed,
    MissingKey,
    NoBackend,
    NotSent,
    OutcomeUnknown,
    OutOfCredit,
    OverBudget,
    Overloaded,
    PixelRouterError,
    RateLimited,
    RequestRejected,
    ResultExpired,
    StillRunning,
)
from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.types import Money
from tests.conftest import KEY, both_ledgers

pytestmark = both_ledgers
Make = Callable[..., PixelRouter]
PROMPT = "a red potion"


def spent_and_held(router: PixelRouter) -> Money:
    total = Money(0)
    for attempt in router.attempts():
        total += attempt.cost.money
    return total


def test_a_purchase_is_booked_as_billed(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    art = router.generate(PROMPT, size=32)
    assert art.cost.money == sim.charged_total
    assert art.cost.source == "reported"
    assert art.size == (32, 32)
    assert [a.state for a in art.attempts] == ["settled"]
    assert sim.paid_posts == 1
    assert all((router.settings.state_dir / "store" / raw[:2] / raw).exists() for raw in art.raws)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("fault", ["lose_reply", "bad_gateway_html", "garbage_json"])
def test_a_lost_answer_is_unknown_held_and_not_sent_again(
    make_router: Make, sim: RetroDiffusionSimulator, fault: str, version: str
) -> None:
    router = make_router(rd={"api_version": version}, route=["retrodiffusion", "procedural"])
    asked = 2 if version == "v2" else 1  # v2 is asked once more under its idempotency key, and that is lost, too
    sim.fault(fault, asked)
    with pytest.raises(OutcomeUnknown) as caught:
        router.generate(PROMPT, size=32)
    assert sim.paid_posts == asked  # M1: one purchase, and no fallback to the next backend
    keys = {one.headers["idempotency-key"] for one in sim.requests if "idempotency-key" in one.headers}
    assert len(keys) == (1 if version == "v2" else 0)
    assert len(sim.charges) == 1
    assert [a.state for a in router.jobs()] == ["unknown"]
    assert caught.value.held is not None
    assert caught.value.held.micros >= sim.charged_total.micros  # M3
    assert spent_and_held(router).micros >= sim.charged_total.micros
    assert KEY not in str(caught.value)


def test_a_late_answer_is_unknown(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router(rd={"timeout_s": 0.3})
    sim.fault("late", 2, seconds=1.0)
    with pytest.raises(OutcomeUnknown):
        router.generate(PROMPT, size=32)
    assert sim.paid_posts == 2  # both under one idempotency key
    assert len(sim.charges) == 1


def test_the_same_call_again_collects_a_lost_job_of_v2_without_a_second_charge(
    make_router: Make, sim: RetroDiffusionSimulator
) -> None:
    router = make_router()
    sim.fault("lose_reply", 2)
    with pytest.raises(OutcomeUnknown):
        router.generate(PROMPT, size=32)
    art = router.generate(PROMPT, size=32)
    assert len(sim.charges) == 1
    assert art.cost.money == sim.charged_total
    assert {c.idempotency_key for c in sim.charges} == {art.attempts[0].id}


def test_resume_collects_a_lost_job_in_another_process(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    first = make_router()
    sim.fault("lose_reply", 2)
    with pytest.raises(OutcomeUnknown):
        first.generate(PROMPT, size=32, palette="pico-8")
    first.close()
    (art,) = make_router().resume()
    assert not isinstance(art, PixelRouterError)
    assert art.size == (32, 32)
    assert len(sim.charges) == 1


def test_on_v1_a_lost_answer_stays_unknown_until_a_person_decides(
    make_router: Make, sim: RetroDiffusionSimulator
) -> None:
    router = make_router(rd={"api_version": "v1"})
    sim.fault("lose_reply")
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            router.generate(PROMPT, size=32)
    assert sim.paid_posts == 1
    (job,) = router.jobs()
    assert router.settle(job.id[:10]).state == "settled"
    with pytest.raises(ChargedWithoutImage):
        router.generate(PROMPT, size=32)
    assert router.generate(PROMPT, size=32, fresh=True).cost
    assert len(sim.charges) == 2


def test_spend_again_is_the_callers_own_decision(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router(rd={"api_version": "v1"})
    sim.fault("lose_reply")
    with pytest.raises(OutcomeUnknown):
        router.generate(PROMPT, size=32)
    art = router.generate(PROMPT, size=32, on_unknown="spend_again")
    assert art.cost
    assert len(sim.charges) == 2
    assert spent_and_held(router).micros >= sim.charged_total.micros


REFUSALS = {
    "rate_limit": RateLimited,
    "no_balance": OutOfCredit,
    "overloaded": Overloaded,
    "moderated": ContentRefused,
}


@pytest.mark.parametrize("fault", sorted(REFUSALS))
def test_a_refusal_costs_nothing_and_is_not_sent_again(
    make_router: Make, sim: RetroDiffusionSimulator, fault: str
) -> None:
    router = make_router()
    at_once = {"retry_after": None} if fault in ("rate_limit", "overloaded") else {}
    sim.fault(fault, **at_once)
    with pytest.raises(REFUSALS[fault]):
        router.generate(PROMPT, size=32)
    assert sim.paid_posts == 1
    assert sim.charges == []
    assert [a.state for a in router.attempts()] == ["released"]
    assert router.generate(PROMPT, size=32).cost  # and the way is free again
    assert len(sim.charges) == 1


def test_retry_after_reaches_the_caller(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("rate_limit", retry_after=7)
    with pytest.raises(RateLimited) as caught:
        make_router().generate(PROMPT, size=32)
    assert caught.value.retry_after == 7


def test_a_refusal_falls_back_and_says_so(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router(route=["retrodiffusion", "procedural"])
    sim.fault("rate_limit")
    art = router.generate(PROMPT, size=32)
    assert art.backend == "procedural"
    assert [(a.backend, a.state) for a in art.attempts] == [("retrodiffusion", "released"), ("procedural", "settled")]
    assert any("retrodiffusion" in note for note in art.notes)


def test_a_content_refusal_does_not_fall_back(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("moderated")
    with pytest.raises(ContentRefused):
        make_router(route=["retrodiffusion", "procedural"]).generate(PROMPT, size=32)


def test_a_wrong_key_is_refused_before_anything_is_bought(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    section = {"retrodiffusion": {"base_url": sim.url}}
    keys = {"retrodiffusion": "rdpk-wrong-key-000"}
    with PixelRouter(state=tmp_path, backend="retrodiffusion", backends=section, keys=keys) as router:
        with pytest.raises(AuthFailed) as caught:
            router.generate(PROMPT, size=32)
        assert "rdpk-wrong" not in str(caught.value)
    assert sim.paid_posts == 0


def test_a_missing_key_names_the_variable(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    section = {"retrodiffusion": {"base_url": sim.url}}
    with (
        PixelRouter(state=tmp_path, backend="retrodiffusion", backends=section) as router,
        pytest.raises(MissingKey, match="RETRODIFFUSION_API_KEY"),
    ):
        router.generate(PROMPT, size=32)
    assert sim.requests == []


def test_a_refunded_failure_is_released_and_falls_back(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    sim.fault("job_failed")
    with pytest.raises(JobFailed) as caught:
        router.generate(PROMPT, size=32)
    assert caught.value.charged == Money(0)
    assert sim.charged_total == Money(0)
    assert spent_and_held(router) == Money(0)


def test_addresses_instead_of_images(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("url_only")
    assert make_router().generate(PROMPT, size=32).size == (32, 32)


def test_expired_addresses_are_renewed(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("url_only")
    sim.fault("expired_url")
    assert make_router().generate(PROMPT, size=32).size == (32, 32)
    assert len(sim.charges) == 1


def test_an_image_the_vendor_lost_is_told_as_paid(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    sim.fault("url_only")
    sim.fault("expired_url", times=9, gone=True)
    with pytest.raises(ResultExpired) as caught:
        router.generate(PROMPT, size=32)
    assert [a.state for a in router.attempts()] == ["settled"]
    assert sim.charges[0].request_id in str(caught.value)
    assert spent_and_held(router) == sim.charged_total


def test_a_broken_image_is_kept_and_never_bought_again_silently(
    make_router: Make, sim: RetroDiffusionSimulator
) -> None:
    router = make_router()
    sim.fault("truncated_image")
    with pytest.raises(ChargedWithoutImage) as caught:
        router.generate(PROMPT, size=32)
    assert all((router.settings.state_dir / "store" / raw[:2] / raw).exists() for raw in caught.value.stored)
    with pytest.raises(ChargedWithoutImage):
        router.generate(PROMPT, size=32)
    assert sim.paid_posts == 1
    assert spent_and_held(router) == sim.charged_total
    assert router.generate(PROMPT, size=32, fresh=True).size == (32, 32)


def test_no_image_at_all(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("empty_images")
    with pytest.raises(ChargedWithoutImage):
        make_router().generate(PROMPT, size=32)


def test_partial_results_travel_with_the_error(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    sim.fault("fewer_images")
    for _ in range(2):
        with pytest.raises(IncompleteDelivery) as caught:
            router.generate(PROMPT, size=32, n=3)
        assert caught.value.art is not None
        assert 1 <= len(caught.value.art.images) < 3
    assert sim.paid_posts == 1


def test_a_job_that_takes_longer_than_the_caller_waits(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    sim.fault("job_stuck")
    with pytest.raises(StillRunning) as caught:
        router.generate(PROMPT, size=32, timeout_s=0.2)
    assert caught.value.ticket is not None
    assert [a.state for a in router.jobs()] == ["accepted"]
    with pytest.raises(StillRunning):
        router.generate(PROMPT, size=32, timeout_s=0.2)
    assert sim.paid_posts == 1


def test_failing_polls_are_repeated(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("poll_502", times=2)
    assert make_router().generate(PROMPT, size=32).size == (32, 32)
    assert sim.paid_posts == 1


def test_the_same_request_again_is_free_also_elsewhere_and_later(
    make_router: Make, sim: RetroDiffusionSimulator
) -> None:
    first = make_router().generate(PROMPT, size=32, colors=8)
    second = make_router().generate(PROMPT, size=32, palette=["#000000", "#ffffff"])
    assert second.reused
    assert not second.cost
    assert second.paid == first.cost
    assert second.raws == first.raws
    assert set(second.palette) <= {"#000000", "#ffffff"}
    assert sim.paid_posts == 1


@pytest.mark.parametrize("change", [{"seed": 5}, {"fresh": True}, {"n": 2}, {"size": 48}, {"transparent": True}])
def test_what_changes_the_drawing_is_bought(
    make_router: Make, sim: RetroDiffusionSimulator, change: dict[str, object]
) -> None:
    router = make_router()
    router.generate(PROMPT, size=32)
    router.generate(PROMPT, **{"size": 32, **change})  # type: ignore[arg-type]  # one argument, chosen above
    assert sim.paid_posts == 2


def test_a_fresh_purchase_draws_something_else(make_router: Make) -> None:
    router = make_router()
    first = router.generate(PROMPT, size=32)
    assert router.generate(PROMPT, size=32, fresh=True).seed != first.seed


def test_threads_that_ask_for_the_same_pay_once_and_all_get_it(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    routers = [make_router() for _ in range(3)]
    arts = []

    def ask(router: PixelRouter) -> None:
        arts.append(router.generate(PROMPT, size=32))

    threads = [threading.Thread(target=ask, args=(routers[n % 3],)) for n in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arts) == 9
    assert sim.paid_posts == 1
    assert sum(a.cost.money.micros for a in arts) == sim.charged_total.micros


def test_a_batch_has_one_budget(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    price = router.quote("x", size=32).money
    results = list(router.generate_many([f"sprite {n}" for n in range(6)], size=32, max_usd=float(price) * 3.5))
    assert sorted(r.index for r in results) == list(range(6))
    assert sum(r.art is not None for r in results) == 3
    assert all(isinstance(r.error, OverBudget) for r in results if r.art is None)
    assert sim.charged_total == Money(price.micros * 3)


@pytest.mark.parametrize("option", ["max_usd", "max_usd_per_run", "max_usd_per_day", "max_usd_per_project"])
def test_over_budget_sends_nothing(make_router: Make, sim: RetroDiffusionSimulator, option: str) -> None:
    router = make_router(**{option: 0.001})
    with pytest.raises(OverBudget):
        router.generate(PROMPT, size=32)
    assert sim.paid_posts == 0
    assert router.attempts() == []


def test_a_vendor_that_cannot_be_reached_costs_nothing(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router(rd={"base_url": "http://127.0.0.1:9"}, timeout_s=3)
    with pytest.raises(NotSent):
        router.generate(PROMPT, size=32)
    assert [a.state for a in router.attempts()] == ["released"]


def test_all_failed_lists_every_error(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    sim.fault("rate_limit")
    with pytest.raises(AllFailed) as caught:
        make_router(route=["retrodiffusion", "procedural"]).generate(PROMPT, size=260)
    assert [type(e) for e in caught.value.errors] == [RateLimited, InvalidRequest]


def test_no_backend_says_why_for_each(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    with pytest.raises(NoBackend) as caught:
        make_router(route=["retrodiffusion", "procedural"]).generate(PROMPT, size=900)
    assert set(caught.value.reasons) == {"retrodiffusion", "procedural"}
    assert sim.paid_posts == 0


def test_a_dry_run_shows_the_bytes_and_sends_nothing(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    (row,) = router.dry_run(PROMPT, size=32)
    assert sim.requests == []
    assert KEY not in json.dumps(row)
    assert row["headers"]["X-RD-Token"] == "[redacted]"
    router.generate(PROMPT, size=32)
    assert row["body"] == sim.charges[0].body


def test_the_ledger_knows_before_the_vendor_does(
    make_router: Make, sim: RetroDiffusionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M2: at the moment the paid request leaves, its row says so on disk."""
    router = make_router()
    seen: list[str] = []
    send = type(router._wire).paid

    def spy(wire: object, *args: object, **kwargs: object) -> object:
        seen.extend(a.state for a in make_router().attempts())
        return send(wire, *args, **kwargs)  # type: ignore[arg-type]  # passed through untouched

    monkeypatch.setattr(type(router._wire), "paid", spy)
    router.generate(PROMPT, size=32)
    assert seen == ["sending"]


def test_a_store_that_fails_leaves_the_job_to_be_collected(
    make_router: Make, sim: RetroDiffusionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: settling comes after storing; a full disk loses nothing."""
    from pixelrouter.errors import StoreError
    from pixelrouter.store import Store

    router = make_router()

    def full(self: Store, data: bytes) -> str:
        raise StoreError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(type(router._open().store), "put", full)
        with pytest.raises(StoreError):
            router.generate(PROMPT, size=32)
    assert [a.state for a in router.jobs()] == ["accepted"]
    art = router.generate(PROMPT, size=32)
    assert art.size == (32, 32)
    assert sim.paid_posts == 1


def test_ctrl_c_while_waiting_keeps_the_job(
    make_router: Make, sim: RetroDiffusionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = make_router()
    with monkeypatch.context() as patch:
        patch.setattr("pixelrouter.routing.interrupts.time.sleep", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            router.generate(PROMPT, size=32)
    art = router.generate(PROMPT, size=32)
    assert sim.paid_posts == 1
    assert art.cost.money == sim.charged_total


def _interrupt(seconds: float) -> None:
    raise KeyboardInterrupt


def test_a_request_the_vendor_rejects(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    with pytest.raises((RequestRejected, InvalidRequest)):
        router.generate(PROMPT, size=32, model="rd_plus__no_such_style")
    assert sim.charges == []
