"""Every fault of the fal simulator, seen over a real socket, and what it did to the money."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from pixelrouter.testing.simulator import Faults
from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.testing.simulator.fal.faults import FAL_FAULTS
from pixelrouter.testing.simulator.fal.problems import MODEL_ERRORS, REQUEST_ERRORS
from pixelrouter.types import Money
from tests.testing.fal.asking import HEADERS, SHEET, body, opened, result, status, submit, text

TESTED_HERE = {  # each fault and its test, so that a new one cannot come without
    "lose_reply": "lost", "lose_before": "lost", "late": "late", "rate_limit": "refusals", "no_balance": "refusals",
    "overloaded": "refusals", "server_error": "refusals", "bad_gateway_before": "refusals", "redirect": "refusals",
    "bad_gateway_html": "spoilt", "garbage_json": "spoilt", "slow_drip": "spoilt", "huge_body": "spoilt",
    "moderated": "moderated", "poll_502": "poll", "status_503_once": "poll", "download_502": "download",
    "truncated_download": "download", "wrong_content_type": "download", "expired_url": "expired",
    "job_failed": "failed", "completed_with_error": "error", "job_stuck": "stuck", "url_only": "url_only",
    "truncated_image": "images", "empty_images": "images", "fewer_images": "images", "wrong_size": "wrong_size",
    "evil_url": "evil", "foreign_status_url": "foreign", "bare_submit": "bare", "bare_status": "odd_status",
    "unknown_status": "odd_status", "backwards_status": "backwards", "cancel_race": "cancel_race",
    "result_504_once": "result", "result_gone": "result", "nsfw_black": "nsfw", "huge_seed": "seed",
    "missing_units": "units", "missing_keys": "keys",
}  # fmt: skip


def client_of(sim: FalSimulator) -> httpx.Client:
    return httpx.Client(base_url=sim.url, headers=HEADERS, timeout=10, verify=False)


def test_every_fault_is_tested() -> None:
    assert set(TESTED_HERE) == {*Faults, *FAL_FAULTS}


@pytest.mark.parametrize("path", [f"/{SHEET}", f"/run/{SHEET}"])
@pytest.mark.parametrize(("fault", "charges"), [("lose_reply", 1), ("lose_before", 0)])
@pytest.mark.parametrize(("reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_lost(
    client: httpx.Client, sim: FalSimulator, path: str, fault: str, charges: int, reset: bool, error: type[Exception]
) -> None:
    sim.fault(fault, reset=reset)
    with pytest.raises(error):
        client.post(path, json=body())
    assert (len(sim.charges), sim.paid_posts) == (charges, 1)
    listed = client.get("/v1/models/requests/by-endpoint", params={"endpoint_id": SHEET, "expand": "payloads"}).json()
    assert [item["json_input"]["seed"] for item in listed["items"]] == [41237] * charges  # the way back to it


def test_late(client: httpx.Client, sim: FalSimulator) -> None:
    sim.fault("late", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"/{SHEET}", json=body(), timeout=0.2)
    assert len(sim.charges) == 1  # and the fixture stops the simulator without waiting out the 30 s


@pytest.mark.parametrize(
    ("fault", "params", "code", "words"),
    [
        ("rate_limit", {}, 429, "concurrent_requests_limit"),
        ("rate_limit", {"retry_after": 7}, 429, "Concurrent requests limit reached"),
        ("rate_limit", {"retry_after": 7, "http_date": True}, 429, "Concurrent"),
        ("no_balance", {}, 403, "User is locked. Reason: Exhausted balance. Top up your balance"),
        ("no_balance", {"reason": "User budget is exceeded"}, 403, "Reason: User budget is exceeded."),
        ("overloaded", {}, 503, "nginx"),
        ("server_error", {}, 500, "internal_error"),
        ("bad_gateway_before", {}, 502, "nginx"),
        ("redirect", {"location": "http://other.invalid/x"}, 302, ""),
    ],
)
def test_refusals_cost_nothing(
    client: httpx.Client, sim: FalSimulator, fault: str, params: dict[str, Any], code: int, words: str
) -> None:
    sim.fault(fault, **params)
    answer = client.post(f"/{SHEET}", json=body())
    assert answer.status_code == code
    assert words in answer.text
    assert ("retry-after" in answer.headers) == ("retry_after" in params)
    assert "x-fal-request-id" not in answer.headers
    assert (sim.charges, sim.paid_posts) == ([], 1)
    assert submit(client)["request_id"]


@pytest.mark.parametrize(
    ("fault", "params", "code"),
    [
        ("server_error", {"charged": True}, 500),
        ("bad_gateway_html", {}, 502),
        ("garbage_json", {}, 200),
        ("slow_drip", {"chunk": 64, "delay": 0.001}, 200),
        ("huge_body", {"size": 1_000_000}, 200),
    ],
)
def test_answers_that_are_spoilt_after_the_job_was_taken(
    client: httpx.Client, sim: FalSimulator, fault: str, params: dict[str, Any], code: int
) -> None:
    sim.fault(fault, **params)
    answer = client.post(f"/{SHEET}", json=body())
    assert answer.status_code == code
    assert (len(answer.content) == 1_000_000) == (fault == "huge_body")
    if fault == "garbage_json":
        with pytest.raises(ValueError, match="Unterminated string"):
            answer.json()
    assert len(sim.charges) == 1


@pytest.mark.parametrize(
    ("params", "header", "charged"),
    [
        ({}, None, 0),
        ({"header": True}, "0", 0),
        ({"units": 2}, None, 32_000),
        ({"units": 2, "header": True}, "2", 32_000),
    ],
)
def test_moderated(
    client: httpx.Client, sim: FalSimulator, params: dict[str, Any], header: str | None, charged: int
) -> None:
    sim.fault("moderated", **params)
    accepted = submit(client)
    assert status(client, accepted)["status"] == "COMPLETED"
    answer = client.get(accepted["response_url"])
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "content_policy_violation")
    assert answer.headers.get("x-fal-billable-units") == header
    assert sim.charged_total == Money(charged)


def test_polls(client: httpx.Client, sim: FalSimulator) -> None:
    accepted = submit(client)
    sim.fault("poll_502", times=2)
    sim.fault("status_503_once")
    assert [client.get(accepted["status_url"]).status_code for _ in range(4)] == [502, 502, 503, 200]


def test_results(client: httpx.Client, sim: FalSimulator) -> None:
    accepted = submit(client)
    sim.fault("result_504_once")
    sim.fault("result_gone")
    sim.fault("huge_body", on="other", size=500_000)  # the shared faults reach results and cancels as "other"
    assert status(client, accepted)["status"] == "COMPLETED"
    answers = [client.get(accepted["response_url"]) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [504, 404, 200, 200]
    assert [len(answer.content) > 400_000 for answer in answers] == [False, False, True, False]
    assert len(sim.charges) == 1


def test_downloads(client: httpx.Client, sim: FalSimulator) -> None:
    [link] = result(client, text(client))["images"]
    sim.fault("download_502")
    sim.fault("truncated_download")
    sim.fault("wrong_content_type")
    assert httpx.get(link["url"]).status_code == 502
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        httpx.get(link["url"])
    assert [httpx.get(link["url"]).headers["content-type"] for _ in range(2)] == ["text/html", "image/png"]


@pytest.mark.parametrize(("gone", "codes"), [(False, [404, 200]), (True, [404, 404])])
def test_expired_urls(client: httpx.Client, sim: FalSimulator, gone: bool, codes: list[int]) -> None:
    [link] = result(client, text(client))["images"]
    sim.fault("expired_url", gone=gone)
    assert [httpx.get(link["url"]).status_code for _ in range(2)] == codes


@pytest.mark.parametrize(("params", "charges"), [({}, 0), ({"refund": False}, 1)])
def test_failed_jobs(client: httpx.Client, sim: FalSimulator, params: dict[str, Any], charges: int) -> None:
    sim.fault("job_failed", **params)
    accepted = submit(client)
    assert status(client, accepted)["error_type"] == "runner_disconnected"
    answer = client.get(accepted["response_url"])
    assert (answer.status_code, answer.headers["x-fal-error-type"]) == (503, "runner_disconnected")
    assert answer.json() == {"detail": "Runner disconnected", "error_type": "runner_disconnected"}
    assert answer.headers.get("x-fal-billable-units") == ("2" if charges else None)
    assert len(sim.charges) == charges


@pytest.mark.parametrize("kind", [*REQUEST_ERRORS, *MODEL_ERRORS, "no_media_generated"])
def test_completed_with_each_documented_error(client: httpx.Client, sim: FalSimulator, kind: str) -> None:
    sim.fault("completed_with_error", error_type=kind)
    accepted = submit(client)
    told = status(client, accepted)
    assert told["status"] == "COMPLETED"
    assert told["error"]
    answer = client.get(accepted["response_url"])
    if kind in REQUEST_ERRORS:
        assert (answer.status_code, answer.json()["error_type"]) == (REQUEST_ERRORS[kind], kind)
    else:
        code, retry = MODEL_ERRORS.get(kind, (422, False))
        assert (answer.status_code, answer.json()["detail"][0]["type"]) == (code, kind)
        assert answer.headers["x-fal-retryable"] == str(retry).lower()
        assert answer.headers["x-fal-needs-retry"] == str(int(retry))
    assert sim.charges == []


@pytest.mark.parametrize("where", ["IN_QUEUE", "IN_PROGRESS"])
def test_stuck_jobs(client: httpx.Client, sim: FalSimulator, where: str) -> None:
    sim.fault("job_stuck", times=2, status=where)
    accepted = submit(client)
    sim.advance(10_000)
    assert {status(client, accepted)["status"] for _ in range(5)} == {where}
    assert client.get(accepted["response_url"]).status_code == 400
    assert client.post(f"/run/{SHEET}", json=body()).status_code == 504
    assert client.put(accepted["cancel_url"]).status_code == 202
    assert status(client, accepted)["error_type"] == "client_cancelled"
    assert sim.charges == []


@pytest.mark.parametrize(("where", "told"), [("IN_QUEUE", "startup_timeout"), ("IN_PROGRESS", None)])
def test_a_start_deadline_ends_what_is_stuck_in_the_queue(
    client: httpx.Client, sim: FalSimulator, where: str, told: str | None
) -> None:
    sim.fault("job_stuck", status=where)
    accepted = client.post(f"/{SHEET}", json=body(), headers={"X-Fal-Request-Timeout": "5"}).json()
    assert status(client, accepted)["status"] == where
    sim.advance(6)
    assert status(client, accepted).get("error_type") == told
    assert sim.charges == []


def test_url_only(client: httpx.Client, sim: FalSimulator) -> None:
    sim.fault("url_only")
    [link] = result(client, text(client, sync_mode=True))["images"]
    assert link["url"].startswith(sim.url)


@pytest.mark.parametrize(("fault", "left"), [("empty_images", 0), ("fewer_images", 1), ("truncated_image", 2)])
def test_images(client: httpx.Client, sim: FalSimulator, fault: str, left: int) -> None:
    sim.fault(fault)
    links = result(client, text(client, num_images=2))["images"]
    assert len(links) == left
    if fault == "truncated_image":
        with pytest.raises((OSError, SyntaxError)):
            opened(links[0]).load()
    assert sim.charged_total == Money(20_000)


@pytest.mark.parametrize(("params", "size"), [({}, (1024, 1024)), ({"width": 100, "height": 90}, (100, 90))])
def test_wrong_size(client: httpx.Client, sim: FalSimulator, params: dict[str, Any], size: tuple[int, int]) -> None:
    sim.fault("wrong_size", **params)
    [link] = result(client, text(client, image_size="square"))["images"]
    assert opened(link).size == (link["width"], link["height"]) == size


def test_foreign_hosts(client: httpx.Client, sim: FalSimulator) -> None:
    sim.fault("evil_url", url="http://evil.invalid/a.png")
    sim.fault("foreign_status_url")
    assert result(client, text(client))["images"][0]["url"] == "http://evil.invalid/a.png"
    accepted = text(client)
    for name in ("status_url", "response_url", "cancel_url"):
        assert accepted[name].startswith("http://evil.invalid/fal-ai/flux-2/requests/")
    assert client.get(f"/fal-ai/flux-2/requests/{accepted['request_id']}").status_code == 200


def test_a_bare_submit(client: httpx.Client, sim: FalSimulator) -> None:
    sim.fault("bare_submit")
    assert set(submit(client)) == {"request_id", "gateway_request_id"}


def test_odd_statuses(client: httpx.Client, sim: FalSimulator) -> None:
    accepted = submit(client)
    sim.fault("bare_status")
    sim.fault("unknown_status", status="CANCELED")
    assert not {"queue_position", "logs", "metrics"} & set(status(client, accepted))
    assert status(client, accepted)["status"] == "CANCELED"
    sim.fault("unknown_status", times=2)
    assert client.get(accepted["status_url"] + "/stream").status_code == 200
    assert status(client, accepted)["status"] == "FAILED"


def test_backwards(client: httpx.Client, sim: FalSimulator) -> None:
    sim.fault("backwards_status")
    accepted = submit(client)
    assert len(sim.charges) == 1  # reading the books is no look of a client
    told = [status(client, accepted) for _ in range(4)]
    assert [each["status"] for each in told] == ["IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert told[1]["queue_position"] == 0
    assert len(sim.charges) == 1


def test_a_cancel_that_comes_too_late() -> None:
    with FalSimulator(job_seconds=60) as sim, client_of(sim) as client:
        sim.fault("cancel_race")
        accepted = submit(client)
        answer = client.put(accepted["cancel_url"])
        assert (answer.status_code, answer.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
        sim.advance(61)
        answer = client.get(accepted["response_url"])
        assert (answer.status_code, answer.headers["x-fal-billable-units"]) == (200, "2")
        assert len(sim.charges) == 1


def test_outputs_that_need_a_second_look(client: httpx.Client, sim: FalSimulator) -> None:
    sim.fault("nsfw_black")
    found = result(client, text(client, num_images=2))
    assert found["has_nsfw_concepts"] == [True, True]
    assert not np.asarray(opened(found["images"][1])).any()
    sim.fault("huge_seed")
    assert result(client, text(client))["seed"] == 196619188014358660
    sim.fault("missing_units")
    assert "x-fal-billable-units" not in client.get(text(client)["response_url"]).headers
    sim.fault("missing_keys")
    found = result(client, text(client))
    assert (set(found), set(found["images"][0])) == ({"images"}, {"url"})
    assert len(sim.charges) == 4


def test_faults_of_other_requests_and_wrong_names(client: httpx.Client, sim: FalSimulator) -> None:
    paths = {
        "quote": f"/v1/models/pricing?endpoint_id={SHEET}",
        "balance": "/v1/account/billing",
        "list": f"/v1/models/requests/by-endpoint?endpoint_id={SHEET}",
        "styles": "/v1/models",
    }
    for kind, path in paths.items():
        sim.fault("server_error", on=kind)
        assert [client.get(path).status_code for _ in range(2)] == [500, 200]
    sim.fault("server_error", on="other")
    assert [client.post("/storage/auth/token").status_code for _ in range(2)] == [500, 200]
    with pytest.raises(ValueError, match="nsfw_black"):
        sim.fault("nonsense")
    with pytest.raises(ValueError, match="error_type"):
        sim.fault("completed_with_error", code=1)
