"""Every fault of the Replicate simulator, seen over a real socket, and what it did to the money."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator import Faults
from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from pixelrouter.types import Money
from tests.testing.replicate.asking import asker, finished, made, pictures, poll, problem, submit

TESTED_HERE = {  # each fault and its test, so that a new one cannot come without
    Faults.LOSE_REPLY: "lost", Faults.LOSE_BEFORE: "lost", Faults.LATE: "late", Faults.RATE_LIMIT: "refusals",
    Faults.NO_BALANCE: "refusals", Faults.MODERATED: "failed", Faults.OVERLOADED: "refusals",
    Faults.SERVER_ERROR: "server_error", Faults.BAD_GATEWAY_BEFORE: "gateway", Faults.BAD_GATEWAY_HTML: "gateway",
    Faults.POLL_502: "poll", Faults.DOWNLOAD_502: "download", Faults.EXPIRED_URL: "expired",
    Faults.TRUNCATED_DOWNLOAD: "download", Faults.REDIRECT: "redirect", Faults.GARBAGE_JSON: "garbage",
    Faults.SLOW_DRIP: "drip", Faults.HUGE_BODY: "huge", Faults.JOB_FAILED: "failed", Faults.JOB_STUCK: "stuck",
    Faults.URL_ONLY: "url", Faults.TRUNCATED_IMAGE: "truncated", Faults.EMPTY_IMAGES: "fewer",
    Faults.FEWER_IMAGES: "fewer", Faults.WRONG_SIZE: "size", Faults.EVIL_URL: "evil",
    "low_credit_429": "refusals", "aborted": "aborted", "starting_forever": "stuck", "data_uri": "data_uri",
    "processing_with_output": "processing", "unknown_status": "unknown",
}  # fmt: skip
PRICE = Money.of("0.017")


def test_every_fault_is_tested() -> None:
    assert set(TESTED_HERE) == set(Faults) | set(ReplicateSimulator.vendor_faults)


@pytest.mark.parametrize(("fault", "charges"), [("lose_reply", 1), ("lose_before", 0)])
@pytest.mark.parametrize(("reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_lost(
    client: httpx.Client, sim: ReplicateSimulator, fault: str, charges: int, reset: bool, error: type[Exception]
) -> None:
    sim.fault(fault, reset=reset)
    with pytest.raises(error):
        submit(client, seed=4711)
    assert (len(sim.charges), sim.paid_posts) == (charges, 1)
    found = client.get("/v1/predictions").json()["results"]
    assert [each["input"]["seed"] for each in found] == [4711] * charges  # the way back to a lost one
    if found:
        assert len(pictures(client, found[0])) == 1


def test_late(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("late", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/models/retro-diffusion/rd-fast/predictions", json={"input": {"prompt": "x"}}, timeout=0.2)
    assert len(sim.charges) == 1  # and the fixture stops the simulator without waiting out the 30 s


@pytest.mark.parametrize(
    ("fault", "params", "expected", "retry_after"),
    [
        ("rate_limit", {"retry_after": 7}, (429, None), "7"),
        ("rate_limit", {"retry_after": None}, (429, None), None),
        ("low_credit_429", {}, (429, None), "10"),
        ("no_balance", {}, (402, "Insufficient credit"), None),
        ("overloaded", {}, (503, None), "3"),
    ],
)
def test_refusals_cost_nothing(
    client: httpx.Client,
    sim: ReplicateSimulator,
    fault: str,
    params: dict[str, Any],
    expected: tuple[int, str | None],
    retry_after: str | None,
) -> None:
    sim.fault(fault, **params)
    answer = submit(client)
    assert problem(answer) == expected
    assert answer.headers.get("Retry-After") == retry_after
    assert ("in credit" in answer.json()["detail"]) == (fault == "low_credit_429")
    assert (len(sim.charges), sim.paid_posts) == (0, 1)
    assert client.get("/v1/predictions").json()["results"] == []
    assert submit(client).status_code == 201


def test_a_rate_limit_by_date(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("rate_limit", retry_after=60, http_date=True)
    answer = submit(client)
    wait = parsedate_to_datetime(answer.headers["Retry-After"]) - parsedate_to_datetime(answer.headers["Date"])
    assert 59 <= wait.total_seconds() <= 61


@pytest.mark.parametrize("charged", [False, True])
def test_server_error(client: httpx.Client, sim: ReplicateSimulator, charged: bool) -> None:
    sim.fault("server_error", charged=charged)
    answer = submit(client)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
    assert len(sim.charges) == charged


@pytest.mark.parametrize(("fault", "charges"), [("bad_gateway_html", 1), ("bad_gateway_before", 0)])
def test_gateway(client: httpx.Client, sim: ReplicateSimulator, fault: str, charges: int) -> None:
    sim.fault(fault)
    answer = submit(client)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert len(sim.charges) == len(client.get("/v1/predictions").json()["results"]) == charges


def test_poll_502(client: httpx.Client, sim: ReplicateSimulator) -> None:
    first = made(submit(client))
    sim.fault("poll_502", times=2)
    assert [client.get(first["urls"]["get"]).status_code for _ in range(3)] == [502, 502, 200]


def test_download_faults(client: httpx.Client, sim: ReplicateSimulator) -> None:
    [url] = finished(client)["output"]
    sim.fault("download_502")
    sim.fault("truncated_download")
    assert client.get(url).status_code == 502
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get(url)
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("gone", [False, True])
def test_expired_urls(client: httpx.Client, sim: ReplicateSimulator, gone: bool) -> None:
    done = finished(client)
    sim.fault("expired_url", gone=gone)
    assert [client.get(done["output"][0]).status_code for _ in range(2)] == [404, 404]
    again = poll(client, done)
    assert (again["data_removed"], again["output"]) == ((True, None) if gone else (False, done["output"]))


def test_redirect(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("redirect", location="http://evil.invalid/")
    answer = submit(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://evil.invalid/")
    assert sim.charges == []


def test_garbage_json(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("garbage_json")
    answer = submit(client)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated string"):
        answer.json()
    assert len(sim.charges) == 1


def test_slow_drip_and_huge_body(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("slow_drip", chunk=64, delay=0.001)
    assert made(submit(client))["status"] == "starting"
    sim.fault("huge_body", size=2_000_000)
    assert len(submit(client).content) == 2_000_000
    assert len(sim.charges) == 2


@pytest.mark.parametrize(
    ("fault", "params", "error"),
    [
        ("job_failed", {}, "inference_failed"),
        ("job_failed", {"code": "E1001"}, "E1001"),
        ("moderated", {}, "NSFW content detected. Try running it again, or try a different prompt."),
        ("moderated", {"error": "flagged"}, "flagged"),
    ],
)
@pytest.mark.parametrize("wait", [None, 5])
@pytest.mark.parametrize("refund", [True, False])
def test_failed(
    client: httpx.Client,
    sim: ReplicateSimulator,
    fault: str,
    params: dict[str, Any],
    error: str,
    wait: int | None,
    refund: bool,
) -> None:
    sim.fault(fault, refund=refund, **params)
    answer = submit(client, wait=wait)
    assert answer.status_code == 201
    done = made(answer) if wait else poll(client, made(answer))
    assert (done["status"], done["output"], done["error"]) == ("failed", None, error)
    assert done["completed_at"]
    assert len(sim.charges) == (0 if refund else 1)


@pytest.mark.parametrize(("fault", "status"), [(Faults.JOB_STUCK, "processing"), ("starting_forever", "starting")])
def test_stuck(client: httpx.Client, sim: ReplicateSimulator, fault: str, status: str) -> None:
    sim.fault(fault)
    first = made(submit(client, wait=60))
    sim.advance(100_000)
    assert [poll(client, first)["status"] for _ in range(3)] == [status] * 3
    assert sim.charges == []
    assert client.post(first["urls"]["cancel"]).json()["status"] == "canceled"
    assert sim.charged_total == PRICE


@pytest.mark.parametrize(
    ("fault", "status", "charges"), [(Faults.JOB_STUCK, "canceled", 1), ("starting_forever", "aborted", 0)]
)
def test_a_deadline_ends_what_is_stuck(
    client: httpx.Client, sim: ReplicateSimulator, fault: str, status: str, charges: int
) -> None:
    sim.fault(fault)
    first = made(submit(client, life="5s"))
    sim.advance(6)
    assert (poll(client, first)["status"], len(sim.charges)) == (status, charges)


@pytest.mark.parametrize("wait", [None, 5])
def test_aborted(client: httpx.Client, sim: ReplicateSimulator, wait: int | None) -> None:
    sim.fault("aborted")
    done = poll(client, made(submit(client, wait=wait)))
    assert (done["status"], done["started_at"], done["error"]) == ("aborted", None, None)
    assert sim.charges == []


def test_unknown_status(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("unknown_status", status="paused")
    first = made(submit(client))
    assert first["status"] == poll(client, first)["status"] == "paused"
    assert poll(client, first)["output"] is None
    assert sim.charged_total == PRICE


def test_processing_with_output(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("processing_with_output", answers=2)
    answer = submit(client, wait=5, num_images=3)
    first = made(answer)
    assert (answer.status_code, first["status"], len(first["output"])) == (202, "processing", 2)
    assert not first.keys() & {"metrics", "completed_at"}
    polls = [poll(client, first) for _ in range(2)]
    assert [(each["status"], len(each["output"])) for each in polls] == [("processing", 2), ("succeeded", 3)]
    assert polls[1]["output"][:2] == first["output"]


def test_data_uri(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("data_uri")
    [output] = finished(client)["output"]
    assert output.startswith("data:image/png;base64,iVBOR")


def test_url_only() -> None:
    with ReplicateSimulator(sync_shape="2024") as sim, asker(sim) as client:
        sim.fault("url_only")
        first = made(submit(client, wait=5))
        assert (first["status"], first["output"][0][:5]) == ("succeeded", "http:")


@pytest.mark.parametrize(("fault", "count"), [("empty_images", 0), ("fewer_images", 1)])
def test_fewer(client: httpx.Client, sim: ReplicateSimulator, fault: str, count: int) -> None:
    sim.fault(fault)
    assert len(finished(client, num_images=2)["output"]) == count
    assert sim.charged_total == Money.of("0.035")  # of both


def test_truncated_image(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("truncated_image")
    [image] = pictures(client, finished(client))
    with pytest.raises(OSError, match="truncated"):
        image.load()


def test_wrong_size(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("wrong_size", width=70)
    assert [image.size for image in pictures(client, finished(client))] == [(70, 128)]


def test_evil_url(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("evil_url", url="http://169.254.169.254/x")
    assert finished(client, num_images=2)["output"] == ["http://169.254.169.254/x"] * 2
    assert len(sim.charges) == 1


def test_faults_wait_for_their_kind(client: httpx.Client, sim: ReplicateSimulator) -> None:
    sim.fault("bad_gateway_before", on="list")
    first = made(submit(client))
    assert poll(client, first)["status"] == "succeeded"
    assert client.get("/v1/predictions").status_code == 502


def test_a_wrong_parameter_is_told(sim: ReplicateSimulator) -> None:
    with pytest.raises(ValueError, match="it takes: error, refund"):
        sim.fault("moderated", code="x")
    with pytest.raises(ValueError, match="low_credit_429"):
        sim.fault("nonsense")
