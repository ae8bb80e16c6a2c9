"""Write the documented cassettes of Replicate: ``python cassettes/replicate/make.py [FOLDER]``.

Nobody here had a token, so these answers are written from the vendor's documents and from traffic that others recorded,
and each cassette says so; the images in them are drawn here. The requests come from the backend itself, so they are
exactly what pixelrouter sends. Run it again when the backend changes what it sends. ``CALLS`` says what each scenario
is asked and how it ends.
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

from pixelrouter.backends.procedural.png import encode
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


def sent(image: Image.Image) -> bytes:
    """The image, of at most 16 colours, as a PNG that is the same on every machine: a request matches to the byte."""
    colors, at = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0, return_inverse=True)
    indices = at.reshape(image.height, image.width).astype(np.uint8)
    return encode(indices, [(int(r), int(g), int(b)) for r, g, b in colors], transparent=False)


POTION = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7, "model": "rd-fast/low_res"}
EDIT = {**POTION, "prompt": "blue", "task": "edit", "images": [sent(potion())], "strength": 0.5}
WALK = {**POTION, "prompt": "a tiny wizard", "size": 48, "task": "animation"}
WALK["model"] = "rd-animation/four_angle_walking"
TILES = {**POTION, "prompt": "grass", "size": 16, "task": "tileset", "tiles": "wang", "upper": "sand"}
TILES["model"] = "rd-tile/tileset_advanced"
EACH_TASK = [POTION, EDIT, WALK, TILES]


def case(about: str, asks: list[dict[str, Any]], outcome: str, paid: str, **more: Any) -> dict[str, Any]:
    """One entry of ``CALLS``."""
    return {"about": about, "asks": asks, "outcome": outcome, "paid": paid, **more}


#: What each scenario is asked, and how it ends: "delivered" or the name of an error. ``paid``: what the ledger counts
#: then, spent or held, in dollars; "hold": all that was held. ``bill``: where that amount is from. ``says``: words of
#: the error or of the art's warnings. ``unsaid``: words that are not there.
CALLS = {
    "success": case("an image from text", [POTION], "delivered", "0.025", bill="listed"),
    "edit": case("a picture changed by words", [EDIT], "delivered", "0.025", bill="listed"),
    "animation": case("a sheet of 4x4 frames", [WALK], "delivered", "0.07", count=16, says="order varies"),
    "tileset": case("a sheet of 4x5 tiles", [TILES], "delivered", "0.10", count=20),
    "validation_error": case("422", EACH_TASK, "RequestRejected", "0"),
    "no_balance": case("402", EACH_TASK, "OutOfCredit", "0"),
    "rate_limited": case("429 with `Retry-After`", EACH_TASK, "RateLimited", "0"),
    "failed_task": case(
        "failed; whether that costs, Replicate does not say",
        EACH_TASK,
        "JobFailed",
        "hold",
        bill="unknown",
        says="inference_failed",
    ),
    "content_refused": case(
        "failed by the content policy; whether that costs is not said",
        EACH_TASK,
        "ContentBlocked",
        "hold",
        bill="unknown",
        says="E005",
    ),
    "canceled": case("stopped while it ran, which is charged", [POTION], "JobFailed", "hold", bill="unknown"),
    "aborted": case("given up before it started, which is free", [POTION], "JobFailed", "0"),
    "expired": case(
        "done, paid, and its files deleted after an hour", [POTION], "ResultExpired", "hold", bill="listed"
    ),
    "processing_with_output": case(
        "the first answer holds one of two images, and is not the result",
        [{**POTION, "n": 2}],
        "delivered",
        "0.05",
        settings={"prefer_wait_s": 30},
        count=2,
    ),
    "data_uri": case("the image in the answer itself", [POTION], "delivered", "0.025", bill="listed"),
    "low_credit_429": case(
        "429 that tells of the account's credit, which no message repeats",
        [POTION],
        "RateLimited",
        "0",
        says="slows accounts with little credit",
        unsaid="$5",
    ),
    "clamped": case(
        "drawn at another size than asked, without a word",
        [POTION],
        "delivered",
        "0.025",
        bill="listed",
        says="64x64",
        source=SOURCE + "; sizes measured in github.com/lobabobloblaw/emberfall, 2026-07",
    ),
}


def request_of(ask: Mapping[str, Any]) -> GenerationRequest:
    """What the backend gets for an ask."""
    rest = {name: value for name, value in ask.items() if name != "size"}
    return GenerationRequest(width=ask["size"], height=ask["size"], **rest)


class Scenario:
    """One purchase of a cassette in the making; ``number`` tells its job from the others'."""

    def __init__(self, cassette: Cassette, backend: Backend, request: GenerationRequest, number: int) -> None:
        self._cassette, self._backend = cassette, backend
        self._call = backend.submit(request, Mark("documented", 7))
        self._id = f"simk3y0000rme0ctb{number + 1:08}"

    def _add(self, call: Call[Any], status: int, content: bytes, **headers: str) -> None:
        answer = {name.replace("_", "-"): text for name, text in headers.items()}
        request = call.request
        self._cassette.append(request.method, request.url, request.body, status=status, headers=answer, content=content)

    def _prediction(self, status: str, second: float, **more: object) -> dict[str, object]:
        """The prediction as Replicate shows it, ``second`` seconds after it was made."""
        ended = status not in ("starting", "processing")
        address = f"https://api.replicate.com/v1/predictions/{self._id}"
        body = {
            "id": self._id,
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
            "urls": {"get": address, "cancel": f"{address}/cancel", "web": f"https://replicate.com/p/{self._id}"},
        }
        return body | more

    def accepted(self, status: str = "starting", **more: object) -> Scenario:
        """The paid request, taken."""
        body = json.dumps(self._prediction(status, 0, **more)).encode()
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
        self._add(self._backend.poll(Ticket(self._id)), 200, body, Content_Type="application/json")
        return self

    def downloaded(self, *images: Image.Image) -> Scenario:
        """The outputs, fetched."""
        delivery = Delivery(tuple(Remote(link) for link in links(len(images))))
        for call, image in zip(self._backend.fetch(delivery), images, strict=True):
            self._add(call, 200, png(image), Content_Type="image/png")
        return self

    def drawn(self, *images: Image.Image) -> Scenario:
        """Looked at while it runs, finished, fetched."""
        self.polled("processing", 2).polled("succeeded", 5, output=links(len(images)))
        return self.downloaded(*images)


def links(count: int) -> list[str]:
    """Where Replicate puts the outputs of a prediction."""
    return [f"https://replicate.delivery/xezq/simulated/output_{number}.png" for number in range(count)]


def scenarios(root: Path, name: str) -> list[Scenario]:
    """A new, empty cassette in place of the old one, and one purchase for each of its asks."""
    folder, call = root / name, CALLS[name]
    for old in folder.glob("*"):
        old.unlink()
    cassette = Cassette.documented(folder, source=call.get("source", SOURCE), day=DAY)
    backend = Backend(ReplicateSettings(**call.get("settings", {})), None)
    return [Scenario(cassette, backend, request_of(ask), number) for number, ask in enumerate(call["asks"])]


def _time(second: float) -> str:
    return (START + dt.timedelta(seconds=second)).isoformat(timespec="milliseconds") + "Z"


def _delivered(root: Path) -> None:
    pictures = {"success": potion(), "edit": potion("#2848c0"), "animation": walker(), "tileset": ground()}
    for name, picture in pictures.items():
        [one] = scenarios(root, name)
        one.accepted().drawn(picture)


def _failed(root: Path) -> None:
    # The words of the 422 are made up; its shape is that of the other problem documents.
    for one in scenarios(root, "validation_error"):
        one.refused(422, "- input.prompt: Does not match the required form\n", "Input validation failed")
    for one in scenarios(root, "no_balance"):
        one.refused(402, "You have insufficient credit to run this model.", "Insufficient credit")
    for one in scenarios(root, "rate_limited"):
        one.refused(429, "Request was throttled. Your rate limit resets in ~10s.", Retry_After="10")
    for one in scenarios(root, "failed_task"):
        one.accepted().polled("processing", 2).polled("failed", 9, error="inference_failed")
    flagged = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
    for one in scenarios(root, "content_refused"):
        one.accepted().polled("processing", 2).polled("failed", 4, error=flagged)


def _awkward(root: Path) -> None:
    [one] = scenarios(root, "canceled")
    one.accepted().polled("processing", 2).polled("canceled", 600, logs=None)
    [one] = scenarios(root, "aborted")
    one.accepted().polled("starting", 2).polled("aborted", 600, deadline=_time(600))
    [one] = scenarios(root, "expired")
    one.accepted().polled("succeeded", 4000, input={}, output=None, data_removed=True)

    # Seen with "Prefer: wait" in 2024: the status and the images that are there already, inside the answer.
    [one] = scenarios(root, "processing_with_output")
    inline = f"data:image/png;base64,{base64.b64encode(png(potion())).decode()}"
    one.accepted("processing", output=[inline]).drawn(potion(), potion("#2848c0"))
    [one] = scenarios(root, "data_uri")
    one.accepted().polled("processing", 2).polled("succeeded", 5, output=[inline])

    # The sentence is longer for accounts with little credit (quoted by several clients, 2026).
    [one] = scenarios(root, "low_credit_429")
    reason = "Your rate limit for creating predictions is reduced to 6 requests per minute with a burst of 1 requests"
    reason += " while you have less than $5.0 in credit."
    one.refused(429, f"Request was throttled. {reason} Your rate limit resets in ~10s.", Retry_After="10")

    # Measured by others: sizes outside a style's range come out clamped.
    [one] = scenarios(root, "clamped")
    one.accepted().drawn(potion().resize((64, 64), Image.Resampling.NEAREST))


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    _delivered(root)
    _failed(root)
    _awkward(root)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
