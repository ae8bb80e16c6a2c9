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
from typing import ClassVar, Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from pixelrouter.errors import InvalidRequest
from pixelrouter.types import (
    Capabilities,
    Delivery,
    GenerationRequest,
    HttpRequest,
    HttpResponse,
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
    concurrency: int = Field(default=8, ge=1, le=256, description="Most paid requests in flight from one router.")
    delivery_hosts: tuple[str, ...] = Field(default=(), description="More hosts results may be downloaded from.")
    price_usd: float | None = Field(default=None, ge=0, description="Price per image where no list price is known.")

    @field_validator("base_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else value


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

    def quote(self, request: GenerationRequest) -> Quote | Call[Quote]:
        """The price: from a table, or by a call that is free."""

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """The only call that costs money."""

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery]:
        """How the job is. Free, repeatable, works after a crash. Raises JobFailed from ``read``."""

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One call for each ``Remote`` item, in order. Free, repeatable. ``read`` raises ResultExpired."""

    def find(self, mark: Mark) -> Call[Ticket | None] | None:
        """What became of a submit whose answer was lost; None where the vendor offers no exact way."""

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

    def generate(self, request: GenerationRequest, progress: Callable[[Progress], None]) -> Delivery:
        """Draw. ``request.seed`` is always set."""


Backend = RemoteBackend | LocalBackend


def reject_unknown_options(backend: str, options: Mapping[str, object], known: Sequence[str]) -> None:
    """Raise InvalidRequest for an option the vendor does not know: a dropped option is a wrong image, paid for."""
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"It knows: {', '.join(sorted(known))}."
            raise InvalidRequest(f"{backend} has no option {name!r}.", hint=hint)
