"""Write the documented cassettes of Retro Diffusion: ``python cassettes/retrodiffusion/make.py [FOLDER]``.

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

from pixelrouter.backends.procedural.png import encode
from pixelrouter.backends.protocol import Call
from pixelrouter.backends.retrodiffusion.backend import Backend, RetroDiffusionSettings
from pixelrouter.types import VIEW_NAMES, Delivery, GenerationRequest, Mark, Remote, Ticket
from pixelrouter.wire.cassette import Cassette

SOURCE = (
    "Retro Diffusion API v2 contract, github.com/Retro-Diffusion/api-examples, "
    "contracts/v2/openapi.json and error-codes.json at 1274e0b"
)
EDIT_SOURCE = f"{SOURCE}; EDIT_TOOLS.md at 1274e0b"
V1_SOURCE = "Retro Diffusion API v1, github.com/Retro-Diffusion/api-examples, README and contracts/v1 at 92b3388"
DAY = dt.date(2026, 11, 21)
START = dt.datetime(2026, 11, 21, 10, 0, 0)
REQUEST_ID = "5e2a9d10-4c3b-4f7e-8b60-91d7c0a4e602"
BALANCE = 10.0
# The vendor publishes no name of the host behind its addresses.
FILES = "https://outputs.retrodiffusion.example/5e2a9d10"


def potion() -> Image.Image:
    """A red potion in a round bottle, drawn here: 32x32, five colours."""
    image = Image.new("RGB", (32, 32), "#c8d2d8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((7, 11, 24, 28), fill="#e8f0f2", outline="#20242c")
    draw.chord((9, 13, 22, 26), 0, 180, fill="#c02838")
    draw.rectangle((13, 5, 18, 12), fill="#e8f0f2", outline="#20242c")
    draw.rectangle((13, 2, 18, 5), fill="#8a5a34", outline="#20242c")
    draw.line((11, 16, 11, 18), fill="#c8d2d8")
    return image


def png(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def sent(image: Image.Image) -> bytes:
    """The image, of at most 16 colours, as a PNG that is the same on every machine: a request matches to the byte."""
    colors, at = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0, return_inverse=True)
    indices = at.reshape(image.height, image.width).astype(np.uint8)
    return encode(indices, [(int(r), int(g), int(b)) for r, g, b in colors], transparent=False)


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


def cork() -> Image.Image:
    """A mask: white where the potion's cork is."""
    image = Image.new("L", (32, 32), 0)
    image.paste(255, (13, 2, 19, 6))
    return image


def cut_out() -> bytes:
    """The potion without its ground."""
    image = potion().convert("RGBA")
    for x in range(image.width):
        for y in range(image.height):
            if image.getpixel((x, y)) == (200, 210, 216, 255):
                image.putpixel((x, y), (0, 0, 0, 0))
    return png(image)


def corked_anew() -> bytes:
    """The potion with a golden cork."""
    image = potion()
    ImageDraw.Draw(image).rectangle((13, 2, 18, 5), fill="#d8a830", outline="#20242c")
    return png(image)


POTION = {"prompt": "a red potion in a round bottle", "size": 32, "seed": 7, "model": "rd_fast__low_res"}
ON_A_PICTURE = {**POTION, "images": [sent(potion())]}
EDIT = {**ON_A_PICTURE, "task": "edit", "strength": 0.4}
INPAINT = {**ON_A_PICTURE, "prompt": "a golden cork", "task": "inpaint", "mask": sent(cork())}
INPAINT["model"] = "edit__inpainting"
VIEWS = {**ON_A_PICTURE, "task": "views", "views": "8", "model": "rd_advanced_animation__rotate"}
HOP = {**ON_A_PICTURE, "task": "animation", "action": "hops", "frames": 4}
HOP["model"] = "rd_advanced_animation__custom_action"
TILES = {**POTION, "prompt": "lush grass", "upper": "grey stones", "size": 16, "task": "tileset", "tiles": "wang"}
TILES["model"] = "rd_tile__tileset_advanced"
CUTOUT = {**ON_A_PICTURE, "prompt": "", "task": "remove_background", "model": "edit__background_remover"}
EACH_TASK = [POTION, EDIT, INPAINT, VIEWS, HOP, TILES, CUTOUT]
#: Dollars an ask costs, by its model.
PRICES = {
    "rd_fast__low_res": 0.025,
    "edit__inpainting": 0.18,
    "rd_advanced_animation__rotate": 0.1,
    "rd_advanced_animation__custom_action": 0.25,
    "rd_tile__tileset_advanced": 0.1,
    "edit__background_remover": 0.01,
}
V1 = {"settings": {"api_version": "v1"}, "source": V1_SOURCE}


def case(about: str, asks: list[dict[str, Any]], outcome: str, paid: str, **more: Any) -> dict[str, Any]:
    """One entry of ``CALLS``."""
    return {"about": about, "asks": asks, "outcome": outcome, "paid": paid, **more}


#: What each scenario is asked, and how it ends: "delivered" or the name of an error. ``paid``: what the ledger counts
#: then, spent or held, in dollars; "hold": all that was held. ``bill``: where that amount is from. ``says``: words of
#: the error or of the art's warnings. ``again``: how the same call ends when it is made once more.
CALLS = {
    "success": case("an image from text", [POTION], "delivered", "0.025", bill="reported"),
    "edit": case("a picture changed by words", [EDIT], "delivered", "0.025", bill="reported"),
    "inpaint": case("a part of a picture drawn anew", [INPAINT], "delivered", "0.18", source=EDIT_SOURCE),
    "views": case("a sheet of eight views around an empty middle", [VIEWS], "delivered", "0.1", names=VIEW_NAMES["8"]),
    "animation": case("four frames in a GIF", [HOP], "delivered", "0.25", count=4),
    "tileset": case("a sheet of 4x5 tiles", [TILES], "delivered", "0.1", count=20),
    "remove_background": case("a picture cut out", [CUTOUT], "delivered", "0.01", source=EDIT_SOURCE),
    "validation_error": case("422", EACH_TASK, "RequestRejected", "0"),
    "no_balance": case("402", EACH_TASK, "OutOfCredit", "0"),
    "rate_limited": case("429 with `Retry-After`", EACH_TASK, "RateLimited", "0"),
    "content_refused": case("403", EACH_TASK, "ContentRefused", "0"),
    "failed_task": case("failed, and refunded by API Activity", EACH_TASK, "JobFailed", "0", says="inference_failed"),
    "url_only": case(
        "paid, with an empty list of images: they are at addresses", [POTION], "delivered", "0.025", bill="reported"
    ),
    "url_expired": case(
        "the address is dead by then, and a fresh one is asked for", [POTION], "delivered", "0.025", bill="reported"
    ),
    "lost_accept": case(
        "a page of HTML answers the paid request; the same again, by its key, finds the one job",
        [POTION],
        "delivered",
        "0.025",
        bill="reported",
    ),
    "v1_at_once": case(
        "v1 answers with the image instead of a job", [POTION], "delivered", "0.025", bill="reported", **V1
    ),
    "v1_no_balance": case("v1 says so with a 400", [POTION], "OutOfCredit", "0", **V1),
    "v1_no_token": case("v1 misses the key with a 422, at the price check already", [POTION], "AuthFailed", "0", **V1),
}


def request_of(ask: Mapping[str, Any]) -> GenerationRequest:
    """What the backend gets for an ask."""
    rest = {name: value for name, value in ask.items() if name != "size"}
    return GenerationRequest(width=ask["size"], height=ask["size"], **rest)


class Scenario:
    """One purchase of a cassette in the making; ``number`` tells its job from the others'."""

    def __init__(self, cassette: Cassette, backend: Backend, request: GenerationRequest, number: int) -> None:
        self._cassette, self._backend, self._request = cassette, backend, request
        self._model = request.model or ""
        self._price, self._is_edit = PRICES[self._model], self._model.startswith("edit__")
        self._task = f"0b6f3c52-7d1e-4a44-9a57-3f1c2e5d8a{number + 1:02}"

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

    def quoted(self) -> Scenario:
        """The free price check."""
        priced = {"balance_cost": self._price, "credit_cost": 0}
        if self._is_edit:
            tool = self._model.removeprefix("edit__")
            body = {"tool_id": tool, **priced, "estimate_seconds": 30, "toolId": tool, "estimateSeconds": 30}
        else:
            body = {"created_at": 1795255200, **priced, "base64_images": [], "model": "check_cost"}
            body["remaining_balance"] = BALANCE
        self._add(self._backend.quote(self._request), 200, body)
        return self

    def unpriced(self, status: int, body: object) -> Scenario:
        """The free price check, turned down."""
        self._add(self._backend.quote(self._request), status, body)
        return self

    def submitted(self, status: int, body: object, **headers: str) -> Scenario:
        """The answer to the paid request."""
        self._add(self._backend.submit(self._request, Mark("documented", 7)), status, body, **headers)
        return self

    def unreadable(self) -> Scenario:
        """A page of HTML in place of the answer to the paid request: the gateway's."""
        page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
        self._append(
            self._backend.submit(self._request, Mark("documented", 7)), 502, {"Content-Type": "text/html"}, page
        )
        return self

    def accepted(self) -> Scenario:
        """The paid request, queued."""
        message = (
            "Edit accepted. Poll GET /v2/edit/tasks/{task_id} for status." if self._is_edit else "Inference accepted."
        )
        body = {"status": "accepted", "task_id": self._task, "request_id": REQUEST_ID, "message": message}
        return self.submitted(202 if self._is_edit else 200, body, X_RD_Request_ID=REQUEST_ID)

    def refused(self, status: int, code: str, message: str, **more: Any) -> Scenario:
        """The paid request, turned down in the vendor's one envelope."""
        details = more.pop("details", None)
        error = {"code": code, "message": message, "request_id": REQUEST_ID}
        body = {"error": error | ({"details": details} if details else {})}
        return self.submitted(status, body, X_Request_ID=REQUEST_ID, **more)

    def polled(self, state: str, second: int, **more: object) -> Scenario:
        """The job, ``second`` seconds after it was accepted."""
        times = {"created_at": START.isoformat(), "updated_at": (START + dt.timedelta(seconds=second)).isoformat()}
        body = {"status": state, "task_id": self._task, **times, **more}
        self._add(self._backend.poll(self._ticket), 200, body)
        return self

    @property
    def _ticket(self) -> Ticket:
        return Ticket(self._task, {"request_id": REQUEST_ID} | ({"kind": "edit"} if self._is_edit else {}))

    def result(self, *files: bytes, url: str | None = None) -> dict[str, Any]:
        """A finished run; with ``url`` its one file is there."""
        run = {
            "created_at": 1795255206,
            "balance_cost": self._price,
            "credit_cost": 0,
            "base64_images": [] if url else [base64.b64encode(file).decode() for file in files],
            "model": self._model.partition("__")[0],
            "remaining_balance": round(BALANCE - self._price, 3),
            "request_id": REQUEST_ID,
        }
        if self._is_edit:
            tool = self._model.removeprefix("edit__")
            run |= {"tool_id": tool, "toolId": tool, "charged": True, "inference_id": REQUEST_ID}
            del run["model"], run["created_at"]
        return run | ({"output_urls": [url]} if url else {})

    def done(self, *files: bytes, url: str | None = None) -> Scenario:
        """The job, running and then finished; with ``url`` its one file is fetched from there."""
        self.polled("running", 2).polled("succeeded", 6, result=self.result(*files, url=url))
        return self.fetched(url, 200, files[0]) if url else self

    def fetched(self, url: str, status: int, content: bytes) -> Scenario:
        """What lies at an address."""
        [call] = self._backend.fetch(Delivery((Remote(url),)))
        self._append(call, status, {"Content-Type": "image/png" if status == 200 else "application/xml"}, content)
        return self

    def refunded(self) -> Scenario:
        """The account's record of a failed request."""
        body = {"request_id": REQUEST_ID, "operation": "inference", "mode": "async", "status": "failed"}
        body |= {"http_status": 502, "charged": False, "balance_cost": self._price, "outputs": []}
        self._add(self._backend.renew(self._ticket), 200, body)
        return self

    def renewed(self, url: str) -> Scenario:
        """The account's record of the request, whose address is signed anew."""
        output = {"position": 0, "media_type": "image/png", "available": True, "url": url}
        body = {"request_id": REQUEST_ID, "operation": "inference", "mode": "async", "status": "succeeded"}
        body |= {"http_status": 200, "charged": True, "balance_cost": self._price, "outputs": [output]}
        self._add(self._backend.renew(self._ticket), 200, body)
        return self


def scenarios(root: Path, name: str) -> list[Scenario]:
    """A new, empty cassette in place of the old one, and one purchase for each of its asks."""
    folder, call = root / name, CALLS[name]
    for old in folder.glob("*"):
        old.unlink()
    cassette = Cassette.documented(folder, source=call.get("source", SOURCE), day=DAY)
    backend = Backend(RetroDiffusionSettings(**call.get("settings", {})), None)
    return [Scenario(cassette, backend, request_of(ask), number) for number, ask in enumerate(call["asks"])]


def _delivered(root: Path) -> None:
    files = {"success": png(potion()), "edit": corked_anew(), "animation": film(), "views": views(), "tileset": tiles()}
    for name, file in files.items():
        [one] = scenarios(root, name)
        one.quoted().accepted().done(file)
    # The tools answer with addresses only.
    for name, file in {"inpaint": corked_anew(), "remove_background": cut_out()}.items():
        [one] = scenarios(root, name)
        one.quoted().accepted().done(file, url=f"{FILES}/output_0.png")


def _failed(root: Path) -> None:
    # Which field the vendor complains about is made up; the shape of the complaint is the contract's.
    issue = {"location": ["body", "prompt"], "code": "value_error", "message": "invalid value"}
    details = {"issues": [issue]}
    for one in scenarios(root, "validation_error"):
        one.quoted().refused(422, "validation_error", "The request could not be validated.", details=details)
    for one in scenarios(root, "no_balance"):
        one.quoted().refused(402, "not_enough_balance", "Not enough balance.")
    for one in scenarios(root, "rate_limited"):
        one.quoted().refused(429, "rate_limited", "Too many requests.", Retry_After="7")
    for one in scenarios(root, "content_refused"):
        one.quoted().refused(403, "generation_rejected", "Generation rejected.")
    error = {"status_code": 502, "code": "inference_failed", "message": "Inference failed.", "request_id": REQUEST_ID}
    for one in scenarios(root, "failed_task"):
        one.quoted().accepted().polled("running", 2).polled("failed", 9, error=error).refunded()


def _awkward(root: Path) -> None:
    [one] = scenarios(root, "url_only")
    one.quoted().accepted().done(png(potion()), url=f"{FILES}/output_0.png")
    # Addresses are good for 15 minutes, the files behind them for 24 hours.
    [one] = scenarios(root, "url_expired")
    old, new = f"{FILES}/output_0.png", f"{FILES}/again/output_0.png"
    one.quoted().accepted().polled("succeeded", 6, result=one.result(url=old)).fetched(old, 403, b"<Error/>")
    one.renewed(new).fetched(new, 200, png(potion()))
    # The job behind the gateway goes on, and is billed.
    [one] = scenarios(root, "lost_accept")
    one.quoted().unreadable().accepted().done(png(potion()))

    [one] = scenarios(root, "v1_at_once")
    one.quoted().submitted(200, one.result(png(potion())))
    [one] = scenarios(root, "v1_no_balance")
    one.quoted().submitted(400, {"detail": [{"msg": "Not enough balance."}]})
    [one] = scenarios(root, "v1_no_token")
    missing = {"loc": ["header", "X-RD-Token"], "msg": "field required", "type": "value_error.missing"}
    one.unpriced(422, {"detail": [missing]})


def build(root: Path) -> None:
    """Write all scenarios below ``root``, replacing what they held."""
    _delivered(root)
    _failed(root)
    _awkward(root)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
