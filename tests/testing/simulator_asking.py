"""The few requests that every test of the simulator makes."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
from PIL import Image


def body(**changes: Any) -> dict[str, Any]:
    """A good still: 48x32, rd_plus__low_res, 0.025 or more dollars; a change to None takes the field away."""
    whole = {
        "prompt": "mossy boulder",
        "prompt_style": "rd_plus__low_res",
        "width": 48,
        "height": 32,
        "num_images": 1,
        "seed": 7,
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def submit(client: httpx.Client, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/v2/inferences", json=body(**changes), headers=headers)


def task(client: httpx.Client, accepted: httpx.Response, version: str = "v2") -> dict[str, Any]:
    assert accepted.status_code == 200, accepted.text
    answer = client.get(f"/{version}/inferences/tasks/{accepted.json()['task_id']}")
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def result(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    """Submit on v2, poll once, the ``result`` of the task."""
    done = task(client, submit(client, **changes))
    assert done["status"] == "succeeded", done
    found: dict[str, Any] = done["result"]
    return found


def pictures(found: dict[str, Any]) -> list[Image.Image]:
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found["base64_images"]]


def encoded(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def code(answer: httpx.Response) -> str:
    """The error code of a v2 answer, after checking its envelope."""
    error = answer.json()["error"]
    assert answer.headers["X-Request-ID"] == error["request_id"]
    assert error["message"]
    found: str = error["code"]
    return found
