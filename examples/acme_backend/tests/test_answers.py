"""What answers mean for money: the documented ones to the letter, all others in doubt."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from acme_backend import REFUSALS, AcmeSettings, Backend

from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import ContentBlocked, InvalidRequest, JobFailed, RateLimited, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
    Delivery,
    GenerationRequest,
    HttpResponse,
    Inline,
    Mark,
    Money,
    Progress,
    Remote,
    Ticket,
)

ACME = Backend(AcmeSettings(), None)
POTION = GenerationRequest(prompt="a red potion", width=32, height=32, seed=7)
TICKET = Ticket("job-1")


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, headers, content, "https://api.acme.example/v1/jobs/job-1")


def look(**job: Any) -> Any:
    return ACME.poll(TICKET).read(answer({"job": "job-1", **job}))


def test_acme_is_a_backend() -> None:
    assert isinstance(ACME, RemoteBackend)


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_acme_a_refusal_is_one_only_with_its_own_status(status: int, code: str) -> None:
    body = {"error": {"code": code, "message": "no"}}
    submit = ACME.submit(POTION, Mark("m", 7))
    with pytest.raises(REFUSALS[status, code][0]) as caught:
        submit.read(answer(body, status))
    assert (caught.value.status, caught.value.code) == (status, code)
    for other in (500, 502, 418):
        with pytest.raises(UnexpectedAnswer):
            submit.read(answer(body, other))


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("9" * 400, None), ("", None), ("soon", None), ("-1", None)]
)
def test_acme_retry_after(header: str, seconds: float | None) -> None:
    body = {"error": {"code": "rate_limited", "message": "slow"}}
    with pytest.raises(RateLimited) as caught:
        ACME.submit(POTION, Mark("m", 7)).read(answer(body, 429, **{"retry-after": header}))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("job", ["", "../balance", "a b", "x" * 65, 7, None, ["job-1"]])
def test_acme_a_job_that_cannot_be_asked_for_is_in_doubt(job: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        ACME.submit(POTION, Mark("m", 7)).read(answer({"job": job}, 202))


def test_acme_states() -> None:
    assert look(state="drawing", progress=0.5) == Progress("drawing", 0.5)
    images = [{"url": "https://cdn.acme.example/1.png"}, {"base64": base64.b64encode(b"png").decode()}]
    done = look(state="done", images=images, charged_usd="0.08")
    assert isinstance(done, Delivery)
    assert done.items == (Remote("https://cdn.acme.example/1.png"), Inline(b"png"))
    assert done.cost is not None
    assert (done.cost.money, done.cost.source) == (Money.of("0.08"), "reported")
    assert look(state="done", images=images).cost is None  # no bill: what is held counts
    free = look(state="done", images=images, charged_usd=0).cost
    assert free is not None
    assert free.money == Money(0)


@pytest.mark.parametrize(
    ("told", "charged"), [({}, None), ({"charged_usd": "0"}, Money(0)), ({"charged_usd": 1}, Money.of(1))]
)
@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_acme_a_failed_job_costs_what_acme_says_and_no_guess(
    state: str, told: dict[str, Any], charged: Money | None
) -> None:
    with pytest.raises(JobFailed) as caught:
        look(state=state, **told)
    assert caught.value.charged == charged


def test_acme_content_policy_after_the_order_was_accepted() -> None:
    with pytest.raises(ContentBlocked) as caught:
        look(state="failed", error={"code": "content_policy", "message": "no"}, charged_usd="0.04")
    assert caught.value.charged == Money.of("0.04")


@pytest.mark.parametrize(
    "job",
    [
        {"state": "lost"},
        {"state": "done", "images": [{"file": "1.png"}]},
        {"state": "done", "images": [], "charged_usd": "-1"},
        {"state": "done", "images": [], "charged_usd": True},
        {"state": "failed", "charged_usd": "nothing"},
    ],
)
def test_acme_an_undocumented_job_is_in_doubt(job: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        look(**job)
    assert caught.value.money == "held"


def test_acme_an_expired_address_is_renewed() -> None:
    [call] = ACME.fetch(Delivery((Inline(b"x"), Remote("https://cdn.acme.example/1.png"))))
    assert not call.request.secrets
    with pytest.raises(ResultExpired):
        call.read(answer(b"gone", 410))
    renewed = ACME.renew(TICKET)
    body = {"job": "job-1", "state": "done", "images": [{"url": "https://cdn.acme.example/2.png"}]}
    assert renewed.read(answer(body)).items == (Remote("https://cdn.acme.example/2.png"),)
    with pytest.raises(UnexpectedAnswer):
        renewed.read(answer({"job": "job-1", "state": "queued"}))


def test_acme_a_lost_order_is_found_by_its_key_alone() -> None:
    call = ACME.find(Mark("a&b", 7), POTION)
    assert call.request.url == "https://api.acme.example/v1/jobs?key=a%26b"
    assert call.read(answer({"jobs": [{"job": "job-1"}]})).tickets == (TICKET,)
    assert call.read(answer({"jobs": []})).tickets == ()


def test_acme_stopping_a_job_that_has_finished_is_no_error() -> None:
    call = ACME.cancel(TICKET)
    assert call.request.method == "DELETE"
    call.read(answer(b"", 204))
    call.read(answer({"error": {"code": "finished", "message": "late"}}, 409))
    with pytest.raises(UnexpectedAnswer):
        call.read(answer(b"", 500))


def test_acme_prices_and_limits() -> None:
    assert ACME.quote(POTION.model_copy(update={"n": 3})).money == Money.of("0.12")
    views = POTION.model_copy(update={"task": "views", "views": "4"})
    assert ACME.quote(views).money == Money.of("0.12")
    with pytest.raises(InvalidRequest, match="sprite draws 16x16 to 256x256, not 512x512"):
        ACME.resolve(POTION.model_copy(update={"width": 512, "height": 512, "model": "sprite"}))
