"""The Replicate backend: what to send, and how to read what comes back.

It runs Retro Diffusion's four official models there. Every prediction is asynchronous here: its id is on disk before
anything else happens, and the answer to a submit is never taken for the result. Facts: replicate.com/docs, 2025-2026.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from pixelrouter.backends._reading import MOST_ENTRIES, bounded, same_job
from pixelrouter.backends.protocol import BackendDefaults, BackendSettings, Call, Found, Hosts
from pixelrouter.backends.replicate import answers, recovery, styles
from pixelrouter.backends.replicate.answers import Prediction
from pixelrouter.backends.replicate.failures import failure, job_failed, problem_of, retry_after, unexpected
from pixelrouter.backends.replicate.inputs import input_of
from pixelrouter.errors import InvalidRequest, JobFailed, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
    Capabilities,
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
)

T = TypeVar("T")
ORIGIN = "https://api.replicate.com"
OWNER = "retro-diffusion"
DELIVERY = ("replicate.delivery", "*.replicate.delivery")

# Replicate's terms leave models of others ("Marketplace Models") to those others' own terms: quoted by
# conductatlas.com/platform/replicate (2026). No licence of these four models was found in public material (2026-11),
# and we have not seen either party's terms ourselves, hence commercial=None.
LICENCE = Licence(
    "Replicate's terms of service, and Retro Diffusion's",
    None,
    "https://replicate.com/terms",
    "Replicate's terms are reported to leave the models of others to those others' terms; the models are Retro "
    "Diffusion's (https://www.retrodiffusion.ai/terms). Read both before you sell.",
)


def _iso(at: float) -> str:
    """Seconds since the epoch as Replicate writes times."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ReplicateSettings(BackendSettings):
    """``[backends.replicate]``."""

    cancel_after_s: int = Field(
        default=600, ge=0, le=1800, description="Seconds until Replicate gives up a job, at least 5; 0 for no limit."
    )
    prefer_wait_s: int = Field(
        default=0, ge=0, le=60, description="Seconds to hold the paid request open for the result; 0 asks for none."
    )

    @field_validator("cancel_after_s")
    @classmethod
    def _is_long_enough(cls, value: int) -> int:
        if 0 < value < 5:
            raise ValueError("must be 0 or at least 5")
        return value

    @field_validator("prefer_wait_s")
    @classmethod
    def _is_waited_for(cls, value: int, others: ValidationInfo) -> int:
        if value >= others.data.get("timeout_s", math.inf):  # missing where it is itself no number
            raise ValueError("must be below timeout_s, or a paid request is given up while it waits")
        return value


class Backend(BackendDefaults):
    """Replicate. Implements :class:`pixelrouter.backends.protocol.RemoteBackend`."""

    name: ClassVar[str] = "replicate"
    kind: ClassVar[Literal["remote"]] = "remote"
    settings_type: ClassVar[type[BackendSettings]] = ReplicateSettings
    credentials: ClassVar[tuple[str, ...]] = ("REPLICATE_API_TOKEN", "REPLICATE_API_KEY")

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        self.settings: BackendSettings = settings
        self._origin = settings.base_url or ORIGIN
        bearer = None if key is None else SecretStr(f"Bearer {key.get_secret_value()}")
        self._secrets: Mapping[str, SecretStr] = {} if bearer is None else {"Authorization": bearer}

    def __repr__(self) -> str:
        return f"<replicate at {self._origin}>"

    # --- what it can do -------------------------------------------------------------------------------------------

    def hosts(self) -> Hosts:
        """The API's origin gets the token; results come from Replicate's delivery hosts, without it."""
        return Hosts((self._origin,), (urlsplit(self._origin).hostname or "", *DELIVERY, *self.settings.delivery_hosts))

    def capabilities(self) -> Capabilities:
        """Every style of the four models, from the bundled table: Replicate lists no styles' limits."""
        return Capabilities(
            backend=self.name,
            models=styles.bundled(),
            default_model=self.settings.model,
            native=True,
            alpha=True,
            seeds=True,
            idempotent=False,
            unit="usd",
            licence=LICENCE,
            summary="Retro Diffusion's styles by way of Replicate: true size, 16 to 384 pixels; animations, tilesets.",
        )

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The style named by the request, else by the config, else the cheapest general one that fits."""
        return styles.resolve(request, self.settings.model)

    def layout(self, request: GenerationRequest) -> Layout:
        """One file an image; animations and tilesets come as one sheet of cells, effects as one moving picture."""
        return styles.layout(request)

    # --- the calls ------------------------------------------------------------------------------------------------

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """Make the prediction: the only call that costs money.

        Replicate takes no idempotency key. The seed is always sent: it is how a lost prediction is recognised. One that
        the router chose is cut to 31 bits; a caller's beyond them is an InvalidRequest.
        """
        model = self.resolve(request)
        settings = self.settings
        headers = {}
        if isinstance(settings, ReplicateSettings):
            if settings.cancel_after_s:
                headers["Cancel-After"] = f"{settings.cancel_after_s}s"
            if settings.prefer_wait_s:
                headers["Prefer"] = f"wait={settings.prefer_wait_s}"

        def read(response: HttpResponse, doing: str) -> Ticket | Delivery:
            # Even a finished prediction is asked for again: one that is "processing" may hold a part of its output.
            job = answers.prediction_of(response, doing)
            if job.id is None:
                raise unexpected(response, doing, "no usable prediction id")
            return self._ticket(job.id, request, model)

        body = {"input": input_of(request, model, mark.seed)}
        path = f"models/{OWNER}/{model.family}/predictions"
        return self._call("POST", path, read, "the request", json=body, headers=headers)

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """How the job is. Raises JobFailed if it failed, was canceled or aborted; ResultExpired an hour later."""

        def read(response: HttpResponse, doing: str) -> Progress | Delivery | Ticket:
            return self._state(response, doing, ticket)

        return self._call("GET", f"predictions/{ticket.id}", read, f"job {ticket.id}", known=True)

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One plain download for each address, without the token."""
        job = f"job {delivery.ticket.id}" if delivery.ticket else "the job"

        def read(response: HttpResponse) -> bytes:
            if response.status in (404, 410):
                raise ResultExpired(
                    f"The image of {job} is no longer at its address ({response.status}): Replicate deletes the files "
                    "of a prediction an hour after it.",
                    hint="Generate it anew with fresh=True.",
                )
            if response.status in (401, 403):
                raise unexpected(
                    response,
                    f"the download of an image of {job}",
                    "it asks for the token, which goes to the API alone",
                    hint=f"Save it by hand, within an hour of the job: replicate.com/p/{delivery.ticket.id}."
                    if delivery.ticket
                    else None,
                )
            if not response.ok or not response.content:
                raise unexpected(response, f"the download of an image of {job}")
            return response.content

        return [Call(HttpRequest("GET", item.url), read) for item in delivery.items if isinstance(item, Remote)]

    def renew(self, ticket: Ticket) -> Call[Delivery]:
        """The finished prediction's addresses once more. Raises ResultExpired from ``read`` when its files are gone."""

        def read(response: HttpResponse, doing: str) -> Delivery:
            state = self._state(response, doing, ticket)
            if isinstance(state, Progress):
                raise unexpected(response, doing, f"the job is {state.status} again")
            return state

        return self._call("GET", f"predictions/{ticket.id}", read, f"the files of job {ticket.id}", known=True)

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found] | None:
        """The predictions of the last hour with the same model, seed and other inputs, newest first, page by page.

        None where a match would not be exact: the images that were sent were lost in a crash, and the seed is the
        caller's own, which other images may share. (A seed that the router chose is made from the images as well.)
        """
        images_known = bool(request.images) or "input_image" in request.options or not styles.may_have_image(request)
        if not images_known:
            if request.seed is not None:
                return None
            request = request.model_copy(update={"images": (recovery.PLACEHOLDER,)})
        try:
            model = self.resolve(request)
            sent = input_of(request, model, mark.seed)
        except InvalidRequest:
            return None  # an option was an image, and is lost as well
        since = mark.at - recovery.MARGIN if mark.at else None

        def ours(job: Prediction) -> bool:
            path = f"{OWNER}/{model.family}"
            defaults = styles.defaults(model.family)
            early = since is not None and job.created_at is not None and job.created_at < since
            return not early and recovery.is_ours(job, path, sent, defaults, images_known=images_known)

        def emptied(job: Prediction) -> bool:
            """Whether it may be ours, and can no longer be recognised: Replicate has removed what was sent."""
            early = since is not None and job.created_at is not None and job.created_at < since
            late = bool(mark.at) and job.created_at is not None and job.created_at > mark.at + recovery.LATEST_S
            of_another = job.model is not None and job.model != f"{OWNER}/{model.family}"
            return not early and not late and not of_another and (job.data_removed or not job.input)

        def ended(address: object, jobs: list[Prediction]) -> bool:
            """Whether the list was read to its end, or back to before the request."""
            times = [job.created_at for job in jobs if job.created_at is not None]
            return not address or bool(since and times and min(times) < since)

        def page(query: str) -> Call[Found]:
            def read(response: HttpResponse, doing: str) -> Found:
                body = answers.body_of(response, doing)
                entries = body.get("results")
                if not isinstance(entries, list):
                    raise unexpected(response, doing, "no list of predictions")
                jobs = [Prediction.model_validate(entry) for entry in entries[:MOST_ENTRIES] if isinstance(entry, dict)]
                tickets = tuple(self._ticket(job.id, request, model) for job in jobs if job.id and ours(job))
                bare = tuple(self._ticket(job.id, request, model) for job in jobs if job.id and emptied(job))
                further = more(response, doing, body.get("next"), jobs, tickets)
                whole = further is None and len(jobs) == len(entries) and ended(body.get("next"), jobs)
                return Found(tickets, further, perhaps=bare, absence=recovery.ABSENT if whole else None)

            return self._call("GET", f"predictions{query}", read, "the list of predictions")

        def more(
            response: HttpResponse, doing: str, address: object, jobs: list[Prediction], tickets: tuple[Ticket, ...]
        ) -> Call[Found] | None:
            times = [job.created_at for job in jobs if job.created_at is not None]
            if not address or not any(job.input for job in jobs) or (since and times and min(times) < since):
                return None  # the end, or nothing later in the list can be ours or be recognised
            query = recovery.next_page(address, self._origin, ORIGIN)
            if query is None and not tickets:
                raise unexpected(response, doing, "a next page outside the API")
            return None if query is None else page(query)

        return page("" if since is None else "?" + urlencode({"created_after": _iso(since)}))

    def cancel(self, ticket: Ticket) -> Call[None]:
        """Stop the prediction. One that was already running is charged."""

        def read(response: HttpResponse, doing: str) -> None:
            return None

        return self._call("POST", f"predictions/{ticket.id}/cancel", read, f"stopping job {ticket.id}", known=True)

    @staticmethod
    def _ticket(job: str, request: GenerationRequest, model: ModelInfo) -> Ticket:
        cells = styles.layout(request.model_copy(update={"model": model.id}))
        return Ticket(job, {"model": model.id, **({"sheet": "yes"} if cells.names else {})})

    # --- reading --------------------------------------------------------------------------------------------------

    def _state(self, response: HttpResponse, doing: str, ticket: Ticket) -> Progress | Delivery:
        job = answers.prediction_of(response, doing)
        if not same_job(job.id, ticket.id):
            raise unexpected(response, doing, "it is about another prediction")
        if job.status is None:
            raise unexpected(response, doing, "a prediction without a status")
        if job.status == "aborted":
            raise JobFailed(
                f"Replicate gave up job {ticket.id} before it started: its time limit was over.",
                charged=Money(0),
                code="aborted",
                hint="Nothing was charged. Try again later, or with a larger cancel_after_s.",
            )
        if job.status not in ("succeeded", "failed", "canceled"):
            return Progress(job.status, retry_after=retry_after(response))
        items, odd = answers.items_of(job.output)
        if odd and not items:
            raise unexpected(response, doing, "outputs that are no addresses")
        if job.status == "succeeded" or items:
            return self._delivered(job, ticket, items, odd)
        if job.status == "failed":
            raise job_failed(ticket.id, job.error)
        raise JobFailed(
            f"Job {ticket.id} was stopped at Replicate, by somebody or by its time limit.",
            code="canceled",
            hint="Replicate charges what was stopped while it ran. A larger cancel_after_s gives jobs longer.",
        )

    def _delivered(self, job: Prediction, ticket: Ticket, items: tuple[Any, ...], odd: int) -> Delivery:
        if not items and job.data_removed:
            raise ResultExpired(
                f"Replicate has deleted the files of job {ticket.id}: it keeps them for an hour.",
                hint="Generate it anew with fresh=True.",
            )
        model = ticket.extra.get("model")
        notes = list(styles.notes(model or "")) if "sheet" in ticket.extra else []
        if odd:
            notes.append(f"{odd} of the outputs of job {ticket.id} are no addresses and were left out.")
        if job.status != "succeeded":
            notes.append(f"Replicate calls job {ticket.id} {job.status}, and delivered all the same.")
        return bounded(Delivery(items, model=model, notes=tuple(notes), ticket=ticket))

    # --- making calls ---------------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        read: Callable[[HttpResponse, str], T],
        doing: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        known: bool = False,
    ) -> Call[T]:
        """One call. ``known``: it asks for a prediction that exists, so 404 is no refusal."""
        request = HttpRequest(
            method, f"{self._origin}/v1/{path}", {"Accept": "application/json", **(headers or {})}, self._secrets, json
        )

        def read_any(response: HttpResponse) -> T:
            if response.ok:
                return read(response, doing)
            if known and response.status == 404:
                raise self._lost(response, doing)
            raise failure(response, doing)

        return Call(request, read_any)

    def _lost(self, response: HttpResponse, doing: str) -> UnexpectedAnswer:
        """Replicate does not know a prediction that it accepted: most likely the token is another account's."""
        problem = problem_of(response)
        return UnexpectedAnswer(
            f"Replicate does not know {doing} (404{f': {problem.detail}' if problem else ''}).",
            status=404,
            hint="Is the token of the same account as when it was bought?",
        )
