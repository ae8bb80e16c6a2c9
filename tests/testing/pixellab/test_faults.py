"""Every misbehaviour: what the client sees, and whether it was charged."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from pixelrouter.testing import Faults
from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from pixelrouter.types import Money
from tests.testing.pixellab.bodies import KEY, STILL, buy, finished, opened, pictures, poll, size
from tests.testing.pixellab.conftest import Start

FLUX, FOUR, V3 = STILL[1], "/create-character-with-4-directions", "/create-character-v3"
BOTH = pytest.mark.parametrize("path", [FLUX, FOUR])
SHARED_UNLIKE_OTHERS = {Faults.MODERATED}


def charged(sim: PixelLabSimulator) -> int:
    return len(sim.charges)


@BOTH
@pytest.mark.parametrize(
    ("name", "params", "status", "word"),
    [
        ("rate_limit", {}, 429, "Too many"),
        ("no_balance", {}, 402, "Insufficient credits"),
        ("overloaded", {}, 529, "Rate limit exceeded"),
        ("server_error", {}, 500, "Internal server error"),
        ("bad_gateway_before", {}, 502, "nginx"),
        ("redirect", {"status": 307}, 307, ""),
        ("html_403", {}, 403, "<html>"),
        ("html_403", {"plain": True}, 403, "Access denied"),
        ("html_504", {}, 504, "<html>"),
    ],
)
def test_stopped_before_the_vendor_took_it(
    sim: PixelLabSimulator, client: httpx.Client, path: str, name: str, params: dict[str, Any], status: int, word: str
) -> None:
    sim.fault(name, **params)
    answer = buy(client, path)
    assert answer.status_code == status
    assert word in answer.text
    assert (charged(sim), sim.paid_posts) == (0, 1)
    assert buy(client, path).is_success
    assert charged(sim) == 1


@pytest.mark.parametrize(("path", "text"), [(FLUX, "requests"), (FOUR, "concurrent background jobs")])
def test_429_says_what_is_too_much(sim: PixelLabSimulator, client: httpx.Client, path: str, text: str) -> None:
    sim.fault("rate_limit", retry_after=None)
    sim.fault("rate_limit", retry_after=4)
    sim.fault("rate_limit", retry_after=4, http_date=True)
    answers = [buy(client, path) for _ in range(3)]
    assert {answer.json()["detail"] for answer in answers} == {f"Too many {text}"}
    assert [answer.headers.get("Retry-After") for answer in answers[:2]] == [None, "4"]
    assert parsedate_to_datetime(answers[2].headers["Retry-After"]).timestamp() > time.time()


@BOTH
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("name", "times"), [("lose_before", 0), ("lose_reply", 1)])
def test_a_lost_connection(start: Start, path: str, name: str, times: int, reset: bool) -> None:
    sim, client = start()
    sim.fault(name, reset=reset)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        buy(client, path)
    assert charged(sim) == times


@BOTH
@pytest.mark.parametrize(
    ("name", "params", "status", "word"),
    [
        ("server_error", {"charged": True}, 500, "Internal server error"),
        ("html_504", {"charged": True}, 504, "<html>"),
        ("bad_gateway_html", {}, 502, "nginx"),
        ("garbage_json", {}, 200, '{"status":"acc'),
    ],
)
def test_spoilt_after_the_vendor_took_it(
    start: Start, path: str, name: str, params: dict[str, Any], status: int, word: str
) -> None:
    sim, client = start(check=False)
    sim.fault(name, **params)
    answer = buy(client, path)
    assert (answer.status_code, word in answer.text) == (status, True)
    assert charged(sim) == 1


@BOTH
@pytest.mark.parametrize(
    ("name", "params"), [("late", {"seconds": 0.05}), ("slow_drip", {"chunk": 4096, "delay": 0.001})]
)
def test_slow_but_whole(
    sim: PixelLabSimulator, client: httpx.Client, path: str, name: str, params: dict[str, Any]
) -> None:
    sim.fault(name, **params)
    assert buy(client, path).is_success
    assert charged(sim) == 1


def test_never_an_answer(start: Start) -> None:
    """The SDK has no timeout; a client that has one gives up, and the money is gone."""
    sim, client = start(check=False)
    sim.fault("late", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v2/create-image-pixflux", json={"description": "x", "image_size": size(64)}, timeout=0.3)
    deadline = time.monotonic() + 10
    while not charged(sim) and time.monotonic() < deadline:
        time.sleep(0.01)  # on a busy machine the client may give up before the server has read
    assert charged(sim) == 1


def test_a_huge_body(start: Start) -> None:
    sim, client = start()
    sim.fault("huge_body", size=2_000_000)
    assert len(buy(client, FLUX).content) == 2_000_000


@pytest.mark.parametrize(("name", "status"), [("job_failed", 500), ("job_stuck", 504)])
def test_a_synchronous_order_that_fails(sim: PixelLabSimulator, client: httpx.Client, name: str, status: int) -> None:
    """A failure is free; of one that hangs until the gateway gives up nobody knows, so it is charged."""
    sim.fault(name)
    assert buy(client, FLUX).status_code == status
    assert charged(sim) == (name == "job_stuck")


@pytest.mark.parametrize(
    ("on", "name", "status"),
    [
        ("poll", "poll_502", 502),
        ("poll", "not_yet_404", 404),
        ("poll", "locked_423", 423),
        ("balance", "html_403", 403),
    ],
)
def test_free_calls_fail_as_well(sim: PixelLabSimulator, client: httpx.Client, on: str, name: str, status: int) -> None:
    taken = buy(client, FOUR)
    sim.fault(name, on=on)
    url = "/v2/balance" if on == "balance" else f"/v2/characters/{taken.json()['character_id']}"
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("10" if status == 423 else None)
    assert client.get(url).status_code == 200
    sim.fault("not_yet_404")
    assert client.get(f"/v2/background-jobs/{taken.json()['background_job_id']}").status_code == 404
    assert poll(client, taken)["status"] == "completed"


def test_what_failed_is_gone(sim: PixelLabSimulator, client: httpx.Client) -> None:
    statuses = {}
    for path, where, key in (
        ("/map-objects", "map-objects", "object_id"),
        ("/create-tileset", "tilesets", "tileset_id"),
        ("/create-isometric-tile", "isometric-tiles", "tile_id"),
    ):
        sim.fault("job_failed", code=504)
        statuses[where] = client.get(f"/v2/{where}/{buy(client, path).json()[key]}").status_code
    assert statuses == {"map-objects": 410, "tilesets": 404, "isometric-tiles": 404}
    sim.fault("job_failed")
    made = buy(client, FOUR).json()["character_id"]
    shown = client.get(f"/v2/characters/{made}").json()
    assert (shown["status"], shown["rotation_urls"]) == ("failed", None)
    assert charged(sim) == 0


@pytest.mark.parametrize("path", [FLUX, FOUR, "/generate-image-v2"])
def test_pictures_that_are_wrong(start: Start, path: str) -> None:
    sim, client = start(check=False)

    def found(**_: Any) -> list[Any]:
        answer = buy(client, path)
        last = answer.json() if path == FLUX else poll(client, answer)["last_response"]
        return list(pictures(last.get("images", last.get("image"))))

    good = found()
    sim.fault("empty_images")
    assert found() == []
    sim.fault("fewer_images")
    assert len(found()) == len(good) - 1
    sim.fault("wrong_size")
    assert opened(found()[0]).size == tuple(2 * side for side in opened(good[0]).size)
    sim.fault("wrong_size", width=10, height=12)
    assert opened(found()[0]).size == (10, 12)
    sim.fault("truncated_image")
    with pytest.raises(OSError, match="truncated"):
        opened(found()[0])
    sim.fault("data_prefix")
    assert found()[0]["base64"].startswith("data:image/png;base64,")
    sim.fault("base64_newlines")
    broken = found()[0]["base64"]
    assert "\n" in broken
    assert broken.replace("\n", "") == good[0]["base64"]
    assert charged(sim) == 8


@BOTH
@pytest.mark.parametrize("null", [False, True])
def test_a_bill_that_is_not_told(sim: PixelLabSimulator, client: httpx.Client, path: str, null: bool) -> None:
    sim.fault("usage_missing", null=null)
    answer = buy(client, path)
    told = answer.json() if path == FLUX else poll(client, answer)
    assert told.get("usage", "missing") == (None if null else "missing")
    assert charged(sim) == 1


def test_another_word_for_unfinished(start: Start) -> None:
    sim, client = start(polls=1)
    sim.fault("status_word", word="running")
    taken = buy(client, FOUR)
    assert [poll(client, taken)["status"] for _ in range(2)] == ["running", "completed"]


def test_fewer_jobs_than_directions(sim: PixelLabSimulator, client: httpx.Client) -> None:
    made = finished(client, FOUR)["character_id"]
    sim.fault("fewer_jobs")
    order = {"character_id": made, "action_description": "walk", "directions": ["north", "west"]}
    answer = client.post("/v2/characters/animations", json=order).json()
    assert (len(answer["background_job_ids"]), answer["directions"]) == (1, ["north"])
    assert charged(sim) == 2
    sim.fault("job_failed")
    answer = client.post("/v2/characters/animations", json=order).json()
    states = [poll(client, {"background_job_id": job})["status"] for job in answer["background_job_ids"]]
    assert states == ["failed", "completed"]
    assert charged(sim) == 3


def test_only_urls(start: Start) -> None:
    sim, client = start()
    sim.fault("url_only")
    last = finished(client, FOUR)
    assert not {"images", "quantized_images"} & set(last)
    assert httpx.get(last["storage_urls"]["south"]).status_code == 200


def test_urls_to_elsewhere(sim: PixelLabSimulator, client: httpx.Client) -> None:
    sim.fault("evil_url")
    last = finished(client, FOUR)
    assert set(last["storage_urls"].values()) == {"http://evil.invalid/sprite.png"}
    shown = client.get(f"/v2/characters/{last['character_id']}").json()
    assert shown["rotation_urls"]["south"] == "http://evil.invalid/sprite.png"


def test_downloads_that_fail(sim: PixelLabSimulator, client: httpx.Client) -> None:
    url = finished(client, V3)["storage_urls"]["south"]
    sim.fault("download_502")
    sim.fault("expired_url")
    assert [httpx.get(url).status_code for _ in range(3)] == [502, 403, 200]
    sim.fault("truncated_download")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    sim.fault("expired_url", gone=True)
    assert [httpx.get(url).status_code for _ in range(2)] == [403, 404]


def test_pictures_from_another_host(start: Start) -> None:
    """A test can see whether the key was sent to where it does not belong."""
    sim, client = start(separate_assets=True)
    assert sim.assets is not None
    url = finished(client, V3)["storage_urls"]["south"]
    assert url.startswith(sim.assets.url)
    assert not url.startswith(sim.url)
    assert httpx.get(url).status_code == 200
    assert sim.state()["assets"] == {"requests": 1, "requests_with_key": 0}
    client.get(url)
    assert sim.state()["assets"]["requests_with_key"] == 1
    sim.fault("download_502")
    assert httpx.get(url).status_code == 502
    assert sim.assets.requests[1].headers["authorization"] == f"Bearer {KEY}"


def test_what_pixellab_cannot_do_is_refused(sim: PixelLabSimulator) -> None:
    with pytest.raises(ValueError, match="content"):
        sim.fault("moderated")
    with pytest.raises(ValueError, match="html_504"):
        sim.fault("no_such_fault")
    for name in {*Faults, *sim.vendor_faults} - SHARED_UNLIKE_OTHERS:
        sim.fault(name)


def test_another_process_can_look_and_steer(sim: PixelLabSimulator, client: httpx.Client) -> None:
    assert client.post("/_sim/fault", json={"name": "html_504", "charged": True}).status_code == 200
    assert buy(client, FLUX).status_code == 504
    state = client.get("/_sim/state").json()
    assert (state["vendor"], state["charged_micros"], state["paid_posts"]) == ("pixellab", 7930, 1)
    assert state["charges"][0]["unit"] == "usd"
    assert client.post("/_sim/reset").status_code == 200
    assert sim.charged_total == Money(0)
