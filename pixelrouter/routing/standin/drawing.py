"""The stand-in's pictures: for any task and size something plain, the same for the same request and seed."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import Any

from pixelrouter.backends.procedural import Backend
from pixelrouter.types import VIEW_NAMES, Delivery, GenerationRequest, Inline, Layout, Ticket

_LEAST, _MOST = 8, 256  # pixels a side that the procedural backend draws
_FILM = range(2, 17)  # frames that it draws


def layout(request: GenerationRequest) -> Layout:
    """How the files of :func:`drawn` are cut into images."""
    if request.task == "views":
        return Layout(together=True)
    if _drawn_whole(request):
        return replace(_procedural().layout(_plain(request)), together=request.task in ("animation", "tileset"))
    return Layout(raws=None, together=request.task in ("animation", "tileset"))


def drawn(request: GenerationRequest, seed: int, name: str) -> Delivery:
    """What the backend ``name`` might have delivered, drawn here; a note says so."""
    wish = _plain(request).model_copy(update={"seed": seed})
    notes = (f"Drawn by the test stand-in, not by {name}.",)
    if _drawn_whole(request):
        made = _procedural().generate(wish, lambda _: None)
        return Delivery(made.items, names=made.names, notes=notes)
    names = VIEW_NAMES[request.views or "4"] if request.task == "views" else ()
    return Delivery(tuple(Inline(data) for data in _sprites(wish, seed)), names=names, notes=notes)


def name_of(ticket: Ticket) -> str:
    """A file name that tells the ticket's job from every other."""
    return hashlib.sha256(ticket.dumps().encode()).hexdigest()[:16]


def _procedural() -> Backend:
    return Backend(Backend.settings_type(), None)


def _plain(request: GenerationRequest) -> GenerationRequest:
    """The request without what only its vendor understands."""
    images = request.images[:1] if request.task in ("animation", "remove_background") else ()
    words: dict[str, Any] = {
        "prompt": request.prompt.strip() or "sprite",
        "action": None,
        "images": images,
        "options": {},
    }
    clear = {"model": None, "mask": None, "strength": None}
    tiles = {"tiles": request.tiles or "seamless", "transparent": None} if request.task == "tileset" else {}
    return request.model_copy(update={**words, **clear, **tiles})


def _drawn_whole(request: GenerationRequest) -> bool:
    """Whether the procedural backend knows the task as it is; else single sprites take the place of its images."""
    match request.task:
        case "remove_background":
            return bool(request.images)
        case "animation":
            return _fits(request) and (request.frames is None or request.frames in _FILM)
        case "tileset":
            return _fits(request)
    return False


def _fits(request: GenerationRequest) -> bool:
    return all(_LEAST <= side <= _MOST for side in request.size)


def _sprites(request: GenerationRequest, seed: int) -> list[bytes]:
    """Sprites of exactly the size asked for, as many as the task has images."""
    many = {
        "views": len(VIEW_NAMES[request.views or "4"]),
        "animation": request.frames or 4,
        "tileset": 16 if request.tiles == "wang" else 1,
    }
    times = -(-max(request.size) // _MOST)  # a large one is drawn small and enlarged
    sides = {
        "width": max(_LEAST, -(-request.width // times)),
        "height": max(_LEAST, -(-request.height // times)),
    }
    n = many.get(request.task, request.n)
    wish = {"task": "image", "n": n, "seed": seed, "images": (), "views": None, "frames": None, "tiles": None}
    small = GenerationRequest(**{**request.model_dump(), **wish, **sides, "upper": None})
    files = [item.data for item in _procedural().generate(small, lambda _: None).items if isinstance(item, Inline)]
    return files if small.size == request.size else [_brought_to(data, request.size, times) for data in files]


def _brought_to(data: bytes, size: tuple[int, int], times: int) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        large = image.convert("RGBA").resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    out = io.BytesIO()
    large.crop((0, 0, *size)).save(out, "PNG")
    return out.getvalue()
