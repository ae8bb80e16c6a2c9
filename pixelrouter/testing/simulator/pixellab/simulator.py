"""The PixelLab simulator: its routes, versions v1 and v2, over real sockets.

Shapes and rules follow the vendor's OpenAPI documents (August 2026) and third-party records of live traffic (October
2026). Not simulated: objects with directions, UI assets, pro tiles, portraits, fonts, video and audio, tags, ZIP files,
prompt enhancement on its own, and everything newer than those documents.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.pixellab import animations, problems, rules
from pixelrouter.testing.simulator.pixellab.account import Account, usage_of
from pixelrouter.testing.simulator.pixellab.animations import Animation
from pixelrouter.testing.simulator.pixellab.answers import Answers
from pixelrouter.testing.simulator.pixellab.assets import PREFIX, AssetHost, Shelf
from pixelrouter.testing.simulator.pixellab.endpoints import CHARACTER_ANIMATIONS, ENDPOINTS, Endpoint
from pixelrouter.testing.simulator.pixellab.jobs import Job
from pixelrouter.testing.simulator.pixellab.library import Library
from pixelrouter.testing.simulator.pixellab.orders import read
from pixelrouter.testing.simulator.pixellab.prices import ENHANCEMENT, Price
from pixelrouter.testing.simulator.pixellab.problems import Refused
from pixelrouter.testing.simulator.pixellab.settings import Plan, Settings, Usage
from pixelrouter.testing.simulator.pixellab.worlds import CharacterAnimation
from pixelrouter.testing.simulator.server import Received, Reply, Simulator, spoil
from pixelrouter.types import Money
from pixelrouter.types.money import Unit

_JOB = re.compile(r"/background-jobs/([^/]+)")
_ITEM = re.compile(r"/(characters|tilesets|tilesets-sidescroller|isometric-tiles|map-objects)/([^/]+)")
_LISTS = ("/characters", "/tilesets", "/tilesets-sidescroller", "/isometric-tiles")
_NO_SUCH = {Faults.MODERATED: "PixelLab documents no refusal for content"}


class PixelLabSimulator(Simulator):
    """PixelLab on a local port, that counts what it charges and misbehaves when told to.

    The account: ``balance`` is its credit in USD, ``generations`` what its subscription has left (spent first);
    ``account`` is ``usd``, ``subscription``, or ``free``: a free account's jobs are taken and then fail with code 3007.
    ``keys`` are the tokens it knows.

    Jobs: one takes ``job_seconds``, whoever asks; besides, its first ``polls`` polls find it unfinished, and after
    these ``lag_polls`` show the result while the status still says "processing". The bill and the balance show a job's
    charge ``billing_lag`` seconds after its end. At most ``slots`` run at once; ``per_minute`` limits the synchronous
    requests.

    Answers: ``usage`` is ``real``, ``null`` or ``missing``; ``data_uri`` puts a data URI's head before base64;
    ``retry_after`` is the header of the account's own 429 (seconds; the vendor documents none). Characters come
    ``canvas_growth`` pixels larger than asked for (0: as asked). ``surcharge`` makes each dollar bill that much higher
    than the list. ``missing_key_status`` answers a request without a token. ``separate_assets`` serves pictures from
    a port of its own, `assets`.

    Raises ValueError for settings that cannot be, OSError where the port cannot be had.
    """

    vendor = "pixellab"
    key_variable = "PIXELLAB_SECRET"
    default_keys = ("pixellab-sim-1",)
    vendor_faults = problems.VENDOR_FAULTS

    def __init__(
        self,
        *,
        balance: str = "10",
        generations: str = "0",
        account: Plan = "usd",
        keys: Sequence[str] = default_keys,
        job_seconds: float = 0.0,
        polls: int = 0,
        lag_polls: int = 0,
        billing_lag: float = 0.0,
        canvas_growth: int = 28,
        usage: Usage = "real",
        data_uri: bool = False,
        retry_after: int | None = None,
        slots: int = 8,
        per_minute: int | None = None,
        surcharge: str = "0",
        missing_key_status: int = 401,
        separate_assets: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.keys = tuple(keys)
        self._settings = Settings(
            balance=balance,
            generations=generations,
            account=account,
            job_seconds=job_seconds,
            polls=polls,
            lag_polls=lag_polls,
            billing_lag=billing_lag,
            canvas_growth=canvas_growth,
            usage=usage,
            data_uri=data_uri,
            retry_after=retry_after,
            slots=slots,
            per_minute=per_minute,
            surcharge=surcharge,
        )
        self._missing_key_status = missing_key_status
        self.assets: AssetHost | None = None
        super().__init__(host=host, port=port)
        if separate_assets:
            self.assets = AssetHost(self._download, host=host)
        self.forget()

    # What a test asks and does.

    @property
    def charges(self) -> list[Charge]:
        """Every charge, oldest first. PixelLab gives nothing back: what fails is not charged."""
        with self.lock:
            self._account.settle_all()
            return list(self._account.charges)

    @property
    def charged_total(self) -> Money:
        """What the vendor took in dollars."""
        return self._total("usd")

    @property
    def charged_generations(self) -> Money:
        """What the vendor took from the subscription."""
        return self._total("generations")

    def _total(self, unit: Unit) -> Money:
        with self.lock:
            self._account.settle_all()
            return self._account.charged_total(unit)

    @property
    def balance(self) -> Money:
        """The dollars that the account still holds."""
        return self._left("usd")

    @property
    def generations(self) -> Money:
        """The generations that the subscription still has."""
        return self._left("generations")

    def _left(self, unit: Unit) -> Money:
        with self.lock:
            self._account.settle_all()
            return self._account.left(unit)

    def move_balance(self, by: Money) -> None:
        with self.lock:
            self._account.move(by)

    @property
    def paid_posts(self) -> int:
        """How many POSTs for something that costs arrived, whatever became of them."""
        with self.lock:
            return self._paid_posts

    def fault(self, name: str, times: int = 1, *, on: str | None = None, **params: Any) -> None:
        """See `Simulator.fault`; ValueError also for what PixelLab cannot do."""
        if name in _NO_SUCH:
            raise ValueError(f"{name}: {_NO_SUCH[Faults(name)]}")
        super().fault(name, times, on=on, **params)

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "vendor": "pixellab",
                "balance_micros": self.balance.micros,
                "generations_micros": self.generations.micros,
                "charged_micros": self.charged_total.micros,
                "charged_generations_micros": self.charged_generations.micros,
                "charges": [charge.as_dict() | {"unit": charge.money.unit} for charge in self.charges],
                "paid_posts": self._paid_posts,
                "requests": len(self._requests),
                "faults_waiting": len(self.faults),
                "assets": None if self.assets is None else self.assets.state(),
            }

    def forget(self) -> None:
        self._paid_posts = 0
        self._account = Account(self._settings, self.now, self.faults)
        self._shelf = Shelf(self.url if self.assets is None else self.assets.url)
        self._answers = Answers(self._account, self._shelf, self._settings)
        self._library = Library(self._answers, self._shelf, self.now)

    def start(self) -> PixelLabSimulator:
        """Begin to answer, on threads of its own."""
        if self.assets is not None:
            self.assets.start()
        super().start()
        return self

    def stop(self) -> None:
        """Close every connection and port. A second call does nothing."""
        super().stop()
        if self.assets is not None:
            self.assets.stop()

    # Routing.

    def answer(self, request: Received) -> Reply:
        if request.path.startswith(PREFIX):
            return self._download(request)
        version, _, rest = request.path.lstrip("/").partition("/")
        try:
            return self._dispatch(request, version, f"/{rest}")
        except Refused as refused:
            return refused.reply()

    def _dispatch(self, request: Received, version: str, path: str) -> Reply:
        kind, methods = _kind(version, request.method, path)
        if request.method not in methods:
            raise Refused(405, "Method Not Allowed", {"Allow": ", ".join(methods)})
        if kind == "submit":
            with self.lock:
                self._paid_posts += 1
        fault = self.faults.for_request(kind)
        endpoint = ENDPOINTS.get((version, path))
        if fault is not None and fault.phase == "before":
            refusal = problems.refusal(fault, job=endpoint is None or endpoint.job)
            if refusal is not None:
                return refusal
        try:
            reply = self._route(request, version, kind, path)
        except Refused as refused:
            return refused.reply()
        return _spoilt(reply, fault)

    def _route(self, request: Received, version: str, kind: str, path: str) -> Reply:
        self._authenticate(request)
        if kind == "balance":
            return self._balance(version)
        if kind == "submit" and path in CHARACTER_ANIMATIONS:
            return self._animate(request)
        if kind == "submit":
            return self._sell(request, version, ENDPOINTS[version, path])
        if kind == "list":
            with self.lock:
                self._account.settle_all()
                return Reply.of_json(self._library.page(path[1:], request.query, self.now() - self.list_lag))
        item = _ITEM.fullmatch(path)
        with self.lock:
            self._account.settle_all()
            if item is not None and request.method == "DELETE":
                return Reply.of_json(self._library.delete(item[1], item[2]))
            if item is not None:
                thing = self._library.find(item[1], item[2])
                shown = thing.job.look()
        if item is not None:
            return Reply.of_json(self._library.show(thing, shown))
        return self._poll(path.rpartition("/")[2])

    def _authenticate(self, request: Received) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(self._missing_key_status, "Not authenticated")
        if token not in self.keys:
            raise Refused(401, "Invalid API token")

    def _balance(self, version: str) -> Reply:
        with self.lock:
            self._account.settle_all()
            usd, generations = self._account.shown("usd"), self._account.shown("generations")
        credit = {"type": "usd", "usd": float(usd)}
        if version == "v1":
            return Reply.of_json(credit)
        active = self._settings.account == "subscription"
        subscription = {
            "type": "generations",
            "status": "active" if active else "none",
            "plan": "Tier 2: Pixel Artisan" if active else None,
            "generations": float(generations),
            "total": float(self._settings.generations),
        }
        return Reply.of_json({"credits": credit, "subscription": subscription})

    # Selling.

    def _purse(self, endpoint_is_job: bool, price: Price, times: int = 1) -> Unit | None:
        """What pays for an order; None for a job of the free tier. Raises Refused(402)."""
        if self._settings.account == "free" and endpoint_is_job:
            return None
        return self._account.purse(price, times)

    def _sell(self, request: Received, version: str, endpoint: Endpoint) -> Reply:
        order, body = read(request.body, endpoint.body, version)
        rules.check(order)
        ids = {} if endpoint.owner is None else {endpoint.owner: str(uuid.uuid4())}
        with self.lock:
            purse = self._purse(endpoint.job, endpoint.price(order))
            self._account.check_load(endpoint.job)
            fault = self.faults.for_job()
            job = self._account.take(endpoint, order, body, fault=fault, ids=ids, purse=purse)
            extra = self._enhanced(order, job, purse)
            if endpoint.shelf is not None:
                self._library.keep(endpoint.shelf, job)
        if endpoint.job:
            return Reply.of_json(self._answers.accepted(job, extra), endpoint.status)
        if job.has(Faults.JOB_FAILED):
            raise Refused(500, "Internal server error")
        if job.has(Faults.JOB_STUCK):
            return Reply(504, problems.HTML_504, {"Content-Type": "text/html"})
        return Reply.of_json(self._answers.synchronous(job, version) | extra)

    def _enhanced(self, order: Any, job: Job, purse: Unit | None) -> dict[str, Any]:
        """The fields of a prompt that the vendor made better first; its price is a bill of its own."""
        if not hasattr(order, "enhance_prompt"):
            return {}
        if not order.enhance_prompt:
            return {"enhanced_prompt": None, "enhance_usage": None}
        text = getattr(order, "action", None) or getattr(order, "action_description", None) or order.description
        money = Money(0) if purse is None else self._account.cost(ENHANCEMENT, purse)
        if money:
            self._account.charge(money, job.body, job.id, job.created)
        return {"enhanced_prompt": f"{text}, in rich detail", "enhance_usage": usage_of(money)}

    def _animate(self, request: Received) -> Reply:
        order, body = read(request.body, CharacterAnimation, "v2")
        with self.lock:
            item = self._library.find("characters", order.character_id)
        parts = [Animation(order, item.job, name) for name in animations.directions(order, item.job)]
        rules.character_animation(order, *parts[0].size)
        rules.check(order)
        group = str(uuid.uuid4())
        with self.lock:
            purse = self._purse(True, parts[0].price(order), len(parts))
            # More directions than free slots: the rest is left out, as was seen live.
            parts = parts[: self._account.check_load(True)]
            fault = self.faults.for_job()
            if fault is not None and fault.name == "fewer_jobs":
                parts, fault = parts[:-1], None
            jobs: list[Job] = []
            for part in parts:
                fault = fault if not jobs else self.faults.for_job()
                ids = {"character_id": item.id, "animation_id": str(uuid.uuid4()), "direction": part.direction}
                jobs.append(self._account.take(part.endpoint, order, body, fault=fault, ids=ids, purse=purse))
            if jobs:
                item.groups[group] = jobs
            extra = self._enhanced(order, jobs[0], purse) if jobs else {}
        answer = {
            "background_job_ids": [job.id for job in jobs],
            "directions": [part.direction for part in parts],
            "animation_group_id": group,
            "status": "processing",
        }
        return Reply.of_json(answer | extra)

    def _poll(self, job_id: str) -> Reply:
        with self.lock:
            job = self._account.jobs.get(job_id)
            if job is None:
                raise Refused(404, "Job not found")
            shown = job.look()
        return Reply.of_json(self._answers.poll(job, shown))

    def _download(self, request: Received) -> Reply:
        return self._shelf.serve(request, self.faults.for_request("download"))


def _kind(version: str, method: str, path: str) -> tuple[str, tuple[str, ...]]:
    """The kind of a request and the methods of its path. Raises Refused(404) where there is no such path."""
    known = version in ("v1", "v2")
    if known and path == "/balance":
        return "balance", ("GET",)
    listed = version == "v2" and path in _LISTS
    sold = (version, path) in ENDPOINTS or (version == "v2" and path in CHARACTER_ANIMATIONS)
    if listed and (method == "GET" or not sold):
        return "list", ("GET", "POST") if sold else ("GET",)
    if sold:
        return "submit", ("POST",)
    if version == "v2" and _JOB.fullmatch(path):
        return "poll", ("GET",)
    if version == "v2" and _ITEM.fullmatch(path):
        deletes = not path.startswith("/map-objects")
        return ("other" if method == "DELETE" else "poll"), ("GET", "DELETE") if deletes else ("GET",)
    raise Refused(404, "Not Found")


def _spoilt(reply: Reply, fault: Fault | None) -> Reply:
    """A good answer after a fault of the phase *after*."""
    if fault is None or fault.phase != "after":
        return reply
    return problems.spoilt(fault) or spoil(reply, fault)
