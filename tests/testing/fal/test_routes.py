"""The routes of the fal simulator over real sockets: shapes, status codes, keys, knobs."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.fal import FalSimulator
from tests.testing.fal.asking import HEADERS, KLEIN, SHEET, TEXT, body, data_uri, opened, result, status, submit, text


def client_of(sim: FalSimulator) -> httpx.Client:
    return httpx.Client(base_url=sim.url, headers=HEADERS, timeout=10, verify=False)


def test_submit_status_result(client: httpx.Client, sim: FalSimulator) -> None:
    answer = client.post(f"/{SHEET}", json=body())
    accepted = answer.json()
    base = f"{sim.url}/fal-ai/flux-2/requests/{accepted['request_id']}"
    assert answer.headers["x-fal-request-id"] == accepted["request_id"]
    assert accepted == {
        "status": "IN_QUEUE", "request_id": accepted["request_id"], "gateway_request_id": accepted["request_id"],
        "response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel",
        "queue_position": 0, "logs": None, "metrics": {},
    }  # fmt: skip
    done = client.get(f"{base}/status")
    assert (done.status_code, done.json()["status"]) == (200, "COMPLETED")
    assert "inference_time" in done.json()["metrics"]
    answer = client.get(base)
    found = answer.json()
    assert answer.headers["x-fal-billable-units"] == "2"
    assert {"images", "seed", "prompt", "has_nsfw_concepts", "timings"} == set(found)
    assert (found["seed"], found["has_nsfw_concepts"]) == (41237, [False])
    [link] = found["images"]
    assert (link["width"], link["height"], link["content_type"]) == (512, 512, "image/png")
    assert opened(link).size == (512, 512)
    assert link["file_size"] == len(httpx.get(link["url"]).content)


def test_statuses_and_their_codes() -> None:
    with FalSimulator(polls=3) as sim, client_of(sim) as client:
        accepted = submit(client)
        answers = [client.get(accepted["status_url"], params={"logs": logs}) for logs in ("1", "true", "0", "0")]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 200]
        told = [answer.json() for answer in answers]
        assert [each["status"] for each in told] == ["IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
        assert told[0]["queue_position"] == 0
        assert "queue_position" not in told[1]
        assert (told[0]["logs"], told[1]["logs"][0]["level"], told[2]["logs"]) == (None, "INFO", None)


def test_status_codes_may_all_be_200() -> None:
    with FalSimulator(polls=1, status_code_form="ok") as sim, client_of(sim) as client:
        assert client.get(submit(client)["status_url"]).status_code == 200


def test_time_moves_a_job() -> None:
    with FalSimulator(job_seconds=60) as sim, client_of(sim) as client:
        first, second = submit(client), submit(client)
        assert (first["queue_position"], second["queue_position"]) == (0, 1)
        assert status(client, second)["status"] == "IN_QUEUE"
        sim.advance(31)
        assert status(client, first)["status"] == "IN_PROGRESS"
        early = client.get(first["response_url"])
        assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})
        sim.advance(30)
        assert status(client, first)["status"] == "COMPLETED"


def test_both_url_forms_find_the_request() -> None:
    with FalSimulator(url_form="full") as sim, client_of(sim) as client:
        accepted = submit(client)
        assert accepted["response_url"] == f"{sim.url}/{SHEET}/requests/{accepted['request_id']}/response"
        assert result(client, accepted)["images"]
        assert client.get(f"/fal-ai/flux-2/requests/{accepted['request_id']}/status").status_code == 200


def test_the_status_stream() -> None:
    with FalSimulator(polls=2) as sim, client_of(sim) as client:
        answer = client.get(submit(client)["status_url"] + "/stream", params={"logs": 1})
        assert answer.headers["content-type"] == "text/event-stream"
        events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
        assert [event["status"] for event in events] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "Cannot access application"),
        ({"Authorization": "Key nocolon"}, "Invalid Key Authorization header format"),
        ({"Authorization": "Key a:b"}, "No user found for Key ID and Secret"),
        ({"Authorization": "Bearer fal-sim:1"}, "No user found for Key ID and Secret"),
    ],
)
def test_keys(sim: FalSimulator, headers: dict[str, str], words: str) -> None:
    answer = httpx.post(f"{sim.url}/{SHEET}", json=body(), headers=headers)
    assert answer.status_code == 401
    assert words in answer.json()["detail"]
    assert httpx.get(f"{sim.url}/v1/models/pricing?endpoint_id={SHEET}", headers=headers).json() == {
        "error": {"type": "authorization_error", "message": "Authentication required"}
    }
    assert sim.charges == []


def test_unknown_application_path_and_request(client: httpx.Client, sim: FalSimulator) -> None:
    answer = client.post("/fal-ai/flux-2-klein/4b/base/edit/lora", json=body())
    assert (answer.status_code, answer.json()) == (404, {"detail": 'Application "flux-2-klein" not found'})
    lost = submit(client, "fal-ai/flux-2/klein/5b")  # the application exists, so only its runner knows
    answer = client.get(lost["response_url"])
    assert (answer.status_code, answer.headers["x-fal-billable-units"]) == (404, "0")
    assert answer.json() == {"detail": "Path /klein/5b not found"}
    unknown = f"{sim.url}/fal-ai/flux-2/requests/00000000-0000-4000-8000-000000000000/status"
    for headers in (HEADERS, {}):
        answer = httpx.get(unknown, headers=headers)
        assert (answer.status_code, answer.json()) == (404, {"status": "NOT_FOUND"})
    assert httpx.get(unknown, headers={"Authorization": "Key a:b"}).status_code == 401
    assert client.get(f"/fal-ai/image2pixel/requests/{lost['request_id']}/status").status_code == 404
    assert client.delete(lost["status_url"]).status_code == 405
    assert client.get("/nothing").status_code == 405  # only a POST could be an endpoint's
    assert client.patch("/v1/models/usage").status_code == 404


@pytest.mark.parametrize(
    ("changes", "kind", "loc"),
    [
        ({"image_urls": None}, "missing", ["body", "image_urls"]),
        ({"prompt": None}, "missing", ["body", "prompt"]),
        ({"image_urls": []}, "too_short", ["body", "image_urls"]),
        ({"image_urls": ["x"] * 5}, "too_long", ["body", "image_urls"]),
        ({"guidance_scale": 25}, "less_than_equal", ["body", "guidance_scale"]),
        ({"num_inference_steps": 3}, "greater_than_equal", ["body", "num_inference_steps"]),
        ({"num_images": 5}, "less_than_equal", ["body", "num_images"]),
        ({"output_format": "gif"}, "literal_error", ["body", "output_format"]),
        ({"loras": [{"path": "a/b"}] * 4}, "too_long", ["body", "loras"]),
        ({"image_size": {"width": 300}}, "greater_than_equal", ["body", "image_size", "ImageSize", "width"]),
        ({"image_size": {"height": 2049}}, "less_than_equal", ["body", "image_size", "ImageSize", "height"]),
        ({"image_urls": ["https://private.example/ref.png"]}, "file_download_error", ["body", "image_urls", 0]),
        ({"image_urls": ["data:image/png;base64,AAAA"]}, "image_load_error", ["body", "image_urls", 0]),
        ({"image_urls": ["data:image/png;base64,***"]}, "file_download_error", ["body", "image_urls", 0]),
        ({"loras": [{"path": "no such"}]}, "file_download_error", ["body", "loras", 0, "path"]),
        ({"loras": [{"path": "https://x.invalid/l"}]}, "file_download_error", ["body", "loras", 0, "path"]),
    ],
)
def test_what_does_not_fit_is_taken_and_then_fails(
    client: httpx.Client, sim: FalSimulator, changes: dict[str, Any], kind: str, loc: list[Any]
) -> None:
    accepted = submit(client, **changes)
    told = status(client, accepted)
    assert (told["status"], told["error"]) == ("COMPLETED", "Invalid status code: 422")
    answer = client.get(accepted["response_url"])
    first = answer.json()["detail"][0]
    assert (answer.status_code, first["type"], first["loc"]) == (422, kind, loc)
    assert {"msg", "url", "input"} <= set(first)
    assert answer.headers["x-fal-retryable"] == "false"
    assert answer.headers.get("x-fal-billable-units", "0") == "0"
    assert (sim.charges, sim.paid_posts) == ([], 1)


def test_a_body_that_is_no_object_and_unknown_keys(client: httpx.Client) -> None:
    accepted = client.post(f"/{SHEET}", content=b"{oops").json()
    assert client.get(accepted["response_url"]).status_code == 422
    assert result(client, submit(client, model_name=None, embeddings=[]))["images"]


def test_an_edit_may_do_without_an_image() -> None:
    with FalSimulator(require_image=False, sides=(64, 512)) as sim, client_of(sim) as client:
        [link] = result(client, submit(client, image_urls=None, image_size={"width": 64, "height": 96}))["images"]
        assert (link["width"], link["height"]) == (64, 96)


def test_sizes_by_preset_default_and_input(client: httpx.Client) -> None:
    found = [
        result(client, text(client, image_size=None)),
        result(client, text(client, image_size="square")),
        result(client, submit(client, image_size=None)),
    ]
    assert [(each["images"][0]["width"], each["images"][0]["height"]) for each in found] == [
        (1024, 768), (512, 512), (64, 48),
    ]  # fmt: skip


def test_direct_runs(client: httpx.Client, sim: FalSimulator) -> None:
    answer = client.post(f"/run/{TEXT}", json={"prompt": "a key", "image_size": "square"})
    assert (answer.status_code, answer.headers["x-fal-billable-units"]) == (200, "1")
    assert answer.headers["x-fal-request-id"]
    assert opened(answer.json()["images"][0]).size == (512, 512)
    refused = client.post(f"/run/{SHEET}", json={"prompt": "x"})
    assert (refused.status_code, refused.headers["x-fal-billable-units"]) == (422, "0")
    assert sim.paid_posts == 2


def test_a_direct_run_takes_its_time() -> None:
    with FalSimulator(job_seconds=30) as sim, client_of(sim) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"/run/{TEXT}", json={"prompt": "a key", "image_size": "square"}, timeout=0.3)
        assert len(sim.charges) == 1


def test_sync_mode_answers_data_uris(client: httpx.Client) -> None:
    [link] = result(client, text(client, sync_mode=True, output_format="webp"))["images"]
    assert link["url"].startswith("data:image/webp;base64,")


@pytest.mark.parametrize(
    ("form", "codes", "words"),
    [
        ("words", (202, 400), ({"status": "CANCELLATION_REQUESTED"}, {"status": "ALREADY_COMPLETED"})),
        ("ok", (200, 400), ({"status": "OK"}, {"status": "ALREADY_COMPLETED"})),
        ("success", (200, 200), ({"success": True}, {"success": False})),
    ],
)
def test_cancel(form: Any, codes: tuple[int, int], words: tuple[Any, Any]) -> None:
    with FalSimulator(job_seconds=60, cancel_form=form) as sim, client_of(sim) as client:
        accepted = submit(client)
        answers = [client.put(accepted["cancel_url"]) for _ in range(2)]
        assert tuple(answer.status_code for answer in answers) == codes
        assert tuple(answer.json() for answer in answers) == words
        assert status(client, accepted)["error_type"] == "client_cancelled"
        assert client.get(accepted["response_url"]).status_code == 499
        running = submit(client)
        sim.advance(31)
        requested = client.put(running["cancel_url"])
        assert requested.status_code == (200 if form == "success" else 202)
        sim.advance(60)
        assert sim.charges == []
        unknown = accepted["cancel_url"].replace(accepted["request_id"], "none")
        assert (client.put(unknown).status_code, client.put(unknown).json()) == (404, {"status": "NOT_FOUND"})


def test_our_own_start_deadline() -> None:
    with FalSimulator(job_seconds=60) as sim, client_of(sim) as client:
        accepted = client.post(f"/{SHEET}", json=body(), headers={"X-Fal-Request-Timeout": "10.0"}).json()
        odd = client.post(f"/{SHEET}", json=body(), headers={"X-Fal-Request-Timeout": "soon"}).json()
        sim.advance(61)
        assert status(client, accepted)["error_type"] == "startup_timeout"
        answer = client.get(accepted["response_url"])
        assert (answer.status_code, answer.headers["x-fal-request-timeout-type"]) == (504, "user")
        assert status(client, odd)["metrics"]
        assert len(sim.charges) == 1


def test_the_queue_may_be_too_long() -> None:
    with FalSimulator(job_seconds=60) as sim, client_of(sim) as client:
        urls = [f"/{SHEET}?fal_max_queue_length=1"] * 3
        assert [client.post(url, json=body()).status_code for url in urls] == [200, 200, 429]
        assert sim.paid_posts == 3
        sim.advance(61)
        assert client.post(urls[0], json=body()).status_code == 200


def test_uploads(client: httpx.Client, sim: FalSimulator) -> None:
    token = client.post("/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
    headers = {"Authorization": f"{token['token_type']} {token['token']}", "Content-Type": "image/png"}
    assert token["base_url"] == sim.url
    data = httpx.get(result(client, text(client))["images"][0]["url"]).content
    upload = {**headers, "X-Fal-File-Name": "ref.png"}
    url = httpx.post(f"{sim.url}/files/upload", content=data, headers=upload).json()["access_url"]
    assert url.endswith("_ref.png")
    two = client.post("/storage/upload/initiate", json={"file_name": "b.png", "content_type": "image/png"}).json()
    assert httpx.get(two["file_url"]).status_code == 404
    put = httpx.put(two["upload_url"], content=data, headers={"Content-Type": "image/png"})
    assert put.status_code == 200
    for each in (url, two["file_url"]):
        answer = httpx.get(each)
        assert (answer.content, answer.headers["content-type"]) == (data, "image/png")
    assert result(client, submit(client, image_urls=[url, two["file_url"], data_uri()]))["images"]
    assert httpx.put(f"{sim.url}/storage/put/none", content=b"").status_code == 404
    assert httpx.post(f"{sim.url}/files/upload", content=b"", headers={"Authorization": "Bearer x"}).status_code == 401
    assert httpx.post(f"{sim.url}/storage/upload/initiate", json={}).status_code == 401
    assert len(sim.charges) == 2  # uploads are free


def test_prices_and_estimates(client: httpx.Client) -> None:
    answer = client.get("/v1/models/pricing", params={"endpoint_id": f"{SHEET},fal-ai/birefnet/v2"}).json()
    assert answer["prices"] == [
        {"endpoint_id": SHEET, "unit_price": 0.016, "unit": "megapixels", "currency": "USD"},
        {"endpoint_id": "fal-ai/birefnet/v2", "unit_price": 0.0, "unit": "compute seconds", "currency": "USD"},
    ]
    assert (answer["next_cursor"], answer["has_more"]) == (None, False)
    assert client.get("/v1/models/pricing").json()["error"]["type"] == "validation_error"
    assert client.get("/v1/models/pricing?endpoint_id=a/b").json()["error"]["type"] == "not_found"

    def estimate(kind: str, given: Any) -> httpx.Response:
        return client.post("/v1/models/pricing/estimate", json={"estimate_type": kind, "endpoints": given})

    assert estimate("unit_price", {SHEET: {"unit_quantity": 2}}).json() == {
        "estimate_type": "unit_price", "total_cost": 0.032, "currency": "USD",
    }  # fmt: skip
    result(client, submit(client))
    assert estimate("historical_api_price", {SHEET: {"call_quantity": 3}}).json()["total_cost"] == 0.096
    for bad in (estimate("x", {SHEET: {}}), estimate("unit_price", {}), estimate("unit_price", {SHEET: {}})):
        assert (bad.status_code, bad.json()["error"]["type"]) == (400, "validation_error")


def test_the_list_of_requests(client: httpx.Client, sim: FalSimulator) -> None:
    wanted = submit(client, seed=7)
    submit(client, image_urls=None)
    text(client)

    def listed(**query: Any) -> dict[str, Any]:
        answer = client.get("/v1/models/requests/by-endpoint", params={"endpoint_id": SHEET, **query})
        found: dict[str, Any] = answer.json()
        return found

    items = listed(expand="payloads")["items"]
    assert [item["json_input"].get("seed") for item in items] == [41237, 7]
    assert (items[1]["request_id"], items[1]["status_code"]) == (wanted["request_id"], 200)
    assert items[1]["json_output"] == result(client, wanted)
    assert items[0]["json_output"]["detail"][0]["type"] == "missing"
    assert "json_input" not in listed()["items"][0]
    assert [len(listed(status=each)["items"]) for each in ("success", "user_error", "error")] == [1, 1, 0]
    assert len(listed(request_id=wanted["request_id"])["items"]) == 1
    page = listed(limit=1)
    assert (page["has_more"], listed(limit=1, cursor=page["next_cursor"])["items"]) == (True, [listed()["items"][1]])
    for bad in ({"status": "done"}, {"start": "yesterday"}, {"limit": 0}, {"cursor": "x"}):
        assert listed(**bad)["error"]["type"] == "validation_error"
    sim.advance(25 * 3600)
    assert listed()["items"] == []  # a day, where nobody says from when
    assert len(listed(start="2020-01-01")["items"]) == 2
    assert len(listed(request_id=wanted["request_id"])["items"]) == 1


def test_queued_requests_and_unstored_payloads_in_the_list() -> None:
    query = {"endpoint_id": SHEET, "expand": "payloads"}
    for lists_queued in (False, True):
        with FalSimulator(job_seconds=60, lists_queued=lists_queued) as sim, client_of(sim) as client:
            client.post(f"/{SHEET}", json=body(), headers={"X-Fal-Store-IO": "0"})
            items = client.get("/v1/models/requests/by-endpoint", params=query).json()["items"]
            assert len(items) == lists_queued
            sim.advance(31)
            [item] = client.get("/v1/models/requests/by-endpoint", params=query).json()["items"]
            assert (item["json_input"], "ended_at" in item) == (None, False)


def test_billing_and_models(client: httpx.Client) -> None:
    accepted = submit(client)
    submit(client)
    events = client.get("/v1/models/billing-events", params={"request_id": accepted["request_id"]}).json()
    assert [event["cost_estimate_nano_usd"] for event in events["billing_events"]] == [32_000_000]
    credits = client.get("/v1/account/billing?expand=credits").json()["credits"]
    assert credits["current_balance"] == pytest.approx(10 - 0.064)
    models = httpx.get(
        client.base_url.join("/v1/models"), params={"endpoint_id": SHEET, "expand": "openapi-3.0"}
    ).json()
    schema = models["models"][0]["openapi"]["components"]["schemas"]["Input"]
    assert schema["required"] == ["prompt", "image_urls"]
    assert {f"{KLEIN}/lora", "fal-ai/image2pixel"} <= {
        each["endpoint_id"] for each in client.get("/v1/models").json()["models"]
    }


def test_billing_asks_for_the_admin_scope() -> None:
    with FalSimulator(admin=False) as sim, client_of(sim) as client:
        for path in ("/v1/models/billing-events", "/v1/account/billing"):
            assert client.get(path).status_code == 403
        assert client.get("/v1/models/pricing", params={"endpoint_id": SHEET}).status_code == 200


def test_the_control_endpoints_and_the_state(client: httpx.Client, sim: FalSimulator) -> None:
    submit(client)
    state = client.get("/_sim/state").json()
    assert (state["vendor"], state["charged_micros"], state["paid_posts"]) == ("fal", 32_000, 1)
    assert client.post("/_sim/fault", json={"name": "nsfw_black"}).json() == {"ok": True}
    assert client.post("/_sim/fault", json={"name": "nonsense"}).status_code == 400
    client.post("/_sim/reset")
    assert (sim.charges, sim.paid_posts, sim.balance.micros, len(sim.faults)) == ([], 0, 10_000_000, 0)
    assert sim.backend_settings() == {"base_url": sim.url}
