"""Answers of Replicate, written from its documents and recorded traffic, for the tests beside this file."""

from __future__ import annotations

import io
import json

from PIL import Image
from pydantic import SecretStr

from pixelrouter.backends.replicate import Backend, ReplicateSettings
from pixelrouter.types import GenerationRequest, HttpResponse, Mark, Ticket

TOKEN = "sim-token-1"
MARK = Mark("attempt-1", 77, 1_795_255_200.0)  # 2026-11-21T10:00:00Z
JOB = "simk3y0000rme0ctb00000001"
TICKET = Ticket(JOB, {"model": "rd-fast/low_res"})
LINK = "https://replicate.delivery/xezq/SIM/output_0.png"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def backend(key=TOKEN, **settings):
    return Backend(ReplicateSettings(**settings), SecretStr(key) if key else None)


def wish(width=32, height=None, **more):
    more.setdefault("prompt", "a red potion")
    return GenerationRequest(width=width, height=height or width, **more)


def answer(body, status=200, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if content.startswith(b"<") else "application/json"
    return HttpResponse(status, {"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, content)


def picture(size=(8, 8), color=(255, 0, 0), mode="RGB", form="PNG"):
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, format=form)
    return out.getvalue()


def prediction(status="succeeded", **more):
    """A prediction as GET /v1/predictions/{id} shows it."""
    body = {
        "id": JOB,
        "model": "retro-diffusion/rd-fast",
        "version": "hidden",
        "input": {"prompt": "a red potion", "style": "low_res", "width": 32, "height": 32, "num_images": 1, "seed": 77},
        "logs": "",
        "output": [LINK] if status == "succeeded" else None,
        "data_removed": False,
        "error": None,
        "status": status,
        "created_at": "2026-11-21T10:00:01.500Z",
        "urls": {"get": f"https://api.replicate.com/v1/predictions/{JOB}"},
    }
    return {**body, **more}


def problem(status, detail, title=None, **more):
    head = {} if title is None else {"title": title}
    return {**head, "detail": detail, "status": status, **more}
