"""Every route of the Replicate simulator, and what a prediction looks like in each of its lives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from tests.testing.replicate.asking import KEY, asker, finished, made, order, pictures, poll, problem, submit

REQUIRED = {  # by the published contract
    "id", "model", "version", "input", "output", "data_removed", "error", "status", "created_at", "urls",
}  # fmt: skip


def test_created_then_succeeded(client: httpx.Client, sim: ReplicateSimulator) -> None:
    answer = submit(client)
    first = made(answer)
    assert answer.status_code == 201
    assert first.keys() >= REQUIRED
    assert (first["status"], first["output"], first["version"]) == ("starting", None, "hidden")
    assert (first["model"], first["input"]) == ("retro-diffusion/rd-fast", order())
    assert not first.keys() & {"started_at", "completed_at", "metrics", "deadline"}
    done = poll(client, first)
    assert (done["status"], done["error"], done["data_removed"]) == ("succeeded", None, False)
    assert done["metrics"]["image_output_count"] == 1
    assert done["created_at"] <= done["started_at"] <= done["completed_at"]
    [url] = done["output"]
    assert url.startswith(f"{sim.url}/xezq/")
    assert url.endswith("/output_0.png")
    [image] = pictures(client, done)
    assert (image.format, image.size, image.mode) == ("PNG", (64, 64), "RGB")


@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_tokens(sim: ReplicateSimulator, scheme: str) -> None:
    url = f"{sim.url}/v1/account"
    assert httpx.get(url, headers={"Authorization": f"{scheme} {KEY}"}).json()["username"] == "sim"
    for headers in ({}, {"Authorization": f"{scheme} other"}, {"Authorization": KEY}):
        assert problem(httpx.get(url, headers=headers)) == (401, "Unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/predictions/none", 404),
        ("POST", "/v1/predictions/none/cancel", 404),
        ("GET", "/v1/models/retro-diffusion/rd-pro", 404),
        ("POST", "/v1/models/retro-diffusion/rd-pro/predictions", 404),
        ("GET", "/v1/files/none", 404),
        ("GET", "/v2/account", 404),
        ("DELETE", "/v1/predictions", 405),
        ("GET", "/v1/models/retro-diffusion/rd-fast/predictions", 405),
    ],
)
def test_what_is_not_there(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, json={"input": order()} if method == "POST" else None)
    assert problem(answer) == (status, None)


def test_the_generic_route_takes_a_version(client: httpx.Client) -> None:
    version = client.get("/v1/models/retro-diffusion/rd-fast").json()["latest_version"]["id"]
    for reference in ("retro-diffusion/rd-fast", f"retro-diffusion/rd-fast:{version}", version):
        answer = client.post("/v1/predictions", json={"version": reference, "input": order()})
        assert made(answer)["model"] == "retro-diffusion/rd-fast"
    for body in ({"version": "retro-diffusion/rd-pro", "input": order()}, {"input": order()}):
        assert problem(client.post("/v1/predictions", json=body)) == (422, "Input validation failed")


def test_waiting_in_the_shape_of_2026(client: httpx.Client) -> None:
    answer = submit(client, wait=30)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (201, "wait=30")
    done = made(answer)
    assert (done["status"], done["output"][0][:5]) == ("succeeded", "http:")
    assert poll(client, done) == done


def test_waiting_in_the_shape_of_2024() -> None:
    with ReplicateSimulator(sync_shape="2024") as sim, asker(sim) as client:
        answer = submit(client, wait=30)
        first = made(answer)
        assert (answer.status_code, first["status"]) == (201, "processing")
        assert first["output"][0].startswith("data:image/png;base64,iVBOR")
        assert "metrics" not in first
        done = poll(client, first)
        assert (done["status"], done["output"][0][:5]) == ("succeeded", "http:")


def test_a_wait_lasts_until_the_end() -> None:
    with ReplicateSimulator(job_seconds=0.1) as sim, asker(sim) as client:
        assert made(submit(client, wait=30))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("knobs", "status"),
    [
        ({"job_seconds": 90}, "processing"),
        ({"queue_seconds": 90}, "starting"),
        ({"polls": 1, "job_seconds": 30}, "processing"),
    ],
)
def test_a_wait_that_runs_out(knobs: dict[str, Any], status: str) -> None:
    with ReplicateSimulator(**knobs) as sim, asker(sim) as client:
        answer = submit(client, wait=60)
        first = made(answer)
        assert (answer.status_code, first["status"], first["output"]) == (202, status, None)
        sim.advance(91)
        assert [poll(client, first)["status"] for _ in range(2)][-1] == "succeeded"


@pytest.mark.parametrize(
    ("header", "status"), [("wait", 201), ("respond-async", 201), ("wait=0", 422), ("wait=61", 422)]
)
def test_preferences(client: httpx.Client, header: str, status: int) -> None:
    body = {"input": order()}
    answer = client.post("/v1/models/retro-diffusion/rd-fast/predictions", json=body, headers={"Prefer": header})
    assert answer.status_code == status
    assert answer.headers.get("Preference-Applied") == ("wait" if header == "wait" else None)


def test_polls_find_it_unfinished() -> None:
    with ReplicateSimulator(polls=2) as sim, asker(sim) as client:
        first = made(submit(client))
        assert [poll(client, first)["status"] for _ in range(4)] == ["processing"] * 2 + ["succeeded"] * 2


def test_its_time_passes() -> None:
    with ReplicateSimulator(queue_seconds=10, job_seconds=10) as sim, asker(sim) as client:
        first = made(submit(client))
        seen = [poll(client, first)]
        for _ in range(2):
            sim.advance(10.5)
            seen.append(poll(client, first))
        assert [each["status"] for each in seen] == ["starting", "processing", "succeeded"]
        assert [bool(each["started_at"]) for each in seen] == [False, True, True]
        assert seen[-1]["metrics"] == pytest.approx({"predict_time": 10, "total_time": 20, "image_output_count": 1})


@pytest.mark.parametrize(("life", "seconds"), [("5", 5), ("30s", 30), ("5m", 300), ("2h30m", 9000), ("1h30m45s", 5445)])
def test_deadlines_are_read(client: httpx.Client, life: str, seconds: int) -> None:
    first = made(submit(client, life=life))
    created, deadline = (datetime.fromisoformat(first[name]) for name in ("created_at", "deadline"))
    assert (deadline - created).total_seconds() == pytest.approx(seconds, abs=0.002)


@pytest.mark.parametrize("life", ["4s", "0", "", "soon", "1d", "-5s", "5.5s"])
def test_bad_deadlines(client: httpx.Client, sim: ReplicateSimulator, life: str) -> None:
    assert problem(submit(client, life=life)) == (422, "Input validation failed")
    assert sim.charges == []


def test_cancel_ends_it_once() -> None:
    with ReplicateSimulator(job_seconds=60) as sim, asker(sim) as client:
        first = made(submit(client))
        answers = [client.post(first["urls"]["cancel"]).json() for _ in range(2)]
        assert [each["status"] for each in answers] == ["canceled", "canceled"]
        assert (answers[0]["output"], answers[0]["logs"]) == (None, None)
        assert answers[0]["completed_at"] == answers[1]["completed_at"]
        sim.advance(61)
        assert poll(client, first)["status"] == "canceled"


def test_cancel_leaves_what_has_ended(client: httpx.Client) -> None:
    done = finished(client)
    assert client.post(done["urls"]["cancel"]).json() == done


def test_cancel_comes_too_late_for_what_nobody_saw_end() -> None:
    with ReplicateSimulator(job_seconds=5) as sim, asker(sim) as client:
        first = made(submit(client))
        sim.advance(6)
        assert client.post(first["urls"]["cancel"]).json()["status"] == "succeeded"


def test_data_is_removed_after_an_hour(client: httpx.Client, sim: ReplicateSimulator) -> None:
    done = finished(client)
    sim.advance(3590)
    assert client.get(done["output"][0]).status_code == 200
    sim.advance(11)
    gone = poll(client, done)
    assert (gone["status"], gone["input"], gone["output"], gone["data_removed"]) == ("succeeded", {}, None, True)
    assert client.get(done["output"][0]).status_code == 404
    assert client.get("/v1/predictions").json()["results"] == [gone]


def test_the_list_has_pages(client: httpx.Client, sim: ReplicateSimulator) -> None:
    ids = [made(submit(client, seed=seed))["id"] for seed in range(203)]
    sim.advance(1)
    first = client.get("/v1/predictions").json()
    submit(client, seed=999)  # a later one moves no page
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    pages = [[each["id"] for each in page["results"]] for page in (first, second, third)]
    assert [len(page) for page in pages] == [100, 100, 3]
    assert [each for page in pages for each in page] == ids[::-1]
    assert (first["previous"], third["next"]) == (None, None)
    assert first["next"].startswith(f"{sim.url}/v1/predictions?")
    assert client.get(third["previous"]).json()["results"] == second["results"]
    assert problem(client.get("/v1/predictions?cursor=x"))[0] == 422


def test_the_list_by_time(client: httpx.Client, sim: ReplicateSimulator) -> None:
    made_at = []
    for seed in range(3):
        made_at.append(made(submit(client, seed=seed))["created_at"])
        sim.advance(60)

    def seeds(**query: str) -> list[int]:
        return [each["input"]["seed"] for each in client.get("/v1/predictions", params=query).json()["results"]]

    assert seeds(created_after=made_at[1]) == [2, 1]
    assert seeds(created_before=made_at[1]) == [0]
    assert seeds(created_after=made_at[1], created_before=made_at[2]) == [1]
    assert problem(client.get("/v1/predictions?created_after=yesterday"))[0] == 422
    assert problem(client.get("/v1/predictions?created_after=2026-11-02T09:59:00"))[0] == 422  # no zone


def test_the_pages_keep_the_times(client: httpx.Client, sim: ReplicateSimulator) -> None:
    submit(client, seed=-1)
    sim.advance(60)
    times = [made(submit(client, seed=seed))["created_at"] for seed in range(101)]
    page = client.get("/v1/predictions", params={"created_after": times[0]}).json()
    rest = client.get(page["next"]).json()
    assert ([each["input"]["seed"] for each in rest["results"]], rest["next"]) == ([0], None)


def test_models(client: httpx.Client) -> None:
    model = client.get("/v1/models/retro-diffusion/rd-plus").json()
    inputs = model["latest_version"]["openapi_schema"]["components"]["schemas"]["Input"]
    assert inputs["required"] == ["prompt"]
    width, style = inputs["properties"]["width"], inputs["properties"]["style"]
    assert (width["minimum"], width["maximum"], width["default"]) == (16, 384, 256)
    assert style["enum"][:2] == ["default", "retro"]
    [version] = client.get("/v1/models/retro-diffusion/rd-plus/versions").json()["results"]
    url = f"/v1/models/retro-diffusion/rd-plus/versions/{version['id']}"
    assert client.get(url).json() == version == model["latest_version"]
    assert client.get(f"{url[:-1]}x").status_code == 404


def test_uploads(client: httpx.Client, sim: ReplicateSimulator) -> None:
    form: dict[str, Any] = {
        "content": ("pal.png", b"not empty", "image/png"),
        "metadata": (None, '{"a": 1}', "application/json"),
    }
    answer = client.post("/v1/files", files=form)
    file = answer.json()
    assert (answer.status_code, file["name"], file["content_type"]) == (201, "pal.png", "image/png")
    assert (file["size"], file["metadata"]) == (9, {"a": 1})
    assert client.get(file["urls"]["get"]).json() == file
    assert client.get("/v1/files").json()["results"] == [file]
    other = client.post("/v1/files", files={"content": ("b.png", b"b")}).json()
    assert client.delete(f"/v1/files/{other['id']}").status_code == 204
    assert client.delete(f"/v1/files/{other['id']}").json()["detail"] == "File not found"
    sim.advance(24 * 3600)
    assert client.get(file["urls"]["get"]).status_code == 404
    assert client.get("/v1/files").json()["results"] == []


def test_uploads_that_are_none(client: httpx.Client) -> None:
    assert problem(client.post("/v1/files", files={"other": b"x"}))[0] == 422
    assert problem(client.post("/v1/files", json={"content": "x"}))[0] == 422
    form: dict[str, Any] = {"content": ("a", b"x"), "metadata": (None, "{", "application/json")}
    assert problem(client.post("/v1/files", files=form))[0] == 422


def test_rate_limits() -> None:
    with ReplicateSimulator(creates_per_minute=6) as sim, asker(sim) as client:
        answers = [submit(client) for _ in range(7)]
        assert [answer.headers.get("ratelimit-remaining") for answer in answers[:6]] == ["5", "4", "3", "2", "1", "0"]
        assert problem(answers[6]) == (429, None)
        assert 1 <= int(answers[6].headers["Retry-After"]) == answers[6].json()["retry_after"] <= 10
        assert (sim.paid_posts, len(sim.charges)) == (7, 6)
        sim.advance(10)
        assert submit(client).status_code == 201
        assert client.get("/v1/account").headers["ratelimit-remaining"] == "2999"


def test_outputs_on_a_host_of_their_own() -> None:
    with ReplicateSimulator(output_host="localhost") as sim, asker(sim) as client:
        done = finished(client)
        [url] = done["output"]
        assert url.startswith("http://localhost:")
        assert sim.url.rpartition(":")[2] not in url
        pictures(client, done)
        httpx.get(url, headers={"Authorization": "Bearer leaked"})
        assert [each.headers["authorization"] for each in sim.output_requests] == ["", "Bearer leaked"]
        assert client.get(httpx.URL(url).path).status_code == 404  # not on the API's port
        sim.reset()
        assert sim.output_requests == []


def test_downloads_are_listed(client: httpx.Client, sim: ReplicateSimulator) -> None:
    done = finished(client)
    assert client.get(f"{done['output'][0].replace('output_0', 'output_1')}").status_code == 404
    assert len(sim.output_requests) == 1
