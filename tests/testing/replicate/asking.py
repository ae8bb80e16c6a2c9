"""The few requests that every test of the Replicate simulator makes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from PIL import Image

from pixelrouter.testing.simulator import Simulator

KEY = "r8-sim-1"


@contextmanager
def asker(sim: Simulator) -> Iterator[httpx.Client]:
    """A plain client that knows the token."""
    # verify=False: plain HTTP needs no certificates, and loading them takes longer than most of these tests.
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=sim.url, headers=headers, timeout=10, verify=False) as plain:
        yield plain


def order(**changes: Any) -> dict[str, Any]:
    """A good input: a 64x64 still of rd-fast, 0.017 dollars; a change to ... takes the field away."""
    whole = {"prompt": "copper key", "style": "game_asset", "width": 64, "height": 64, "seed": 551} | changes
    return {name: value for name, value in whole.items() if value is not ...}


def submit(
    client: httpx.Client,
    model: str = "rd-fast",
    *,
    wait: int | None = None,
    life: str | None = None,
    **changes: Any,
) -> httpx.Response:
    headers = {} if wait is None else {"Prefer": f"wait={wait}"}
    headers |= {} if life is None else {"Cancel-After": life}
    body = {"input": order(**changes)}
    return client.post(f"/v1/models/retro-diffusion/{model}/predictions", json=body, headers=headers)


def made(answer: httpx.Response) -> dict[str, Any]:
    """The prediction in the answer to a request that was taken."""
    assert answer.status_code in (201, 202), answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def poll(client: httpx.Client, prediction: dict[str, Any]) -> dict[str, Any]:
    answer = client.get(prediction["urls"]["get"])
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def finished(client: httpx.Client, model: str = "rd-fast", **changes: Any) -> dict[str, Any]:
    """Submit, poll once, the prediction, which has succeeded."""
    done = poll(client, made(submit(client, model, **changes)))
    assert done["status"] == "succeeded", done
    return done


def pictures(client: httpx.Client, prediction: dict[str, Any]) -> list[Image.Image]:
    """The outputs, downloaded without the token."""
    files = [client.get(url, headers={"Authorization": ""}) for url in prediction["output"]]
    assert [file.status_code for file in files] == [200] * len(files)
    return [Image.open(io.BytesIO(file.content)) for file in files]


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def problem(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and title of a problem document, after checking its form."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.text.endswith("}\n")
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"]
    return answer.status_code, body.get("title")
