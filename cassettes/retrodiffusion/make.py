"""Write the documented cassettes of Retro Diffusion: ``python cassettes/retrodiffusion/make.py [FOLDER]``.

Nobody here had a key, so these answers are written from the vendor's published contract, and each cassette says so.
The requests come from the backend itself, so they are exactly what pixelrouter sends. Run it again when the backend
changes what it sends.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from pixelrouter.backends.protocol import Call
from pixelrouter.backends.retrodiffusion.backend import Backend, RetroDiffusionSettings
from pixelrouter.types import GenerationRequest, Mark, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "Retro Diffusion API v2 contract, github.com/Retro-Diffusion/api-examples, "
    "contracts/v2/openapi.json and error-codes.json at 1274e0b"
)
DAY = dt.date(2026, 11, 21)
REQUEST = GenerationRequest(
    prompt="a red potion in a round bottle", width=32, height=32, n=1, model="rd_fast__low_res", seed=7
)
TASK = "0b6f3c52-7d1e-4a44-9a57-3f1c2e5d8a01"
REQUEST_ID = "5e2a9d10-4c3b-4f7e-8b60-91d7c0a4e602"
PRICE, BALANCE = 0.025, 10.0
_BACKEND = Backend(RetroDiffusionSettings(), None)


def potion() -> bytes:
    """A red potion in a round bottle, drawn here: 32x32, five colours, PNG."""
    image = Image.new("RGB", (32, 32), "#c8d2d8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill="#e8f0f2", outline="#20242c")
    draw.chord((9, 13, 22, 26), 0, 180, fill="#c02838")
    draw.rectangle((13, 5, 18, 12), fill="#e8f0f2", outline="#20242c")
    draw.rectangle((13, 2, 18, 5), fill="#8a5a34", outline="#20242c")
    draw.line((11, 16, 11, 18), fill="#c8d2d8")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class Scenario:
    """One cassette in the making."""

    def __init__(self, folder: Path) -> None:
        if folder.is_dir():
            for old in folder.iterdir():
                old.unlink()
        self._cassette = Cassette.documented(folder, source=SOURCE, day=DAY)

    def _add(self, call: Call[Any], status: int, body: object, **headers: str) -> None:
        answer = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        request = call.request
        content = json.dumps(body).encode()
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)

    def quoted(self, balance: float = BALANCE) -> Scenario:
        """The free price check."""
        body = {
            "created_at": 1795255200,
            "balance_cost": PRICE,
            "credit_cost": 0,
            "base64_images": [],
            "model": "check_cost",
            "remaining_balance": balance,
        }
        self._add(_BACKEND.quote(REQUEST), 200, body)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        self._add(_BACKEND.submit(REQUEST, Mark("documented", 7)), status, body, **headers)
        return self

    def accepted(self) -> Scenario:
        """The paid request, queued."""
        body = {"status": "accepted", "task_id": TASK, "request_id": REQUEST_ID, "message": "Inference accepted."}
        return self.submitted(200, body, X_RD_Request_ID=REQUEST_ID)

    def refused(self, status: int, code: str, message: str, **more: Any) -> Scenario:
        """The paid request, turned down in the vendor's one envelope."""
        details = more.pop("details", None)
        error = {"code": code, "message": message, "request_id": REQUEST_ID}
        body = {"error": error | ({"details": details} if details else {})}
        return self.submitted(status, body, X_Request_ID=REQUEST_ID, **more)

    def polled(self, state: str, second: int, **more: object) -> Scenario:
        """The job, ``second`` seconds after it was accepted."""
        start = dt.datetime(2026, 11, 21, 10, 0, 0)
        now = start + dt.timedelta(seconds=second)
        times = {"created_at": start.isoformat(), "updated_at": now.isoformat()}
        self._add(_BACKEND.poll(Ticket(TASK)), 200, {"status": state, "task_id": TASK, **times, **more})
        return self


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    result = {
        "created_at": 1795255206,
        "balance_cost": PRICE,
        "credit_cost": 0,
        "base64_images": [base64.b64encode(potion()).decode()],
        "model": "rd_fast",
        "remaining_balance": BALANCE - PRICE,
        "request_id": REQUEST_ID,
    }
    Scenario(root / "success").quoted().accepted().polled("running", 2).polled("succeeded", 6, result=result)

    # Which field the vendor complains about is made up; the shape of the complaint is the contract's.
    issue = {"location": ["body", "prompt"], "code": "value_error", "message": "invalid value"}
    Scenario(root / "validation_error").quoted().refused(
        422, "validation_error", "The request could not be validated.", details={"issues": [issue]}
    )
    Scenario(root / "no_balance").quoted(balance=0.01).refused(402, "not_enough_balance", "Not enough balance.")
    Scenario(root / "rate_limited").quoted().refused(429, "rate_limited", "Too many requests.", Retry_After="7")
    error = {
        "status_code": 502,
        "code": "inference_failed",
        "message": "Inference failed.",
        "request_id": REQUEST_ID,
    }
    Scenario(root / "failed_task").quoted().accepted().polled("running", 2).polled("failed", 9, error=error)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
