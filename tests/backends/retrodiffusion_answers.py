"""Answers of Retro Diffusion, written from its documents, for the tests beside this file."""

from __future__ import annotations

import io
import json

from PIL import Image
from pydantic import SecretStr

from pixelrouter.backends.retrodiffusion import Backend, RetroDiffusionSettings
from pixelrouter.types import GenerationRequest, HttpResponse, Mark

KEY = "rdpk-0123456789ab"
MARK = Mark("attempt-1", 77)


def backend(version="v2", key=KEY, **settings):
    return Backend(RetroDiffusionSettings(api_version=version, **settings), SecretStr(key) if key else None)


def wish(width=32, height=None, **more):
    more.setdefault("prompt", "a red potion")
    return GenerationRequest(width=width, height=height or width, **more)


def answer(body, status=200, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if content.startswith(b"<") else "application/json"
    return HttpResponse(status, {"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, content)


def picture(size=(8, 8), color=(255, 0, 0, 0), mode="RGBA"):
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, format="PNG")
    return out.getvalue()


def v2_error(code, message="Something.", **more):
    return {"error": {"code": code, "message": message, "request_id": "req-1", **more}}


HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
