"""Write the documented cassettes of fal: ``python cassettes/fal/make.py [FOLDER]``.

Nobody here had a key, so these answers are written from the vendor's published documents, and each cassette says so;
the images in them are drawn here. The requests come from the backend itself, so they are exactly what pixelrouter
sends. Run it again when the backend changes what it sends. ``CALLS`` says what each scenario is asked and how it ends.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pixelrouter.backends.fal import Backend, FalSettings
from pixelrouter.backends.procedural.png import encode
from pixelrouter.backends.protocol import Call
from pixelrouter.types import VIEW_NAMES, Delivery, GenerationRequest, Mark, Remote, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "fal.ai/docs (queue, errors, request errors, platform headers, pricing; 2026-08 to 2026-09), the type map of "
    "github.com/fal-ai/fal-js at 381105e, fal.ai/models/.../llms.txt of the endpoints"
)
DAY = dt.date(2026, 11, 21)
SEED = 7
MARK = Mark("documented", SEED)
RED, GLASS, INK, DRINK, CORK = "#e00000", "#e8f0f2", "#20242c", "#2f8f5b", "#8a5a34"
CLEAR = "#00000000"
CDN = "https://v3b.fal.media/files/b/0a7e11c2"
PROMPT = "a green potion in a round bottle"


def png(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def sent(image: Image.Image) -> bytes:
    """The image, of at most 16 colours, as a PNG that is the same on every machine: a request matches to the byte."""
    colors, at = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0, return_inverse=True)
    indices = at.reshape(image.height, image.width).astype(np.uint8)
    return encode(indices, [(int(r), int(g), int(b)) for r, g, b in colors], transparent=False)


def potion(ground: str = "#ffffff", side: int = 32, *, top: bool = False, drink: str = DRINK) -> Image.Image:
    """A potion, drawn here: 32x32 pixels, enlarged to ``side``; ``top``: seen from above."""
    image = Image.new("RGBA", (32, 32), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill=GLASS, outline=INK)
    if top:
        draw.ellipse((12, 16, 19, 23), fill=CORK, outline=INK)
    else:
        draw.chord((9, 13, 22, 26), 0, 180, fill=drink)
        draw.rectangle((13, 5, 18, 12), fill=GLASS, outline=INK)
        draw.rectangle((13, 2, 18, 5), fill=CORK, outline=INK)
    opaque = image if ground == CLEAR else image.convert("RGB")
    return opaque.resize((side, side), Image.Resampling.NEAREST)


def sheet() -> bytes:
    """Four views on a solid red ground, as the LoRA draws them: 1024x1024."""
    whole = Image.new("RGB", (1024, 1024), RED)
    for number, top in enumerate((False, False, False, True)):
        whole.paste(potion(RED, 512, top=top), (number % 2 * 512, number // 2 * 512))
    return png(whole)


REFERENCE = sent(potion(side=64))
ASK = {"prompt": PROMPT, "size": 32, "seed": SEED}
ON_A_PICTURE = {**ASK, "prompt": "", "images": [REFERENCE]}
TEXT = {**ASK, "model": "klein"}
VIEWS = {**ON_A_PICTURE, "task": "views", "views": "2x2", "model": "klein-spritesheet"}
EDIT = {**ON_A_PICTURE, "prompt": "make the drink blue", "task": "edit", "model": "klein-edit"}
PIXELS = {**ON_A_PICTURE, "task": "edit", "model": "image2pixel", "options": {"max_colors": 8}}
CUTOUT = {**ON_A_PICTURE, "task": "remove_background", "model": "remove-background"}
EACH_TASK = [TEXT, VIEWS, EDIT, CUTOUT]
NAMES = VIEW_NAMES["2x2"]
#: Price and unit by endpoint; Klein's are the rest. The words are fal's own, image2pixel's price is made up.
PRICES = {
    "fal-ai/bria/background/remove": (0.018, "generations"),
    "fal-ai/image2pixel": (0.0005, "compute seconds"),
}


def case(about: str, asks: list[dict[str, Any]], outcome: str, paid: str, **more: Any) -> dict[str, Any]:
    """One entry of ``CALLS``."""
    return {"about": about, "asks": asks, "outcome": outcome, "paid": paid, **more}


#: What each scenario is asked, and how it ends: "delivered" or the name of an error. ``paid``: what the ledger counts
#: then, spent or held, in dollars; "hold": all that was held. ``bill``: where that amount is from. ``says``: words of
#: the error or of the art's warnings.
CALLS = {
    "success": case("a sheet of four views", [VIEWS], "delivered", "0.032", bill="reported", names=NAMES),
    "text_to_image": case("an image from text", [TEXT], "delivered", "0.016"),
    "two_step": case(
        "views of a prompt alone: first a picture is bought, then its sheet",
        [{**VIEWS, "prompt": PROMPT, "images": []}],
        "delivered",
        "0.048",
        names=NAMES,
    ),
    "edit": case("a picture changed by words", [EDIT], "delivered", "0.032"),
    "image2pixel": case(
        "a picture brought onto its pixel grid; two files come, one counts",
        [PIXELS],
        "delivered",
        "0.00075",
        says="pixels of 2x2",
    ),
    "remove_background": case("a picture cut out", [CUTOUT], "delivered", "0.018"),
    "validation_error": case(
        "accepted as always; the result is a 422 that is billed 0 units", EACH_TASK, "JobFailed", "0", says="422"
    ),
    "no_balance": case("403: the account is locked", EACH_TASK, "OutOfCredit", "0"),
    "rate_limited": case("429 without a word on when to come back", EACH_TASK, "RateLimited", "0"),
    "failed_task": case(
        "completed, with an error: the runner was lost, and 5xx are never billed",
        EACH_TASK,
        "JobFailed",
        "0",
        says="runner_disconnected",
    ),
    "content_refused": case(
        "422 by the content policy, without a bill: it may have cost", EACH_TASK, "ContentBlocked", "hold"
    ),
    "nsfw_black": case(
        "200 with a bill and a black image: the safety checker's",
        [TEXT],
        "ContentBlocked",
        "0.016",
        source=SOURCE + "; github.com/gokayfem/ComfyUI-fal-API, issue 4",
    ),
    "no_bill": case(
        "a result without its bill: what was held is booked", [VIEWS], "delivered", "hold", bill="quoted", names=NAMES
    ),
    "start_deadline": case(
        "not begun within `start_timeout_s`: free",
        [TEXT],
        "JobFailed",
        "0",
        settings={"start_timeout_s": 30},
        says="start_timeout_s",
    ),
    "status_backwards": case("back into the queue when its runner dies", [VIEWS], "delivered", "0.032", names=NAMES),
    "result_504": case(
        "the gateway stumbles over a good result, which is asked for again",
        [VIEWS],
        "delivered",
        "0.032",
        names=NAMES,
        source=SOURCE + "; openstory, issue 1505, 2026-09",
    ),
    "gateway_502": case(
        "a page of HTML answers the paid request: nobody knows, the money stays held", [TEXT], "OutcomeUnknown", "hold"
    ),
}


def request_of(ask: Mapping[str, Any]) -> GenerationRequest:
    """What the backend gets for an ask."""
    rest = {name: value for name, value in ask.items() if name != "size"}
    return GenerationRequest(width=ask["size"], height=ask["size"], **rest)


class Scenario:
    """One purchase of a cassette in the making; ``number`` tells its job from the others'."""

    def __init__(self, cassette: Cassette, backend: Backend, request: GenerationRequest, number: int = 0) -> None:
        self._cassette, self._backend, self._request = cassette, backend, request
        self._rid = f"5b0c8a52-6f1e-4a53-9a70-2d7f0f6f6a{number + 11:02}"
        paid = backend.submit(request, MARK).request
        self._endpoint, self.body = paid.url.removeprefix("https://queue.fal.run/"), paid.json
        self._job = f"https://queue.fal.run/{'/'.join(self._endpoint.split('/')[:2])}/requests/{self._rid}"
        self._ticket = Ticket(self._rid, {"endpoint": self._endpoint})

    def _add(self, call: Call[Any], status: int, body: object, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "image/png" if content.startswith(b"\x89PNG") else "application/json"
        answer = {"Content-Type": kind, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if content.startswith(b"<"):
            answer["Content-Type"] = "text/html"
        request = call.request
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)

    def quoted(self) -> Scenario:
        """The free question for the price."""
        unit_price, unit = PRICES.get(self._endpoint, (0.016, "megapixels"))
        price = {"endpoint_id": self._endpoint, "unit_price": unit_price, "unit": unit, "currency": "USD"}
        body = {"prices": [price], "next_cursor": None, "has_more": False}
        self._add(self._backend.quote(self._request), 200, body)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        self._add(self._backend.submit(self._request, MARK), status, body, **headers)
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
        self._add(self._backend.poll(self._ticket), code, {**self._state(status), **more})
        return self

    def finished(self, status: int, body: object, **headers: str) -> Scenario:
        """A question for the result."""
        ticket = Ticket(self._rid, {**self._ticket.extra, "stage": "result"})
        self._add(self._backend.poll(ticket), status, body, X_Fal_Request_Id=self._rid, **headers)
        return self

    def done(self, *files: bytes, units: str | None, alone: bool = False, **more: object) -> Scenario:
        """The result, its bill, and the downloads; ``alone``: one file that is in no list."""
        urls = [f"{CDN}/{self._rid[-6:]}_{number}.png" for number in range(len(files))]
        images = [{"url": url, "content_type": "image/png", "file_name": url.rpartition("/")[2]} for url in urls]
        bill = {} if units is None else {"X_Fal_Billable_Units": units}
        self.finished(200, {"image": images[0]} if alone else {"images": images, **more}, **bill)
        for call, file in zip(self._backend.fetch(Delivery(tuple(map(Remote, urls)))), files, strict=True):
            self._add(call, 200, file)
        return self

    def ran(self) -> Scenario:
        """Queued, running, through."""
        return self.polled("IN_QUEUE", queue_position=0).polled("IN_PROGRESS", logs=[]).polled("COMPLETED")


def scenarios(root: Path, name: str) -> list[Scenario]:
    """A new, empty cassette in place of the old one, and one purchase for each of its asks."""
    folder, call = root / name, CALLS[name]
    for old in folder.glob("*"):
        old.unlink()
    cassette = Cassette.documented(folder, source=call.get("source", SOURCE), day=DAY)
    backend = Backend(FalSettings(**call.get("settings", {})), None)
    return [Scenario(cassette, backend, request_of(ask), number) for number, ask in enumerate(call["asks"])]


def _issue(kind: str, loc: list[str | int], msg: str) -> dict[str, object]:
    return {"detail": [{"loc": loc, "msg": msg, "type": kind, "url": f"https://docs.fal.ai/errors/#{kind}"}]}


def _complaint(body: Mapping[str, Any]) -> dict[str, object]:
    """What a model says of a picture it cannot have, or of a number too large. Which number is made up."""
    if "image_url" in body or "image_urls" in body:
        place = ["image_url"] if "image_url" in body else ["image_urls", 0]
        return _issue("file_download_error", ["body", *place], "Failed to download the file.")
    return _issue("less_than_equal", ["body", "image_size", "width"], "Input should be less than or equal to 512")


def _drawn(prompt: str, *, black: bool = False) -> dict[str, object]:
    return {"seed": SEED, "has_nsfw_concepts": [black], "timings": {"inference": 2.39}, "prompt": prompt}


SHEET = _drawn("2x2 sprite sheet")


def _delivered(root: Path) -> None:
    [one] = scenarios(root, "success")
    one.quoted().accepted().ran().done(sheet(), units="2", **SHEET)
    [one] = scenarios(root, "text_to_image")
    one.quoted().accepted().ran().done(png(potion("#c8d2d8", 1024)), units="1", **_drawn(PROMPT))
    [one] = scenarios(root, "edit")
    blue = png(potion(side=1024, drink="#2848c0"))
    one.quoted().accepted().ran().done(blue, units="2", **_drawn(EDIT["prompt"]))
    [one] = scenarios(root, "image2pixel")
    found = {"palette": [GLASS, INK, DRINK, CORK, "#ffffff"], "num_colors": 5, "pixel_scale": 2}
    one.quoted().accepted().ran()
    one.done(png(potion()), png(potion(side=64)), units="1.5", **found)
    [one] = scenarios(root, "remove_background")
    one.quoted().accepted().ran().done(png(potion(CLEAR, 64)), units="1", alone=True)


def _two_step(root: Path) -> None:
    """A prompt alone: the picture first, then the sheet made from exactly its bytes. Both prices are asked before."""
    folder, wish = root / "two_step", request_of(CALLS["two_step"]["asks"][0])
    for old in folder.glob("*"):
        old.unlink()
    cassette, backend = Cassette.documented(folder, source=SOURCE, day=DAY), Backend(FalSettings(), None)
    first = backend.first(wish)
    assert first is not None  # noqa: S101 - a sheet without a picture has a first step
    image = png(potion(side=1024))
    picture = Scenario(cassette, backend, first, 0)
    views = Scenario(cassette, backend, wish.model_copy(update={"images": (image,)}), 1)
    views.quoted()
    picture.quoted().accepted().ran().done(image, units="1", **_drawn(first.prompt))
    views.accepted().ran().done(sheet(), units="2", **SHEET)


def _failed(root: Path) -> None:
    # A submit is accepted whatever its body holds; what is wrong with it stands in the result.
    error = {"error": "Invalid status code: 422"}
    for one in scenarios(root, "validation_error"):
        one.quoted().accepted().polled("COMPLETED", **error)
        one.finished(422, _complaint(one.body), X_Fal_Billable_Units="0")
    locked = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing"
    for one in scenarios(root, "no_balance"):
        one.quoted().submitted(403, {"detail": locked})
    # Which body comes with a full queue is not documented; this is the documented shape of the other 429.
    full = _issue("concurrent_requests_limit", ["body"], "Concurrent requests limit reached")
    for one in scenarios(root, "rate_limited"):
        one.quoted().submitted(429, full)
    lost = {"error_type": "runner_disconnected"}
    for one in scenarios(root, "failed_task"):
        one.quoted().accepted().polled("IN_PROGRESS", logs=[]).polled("COMPLETED", error="Runner disconnected", **lost)
        one.finished(503, {"detail": "Runner disconnected", **lost}, X_Fal_Error_Type="runner_disconnected")
    # Without a bill in the header: it may have cost.
    for one in scenarios(root, "content_refused"):
        place = "prompt" if "prompt" in one.body else "image_url"
        policy = _issue("content_policy_violation", ["body", place], "The content was flagged by a content checker.")
        one.quoted().accepted().polled("COMPLETED", **error).finished(422, policy)


def _awkward(root: Path) -> None:
    # Whether a blacked-out image is billed is not documented; here the header says that it is. It is not downloaded.
    [one] = scenarios(root, "nsfw_black")
    black = {"images": [{"url": f"{CDN}/black.png", "content_type": "image/png"}], **_drawn(PROMPT, black=True)}
    one.quoted().accepted().ran().finished(200, black, X_Fal_Billable_Units="1")

    [one] = scenarios(root, "no_bill")
    one.quoted().accepted().ran().done(sheet(), units=None, **SHEET)

    # Which error_type goes with our own deadline is not documented; the header that names it ours is.
    [one] = scenarios(root, "start_deadline")
    late = {"error_type": "request_timeout"}
    one.quoted().accepted().polled("IN_QUEUE", queue_position=40).polled("COMPLETED", error="Request timed out", **late)
    whose = {"X_Fal_Error_Type": "request_timeout", "X_Fal_Request_Timeout_Type": "user"}
    one.finished(504, {"detail": "Request timed out", **late}, **whose)

    # fal puts a job back into the queue when its runner dies.
    [one] = scenarios(root, "status_backwards")
    one.quoted().accepted().polled("IN_PROGRESS", logs=[])
    one.polled("IN_QUEUE", queue_position=2).polled("IN_PROGRESS", logs=[]).polled("COMPLETED")
    one.done(sheet(), units="2", **SHEET)

    # The gateway stumbles over a good result, once: no verdict on the job.
    gateway = b"<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"
    [one] = scenarios(root, "result_504")
    one.quoted().accepted().ran().finished(504, gateway).done(sheet(), units="2", **SHEET)

    # The ingress, not the queue: fal's own client looks for the missing request id (fal_client 1.0.3).
    [one] = scenarios(root, "gateway_502")
    one.quoted().submitted(502, b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    _delivered(root)
    _two_step(root)
    _failed(root)
    _awkward(root)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
