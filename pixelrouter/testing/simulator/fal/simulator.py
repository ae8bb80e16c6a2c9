"""The fal simulator: its routes, all hosts of the vendor on one origin, over real sockets.

Where the vendor's hosts would collide, a prefix tells them apart: ``fal.run`` is ``/run/``, ``api.fal.ai/v1`` is
``/v1/``, ``rest.fal.ai`` is ``/storage/``, the CDN is ``/files/``; everything else is ``queue.fal.run``. Not simulated:
webhooks, realtime, streaming outputs, multipart uploads, platform retries.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pixelrouter.testing.simulator.books import BookedSimulator, Books
from pixelrouter.testing.simulator.fal import platform, problems
from pixelrouter.testing.simulator.fal.endpoints import app_of, catalogue
from pixelrouter.testing.simulator.fal.faults import FAL_FAULTS, spoilt
from pixelrouter.testing.simulator.fal.gate import Gate
from pixelrouter.testing.simulator.fal.jobs import Job, Queue
from pixelrouter.testing.simulator.fal.media import Media
from pixelrouter.testing.simulator.fal.orders import Order, Style, read
from pixelrouter.testing.simulator.fal.problems import Failed, Failure, Refused
from pixelrouter.testing.simulator.fal.results import failed, finished, publish
from pixelrouter.testing.simulator.fal.routes import Route, route_of
from pixelrouter.testing.simulator.faults import Faults
from pixelrouter.testing.simulator.server import Received, Reply

_STREAM_PAUSE = 0.02  # seconds between two looks of a status stream


class FalSimulator(BookedSimulator):
    """fal.ai on a local port, that counts what it charges and misbehaves when told to.

    ``balance`` is the account's money in USD; ``keys`` are the ``id:secret`` pairs that it knows; a queued job takes
    ``job_seconds`` and at least ``polls`` looks at its status that find it unfinished.

    What fal's own sources tell in two ways, or not at all, is a knob:
    ``status_code_form``: an unfinished status is 202 (``split``) or 200 (``ok``). ``url_form``: the URLs of a submit
    hold owner and app (``app``) or the full id and ``/response`` (``full``). ``cancel_form``: ``words``, ``ok`` or
    ``success``. ``billing_header``: results carry X-Fal-Billable-Units. ``fractional_units``: megapixels to four
    places, or rounded up for each image. ``unit_prices``: USD by endpoint id. ``require_image``: an edit without
    ``image_urls`` is a 422. ``sides``: the least and greatest side of ``image_size`` in pixels. ``lists_queued``: the
    list of requests has also those that have not started. ``admin``: the keys have the scope for billing.

    ``noise`` (levels), ``native`` (art pixels along the shorter side of a picture or cell) and ``jpeg_like`` are how
    it draws.
    """

    vendor = "fal"
    key_variable = "FAL_KEY"
    default_keys = ("fal-sim:1",)
    vendor_faults = FAL_FAULTS

    def __init__(
        self,
        *,
        balance: str = "10",
        keys: Sequence[str] = default_keys,
        job_seconds: float = 0.0,
        polls: int = 0,
        status_code_form: Literal["split", "ok"] = "split",
        url_form: Literal["app", "full"] = "app",
        cancel_form: Literal["words", "ok", "success"] = "words",
        billing_header: bool = True,
        fractional_units: bool = False,
        unit_prices: Mapping[str, str] | None = None,
        require_image: bool = True,
        sides: tuple[int, int] = (512, 2048),
        lists_queued: bool = False,
        admin: bool = True,
        noise: int = 2,
        native: int = 64,
        jpeg_like: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.keys = tuple(keys)
        self._opening = (balance, job_seconds, polls)
        self._job_seconds = job_seconds
        self._status_code_form, self._url_form, self._cancel_form = status_code_form, url_form, cancel_form
        self._billing_header, self._fractional = billing_header, fractional_units
        self._endpoints = catalogue(require_image=require_image, prices=unit_prices)
        self._apps = {app_of(endpoint) for endpoint in self._endpoints}
        self._sides, self._lists_queued = sides, lists_queued
        self._gate = Gate(self.keys, admin=admin)
        self._style = Style(noise, native, jpeg_like)
        self._paid_posts = 0
        Queue(*self._opening, self.now)  # a wrong balance is an error before the port is taken
        super().__init__(host=host, port=port)
        self.forget()

    # What a test asks.

    @property
    def books(self) -> Books:
        return self._queue

    def forget(self) -> None:
        self._paid_posts = 0
        self._queue = Queue(*self._opening, self.now)
        self._media = Media(self.url, self.now, self.lock, self._gate)

    # Routing.

    def answer(self, request: Received) -> Reply:
        route = route_of(request)
        if route.kind == "submit":
            with self.lock:
                self._paid_posts += 1
        fault = self.faults.for_request(route.kind)
        if fault is None and route.kind in ("result", "cancel", "upload"):
            fault = self.faults.for_request("other")  # the shared faults know no kinds of one vendor only
        if fault is not None and fault.phase == "before":
            if fault.name == Faults.EXPIRED_URL and fault.params["gone"]:
                with self.lock:
                    self._media.storage.drop(request.path)
            refusal = problems.refusal(fault)
            if refusal is not None:
                return refusal
        handlers: dict[str, Callable[[Received, Route], Reply]] = {
            "submit": self._submit,
            "run": self._run,
            "poll": self._status,
            "stream": self._stream,
            "result": self._result,
            "cancel": self._cancel,
            "platform": self._platform,
            "token": self._media.token,
            "upload": self._media.upload,
            "initiate": self._media.initiate,
            "put": self._media.put,
            "download": self._media.download,
        }
        try:
            reply = handlers[route.name](request, route) if route.name in handlers else _lost(route)
        except Refused as refused:
            reply = refused.reply
        return spoilt(reply, fault)

    # The queue, and direct runs.

    def _submit(self, request: Received, route: Route) -> Reply:
        job = self._accept(request, route, direct=False)
        with self.lock:
            body: dict[str, Any] = {
                "status": "IN_QUEUE",
                "request_id": job.id,
                "gateway_request_id": job.id,
                **self._urls(job),
                "queue_position": self._queue.position(job),
                "logs": None,
                "metrics": {},
            }
        if job.has("bare_submit"):
            body = {"request_id": job.id, "gateway_request_id": job.id}
        return Reply.of_json(body, headers={"X-Fal-Request-Id": job.id})

    def _run(self, request: Received, route: Route) -> Reply:
        """A direct run: the output at once. One that hangs is given up by the ingress."""
        job = self._accept(request, route, direct=True)
        with self.lock:
            status = self._queue.look(job)
        if status != "COMPLETED":
            return problems.nginx(504, "Gateway Time-out")
        answered = self._outcome(job)
        return Reply(answered.status, answered.body, answered.headers, wait=self._job_seconds)

    def _accept(self, request: Received, route: Route, *, direct: bool) -> Job:
        app = app_of(route.endpoint)
        if app not in self._apps:
            name = route.endpoint.split("/")[1] if "/" in route.endpoint else route.endpoint
            raise problems.detail(f'Application "{name}" not found', 404)
        self._gate.check(request, app)
        with self.lock:
            if self._queue.locked:
                raise problems.locked()
            longest = request.query.get("fal_max_queue_length", "")
            if longest.isdecimal() and self._queue.waiting() > int(longest):
                raise problems.too_many()
            fault = self.faults.for_job()
            endpoint = self._endpoints.get(route.endpoint)
            return self._queue.add(
                route.endpoint,
                endpoint,
                request.json,
                self._read(route, request),
                fault,
                start_within=_seconds(request.headers.get("x-fal-request-timeout")),
                stored=request.headers.get("x-fal-store-io") != "0",
                direct=direct,
            )

    def _read(self, route: Route, request: Received) -> Order | Failure:
        endpoint = self._endpoints.get(route.endpoint)
        if endpoint is None:
            return problems.no_path(route.endpoint.removeprefix(app_of(route.endpoint)).lstrip("/"))
        seed = secrets.randbelow(2**31)
        try:
            return read(
                endpoint, request.json, self._media.storage, seed=seed, sides=self._sides, fractional=self._fractional
            )
        except Failed as failed:
            return failed.failure

    def _urls(self, job: Job) -> dict[str, str]:
        full = self._url_form == "full"
        base = f"{self.url}/{job.endpoint_id if full else app_of(job.endpoint_id)}/requests/{job.id}"
        if job.has("foreign_status_url") and job.fault:
            base = base.replace(self.url, job.fault.params["origin"])
        return {
            "response_url": f"{base}/response" if full else base,
            "status_url": f"{base}/status",
            "cancel_url": f"{base}/cancel",
        }

    def _job(self, request: Received, route: Route) -> Job:
        """The job in the path, by its id alone. As with the vendor, an unknown id needs no key to be unknown."""
        with self.lock:
            job = self._queue.jobs.get(route.request_id)
        if job is None and "authorization" not in request.headers:
            raise problems.unknown_request()
        self._gate.check(request, app_of(route.endpoint))
        if job is None or app_of(job.endpoint_id) != app_of(route.endpoint):
            raise problems.unknown_request()
        return job

    def _status(self, request: Received, route: Route) -> Reply:
        job = self._job(request, route)
        body = self._told(job, logs=request.query.get("logs", "0").lower() in ("1", "true"))
        unfinished = body["status"] != "COMPLETED" and self._status_code_form == "split"
        return Reply.of_json(body, 202 if unfinished else 200, {"X-Fal-Request-Id": job.id})

    def _told(self, job: Job, *, logs: bool) -> dict[str, Any]:
        """One status, as a look at it finds it."""
        with self.lock:
            status = self._queue.look(job, polled=True)
            body: dict[str, Any] = {"status": status, "request_id": job.id, **self._urls(job)}
            if status == "IN_QUEUE":
                body["queue_position"] = self._queue.position(job)
        line = {"message": "Loading LoRA weights", "level": "INFO", "source": "USER"}
        begun = status != "IN_QUEUE" and logs
        body["logs"] = [{**line, "timestamp": platform.iso(job.starts_at)}] if begun else None
        body["metrics"] = {"inference_time": 2.41} if status == "COMPLETED" and job.failure is None else {}
        if status == "COMPLETED" and job.failure:
            body |= job.failure.told()
        return body

    def _stream(self, request: Received, route: Route) -> Reply:
        """Server-sent events until the job is through, sent in one piece at the end."""
        job = self._job(request, route)
        logs = request.query.get("logs", "0").lower() in ("1", "true")
        events: list[bytes] = []
        while not self.stopping.is_set():
            told = self._told(job, logs=logs)
            events.append(Reply.of_json(told).body)
            if told["status"] == "COMPLETED":
                break
            self.stopping.wait(_STREAM_PAUSE)
        body = b"".join(b"data: " + event + b"\n\n" for event in events)
        return Reply(200, body, {"Content-Type": "text/event-stream", "X-Fal-Request-Id": job.id})

    def _result(self, request: Received, route: Route) -> Reply:
        job = self._job(request, route)
        with self.lock:
            status = self._queue.look(job)
        if status != "COMPLETED":
            raise problems.detail("Request is still in progress", 400, {"X-Fal-Request-Id": job.id})
        return self._outcome(job)

    def _outcome(self, job: Job) -> Reply:
        """What a finished job answers: its output with what it was billed, or how it failed."""
        if job.failure:
            return failed(job, job.failure)
        self._publish(job)
        return finished(job, billing_header=self._billing_header)

    def _publish(self, job: Job) -> None:
        drawn = job.drawn(self._style)  # outside the lock: drawing takes its time
        with self.lock:
            publish(job, drawn, self._media.storage)

    def _cancel(self, request: Received, route: Route) -> Reply:
        job = self._job(request, route)
        with self.lock:
            stopped, waited = self._queue.cancel(job)
        if self._cancel_form == "success":
            return Reply.of_json({"success": stopped})
        if not stopped:
            return Reply.of_json({"status": "ALREADY_COMPLETED"}, 400)
        if self._cancel_form == "ok" and waited:
            return Reply.of_json({"status": "OK"})
        return Reply.of_json({"status": "CANCELLATION_REQUESTED"}, 202)

    # The Platform API.

    def _platform(self, request: Received, route: Route) -> Reply:
        self._gate.check_platform(request, route.endpoint)
        if route.endpoint == "models/requests/by-endpoint":
            self._finish_outputs()
        with self.lock:
            match route.endpoint:
                case "models":
                    body = platform.models(self._endpoints, request)
                case "models/pricing":
                    body = platform.prices(self._endpoints, request)
                case "models/pricing/estimate":
                    body = platform.estimate(self._endpoints, self._queue, request.json)
                case "models/requests/by-endpoint":
                    body = platform.requests(
                        self._endpoints,
                        self._queue,
                        request,
                        self.now(),
                        queued=self._lists_queued,
                        lag=self.list_lag,
                    )
                case "models/billing-events":
                    body = platform.billing_events(self._queue, request)
                case _:
                    body = {"username": "sim", "credits": {"current_balance": float(self.balance), "currency": "USD"}}
        return Reply.of_json(body)

    def _finish_outputs(self) -> None:
        """Draw what is through and was not asked for yet: the list tells it too."""
        with self.lock:
            ready = [job for job in self._queue.jobs.values() if self._queue.look(job) == "COMPLETED" and job.stored]
        for job in ready:
            if job.failure is None and job.result is None:
                self._publish(job)


def _lost(route: Route) -> Reply:
    if route.name == "method":
        return Reply.of_json({"detail": "Method Not Allowed"}, 405)
    return Reply.of_json({"detail": "Not Found"}, 404)


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
