"""The official SDK, fal_client 1.0.3, is the peer: for the same request its submit is our submit.

Only the comparison: the SDK stays out of the paid path, because it sends a lost submit again, up to ten times.
"""

from __future__ import annotations

import json

import httpx
import pytest

from tests.backends.fal.answers import BASE, KEY, MARK, RID, answer, backend, picture, sheet, submitted, wish

fal_client = pytest.importorskip("fal_client")

LORA = {"path": "https://huggingface.co/somebody/pixels/resolve/0123abc/pixels.safetensors", "scale": 0.8}
OURS_ALONE = {"accept", "content-length", "host", "connection", "accept-encoding", "user-agent"}
IMAGES = (picture(), picture(form="JPEG"))
REQUESTS = [
    (sheet(), {}),
    (wish(n=3, options={"loras": [LORA], "guidance_scale": 4.5}), {"start_timeout_s": 30}),
    (wish(64, 32, task="edit", images=IMAGES, options={"negative_prompt": "blür"}), {}),
    (wish(task="edit", model="image2pixel", images=IMAGES[:1], options={"fixed_palette": ["#20242c"]}), {}),
    (wish(task="remove_background", images=IMAGES[:1]), {}),
]


@pytest.fixture
def sdk():
    """A client of the SDK whose requests are kept, and answered as the queue would; it closes with the test."""
    seen = []

    def handle(request):
        seen.append(request)
        return httpx.Response(200, json=submitted())

    client = fal_client.SyncClient(key=KEY)
    http = httpx.Client(transport=httpx.MockTransport(handle), headers={"Authorization": f"Key {KEY}"})
    client.__dict__["_client"] = http  # a cached property: the only way to give the SDK a transport
    with http:
        yield client, seen


@pytest.mark.parametrize(("request_", "settings"), REQUESTS)
def test_the_sdk_sends_the_same_submit(sdk, request_, settings):
    client, seen = sdk
    ours = backend(**settings).submit(request_, MARK).request
    endpoint = ours.url.removeprefix("https://queue.fal.run/")
    headers = {"x-app-fal-disable-fallback": "true"}
    client.submit(endpoint, ours.json, headers=headers, start_timeout=settings.get("start_timeout_s"))
    (theirs,) = seen
    assert (ours.method, ours.url) == (theirs.method, str(theirs.url))
    assert json.loads(ours.body) == json.loads(theirs.content)
    sent = {**ours.all_headers, **{name: secret.get_secret_value() for name, secret in ours.secrets.items()}}
    assert {name.lower(): text for name, text in sent.items() if name.lower() not in OURS_ALONE} == {
        name: text for name, text in theirs.headers.items() if name not in OURS_ALONE
    }


def test_the_sdk_follows_a_job_at_the_same_addresses(sdk):
    client, seen = sdk
    api = backend()
    ticket = api.submit(sheet(), MARK).read(answer(submitted()))
    handle = client.get_handle(ticket.extra["endpoint"], RID)
    assert (handle.response_url, handle.status_url, handle.cancel_url) == (BASE, f"{BASE}/status", f"{BASE}/cancel")
    handle.cancel()
    ours = api.cancel(ticket).request
    assert (ours.method, ours.url) == (seen[-1].method, str(seen[-1].url))
