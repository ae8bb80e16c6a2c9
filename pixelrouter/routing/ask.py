"""One call of the router, made ready for the engine: the wish, who may serve it, and what it may cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pixelrouter.backends.protocol import Backend
from pixelrouter.errors import DeadlineExceeded
from pixelrouter.money.budget import Cap, Purse
from pixelrouter.pixels import FinishSpec
from pixelrouter.routing.events import Notify, ProgressEvent, Stage, ignore
from pixelrouter.routing.keys import generation_key
from pixelrouter.types import GenerationRequest

OnUnknown = Literal["raise", "spend_again"]


@dataclass(frozen=True)
class Candidate:
    """A backend with the request as it will get it, and the generation key of the two."""

    backend: Backend
    request: GenerationRequest
    key: str

    @property
    def name(self) -> str:
        return self.backend.name


@dataclass(frozen=True)
class Ask:
    """Everything one call needs. ``deadline`` is in monotonic seconds; ``candidates`` are in the order to try."""

    request: GenerationRequest
    candidates: tuple[Candidate, ...]
    spec: FinishSpec
    purse: Purse
    caps: tuple[Cap, ...] = ()
    fresh: bool = False
    on_unknown: OnUnknown = "raise"
    deadline: float = float("inf")
    notify: Notify = ignore
    unusable: Mapping[str, str] = field(default_factory=dict)  # backends that cannot serve, and why

    def tell(self, stage: Stage, backend: str, fraction: float | None = None, message: str = "") -> None:
        """Report progress to the caller."""
        self.notify(ProgressEvent(stage, backend, fraction, message))

    def left(self) -> float:
        """Seconds until the deadline. Raises DeadlineExceeded when it has passed."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise DeadlineExceeded("The time limit of this call is over.", hint="Raise timeout_s.")
        return seconds

    def at(self, **changes: object) -> Ask:
        """A copy with fields replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]  # replace() cannot type keyword pass-through


def candidate(backend: Backend, request: GenerationRequest) -> Candidate:
    """The request as this backend gets it: with the configured model where the call names none."""
    model = request.model or backend.settings.model
    mine = request if model == request.model else request.model_copy(update={"model": model})
    return Candidate(backend, mine, generation_key(backend.name, mine))
