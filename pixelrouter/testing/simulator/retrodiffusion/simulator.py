"""The Retro Diffusion simulator: its routes, versions v1 and v2, over real sockets.

Shapes and rules follow the vendor's published v2 contract, error catalogue and v1 compatibility fixtures (September
2026). Not simulated: edit tools that answer at once and those beyond `edits.TOOLS`, Pixel Fixer, user styles,
low-poly, the assistant.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from pixelrouter.testing.simulator.books import BookedSimulator, Books
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.retrodiffusion import activity, edits, problems, styles
from pixelrouter.testing.simulator.retrodiffusion.jobs import RETAINED_SECONDS, URL_SECONDS, Account, Job, Status, iso
from pixelrouter.testing.simulator.retrodiffusion.orders import read
from pixelrouter.testing.simulator.retrodiffusion.problems import Refused, Version
from pixelrouter.testing.simulator.server import Received, Reply, spoil
from pixelrouter.types import Money

_KEY = re.compile(r"[\x21-\x7e]{1,256}")
_ROUTES = {  # path below the version -> (kind of request, methods)
    re.compile(r"/inferences"): ("submit", "POST"),
    re.compile(r"/inferences/legacy"): ("other", "POST"),
    re.compile(r"/inferences/credits"): ("balance", "GET"),
    re.compile(r"/inferences/tasks"): ("list", "GET"),
    re.compile(r"/inferences/tasks/(?P<id>[^/]+)"): ("poll", "GET"),
    re.compile(r"/inferences/requests"): ("list", "GET"),
    re.compile(r"/inferences/requests/(?P<id>[^/]+)"): ("list", "GET"),
    re.compile(r"/edit/tools"): ("tools", "GET"),
    re.compile(r"/edit/tools/(?P<id>[^/]+)/estimate"): ("quote", "POST"),
    re.compile(r"/edit/tools/(?P<id>[^/]+)/tasks"): ("submit", "POST"),
    re.compile(r"/edit/tasks/(?P<id>[^/]+)"): ("poll", "GET"),
    re.compile(r"/styles/selector"): ("styles", "GET"),
    re.compile(r"/status"): ("status", "GET"),
}
_V1_ONLY, _V2_ONLY = "/inferences/legacy", "/inferences/requests"


class RetroDiffusionSimulator(BookedSimulator):
    """Retro Diffusion on a local port, that counts what it charges and misbehaves when told to.

    ``balance`` is the account's money in USD; ``keys`` are the tokens it knows; a queued job takes ``job_seconds`` and
    at least ``polls`` polls that find it unfinished. ``created_at`` is how times are written: ``auto`` (integers on
    v1, ISO on v2), ``int`` or ``iso``. ``max_body`` is the largest request body in bytes (the vendor publishes none).
    """

    vendor = "retrodiffusion"
    key_variable = "RETRODIFFUSION_API_KEY"
    default_keys = ("rdpk-sim-1",)

    def __init__(
        self,
        *,
        balance: str = "10",
        keys: Sequence[str] = default_keys,
        job_seconds: float = 0.0,
        polls: int = 0,
        created_at: Literal["auto", "int", "iso"] = "auto",
        max_body: int = 1_000_000,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.keys = tuple(keys)
        self._opening = (balance, job_seconds, polls)
        self._created_at = created_at
        self._max_body = max_body
        self._paid_posts = 0
        super().__init__(host=host, port=port)
        self._account = Account(*self._opening, self.now, self.faults)

    # What a test asks.

    @property
    def books(self) -> Books:
        return self._account

    def forget(self) -> None:
        self._paid_posts = 0
        self._account = Account(*self._opening, self.now, self.faults)

    # Routing.

    def answer(self, request: Received) -> Reply:
        if request.path.startswith("/_outputs/"):
            return self._download(request)
        version, _, rest = request.path.lstrip("/").partition("/")
        if version not in ("v1", "v2"):
            return Refused("not_found").reply("v2")
        try:
            return self._dispatch(request, version, f"/{rest}")
        except Refused as refused:
            return refused.reply(version)

    def _dispatch(self, request: Received, version: Version, path: str) -> Reply:
        kind, method, item = _find_route(version, path)
        if request.method != method:
            raise Refused("method_not_allowed", headers={"Allow": method})
        quote = kind == "submit" and isinstance(request.json, dict) and request.json.get("check_cost") is True
        kind = "quote" if quote else kind
        if kind == "submit":
            with self.lock:
                self._paid_posts += 1
        fault = self.faults.for_request(kind)
        if fault is not None and fault.phase == "before":
            refusal = problems.refusal(fault, version)
            if refusal is not None:
                return refusal
        try:
            reply = self._route(request, version, kind, path, item)
        except Refused as refused:
            reply = refused.reply(version)
        return self._spoilt(reply, fault, version)

    @staticmethod
    def _spoilt(reply: Reply, fault: Fault | None, version: Version) -> Reply:
        if fault is None or fault.phase != "after":
            return reply
        if fault.name == Faults.SERVER_ERROR:
            return Refused("internal_error").reply(version)
        return spoil(reply, fault)

    def _route(self, request: Received, version: Version, kind: str, path: str, item: str | None) -> Reply:
        if kind == "status":
            ok = dict.fromkeys(("rd_fast", "rd_plus", "rd_pro", "animations", "background_removal"), "ok")
            return Reply.of_json({"status": ok, "updated_at": int(self.now())})
        if kind == "tools":  # the vendor's own examples read this list without a token
            return Reply.of_json([tool.catalogue_item() for tool in edits.TOOLS.values()])
        token = self._authenticate(request, version, kind)
        match kind:
            case "quote" if item:
                return self._estimate(request, item)
            case "submit" if item:
                return self._edit(request, version, token, item)
            case "submit" | "quote":
                return self._generate(request, version, token, check_cost=kind == "quote")
            case "poll":
                return self._poll(version, str(item), edit=path.startswith("/edit/"))
            case "balance":
                return Reply.of_json({"credits": 0, "balance": float(self.balance)})
            case "styles":
                return Reply.of_json(styles.selector(request.query.get("model"), request.query.get("tab")))
            case "list" if path.startswith(_V2_ONLY):
                return self._activity_item(str(item)) if item else self._activity(request)
            case "list":
                return self._tasks(request, version)
        gone = {
            "msg": "This endpoint has been deprecated.",
            "migration_guide": f"{self.url}/v1",
            "new_endpoint": "/v1/inferences",
        }
        return Reply.of_json({"detail": [gone]}, 410)

    def _authenticate(self, request: Received, version: Version, kind: str) -> str:
        token = request.headers.get("x-rd-token")
        if token is None and version == "v1":
            raise problems.missing_header()
        if token not in self.keys:
            raise Refused("invalid_token", v1_status=403 if kind == "balance" else None)
        return token

    # Generation.

    def _generate(self, request: Received, version: Version, token: str, *, check_cost: bool) -> Reply:
        if len(request.body) > self._max_body:
            raise Refused("payload_too_large")
        body = request.json
        key = request.headers.get("idempotency-key") if version == "v2" else None
        if key is not None and not _KEY.fullmatch(key):
            raise Refused("invalid_idempotency_key")
        if key is not None and check_cost:
            raise Refused("idempotency_async_required")
        order = read(body, version)
        if check_cost:
            with self.lock:
                result = self._result_head(version, order.usd, "check_cost", self._account.balance, self.now())
            result |= {"base64_images": [], "output_images": [], "output_urls": []}
            return Reply.of_json(result, headers={"X-RD-Request-ID": str(uuid.uuid4())})
        queued = version == "v2" or order.flag("async") or order.flag("async_process")
        with self.lock:
            job = self._account.replay(token, key, body) if key is not None else None
            if job is None:
                mode: Literal["sync", "async"] = "async" if queued else "sync"
                job = self._account.accept(order, mode=mode, token=token, key=key)
            if not queued:
                status = self._account.settle(job)
        if queued:
            accepted = {"status": "accepted", "task_id": job.id, "request_id": job.id, "message": "Inference accepted."}
            return Reply.of_json(accepted)
        if status == "failed":
            raise Refused("inference_failed", headers={"X-RD-Request-ID": job.id})
        if status != "succeeded":  # a stuck synchronous job: the gateway gives up on it
            return Reply.nginx_502()
        return Reply.of_json(self._result(job, version), headers={"X-RD-Request-ID": job.id})

    def _result_head(self, version: Version, usd: float, model: str, balance: Money, at: float) -> dict[str, Any]:
        return {
            "created_at": self._time(version, at),
            "balance_cost": usd,
            "credit_cost": 0,
            "model": model,
            "remaining_balance": float(balance),
        }

    # Edit tools, as tasks.

    def _estimate(self, request: Received, tool: str) -> Reply:
        order = edits.read_edit(tool, request.json)
        return Reply.of_json(
            {"tool_id": tool, "balance_cost": order.usd, "credit_cost": 0, "estimate_seconds": 30, "toolId": tool}
        )

    def _edit(self, request: Received, version: Version, token: str, tool: str) -> Reply:
        if len(request.body) > self._max_body:
            raise Refused("payload_too_large")
        order = edits.read_edit(tool, request.json)
        custom_id = order.body.get("custom_id")
        with self.lock:
            job = self._account.known_edit(token, custom_id) if custom_id else None
            job = job or self._account.accept(order, mode="async", token=token, key=custom_id or None)
        message = f"Edit accepted. Poll GET /{version}/edit/tasks/{{task_id}} for status."
        accepted = {"status": "accepted", "task_id": job.id, "request_id": job.id, "message": message}
        return Reply.of_json(accepted, 202)

    def _result(self, job: Job, version: Version) -> dict[str, Any]:
        if isinstance(job.order, edits.EditOrder):
            return self._edit_result(job, job.order)
        order = job.order
        result = self._result_head(version, order.usd, order.style.result_model, job.balance_after, job.finished)
        if version == "v2":
            result["request_id"] = job.id
        result["base64_images"] = []
        if not (job.has(Faults.EVIL_URL) or job.has(Faults.URL_ONLY) or order.flag("upload_outputs")):
            return result | {"base64_images": [base64.b64encode(file.data).decode() for file in job.files()]}
        return result | {
            "output_urls": self._urls(job),
            "output_url_expires_at": iso(job.finished + URL_SECONDS),
            "outputs_retained_until": iso(job.finished + RETAINED_SECONDS),
        }

    def _edit_result(self, job: Job, order: edits.EditOrder) -> dict[str, Any]:
        """An edit's result. Its image is always at an address, never in the answer."""
        money = {"balance_cost": order.usd, "credit_cost": 0, "charged": True}
        return {
            "tool_id": order.tool.id,
            "toolId": order.tool.id,
            "inference_id": job.id,
            "request_id": job.id,
            **money,
            "remaining_balance": float(job.balance_after),
            "base64_images": [],
            "output_urls": self._urls(job),
            "output_width": order.width,
            "output_height": order.height,
        }

    def _urls(self, job: Job) -> list[str]:
        """Where the job's files are. Signed once, when it finishes; only API Activity is documented to sign anew."""
        files = job.files()
        if job.fault is not None and job.fault.name == Faults.EVIL_URL:
            return [job.fault.params["url"]] * len(files)
        with self.lock:
            job.urls = job.urls or self._account.sign(job, files, self.url, job.finished + URL_SECONDS)
            return [url for url in job.urls if url is not None]

    def _time(self, version: Version, at: float) -> int | str:
        written = self._created_at if self._created_at != "auto" else {"v1": "int", "v2": "iso"}[version]
        return int(at) if written == "int" else iso(at)

    # Jobs.

    def _poll(self, version: Version, task_id: str, *, edit: bool) -> Reply:
        with self.lock:
            job = self._account.jobs.get(task_id)
            if job is None or job.mode == "sync" or isinstance(job.order, edits.EditOrder) != edit:
                raise Refused("edit_task_not_found" if edit else "not_found")
            status = self._account.settle(job, polled=True)
        task = self._task(job, status, version)
        return Reply.of_json({name: value for name, value in task.items() if value is not None})

    def _task(self, job: Job, status: Status, version: Version) -> dict[str, Any]:
        result = self._result(job, version) if status == "succeeded" else None
        error = problems.task_error(version, job.fault, job.id) if status == "failed" and job.fault else None
        return {
            "status": status,
            "task_id": job.id,
            "created_at": self._time(version, job.created),
            "updated_at": self._time(version, job.finished or self.now()),
            "result": result,
            "error": error,
        }

    def _listed(self) -> list[tuple[Job, Status]]:
        until = self.now() - self.list_lag
        return [each for each in self._account.newest_first() if each[0].created <= until]

    def _tasks(self, request: Received, version: Version) -> Reply:
        limit, wanted = activity.page(request, ("pending", "running", "succeeded", "failed"))
        with self.lock:
            every = self._listed()
        jobs = [each for each in every if each[0].mode == "async" and not isinstance(each[0].order, edits.EditOrder)]
        listed = [each for each in jobs if wanted in (None, each[1])][:limit]
        return Reply.of_json({"tasks": [self._task(job, status, version) for job, status in listed]})

    def _activity(self, request: Received) -> Reply:
        limit, wanted = activity.page(request, ("queued", "running", "succeeded", "failed"))
        start = activity.start(request)
        with self.lock:
            jobs = self._listed()
        jobs = [each for each in jobs if wanted in (None, each[1].replace("pending", "queued"))]
        items = [self._activity_of(*each) for each in jobs[start : start + limit]]
        more = f"c{start + limit}" if start + limit < len(jobs) else None
        return Reply.of_json({"items": items, "next_cursor": more})

    def _activity_item(self, request_id: str) -> Reply:
        with self.lock:
            job = self._account.jobs.get(request_id)
            if job is None:
                raise Refused("api_activity_not_found")
            status = self._account.settle(job)
        return Reply.of_json(self._activity_of(job, status))

    def _activity_of(self, job: Job, status: Status) -> dict[str, Any]:
        files = job.files() if status == "succeeded" else []
        with self.lock:
            outputs = activity.outputs(self._account, job, files, self.url, self.now())
            return activity.entry(self._account, job, status, outputs, self.keys.index(job.token) + 1, self.now())

    def _download(self, request: Received) -> Reply:
        """A hosted output. No token is asked for: the signature in the URL opens it."""
        name, _, _ = request.path.removeprefix("/_outputs/").partition(".")
        fault = self.faults.for_request("download")
        if fault is not None and fault.phase == "before" and fault.name != Faults.EXPIRED_URL:
            return problems.refusal(fault, "v2") or Reply.nginx_502()
        with self.lock:
            hosted = self._account.hosted.get(name)
            if hosted is None or request.method != "GET":
                return Reply(404, b"not found", {"Content-Type": "text/plain"})
            if fault is not None and fault.name == Faults.EXPIRED_URL:
                hosted.signatures.clear()
                hosted.gone = hosted.gone or fault.params["gone"]
            good_until = hosted.signatures.get(request.query.get("sig", ""), 0.0)
        if hosted.gone or self.now() >= good_until:
            return Reply(403, b"this link has expired", {"Content-Type": "text/plain"})
        return self._spoilt(Reply(200, hosted.output.data, {"Content-Type": hosted.output.media_type}), fault, "v2")


def _find_route(version: Version, path: str) -> tuple[str, str, str | None]:
    """The kind of request, its method, and the id in the path. Raises Refused where this version has no such route."""
    other = _V2_ONLY if version == "v1" else _V1_ONLY
    for pattern, (kind, method) in _ROUTES.items():
        match = pattern.fullmatch(path)
        if match and not path.startswith(other):
            return kind, method, match.groupdict().get("id")
    raise Refused("not_found")
