"""Our body is the official SDK's for the same request (replicate 1.0.7), where its model and input say the same."""

from __future__ import annotations

import json
import sys

import httpx
import pytest

from pixelrouter.backends.replicate.styles import bundled
from tests.backends.replicate.answers import MARK, TOKEN, backend, picture, prediction, wish

if sys.version_info >= (3, 14):
    pytest.skip("the SDK is built on pydantic.v1, which does not work from Python 3.14 on", allow_module_level=True)
Client = pytest.importorskip("replicate.client").Client

REQUESTS = {
    model.id: wish(
        model.min_width,
        model=model.id,
        task=model.tasks[0],
        images=(picture(),) if model.needs_image else (),
        upper="grass" if model.id == "rd-tile/tileset_advanced" else None,
    )
    for model in bundled()
} | {
    "cut out": wish(64, transparent=True, n=4, prompt="ein Schlüssel, 鍵"),
    "edit": wish(64, 96, task="edit", images=(picture(mode="RGBA"),), strength=0.25),
    "palette": wish(64, options={"input_palette": picture(), "bypass_prompt_expansion": True}),
    "seamless": wish(64, task="tileset", tiles="seamless"),
    "subject": wish(48, task="animation", images=(picture(),), options={"return_spritesheet": False}),
}


def sdk_request(model, given):
    """What the SDK sends for ``models.predictions.create``."""
    caught = []

    def handle(request):
        caught.append(request)
        return httpx.Response(201, json=prediction("starting", logs=""))

    client = Client(api_token=TOKEN, transport=httpx.MockTransport(handle))
    with client._client:  # the SDK has no way to close its client
        client.models.predictions.create(("retro-diffusion", model), input=given)
    [request] = caught
    return request


@pytest.mark.parametrize("name", REQUESTS)
def test_the_sdk_sends_the_same(name):
    ours = backend().submit(REQUESTS[name], MARK).request
    family = ours.url.split("/")[-2]
    theirs = sdk_request(family, ours.json["input"])
    assert str(theirs.url) == ours.url
    assert theirs.method == ours.method
    assert json.loads(theirs.content) == json.loads(ours.body)
    assert theirs.headers["authorization"] == ours.secrets["Authorization"].get_secret_value()
    assert theirs.headers["content-type"] == ours.all_headers["Content-Type"]


def test_sync_mode_is_asked_for_alike():
    client_request = {}

    def handle(request):
        client_request["prefer"] = request.headers["prefer"]
        return httpx.Response(201, json=prediction("starting", logs=""))

    client = Client(api_token=TOKEN, transport=httpx.MockTransport(handle))
    with client._client:
        client.models.predictions.create(("retro-diffusion", "rd-fast"), input={"prompt": "x"}, wait=10)
    assert backend(prefer_wait_s=10).submit(wish(), MARK).request.headers["Prefer"] == client_request["prefer"]
