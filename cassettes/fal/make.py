"""Write the documented cassettes of fal: ``python cassettes/fal/make.py [FOLDER]``.

Nobody here had a key, so these answers are written from the vendor's published documents, and each cassette says so.
The requests come from the backend itself, so they are exactly what pixelrouter sends. Run it again when the backend
changes what it sends.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from pixelrouter.backends.fal import Backend, FalSettings
from pixelrouter.backends.protocol import Call
from pixelrouter.types import Delivery, GenerationRequest, HttpResponse, Mark, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "fal.ai/docs (queue, errors, request errors, platform headers, pricing; 2026-08 to 2026-09), the type map of "
    "github.com/fal-ai/fal-js at 381105e, fal.ai/models/.../llms.txt of the endpoints"
)
DAY = dt.date(2026, 11, 21)
SEED = 7
MARK = Mark("documented", SEED)
RED, GLASS, INK, DRINK, CORK = "#e00000", "#e8f0f2", "#20242c", "#2f8f5b", "#8a5a34"
RID, FIRST_RID = "5b0c8a52-6f1e-4a53-9a70-2d7f0f6f6a11", "0d3e9b1c-21f4-4e07-8c55-7a90b1e2c3d4"
CDN = "https://v3b.fal.media/files/b/0a7e11c2"
_BACKEND = Backend(FalSettings(), None)
PROMPT = "a green potion in a round bottle"


def png(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def potion(ground: str = "#ffffff", side: int = 32, *, top: bool = False) -> Image.Image:
    """A green potion, drawn here: 32x32 pixels, enlarged to ``side``; ``top``: seen from above."""
    image = Image.new("RGB", (32, 32), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill=GLASS, outline=INK)
    if top:
        draw.ellipse((12, 16, 19, 23), fill=CORK, outline=INK)
    else:
        draw.chord((9, 13, 22, 26), 0, 180, fill=DRINK)
        draw.rectangle((13, 5, 18, 12), fill=GLASS, outline=INK)
        draw.rectangle((13, 2, 18, 5), fill=CORK, outline=INK)
    return image.resize((side, side), Image.Resampling.NEAREST)


def sheet() -> bytes:
    """Four views on a solid red ground, as the LoRA draws them: 1024x1024."""
    whole = Image.new("RGB", (1024, 1024), RED)
    for number, top in enumerate((False, False, False, True)):
        whole.paste(potion(RED, 512, top=top), (number % 2 * 512, number // 2 * 512))
    return png(whole)


REFERENCE = png(potion(side=256))
VIEWS = GenerationRequest(
    prompt="", width=32, height=32, task="views", views="2x2", images=(REFERENCE,), model="klein-spritesheet", seed=SEED
)
TEXT = GenerationRequest(prompt=PROMPT, width=32, height=32, model="klein", seed=SEED)
PIXELS = GenerationRequest(
    prompt="",
    width=32,
    height=32,
    task="edit",
    images=(REFERENCE,),
    model="image2pixel",
    options={"max_colors": 8},
    seed=SEED,
)


class Scenario:
    """One cassette in the making, of one request."""

    def __init__(self, folder: Path, request: GenerationRequest = VIEWS, rid: str = RID) -> None:
        if folder.is_dir():
            for old in folder.iterdir():
                old.unlink()
        self._cassette = Cassette.documented(folder, source=SOURCE, day=DAY)
        self._turn_to(request, rid)

    def _turn_to(self, request: GenerationRequest, rid: str) -> None:
        self._request, self._rid = request, rid
        self._endpoint = _BACKEND.submit(request, MARK).request.url.removeprefix("https://queue.fal.run/")
        self._job = f"https://queue.fal.run/{'/'.join(self._endpoint.split('/')[:2])}/requests/{rid}"
        self._ticket = Ticket(rid, {"endpoint": self._endpoint})

    def then(self, request: GenerationRequest, rid: str) -> Scenario:
        """What follows is about another request."""
        self._turn_to(request, rid)
        return self

    def _add(self, call: Call[Any], status: int, body: object, **headers: str) -> HttpResponse:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "image/png" if content.startswith(b"\x89PNG") else "application/json"
        answer = {"Content-Type": kind, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if content.startswith(b"<"):
            answer["Content-Type"] = "text/html"
        request = call.request
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)
        return HttpResponse(status, {name.lower(): text for name, text in answer.items()}, content)

    def quoted(self, unit_price: float = 0.016, unit: str = "megapixels") -> Scenario:
        """The free question for the price. The word for the unit is fal's own on its model pages."""
        price = {"endpoint_id": self._endpoint, "unit_price": unit_price, "unit": unit, "currency": "USD"}
        body = {"prices": [price], "next_cursor": None, "has_more": False}
        self._add(_BACKEND.quote(self._request), 200, body)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        self._add(_BACKEND.submit(self._request, MARK), status, body, **headers)
        return self

    def accepted(self) -> Scenario:
        """The paid request, queued."""
        body = {**self._state("IN_QUEUE"), "gateway_request_id": self._rid, "queue_position": 1}
        return self.submitted(200, body, X_Fal_Request_Id=self._rid)

    def _state(self, status: str) -> dict[str, Any]:
        urls = {"response_url": self._job, "status_url": f"{self._job}/status", "cancel_url": f"{self._job}/cancel"}
        return {"status": status, "request_id": self._rid, **urls, "logs": None, "metrics": {}}

    def polled(self, status: str, **more: object) -> Scenario:
        """A look at the status: 202 while it lasts, 200 when it is through."""
        code = 200 if status == "COMPLETED" else 202
        self._add(_BACKEND.poll(self._ticket), code, {**self._state(status), **more})
        return self

    def finished(self, status: int, body: object, **headers: str) -> Scenario:
        """A question for the result."""
        ticket = Ticket(self._rid, {**self._ticket.extra, "stage": "result"})
        self._add(_BACKEND.poll(ticket), status, body, X_Fal_Request_Id=self._rid, **headers)
        return self

    def done(self, *files: bytes, units: str, **more: object) -> Scenario:
        """The result, its bill, and the downloads."""
        names = [f"{self._rid[:8]}_{number}.png" for number in range(len(files))]
        images = [{"url": f"{CDN}/{name}", "content_type": "image/png", "file_name": name} for name in names]
        self.finished(200, {"images": images, **more}, X_Fal_Billable_Units=units)
        delivery = _BACKEND.poll(Ticket(self._rid, {**self._ticket.extra, "stage": "result"})).read(
            HttpResponse(200, {}, json.dumps({"images": images}).encode())
        )
        assert isinstance(delivery, Delivery)  # noqa: S101 - a result with images is one
        for call, file in zip(_BACKEND.fetch(delivery), files, strict=True):
            self._add(call, 200, file)
        return self

    def ran(self) -> Scenario:
        """Queued, running, through."""
        return self.polled("IN_QUEUE", queue_position=0).polled("IN_PROGRESS", logs=[]).polled("COMPLETED")


def _issue(kind: str, loc: list[str | int], msg: str) -> dict[str, object]:
    return {"detail": [{"loc": loc, "msg": msg, "type": kind, "url": f"https://docs.fal.ai/errors/#{kind}"}]}


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    drawn = {"seed": SEED, "has_nsfw_concepts": [False], "timings": {"inference": 2.39}, "prompt": "2x2 sprite sheet"}
    Scenario(root / "success").quoted().accepted().ran().done(sheet(), units="2", **drawn)

    picture = {**drawn, "prompt": PROMPT}
    text = Scenario(root / "text_to_image", TEXT)
    text.quoted(0.016).accepted().ran().done(png(potion("#c8d2d8", 1024)), units="1", **picture)

    # A prompt alone: the picture first, then the sheet made from exactly its bytes. Prices of both are asked before.
    wish = VIEWS.model_copy(update={"prompt": PROMPT, "images": ()})
    first = _BACKEND.first(wish)
    assert first is not None  # noqa: S101 - a sheet without a picture has a first step
    image = png(potion(side=1024))
    second = wish.model_copy(update={"images": (image,)})
    two = Scenario(root / "two_step", second).quoted().then(first, FIRST_RID).quoted()
    two.accepted().ran().done(image, units="1", **{**drawn, "prompt": first.prompt})
    two.then(second, RID).quoted().accepted().ran().done(sheet(), units="2", **drawn)

    pixels = Scenario(root / "image2pixel", PIXELS).quoted(0.0005, "compute seconds").accepted().ran()
    found = {"palette": [GLASS, INK, DRINK, CORK, "#ffffff"], "num_colors": 5, "pixel_scale": 8}
    pixels.done(png(potion()), png(potion(side=256)), units="1.5", **found)

    # A submit is accepted whatever its body holds; what is wrong with it stands in the result.
    bad = _issue("file_download_error", ["body", "loras", 0, "path"], "Failed to download the file.")
    error = {"error": "Invalid status code: 422"}
    Scenario(root / "validation_error").quoted().accepted().polled("COMPLETED", **error).finished(
        422, bad, X_Fal_Billable_Units="0"
    )
    locked = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing"
    Scenario(root / "no_balance").quoted().submitted(403, {"detail": locked})
    # Which body comes with a full queue is not documented; this is the documented shape of the other 429.
    full = _issue("concurrent_requests_limit", ["body"], "Concurrent requests limit reached")
    Scenario(root / "rate_limited").quoted().submitted(429, full)
    dead = {"error": "Runner disconnected", "error_type": "runner_disconnected"}
    Scenario(root / "failed_task").quoted().accepted().polled("IN_PROGRESS", logs=[]).polled(
        "COMPLETED", **dead
    ).finished(
        503,
        {"detail": "Runner disconnected", "error_type": "runner_disconnected"},
        X_Fal_Error_Type="runner_disconnected",
    )
    # Without a bill in the header: it may have cost.
    policy = _issue("content_policy_violation", ["body", "prompt"], "The content was flagged by a content checker.")
    Scenario(root / "content_refused").quoted().accepted().polled("COMPLETED", **error).finished(422, policy)

    # fal puts a job back into the queue when its runner dies.
    back = Scenario(root / "status_backwards").quoted().accepted().polled("IN_PROGRESS", logs=[])
    back.polled("IN_QUEUE", queue_position=2).polled("IN_PROGRESS", logs=[]).polled("COMPLETED")
    back.done(sheet(), units="2", **drawn)

    # The gateway stumbles over a good result, once: no verdict on the job (openstory, issue 1505).
    gateway = b"<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"
    Scenario(root / "result_504").quoted().accepted().ran().finished(504, gateway).done(sheet(), units="2", **drawn)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
