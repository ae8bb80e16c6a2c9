"""What a test and the routers it watches share, in a folder, so that programs the test starts take part as well.

``calls.jsonl``: what the routers were asked for, one JSON object a line, in order. ``failures/``: the errors that the
next purchases are to end in, one file each; who takes one deletes it, so that no two purchases fail by the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelrouter import errors
from pixelrouter.errors import PixelRouterError
from pixelrouter.routing.ask import Ask
from pixelrouter.types import Money

#: Errors that a test gave as they are, by the file that stands for them; another process makes its own of that class.
_GIVEN: dict[Path, BaseException] = {}


def note_call(folder: Path, ask: Ask) -> None:
    """Note what a router is asked for, whether it will be bought or not. Pictures are only counted."""
    wish = ask.request.model_dump(mode="json", exclude={"images", "mask"}, exclude_none=True)
    asked = {
        **wish,
        "pictures": len(ask.request.images),
        "backends": [one.name for one in ask.candidates],
        "asset": ask.labels.asset,
        "tags": list(ask.labels.tags),
        "fresh": ask.fresh,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asked, default=str) + "\n")


def calls(folder: Path) -> list[dict[str, Any]]:
    """What was asked for so far, in order."""
    try:
        return [json.loads(line) for line in (folder / "calls.jsonl").read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return []


def plan_failure(folder: Path, error: BaseException) -> None:
    """Let one more purchase end in this error, after those that are planned already."""
    planned = folder / "failures"
    planned.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(path.stem) for path in planned.glob("*.json")), default=0)
    path = planned / f"{number:06}.json"
    message = error.message if isinstance(error, PixelRouterError) else str(error)
    _GIVEN[path] = error
    path.write_text(json.dumps({"type": type(error).__name__, "message": message}), "utf-8")


def next_failure(folder: Path, *only: type[BaseException]) -> BaseException | None:
    """Take the error that is planned next, if there is one (and it is one of ``only``); else None."""
    for path in sorted((folder / "failures").glob("*.json")):
        try:
            error = _GIVEN.get(path) or _made(**json.loads(path.read_text("utf-8")))
            if only and not isinstance(error, only):
                return None
            path.unlink()
        except FileNotFoundError:  # another purchase was faster
            continue
        _GIVEN.pop(path, None)
        return error
    return None


def made(kind: type[BaseException], message: str) -> BaseException:
    """An error of that class with every argument that it needs."""
    if issubclass(kind, errors.OverBudget):
        return kind(message, scope="call", quote=Money(0, "usd"), left=Money(0, "usd"))
    if issubclass(kind, errors.AllFailed):
        return kind(message, errors=())
    return kind(message)


def _made(type: str, message: str) -> BaseException:
    kind = getattr(errors, type, None)
    return made(kind, message) if kind is not None else RuntimeError(f"{type}: {message}")
