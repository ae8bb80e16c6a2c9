"""Every route of the Retro Diffusion simulator, in both versions, with the vendor's quirks of authentication."""

from __future__ import annotations

import uuid
from datetime import datetime

import httpx
import pytest

from pixelrouter.testing import RetroDiffusionSimulator
from tests.testing.simulator_asking import body, code, result, submit, task

ROUTES = [
    ("POST", "/inferences"),
    ("GET", "/inferences/credits"),
    ("GET", "/inferences/tasks"),
    ("GET", "/inferences/tasks/nothing"),
    ("GET", "/styles/selector"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_v1_without_a_token_is_a_validation_error(sim: RetroDiffusionSimulator, method: str, path: str) -> None:
    answer = httpx.request(method, f"{sim.url}/v1{path}", json=body() if method == "POST" else None)
    expected = [{"loc": ["header", "X-RD-Token"], "msg": "field required", "type": "value_error.missing"}]
    assert (answer.status_code, answer.json()) == (422, {"detail": expected})


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_v1_with_a_bad_token(sim: RetroDiffusionSimulator, method: str, path: str) -> None:
    answer = httpx.request(method, f"{sim.url}/v1{path}", headers={"X-RD-Token": "rdpk-other"})
    assert answer.status_code == (403 if path.endswith("credits") else 401)
    assert answer.json() == {"detail": "Invalid or expired API token"}


@pytest.mark.parametrize("headers", [{}, {"X-RD-Token": "rdpk-other"}])
@pytest.mark.parametrize(
    ("method", "path"), [*ROUTES, ("GET", "/inferences/requests"), ("GET", "/inferences/requests/x")]
)
def test_v2_without_a_good_token(sim: RetroDiffusionSimulator, method: str, path: str, headers: dict[str, str]) -> None:
    answer = httpx.request(method, f"{sim.url}/v2{path}", headers=headers)
    assert (answer.status_code, code(answer)) == (401, "invalid_token")
    assert sim.charges == []


@pytest.mark.parametrize("path", ["/nothing", "/inferences/", "/inferences/legacy", "/inferences/tasks/a/b"])
def test_v2_unknown_routes(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/v2{path}")
    assert (answer.status_code, code(answer)) == (404, "not_found")


@pytest.mark.parametrize("path", ["/nothing", "/inferences/requests", "/inferences/requests/x"])
def test_v1_unknown_routes(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/v1{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_wrong_methods(client: httpx.Client) -> None:
    old = client.delete("/v1/inferences")
    assert (old.status_code, old.json(), old.headers["Allow"]) == (405, {"detail": "Method Not Allowed"}, "POST")
    new = client.patch("/v2/inferences/credits")
    assert (new.status_code, code(new)) == (405, "method_not_allowed")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_status_needs_no_token(sim: RetroDiffusionSimulator, version: str) -> None:
    answer = httpx.get(f"{sim.url}/{version}/status").json()
    assert answer["status"]["rd_fast"] == "ok"
    assert isinstance(answer["updated_at"], int)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_credits(client: httpx.Client, version: str) -> None:
    submit(client)
    assert client.get(f"/{version}/inferences/credits").json() == {"credits": 0, "balance": 9.975}


def test_the_legacy_endpoint_is_gone(client: httpx.Client) -> None:
    answer = client.post("/v1/inferences/legacy", json={})
    assert answer.status_code == 410
    assert set(answer.json()["detail"][0]) == {"msg", "migration_guide", "new_endpoint"}


def test_the_selector_has_the_real_quirks(client: httpx.Client) -> None:
    answer = client.get("/v2/styles/selector", params={"model": "rd_pro"}).json()
    assert (answer["models"], len(answer["tabs"])) == (["rd_pro"], 4)
    items = {item["prompt_style"]: item for item in answer["styles"]}
    assert {item["required_model"] for item in items.values()} == {"rd_pro", None}
    assert any(item["group_id"] == "Testing" for item in items.values())
    assert items["rd_pro__default"]["require_input_image"] is None
    assert items["rd_pro__pixelate"]["require_input_image"] is True
    assert (items["rd_pro__default"]["min_width"], items["rd_pro__ui_panel"]["min_width"]) == (12, 256)
    tiles = client.get("/v1/styles/selector", params={"tab": "tab:tileset"}).json()["styles"]
    assert {item["required_tab"] for item in tiles} == {"tab:tileset"}


def test_v1_is_synchronous_unless_asked(client: httpx.Client) -> None:
    answer = client.post("/v1/inferences", json=body())
    found = answer.json()
    assert uuid.UUID(answer.headers["X-RD-Request-ID"])
    assert (len(found["base64_images"]), found["model"], found["balance_cost"]) == (1, "rd_plus", 0.025)
    assert isinstance(found["created_at"], int)
    assert found["remaining_balance"] == 9.975
    queued = client.post("/v1/inferences", json=body(**{"async": True}))
    assert queued.json()["status"] == "accepted"
    done = task(client, queued, "v1")
    assert done["status"] == "succeeded"
    assert isinstance(done["created_at"], int)


def test_v2_is_always_queued(client: httpx.Client) -> None:
    accepted = submit(client)
    assert accepted.json()["request_id"] == accepted.json()["task_id"]
    done = task(client, accepted)
    assert datetime.fromisoformat(done["result"]["created_at"])
    assert done["result"]["request_id"] == accepted.json()["request_id"]
    assert "error" not in done


@pytest.mark.parametrize(("written", "kind"), [("int", int), ("iso", str)])
def test_created_at_is_switchable(written: str, kind: type) -> None:
    with (
        RetroDiffusionSimulator(created_at=written) as sim,  # type: ignore[arg-type]  # a parameter of the test
        httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}) as client,
    ):
        assert isinstance(result(client)["created_at"], kind)
        assert isinstance(client.post("/v1/inferences", json=body()).json()["created_at"], kind)


def test_a_job_takes_its_polls_and_its_time() -> None:
    with (
        RetroDiffusionSimulator(job_seconds=60, polls=2) as sim,
        httpx.Client(base_url=sim.url, headers={"X-RD-Token": "rdpk-sim-1"}) as client,
    ):
        accepted = submit(client)
        assert [task(client, accepted)["status"] for _ in range(3)] == ["running"] * 3
        assert "result" not in task(client, accepted)
        sim.advance(61)
        assert task(client, accepted)["status"] == "succeeded"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_unknown_and_synchronous_tasks_cannot_be_polled(client: httpx.Client, version: str) -> None:
    sync = client.post("/v1/inferences", json=body()).headers["X-RD-Request-ID"]
    for unknown in ("nothing", sync):
        assert client.get(f"/{version}/inferences/tasks/{unknown}").status_code == 404


def test_the_task_list(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    first, second = submit(client), submit(client, seed=8)
    sim.fault("job_failed")
    third = submit(client, seed=9)
    client.post("/v1/inferences", json=body())
    ids = [each.json()["task_id"] for each in (third, second, first)]
    tasks = client.get("/v2/inferences/tasks").json()["tasks"]
    assert [each["task_id"] for each in tasks] == ids
    assert tasks[0]["result"] is None
    assert tasks[1]["error"] is None
    assert [each["task_id"] for each in client.get("/v1/inferences/tasks?limit=2").json()["tasks"]] == ids[:2]
    assert len(client.get("/v2/inferences/tasks?status=succeeded").json()["tasks"]) == 2
    for wrong in ("limit=0", "limit=101", "limit=x", "status=queued"):
        assert client.get(f"/v2/inferences/tasks?{wrong}").status_code == 422


def test_api_activity_lists_synchronous_calls_too_and_pages(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    queued = submit(client).json()["request_id"]
    sync = client.post("/v1/inferences", json=body()).headers["X-RD-Request-ID"]
    first = client.get("/v2/inferences/requests?limit=1").json()
    assert [(item["request_id"], item["mode"]) for item in first["items"]] == [(sync, "sync")]
    last = client.get("/v2/inferences/requests", params={"cursor": first["next_cursor"]}).json()
    assert [item["request_id"] for item in last["items"]] == [queued]
    assert last["next_cursor"] is None
    assert code(client.get("/v2/inferences/requests?cursor=zzz")) == "invalid_cursor"
    assert code(client.get("/v2/inferences/requests/nothing")) == "api_activity_not_found"
    sim.fault("job_stuck")
    submit(client)
    assert len(client.get("/v2/inferences/requests?status=running").json()["items"]) == 1


def test_api_activity_signs_anew_and_forgets_after_a_day(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    found = result(client, upload_outputs=True)
    assert found["base64_images"] == []
    [old] = found["output_urls"]
    item = f"/v2/inferences/requests/{found['request_id']}"
    assert httpx.get(old).headers["Content-Type"] == "image/png"
    sim.advance(16 * 60)
    assert httpx.get(old).status_code == 403
    [output] = client.get(item).json()["outputs"]
    assert output["url"] != old
    assert httpx.get(output["url"]).content.startswith(b"\x89PNG")
    sim.advance(24 * 3600)
    assert httpx.get(output["url"]).status_code == 403
    gone = client.get(item).json()
    assert (gone["output_status"], gone["outputs"][0]["available"]) == ("unavailable", False)
    assert "url" not in gone["outputs"][0]


def test_outputs_need_their_own_signature(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    [url] = result(client, upload_outputs=True)["output_urls"]
    assert httpx.get(url.split("?")[0]).status_code == 403
    assert httpx.get(f"{sim.url}/_outputs/nothing.png?sig=x").status_code == 404
