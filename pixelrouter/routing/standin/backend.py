"""Backends that stand in for the real ones in a test: same name, models, limits, licence and prices, other pictures.

A vendor's stand-in is a remote backend like any other, so reserving, sending, settling and falling back happen for
real, in a ledger of the test's own: prices are the list's, and a cap that is too small is OverBudget. Only the pictures
are drawn by the ``procedural`` backend, from the attempt's seed, and no address is ever asked. What the vendor would
refuse (a size, a task, an option) its own backend refuses here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pixelrouter.backends.protocol import Backend, BackendDefaults, BackendSettings, Call, Hosts
from pixelrouter.errors import (
    ChargedWithoutImage,
    JobFailed,
    OutcomeUnknown,
    Refused,
    StillRunning,
    UnexpectedAnswer,
)
from pixelrouter.routing.choosing.offers import TRIAL
from pixelrouter.routing.standin import drawing
from pixelrouter.routing.standin.folder import next_failure
from pixelrouter.types import (
    Capabilities,
    Delivery,
    GenerationRequest,
    HttpRequest,
    HttpResponse,
    Layout,
    Mark,
    ModelInfo,
    Progress,
    Ticket,
)

ORIGIN = "https://stand-in.invalid"
LOST = "x-lost"  # the header of a request whose answer is to be lost
_JOB = "stand-in"
#: Errors that come with the vendor's answer; all others of a planned failure come before anything is sent.
_ANSWERED = (Refused, JobFailed, UnexpectedAnswer)


def stand_in_for(real: Backend, folder: Path) -> Backend:
    """The stand-in of a backend. ``folder`` holds what its test wants to go wrong."""
    base = StandIn if real.kind == "remote" else LocalStandIn
    fields = {"name": real.name, "credentials": real.credentials, "settings_type": type(real.settings)}
    made: Backend = type(base.__name__, (base,), fields)(real, folder)
    return made


class _Common(BackendDefaults):
    """What both kinds share: everything but the pictures is the real backend's word."""

    name: ClassVar[str]
    settings_type: ClassVar[type[BackendSettings]]
    credentials: ClassVar[tuple[str, ...]]

    def __init__(self, real: Any, folder: Path) -> None:
        self._real, self._folder = real, folder
        self.settings = real.settings.model_copy(update={"poll_s": 0.0})

    def capabilities(self) -> Capabilities:
        """The vendor's own, but what is drawn is true pixel art, and nobody remembers an idempotency key."""
        can: Capabilities = self._real.capabilities()
        models = tuple(replace(model, native=None) for model in can.models)
        return replace(can, models=models, native=True, idempotent=False)

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model that the real backend would take. Raises InvalidRequest as that does."""
        model: ModelInfo = self._real.resolve(request)
        return model

    def layout(self, request: GenerationRequest) -> Layout:
        """Of the files drawn here."""
        return drawing.layout(request)


class LocalStandIn(_Common):
    """In the place of a backend that draws on this machine: needs no weights."""

    kind: ClassVar[Literal["local"]] = "local"

    def generate(self, request: GenerationRequest, progress: Callable[[Progress], None]) -> Delivery:
        """Draw, or raise the failure that is planned."""
        if failure := next_failure(self._folder):
            raise failure
        return drawing.drawn(request, request.seed or 0, self.name)


class StandIn(_Common):
    """In the place of a vendor."""

    kind: ClassVar[Literal["remote"]] = "remote"

    def hosts(self) -> Hosts:
        """Nobody's."""
        return Hosts(api=(ORIGIN,))

    def first(self, request: GenerationRequest) -> GenerationRequest | None:
        """The same purchases as at the vendor, so that the costs are the same."""
        first: GenerationRequest | None = self._real.first(request)
        return first

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """A purchase that ends as planned, or in a drawing. Raises InvalidRequest for what the vendor cannot take."""
        self._real.submit(request, mark)
        wish = request.model_dump(mode="json", exclude={"images", "mask", "options"}, exclude_none=True)
        asked = HttpRequest("POST", f"{ORIGIN}/{self.name}", json=wish)
        seed = mark.seed
        if mark.id == TRIAL.id or mark.id.startswith("<"):  # written to be looked at, never sent
            return Call(asked, lambda _: self._draw(request, seed))
        if next_failure(self._folder, OutcomeUnknown):
            return Call(replace(asked, headers={LOST: "1"}), lambda _: self._draw(request, seed))
        if failure := next_failure(self._folder, *_ANSWERED):
            return Call(asked, _raising(failure))
        if next_failure(self._folder, ChargedWithoutImage):
            return Call(asked, lambda _: Delivery(()))
        if running := next_failure(self._folder, StillRunning):
            ticket = Ticket(_JOB, {"wish": json.dumps(wish), "seed": str(seed), "waits": str(running)})
            return Call(asked, lambda _: ticket)
        if failure := next_failure(self._folder):
            raise failure
        return Call(asked, lambda _: self._draw(request, seed))

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """The job of a planned StillRunning: not done at the first look, done when the same is asked for again."""
        asked = HttpRequest("GET", f"{ORIGIN}/{self.name}/{ticket.id}")
        seen = self._folder / "jobs" / drawing.name_of(ticket)

        def look(_: HttpResponse) -> Progress | Delivery | Ticket:
            if not seen.exists():
                seen.parent.mkdir(parents=True, exist_ok=True)
                seen.touch()
                raise StillRunning(ticket.extra["waits"], ticket=ticket)
            wish = GenerationRequest.model_validate_json(ticket.extra["wish"])
            return self._draw(wish, int(ticket.extra["seed"]))

        return Call(asked, look)

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """Nothing: every picture comes with the answer."""
        return ()

    def _draw(self, request: GenerationRequest, seed: int | None) -> Delivery:
        return drawing.drawn(request, seed or 0, self.name)


def _raising(failure: BaseException) -> Callable[[HttpResponse], Ticket | Delivery]:
    def read(_: HttpResponse) -> Ticket | Delivery:
        raise failure

    return read
