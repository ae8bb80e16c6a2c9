"""Write the documented cassettes of PixelLab: ``python cassettes/pixellab/make.py [FOLDER]``.

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

from pixelrouter.backends.pixellab import Backend, PixelLabSettings
from pixelrouter.backends.protocol import Call
from pixelrouter.types import VIEW_NAMES, GenerationRequest, Mark, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "PixelLab OpenAPI v2 of 2026-08-15 and recorded traffic of 2026-10, github.com/go-api-libs/pixellab, "
    "api/openapi.json and api/interactions.json"
)
DAY = dt.date(2026, 11, 21)
MARK = Mark("documented", 7)
JOB, RESOURCE = "5c1a2a1e-6f0b-4c1a-9d55-0f6c6f1f0001", "c0ffee00-1111-4222-8333-000000000002"
NOTHING = {"type": "usd", "usd": 0.0}

POTION = {"prompt": "a red potion in a round bottle", "width": 32, "height": 32, "seed": 7}
IMAGE = GenerationRequest(**POTION, model="pixflux", transparent=True)
VIEWS = GenerationRequest(**{**POTION, "prompt": "a village baker"}, model="character-4", task="views", views="4")
TILES = GenerationRequest(
    **{**POTION, "prompt": "shallow water", "width": 16, "height": 16},
    model="tileset",
    task="tileset",
    tiles="wang",
    upper="sand",
)


def potion(color: str = "#c02838", ground: str | None = None) -> bytes:
    """A potion in a round bottle, drawn here: 32x32, five colours, PNG."""
    image = Image.new("RGBA", (32, 32), ground or (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill="#e8f0f2", outline="#20242c")
    draw.chord((9, 13, 22, 26), 0, 180, fill=color)
    draw.rectangle((13, 5, 18, 12), fill="#e8f0f2", outline="#20242c")
    draw.rectangle((13, 2, 18, 5), fill="#8a5a34", outline="#20242c")
    return _png(image)


def figure(number: int, side: int) -> bytes:
    """A figure that differs by number, in a canvas of ``side`` pixels: the vendor draws them larger than asked for."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    left, top = side // 2 - 6, side // 2 - 10
    draw.rectangle((left, top, left + 11, top + 19), fill="#3858a8", outline="#20242c")
    draw.rectangle((left + 2, top + 2, left + 9, top + 8), fill="#e8b890")
    for row in range(10, 19):  # a knitted pattern, one pixel a stitch
        for column in range(1 + (row * (number + 1)) % 3, 11, 2 + number):
            image.putpixel((left + column, top + row), (224, 192, 112, 255))
    return _png(image)


def tile(grounds: tuple[str, ...]) -> bytes:
    """One 16x16 tile: a quarter for each corner."""
    image = Image.new("RGBA", (16, 16))
    draw = ImageDraw.Draw(image)
    for number, ground in enumerate(grounds):
        left, top = 8 * (number % 2), 8 * (number // 2)
        draw.rectangle((left, top, left + 7, top + 7), fill="#3878c8" if ground == "lower" else "#e0c070")
    return _png(image)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


WALK = GenerationRequest(
    **{**POTION, "prompt": ""}, model="animate-v3", task="animation", action="bubbling", frames=4, images=(potion(),)
)
CUT_OUT = GenerationRequest(
    **{**POTION, "prompt": ""},
    model="remove-background",
    task="remove_background",
    transparent=True,
    images=(potion(ground="#c8d2d8"),),
)


def picture(data: bytes, *, sized: bool = False) -> dict[str, Any]:
    """The vendor's image object; results of jobs add the size."""
    size = dict(zip(("width", "height"), Image.open(io.BytesIO(data)).size, strict=True)) if sized else {}
    return {"type": "base64", "base64": base64.b64encode(data).decode(), **({} if sized else {"format": "png"}), **size}


def generations(amount: float) -> dict[str, Any]:
    """A bill to a subscription."""
    return {"type": "generations", "usd": None, "generations": amount}


class Scenario:
    """One cassette in the making."""

    def __init__(self, folder: Path, request: GenerationRequest, **settings: Any) -> None:
        if folder.is_dir():
            for old in folder.iterdir():
                old.unlink()
        self._cassette = Cassette.documented(folder, source=SOURCE, day=DAY)
        self._backend = Backend(PixelLabSettings(**settings), None)
        self._request = request
        self._ticket = Ticket(JOB, {"model": str(request.model)})

    def _add(self, call: Call[Any], status: int, body: object, **headers: str) -> Scenario:
        answer = {"Content-Type": "application/json", **{name.replace("_", "-"): v for name, v in headers.items()}}
        request = call.request
        content = json.dumps(body).encode()
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        return self._add(self._backend.submit(self._request, MARK), status, body, **headers)

    def accepted(self, status: int, **ids: str) -> Scenario:
        """The paid request, queued. The bill that comes with it is a placeholder."""
        return self.submitted(status, {"background_job_id": JOB, **ids, "status": "processing", "usage": NOTHING})

    def polled(self, status: str, last: object, usage: object = NOTHING) -> Scenario:
        """The job as it is."""
        body = {"id": JOB, "status": status, "created_at": "2026-11-21T10:00:00.117301+00:00", "usage": usage}
        return self._add(self._backend.poll(self._ticket), 200, {**body, "last_response": last})

    def collected(self, at: str, status: int, body: object, **headers: str) -> Scenario:
        """The result at its own address."""
        ticket = Ticket(JOB, {**self._ticket.extra, "at": at})
        return self._add(self._backend.poll(ticket), status, body, **headers)


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


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    image = picture(potion())
    Scenario(root / "success", IMAGE).submitted(200, {"usage": {"type": "usd", "usd": 0.0084}, "image": image})
    Scenario(root / "subscription_generations", IMAGE, account="subscription").submitted(
        200, {"usage": generations(1.0), "image": image}
    )
    large = picture(potion(), sized=True)
    lag = {**DONE, "image": large}
    (  # the result is there before the status says so, and only the status counts
        Scenario(root / "job", IMAGE, prefer_jobs=True)
        .accepted(202)
        .polled("processing", None)
        .polled("processing", lag)
        .polled("completed", lag, {"type": "usd", "usd": 0.0084})
    )

    views = {name: picture(figure(number, 60), sized=True) for number, name in enumerate(VIEW_NAMES["4"])}
    done = {**DONE, "images": views, "image_width": 60, "image_height": 60, "directions_count": 4}
    (
        Scenario(root / "views", VIEWS)
        .accepted(200, character_id=RESOURCE)
        .polled("processing", RUNNING)
        .polled("completed", {**done, "character_id": RESOURCE}, {"type": "usd", "usd": 0.0105})
    )

    frames = [picture(potion(color), sized=True) for color in ("#c02838", "#d83848", "#c02838", "#a81828")]
    (
        Scenario(root / "animation", WALK)
        .accepted(200)
        .polled("processing", RUNNING)
        .polled("completed", {**DONE, "images": frames}, {"type": "usd", "usd": 0.0221})
    )

    grounds = {"lower": "shallow water", "upper": "sand"}
    tileset = {"total_tiles": 16, "tile_size": {"width": 16, "height": 16}, "terrain_types": list(grounds)}
    metadata = {"edge_types": list(grounds), "terrain_prompts": grounds, "terrain_ids": None, "transition_size": 0.0}
    metadata |= {"view": "high top-down", "generation_parameters": {}, "created_at": "2026-11-21T10:00:30.000001+00:00"}
    (
        Scenario(root / "tileset", TILES)
        .accepted(202, tileset_id=RESOURCE)
        .polled("processing", RUNNING)
        .polled("completed", {**DONE, "tileset_id": RESOURCE}, {"type": "usd", "usd": 0.0079})
        .collected(f"tilesets/{RESOURCE}", 423, {"detail": "Tileset is still being generated"}, Retry_After="1")
        .collected(
            f"tilesets/{RESOURCE}",
            200,
            {"tileset": {**tileset, "tiles": tiles()}, "metadata": metadata, "usage": None},
        )
    )

    Scenario(root / "remove_background", CUT_OUT).submitted(
        200, {"usage": {"type": "usd", "usd": 0.0055}, "image": picture(potion())}
    )

    issue = {
        "type": "greater_than_equal",
        "loc": ["body", "image_size", "width"],
        "msg": "Input should be greater than or equal to 16",
        "input": 8,
        "ctx": {"ge": 16},
    }
    Scenario(root / "validation_error", IMAGE).submitted(422, {"detail": [issue]})
    # For these the contract has only descriptions; FastAPI's envelope around them is an assumption.
    Scenario(root / "no_balance", IMAGE).submitted(402, {"detail": "Insufficient credits"})
    Scenario(root / "rate_limited", IMAGE).submitted(429, {"detail": "Too many requests"}, Retry_After="5")
    Scenario(root / "overloaded_529", IMAGE).submitted(529, {"detail": "Rate limit exceeded"})
    error = {"type": "error", "code": 3007, "detail": "(free tier is temporarily limited because of high demand)"}
    error |= {"trace": None, "limit_type": None, "status": "initializing", "progress": 0.0}
    (
        Scenario(root / "failed_task", IMAGE, prefer_jobs=True)
        .accepted(202)
        .polled("processing", RUNNING)
        .polled("failed", error)
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
