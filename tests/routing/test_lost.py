"""A paid request whose answer was lost, against lists that lag, lie, fail or lead elsewhere: the right job, or none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from pixelrouter import backends
from pixelrouter.errors import OutcomeUnknown, StillRunning
from pixelrouter.testing.shop import Shop
from tests.routing.meddler import Meddler, answer

CALLS = {"replicate": {"prompt": "a red potion", "size": 64}, "fal": {"prompt": "a red potion", "size": 32}}
LISTS = {"replicate": "/v1/predictions", "fal": "/v1/models/requests/by-endpoint"}
ENTRIES = {"replicate": "results", "fal": "items"}
Open = Callable[..., Shop]


def is_list(vendor: str, request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path == LISTS[vendor]


@pytest.mark.parametrize("vendor", CALLS)
def test_a_list_that_lags_is_looked_at_again(shops: Open, vendor: str) -> None:
    shop = shops(vendor)
    looks: list[str] = []

    def lag(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        if not is_list(vendor, request):
            return None
        looks.append(str(request.url))
        if len(looks) > 1:
            return None
        return answer(response, body=json.dumps({**response.json(), ENTRIES[vendor]: [], "next": None}).encode())

    shop.simulator.fault("lose_reply")
    art = shop.router(transport=Meddler(lag)).generate(**CALLS[vendor])
    assert len(looks) == 2
    assert not art.reused
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    shop.check_money(shop.router())


def test_a_queued_job_that_is_not_listed_yet_is_found_later(shops: Open) -> None:
    shop = shops("fal", job_seconds=60, lists_queued=False)
    shop.simulator.fault("lose_reply")
    with pytest.raises(OutcomeUnknown):
        shop.router().generate(**CALLS["fal"])
    shop.simulator.advance(120)
    assert shop.router().generate(**CALLS["fal"]).raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


def other_prompt(vendor: str, entry: dict[str, Any]) -> dict[str, Any]:
    name = "input" if vendor == "replicate" else "json_input"
    return {**entry, name: {**entry[name], "prompt": "somebody else's sword"}}


def other_size(vendor: str, entry: dict[str, Any]) -> dict[str, Any]:
    if vendor == "replicate":
        return {**entry, "input": {**entry["input"], "width": 96}}
    return {**entry, "json_input": {**entry["json_input"], "image_size": {"width": 512, "height": 512}}}


def without_input(vendor: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "input": None, "json_input": None}


def without_id(vendor: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "id": "../../secrets", "request_id": "../../secrets"}


def test_a_found_job_is_a_job_like_any_other(shops: Open) -> None:
    shop = shops("replicate", job_seconds=60)
    shop.simulator.fault("lose_reply")
    with pytest.raises(StillRunning):
        shop.router(timeout_s=0.5).generate(**CALLS["replicate"])
    (attempt,) = shop.router().jobs()
    assert (attempt.state, attempt.error) == ("accepted", None)  # it is no longer lost
    assert attempt.vendor_request == (attempt.ticket and attempt.ticket.id)


@pytest.mark.parametrize("vendor", CALLS)
@pytest.mark.parametrize("change", [other_prompt, other_size, without_input, without_id])
def test_a_job_that_is_not_exactly_ours_is_left_alone(
    shops: Open, vendor: str, change: Callable[[str, dict[str, Any]], dict[str, Any]]
) -> None:
    shop = shops(vendor)

    def disguise(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        if not is_list(vendor, request):
            return None
        body = response.json()
        body[ENTRIES[vendor]] = [change(vendor, entry) for entry in body[ENTRIES[vendor]]]
        return answer(response, body=json.dumps(body).encode())

    shop.simulator.fault("lose_reply")
    with pytest.raises(OutcomeUnknown) as caught:
        shop.router(transport=Meddler(disguise)).generate(**CALLS[vendor])
    assert caught.value.held
    router = shop.router()
    shop.check_money(router)
    assert router.generate(**CALLS[vendor]).raws  # the list as it is tells
    assert shop.simulator.paid_posts == 1


GARBAGE: dict[str, Callable[[httpx.Response], httpx.Response]] = {
    "500": lambda response: httpx.Response(500, text="oops"),
    "html": lambda response: answer(response, body=b"<html>busy</html>"),
    "empty": lambda response: answer(response, body=b""),
    "list": lambda response: answer(response, body=b"[[]]"),
    "null": lambda response: answer(response, body=b"null"),
    "numbers": lambda response: answer(response, body=b'{"results": [1, null, []], "items": [1, null, []]}'),
    "nan": lambda response: answer(response, body=b'{"results": [{"id": NaN}], "items": [{"request_id": NaN}]}'),
    "deep": lambda response: answer(response, body=b'{"results": ' + b"[" * 50_000),
    "refused": lambda response: httpx.Response(401, json={"detail": "who are you?"}),
}
QUICK = ("html", "deep", "refused")
LOOKS = {
    **GARBAGE,
    "status": lambda response: answer(response, body=b'{"status": ["COMPLETED"], "output": {}}'),
    "later": lambda response: answer(response, retry_after="nan"),
    "never": lambda response: answer(response, retry_after="1e308"),
    "long ago": lambda response: answer(response, retry_after="-5"),
}


@pytest.mark.parametrize("vendor", CALLS)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in QUICK else pytest.mark.slow) for kind in GARBAGE]
)
def test_a_list_that_fails_leaves_it_unknown(shops: Open, vendor: str, kind: str) -> None:
    shop = shops(vendor)

    def spoil(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        return GARBAGE[kind](response) if is_list(vendor, request) else None

    shop.simulator.fault("lose_reply")
    broken = shop.router(transport=Meddler(spoil), timeout_s=2)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            broken.generate(**CALLS[vendor])
    (attempt,) = broken.jobs()
    assert attempt.state == "unknown"
    assert "OutcomeUnknown" not in str(attempt.error)
    assert shop.router().generate(**CALLS[vendor]).raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    (attempt,) = broken.attempts()
    assert attempt.error is None


@pytest.mark.parametrize("vendor", ["replicate", "fal", "pixellab"])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "numbers" else pytest.mark.slow) for kind in LOOKS]
)
def test_a_look_that_makes_no_sense_leaves_the_job_to_be_collected(shops: Open, vendor: str, kind: str) -> None:
    shop = shops(vendor, job_seconds=60)
    call = {**CALLS, "pixellab": {"prompt": "a baker", "size": 32, "task": "views", "views": "4"}}[vendor]
    jobs = ("/v1/predictions/", "/requests/", "/background-jobs/")

    def spoil(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        is_look = request.method == "GET" and any(job in request.url.path for job in jobs)
        return LOOKS[kind](response) if is_look and "by-endpoint" not in request.url.path else None

    for _ in range(2):
        with pytest.raises(StillRunning):
            shop.router(transport=Meddler(spoil), timeout_s=0.5).generate(**call)
    shop.simulator.advance(120)
    assert shop.router(timeout_s=20).generate(**call).raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


@pytest.mark.parametrize(
    ("method", "error"),
    [("submit", OutcomeUnknown), ("poll", StillRunning), ("fetch", StillRunning), ("find", OutcomeUnknown)],
)
def test_a_reader_that_trips_over_an_answer_loses_no_trace(
    shops: Open, monkeypatch: pytest.MonkeyPatch, method: str, error: type[Exception]
) -> None:
    """Whatever a plugin's reader raises: the caller meets an error of ours, and the job can still be collected."""
    shop, backend = shops("replicate"), backends.load("replicate")
    real = getattr(backend, method)

    def trip(response: Any) -> Any:
        raise KeyError("surprise")

    def broken(*arguments: Any) -> Any:
        calls = real(*arguments)
        spoilt = [replace(call, read=trip) for call in (calls if isinstance(calls, list) else [calls])]
        return spoilt if isinstance(calls, list) else spoilt[0]

    if method == "find":
        shop.simulator.fault("lose_reply")
    with monkeypatch.context() as patch:
        patch.setattr(backend, method, broken)
        if method == "submit":
            patch.setattr(backend, "find", lambda *_: None)
        with pytest.raises(error):
            shop.router(timeout_s=2).generate(**CALLS["replicate"])
    shop.check_money(shop.router())
    assert shop.router().generate(**CALLS["replicate"]).raws
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


@pytest.mark.parametrize(("vendor", "before"), [("replicate", 3), ("fal", 1)])
def test_a_job_on_a_later_page_is_found(shops: Open, vendor: str, before: int) -> None:
    shop = shops(vendor)
    pages: list[str] = []

    def one_a_page(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        """Pages without the job, and then the real one."""
        if not is_list(vendor, request):
            return None
        pages.append(str(request.url))
        if len(pages) > before:
            return None
        body = response.json()
        entry = other_prompt(vendor, body[ENTRIES[vendor]][0])
        more = {
            "next": f"{shop.simulator.url}/v1/predictions?page={len(pages)}",
            "next_cursor": "c0",
            "has_more": True,
        }
        return answer(response, body=json.dumps({**body, ENTRIES[vendor]: [entry], **more}).encode())

    shop.simulator.fault("lose_reply")
    assert shop.router(transport=Meddler(one_a_page)).generate(**CALLS[vendor]).raws
    assert len(pages) == before + 1
    assert shop.simulator.paid_posts == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.invalid/v1/predictions?cursor=a",
        "//evil.invalid/v1/predictions?cursor=a",
        "{url}@evil.invalid/v1/predictions?cursor=a",
        "{url}/v1/predictions/../account?cursor=a",
        "{url}/v1/account?cursor=a",
        "file:///etc/passwd",
        "\\\\evil.invalid\\x",
        7,
        ["x"],
    ],
)
def test_a_next_page_elsewhere_is_not_followed(shops: Open, address: Any) -> None:
    shop = shops("replicate")
    asked: list[str] = []

    def lead_away(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        asked.append(str(request.url))
        if not is_list("replicate", request):
            return None
        where = address.format(url=shop.simulator.url) if isinstance(address, str) else address
        body = response.json()
        entries = [other_prompt("replicate", entry) for entry in body["results"]]
        return answer(response, body=json.dumps({**body, "results": entries, "next": where}).encode())

    shop.simulator.fault("lose_reply")
    with pytest.raises(OutcomeUnknown):
        shop.router(transport=Meddler(lead_away)).generate(**CALLS["replicate"])
    assert all(url.startswith(f"{shop.simulator.url}/v1/predictions?created_after=") for url in asked[1:]), asked


def test_a_list_without_end_ends(shops: Open) -> None:
    shop = shops("replicate")
    asked: list[str] = []

    def for_ever(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        if not is_list("replicate", request):
            return None
        asked.append(str(request.url))
        body = response.json()
        entries = [other_prompt("replicate", entry) for entry in body["results"]]
        more = f"{shop.simulator.url}/v1/predictions?n={len(asked)}"
        return answer(response, body=json.dumps({**body, "results": entries, "next": more}).encode())

    shop.simulator.fault("lose_reply")
    with pytest.raises(OutcomeUnknown):
        shop.router(transport=Meddler(for_ever)).generate(**CALLS["replicate"])
    assert 2 <= len(asked) <= 20
