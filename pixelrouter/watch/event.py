"""One thing that happened, as a frozen value: what every observer is told, and all that there is to be told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pixelrouter.errors import PixelRouterError, redact
from pixelrouter.types import Attempt

#: Every event by name, with its meaning and its details.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "call.started": "the router's arguments are right: kind, task, size, n, candidates, prompt_hash, asset, tags …",
        "call.finished": "images are there: reused or bought, cost of this call, paid, seconds, attempts",
        "call.failed": "an error ends the call: error, message, money, charged or held where known, seconds",
        "candidate.chosen": "this backend is asked now: model, reason",
        "candidate.passed": "this backend is not asked, or could not serve: reason, error",
        "attempt.reserved": "money is held; nothing was sent yet",
        "attempt.sending": "written down before the paid request's first byte leaves",
        "attempt.accepted": "the vendor has the job; its ticket is on disk",
        "attempt.settled": "the charge is booked; with images, or with the error that says why there are none",
        "attempt.released": "nothing was charged; the held money is free again",
        "attempt.unknown": "nobody knows whether it was charged; the money stays held",
        "attempt.shared": "somebody else is buying the same; this call waits for that purchase",
        "attempt.explained": "how a lost outcome was found out and how surely, or why a purchase was turned down",
        "free.repeated": "a free call failed and is made again: purpose, why, tries, wait",
        "slot.waiting": "the paid request waits for its turn: why, seconds until the next look",
        "quality.accepted": "the images reached min_score: score, min_score",
        "quality.rejected": "the images were turned down: why, score where there is one, min_score, policy",
    }
)


def prompt_hash(prompt: str) -> str:
    """The first 16 hex digits of the prompt's SHA-256: tells prompts apart without telling them.

    It is no secret-keeper: who can guess a prompt can check the guess.
    """
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``name`` is one of :data:`EVENTS`, ``at`` in seconds since the epoch.

    ``call`` names the router's call it belongs to (empty: none), ``attempt`` is the ledger's row as it stands now,
    where there is one. Prompts are private: no event has one in its ``details`` or in :meth:`as_dict`; an observer of
    your own finds it in ``attempt.prompt``. Credentials are in no event.
    """

    name: str
    at: float
    call: str = ""
    backend: str = ""
    attempt: Attempt | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self, *, prompts: bool = False) -> dict[str, Any]:
        """JSON-ready: amounts as exact decimal strings, prompts as hashes unless ``prompts``."""
        data: dict[str, Any] = {"event": self.name, "at": self.at, "call": self.call, "backend": self.backend}
        if self.attempt is not None:
            row = plain(self.attempt.as_dict())
            prompt = row.pop("prompt")
            row["prompt_hash"] = prompt_hash(self.attempt.prompt)
            data["attempt"] = {**row, "prompt": prompt} if prompts else row
        return {**data, "details": plain(self.details)}


def plain(value: Any) -> Any:
    """``value`` as JSON knows it, without credentials. What JSON does not know becomes its text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON has no infinity and no NaN
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, PixelRouterError) or hasattr(value, "as_dict"):
        return plain(value.as_dict())
    return redact(str(value))
