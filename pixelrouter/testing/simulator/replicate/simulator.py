"""The Replicate simulator: its routes over real sockets.

Shapes and rules follow the vendor's published OpenAPI contract (as stored publicly in April 2026), its documentation of
sync mode, deadlines, data retention and rate limits, and recorded traffic (2023 to 2024). Not simulated: webhooks,
streaming, trainings, deployments, collections, other models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, Self

from pixelrouter.testing.simulator.books import BookedSimulator, Books
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.replicate import clock, models, orders, problems, uploads, view
from pixelrouter.testing.simulator.replicate.outputs import PREFIX, OutputHost
from pixelrouter.testing.simulator.replicate.predictions import VENDOR_FAULTS, Account, Prediction
from pixelrouter.testing.simulator.replicate.problems import Invalid, Refused
from pixelrouter.testing.simulator.replicate.throttle import Bucket
from pixelrouter.testing.simulator.replicate.uploads import Upload
from pixelrouter.testing.simulator.server import Received, Reply, spoil
from pixelrouter.types import Money

# Path -> method -> (kind of request, method of the simulator).
_ROUTES = {
    r"/v1/models/(?P<path>[^/]+/[^/]+)/predictions": {"POST": ("submit", "_create")},
    r"/v1/predictions": {"POST": ("submit", "_create"), "GET": ("list", "_list")},
    r"/v1/predictions/(?P<id>[^/]+)": {"GET": ("poll", "_get")},
    r"/v1/predictions/(?P<id>[^/]+)/cancel": {"POST": ("other", "_cancel")},
    r"/v1/account": {"GET": ("other", "_show_account")},
    r"/v1/models/(?P<path>[^/]+/[^/]+)": {"GET": ("styles", "_model")},
    r"/v1/models/(?P<path>[^/]+/[^/]+)/versions": {"GET": ("styles", "_versions")},
    r"/v1/models/(?P<path>[^/]+/[^/]+)/versions/(?P<version>[^/]+)": {"GET": ("styles", "_version")},
    r"/v1/files": {"POST": ("other", "_upload"), "GET": ("other", "_uploads_list")},
    r"/v1/files/(?P<id>[^/]+)": {"GET": ("other", "_upload_get"), "DELETE": ("other", "_upload_delete")},
}
_OUTPUT = re.compile(PREFIX + r"(?P<folder>[^/]+)/output_(?P<index>\d+)\.(?:png|gif)")
_AUTHORIZATION = re.compile(r"(?:Bearer|Token) (\S+)", re.IGNORECASE)
_FINISHED = ("succeeded", "failed", "canceled", "aborted")


class ReplicateSimulator(BookedSimulator):
    """Replicate on a local port, that counts what it charges and misbehaves when told to.

    ``balance`` is the account's credit in USD; ``keys`` are the tokens it knows. A prediction waits ``queue_seconds``
    as ``starting``, then runs ``job_seconds``, and at least ``polls`` polls find it unfinished.

    ``sync_shape`` is what a request with ``Prefer: wait`` gets that finished in time: ``2026`` ``succeeded`` with URLs,
    ``2024`` ``processing`` with data URIs; both were seen. ``retention_seconds`` is how long inputs and outputs are
    kept after the end. ``output_host`` is a host name (``localhost``): the outputs then have a port of their own under
    it, as the vendor serves them from another host than its API; None serves them on the API's port.
    ``creates_per_minute`` is the rate limit of new predictions, which is also the burst. ``max_data_uri`` is the
    longest data URI in characters, the stricter of the vendor's two numbers.

    What is charged. *Documented*: a deadline that passes before the start ends as ``aborted`` and is free; whatever
    ends as ``canceled`` is charged. *Assumed*: a success is charged by its images (the vendor publishes no price of
    these models), a cancelled prediction in full, and one that failed is free. It is charged when it ends, not when it
    is accepted; a request is refused with 402 where the credit, less what unfinished predictions may cost, is too low.
    """

    vendor = "replicate"
    key_variable = "REPLICATE_API_TOKEN"
    default_keys = ("r8-sim-1",)
    vendor_faults = VENDOR_FAULTS

    def __init__(
        self,
        *,
        balance: str = "10",
        keys: Sequence[str] = default_keys,
        job_seconds: float = 0.0,
        polls: int = 0,
        queue_seconds: float = 0.0,
        sync_shape: Literal["2024", "2026"] = "2026",
        retention_seconds: float = 3600,
        output_host: str | None = None,
        creates_per_minute: int = 600,
        max_data_uri: int = 256_000,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        Money.of(balance)  # a wrong one is told before a port is taken
        self.keys = tuple(keys)
        self._opening = (balance, (queue_seconds, job_seconds, polls), retention_seconds)
        self._sync_shape = sync_shape
        self._creates_per_minute = creates_per_minute
        self._max_data_uri = max_data_uri
        super().__init__(host=host, port=port)
        self._delivery = OutputHost(self, self._download, host=host, name=output_host) if output_host else None
        self.forget()

    # What a test asks.

    @property
    def books(self) -> Books:
        return self._account

    @property
    def output_requests(self) -> list[Received]:
        """Every download of an output so far, on whichever port: see in ``headers`` whether a token came along."""
        if self._delivery is not None:
            return self._delivery.requests
        return [request for request in self.requests if request.path.startswith(PREFIX)]

    def forget(self) -> None:
        self._paid_posts = 0
        self._account = Account(*self._opening, self.now, self.faults)
        self._uploads: dict[str, Upload] = {}
        self._creates, self._reads = Bucket(self._creates_per_minute), Bucket(3000)
        if self._delivery is not None:
            self._delivery.reset()

    def start(self) -> Self:
        if self._delivery is not None:
            self._delivery.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        if self._delivery is not None:
            self._delivery.stop()

    # Routing.

    def answer(self, request: Received) -> Reply:
        if request.path.startswith(PREFIX) and self._delivery is None:
            return self._download(request)
        try:
            return self._dispatch(request)
        except Refused as refused:
            return refused.reply()

    def _dispatch(self, request: Received) -> Reply:
        kind, handler, ids = _find_route(request)
        if kind == "submit":
            with self.lock:
                self._paid_posts += 1
        fault = self.faults.for_request(kind)
        if fault is not None and fault.phase == "before":
            refusal = problems.refusal(fault)
            if refusal is not None:
                return refusal
        try:
            self._authenticate(request)
            with self.lock:
                bucket = self._creates if kind == "submit" else self._reads
                limits = bucket.take(self.now(), refuse=kind == "submit")
            reply: Reply = getattr(self, handler)(request, **ids)
            reply = Reply(reply.status, reply.body, {**reply.headers, **limits})
        except Refused as refused:
            reply = refused.reply()
        return _spoilt(reply, fault)

    def _authenticate(self, request: Received) -> None:
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None or match[1] not in self.keys:
            raise problems.unauthenticated()

    # Predictions.

    def _create(self, request: Received, path: str | None = None) -> Reply:
        given = orders.envelope(request.json, with_version=path is None)
        model = models.find(request.json["version"] if path is None else path)
        if model is None and path is None:
            raise problems.invalid([Invalid("version", "not_found", "The specified version does not exist")])
        if model is None:
            raise problems.not_found()
        wait = clock.wait_of(request.headers.get("prefer"))
        life = clock.life_of(request.headers.get("cancel-after"))
        order = orders.read(model, given, self._fetch, self._max_data_uri)
        with self.lock:
            made = self._account.accept(order, request.json, life)
        if wait is None:
            return Reply.of_json(view.created(made, self.now(), self.url), 201)
        self._hold(made, wait)
        shown = self._show(made, sync=True)
        # The contract has 202 for "not all outputs yet"; recorded were 201 without a wait, and with all outputs.
        lacking = shown["output"] is None or made.has("processing_with_output")
        status = 202 if lacking and shown["status"] not in _FINISHED else 201
        return Reply.of_json(shown, status, {"Preference-Applied": request.headers["prefer"].strip()})

    def _hold(self, made: Prediction, seconds: int) -> None:
        """Keep the request open until the prediction ends.

        The simulator knows when that will be. Where it would be too late, or polls have to find it unfinished first, it
        answers at once what the vendor would answer after the wait: no test has to sit through it.
        """
        if made.polls_left > 0 or made.ends_at() > self.now() + seconds:
            return
        while self.now() < made.ends_at() and not self.stopping.wait(0.005):
            pass

    def _show(self, prediction: Prediction, *, sync: bool = False, polled: bool = False) -> dict[str, Any]:
        """The prediction as it stands. ``sync`` is the answer to the request that made it, ``polled`` a poll."""
        with self.lock:
            self._account.settle(prediction, polled=polled)
            removed = self._account.removed(prediction)
            now = self.now()
            shown = view.body(prediction, now, self.url, removed=removed) | view.times(prediction, now)
            partial = (sync or polled) and prediction.ended == "succeeded" and prediction.partial_answers > 0
            prediction.partial_answers -= partial
        if prediction.ended != "succeeded" or removed or prediction.has("unknown_status"):
            return shown
        old = sync and self._sync_shape == "2024" and not prediction.has(Faults.URL_ONLY)
        files = prediction.files()
        origin = self.url if self._delivery is None else self._delivery.origin
        output = view.output(prediction, files, origin, inline=old or prediction.has("data_uri"))
        if not (partial or old):
            return shown | {"output": output}
        unfinished = {name: value for name, value in shown.items() if name not in ("completed_at", "metrics")}
        return unfinished | {"status": "processing", "output": output[: max(1, len(output) - 1)] if partial else output}

    def _get(self, request: Received, id: str) -> Reply:
        return Reply.of_json(self._show(self._prediction(id), polled=True))

    def _cancel(self, request: Received, id: str) -> Reply:
        prediction = self._prediction(id)
        with self.lock:
            self._account.cancel(prediction)
        return Reply.of_json(self._show(prediction))

    def _list(self, request: Received) -> Reply:
        with self.lock:
            until = self.now() - self.list_lag
            known = [each for each in self._account.predictions.values() if each.created <= until]
        shown, links = view.page(request, known, self.url)
        return Reply.of_json({**links, "results": [self._show(each) for each in shown]})

    def _prediction(self, id: str) -> Prediction:
        with self.lock:
            found = self._account.predictions.get(id)
        if found is None:
            raise problems.not_found()
        return found

    def _download(self, request: Received) -> Reply:
        """An output. It asks for no token, and a token that comes along changes nothing."""
        fault = self.faults.for_request("download")
        if fault is not None and fault.phase == "before" and fault.name != Faults.EXPIRED_URL:
            return problems.refusal(fault) or Reply.nginx_502()
        match = _OUTPUT.fullmatch(request.path)
        missing = Reply(404, b"not found", {"Content-Type": "text/plain"})
        with self.lock:
            made = self._account.folders.get(match["folder"]) if match else None
            if made is None or match is None or request.method not in ("GET", "HEAD"):
                return missing
            if fault is not None and fault.name == Faults.EXPIRED_URL:
                made.files_gone, made.gone = True, made.gone or fault.params["gone"]
            self._account.settle(made)
            lost = made.ended != "succeeded" or made.files_gone or self._account.removed(made)
        files = [] if lost else made.files()
        if int(match["index"]) >= len(files):
            return missing
        file = files[int(match["index"])]
        return _spoilt(Reply(200, file.data, {"Content-Type": file.media_type}), fault)

    # Account, models, files.

    def _show_account(self, request: Received) -> Reply:
        return Reply.of_json({"type": "user", "username": "sim", "name": "Simulated", "github_url": None})

    def _model(self, request: Received, path: str) -> Reply:
        return Reply.of_json(_model_of(path).body(self.url))

    def _versions(self, request: Received, path: str) -> Reply:
        return Reply.of_json({"previous": None, "next": None, "results": [_model_of(path).version_body()]})

    def _version(self, request: Received, path: str, version: str) -> Reply:
        return Reply.of_json(_model_of(f"{path}:{version}").version_body())

    def _upload(self, request: Received) -> Reply:
        made = uploads.received(request, self.now())
        with self.lock:
            self._uploads[made.id] = made
        return Reply.of_json(made.body(self.url), 201)

    def _uploads_list(self, request: Received) -> Reply:
        with self.lock:
            kept = [each for each in reversed(self._uploads.values()) if self._kept(each)]
        return Reply.of_json({"previous": None, "next": None, "results": [each.body(self.url) for each in kept]})

    def _upload_get(self, request: Received, id: str) -> Reply:
        return Reply.of_json(self._upload_of(id).body(self.url))

    def _upload_delete(self, request: Received, id: str) -> Reply:
        with self.lock:
            del self._uploads[self._upload_of(id).id]
        return Reply(204)

    def _upload_of(self, id: str) -> Upload:
        with self.lock:
            found = self._uploads.get(id)
        if found is None or not self._kept(found):
            raise problems.not_found("File not found")
        return found

    def _kept(self, upload: Upload) -> bool:
        return self.now() < upload.created + uploads.KEPT_SECONDS

    def _fetch(self, url: str) -> bytes | None:
        """What a model finds at a URL: only the files uploaded here, for a simulator calls nobody."""
        try:
            return self._upload_of(url.removeprefix(f"{self.url}/v1/files/")).data
        except Refused:
            return None


def _spoilt(reply: Reply, fault: Fault | None) -> Reply:
    if fault is None or fault.phase != "after":
        return reply
    return problems.server_error() if fault.name == Faults.SERVER_ERROR else spoil(reply, fault)


def _model_of(reference: str) -> models.Model:
    found = models.find(reference)
    if found is None:
        raise problems.not_found()
    return found


def _find_route(request: Received) -> tuple[str, str, dict[str, str]]:
    """The kind of request, its handler's name, the ids in its path. Raises Refused where there is no such route."""
    for pattern, methods in _ROUTES.items():
        match = re.fullmatch(pattern, request.path)
        if match and request.method not in methods:
            raise problems.wrong_method(list(methods))
        if match:
            return *methods[request.method], match.groupdict()
    raise problems.not_found()
