"""Every fault of the simulator, seen over a real socket, and what it did to the money."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from pixelrouter.testing import Faults, RetroDiffusionSimulator
from pixelrouter.types import Money
from tests.testing.simulator_asking import body, code, pictures, result, submit, task

TESTED_HERE = {  # each fault and its test, so that a new one cannot come without
    Faults.LOSE_REPLY: "lost", Faults.LOSE_BEFORE: "lost", Faults.LATE: "late", Faults.RATE_LIMIT: "refusals",
    Faults.NO_BALANCE: "refusals", Faults.MODERATED: "refusals", Faults.OVERLOADED: "refusals",
    Faults.SERVER_ERROR: "refusals", Faults.BAD_GATEWAY_BEFORE: "gateway", Faults.BAD_GATEWAY_HTML: "gateway",
    Faults.POLL_502: "poll", Faults.DOWNLOAD_502: "download", Faults.EXPIRED_URL: "expired",
    Faults.TRUNCATED_DOWNLOAD: "download", Faults.REDIRECT: "redirect", Faults.GARBAGE_JSON: "garbage",
    Faults.SLOW_DRIP: "drip", Faults.HUGE_BODY: "huge", Faults.JOB_FAILED: "failed", Faults.JOB_STUCK: "stuck",
    Faults.URL_ONLY: "url", Faults.TRUNCATED_IMAGE: "truncated", Faults.EMPTY_IMAGES: "fewer",
    Faults.FEWER_IMAGES: "fewer", Faults.WRONG_SIZE: "size", Faults.EVIL_URL: "evil",
}  # fmt: skip


def test_every_fault_is_tested() -> None:
    assert set(TESTED_HERE) == set(Faults)


@pytest.mark.parametrize(
    ("fault", "charges"), [("lose_reply", 1), ("lose_before", 0)], ids=["after the charge", "before the charge"]
)
@pytest.mark.parametrize(("reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_lost(
    client: httpx.Client, sim: RetroDiffusionSimulator, fault: str, charges: int, reset: bool, error: type[Exception]
) -> None:
    sim.fault(fault, reset=reset)
    with pytest.raises(error):
        submit(client, key="k")
    assert (len(sim.charges), sim.paid_posts) == (charges, 1)
    assert submit(client, key="k").status_code == 200  # the same key finds the job, or buys it now
    assert len(sim.charges) == 1


def test_a_lost_job_is_in_the_vendors_lists(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("lose_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v1/inferences", json=body())
    [item] = client.get("/v2/inferences/requests").json()["items"]
    assert (item["status"], item["charged"], item["mode"]) == ("succeeded", True, "sync")
    assert httpx.get(item["outputs"][0]["url"]).content.startswith(b"\x89PNG")


def test_late(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("late", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v2/inferences", json=body(), timeout=0.2)
    assert len(sim.charges) == 1  # and the fixture stops the simulator without waiting out the 30 s


@pytest.mark.parametrize(
    ("fault", "params", "new", "old"),
    [
        ("rate_limit", {"retry_after": 7}, (429, "rate_limited"), 429),
        ("no_balance", {}, (402, "not_enough_balance"), 400),
        ("moderated", {}, (403, "generation_rejected"), 403),
        ("overloaded", {}, (503, "durable_dispatch_unavailable"), 503),
        ("server_error", {}, (500, "internal_error"), 500),
    ],
)
def test_refusals_cost_nothing(
    client: httpx.Client,
    sim: RetroDiffusionSimulator,
    fault: str,
    params: dict[str, Any],
    new: tuple[int, str],
    old: int,
) -> None:
    sim.fault(fault, times=2, **params)
    answer = submit(client)
    assert (answer.status_code, code(answer)) == new
    assert answer.headers.get("Retry-After") == {"rate_limit": "7", "overloaded": "3"}.get(fault)
    first = client.post("/v1/inferences", json=body())
    assert first.status_code == old
    assert "detail" in first.json()
    assert (len(sim.charges), sim.paid_posts) == (0, 2)
    assert submit(client).status_code == 200


def test_refusals_by_date_and_without_a_hint(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("rate_limit", retry_after=60, http_date=True)
    sim.fault("rate_limit", retry_after=None)
    answer = submit(client)
    wait = parsedate_to_datetime(answer.headers["Retry-After"]) - parsedate_to_datetime(answer.headers["Date"])
    assert 59 <= wait.total_seconds() <= 61
    assert "Retry-After" not in submit(client).headers


def test_a_server_error_after_the_charge(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("server_error", charged=True)
    assert submit(client).status_code == 500
    assert len(sim.charges) == 1


@pytest.mark.parametrize(("fault", "charges"), [("bad_gateway_html", 1), ("bad_gateway_before", 0)])
def test_gateway(client: httpx.Client, sim: RetroDiffusionSimulator, fault: str, charges: int) -> None:
    sim.fault(fault)
    answer = submit(client)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert "nginx" in answer.text
    assert len(sim.charges) == len(client.get("/v2/inferences/tasks").json()["tasks"]) == charges


def test_poll_502(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    accepted = submit(client)
    sim.fault("poll_502", times=2)
    url = f"/v2/inferences/tasks/{accepted.json()['task_id']}"
    assert [client.get(url).status_code for _ in range(3)] == [502, 502, 200]


def test_download_faults(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    [url] = result(client, upload_outputs=True)["output_urls"]
    sim.fault("download_502")
    sim.fault("truncated_download")
    assert client.get(url).status_code == 502
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get(url)
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("gone", [False, True])
def test_expired_urls(client: httpx.Client, sim: RetroDiffusionSimulator, gone: bool) -> None:
    found = result(client, upload_outputs=True)
    sim.fault("expired_url", gone=gone)
    [url] = found["output_urls"]
    assert [client.get(url).status_code for _ in range(2)] == [403, 403]  # expired once is expired for good
    [output] = client.get(f"/v2/inferences/requests/{found['request_id']}").json()["outputs"]
    assert output["available"] is not gone
    if not gone:
        assert client.get(output["url"]).status_code == 200


def test_redirect(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("redirect", location="http://other.invalid/x")
    answer = submit(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://other.invalid/x")
    assert sim.charges == []


def test_garbage_json(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("garbage_json")
    answer = submit(client)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(ValueError):
        answer.json()
    assert len(sim.charges) == 1


def test_slow_drip(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("slow_drip", chunk=8, delay=0.001)
    with client.stream("POST", "/v2/inferences", json=body()) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 1
    assert b"accepted" in b"".join(pieces)


def test_huge_body(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("huge_body", size=3_000_000)
    answer = submit(client)
    assert len(answer.content) == 3_000_000
    assert answer.json()["status"] == "accepted"
    sim.fault("huge_body", size=1 << 40)
    with client.stream("POST", "/v2/inferences", json=body()) as answer:
        assert answer.headers["Content-Length"] == str(1 << 40)  # leaving now must not hold the simulator up


def test_job_failed_in_both_versions(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("job_failed", times=2)
    accepted = submit(client)
    new, old = task(client, accepted), task(client, accepted, "v1")
    assert (new["status"], "result" in new) == ("failed", False)
    assert new["error"] == {
        "status_code": 502,
        "code": "inference_failed",
        "message": "Inference failed.",
        "request_id": accepted.json()["request_id"],
    }
    detail = {"code": "inference_failed", "message": "Unable to run inference."}
    assert old["error"] == {"status_code": 500, "detail": detail}
    sync = client.post("/v1/inferences", json=body())
    assert (sync.status_code, sync.json()) == (500, {"detail": detail})
    assert [charge.refunded for charge in sim.charges] == [True, True]
    assert sim.charged_total == Money(0)


def test_job_stuck(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("job_stuck", times=2)
    accepted = submit(client)
    sim.advance(10_000)
    assert task(client, accepted)["status"] == "running"
    assert client.post("/v1/inferences", json=body()).status_code == 502
    assert [charge.refunded for charge in sim.charges] == [False, False]


def test_url_only(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("url_only")
    found = result(client, num_images=2)
    assert (found["base64_images"], len(found["output_urls"])) == ([], 2)
    assert all(url.startswith(sim.url) for url in found["output_urls"])
    assert len({client.get(url).content for url in found["output_urls"]}) == 2
    again = client.get(f"/v2/inferences/tasks/{found['request_id']}").json()
    assert again["result"]["output_urls"] == found["output_urls"]


def test_truncated_image(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("truncated_image")
    [picture] = pictures(result(client))
    with pytest.raises((OSError, SyntaxError)):
        picture.load()


@pytest.mark.parametrize(("fault", "left"), [("empty_images", 0), ("fewer_images", 2)])
def test_fewer_images_at_the_full_price(
    client: httpx.Client, sim: RetroDiffusionSimulator, fault: str, left: int
) -> None:
    sim.fault(fault)
    found = result(client, num_images=3)
    assert (len(found["base64_images"]), found["balance_cost"]) == (left, 0.076)
    assert sim.charged_total == Money.of("0.076")


def test_wrong_size(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("wrong_size")
    sim.fault("wrong_size", width=17, height=5)
    assert [pictures(result(client))[0].size for _ in range(2)] == [(96, 64), (17, 5)]


def test_evil_url(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("evil_url", url="http://evil.invalid/a.png")
    found = result(client)
    assert (found["base64_images"], found["output_urls"]) == ([], ["http://evil.invalid/a.png"])


def test_faults_wait_for_the_request_they_are_meant_for(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("rate_limit", on="balance")
    sim.fault("garbage_json", on="poll")
    sim.fault("rate_limit", on="quote")
    sim.fault("job_failed")
    sim.fault("url_only")
    first, second = submit(client), submit(client)
    assert client.get("/v2/inferences/credits").status_code == 429
    assert submit(client, check_cost=True).status_code == 429
    assert client.get(f"/v2/inferences/tasks/{first.json()['task_id']}").text == '{"status":"acc'
    assert [task(client, each)["status"] for each in (first, second)] == ["failed", "succeeded"]
    assert task(client, second)["result"]["base64_images"] == []
    assert len(sim.faults) == 0


def test_a_replay_uses_up_no_job_fault(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    submit(client, key="k")
    sim.fault("job_failed")
    assert task(client, submit(client, key="k"))["status"] == "succeeded"
    assert task(client, submit(client, key="l"))["status"] == "failed"


@pytest.mark.parametrize(
    ("name", "times", "params", "message"),
    [
        ("lost_reply", 1, {}, "no fault named 'lost_reply'; there are: lose_before"),
        ("late", 1, {"minutes": 1}, "late takes no minutes; it takes: seconds"),
        ("no_balance", 1, {"x": 1}, "it takes: nothing"),
        ("late", 0, {}, "at least once"),
        ("late", 1, {"on": "pol"}, "no kind of request named 'pol'"),
        ("job_failed", 1, {"on": "poll"}, "takes no on="),
    ],
)
def test_mistakes_in_a_fault_are_told(
    sim: RetroDiffusionSimulator, name: str, times: int, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sim.fault(name, times, **params)
