"""The Retro Diffusion backend: what to send, and how to read what comes back.

v2 queues every generation and takes an idempotency key, so the same mark twice is charged once. v1 has no such key
here; its jobs are queued with ``async: true``. Facts: github.com/Retro-Diffusion/api-examples, 2026-07 to 2026-09.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from pixelrouter.backends._reading import bounded, clean, retry_after, same_job
from pixelrouter.backends.protocol import BackendDefaults, BackendSettings, Call, Found, Hosts
from pixelrouter.backends.retrodiffusion import answers, layouts, recovery, refunds, styles, tools
from pixelrouter.backends.retrodiffusion.body import inference_body
from pixelrouter.backends.retrodiffusion.failures import (
    failure,
    problem_of,
    request_id,
    task_problem,
    unexpected,
)
from pixelrouter.errors import InvalidRequest, ResultExpired, UnexpectedAnswer
from pixelrouter.types import (
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
    Quote,
    Remote,
    Ticket,
)

T = TypeVar("T")
ORIGIN = "https://api.retrodiffusion.ai"
CATALOGUES = ("rd_fast", "rd_plus", "rd_pro")
_TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,199}")  # safe as one segment of a path

# Two projects that read the terms (github.com/stoicpickle/cornerworld on 2026-08-05, terms dated 2025-08-19, and one
# more on 2026-08-27) report section 7. We have not seen the terms ourselves, hence commercial=None.
LICENCE = Licence(
    "Retro Diffusion terms of service",
    None,
    "https://www.retrodiffusion.ai/terms",
    "The API documents are silent about rights, so the website's terms govern. Their section 7 is reported to claim no "
    "ownership of what customers make (read by others in 2026-08): read them yourself before you sell.",
)


class RetroDiffusionSettings(BackendSettings):
    """``[backends.retrodiffusion]``."""

    api_version: Literal["v2", "v1"] = Field(default="v2", description="v2 never charges the same attempt twice.")


class Backend(BackendDefaults):
    """Retro Diffusion. Implements :class:`pixelrouter.backends.protocol.RemoteBackend`."""

    name: ClassVar[str] = "retrodiffusion"
    kind: ClassVar[Literal["remote"]] = "remote"
    settings_type: ClassVar[type[BackendSettings]] = RetroDiffusionSettings
    credentials: ClassVar[tuple[str, ...]] = ("RETRODIFFUSION_API_KEY", "RD_API_KEY", "RD_TOKEN")
    # Charged before it is drawn (README, 2026-09), so at once; how long a request may lie unread is our own margin.
    billing: ClassVar[Billing | None] = Billing(told_s=0, lost_s=120)

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        self.settings: BackendSettings = settings
        self._version: str = settings.api_version if isinstance(settings, RetroDiffusionSettings) else "v2"
        self._origin = settings.base_url or ORIGIN
        self._secrets: Mapping[str, SecretStr] = {} if key is None else {"X-RD-Token": key}
        self._key = key
        self._models = styles.bundled()

    def __repr__(self) -> str:
        return f"<retrodiffusion {self._version} at {self._origin}>"

    # --- what it can do -------------------------------------------------------------------------------------------

    def hosts(self) -> Hosts:
        """The API's origin gets the key. Results may come from any public host, without the key.

        The vendor publishes no list of the hosts that serve ``output_urls``, so ``*`` stands in for one.
        """
        return Hosts((self._origin,), (urlsplit(self._origin).hostname or "", *self.settings.delivery_hosts, "*"))

    def capabilities(self) -> Capabilities:
        """Every style known, from the vendor's catalogue where it was fetched, else from the bundled table."""
        return Capabilities(
            backend=self.name,
            models=self._every_model(),
            default_model=self.settings.model,
            native=True,
            alpha=True,
            seeds=True,
            idempotent=self._version == "v2",
            unit="usd",
            licence=LICENCE,
            summary="Pixel-art styles at true size, 12 to 384 pixels; views, animations, tilesets and edits too.",
        )

    def _every_model(self) -> tuple[ModelInfo, ...]:
        return self._models + (tools.MODELS if self._version == "v2" else ())

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The style named by the request, else by the config, else the cheapest general one that fits."""
        a_tool = request.task in ("inpaint", "remove_background") or (request.model or "").startswith(tools.PREFIX)
        if a_tool and self._version != "v2":
            raise InvalidRequest(
                "Retro Diffusion's edit tools (inpainting, background removal) are used through its API v2 only.",
                hint='Set [backends.retrodiffusion] api_version = "v2".',
            )
        return styles.resolve(self._every_model(), request, self.settings.model)

    def layout(self, request: GenerationRequest) -> Layout:
        """How the files are cut: films, sheets of views and directions, tilesets. Never raises."""
        name = request.model or ""
        known = {model.id: model for model in (*tools.MODELS, *styles.bundled(), *self._models)}
        return layouts.layout(known.get(name) or styles.user_style(name), request)

    # --- the calls ------------------------------------------------------------------------------------------------

    def quote(self, request: GenerationRequest) -> Call[Quote]:
        """The vendor's own price, free: by ``check_cost``, or by an edit tool's estimate."""
        model = self.resolve(request)
        if tools.is_tool(model):
            path, body = f"edit/tools/{tools.tool_id(model)}/estimate", tools.edit_body(request, model, request.seed)
        else:
            path, body = "inferences", {**inference_body(request, model, request.seed), "check_cost": True}

        def read(response: HttpResponse, doing: str) -> Quote:
            run = answers.Run.model_validate(answers.body_of(response, doing))
            if run.balance_cost is None:
                raise unexpected(response, doing, "no usable balance_cost")
            left = run.remaining_balance
            notes = () if left is None else (f"Balance at Retro Diffusion: {left}.",)
            return Quote(Cost(run.balance_cost, "quoted"), self.name, model.id, binding=True, notes=notes)

        return self._call("POST", path, read, "a price check", json=body)

    def submit(self, request: GenerationRequest, mark: Mark) -> Call[Ticket | Delivery]:
        """Queue the generation or the edit: the only call that costs money.

        On v2 ``mark.id`` is the Idempotency-Key, for an edit tool its ``custom_id``. A seed that the router chose is
        cut to 31 bits; a caller's seed beyond them is an InvalidRequest.
        """
        model = self.resolve(request)
        if tools.is_tool(model):
            edit = tools.edit_body(request, model, mark.seed) | {"custom_id": mark.id}
            path = f"edit/tools/{tools.tool_id(model)}/tasks"
            return self._call("POST", path, self._accepted_edit, "the request", json=edit, paid=True)
        body = inference_body(request, model, mark.seed)
        headers = {}
        if self._version == "v2":
            headers["Idempotency-Key"] = mark.id
        else:
            body["async"] = True
        return self._call("POST", "inferences", self._accepted, "the request", json=body, headers=headers, paid=True)

    def poll(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """How the job is; of a failed one, in a second stage, whether it was refunded.

        The vendor refunds by itself. API Activity tells whether it did; a ticket without a request id cannot ask there,
        and its failed job raises JobFailed with nothing charged.
        """
        if refunds.STAGE in ticket.extra:
            return self._refund(ticket)

        def read(response: HttpResponse, doing: str) -> Progress | Delivery | Ticket:
            return self._state(response, doing, ticket)

        version = ticket.extra.get("version", self._version)
        return self._call("GET", _task_path(ticket), read, f"job {ticket.id}", version=version, known=True)

    def fetch(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        """One plain download for each address, without the key."""
        job = f"job {delivery.ticket.id}" if delivery.ticket else "the job"
        charged = delivery.cost.money if delivery.cost else None

        def read(response: HttpResponse) -> bytes:
            if response.status in (403, 404, 410):
                raise ResultExpired(
                    f"The image of {job} is no longer at its address ({response.status}): Retro Diffusion's signed "
                    "addresses live 15 minutes, its files 24 hours.",
                    charged=charged,
                    hint="Within 24 hours the same call asks for fresh addresses.",
                )
            if not response.ok or not response.content:
                raise unexpected(response, f"the download of an image of {job}")
            return response.content

        return [Call(HttpRequest("GET", item.url), read) for item in delivery.items if isinstance(item, Remote)]

    def renew(self, ticket: Ticket) -> Call[Delivery]:
        """Fresh addresses for a finished job whose addresses expired. Free, repeatable, good for 24 hours.

        API Activity signs anew. It is a part of v2 and lists every call of the account, so those of v1 too; a ticket
        without a request id asks its task again. Raises ResultExpired from ``read`` when the files are gone.
        """
        version = ticket.extra.get("version", self._version)
        vendor_id = ticket.extra.get("request_id")
        doing = f"the files of job {ticket.id}"
        if vendor_id:

            def renewed(response: HttpResponse, doing: str) -> Delivery:
                return self._activity(response, doing, ticket)

            return self._call("GET", f"inferences/requests/{vendor_id}", renewed, doing, version="v2", known=True)

        def polled(response: HttpResponse, doing: str) -> Delivery:
            state = self._state(response, doing, ticket)
            if isinstance(state, Delivery):
                return state
            now = state.status if isinstance(state, Progress) else "failed"
            raise unexpected(response, doing, f"the job is {now} again")

        return self._call("GET", _task_path(ticket), polled, doing, version=version, known=True)

    def find(self, mark: Mark, request: GenerationRequest) -> Call[Found] | None:
        """The recent jobs, none of which can be recognised: the list shows neither key nor seed. None for edit tools.

        On v2 there is an exact way: send ``submit(request, mark)`` again with the same mark. The vendor answers with
        the first job and charges once, which ``capabilities().idempotent`` tells. On v1 it is False.
        """
        if (request.model or "").startswith(tools.PREFIX):
            return None

        def read(response: HttpResponse, doing: str) -> Found:
            tasks = answers.body_of(response, doing).get("tasks")
            if not isinstance(tasks, list):
                raise unexpected(response, doing, "no list of jobs")
            return recovery.found(tasks, mark, {"version": self._version}, once=self._version == "v1")

        return self._call("GET", f"inferences/tasks?limit={recovery.LIMIT}", read, "the list of jobs")

    def cancel(self, ticket: Ticket) -> Call[None] | None:
        """None: the vendor has no way to stop a job."""
        return None

    def balance(self) -> Call[Money] | None:
        """What is left, in dollars. An account that reports integer credits only gives them as "generations"."""

        def read(response: HttpResponse, doing: str) -> Money:
            account = answers.Credits.model_validate(answers.body_of(response, doing))
            if account.balance is not None:
                return account.balance
            if account.credits is not None:
                return Money(account.credits.micros, "generations")
            raise unexpected(response, doing, "neither balance nor credits")

        return self._call("GET", "inferences/credits", read, "the balance")

    def catalogue(self) -> Sequence[Call[tuple[ModelInfo, ...]]]:
        """The vendor's style lists, one call a model family. Animations and tiles come with each of them."""
        known = {model.id: model for model in styles.bundled()}

        def read(response: HttpResponse, doing: str) -> tuple[ModelInfo, ...]:
            return answers.catalogue_of(answers.body_of(response, doing), known)

        return [self._call("GET", f"styles/selector?model={f}", read, "the style list") for f in CATALOGUES]

    def with_catalogue(self, models: Sequence[ModelInfo]) -> Backend:
        """A copy whose styles are the bundled ones with ``models`` laid over them by id."""
        copy = type(self)(self.settings, self._key)
        copy._models = tuple({model.id: model for model in (*styles.bundled(), *models)}.values())
        return copy

    # --- reading --------------------------------------------------------------------------------------------------

    def _accepted(self, response: HttpResponse, doing: str) -> Ticket | Delivery:
        body = answers.body_of(response, doing)
        job = answers.Task_.model_validate(body)
        if job.task_id is None:
            # v1 answers like this when it did not queue; the images are paid for, so they are taken.
            if any(name in body for name in ("base64_images", "output_urls", "balance_cost")):
                return answers.delivery_of(body, None)
            raise unexpected(response, doing, "neither a job nor an image")
        if not _TASK_ID.fullmatch(job.task_id):
            raise unexpected(response, doing, f"a job id that cannot be asked for: {job.task_id!r}")
        extra = {"version": self._version}
        vendor_id = job.request_id or request_id(response)
        if vendor_id and _TASK_ID.fullmatch(vendor_id):
            extra["request_id"] = vendor_id
        return Ticket(job.task_id, extra)

    def _accepted_edit(self, response: HttpResponse, doing: str) -> Ticket | Delivery:
        accepted = self._accepted(response, doing)
        if isinstance(accepted, Ticket):
            return Ticket(accepted.id, {**accepted.extra, "kind": "edit"})
        return accepted

    def _refund(self, ticket: Ticket) -> Call[Progress | Delivery | Ticket]:
        """Whether a failed job is charged still, by API Activity: ``read`` always raises."""

        def read(response: HttpResponse, doing: str) -> Progress | Delivery | Ticket:
            raise refunds.failed_job(ticket, answers.Activity.model_validate(answers.body_of(response, doing)))

        path, doing = f"inferences/requests/{ticket.extra['request_id']}", f"the refund of job {ticket.id}"
        return self._call("GET", path, read, doing, version="v2", known=True)

    def _state(self, response: HttpResponse, doing: str, ticket: Ticket) -> Progress | Delivery | Ticket:
        job = answers.Task_.model_validate(answers.body_of(response, doing))
        if not same_job(job.task_id, ticket.id):
            raise unexpected(response, doing, "it is about another job")
        if job.status is None:
            raise unexpected(response, doing, "a job without a status")
        if job.status == "succeeded":
            return answers.delivery_of(job.result, ticket)
        if job.status == "failed":
            failed = refunds.failing(ticket, task_problem(job.error))
            if "request_id" in ticket.extra:
                return failed
            raise refunds.failed_job(failed, None)
        return Progress(job.status, retry_after=retry_after(response))

    def _activity(self, response: HttpResponse, doing: str, ticket: Ticket) -> Delivery:
        item = answers.Activity.model_validate(answers.body_of(response, doing))
        if item.status != "succeeded":
            raise unexpected(response, doing, f"the request is {item.status or 'without a status'}")
        outputs = sorted(map(answers.Output.model_validate, item.outputs), key=lambda one: one.position or 0)
        there = tuple(Remote(one.url) for one in outputs if one.url and one.available is not False)
        if not there:
            raise ResultExpired(
                f"Retro Diffusion no longer has {doing} (it keeps them 24 hours).",
                charged=item.balance_cost,
                hint="Generate it anew with fresh=True.",
            )
        lost = len(outputs) - len(there)
        notes = (f"{lost} of {len(outputs)} images are no longer at Retro Diffusion.",) if lost else ()
        cost = None if item.balance_cost is None else Cost(item.balance_cost, "reported")
        return bounded(Delivery(there, cost, notes=notes, ticket=ticket))

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
        version: str | None = None,
        paid: bool = False,
        known: bool = False,
    ) -> Call[T]:
        """One call. ``paid``: it may cost money. ``known``: it asks for a job that exists, so 404 is no refusal."""
        url = f"{self._origin}/{version or self._version}/{path}"
        request = HttpRequest(method, url, {"Accept": "application/json", **(headers or {})}, self._secrets, json)

        def read_any(response: HttpResponse) -> T:
            if response.ok:
                return read(response, doing)
            if known and response.status == 404:
                raise self._lost(response, doing)
            raise failure(response, doing, paid=paid)

        return Call(request, read_any)

    def _lost(self, response: HttpResponse, doing: str) -> UnexpectedAnswer:
        """Retro Diffusion does not know a job that it accepted: another account's key, or gone after its 30 days."""
        try:
            problem = problem_of(response.json())
        except UnexpectedAnswer:
            problem = None
        said = clean(problem.message) if problem else None
        return UnexpectedAnswer(
            f"Retro Diffusion does not know {doing} (404{f': {said}' if said else ''}).",
            status=404,
            hint="Is the key of the same account as when it was bought? It forgets requests after 30 days.",
        )


def _task_path(ticket: Ticket) -> str:
    return f"edit/tasks/{ticket.id}" if ticket.extra.get("kind") == "edit" else f"inferences/tasks/{ticket.id}"
