"""Answers of fal, written from its documents, for the tests beside this file."""

from __future__ import annotations

import io
import json

from PIL import Image
from pydantic import SecretStr

from pixelrouter.backends.fal import Backend, FalSettings
from pixelrouter.types import GenerationRequest, HttpResponse, Mark, Ticket

KEY = "kid-for-tests:sec-for-tests"
MARK = Mark("attempt-1", 77)
RID = "5b0c8a52-6f1e-4a53-9a70-2d7f0f6f6a11"
BASE = f"https://queue.fal.run/fal-ai/flux-2/requests/{RID}"
URLS = {"response_url": BASE, "status_url": f"{BASE}/status", "cancel_url": f"{BASE}/cancel"}
SPRITESHEET = "fal-ai/flux-2/klein/4b/base/edit/lora"
TICKET = Ticket(RID, {"endpoint": SPRITESHEET, "model": "klein-spritesheet", **URLS})
LORA = "https://huggingface.co/somebody/pixels/resolve/0123abc/pixels.safetensors"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def backend(key=KEY, **settings):
    return Backend(FalSettings(**settings), SecretStr(key) if key else None)


def wish(width=32, height=None, **more):
    more.setdefault("prompt", "a red potion")
    return GenerationRequest(width=width, height=height or width, **more)


def sheet(width=32, height=None, **more):
    return wish(width, height, task="views", views="2x2", **{"images": (picture(),), **more})


def answer(body, status=200, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if content.startswith(b"<") else "application/json"
    return HttpResponse(status, {"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, content)


def picture(size=(8, 8), color=(255, 0, 0, 255), form="PNG"):
    out = io.BytesIO()
    Image.new("RGB" if form == "JPEG" else "RGBA", size, color if form != "JPEG" else color[:3]).save(out, format=form)
    return out.getvalue()


def result_ticket(**extra):
    return Ticket(RID, {**TICKET.extra, "stage": "result", **extra})


def submitted(**more):
    """E1 of fal's queue: an accepted request."""
    return {"status": "IN_QUEUE", "request_id": RID, "gateway_request_id": RID, **URLS, "queue_position": 3, **more}


def status(state, **more):
    return {"status": state, "request_id": RID, **URLS, "logs": None, "metrics": {}, **more}


def result(n=1, **more):
    url = "https://v3b.fal.media/files/b/0a7e11c2/sheet_{}.png"
    images = [{"url": url.format(number), "content_type": "image/png"} for number in range(n)]
    return {"images": images, "seed": 196619188014358660, "has_nsfw_concepts": [False] * n, "prompt": "x", **more}


def issue(kind, loc=("body", "prompt"), msg="The vendor's own words."):
    return {"detail": [{"loc": list(loc), "msg": msg, "type": kind, "url": f"https://docs.fal.ai/errors/#{kind}"}]}


def infrastructure(kind, text="The vendor's own words."):
    return {"detail": text, "error_type": kind}
