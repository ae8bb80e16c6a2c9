"""Every reader of every remote backend, and the documented answers that it understands.

Found by walking: each backend is asked for all its tasks, every documented answer of its cassettes is shown to every
reader, and whatever comes of that (a job, a delivery, a next page) gives the next readers. So a new call of a backend,
or a new vendor with cassettes, is fuzzed without a line here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pixelrouter import backends
from pixelrouter.backends.protocol import Call, Found
from pixelrouter.errors import PixelRouterError
from pixelrouter.types import Delivery, GenerationRequest, HttpResponse, Mark, Ticket
from pixelrouter.wire.cassette import Cassette

CASSETTES = Path(__file__).resolve().parent.parent / "cassettes"
KEY = "a-key-that-nobody-may-see-0123456789"
#: Settings that make a backend read other answers than its defaults do.
SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "retrodiffusion": ({}, {"api_version": "v1"}),
    "pixellab": ({}, {"api_version": "v1"}, {"account": "subscription"}, {"prefer_jobs": True}),
}
#: Answers that no scenario of the cassettes holds: accounts, cancelled jobs, and the names that lists have.
_MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "fal": ({"status": "CANCELLATION_REQUESTED"}, {"status": "ALREADY_COMPLETED"}, {"success": True}),
    "pixellab": ({"type": "usd", "usd": 9.5}, {"credits": {"usd": 9.5}, "subscription": {"generations": 12}}),
    "retrodiffusion": ({"balance": 9.5, "credits": 0}, {"credits": 12}),
}
_LISTS = {"fal": ("items",), "replicate": ("results",), "pixellab": ("characters", "objects", "tilesets")}
_MARK = Mark("0123456789abcdef0123456789abcdef", 7, 1795255200.0)
_TASKS: dict[str, dict[str, Any]] = {
    "image": {},
    "edit": {"images": True},
    "inpaint": {"images": True, "mask": True},
    "views": {"images": True},
    "animation": {"images": True, "action": "walk"},
    "tileset": {"upper": "grass"},
    "remove_background": {"images": True},
}
_LONGEST_WALK = 400  # readers of one vendor; they would go on as long as answers name jobs


@dataclass(frozen=True)
class Reader:
    """One call of one backend: ``kind`` is the backend's method that made it."""

    vendor: str
    kind: str
    call: Call[Any]
    good: list[HttpResponse] = field(default_factory=list, compare=False)  # documented answers that it understands

    def __str__(self) -> str:
        return f"{self.vendor} {self.kind} {self.call.request.method} {self.call.request.url}"


def vendors() -> list[str]:
    """The vendors that have cassettes here."""
    return sorted(path.parent.name for path in CASSETTES.glob("*/make.py"))


@cache
def answers(vendor: str) -> tuple[HttpResponse, ...]:
    """Every documented answer of a vendor, once."""
    found: dict[tuple[int, bytes], HttpResponse] = {}
    for folder in sorted((CASSETTES / vendor).glob("*/cassette.json")):
        for each in Cassette(folder.parent).exchanges:
            content = each.response.content(folder.parent)
            answer = HttpResponse(each.response.status, dict(each.response.headers), content, "https://x.invalid/")
            found.setdefault((answer.status, content), answer)
    return (*found.values(), *(_json(body) for body in (*_MORE.get(vendor, ()), *_listings(vendor, found.values()))))


def _json(body: object) -> HttpResponse:
    content = json.dumps(body, separators=(",", ":")).encode()
    return HttpResponse(200, {"content-type": "application/json"}, content, "https://x.invalid/")


def _listings(vendor: str, known: Iterable[HttpResponse]) -> Iterator[dict[str, Any]]:
    """The vendor's jobs as its lists hold them, a few to a page, with a next page and without."""
    jobs = []
    for answer in known:
        try:
            body = json.loads(answer.content)
        except ValueError:
            continue
        if isinstance(body, dict) and ("id" in body or "request_id" in body):
            jobs.append(body)
    for name in _LISTS.get(vendor, ()):
        yield {name: jobs[:3], "next": None, "has_more": False, "next_cursor": None, "total": len(jobs)}
        more = "https://api.replicate.com/v1/predictions?cursor=c"
        yield {name: jobs[3:6], "next": more, "has_more": True, "next_cursor": "c", "total": len(jobs)}


@cache
def readers(vendor: str) -> tuple[Reader, ...]:
    """Every reader of a vendor's answers, each with the documented answers that it understands."""
    found: dict[tuple[str, str, str], Reader] = {}
    for settings in SETTINGS.get(vendor, ({},)):
        cls: Any = backends.load(vendor)
        backend = cls(cls.settings_type(**settings), backends_key())
        waiting = list(_first(vendor, backend))
        while waiting and len(found) < _LONGEST_WALK:
            reader = waiting.pop(0)
            name = (reader.kind, reader.call.request.url, str(settings))
            if name not in found:
                found[name] = reader
                waiting += _followers(backend, reader)
    return tuple(found.values())


def backends_key() -> Any:
    """The key that no message may show."""
    from pydantic import SecretStr

    return SecretStr(KEY)


def _first(vendor: str, backend: Any) -> Iterator[Reader]:
    """The calls that need no earlier answer."""
    for request in _requests(backend):
        yield Reader(vendor, "submit", backend.submit(request, _MARK))
        for kind, call in (("quote", backend.quote(request)), ("find", backend.find(_MARK, request))):
            if isinstance(call, Call):
                yield Reader(vendor, kind, call)
    if (call := backend.balance()) is not None:
        yield Reader(vendor, "balance", call)
    for call in backend.catalogue():
        yield Reader(vendor, "catalogue", call)


def _requests(backend: Any) -> Iterator[GenerationRequest]:
    picture = _picture(64)
    for task, needs in _TASKS.items():
        for side in (16, 32, 64):
            wish = dict(needs)
            if wish.pop("images", False):
                wish["images"] = (picture if side == 64 else _picture(side),)
            if wish.pop("mask", False):
                wish["mask"] = _picture(side, "L")
            try:
                request = GenerationRequest(
                    prompt="a red potion", width=side, height=side, task=task, seed=None if side == 16 else 7, **wish
                )
                model = backend.resolve(request)
                request = request.model_copy(update={"model": model.id})
                backend.submit(request, _MARK)
            except PixelRouterError:
                continue  # not offered in that size, or at all
            yield request


def _picture(side: int, mode: str = "RGBA") -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new(mode, (side, side), 255 if mode == "L" else (200, 40, 56, 255)).save(out, "PNG")
    return out.getvalue()


def _followers(backend: Any, reader: Reader) -> Iterator[Reader]:
    """The readers that become possible by what this one makes of the documented answers."""
    for answer in answers(reader.vendor):
        try:
            value = reader.call.read(answer)
        except PixelRouterError:
            continue
        reader.good.append(answer)
        match value:
            case Ticket():
                calls = {"poll": backend.poll(value), "renew": backend.renew(value), "cancel": backend.cancel(value)}
                yield from (Reader(reader.vendor, kind, call) for kind, call in calls.items() if call is not None)
            case Delivery():
                yield from (Reader(reader.vendor, "fetch", call) for call in backend.fetch(value)[:1])
            case Found():
                if value.more is not None:
                    yield Reader(reader.vendor, "find", value.more)
