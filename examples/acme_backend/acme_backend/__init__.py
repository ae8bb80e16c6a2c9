"""The backend of Acme Sprites, whole: what to send, and how to read the answer. Copy it to write your own.

Acme does not exist, so nothing here is a fact about anyone. This is all that its manual says::

    POST   /v1/sprites       buys: 202 {"job"}. Body and Idempotency-Key sent again are charged once, ever
    GET    /v1/jobs/ID       {"job", "state", "progress", "images", "charged_usd", "error"}
    GET    /v1/jobs?key=KEY  {"jobs": [{"job"}]}: what was bought under that Idempotency-Key
    DELETE /v1/jobs/ID       stops an unfinished job, for free: 204; 409 if it has finished
    GET    /v1/balance       {"usd"}

A state is queued, drawing, done, failed or cancelled. An image is {"base64"}, or {"url"} at cdn.acme.example that is
good for 15 minutes; asking for the job again makes a new one. A turnaround is one picture: south and east above north
and west. Refusals are {"error": {"code", "message"}} and free; any other 5xx "may or may not have been charged". What
a failed job costs, its charged_usd says. Sizes, counts and prices are in the table below.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

from pydantic import Base64Bytes, BaseModel, Field, SecretStr, ValidationError

from pixelrouter import errors
from pixelrouter.backends.protocol import BackendDefaults, BackendSettings, Call, Found, Hosts, reject_unknown_options
from pixelrouter.types import (
    VIEW_NAMES,
    Capabilities,
    Cost,
    Delivery,
    GenerationRequest,
    HttpRequest,
    HttpResponse,
    Inline,
    Layout,
    Licence,
    Mark,
    ModelInfo,
    Money,
    Progress,
    Quote,
    Remote,
    Ticket,
)

T = TypeVar("T")
S = TypeVar("S", bound=BaseModel)

ORIGIN = "https://api.acme.example"
SPRITE = ModelInfo("sprite", "acme", 16, 256, 16, 256, max_n=4, max_prompt=500, description="Any one object.")
TURNAROUND = ModelInfo(
    "turnaround", "acme", 16, 64, 16, 64, max_prompt=500, tasks=("views",), views=("4",), takes_image=True
)
MODELS = (SPRITE, TURNAROUND)
OPTIONS = ("outline",)
PRICES_USD = {"sprite": Decimal("0.04"), "turnaround": Decimal("0.12")}  # an image; acme.example/pricing, 2026-11
LICENCE = Licence("Acme Sprites terms of service", True, "https://acme.example/terms", checked="2026-11-21")

#: (status, code) -> the error, and what to do. Acme documents all of them as free; whatever else comes is in doubt.
REFUSALS: dict[tuple[int, str], tuple[type[errors.Refused], str | None]] = {
    (401, "bad_key"): (errors.AuthFailed, "Check ACME_API_KEY."),
    (402, "no_credit"): (errors.OutOfCredit, "Top up at acme.example/billing, or route to another backend."),
    (403, "content_policy"): (errors.ContentRefused, "Reword the prompt."),
    (404, "unknown_job"): (errors.RequestRejected, "Is the key of the same account as when it was bought?"),
    (409, "key_reused"): (errors.RequestRejected, None),
    (422, "invalid"): (errors.RequestRejected, None),
    (429, "rate_limited"): (errors.RateLimited, None),
    (503, "busy"): (errors.Overloaded, None),
}


class AcmeSettings(BackendSettings):
    """``[backends.acme]``: every backend's keys, and Acme's own."""

    delivery: Literal["url", "base64"] = Field(default="url", description="How images come.")


class Backend(BackendDefaults):
    """Acme Sprites. Implements :class:`pixelrouter.backends.protocol.RemoteBackend`."""

    name: ClassVar[str] = "acme"
    kind: ClassVar[Literal["remote"]] = "remote"
    settings_type: ClassVar[type[BackendSettings]] = AcmeSettings
    credentials: ClassVar[tuple[str, ...]] = ("ACME_API_KEY",)

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        own = settings if isinstance(settings, AcmeSettings) else AcmeSettings(**settings.model_dump())
        self.settings: BackendSettings = own
        self._delivery = own.delivery
        self._origin = own.base_url or ORIGIN
        self._secrets = {} if key is None else {"Authorization": SecretStr(f"Bearer {key.get_secret_value()}")}

    # --- what it can do ---

    def hosts(self) -> Hosts:
        """The API gets the key; images come from the CDN, without it."""
        return Hosts((self._origin,), ("cdn.acme.example", *self.settings.delivery_hosts))

    def capabilities(self) -> Capabilities:
        """Two models. The same mark twice is charged once: Acme documents its Idempotency-Key so."""
        return Capabilities(
            backend=self.name,
            models=MODELS,
            default_model=self.settings.model,
            native=True,
            alpha=True,
            seeds=True,
            idempotent=True,
            unit="usd",
            licence=LICENCE,
            summary="Sprites from 16 to 256 pixels and four views of them: an example, the vendor is imaginary.",
        )

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model named by the request, else by the config, else the first that can do it."""
        reject_unknown_options(self.name, request.options, OPTIONS)
        wanted = request.model or self.settings.model
        models = [model for model in MODELS if wanted in (None, model.id)]
        if not models:
            raise errors.InvalidRequest(f"Acme has no model {wanted!r}.", hint=f"It has: {', '.join(PRICES_USD)}.")
        reasons = [model.why_not(request) for model in models]
        if None not in reasons:
            raise errors.InvalidRequest(f"Acme cannot draw it: {'; '.join(filter(None, reasons))}.")
        return models[reasons.index(None)]

    def layout(self, request: GenerationRequest) -> Layout:
        """A turnaround is one picture of four views; any other file is an image."""
        if request.model == TURNAROUND.id:
            return Layout(raws=1, columns=2, rows=2, names=VIEW_NAMES["4"], together=True)
        return super().layout(request)

    def first(self, request: GenerationRequest) -> GenerationRequest | None:
        """A turnaround is made from a picture: without one, a sprite has to be bought before it."""
        if request.task != "views" or request.images:
            return None
        size = {"width": request.width, "height": request.height}
        return GenerationRequest(prompt=request.prompt, **size, model=SPRITE.id, seed=request.seed)

    # --- the calls ---

    def quote(self, request: GenerationRequest) -> Quote:
        """The published price: Acme has no call that tells it."""
        model = self.resolve(request).id
        return Quote(Cost(Money.of(PRICES_USD[model] * request.n), "listed"), self.name, model)

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """Order the images: the only call that costs money."""
        body: dict[str, Any] = {
            "model": self.resolve(request).id,
            **request.model_dump(include={"prompt", "width", "height"}),
            "count": request.n,
            "seed": mark.seed,
            "transparent": bool(request.transparent),
            "delivery": self._delivery,
            **request.options,
        }
        if request.images:
            body["image"] = base64.b64encode(request.images[0]).decode()

        def read(response: HttpResponse) -> Ticket:
            return Ticket(read_as(_Job, response, "the order").job)

        return self._call("POST", "sprites", read, json=body, headers={"Idempotency-Key": mark.id})

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """How the job is. Raises JobFailed from ``read``."""
        return self._call("GET", f"jobs/{ticket.id}", lambda response: state_of(response, ticket))

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One plain download for each address."""

        def read(response: HttpResponse) -> bytes:
            if response.status == 410:
                raise errors.ResultExpired("Acme's address of the image has expired.")
            if not response.ok:
                raise problem(response, "a download")
            return response.content

        return [Call(HttpRequest("GET", item.url), read) for item in delivery.items if isinstance(item, Remote)]

    def renew(self, ticket: Ticket) -> Call[Delivery]:
        """The job again: its addresses are new each time."""

        def read(response: HttpResponse) -> Delivery:
            state = state_of(response, ticket)
            if isinstance(state, Progress):
                raise errors.UnexpectedAnswer(f"Acme calls the finished job {ticket.id} {state.status} again.")
            return state

        return self._call("GET", f"jobs/{ticket.id}", read)

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found]:
        """The job that a lost order made: the only one under its key."""

        def read(response: HttpResponse) -> Found:
            return Found(tuple(Ticket(each.job) for each in read_as(_Jobs, response, "the list of jobs").jobs))

        return self._call("GET", f"jobs?key={quote(mark.id, safe='')}", read)

    def cancel(self, ticket: Ticket) -> Call[None]:
        """Stop the job. One that has finished meanwhile is no error: the next poll tells what became of it."""

        def read(response: HttpResponse) -> None:
            if not response.ok and response.status != 409:
                raise problem(response, f"the wish to stop job {ticket.id}")

        return self._call("DELETE", f"jobs/{ticket.id}", read)

    def balance(self) -> Call[Money]:
        """The account's dollars."""
        return self._call("GET", "balance", lambda response: Money.of(read_as(_Balance, response, "the balance").usd))

    def _call(self, method: str, path: str, read: Callable[[HttpResponse], T], **rest: Any) -> Call[T]:
        return Call(HttpRequest(method, f"{self._origin}/v1/{path}", secrets=self._secrets, **rest), read)


# --- reading answers: documented, or in doubt ---

Usd = Annotated[Decimal, Field(ge=0, lt=1_000_000)]


class _Embedded(BaseModel):
    base64: Base64Bytes


class _Hosted(BaseModel):
    url: str


class _Error(BaseModel):
    code: str
    message: str


class _Problem(BaseModel):
    error: _Error


class _Job(BaseModel):
    job: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")  # it becomes part of an address that gets the key
    state: Literal["queued", "drawing", "done", "failed", "cancelled"] = "queued"
    progress: float | None = None
    images: list[_Embedded | _Hosted] = []
    charged_usd: Usd | None = None
    error: _Error | None = None


class _Jobs(BaseModel):
    jobs: list[_Job]


class _Balance(BaseModel):
    usd: Usd


def read_as(shape: type[S], response: HttpResponse, doing: str) -> S:
    """A good answer in its documented shape. Raises the documented refusal, else UnexpectedAnswer."""
    if not response.ok:
        raise problem(response, doing)
    try:
        return shape.model_validate(response.json())
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "it"
        raise errors.UnexpectedAnswer(
            f"Acme answered {doing} with {response.status}, but {where} is not as documented.", status=response.status
        ) from None


def state_of(response: HttpResponse, ticket: Ticket) -> Progress | Delivery:
    """Where the job stands, and once it is over: what came of it, and what Acme charged."""
    job = read_as(_Job, response, f"a look at job {ticket.id}")
    if job.state in ("queued", "drawing"):
        return Progress(job.state, job.progress)
    charged = None if job.charged_usd is None else Money.of(job.charged_usd)  # None: Acme does not say
    if job.state == "done":
        items = tuple(Inline(i.base64) if isinstance(i, _Embedded) else Remote(i.url) for i in job.images)
        return Delivery(items, None if charged is None else Cost(charged, "reported"), ticket=ticket)
    code, why = (job.error.code, f": {job.error.message[:300]}") if job.error else (job.state, "")
    kind = errors.ContentBlocked if code == "content_policy" else errors.JobFailed
    raise kind(f"Acme's job {ticket.id} is {job.state}{why}", charged=charged, code=code)


def problem(response: HttpResponse, doing: str) -> errors.PixelRouterError:
    """The error for an answer that is not 2xx: a refusal if Acme documents it as one, else in doubt."""
    try:
        error = _Problem.model_validate(response.json()).error
        kind, hint = REFUSALS[response.status, error.code]
    except (ValidationError, errors.UnexpectedAnswer, KeyError):
        return errors.UnexpectedAnswer(
            f"Acme answered {doing} with {response.status}, which its manual does not explain.", status=response.status
        )
    refusal = kind(f"Acme refused {doing}: {error.message[:300]}", hint=hint, status=response.status, code=error.code)
    wait = response.headers.get("retry-after", "")
    if isinstance(refusal, errors.RateLimited) and wait.isdecimal() and len(wait) < 6:
        refusal.retry_after = float(wait)
    return refusal
