"""fal's own SDK as a peer: what fal_client does with the real fal, it does with the simulator.

Its documented hazards are shown too. They are why pixelrouter submits once and by itself.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.types import Money
from tests.testing.fal.asking import KEY, SHEET, TEXT, body

fal_client = pytest.importorskip("fal_client")
sdk = pytest.importorskip("fal_client.client")

pytestmark = [  # the SDK never closes the HTTP clients of its uploads
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SMALL = {"prompt": "a red potion", "image_size": "square", "seed": 9}


def pointed(monkeypatch: pytest.MonkeyPatch, sim: FalSimulator) -> None:
    """Send the SDK to the simulator: its hosts are module globals. Its pauses between tries are left out."""
    monkeypatch.setattr(sdk, "QUEUE_URL_FORMAT", f"{sim.url}/")
    monkeypatch.setattr(sdk, "RUN_URL_FORMAT", f"{sim.url}/run/")
    monkeypatch.setattr(sdk, "REST_URL", sim.url)
    monkeypatch.setattr(sdk, "CDN_URL", sim.url)
    monkeypatch.setattr(sdk, "_get_retry_delay", lambda *_: 0.0)


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch, sim: FalSimulator) -> Iterator[Any]:
    pointed(monkeypatch, sim)
    client = fal_client.SyncClient(key=KEY, default_timeout=10)
    yield client
    client._client.close()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FalSimulator, Any]]:
    """A simulator whose jobs take three looks, and the SDK pointed at it."""
    with FalSimulator(polls=3) as sim:
        pointed(monkeypatch, sim)
        client = fal_client.SyncClient(key=KEY, default_timeout=10)
        yield sim, client
        client._client.close()


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(httpx.get(url).content))


def test_submit_status_result_and_a_handle_after_a_crash(slow: tuple[FalSimulator, Any]) -> None:
    sim, peer = slow
    handle = peer.submit(SHEET, body(), priority="low", hint="spritesheet", start_timeout=30)
    assert handle.response_url == f"{sim.url}/fal-ai/flux-2/requests/{handle.request_id}"
    again = peer.get_handle(SHEET, handle.request_id)
    assert (again.response_url, again.status_url) == (handle.response_url, handle.status_url)
    assert again.status() == fal_client.Queued(position=0)
    running = peer.status(SHEET, handle.request_id, with_logs=True)
    assert isinstance(running, fal_client.InProgress)
    assert running.logs[0]["source"] == "USER"
    found = again.get(interval=0.001)
    assert opened(found["images"][0]["url"]).size == (512, 512)
    done = handle.status()
    assert (type(done), done.error, done.logs) == (fal_client.Completed, None, None)
    assert peer.result(SHEET, handle.request_id) == found
    assert (len(sim.charges), sim.paid_posts) == (1, 1)
    submitted = sim.requests[0]
    assert submitted.headers["x-fal-request-timeout"] == "30.0"
    assert submitted.json == body()  # the input is the body: no wrapper


def test_subscribe_tells_each_status(slow: tuple[FalSimulator, Any]) -> None:
    sim, peer = slow
    seen: list[Any] = []
    ids: list[str] = []
    found = peer.subscribe(
        TEXT, SMALL, interval=0.001, with_logs=True, on_enqueue=ids.append, on_queue_update=seen.append
    )
    assert found["seed"] == 9
    assert [type(each).__name__ for each in seen] == ["Queued", "InProgress", "InProgress", "Completed"]
    assert ids == [sim.charges[0].request_id]


def test_run(peer: Any, sim: FalSimulator) -> None:
    assert peer.run(TEXT, SMALL)["prompt"] == "a red potion"
    assert [request.path for request in sim.requests] == [f"/run/{TEXT}"]
    assert sim.charged_total == Money(10_000)


def test_cancel(slow: tuple[FalSimulator, Any]) -> None:
    sim, peer = slow
    handle = peer.submit(TEXT, SMALL)
    peer.cancel(TEXT, handle.request_id)
    assert handle.status().error_type == "client_cancelled"
    for cancel in (handle.cancel, lambda: peer.cancel(TEXT, "none")):
        with pytest.raises(fal_client.FalClientHTTPError):
            cancel()
    assert sim.charges == []


@pytest.mark.parametrize("repository", ["fal_v3", "fal"])
def test_uploads(peer: Any, sim: FalSimulator, repository: str, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (32, 24), (10, 20, 30, 255))
    picture.save(tmp_path / "ref.png")
    urls = [
        peer.upload_image(picture, "png", repository=repository),
        peer.upload_file(tmp_path / "ref.png", repository=repository),
        peer.upload(b"text", "text/plain", repository=repository, lifecycle=fal_client.StorageSettings("1h")),
    ]
    assert opened(urls[1]).size == (32, 24)
    assert httpx.get(urls[2]).text == "text"
    found = peer.subscribe(SHEET, body(image_urls=urls[:2]), interval=0.001)
    assert found["images"]
    assert sim.charged_total == Money(3 * 16_000)


def test_an_upload_falls_back_to_the_other_storage(peer: Any, sim: FalSimulator) -> None:
    peer._token_manager.get_token()
    sim.fault("server_error", on="other")
    assert httpx.get(peer.upload(b"text", "text/plain")).text == "text"
    assert any(request.path == "/storage/upload/initiate" for request in sim.requests)


def test_the_async_client(sim: FalSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    pointed(monkeypatch, sim)

    async def calls() -> None:
        peer = fal_client.AsyncClient(key=KEY, default_timeout=10)
        try:
            handle = await peer.submit(TEXT, SMALL)
            assert isinstance(await handle.status(), fal_client.Completed)
            found = await handle.get(interval=0.001)
            assert await (await peer.get_handle(TEXT, handle.request_id)).get() == found
            assert (await peer.subscribe(TEXT, SMALL, interval=0.001))["seed"] == 9
            assert (await peer.run(TEXT, SMALL))["seed"] == 9
            url = await peer.upload(b"text", "text/plain", "a.txt")
            assert httpx.get(url).text == "text"
            with pytest.raises(fal_client.FalClientHTTPError):
                await handle.cancel()
            sim.fault("lose_reply", times=2)
            await peer.submit(TEXT, SMALL)
            sim.fault("redirect", status=307)
            with pytest.raises(fal_client.FalClientHTTPError):  # the async one follows no redirects
                await peer.submit(TEXT, SMALL)
        finally:
            await (await peer._client).aclose()

    asyncio.run(calls())
    assert (len(sim.charges), sim.paid_posts) == (6, 7)


# What the SDK gets wrong, or makes dangerous.


@pytest.mark.parametrize("drops", [1, 2, 9])
def test_a_lost_reply_makes_it_buy_again(peer: Any, sim: FalSimulator, drops: int) -> None:
    sim.fault("lose_reply", times=drops)
    handle = peer.submit(TEXT, SMALL)
    assert (sim.paid_posts, len(sim.charges)) == (drops + 1, drops + 1)
    assert handle.request_id == sim.charges[-1].request_id  # it knows the last one only


def test_it_gives_up_after_ten_posts_and_each_was_bought(peer: Any, sim: FalSimulator) -> None:
    sim.fault("lose_reply", times=20)
    with pytest.raises(httpx.RemoteProtocolError):
        peer.submit(TEXT, SMALL)
    assert (sim.paid_posts, len(sim.charges)) == (10, 10)


def test_a_slow_answer_makes_it_buy_again_unless_it_has_a_start_timeout(peer: Any, sim: FalSimulator) -> None:
    object.__setattr__(peer, "default_timeout", 0.2)
    sim.fault("late", seconds=30)
    peer.submit(TEXT, SMALL)
    assert len(sim.charges) == 2
    sim.fault("late", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        peer.submit(TEXT, SMALL, start_timeout=30)
    assert len(sim.charges) == 3


@pytest.mark.parametrize(
    ("fault", "params", "posts"),
    [
        ("rate_limit", {}, 10),
        ("bad_gateway_before", {}, 10),  # nginx, and no request id: the ingress
        ("overloaded", {}, 10),
        ("server_error", {}, 1),
        ("no_balance", {}, 1),
    ],
)
def test_which_refusals_it_tries_again(
    peer: Any, sim: FalSimulator, fault: str, params: dict[str, Any], posts: int
) -> None:
    sim.fault(fault, times=30, **params)
    with pytest.raises(fal_client.FalClientHTTPError):
        peer.submit(TEXT, SMALL)
    assert (sim.paid_posts, sim.charges) == (posts, [])


def test_a_gateway_error_over_a_taken_job_makes_it_buy_again(peer: Any, sim: FalSimulator) -> None:
    sim.fault("bad_gateway_html", times=3)
    peer.submit(TEXT, SMALL)
    assert len(sim.charges) == 4


def test_a_status_it_does_not_know_is_a_value_error(peer: Any, sim: FalSimulator) -> None:
    handle = peer.submit(TEXT, SMALL)
    sim.fault("unknown_status")
    with pytest.raises(ValueError, match="Unknown status: FAILED"):
        handle.get()


def test_missing_keys_are_key_errors(slow: tuple[FalSimulator, Any]) -> None:
    sim, peer = slow
    handle = peer.submit(TEXT, SMALL)
    sim.fault("bare_status", times=2)
    with pytest.raises(KeyError, match="queue_position"):
        handle.status()
    with pytest.raises(KeyError, match="logs"):
        handle.status()
    sim.fault("bare_submit")
    with pytest.raises(KeyError, match="response_url"):
        peer.submit(TEXT, SMALL)
    assert len(sim.charges) == 2  # the second job runs, and its id is gone


def test_failures_come_with_the_result(peer: Any, sim: FalSimulator) -> None:
    handle = peer.submit(SHEET, {"prompt": "2x2 sprite sheet"})
    assert isinstance(handle.status(), fal_client.Completed)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert (caught.value.status_code, caught.value.message[0]["type"]) == (422, "missing")  # a list, not a text
    sim.fault("job_failed")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        peer.subscribe(TEXT, SMALL)
    assert (caught.value.error_type, caught.value.message) == ("runner_disconnected", "Runner disconnected")
    assert sim.charges == []


@pytest.mark.parametrize("call", ["submit", "run"])
def test_errors_of_the_gateway(peer: Any, sim: FalSimulator, call: str) -> None:
    buy: Callable[..., Any] = getattr(peer, call)
    with pytest.raises(fal_client.FalClientHTTPError, match='Application "flux-2-klein" not found'):
        buy("fal-ai/flux-2-klein/4b/base/edit/lora", body())
    sim.fault("no_balance")
    with pytest.raises(fal_client.FalClientHTTPError, match="User is locked"):
        buy(TEXT, SMALL)
    sim.fault("garbage_json")
    with pytest.raises(ValueError, match="Unterminated string"):
        buy(TEXT, SMALL)
    assert len(sim.charges) == 1


def test_a_passing_504_of_the_result_is_an_error_to_it(peer: Any, sim: FalSimulator) -> None:
    handle = peer.submit(TEXT, SMALL)
    sim.fault("result_504_once")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert caught.value.status_code == 504
    assert handle.get()["images"]  # and yet it is there


def test_it_sends_the_key_to_whatever_host_a_reply_names(peer: Any, sim: FalSimulator) -> None:
    with FalSimulator(keys=("other:1",)) as foreign:
        sim.fault("foreign_status_url", origin=foreign.url)
        handle = peer.submit(TEXT, SMALL)
        with pytest.raises(fal_client.FalClientHTTPError):
            handle.status()
        assert [request.headers["authorization"] for request in foreign.requests] == [f"Key {KEY}"]
