"""A good request for every endpoint that costs, and the few requests that every test makes."""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
from PIL import Image

KEY = "pixellab-sim-1"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def encoded(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def drawn(side: int = 64) -> Image.Image:
    """A red square on white."""
    image = Image.new("RGBA", (side, side), (255, 255, 255, 255))
    image.paste((200, 20, 30, 255), (side // 4, side // 4, side // 2, side // 2))
    return image


def picture(side: int = 64) -> dict[str, str]:
    return {"type": "base64", "base64": encoded(drawn(side))}


def sized(side: int = 64) -> dict[str, Any]:
    return {"image": picture(side), "size": size(side)}


def size(width: int, height: int | None = None) -> dict[str, int]:
    return {"width": width, "height": height or width}


POSE = [{"x": 0.5, "y": 0.1, "label": "NOSE", "z_index": 0}]
_SHARED = {
    "/animate-with-skeleton": {"image_size": size(64), "reference_image": picture(), "skeleton_keypoints": [POSE] * 3},
    "/animate-with-text": {
        "image_size": size(64),
        "description": "a knight",
        "action": "walk",
        "reference_image": picture(),
        "seed": 3,
    },
    "/rotate": {"image_size": size(64), "from_image": picture(), "seed": 3},
    "/inpaint": {
        "description": "a hat",
        "image_size": size(64),
        "inpainting_image": picture(),
        "mask_image": picture(),
        "seed": 3,
    },
    "/estimate-skeleton": {"image": picture()},
}
_STILL = {"description": "a red potion", "image_size": size(64), "seed": 3}
_TILESET = {"lower_description": "water", "upper_description": "sand", "seed": 3}
BODIES: dict[str, dict[str, dict[str, Any]]] = {
    "v1": {"/generate-image-pixflux": _STILL, "/generate-image-bitforge": _STILL, **_SHARED},
    "v2": {
        **_SHARED,
        "/create-image-pixflux": _STILL,
        "/create-image-pixflux-background": _STILL,
        "/create-image-pixen": _STILL,
        "/create-image-bitforge": _STILL,
        "/generate-image-v2": _STILL,
        "/image-to-pixelart": {"image": picture(), "image_size": size(64), "output_size": size(32)},
        "/resize": {
            "description": "a potion",
            "reference_image": picture(),
            "reference_image_size": size(64),
            "target_size": size(48, 32),
        },
        "/remove-background": {"image": picture(), "image_size": size(64)},
        "/inpaint-v3": {"description": "a hat", "inpainting_image": sized(), "mask_image": sized(), "seed": 3},
        "/edit-image": {
            "image": picture(),
            "image_size": size(64),
            "description": "add a hat",
            "width": 64,
            "height": 48,
            "seed": 3,
        },
        "/generate-8-rotations-v2": {
            "image_size": size(48),
            "reference_image": {"image": picture(), "width": 64, "height": 64},
        },
        "/generate-8-rotations-v3": {"first_frame": picture(), "seed": 3},
        "/animate-with-text-v2": {
            "reference_image": picture(),
            "reference_image_size": size(64),
            "action": "walk",
            "image_size": size(48),
        },
        "/animate-with-text-v3": {"first_frame": picture(), "action": "walk", "frame_count": 4, "seed": 3},
        "/create-character-with-4-directions": {"description": "a baker", "image_size": size(48), "seed": 3},
        "/create-character-with-8-directions": {"description": "a baker", "image_size": size(48), "seed": 3},
        "/create-character-v3": {"description": "a baker", "image_size": size(48), "seed": 3},
        "/create-tileset": _TILESET,
        "/tilesets": _TILESET,
        "/create-tileset-sidescroller": {"lower_description": "bricks", "seed": 3},
        "/tilesets-sidescroller": {"lower_description": "bricks", "seed": 3},
        "/create-isometric-tile": {"description": "grass", "image_size": size(32), "seed": 3},
        "/map-objects": {"description": "a barrel", "image_size": size(64), "seed": 3},
    },
}
JOBS = {  # path of v2 -> status of the answer that takes the job
    "/create-image-pixflux-background": 202,
    "/generate-image-v2": 202,
    "/inpaint-v3": 202,
    "/edit-image": 202,
    "/generate-8-rotations-v2": 202,
    "/generate-8-rotations-v3": 200,
    "/animate-with-text-v2": 202,
    "/animate-with-text-v3": 200,
    "/create-character-with-4-directions": 200,
    "/create-character-with-8-directions": 200,
    "/create-character-v3": 200,
    "/create-tileset": 202,
    "/tilesets": 202,
    "/create-tileset-sidescroller": 202,
    "/tilesets-sidescroller": 202,
    "/create-isometric-tile": 202,
    "/map-objects": 200,
}
EVERY = [(version, path) for version, known in BODIES.items() for path in known]
SYNCHRONOUS = [(version, path) for version, path in EVERY if version == "v1" or path not in JOBS]
STILL = ("v2", "/create-image-pixflux")


def body(version: str, path: str, **changes: Any) -> dict[str, Any]:
    """A good body with some fields changed."""
    return copy.deepcopy(BODIES[version][path]) | changes


def buy(client: httpx.Client, path: str, version: str = "v2", **changes: Any) -> httpx.Response:
    return client.post(f"/{version}{path}", json=body(version, path, **changes))


def poll(client: httpx.Client, taken: httpx.Response | dict[str, Any]) -> dict[str, Any]:
    """One poll of the job that an answer names."""
    answer = taken if isinstance(taken, dict) else taken.json()
    found = client.get(f"/v2/background-jobs/{answer['background_job_id']}")
    assert found.status_code == 200, found.text
    whole: dict[str, Any] = found.json()
    return whole


def finished(client: httpx.Client, path: str, **changes: Any) -> dict[str, Any]:
    """Buy a job, poll once, its ``last_response``."""
    done = poll(client, buy(client, path, **changes))
    assert done["status"] == "completed", done
    last: dict[str, Any] = done["last_response"]
    return last


def opened(image: Any) -> Image.Image:
    """A picture of an answer: an object, or bare base64."""
    text = image if isinstance(image, str) else image["base64"]
    found = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    found.load()
    return found


def pixels(image: Any) -> np.ndarray:
    return np.asarray(opened(image))


def pictures(value: Any) -> Iterator[Any]:
    """Every picture object anywhere in an answer."""
    if isinstance(value, dict) and "base64" in value:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from pictures(each)
