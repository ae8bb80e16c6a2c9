"""Write the documented cassettes of PixelLab: ``python cassettes/pixellab/make.py [FOLDER]``.

Nobody here had a key, so these answers are written from the vendor's published contract, and each cassette says so;
the images in them are drawn here. The requests come from the backend itself, so they are exactly what pixelrouter
sends. Run it again when the backend changes what it sends. ``CALLS`` says what each scenario is asked and how it ends.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pixelrouter.backends.pixellab import Backend, PixelLabSettings
from pixelrouter.backends.procedural.png import encode
from pixelrouter.backends.protocol import Call
from pixelrouter.types import VIEW_NAMES, GenerationRequest, Mark, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "PixelLab OpenAPI v2 of 2026-08-15 and recorded traffic of 2026-10, github.com/go-api-libs/pixellab, "
    "api/openapi.json and api/interactions.json"
)
DAY = dt.date(2026, 11, 21)
MARK = Mark("documented", 7)
RESOURCE = "c0ffee00-1111-4222-8333-000000000002"
NOTHING = {"type": "usd", "usd": 0.0}
GREY = "#c8d2d8"
# Jobs are accepted with 202 here, with 200 elsewhere; what is kept longer than its job has an id of its own.
QUEUED = ("create-image-pixflux-background", "edit-image", "create-tileset")
KEPT = {
    "create-character-with-4-directions": "character_id",
    "create-tileset": "tileset_id",
    "map-objects": "object_id",
}


def potion(color: str = "#c02838", ground: str | None = None, cork: str = "#8a5a34") -> Image.Image:
    """A potion in a round bottle, drawn here: 32x32, five colours."""
    image = Image.new("RGBA", (32, 32), ground or (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill="#e8f0f2", outline="#20242c")
    draw.chord((9, 13, 22, 26), 0, 180, fill=color)
    draw.rectangle((13, 5, 18, 12), fill="#e8f0f2", outline="#20242c")
    draw.rectangle((13, 2, 18, 5), fill=cork, outline="#20242c")
    return image


def figure(number: int, side: int) -> Image.Image:
    """A figure that differs by number, in a canvas of ``side`` pixels: the vendor draws them larger than asked for."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    left, top = side // 2 - 6, side // 2 - 10
    draw.rectangle((left, top, left + 11, top + 19), fill="#3858a8", outline="#20242c")
    draw.rectangle((left + 2, top + 2, left + 9, top + 8), fill="#e8b890")
    for row in range(10, 19):  # a knitted pattern, one pixel a stitch
        for column in range(1 + (row * (number + 1)) % 3, 11, 2 + number):
            image.putpixel((left + column, top + row), (224, 192, 112, 255))
    return image


def tile(grounds: tuple[str, ...]) -> Image.Image:
    """One 16x16 tile: a quarter for each corner."""
    image = Image.new("RGBA", (16, 16))
    draw = ImageDraw.Draw(image)
    for number, ground in enumerate(grounds):
        left, top = 8 * (number % 2), 8 * (number // 2)
        draw.rectangle((left, top, left + 7, top + 7), fill="#3878c8" if ground == "lower" else "#e0c070")
    return image


def sent(image: Image.Image) -> bytes:
    """The image, of at most 16 colours, as a PNG that is the same on every machine: a request matches to the byte."""
    colors, at = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0, return_inverse=True)
    indices = at.reshape(image.height, image.width).astype(np.uint8)
    return encode(indices, [(int(r), int(g), int(b)) for r, g, b in colors], transparent=False)


def cork() -> Image.Image:
    """A mask: white where the potion's cork is."""
    image = Image.new("L", (32, 32), 0)
    image.paste(255, (13, 2, 19, 6))
    return image


POTION = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7}
ON_A_PICTURE = {**POTION, "images": [sent(potion(ground=GREY))]}
IMAGE = {**POTION, "model": "pixflux", "transparent": True}
OBJECT = {**POTION, "model": "map-object"}
EDIT = {**ON_A_PICTURE, "prompt": "make the drink blue", "task": "edit", "model": "edit-image"}
INPAINT = {**ON_A_PICTURE, "prompt": "a golden cork", "task": "inpaint", "mask": sent(cork()), "model": "inpaint"}
VIEWS = {**POTION, "prompt": "a village baker", "task": "views", "views": "4", "model": "character-4"}
WALK = {**ON_A_PICTURE, "prompt": "", "task": "animation", "action": "bubbling", "frames": 4, "model": "animate-v3"}
TILES = {**POTION, "prompt": "shallow water", "size": 16, "task": "tileset", "tiles": "wang", "upper": "sand"}
TILES["model"] = "tileset"
CUTOUT = {**ON_A_PICTURE, "prompt": "", "task": "remove_background", "transparent": True, "model": "remove-background"}
EACH_TASK = [IMAGE, EDIT, INPAINT, VIEWS, WALK, TILES, CUTOUT]


def case(about: str, asks: list[dict[str, Any]], outcome: str, paid: str, **more: Any) -> dict[str, Any]:
    """One entry of ``CALLS``."""
    return {"about": about, "asks": asks, "outcome": outcome, "paid": paid, **more}


#: What each scenario is asked, and how it ends: "delivered" or the name of an error. ``paid``: what the ledger counts
#: then, spent or held, in dollars or "generations"; "hold": all that was held. ``bill``: where that amount is from.
#: ``says``: words of the error or of the art's warnings.
CALLS = {
    "success": case("an image, with the answer", [IMAGE], "delivered", "0.0084", bill="reported"),
    "subscription_generations": case(
        "the same, billed to a subscription in generations",
        [IMAGE],
        "delivered",
        "1 generations",
        settings={"account": "subscription"},
        bill="reported",
    ),
    "job": case(
        "an image by way of a job, which is there before the job says so",
        [IMAGE],
        "delivered",
        "0.0084",
        settings={"prefer_jobs": True},
    ),
    "edit": case("a picture changed by words", [EDIT], "delivered", "0.0118"),
    "inpaint": case("a part of a picture drawn anew", [INPAINT], "delivered", "0.00734"),
    "views": case(
        "four directions of a character, on a larger canvas than asked",
        [VIEWS],
        "delivered",
        "0.0105",
        names=VIEW_NAMES["4"],
    ),
    "animation": case("four frames of an action", [WALK], "delivered", "0.0221", count=4),
    "tileset": case(
        "sixteen tiles from an address of their own, which first says 423", [TILES], "delivered", "0.0079", count=16
    ),
    "remove_background": case("a picture cut out", [CUTOUT], "delivered", "0.0055"),
    "validation_error": case("422", EACH_TASK, "RequestRejected", "0"),
    "no_balance": case("402", EACH_TASK, "OutOfCredit", "0"),
    "rate_limited": case("429 with `Retry-After`", EACH_TASK, "RateLimited", "0"),
    "failed_task": case(
        "a failed job, billed nothing",
        [IMAGE, EDIT, VIEWS, WALK, TILES],
        "JobFailed",
        "0",
        settings={"prefer_jobs": True},
        says="3007",
    ),
    "overloaded_529": case("529: busy, nothing done", [IMAGE], "Overloaded", "0"),
    "map_object": case("a job whose image is bare text, not an object", [OBJECT], "delivered", "0.0099"),
    "usage_null": case(
        "an image without its bill: what was held is booked",
        [IMAGE],
        "delivered",
        "hold",
        bill="listed",
        says="has not said what it cost",
    ),
    "gateway_504": case(
        "a page of HTML answers the paid request: nobody knows, the money stays held",
        [INPAINT, CUTOUT],
        "OutcomeUnknown",
        "hold",
    ),
}

#: What is not here, and why; a task in the key: for that task only.
MISSING: dict[str, str] = {
    "content_refused": "PixelLab documents no answer by which it refuses content",
    "failed_task/inpaint": "PixelLab answers at once, so there is no job that could fail",
    "failed_task/remove_background": "PixelLab answers at once, so there is no job that could fail",
}


def request_of(ask: Mapping[str, Any]) -> GenerationRequest:
    """What the backend gets for an ask."""
    rest = {name: value for name, value in ask.items() if name != "size"}
    return GenerationRequest(width=ask["size"], height=ask["size"], **rest)


def picture(image: Image.Image, *, sized: bool = False) -> dict[str, Any]:
    """The vendor's image object; results of jobs add the size."""
    size = {"width": image.width, "height": image.height} if sized else {"format": "png"}
    return {"type": "base64", "base64": bare(image), **size}


def bare(image: Image.Image) -> str:
    """The image in base64."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def dollars(amount: float) -> dict[str, Any]:
    """A bill to an account with credit."""
    return {"type": "usd", "usd": amount}


class Scenario:
    """One purchase of a cassette in the making; ``number`` tells its job from the others'."""

    def __init__(self, cassette: Cassette, backend: Backend, request: GenerationRequest, number: int) -> None:
        self._cassette, self._backend, self._request = cassette, backend, request
        self._job = f"5c1a2a1e-6f0b-4c1a-9d55-0f6c6f1f{number + 1:04}"
        self._ticket = Ticket(self._job, {"model": str(request.model)})

    def _add(self, call: Call[Any], status: int, body: object, **headers: str) -> Scenario:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        answer = {"Content-Type": kind, **{name.replace("_", "-"): v for name, v in headers.items()}}
        request = call.request
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        return self._add(self._backend.submit(self._request, MARK), status, body, **headers)

    def drawn(self, image: Image.Image, usage: object) -> Scenario:
        """The paid request, answered with the image and its bill."""
        return self.submitted(200, {"usage": usage, "image": picture(image)})

    def accepted(self) -> Scenario:
        """The paid request, queued. The bill that comes with it is a placeholder."""
        path = self._backend.submit(self._request, MARK).request.url.rpartition("/")[2]
        ids = {"background_job_id": self._job} | ({KEPT[path]: RESOURCE} if path in KEPT else {})
        return self.submitted(202 if path in QUEUED else 200, {**ids, "status": "processing", "usage": NOTHING})

    def polled(self, status: str, last: object, usage: object = NOTHING) -> Scenario:
        """The job as it is."""
        body = {"id": self._job, "status": status, "created_at": "2026-11-21T10:00:00.117301+00:00", "usage": usage}
        return self._add(self._backend.poll(self._ticket), 200, {**body, "last_response": last})

    def collected(self, at: str, status: int, body: object, **headers: str) -> Scenario:
        """The result at its own address."""
        ticket = Ticket(self._job, {**self._ticket.extra, "at": at})
        return self._add(self._backend.poll(ticket), status, body, **headers)


def scenarios(root: Path, name: str) -> list[Scenario]:
    """A new, empty cassette in place of the old one, and one purchase for each of its asks."""
    folder, call = root / name, CALLS[name]
    for old in folder.glob("*"):
        old.unlink()
    cassette = Cassette.documented(folder, source=SOURCE, day=DAY)
    backend = Backend(PixelLabSettings(**call.get("settings", {})), None)
    return [Scenario(cassette, backend, request_of(ask), number) for number, ask in enumerate(call["asks"])]


RUNNING = {"type": "message_progress", "status": "initializing", "progress": 0.05, "queue_position": 0}
DONE = {"type": "message_done", "status": "initializing", "progress": 1.0, "seed": 7}


def tiles() -> list[dict[str, Any]]:
    """The sixteen tiles of a set, as the vendor describes them."""
    found = []
    for number in range(16):
        grounds = tuple("upper" if number >> (3 - bit) & 1 else "lower" for bit in range(4))
        codes = [int(ground == "upper") for ground in grounds]
        found.append(
            {
                "id": f"71111111-1111-4222-8333-0000000000{number:02}",
                "name": f"tile {number}",
                "image": picture(tile(grounds)),
                "corners": dict(zip(("NW", "NE", "SW", "SE"), grounds, strict=True)),
                "pattern_4x4": {
                    "row_0": [255] * 4,
                    "row_1": [255, codes[0], codes[1], 255],
                    "row_2": [255, codes[2], codes[3], 255],
                    "row_3": [255] * 4,
                },
                "original_position": {"row": number // 4, "col": number % 4},
                "description": None,
                "connections": None,
            }
        )
    return found


def _delivered(root: Path) -> None:
    at_once = {"success": potion(), "remove_background": potion(), "inpaint": potion(ground=GREY, cork="#d8a830")}
    for name, image in at_once.items():
        [one] = scenarios(root, name)
        one.drawn(image, dollars(float(CALLS[name]["paid"])))
    [one] = scenarios(root, "subscription_generations")
    one.drawn(potion(), {"type": "generations", "usd": None, "generations": 1.0})

    # The result is there before the status says so, and only the status counts.
    [one] = scenarios(root, "job")
    there = {**DONE, "image": picture(potion(), sized=True)}
    one.accepted().polled("processing", None).polled("processing", there)
    one.polled("completed", there, dollars(0.0084))

    [one] = scenarios(root, "edit")
    done = {**DONE, "image": picture(potion("#2848c0", GREY), sized=True)}
    one.accepted().polled("processing", RUNNING).polled("completed", done, dollars(0.0118))

    [one] = scenarios(root, "views")
    views = {name: picture(figure(number, 60), sized=True) for number, name in enumerate(VIEW_NAMES["4"])}
    done = {**DONE, "images": views, "image_width": 60, "image_height": 60, "directions_count": 4}
    one.accepted().polled("processing", RUNNING)
    one.polled("completed", {**done, "character_id": RESOURCE}, dollars(0.0105))

    [one] = scenarios(root, "animation")
    colors = ("#c02838", "#d83848", "#c02838", "#a81828")
    frames = [picture(potion(color, GREY), sized=True) for color in colors]
    one.accepted().polled("processing", RUNNING).polled("completed", {**DONE, "images": frames}, dollars(0.0221))
    _tileset(root)


def _tileset(root: Path) -> None:
    [one] = scenarios(root, "tileset")
    grounds = {"lower": "shallow water", "upper": "sand"}
    tileset = {"total_tiles": 16, "tile_size": {"width": 16, "height": 16}, "terrain_types": list(grounds)}
    metadata = {"edge_types": list(grounds), "terrain_prompts": grounds, "terrain_ids": None, "transition_size": 0.0}
    metadata |= {"view": "high top-down", "generation_parameters": {}, "created_at": "2026-11-21T10:00:30.000001+00:00"}
    one.accepted().polled("processing", RUNNING)
    one.polled("completed", {**DONE, "tileset_id": RESOURCE}, dollars(0.0079))
    at = f"tilesets/{RESOURCE}"
    one.collected(at, 423, {"detail": "Tileset is still being generated"}, Retry_After="1")
    one.collected(at, 200, {"tileset": {**tileset, "tiles": tiles()}, "metadata": metadata, "usage": None})


def _failed(root: Path) -> None:
    # Which field the vendor complains about is made up; the shape of the complaint is the contract's.
    issue = {"type": "int_type", "loc": ["body", "seed"], "msg": "Input should be a valid integer", "input": "7"}
    for one in scenarios(root, "validation_error"):
        one.submitted(422, {"detail": [issue]})
    # For these the contract has only descriptions; FastAPI's envelope around them is an assumption.
    for one in scenarios(root, "no_balance"):
        one.submitted(402, {"detail": "Insufficient credits"})
    for one in scenarios(root, "rate_limited"):
        one.submitted(429, {"detail": "Too many requests"}, Retry_After="5")
    [one] = scenarios(root, "overloaded_529")
    one.submitted(529, {"detail": "Rate limit exceeded"})
    error = {"type": "error", "code": 3007, "detail": "(free tier is temporarily limited because of high demand)"}
    error |= {"trace": None, "limit_type": None, "status": "initializing", "progress": 0.0}
    for one in scenarios(root, "failed_task"):
        one.accepted().polled("processing", RUNNING).polled("failed", error)


def _awkward(root: Path) -> None:
    [one] = scenarios(root, "map_object")
    done = {**DONE, "image": bare(potion()), "object_id": RESOURCE}
    one.accepted().polled("processing", RUNNING).polled("completed", done, dollars(0.0099))
    [one] = scenarios(root, "usage_null")
    one.drawn(potion(), None)
    for one in scenarios(root, "gateway_504"):
        one.submitted(504, b"<html><head><title>504 Gateway Time-out</title></head><body></body></html>")


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    _delivered(root)
    _failed(root)
    _awkward(root)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
