"""Write the documented cassettes of Replicate: ``python cassettes/replicate/make.py [FOLDER]``.

Nobody here had a token, so these answers are written from the vendor's documents and from traffic that others recorded,
and each cassette says so. The requests come from the backend itself, so they are exactly what pixelrouter sends. Run it
again when the backend changes what it sends.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from pixelrouter.backends.protocol import Call
from pixelrouter.backends.replicate import Backend, ReplicateSettings
from pixelrouter.types import Delivery, GenerationRequest, Mark, Remote, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "Replicate's HTTP API: replicate.com/docs (predictions, lifecycle, data retention, rate limits), its changelog of "
    "2025-10-16, traffic recorded in github.com/replicate/replicate-python tests/cassettes; the models' schemas of "
    "2026-07. Nothing of it was recorded by pixelrouter"
)
DAY = dt.date(2026, 11, 21)
START = dt.datetime(2026, 11, 21, 10, 0, 0, 100_000)
PROMPT, SEED = "a red potion in a round bottle", 7
POTION = GenerationRequest(prompt=PROMPT, width=32, height=32, model="rd-fast/low_res", seed=SEED)
JOB = "simk3y0000rme0ctb00000001"
LINK = "https://replicate.delivery/xezq/simulated/output_0.png"
_BACKEND = Backend(ReplicateSettings(), None)


def potion(liquid: str = "#c02838") -> Image.Image:
    """A potion in a round bottle, drawn here: 32x32, five colours."""
    image = Image.new("RGB", (32, 32), "#c8d2d8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill="#e8f0f2", outline="#20242c")
    draw.chord((9, 13, 22, 26), 0, 180, fill=liquid)
    draw.rectangle((13, 5, 18, 12), fill="#e8f0f2", outline="#20242c")
    draw.rectangle((13, 2, 18, 5), fill="#8a5a34", outline="#20242c")
    draw.line((11, 16, 11, 18), fill="#c8d2d8")
    return image


def walker() -> Image.Image:
    """A sheet of 4x4 frames of 48x48, transparent: a figure that takes steps."""
    sheet = Image.new("RGBA", (192, 192))
    draw = ImageDraw.Draw(sheet)
    for row in range(4):
        for column in range(4):
            x, y, step = 48 * column + 16, 48 * row + 8, (0, 3, 0, -3)[column]
            draw.rectangle((x + 3, y, x + 12, y + 9), fill=("#e0b088", "#70482c")[row % 2])
            draw.rectangle((x, y + 10, x + 15, y + 23), fill="#3858a8")
            draw.rectangle((x + 2 + step, y + 24, x + 6 + step, y + 31), fill="#20242c")
            draw.rectangle((x + 9 - step, y + 24, x + 13 - step, y + 31), fill="#20242c")
    return sheet


def ground() -> Image.Image:
    """A sheet of 4x5 tiles of 16x16, opaque, in RGBA: grass with more and more sand."""
    sheet = Image.new("RGBA", (64, 80), "#4c8c3c")
    draw = ImageDraw.Draw(sheet)
    for tile in range(20):
        x, y = 16 * (tile % 4), 16 * (tile // 4)
        draw.rectangle((x, y, x + 15, y + tile // 2 + 2), fill="#d8c070")
        draw.point((x + 3 + tile % 5, y + 14), fill="#386c2c")
    return sheet


def png(image: Image.Image) -> bytes:
    """The image as PNG."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class Scenario:
    """One cassette in the making: the exchanges of ``request``."""

    def __init__(self, folder: Path, request: GenerationRequest = POTION) -> None:
        if folder.is_dir():
            for old in folder.iterdir():
                old.unlink()
        self._cassette = Cassette.documented(folder, source=SOURCE, day=DAY)
        self._call = _BACKEND.submit(request, Mark("documented", SEED))

    def _add(self, call: Call[Any], status: int, content: bytes, **headers: str) -> None:
        answer = {name.replace("_", "-"): text for name, text in headers.items()}
        request = call.request
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)

    def _prediction(self, status: str, second: float, **more: object) -> dict[str, object]:
        """The prediction as Replicate shows it, ``second`` seconds after it was made."""
        ended = status not in ("starting", "processing")
        address = f"https://api.replicate.com/v1/predictions/{JOB}"
        body = {
            "id": JOB,
            "model": self._call.request.url.partition("/models/")[2].removesuffix("/predictions"),
            "version": "hidden",
            "input": {name: value for name, value in self._call.request.json["input"].items() if name != "input_image"},
            "logs": "",
            "output": None,
            "data_removed": False,
            "error": None,
            "source": "api",
            "status": status,
            "created_at": _time(0),
            "started_at": None if status in ("starting", "aborted") else _time(1),
            "completed_at": _time(second) if ended else None,
            "urls": {"get": address, "cancel": f"{address}/cancel", "web": f"https://replicate.com/p/{JOB}"},
        }
        return body | more

    def accepted(self) -> Scenario:
        """The paid request, taken."""
        body = json.dumps(self._prediction("starting", 0)).encode()
        self._add(self._call, 201, body, Content_Type="application/json")
        return self

    def refused(self, status: int, detail: str, title: str | None = None, **headers: str) -> Scenario:
        """The paid request, turned down with a problem document."""
        body = ({"title": title} if title else {}) | {"detail": detail, "status": status}
        content = json.dumps(body).encode() + b"\n"
        self._add(self._call, status, content, Content_Type="application/problem+json", **headers)
        return self

    def polled(self, status: str, second: float, **more: object) -> Scenario:
        """The prediction, asked for again."""
        body = json.dumps(self._prediction(status, second, **more)).encode()
        self._add(_BACKEND.poll(Ticket(JOB)), 200, body, Content_Type="application/json")
        return self

    def downloaded(self, image: Image.Image) -> Scenario:
        """The one output, fetched."""
        [call] = _BACKEND.fetch(Delivery((Remote(LINK),)))
        self._add(call, 200, png(image), Content_Type="image/png")
        return self

    def drawn(self, image: Image.Image) -> Scenario:
        """Taken, looked at while it runs, finished, fetched."""
        return self.accepted().polled("processing", 2).polled("succeeded", 5, output=[LINK]).downloaded(image)


def _time(second: float) -> str:
    return (START + dt.timedelta(seconds=second)).isoformat(timespec="milliseconds") + "Z"


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    Scenario(root / "success").drawn(potion())

    edit = POTION.model_copy(update={"task": "edit", "images": (png(potion()),), "strength": 0.5, "prompt": "blue"})
    Scenario(root / "edit", edit).drawn(potion("#2848c0"))
    size = {"width": 48, "height": 48}
    walk = {"task": "animation", "model": "rd-animation/four_angle_walking", "prompt": "a tiny wizard"}
    Scenario(root / "animation", POTION.model_copy(update=walk | size)).drawn(walker())
    tiles = {
        "task": "tileset",
        "tiles": "wang",
        "model": "rd-tile/tileset_advanced",
        "prompt": "grass",
        "upper": "sand",
    }
    size = {"width": 16, "height": 16}
    Scenario(root / "tileset", POTION.model_copy(update=tiles | size)).drawn(ground())

    # The words of the 422 are made up; its shape is that of the other problem documents.
    detail = "- input.prompt: Does not match the required form\n"
    Scenario(root / "validation_error").refused(422, detail, "Input validation failed")
    detail = "You have insufficient credit to run this model."
    Scenario(root / "no_balance").refused(402, detail, "Insufficient credit")
    detail = "Request was throttled. Your rate limit resets in ~10s."
    Scenario(root / "rate_limited").refused(429, detail, Retry_After="10")

    taken = {"error": "inference_failed"}
    Scenario(root / "failed_task").accepted().polled("processing", 2).polled("failed", 9, **taken)
    taken = {"error": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"}
    Scenario(root / "content_refused").accepted().polled("processing", 2).polled("failed", 4, **taken)
    Scenario(root / "canceled").accepted().polled("processing", 2).polled("canceled", 600, logs=None)
    Scenario(root / "aborted").accepted().polled("starting", 2).polled("aborted", 600, deadline=_time(600))
    Scenario(root / "expired").accepted().polled("succeeded", 4000, input={}, output=None, data_removed=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
