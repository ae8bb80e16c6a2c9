"""The PixelLab backend: what to send, and how to read what comes back.

PixelLab takes no idempotency key, lists no jobs and stops none: what a lost answer meant is told by its lists of
characters and tilesets (recovery.py), else by what is left on the account. Facts: the vendor's
OpenAPI documents (github.com/go-api-libs/pixellab, 2026-08-15) and traffic recorded there (2026-10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from pixelrouter.backends._reading import bounded, clean, retry_after, same_job
from pixelrouter.backends.pixellab import answers, models, recovery
from pixelrouter.backends.pixellab.body import body_of
from pixelrouter.backends.pixellab.endpoints import ENDPOINTS, Endpoint, tiles_of
from pixelrouter.backends.pixellab.failures import failed_job, failure, seconds_since, unexpected
from pixelrouter.backends.pixellab.results import Found as Pictures
from pixelrouter.backends.pixellab.results import pictures_of
from pixelrouter.backends.protocol import BackendDefaults, BackendSettings, Call, Found, Hosts
from pixelrouter.errors import JobFailed, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
    VIEW_NAMES,
    Billing,
    Capabilities,
    Cost,
    Delivery,
    GenerationRequest,
    HttpRequest,
    HttpResponse,
    Layout,
    Licence,
    Mark,
    ModelInfo,
    Money,
    Progress,
    Remote,
    Ticket,
    Unit,
)

T = TypeVar("T")
ORIGIN = "https://api.pixellab.ai"
NOT_WRITTEN_S = 900  # seconds after an order in which a 404 says nothing

LICENCE = Licence(
    "PixelLab terms of service",
    None,
    "https://www.pixellab.ai/termsofservice",
    "The API documents are silent about rights, and we have not seen the website's terms. Two projects that read them "
    "(github.com/hwangjongtaek/orc-camp, 2026-07-19; github.com/agentsmill/age-of-agents, 2026) report that a paid "
    "plan may use and redistribute what it draws: read them yourself before you sell.",
)


class PixelLabSettings(BackendSettings):
    """``[backends.pixellab]``."""

    api_version: Literal["v2", "v1"] = Field(default="v2", description="v1 has six of the models, and no jobs.")
    account: Literal["usd", "subscription"] = Field(
        default="usd", description="What the account pays with: dollars, or a subscription's generations."
    )
    prefer_jobs: bool = Field(default=False, description="Queue pixflux and poll it, instead of waiting on the line.")
    timeout_s: float = Field(default=180.0, gt=0, description="Seconds one HTTP exchange may take.")
    poll_s: float = Field(default=5.0, ge=0, description="Seconds between two looks at a running job.")


class Backend(BackendDefaults):
    """PixelLab. Implements :class:`pixelrouter.backends.protocol.RemoteBackend`."""

    name: ClassVar[str] = "pixellab"
    kind: ClassVar[Literal["remote"]] = "remote"
    settings_type: ClassVar[type[BackendSettings]] = PixelLabSettings
    credentials: ClassVar[tuple[str, ...]] = ("PIXELLAB_SECRET", "PIXELLAB_API_KEY", "PIXELLAB_API_TOKEN")
    billing: ClassVar[Billing | None] = recovery.BILLING

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        self.settings: BackendSettings = settings
        own = settings if isinstance(settings, PixelLabSettings) else PixelLabSettings()
        self._version: str = own.api_version
        self._unit: Unit = "generations" if own.account == "subscription" else "usd"
        self._jobs = own.prefer_jobs
        self._origin = settings.base_url or ORIGIN
        self._endpoints = models.offered(self._version)
        bearer = None if key is None else SecretStr(f"Bearer {key.get_secret_value()}")
        self._secrets: Mapping[str, SecretStr] = {} if bearer is None else {"Authorization": bearer}

    def __repr__(self) -> str:
        return f"<pixellab {self._version} at {self._origin}>"

    # --- what it can do -------------------------------------------------------------------------------------------

    def hosts(self) -> Hosts:
        """The API's origin gets the key. Results may come from any public host, without the key.

        The vendor has moved its files from one storage host to another within months, so ``*`` stands in for a list.
        """
        return Hosts((self._origin,), (urlsplit(self._origin).hostname or "", *self.settings.delivery_hosts, "*"))

    def capabilities(self) -> Capabilities:
        """The models of the configured API version, and the currency of the configured account."""
        return Capabilities(
            backend=self.name,
            models=tuple(each.info for each in self._endpoints),
            default_model=self.settings.model,
            native=True,
            alpha=True,
            seeds=True,
            idempotent=False,
            unit=self._unit,
            licence=LICENCE,
            summary="Pixel art at true size: images, edits, views, characters, animations, Wang tilesets.",
        )

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model named by the request, else by the config, else the automatic choice. Raises InvalidRequest."""
        return self._endpoint(request).info

    def layout(self, request: GenerationRequest) -> Layout:
        """One file an image. Views and tiles are named in the delivery; an animation's frames all count.

        A tileset has as many tiles as the vendor documents; where it does not, all that come count. Views, frames and
        tiles belong together: they share a palette, and a larger canvas is cut alike for all of them.
        """
        if request.task == "views":  # asked for after a crash as well, when the request has lost its images
            model = next((each.info for each in ENDPOINTS if each.id == request.model), None)
            views = request.views or (model.views[0] if model and model.views else "8")
            return Layout(raws=len(VIEW_NAMES[views]), together=True)
        if request.task == "tileset":
            return Layout(raws=tiles_of(request) if request.model == "tileset" else None, together=True)
        return Layout(together=True) if request.task == "animation" else Layout(raws=request.n)

    def first(self, request: GenerationRequest) -> GenerationRequest | None:
        """What is to be moved or turned, and is there in words only, is drawn first. Raises InvalidRequest."""
        needed = models.needs_subject(self._endpoint(request), request)
        return models.subject(self._endpoints, request) if needed else None

    # --- the calls ------------------------------------------------------------------------------------------------

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """Order it: the only call that costs money. ``mark.seed`` is sent; PixelLab takes no other mark."""
        endpoint = self._endpoint(request)
        body = body_of(endpoint, request, mark.seed, self._version)

        def read(response: HttpResponse, doing: str) -> Ticket | Delivery:
            return self._accepted(response, doing, endpoint, mark)

        path = endpoint.path_in(self._version, jobs=self._jobs)
        return self._call("POST", path, read, "the request", json=body)

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """How the job is; or, where it has moved on, the result at the address where the vendor keeps it."""
        kept = ticket.extra.get("at")
        if kept is not None:
            return self._collect(ticket, kept)

        doing = f"job {ticket.id}"

        def read(response: HttpResponse) -> Progress | Delivery | Ticket:
            return self._waiting(response, doing, ticket) or self._state(response, doing, ticket)

        return Call(self._request("GET", f"background-jobs/{ticket.id}", version="v2"), read)

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One plain download for each address, without the key."""
        job = f"job {delivery.ticket.id}" if delivery.ticket else "the job"
        charged = delivery.cost.money if delivery.cost else None

        def read(response: HttpResponse) -> bytes:
            if response.status in (403, 404, 410):
                raise ResultExpired(
                    f"The image of {job} is no longer at its address ({response.status}).",
                    charged=charged,
                    hint="Look for it in your PixelLab account; map objects are deleted after 8 hours.",
                )
            if not response.ok or not response.content:
                raise unexpected(response, f"the download of an image of {job}")
            return response.content

        return [Call(HttpRequest("GET", item.url), read) for item in delivery.items if isinstance(item, Remote)]

    def renew(self, ticket: Ticket) -> Call[Delivery]:
        """The finished job asked again: its addresses are fresh. Raises UnexpectedAnswer if it is not finished."""
        poll = self.poll(ticket)

        def read(response: HttpResponse) -> Delivery:
            state = poll.read(response)
            if isinstance(state, Delivery):
                return state
            raise unexpected(response, f"the files of job {ticket.id}", "the job is not finished")

        return Call(poll.request, read)

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found] | None:
        """The characters, tilesets or isometric tiles ordered since in the same words; None for what is not listed."""
        endpoint = self._endpoint(request)
        folder = endpoint.kept[0] if endpoint.kept and self._version == "v2" else ""
        if folder not in recovery.SHELVES:
            return None
        sent = body_of(endpoint, request, mark.seed, self._version)
        views = (request.views or endpoint.info.views[0]) if folder == "characters" else None
        return self._listed(folder, endpoint, sent, mark, views, 0)

    def _listed(
        self, folder: str, endpoint: Endpoint, sent: Mapping[str, Any], mark: Mark, views: str | None, offset: int
    ) -> Call[Found]:
        shelf = recovery.SHELVES[folder]

        def read(response: HttpResponse, doing: str) -> Found:
            body = answers.body_of(response, doing)
            entries, total = body.get(shelf.name), body.get("total")
            if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
                raise unexpected(response, doing, f"no list of {shelf.name}")
            ours = [entry for entry in entries if recovery.is_ours(entry, shelf, sent, mark, views)]
            tickets = tuple(one for entry in ours if (one := recovery.ticket_of(entry, folder, endpoint.id, mark)))
            reached = offset + len(entries)
            left = total - reached if isinstance(total, int) and not isinstance(total, bool) else None
            if entries and left is not None and left > 0:
                more = self._listed(folder, endpoint, sent, mark, views, reached)
                return Found(tickets, more, sure="likely")
            whole = left is not None and left <= 0
            return Found(tickets, sure="likely", absence=recovery.ABSENT if whole else None)

        path = f"{folder}?limit={shelf.limit}&offset={offset}"
        return self._call("GET", path, read, f"the list of {folder}")

    def balance(self) -> Call[Money]:
        """What is left, in the account's own currency: dollars, or the subscription's generations."""

        def read(response: HttpResponse, doing: str) -> Money:
            left = answers.balance_of(answers.body_of(response, doing), self._unit)
            if left is None:
                raise unexpected(response, doing, f"no balance in {self._unit}")
            return left

        # v1 knows dollars only.
        version = "v2" if self._unit == "generations" else self._version
        return self._call("GET", "balance", read, "the balance", version=version)

    # --- reading --------------------------------------------------------------------------------------------------

    def _accepted(self, response: HttpResponse, doing: str, endpoint: Endpoint, mark: Mark) -> Ticket | Delivery:
        body = answers.body_of(response, doing)
        extra = answers.usage_of(body.get("enhance_usage"))
        job = answers.job_of(body, response, doing)
        if job is None:
            found = pictures_of(body, endpoint.lists)
            cost, notes = answers.bill([body.get("usage")], extra)
            if not found.items and cost is None:  # with a bill it is a delivery that lacks its image
                raise unexpected(response, doing, "neither a job, nor an image, nor a bill")
            return bounded(Delivery(found.items, cost, endpoint.id, notes, names=found.names))
        ticket = {"model": endpoint.id} | ({"ordered": str(int(mark.at))} if mark.at else {})
        if endpoint.kept:
            folder, name = endpoint.kept
            if resource := answers.identity(body.get(name)):
                ticket["kept"] = f"{folder}/{resource}"
        if extra:
            ticket |= {"enhanced": str(extra.amount), "enhanced_unit": extra.unit}
        return Ticket(job, ticket)

    def _state(self, response: HttpResponse, doing: str, ticket: Ticket) -> Progress | Delivery | Ticket:
        body = answers.body_of(response, doing)
        status, last = body.get("status"), body.get("last_response")
        if not same_job(answers.identity(body.get("id")), ticket.id):
            raise unexpected(response, doing, "it is about another job")
        if not isinstance(status, str) or not status:
            raise unexpected(response, doing, "a job without a status")
        told = [body.get("usage"), last.get("billing_usage") if isinstance(last, dict) else None]
        if status == "failed":
            charged = next((money for usage in told if (money := answers.usage_of(usage))), None)
            raise failed_job(ticket.id, last, charged, self._unit)
        if status != "completed":  # words the vendor adds, and results that are there before the job is done
            return Progress(clean(status) or "unknown", answers.fraction_of(last), retry_after(response))
        endpoint = _known(ticket)
        found = pictures_of(last, endpoint.lists if endpoint else ())
        cost, notes = answers.bill(told, _money(ticket, "enhanced"))
        if not found.items and (kept := self._kept(ticket, endpoint, last)):
            booked = {} if cost is None else {"cost": str(cost.money.amount), "cost_unit": cost.money.unit}
            return Ticket(ticket.id, {**ticket.extra, **booked, "at": kept})
        return _delivered(found, cost, notes, ticket, endpoint)

    def _waiting(self, response: HttpResponse, doing: str, ticket: Ticket, *, gone: bool = False) -> Progress | None:
        """Whether an answer that is no success means patience; None for a success, and (``gone``) for a 410.

        423 is the vendor's "not yet". A 404 says the same of what was just ordered, as its row may not be written
        down; later it means another account.
        """
        if response.ok or (gone and response.status == 410):
            return None
        if response.status == 423:
            return Progress("generating", retry_after=retry_after(response))
        if response.status != 404:
            raise failure(response, doing)
        age = seconds_since(ticket.extra.get("ordered"), response)
        if age is not None and age < NOT_WRITTEN_S:
            return Progress("not written down yet", retry_after=retry_after(response))
        raise UnexpectedAnswer(
            f"PixelLab does not know {doing} (404).",
            status=404,
            hint="Is the key of the same account as when it was bought?",
        )

    def _kept(self, ticket: Ticket, endpoint: Endpoint | None, last: object) -> str | None:
        """Where the vendor keeps the result of a job that came without pictures."""
        if kept := ticket.extra.get("kept"):
            return kept
        if endpoint is None or endpoint.kept is None or not isinstance(last, dict):
            return None
        folder, name = endpoint.kept
        resource = answers.identity(last.get(name))
        return f"{folder}/{resource}" if resource else None

    def _collect(self, ticket: Ticket, kept: str) -> Call[Progress | Delivery | Ticket]:
        """The second stage: the result's own address, which answers 423 until it is there."""
        doing = f"the result of job {ticket.id}"
        booked = _money(ticket, "cost")

        def read(response: HttpResponse) -> Progress | Delivery | Ticket:
            if waiting := self._waiting(response, doing, ticket, gone=True):
                return waiting
            if response.status == 410:
                raise JobFailed(
                    f"PixelLab says that drawing job {ticket.id} failed for good (410).",
                    charged=booked,
                    code="410",
                    hint="PixelLab does not say whether that is charged: look at the balance.",
                )
            body = answers.body_of(response, doing)
            status = body.get("status")
            if status in ("processing", "queued", "pending", "running"):
                return Progress(status)
            endpoint = _known(ticket)
            found = pictures_of(body, endpoint.lists if endpoint else ())
            if not found.items and status == "failed":
                raise failed_job(ticket.id, body, booked, self._unit)
            cost, notes = (
                (Cost(booked, "reported"), ())
                if booked
                else answers.bill([body.get("usage")], _money(ticket, "enhanced"))
            )
            return _delivered(found, cost, notes, ticket, endpoint)

        return Call(self._request("GET", kept, version="v2"), read)

    # --- making calls ---------------------------------------------------------------------------------------------

    def _endpoint(self, request: GenerationRequest) -> Endpoint:
        return models.resolve(self._endpoints, request, self.settings.model)

    def _request(self, method: str, path: str, *, json: Any = None, version: str | None = None) -> HttpRequest:
        url = f"{self._origin}/{version or self._version}/{path}"
        return HttpRequest(method, url, {"Accept": "application/json"}, self._secrets, json)

    def _call(
        self,
        method: str,
        path: str,
        read: Callable[[HttpResponse, str], T],
        doing: str,
        *,
        json: Any = None,
        version: str | None = None,
    ) -> Call[T]:
        def read_any(response: HttpResponse) -> T:
            if response.ok:
                return read(response, doing)
            raise failure(response, doing)

        return Call(self._request(method, path, json=json, version=version), read_any)


def _known(ticket: Ticket) -> Endpoint | None:
    return next((each for each in ENDPOINTS if each.id == ticket.extra.get("model")), None)


def _money(ticket: Ticket, name: str) -> Money | None:
    """An amount that a ticket carries from one stage to the next."""
    text = ticket.extra.get(name)
    unit: Unit = "generations" if ticket.extra.get(f"{name}_unit") == "generations" else "usd"
    return None if text is None else Money.of(text, unit)


def _delivered(
    found: Pictures, cost: Cost | None, notes: tuple[str, ...], ticket: Ticket, endpoint: Endpoint | None
) -> Delivery:
    if endpoint and endpoint.id == "rotations-v3" and found.names:
        notes = (*notes, "PixelLab documents no order for these views: the names are those of generate-8-rotations-v2.")
    return bounded(
        Delivery(found.items, cost, endpoint.id if endpoint else None, notes, ticket=ticket, names=found.names)
    )
