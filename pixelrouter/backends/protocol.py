"""What a backend is: it says what to send and how to read the answer, and never sends anything itself.

A remote backend turns a request into an HTTP request and an HTTP response into a value. It never sends, sleeps,
retries, logs or counts, so it cannot buy twice by accident, sync and async share it, and a dry run can print its
exact bytes. A local backend draws on this machine and costs nothing.

To add a vendor, put one module with a class named ``Backend`` into this folder (or into your own package, with an
entry point in the group ``pixelrouter.backends``); nothing else needs an edit.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from pixelrouter.errors import InvalidRequest
from pixelrouter.types import (
    ON_AN_IMAGE,
    Billing,
    Capabilities,
    Delivery,
    GenerationRequest,
    HttpRequest,
    HttpResponse,
    Layout,
    Mark,
    ModelInfo,
    Money,
    Progress,
    Quote,
    Ticket,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """One HTTP request and how to read its answer.

    ``read`` raises an ``errors.*`` class for every failure the vendor documents, and ``UnexpectedAnswer`` for anything
    else; it never guesses.
    """

    request: HttpRequest
    read: Callable[[HttpResponse], T_co]


@dataclass(frozen=True)
class Hosts:
    """Where a backend may talk.

    ``api`` are origins (``https://api.example.com``) that get the credential. ``delivery`` are host patterns
    (``*.example.com``; ``*`` for any public host) from which results may be downloaded, never with a credential.
    """

    api: tuple[str, ...]
    delivery: tuple[str, ...] = ()


class BackendSettings(BaseModel):
    """The keys every ``[backends.NAME]`` section understands; a backend adds its own in a subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(default=None, description="Origin that replaces the vendor's API host.")
    model: str | None = Field(default=None, description="Model or style to use when the call names none.")
    timeout_s: float = Field(default=60.0, gt=0, description="Seconds one HTTP exchange may take.")
    poll_s: float = Field(default=2.0, ge=0, description="Seconds between two looks at a running job.")
    concurrency: int = Field(
        default=8, ge=1, le=256, description="Most jobs under way at once, by all who share the ledger."
    )
    per_minute: int | None = Field(default=None, ge=1, description="Most paid requests within 60 seconds, likewise.")
    weight: float = Field(default=1.0, ge=0, le=1e6, description="Share of the requests under strategy 'weighted'.")
    breaker_failures: int = Field(
        default=5, ge=0, description="Failures in a row after which it is left alone; 0: never."
    )
    breaker_s: float = Field(default=30.0, gt=0, description="Seconds it is left alone before one request tries it.")
    delivery_hosts: tuple[str, ...] = Field(default=(), description="More hosts results may be downloaded from.")
    price_usd: float | None = Field(default=None, ge=0, description="Price per image, in place of the list price.")

    @field_validator("base_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value.rstrip("/"))
        if parts.scheme not in ("http", "https"):
            raise ValueError("must start with http:// or https://")
        if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
            raise ValueError("must be an origin: scheme, host and port, without a path")
        return value.rstrip("/")


@dataclass(frozen=True)
class Absence:
    """What it means that a list, read to its end, holds no job of ours: how sure, and from when on.

    ``certain`` only where the vendor documents that its list is immediate. ``after_s``: seconds after the request was
    sent; before that absence means nothing.
    """

    sure: Literal["certain", "likely"]
    after_s: float


@dataclass(frozen=True)
class Found:
    """Jobs in the vendor's own list that a lost submit may have made, the likeliest first, and where the list goes on.

    Only jobs that match what was sent belong in ``tickets``: in everything (``sure`` certain), or in all that the list
    shows (likely). ``perhaps`` are those of the time that cannot be recognised, because the list shows too little of
    them. The router leaves out what it knows as another attempt's. ``absence``, on the last page: what it means that
    neither is there; None: nothing, as the list does not reach back far enough, or could not be read whole.
    """

    tickets: tuple[Ticket, ...] = ()
    more: Call[Found] | None = None
    sure: Literal["certain", "likely"] = "certain"
    perhaps: tuple[Ticket, ...] = ()
    absence: Absence | None = None


@runtime_checkable
class RemoteBackend(Protocol):
    """A vendor behind HTTP. ``submit`` is the only call that costs money."""

    name: ClassVar[str]
    kind: ClassVar[Literal["remote"]]
    settings_type: ClassVar[type[BackendSettings]]
    credentials: ClassVar[tuple[str, ...]]  # environment variables that may hold the key, the vendor's own name first
    settings: BackendSettings

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        """``key`` None makes a backend that can describe itself and make requests, but not send them."""

    def hosts(self) -> Hosts:
        """The origins that get the key, and where results may be downloaded from."""

    def capabilities(self) -> Capabilities:
        """Models, limits, licence: from the vendor's catalogue where it was fetched, else from the bundled table."""

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model that will draw the request. Raises InvalidRequest, naming the limit, if none can."""

    def layout(self, request: GenerationRequest) -> Layout:
        """How the files delivered for ``request`` (its ``model`` set) are cut into images."""

    def first(self, request: GenerationRequest) -> GenerationRequest | None:
        """The request whose image has to be bought first, as this one's ``images[0]``; None if nothing has to."""

    def quote(self, request: GenerationRequest) -> Quote | Call[Quote] | None:
        """The price: from a table, by a call that is free, or None for the price list's."""

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """The only call that costs money."""

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """How the job is. Free, repeatable, works after a crash. Raises JobFailed from ``read``.

        A Ticket means that the job has moved on to another address, which is polled at once.
        """

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One call for each ``Remote`` item, in order. Free, repeatable. ``read`` raises ResultExpired."""

    def renew(self, ticket: Ticket) -> Call[Delivery] | None:
        """Fresh addresses for a finished job whose own have expired; None where the vendor gives none."""

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found] | None:
        """What became of a submit whose answer was lost; None where the vendor offers no exact way.

        ``request`` is the one that was sent, its ``model`` set; after a crash it is without its images.
        """

    def cancel(self, ticket: Ticket) -> Call[None] | None:
        """Stop a job; None where the vendor cannot."""

    def balance(self) -> Call[Money] | None:
        """What is left on the account; None where the vendor does not tell."""

    def catalogue(self) -> Sequence[Call[tuple[ModelInfo, ...]]]:
        """Free calls that together list the vendor's current models; empty where there is no such list."""

    def with_catalogue(self, models: Sequence[ModelInfo]) -> RemoteBackend:
        """The same backend, knowing these models instead of its bundled table."""


@runtime_checkable
class LocalBackend(Protocol):
    """A backend that draws on this machine: no money, no network."""

    name: ClassVar[str]
    kind: ClassVar[Literal["local"]]
    settings_type: ClassVar[type[BackendSettings]]
    credentials: ClassVar[tuple[str, ...]]
    settings: BackendSettings

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None: ...

    def capabilities(self) -> Capabilities:
        """Models, limits, licence."""

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model that will draw the request. Raises InvalidRequest, naming the limit, if none can."""

    def layout(self, request: GenerationRequest) -> Layout:
        """How the files delivered for ``request`` (its ``model`` set) are cut into images."""

    def generate(self, request: GenerationRequest, progress: Callable[[Progress], None]) -> Delivery:
        """Draw. ``request.seed`` is always set."""


Backend = RemoteBackend | LocalBackend


class BackendDefaults:
    """What most backends answer to the questions that few vendors know: derive from it, and override what differs.

    ``requires``: packages without which the backend cannot work, and how to install them. ``billing``: when a charge
    shows in :meth:`balance`; None: what is left proves nothing. ``idempotent_s``: for how many seconds the vendor is
    trusted to remember an idempotency key, where it takes one. ``keeps_s``: after how many seconds a finished job that
    the vendor no longer knows is lost for good; before, that may be a stumble.
    """

    requires: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str] = ""
    billing: ClassVar[Billing | None] = None
    idempotent_s: ClassVar[float] = 24 * 3600.0
    keeps_s: ClassVar[float] = 24 * 3600.0

    def layout(self, request: GenerationRequest) -> Layout:
        """The first n files are the images, each of the size asked for; views, frames and tiles share a palette."""
        alone = request.task in ("image", *ON_AN_IMAGE)
        return Layout(raws=request.n if alone else None, together=not alone)

    def first(self, request: GenerationRequest) -> GenerationRequest | None:
        """None: nothing has to be bought first."""
        return None

    def quote(self, request: GenerationRequest) -> Quote | Call[Quote] | None:
        """None: the price list's price."""
        return None

    def renew(self, ticket: Ticket) -> Call[Delivery] | None:
        """None: addresses cannot be renewed."""
        return None

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found] | None:
        """None: the vendor cannot tell."""
        return None

    def cancel(self, ticket: Ticket) -> Call[None] | None:
        """None: jobs cannot be stopped."""
        return None

    def balance(self) -> Call[Money] | None:
        """None: the vendor does not tell."""
        return None

    def catalogue(self) -> Sequence[Call[tuple[ModelInfo, ...]]]:
        """Nothing: the vendor has no such list."""
        return ()

    def with_catalogue(self, models: Sequence[ModelInfo]) -> Self:
        """The backend itself: it has no catalogue to learn from."""
        return self


def reject_unknown_options(backend: str, options: Mapping[str, object], known: Sequence[str]) -> None:
    """Raise InvalidRequest for an option the vendor does not know: a dropped option is a wrong image, paid for."""
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"It knows: {', '.join(sorted(known))}."
            raise InvalidRequest(f"{backend} has no option {name!r}.", hint=hint)
