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
from pixelrouter.types import Delivery, GenerationRequest, Mark, Remote, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "Retro Diffusion API v2 contract, github.com/Retro-Diffusion/api-examples, "
    "contracts/v2/openapi.json and error-codes.json at 1274e0b"
)
DAY = dt.date(2026, 11, 21)
EDIT_SOURCE = f"{SOURCE}; EDIT_TOOLS.md at 1274e0b"
TASK = "0b6f3c52-7d1e-4a44-9a57-3f1c2e5d8a01"
REQUEST_ID = "5e2a9d10-4c3b-4f7e-8b60-91d7c0a4e602"
BALANCE = 10.0
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
    return png(image)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def looking(right: int, down: int, side: int = 32) -> Image.Image:
    """A red ball on a clear ground, whose eye is on the side that it looks to."""
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    draw.ellipse((6, 6, side - 7, side - 7), fill="#c02838", outline="#20242c")
    x, y = side // 2 + 6 * right, side // 2 + 6 * down
    draw.rectangle((x - 2, y - 2, x + 1, y + 1), fill="#e8f0f2")
    return image


def views() -> bytes:
    """Eight views around an empty middle, which all of them look at."""
    sheet = Image.new("RGBA", (96, 96))
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                sheet.paste(looking(1 - column, 1 - row), (column * 32, row * 32))
    return png(sheet)


def film(frames: int = 4) -> bytes:
    """The ball, hopping: a GIF as the vendor makes them."""
    pictures = []
    for number in range(frames):
        picture = Image.new("RGBA", (32, 32))
        picture.paste(looking(0, 1), (0, -(0, 2, 3, 2)[number % 4]))
        pictures.append(picture)
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=150, loop=0, disposal=2)
    return file.getvalue()


def tiles() -> bytes:
    """Twenty tiles of 16 pixels: the vendor's order, 1 being the inside ground at nw, ne, sw, se."""
    codes = "0000 0001 0011 0010 0000 0101 1111 1010 0000 0100 1100 1000 1111 1110 1101 0110 1111 1011 0111 1001"
    sheet = Image.new("RGBA", (64, 80), "#5a8a3c")
    for number, code in enumerate(codes.split()):
        left, top = number % 4 * 16, number // 4 * 16
        for corner, inside in enumerate(code):
            if inside == "1":
                x, y = left + corner % 2 * 8, top + corner // 2 * 8
                sheet.paste("#8a8a94", (x, y, x + 8, y + 8))
    return png(sheet)


def mask() -> bytes:
    """White where the potion's cork is."""
    image = Image.new("L", (32, 32), 0)
    image.paste(255, (13, 2, 19, 6))
    return png(image)


def cut_out() -> bytes:
    """The potion without its ground."""
    image = Image.open(io.BytesIO(potion())).convert("RGBA")
    for x in range(image.width):
        for y in range(image.height):
            if image.getpixel((x, y)) == (200, 210, 216, 255):
                image.putpixel((x, y), (0, 0, 0, 0))
    return png(image)


def corked_anew() -> bytes:
    """The potion with a golden cork."""
    image = Image.open(io.BytesIO(potion()))
    ImageDraw.Draw(image).rectangle((13, 2, 18, 5), fill="#d8a830", outline="#20242c")
    return png(image)


def ask(**more: Any) -> GenerationRequest:
    """The potion, or what ``more`` makes of it."""
    fields = {"prompt": "a red potion in a round bottle", "width": 32, "height": 32, "n": 1, "seed": 7}
    return GenerationRequest(**(fields | {"model": "rd_fast__low_res"} | more))


class Scenario:
    """One cassette in the making: ``request`` and what it costs."""

    def __init__(
        self, folder: Path, request: GenerationRequest | None = None, price: float = 0.025, *, edit: bool = False
    ) -> None:
        if folder.is_dir():
            for old in folder.iterdir():
                old.unlink()
        self.request, self.price, self.edit = request or ask(), price, edit
        self._cassette = Cassette.documented(folder, source=EDIT_SOURCE if edit else SOURCE, day=DAY)

    def _add(self, call: Call[Any], status: int, body: object, **headers: str) -> None:
        answer = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        content = json.dumps(body).encode()
        self._append(call, status, answer, content)

    def _append(self, call: Call[Any], status: int, headers: dict[str, str], content: bytes) -> None:
        request = call.request
        self._cassette.append(
            request.method, request.url, request.body, status=status, headers=headers, content=content
        )

    def quoted(self, balance: float = BALANCE) -> Scenario:
        """The free price check."""
        priced = {"balance_cost": self.price, "credit_cost": 0}
        if self.edit:
            tool = (self.request.model or "").removeprefix("edit__")
            body = {"tool_id": tool, **priced, "estimate_seconds": 30, "toolId": tool, "estimateSeconds": 30}
        else:
            body = {
                "created_at": 1795255200,
                **priced,
                "base64_images": [],
                "model": "check_cost",
                "remaining_balance": balance,
            }
        self._add(_BACKEND.quote(self.request), 200, body)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        self._add(_BACKEND.submit(self.request, Mark("documented", 7)), status, body, **headers)
        return self

    def accepted(self) -> Scenario:
        """The paid request, queued."""
        message = "Edit accepted. Poll GET /v2/edit/tasks/{task_id} for status." if self.edit else "Inference accepted."
        body = {"status": "accepted", "task_id": TASK, "request_id": REQUEST_ID, "message": message}
        return self.submitted(202 if self.edit else 200, body, X_RD_Request_ID=REQUEST_ID)

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
        ticket = Ticket(TASK, {"kind": "edit"} if self.edit else {})
        self._add(_BACKEND.poll(ticket), 200, {"status": state, "task_id": TASK, **times, **more})
        return self

    def done(self, model: str, *files: bytes, url: str | None = None) -> Scenario:
        """The job, running and then finished; with ``url`` its one file is fetched from there."""
        result = {
            "created_at": 1795255206,
            "balance_cost": self.price,
            "credit_cost": 0,
            "base64_images": [] if url else [base64.b64encode(file).decode() for file in files],
            "model": model,
            "remaining_balance": round(BALANCE - self.price, 3),
            "request_id": REQUEST_ID,
        }
        if self.edit:
            result |= {"tool_id": model, "toolId": model, "charged": True, "inference_id": REQUEST_ID}
            del result["model"], result["created_at"]
        if url:
            result["output_urls"] = [url]
        self.polled("running", 2).polled("succeeded", 6, result=result)
        if url:
            [call] = _BACKEND.fetch(Delivery((Remote(url),)))
            self._append(call, 200, {"Content-Type": "image/png"}, files[0])
        return self


def _failures(root: Path) -> None:
    # Which field the vendor complains about is made up; the shape of the complaint is the contract's.
    issue = {"location": ["body", "prompt"], "code": "value_error", "message": "invalid value"}
    Scenario(root / "validation_error").quoted().refused(
        422, "validation_error", "The request could not be validated.", details={"issues": [issue]}
    )
    Scenario(root / "no_balance").quoted(balance=0.01).refused(402, "not_enough_balance", "Not enough balance.")
    Scenario(root / "rate_limited").quoted().refused(429, "rate_limited", "Too many requests.", Retry_After="7")
    Scenario(root / "content_refused").quoted().refused(403, "generation_rejected", "Generation rejected.")
    error = {
        "status_code": 502,
        "code": "inference_failed",
        "message": "Inference failed.",
        "request_id": REQUEST_ID,
    }
    Scenario(root / "failed_task").quoted().accepted().polled("running", 2).polled("failed", 9, error=error)


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    Scenario(root / "success").quoted().accepted().done("rd_fast", potion())
    _failures(root)

    picture = (potion(),)
    edited = ask(task="edit", images=picture, strength=0.4)
    Scenario(root / "edit", edited).quoted().accepted().done("rd_fast", corked_anew())
    hop = ask(task="animation", images=picture, action="hops", frames=4, model="rd_advanced_animation__custom_action")
    Scenario(root / "animation", hop, 0.25).quoted().accepted().done("rd_advanced_animation", film())
    around = ask(task="views", views="8", images=picture, model="rd_advanced_animation__rotate")
    Scenario(root / "views", around, 0.1).quoted().accepted().done("rd_advanced_animation", views())
    ground = {"prompt": "lush grass", "upper": "grey stones", "width": 16, "height": 16, "tiles": "wang"}
    tileset = ask(task="tileset", model="rd_tile__tileset_advanced", **ground)
    Scenario(root / "tileset", tileset, 0.1).quoted().accepted().done("rd_tile", tiles())

    # The tools answer with addresses only; the vendor publishes no name of the host behind them.
    at = "https://outputs.retrodiffusion.example/5e2a9d10/output_0.png"
    golden = ask(task="inpaint", images=picture, mask=mask(), prompt="a golden cork", model="edit__inpainting")
    Scenario(root / "inpaint", golden, 0.18, edit=True).quoted().accepted().done("inpainting", corked_anew(), url=at)
    alone = ask(task="remove_background", images=picture, prompt="", model="edit__background_remover")
    remover = Scenario(root / "remove_background", alone, 0.01, edit=True).quoted().accepted()
    remover.done("background_remover", cut_out(), url=at)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
