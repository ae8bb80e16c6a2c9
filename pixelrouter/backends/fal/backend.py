"""The fal backend: what to send to its queue, and how to read what comes back.

Four exchanges: POST to the queue (the only one that costs money; fal knows no idempotency key, so it is sent once),
GET of the status, GET of the result (its header has the bill), and the download from fal's file host, without the key.
Facts: fal.ai/docs (queue, errors, retries, headers, pricing; 2026-08 and 2026-09), github.com/fal-ai/fal-js (2026-08),
and fal_client 1.0.3, whose submit has the same path, headers and body (tests/backends/fal).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from pixelrouter.backends._reading import retry_after, same_job
from pixelrouter.backends.fal import addresses, answers, models, recovery
from pixelrouter.backends.fal.body import ISOLATED, body_of, drawn, raw_size
from pixelrouter.backends.fal.failures import (
    IN_PROGRESS,
    failure,
    is_unknown_request,
    job_failure,
    lost,
    read_problem,
    unexpected,
)
from pixelrouter.backends.fal.prices import units_of
from pixelrouter.backends.fal.settings import FalSettings
from pixelrouter.backends.protocol import Absence, BackendDefaults, BackendSettings, Call, Found, Hosts
from pixelrouter.errors import RequestRejected, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
    VIEW_NAMES,
    Capabilities,
    Cost,
    Delivery,
    GenerationRequest,
    HttpRequest,
    HttpResponse,
    Layout,
    Mark,
    ModelInfo,
    Progress,
    Quote,
    Remote,
    Ticket,
)

T = TypeVar("T")
EARLIER_S = 300  # the listing is asked from so long before the attempt: two clocks never agree
#: Whether a request that still waits is listed is not documented, and neither is how long one may wait. An hour is the
#: usual longest run of an endpoint (github.com/fal-ai/fal, 2026-08); as a margin it is our own.
ABSENT = Absence("likely", 3600)


class Backend(BackendDefaults):
    """fal. Implements :class:`pixelrouter.backends.protocol.RemoteBackend`."""

    name: ClassVar[str] = "fal"
    kind: ClassVar[Literal["remote"]] = "remote"
    settings_type: ClassVar[type[BackendSettings]] = FalSettings
    # fal's pages name an hour, six minutes for a result of 10 KB or more, and 30 days (2026-09).
    keeps_s: ClassVar[float] = 360.0
    # FAL_KEY is the vendor's (fal_client 1.0.3, auth.py); FAL_API_KEY is what many projects call it instead.
    credentials: ClassVar[tuple[str, ...]] = ("FAL_KEY", "FAL_API_KEY")

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        own = settings if isinstance(settings, FalSettings) else FalSettings(**settings.model_dump())
        self.settings: BackendSettings = own
        self._own = own
        header = None if key is None else SecretStr(f"Key {key.get_secret_value().strip()}")
        self._secrets: Mapping[str, SecretStr] = {} if header is None else {"Authorization": header}
        self._models = models.bundled(own)

    def __repr__(self) -> str:
        return f"<fal at {self._own.queue}>"

    # --- what it can do -------------------------------------------------------------------------------------------

    def hosts(self) -> Hosts:
        """The queue and the Platform API get the key; results come from fal's file hosts, without it."""
        ours = (urlsplit(origin).hostname or "" for origin in (self._own.storage, self._own.queue))
        delivery = dict.fromkeys((*ours, "*.fal.media", "fal.media", *self.settings.delivery_hosts))
        return Hosts(tuple(dict.fromkeys((self._own.queue, self._own.api))), tuple(delivery))

    def capabilities(self) -> Capabilities:
        """The five models. No mark is idempotent: fal documents no idempotency key."""
        return Capabilities(
            backend=self.name,
            models=self._models,
            default_model=self.settings.model,
            native=False,
            alpha=False,
            seeds=True,
            idempotent=False,
            unit="usd",
            licence=models.KLEIN_LICENCE,
            summary="FLUX.2 Klein with any LoRA, four views of one object, image2pixel; priced by the megapixel.",
        )

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model named by the request, else by the config, else the task's own."""
        return models.resolve(self._models, request, self.settings.model)

    def layout(self, request: GenerationRequest) -> Layout:
        """A sheet is cut into four named views on a ground to be keyed out; of image2pixel's two files one counts.

        The order of the views: top left and right, bottom left and right (card of the LoRA, by readers of 2026-10).
        """
        model = request.model or self.resolve(request).id
        if model == models.SPRITESHEET:
            size = raw_size(request, self._own.canvas)
            return Layout(raws=1, columns=2, rows=2, names=VIEW_NAMES["2x2"], key=True, raw_size=size)
        if model in models.KLEIN:
            return Layout(raws=request.n, raw_size=raw_size(request, self._own.canvas))
        return Layout(raws=1)

    def first(self, request: GenerationRequest) -> GenerationRequest | None:
        """A sheet is made from a picture: without one, that of the prompt's object, alone on a plain ground."""
        if request.task != "views" or request.images or self.resolve(request).id != models.SPRITESHEET:
            return None
        side = self._own.canvas
        prompt = ISOLATED.format(prompt=request.prompt.strip())
        return GenerationRequest(prompt=prompt, width=side, height=side, model=models.TEXT, seed=request.seed)

    # --- the calls ------------------------------------------------------------------------------------------------

    def quote(self, request: GenerationRequest) -> Call[Quote]:
        """The unit's price from the Platform API (free), times the units that the request should be billed."""
        model = self.resolve(request).id
        endpoint = models.endpoint_of(model, self._own)

        def read(response: HttpResponse, doing: str) -> Quote:
            price = answers.price_of(response, endpoint, doing)
            assert price.unit_price is not None  # noqa: S101 - price_of refuses an answer without one
            units, note = units_of(request, model, price.unit or "", self._own.canvas)
            cost = Cost(answers.ceiling(price.unit_price * units), "quoted")
            notes = (f"A unit ({price.unit or 'without a name'}) costs ${price.unit_price.normalize():f} at fal.",)
            unit_price = answers.ceiling(price.unit_price)
            return Quote(cost, self.name, model, notes=(*notes, *([note] if note else ())), unit_price=unit_price)

        query = urlencode({"endpoint_id": endpoint}, safe="/")
        return self._call("GET", f"{self._own.api}/v1/models/pricing?{query}", read, "a question for the price")

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """Queue the request: the only call that costs money. ``mark.seed`` is what a lost job is recognised by."""
        model = self.resolve(request).id
        endpoint = models.endpoint_of(model, self._own)
        # Another endpoint in its place would draw without the LoRA.
        headers = {"x-app-fal-disable-fallback": "true"}
        if self._own.start_timeout_s is not None:
            headers["X-Fal-Request-Timeout"] = str(self._own.start_timeout_s)

        def read(response: HttpResponse, doing: str) -> Ticket | Delivery:
            job = answers.Submitted.model_validate(answers.object_of(response, doing))
            if job.request_id is None or not addresses.REQUEST_ID.fullmatch(job.request_id):
                raise unexpected(response, doing, "no request id that can be asked for")
            kept = addresses.kept(job.model_dump(), self._own.queue, job.request_id)
            return Ticket(job.request_id, {"endpoint": endpoint, "model": model, **kept})

        body = body_of(request, model, self._own, mark.seed)
        return self._call("POST", f"{self._own.queue}/{endpoint}", read, "the request", json=body, headers=headers)

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """The status; of a completed job, whether it went well or not, the result."""
        if ticket.extra.get("stage") == "result":
            return self._result(ticket)

        def read(response: HttpResponse, doing: str) -> Progress | Delivery | Ticket:
            state = answers.Status.model_validate(answers.object_of(response, doing))
            if not same_job(state.request_id, ticket.id):
                raise unexpected(response, doing, "it is about another request")
            if state.status is None:
                raise unexpected(response, doing, "a request without a status")
            if state.status == "COMPLETED":
                told = {"error": state.told} if state.told else {}
                return Ticket(ticket.id, {**ticket.extra, "stage": "result", **told})
            before = state.queue_position
            where = f"{state.status} ({before} before it)" if before and before > 0 else state.status
            return Progress(where, retry_after=retry_after(response))

        return self._call("GET", f"{self._address(ticket, 'status_url')}?logs=0", read, f"job {ticket.id}", known=True)

    def _result(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        doing = f"job {ticket.id}"

        def read(response: HttpResponse) -> Progress | Delivery | Ticket:
            if response.ok:
                state = answers.Status.model_validate(answers.object_of(response, doing)).status
                if state in ("IN_QUEUE", "IN_PROGRESS"):
                    return Progress(state)
                return answers.delivery_of(response, ticket, doing)
            problem = read_problem(response)
            if response.status == 400 and problem and IN_PROGRESS in problem.message.lower():
                return Progress("IN_PROGRESS", retry_after=retry_after(response))
            raise job_failure(response, doing, ticket.extra.get("error"))

        return Call(self._request("GET", self._address(ticket, "response_url")), read)

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One plain download for each address, without the key."""
        job = f"job {delivery.ticket.id}" if delivery.ticket else "the job"
        charged = delivery.cost.money if delivery.cost else None

        def read(response: HttpResponse) -> bytes:
            if response.status in (403, 404, 410):
                raise ResultExpired(
                    f"An image of {job} is no longer at its address ({response.status}). fal keeps files as long as the"
                    " account's settings say.",
                    charged=charged,
                    hint=f"fal's dashboard may still show it: look for {job}.",
                )
            if not response.ok or not response.content:
                raise unexpected(response, f"the download of an image of {job}")
            return response.content

        return [Call(HttpRequest("GET", item.url), read) for item in delivery.items if isinstance(item, Remote)]

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found] | None:
        """The account's requests of that endpoint whose input has the mark's seed and whatever else proves it ours.

        None where a match would not be exact: for the models that take no seed, and for a seed of the caller's own once
        the images that were sent are lost (in a crash), as other images may share it. fal lists what it stores, and
        does not say whether a request that still waits is among it: an empty answer is not a proof.
        """
        model = request.model or self.resolve(request).id
        whole = request.seed is not None
        if model not in models.KLEIN or (whole and model != models.TEXT and not request.images):
            return None
        endpoint = models.endpoint_of(model, self._own)
        sent = (body_of if whole else drawn)(request, model, self._own, mark.seed)
        query = {"endpoint_id": endpoint, "expand": "payloads"}
        if mark.at:
            query["start"] = datetime.fromtimestamp(max(0.0, mark.at - EARLIER_S), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

        def ours(listed: Mapping[str, Any]) -> bool:
            return recovery.is_ours(listed, sent, whole=whole)

        return self._find(query, ours, {"endpoint": endpoint, "model": model})

    def _find(
        self, query: Mapping[str, str], ours: Callable[[Mapping[str, Any]], bool], extra: Mapping[str, str]
    ) -> Call[Found]:
        def read(response: HttpResponse, doing: str) -> Found:
            page = answers.Listing.model_validate(answers.object_of(response, doing))
            if "items" not in response.json():
                raise unexpected(response, doing, "no list of requests")
            found = [answers.Listed.model_validate(item) for item in page.items]
            named = [
                each
                for each in found
                if each.request_id
                and addresses.REQUEST_ID.fullmatch(each.request_id)
                and each.endpoint_id in (None, extra["endpoint"])
            ]
            tickets = [Ticket(str(each.request_id), extra) for each in named if ours(each.json_input)]
            bare = [Ticket(str(each.request_id), extra) for each in named if not each.json_input]  # stored without it
            again = page.has_more is True and page.next_cursor and page.next_cursor != query.get("cursor")
            more = self._find({**query, "cursor": str(page.next_cursor)}, ours, extra) if again else None
            entries = response.json()["items"]
            whole = page.has_more is not True and isinstance(entries, list) and len(named) == len(entries)
            return Found(tuple(tickets), more, perhaps=tuple(bare), absence=ABSENT if whole else None)

        url = f"{self._own.api}/v1/models/requests/by-endpoint?{urlencode(query, safe='/:')}"
        return self._call("GET", url, read, "the list of requests")

    def cancel(self, ticket: Ticket) -> Call[None]:
        """Ask fal to stop a job. One that waits is taken from the queue; one that runs may end all the same, and bill.

        Raises RequestRejected from ``read`` where there is nothing left to stop.
        """
        doing = f"the cancelling of job {ticket.id}"

        def read(response: HttpResponse) -> None:
            try:
                body = answers.object_of(response, doing)
            except UnexpectedAnswer:
                raise (unexpected if response.ok else failure)(response, doing) from None
            status = body.get("status")
            if response.ok and (status in ("OK", "CANCELLATION_REQUESTED") or body.get("success") is True):
                return
            if status == "ALREADY_COMPLETED" or (response.ok and body.get("success") is False):
                raise RequestRejected(
                    f"Job {ticket.id} at fal could not be cancelled: it is through, and billed as usual.",
                    status=response.status,
                    code=status if isinstance(status, str) else None,
                    hint="The same call again collects what it drew.",
                )
            if is_unknown_request(response):
                raise lost(response, doing)
            if response.ok:
                raise unexpected(response, doing, "neither a yes nor a no")
            raise failure(response, doing)

        return Call(self._request("PUT", self._address(ticket, "cancel_url")), read)

    # --- making calls ---------------------------------------------------------------------------------------------

    def _address(self, ticket: Ticket, name: str) -> str:
        return addresses.address(ticket, name, self._own.queue, self._own.spritesheet_endpoint)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> HttpRequest:
        return HttpRequest(method, url, {"Accept": "application/json", **(headers or {})}, self._secrets, json)

    def _call(
        self,
        method: str,
        url: str,
        read: Callable[[HttpResponse, str], T],
        doing: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        known: bool = False,
    ) -> Call[T]:
        """One call. ``known``: it asks for a job that exists, so a 404 is no refusal."""

        def read_any(response: HttpResponse) -> T:
            if response.ok:
                return read(response, doing)
            if known and response.status == 404:
                raise lost(response, doing)
            raise failure(response, doing)

        return Call(self._request(method, url, headers, json), read_any)
