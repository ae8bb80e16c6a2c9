"""What observers are told of a call as a whole: that it started, and how it ended, however it ended."""

from __future__ import annotations

import time
from typing import Any, Literal, TypeVar

from pixelrouter.errors import PixelRouterError
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.effects import Steps
from pixelrouter.types import Attempt, PixelArt
from pixelrouter.watch import Watch
from pixelrouter.watch.event import prompt_hash

Art = TypeVar("Art", PixelArt, PixelArt | None)


def watched(
    steps: Steps[Art], watch: Watch, ask: Ask, kind: Literal["generate", "resume"], attempt: Attempt | None = None
) -> Steps[Art]:
    """The same steps; observers are told of their start and end, and whatever happens meanwhile bears the call's name.

    ``attempt`` is the one that is collected, where nothing is bought.
    """
    if not watch:
        return (yield from steps)
    start = time.monotonic()
    with watch.call(ask.call):
        watch.tell("call.started", attempt=attempt, kind=kind, **_wish(ask))
        try:
            art = yield from steps
        except BaseException as error:
            watch.tell("call.failed", attempt=attempt, kind=kind, **_failure(error), seconds=_since(start))
            raise
        outcome = {"outcome": "released"} if art is None else _outcome(art)
        backend = art.backend if art is not None else ""
        watch.tell("call.finished", attempt=attempt, backend=backend, kind=kind, **outcome, seconds=_since(start))
    return art


def _wish(ask: Ask) -> dict[str, Any]:
    request = ask.request
    return {
        "task": request.task,
        "size": [request.width, request.height],
        "n": request.n,
        "candidates": [one.name for one in ask.candidates],
        "prompt_hash": prompt_hash(request.prompt),
        "fresh": ask.fresh,
        "run": ask.purse.run,
        "asset": ask.labels.asset,
        "tags": list(ask.labels.tags),
        "style_group": ask.labels.style_group,
    }


def _outcome(art: PixelArt) -> dict[str, Any]:
    return {
        "outcome": "reused" if art.reused else "bought",
        "model": art.model,
        "cost": art.cost,
        "paid": art.paid,
        "images": len(art.indexed),
        "attempts": [row.id for row in art.attempts],
    }


def _failure(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {"error": type(error).__name__, "message": str(error), "money": "see"}
    if isinstance(error, PixelRouterError):
        told |= {"message": error.message, "money": error.money}
        amounts = {name: getattr(error, name, None) for name in ("charged", "held")}
        told |= {name: {"amount": str(m.amount), "unit": m.unit} for name, m in amounts.items() if m is not None}
    return told


def _since(start: float) -> float:
    return round(time.monotonic() - start, 6)
