"""One call of the router, made ready for the engine: the wish, who may serve it, and what it may cost."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Literal

from pixelrouter.backends.protocol import Backend
from pixelrouter.errors import ConfigError, DeadlineExceeded, InvalidRequest, MissingKey
from pixelrouter.money.budget import Cap, Purse
from pixelrouter.money.ledger import NO_LABELS, Labels
from pixelrouter.pixels import Decoded, FinishSpec
from pixelrouter.routing.events import Notify, ProgressEvent, Stage, ignore
from pixelrouter.routing.keys import generation_key
from pixelrouter.types import GenerationRequest, Licence
from pixelrouter.watch import SILENT, Watch

OnUnknown = Literal["raise", "spend_again"]
Strategy = Literal["in_order", "cheapest", "fastest", "weighted"]


@dataclass(frozen=True)
class Candidate:
    """A backend with the request as it will get it, and the generation key of the two."""

    backend: Backend
    request: GenerationRequest
    key: str
    has_key: bool = True

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.backend.name

    def need_task(self) -> None:
        """Raise InvalidRequest if no model of the backend can do this kind of task at all."""
        tasks = self.backend.capabilities().tasks
        if self.request.task not in tasks:
            self.backend.resolve(self.request)  # says so in its own words, and which setting would change it
            raise InvalidRequest(f"{self.name} cannot do task {self.request.task!r}; it does: {', '.join(tasks)}.")

    def need_packages(self) -> None:
        """Raise ConfigError if the backend needs packages that are not installed."""
        if lacks := lacking(type(self.backend)):
            install = getattr(self.backend, "install", "")
            raise ConfigError(
                f"{self.name} needs packages that are not installed: {', '.join(lacks)}. Nothing was sent.",
                hint=f"Install them: {install}." if install else None,
            )

    def need_key(self) -> None:
        """Raise MissingKey if the backend's credential is not set."""
        if not self.has_key:
            names = self.backend.credentials
            aliases = f" (or {', '.join(names[1:])})" if names[1:] else ""
            raise MissingKey(
                f"{self.name} needs an API key, and {names[0]} is not set. Nothing was sent.",
                hint=f"Set {names[0]}{aliases}, or use the free backend: backend='procedural'.",
            )


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
    sheet: bool = False  # True: the images come as one sheet
    decoded: dict[str, Decoded] = field(default_factory=dict, compare=False)  # by content hash: checked on arrival
    min_score: float | None = None  # what checks lower is turned down
    commercial: bool = False  # True: only models whose licence allows commercial use
    strategy: Strategy = "in_order"  # which candidate is asked first
    labels: Labels = NO_LABELS  # what the caller calls it
    restyle: bool = False  # True: the style group may change its backend
    named: bool = False  # True: the call names its backend outright
    accept: Literal["likely"] | None = None  # a person takes what is likely for certain, when a lost request is settled
    call: str = field(default_factory=lambda: uuid.uuid4().hex)  # names the call in what observers are told
    watch: Watch = SILENT  # who tells them

    def tell(self, stage: Stage, backend: str, fraction: float | None = None, message: str = "") -> None:
        """Report progress to the caller."""
        self.notify(ProgressEvent(stage, backend, fraction, message))

    def left(self) -> float:
        """Seconds until the deadline. Raises DeadlineExceeded when it has passed."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise DeadlineExceeded("The time limit of this call is over.", hint="Raise timeout_s.")
        return seconds

    def check_licence(self, backend: Backend, request: GenerationRequest) -> None:
        """Raise InvalidRequest if the caller wants commercial use and the licence of what ``request`` (its ``model``
        set) draws does not clearly allow it.
        """
        if not self.allows(backend, request):
            licence = licence_of(backend, request)
            raise InvalidRequest(
                f"The licence of {request.model} ({licence.name}) does not clearly allow commercial use.",
                hint=licence.note or "Choose another model, or read the terms and leave commercial=True out.",
            )

    def allows(self, backend: Backend, request: GenerationRequest) -> bool:
        """Whether the caller may use what ``request`` draws as this call wants to."""
        return not self.commercial or licence_of(backend, request).commercial is True

    def at(self, **changes: object) -> Ask:
        """A copy with fields replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]  # replace() cannot type keyword pass-through


def lacking(backend: type[Backend]) -> list[str]:
    """The packages that a backend needs and that are not installed."""
    return [package for package in getattr(backend, "requires", ()) if find_spec(package) is None]


def licence_of(backend: Backend, request: GenerationRequest) -> Licence:
    """The terms on what ``request`` (its ``model`` set) draws, adapters that its options name included."""
    try:
        licence = backend.resolve(request).licence
    except InvalidRequest:  # it was resolved when it was bought; after a crash it is without its images
        licence = None
    return licence or backend.capabilities().licence_of(request.model)


def candidate(backend: Backend, request: GenerationRequest, *, has_key: bool = True) -> Candidate:
    """The request as this backend gets it: with the configured model where the call names none."""
    model = request.model or _configured(backend, request)
    mine = request if model == request.model else request.model_copy(update={"model": model})
    return Candidate(backend, mine, generation_key(backend.name, mine), has_key)


def with_placeholder(request: GenerationRequest) -> GenerationRequest:
    """The request as it will be once the image it starts from is there: enough to price it."""
    return request.model_copy(update={"images": (b"", *request.images)})


def _configured(backend: Backend, request: GenerationRequest) -> str | None:
    """The model in the config, unless it is known not to do the task: one line of config serves every task."""
    name = backend.settings.model
    known = backend.capabilities().model(name) if name else None
    return None if known is not None and request.task not in known.tasks else name
