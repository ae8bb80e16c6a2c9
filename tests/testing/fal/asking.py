"""The few requests that every test of the fal simulator makes."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
from PIL import Image

KEY = "fal-sim:1"
HEADERS = {"Authorization": f"Key {KEY}"}
KLEIN = "fal-ai/flux-2/klein/4b"
SHEET = f"{KLEIN}/base/edit/lora"
TEXT = f"{KLEIN}/lora"
LORA = "https://huggingface.co/fal/flux-2-klein-4b-spritesheet-lora/resolve/main/flux-spritesheet-lora.safetensors"


def data_uri(image: Image.Image | None = None) -> str:
    buffer = io.BytesIO()
    (image or Image.new("RGB", (64, 48), (200, 205, 210))).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def body(**changes: Any) -> dict[str, Any]:
    """A good edit: one reference, a 512x512 sheet, 2 units; a change to None takes the field away."""
    whole = {
        "prompt": "2x2 sprite sheet",
        "image_urls": [data_uri()],
        "loras": [{"path": LORA, "scale": 1.1}],
        "image_size": {"width": 512, "height": 512},
        "seed": 41237,
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def submit(client: httpx.Client, endpoint: str = SHEET, **changes: Any) -> dict[str, Any]:
    """Submit to the queue; the reply's body."""
    answer = client.post(f"/{endpoint}", json=body(**changes))
    assert answer.status_code == 200, answer.text
    reply: dict[str, Any] = answer.json()
    return reply


def text(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    """Submit a small text-to-image request; the reply's body."""
    return submit(client, TEXT, **{"image_urls": None, "prompt": "a red potion", **changes})


def status(client: httpx.Client, accepted: dict[str, Any], **query: Any) -> dict[str, Any]:
    told: dict[str, Any] = client.get(accepted["status_url"], params=query).json()
    return told


def result(client: httpx.Client, accepted: dict[str, Any]) -> dict[str, Any]:
    answer = client.get(accepted["response_url"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def opened(link: dict[str, Any]) -> Image.Image:
    """The picture behind a link of a result, fetched without a key."""
    return Image.open(io.BytesIO(httpx.get(link["url"]).content))
