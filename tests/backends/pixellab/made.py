"""Requests to PixelLab and answers of it, written from its documents, for the tests beside this file."""

from __future__ import annotations

import base64
import io
import json

from PIL import Image
from pydantic import SecretStr

from pixelrouter.backends.pixellab import Backend, PixelLabSettings
from pixelrouter.types import Cost, GenerationRequest, HttpResponse, Mark, Money, Ticket

KEY = "test-key-1"
MARK = Mark("attempt-1", 77, 1_795_255_200.0)
JOB = "5c1a2a1e-6f0b-4c1a-9d55-0f6c6f1f0001"
HTML = b"<html><head><title>504</title></head><body>nginx</body></html>"
JOINTS = [{"x": 0.5, "y": 0.1, "label": "NOSE", "z_index": 0}, {"x": 0.5, "y": 0.3, "label": "NECK"}]


def backend(version="v2", key=KEY, **settings):
    return Backend(PixelLabSettings(api_version=version, **settings), SecretStr(key) if key else None)


def wish(width=64, height=None, **more):
    more.setdefault("prompt", "a red potion")
    return GenerationRequest(width=width, height=height or width, **more)


def picture(width=64, height=None, color=(255, 0, 0, 255), mode="RGBA", kind="PNG"):
    out = io.BytesIO()
    Image.new(mode, (width, height or width), color).save(out, format=kind)
    return out.getvalue()


def wire(data):
    return {"type": "base64", "base64": base64.b64encode(data).decode(), "format": "png"}


def answer(body, status=200, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if content.startswith(b"<") else "application/json"
    return HttpResponse(status, {"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, content)


def sent(request, version="v2", mark=MARK, **settings):
    return backend(version, **settings).submit(request, mark).request


PIC, OTHER, MASK = picture(), picture(color=(0, 0, 255, 255)), picture(color=255, mode="L")
POSES = {"skeleton_keypoints": [JOINTS, JOINTS, JOINTS]}

#: One request for every model, and the exact body that it must become.
BODIES = {
    "pixflux": (
        wish(model="pixflux"),
        {"description": "a red potion", "image_size": {"width": 64, "height": 64}, "no_background": False, "seed": 77},
    ),
    "pixen": (
        wish(32, 48, model="pixen", transparent=True, options={"enhance_prompt": True, "view": "side"}),
        {
            "description": "a red potion",
            "image_size": {"width": 32, "height": 48},
            "no_background": True,
            "seed": 77,
            "enhance_prompt": True,
            "view": "side",
        },
    ),
    "bitforge": (
        wish(16, model="bitforge", images=(PIC,), options={"negative_description": "blur"}),
        {
            "description": "a red potion",
            "image_size": {"width": 16, "height": 16},
            "no_background": False,
            "seed": 77,
            "style_image": wire(PIC),
            "style_strength": 50,
            "negative_description": "blur",
        },
    ),
    "generate-image-v2": (
        wish(model="generate-image-v2", n=16, images=(PIC, OTHER), options={"style_options": {"outline": False}}),
        {
            "description": "a red potion",
            "image_size": {"width": 64, "height": 64},
            "no_background": True,
            "seed": 77,
            "reference_images": [
                {"image": wire(PIC), "size": {"width": 64, "height": 64}},
                {"image": wire(OTHER), "size": {"width": 64, "height": 64}},
            ],
            "style_options": {"outline": False},
        },
    ),
    "inpaint": (
        wish(task="inpaint", images=(PIC,), mask=MASK),
        {
            "description": "a red potion",
            "image_size": {"width": 64, "height": 64},
            "no_background": False,
            "seed": 77,
            "inpainting_image": wire(PIC),
            "mask_image": wire(MASK),
        },
    ),
    "edit-image": (
        wish(32, task="edit", images=(PIC,)),
        {
            "description": "a red potion",
            "image": wire(PIC),
            "image_size": {"width": 64, "height": 64},
            "width": 32,
            "height": 32,
            "no_background": True,
            "seed": 77,
        },
    ),
    "image-to-pixelart": (
        wish(16, task="edit", model="image-to-pixelart", prompt="", images=(PIC,)),
        {
            "image": wire(PIC),
            "image_size": {"width": 64, "height": 64},
            "output_size": {"width": 16, "height": 16},
            "seed": 77,
        },
    ),
    "rotate": (
        wish(task="edit", model="rotate", prompt="", images=(PIC,), options={"to_direction": "north-west"}),
        {
            "image_size": {"width": 64, "height": 64},
            "from_image": wire(PIC),
            "seed": 77,
            "to_direction": "north-west",
        },
    ),
    "remove-background": (
        wish(task="remove_background", images=(PIC,)),
        {"image": wire(PIC), "image_size": {"width": 64, "height": 64}, "text": "a red potion", "seed": 77},
    ),
    "rotations-v3": (
        wish(task="views", views="8", prompt="", images=(PIC,), transparent=True),
        {"first_frame": wire(PIC), "no_background": True, "seed": 77},
    ),
    "rotations-v2": (
        wish(task="views", model="rotations-v2", images=(PIC,), options={"view": "side"}),
        {
            "method": "rotate_character",
            "image_size": {"width": 64, "height": 64},
            "reference_image": {"image": wire(PIC), "width": 64, "height": 64},
            "description": "a red potion",
            "no_background": True,
            "seed": 77,
            "view": "side",
        },
    ),
    "character-4": (
        wish(task="views", views="4", images=(PIC,)),
        {
            "description": "a red potion",
            "image_size": {"width": 64, "height": 64},
            "seed": 77,
            "directions": {"south": wire(PIC)},
        },
    ),
    "character-8": (
        wish(task="views", views="8", options={"proportions": {"type": "preset", "name": "chibi"}}),
        {
            "description": "a red potion",
            "image_size": {"width": 64, "height": 64},
            "seed": 77,
            "proportions": {"type": "preset", "name": "chibi"},
        },
    ),
    "animate-v3": (
        wish(task="animation", prompt="", action="walking", frames=4, images=(PIC,)),
        {"first_frame": wire(PIC), "action": "walking", "frame_count": 4, "seed": 77},
    ),
    "animate-text": (
        wish(task="animation", model="animate-text", action="walk", images=(PIC,), options={"direction": "south"}),
        {
            "description": "a red potion",
            "image_size": {"width": 64, "height": 64},
            "seed": 77,
            "action": "walk",
            "reference_image": wire(PIC),
            "direction": "south",
        },
    ),
    "animate-skeleton": (
        wish(task="animation", prompt="", images=(PIC,), options=POSES),
        {"image_size": {"width": 64, "height": 64}, "reference_image": wire(PIC), "seed": 77, **POSES},
    ),
    "tileset": (
        wish(16, task="tileset", prompt="water", upper="sand", tiles="wang", options={"transition_size": 0.5}),
        {
            "lower_description": "water",
            "upper_description": "sand",
            "tile_size": {"width": 16, "height": 16},
            "seed": 77,
            "transition_size": 0.5,
        },
    ),
    "tileset-sidescroller": (
        wish(32, task="tileset", model="tileset-sidescroller", prompt="stone", upper="moss"),
        {
            "lower_description": "stone",
            "transition_description": "moss",
            "tile_size": {"width": 32, "height": 32},
            "seed": 77,
        },
    ),
    "isometric-tile": (
        wish(32, model="isometric-tile", options={"isometric_tile_shape": "thin tile"}),
        {
            "description": "a red potion",
            "image_size": {"width": 32, "height": 32},
            "seed": 77,
            "isometric_tile_shape": "thin tile",
        },
    ),
    "map-object": (
        wish(model="map-object", options={"detail": "high detail", "inpainting": {"type": "oval", "fraction": 0.5}}),
        {
            "description": "a red potion",
            "image_size": {"width": 64, "height": 64},
            "seed": 77,
            "detail": "high detail",
            "inpainting": {"type": "oval", "fraction": 0.5},
        },
    ),
}


USD = {"type": "usd", "usd": 0.0084}
ONE = {"type": "generations", "usd": None, "generations": 1.0}
NOTHING = {"type": "usd", "usd": 0.0}
STORE = "https://assets.example.com/u1"


def submitted(body, model="pixflux", status=200, **settings):
    return backend(**settings).submit(BODIES[model][0], MARK).read(answer(body, status))


def polled(ticket, body, status=200, **headers):
    return backend().poll(ticket).read(answer(body, status, **headers))


def job(status="completed", last=None, usage=ONE):
    return {
        "id": JOB,
        "status": status,
        "created_at": "2026-10-04T09:15:02+00:00",
        "usage": usage,
        "last_response": last,
    }


def ticket(model="character-4", **extra):
    return Ticket(JOB, {"model": model, **extra})


def dollars(amount):
    return Cost(Money.of(amount), "reported")


def generations(amount):
    return Cost(Money.of(amount, "generations"), "reported")
