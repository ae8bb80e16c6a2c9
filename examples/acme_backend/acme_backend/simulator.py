"""Acme Sprites on a local port: it draws, counts what it charges, and misbehaves when told to.

A simulator is written from the vendor's manual, never from the backend that it is to judge.
"""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pixelrouter.testing.simulator import Charge, Faults, Received, Reply, Simulator
from pixelrouter.testing.simulator.faults import Fault
from pixelrouter.testing.simulator.images import png, sheet, sprite, with_alpha
from pixelrouter.testing.simulator.server import spoil
from pixelrouter.types import Money

ADDRESS_SECONDS = 15 * 60
MODELS = {"sprite": ("0.04", 256, 4), "turnaround": ("0.12", 64, 1)}  # price of an image, longest side, most images
FIELDS = {"model", "prompt", "width", "height", "count", "seed", "transparent", "delivery", "outline", "image"}


class Refused(Exception):
    """A documented refusal, as the answer it becomes."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        self.reply = Reply.of_json({"error": {"code": code, "message": message}}, status, headers)


REFUSALS: dict[str, Callable[[Any], Refused]] = {
    Faults.RATE_LIMIT: lambda p: Refused(429, "rate_limited", "Slow down.", **{"Retry-After": str(p["retry_after"])}),
    Faults.OVERLOADED: lambda p: Refused(503, "busy", "No room.", **{"Retry-After": str(p["retry_after"])}),
    Faults.NO_BALANCE: lambda p: Refused(402, "no_credit", "The account is empty."),
    Faults.MODERATED: lambda p: Refused(403, "content_policy", "We do not draw this."),
    Faults.SERVER_ERROR: lambda p: Refused(500, "internal", "Something broke."),
}


@dataclass
class Job:
    """One order that was accepted and charged."""

    id: str
    order: dict[str, Any]
    key: str | None
    price: Money
    done_at: float
    fault: Fault | None
    cancelled: bool = False
    files: list[bytes] = field(default_factory=list)

    def has(self, fault: Faults) -> bool:
        return self.fault is not None and self.fault.name == fault

    def state(self, now: float) -> str:
        if self.cancelled:
            return "cancelled"
        if now < self.done_at or self.has(Faults.JOB_STUCK):
            return "drawing"
        return "failed" if self.has(Faults.JOB_FAILED) else "done"

    def refunded(self, now: float) -> bool:
        failed = self.state(now) == "failed" and self.fault is not None and self.fault.params["refund"]
        return self.cancelled or bool(failed)

    def draw(self) -> list[bytes]:
        """What the job made, spoilt where its fault says so."""
        width, height = self.order["width"], self.order["height"]
        if self.fault is not None and self.has(Faults.WRONG_SIZE):
            width, height = (
                self.fault.params[name] or side * 2 for name, side in (("width", width), ("height", height))
            )
        views = 4 if self.order["model"] == "turnaround" else 1
        files = []
        for number in range(self.order["count"]):
            pictures = [sprite(f"{self.id} {number} {view}", width, height) for view in range(views)]
            clear = self.order.get("transparent", False)
            drawn = [with_alpha(pixels, mask if clear else mask | True) for pixels, mask in pictures]
            data = png(sheet(drawn, 2, 2) if views == 4 else drawn[0]).data
            files.append(data[: len(data) // 2] if self.has(Faults.TRUNCATED_IMAGE) else data)
        if self.has(Faults.EMPTY_IMAGES):
            return []
        return files[:-1] if self.has(Faults.FEWER_IMAGES) else files


class AcmeSimulator(Simulator):
    """``balance`` is the account's money in USD, ``keys`` are those it knows, a job takes ``job_seconds``."""

    vendor = "acme"
    key_variable = "ACME_API_KEY"
    default_keys = ("acme-simulated-1",)

    def __init__(
        self,
        *,
        balance: str = "10",
        keys: Sequence[str] = default_keys,
        job_seconds: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.keys = tuple(keys)
        self._opening = Money.of(balance)
        self._job_seconds = job_seconds
        super().__init__(host=host, port=port)
        self.forget()

    def forget(self) -> None:
        self._paid_posts = 0
        self._jobs: dict[str, Job] = {}
        self._bought: dict[str, tuple[bytes, Job]] = {}  # by idempotency key
        self._addresses: dict[str, tuple[float, bytes]] = {}  # path -> good until, file
        self._serial = itertools.count(1)

    @property
    def charges(self) -> list[Charge]:
        with self.lock:
            now = self.now()
            return [Charge(job.price, job.order, job.key, job.id, job.refunded(now)) for job in self._jobs.values()]

    @property
    def charged_total(self) -> Money:
        return Money(sum(charge.money.micros for charge in self.charges if not charge.refunded))

    @property
    def balance(self) -> Money:
        """What the account still holds."""
        return self._opening - self.charged_total

    @property
    def paid_posts(self) -> int:
        with self.lock:
            return self._paid_posts

    def state(self) -> dict[str, Any]:
        charges = [charge.as_dict() for charge in self.charges]
        return {"vendor": self.vendor, "charged_micros": self.charged_total.micros, "charges": charges}

    def answer(self, request: Received) -> Reply:
        """Find the route; let a fault act before it or after it."""
        kind, act = self._route(request)
        with self.lock:
            self._paid_posts += kind == "submit"
            fault = self.faults.for_request(kind)
            try:
                if fault is not None and fault.phase == "before" and (reply := self._instead(fault)):
                    return reply
                if kind != "download":
                    self._authenticate(request)
                reply = act()
                if fault is not None and fault.name == Faults.SERVER_ERROR:
                    raise REFUSALS[Faults.SERVER_ERROR](fault.params)
            except Refused as refused:
                reply = refused.reply
        return reply if fault is None else spoil(reply, fault)

    def _route(self, request: Received) -> tuple[str, Callable[[], Reply]]:
        """The kind of request, as faults know it, and what answers it."""
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "v1", "sprites"):
                return "submit", lambda: self._order(request)
            case ("GET", "v1", "jobs"):
                return "list", lambda: self._list(request.query.get("key", ""))
            case ("GET", "v1", "jobs", job):
                return "poll", lambda: Reply.of_json(self._shown(self._job(job)))
            case ("DELETE", "v1", "jobs", job):
                return "other", lambda: self._cancel(self._job(job))
            case ("GET", "v1", "balance"):
                return "balance", lambda: Reply.of_json({"usd": str(self.balance.amount)})
            case ("GET", "files", *_):
                return "download", lambda: self._download(request.path)
        return "other", lambda: Reply.of_json({"error": {"code": "no_route", "message": "There is nothing here."}}, 404)

    def _instead(self, fault: Fault) -> Reply | None:
        """What comes in place of an answer. None: the fault acts on what is answered."""
        match fault.name:
            case Faults.LOSE_BEFORE:
                return Reply.hung_up(fault)
            case Faults.BAD_GATEWAY_BEFORE | Faults.POLL_502 | Faults.DOWNLOAD_502:
                return Reply.nginx_502()
            case Faults.REDIRECT:
                return Reply(fault.params["status"], headers={"Location": fault.params["location"]})
            case Faults.EXPIRED_URL:
                self._addresses.clear()
                return None
        raise REFUSALS[fault.name](fault.params)

    def _authenticate(self, request: Received) -> None:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.keys:
            raise Refused(401, "bad_key", "We do not know this key.")

    def _order(self, request: Received) -> Reply:
        key = request.headers.get("idempotency-key")
        if key in self._bought:
            body, job = self._bought[key]
            if body != request.body:
                raise Refused(409, "key_reused", "This Idempotency-Key came with another body.")
            return Reply.of_json({"job": job.id}, 202)
        order = request.json
        if why := invalid(order):
            raise Refused(422, "invalid", why)
        price = Money(Money.of(MODELS[order["model"]][0]).micros * order["count"])
        if self.balance < price:
            raise REFUSALS[Faults.NO_BALANCE]({})
        job = Job(f"job-{next(self._serial)}", order, key, price, self.now() + self._job_seconds, self.faults.for_job())
        job.files = job.draw()
        self._jobs[job.id] = job
        if key is not None:
            self._bought[key] = (request.body, job)
        return Reply.of_json({"job": job.id}, 202)

    def _job(self, job: str) -> Job:
        if job not in self._jobs:
            raise Refused(404, "unknown_job", "The account has no such job.")
        return self._jobs[job]

    def _list(self, key: str) -> Reply:
        return Reply.of_json({"jobs": [{"job": job.id} for job in self._jobs.values() if job.key == key]})

    def _cancel(self, job: Job) -> Reply:
        if job.state(self.now()) != "drawing":
            raise Refused(409, "finished", "The job has finished.")
        job.cancelled = True
        return Reply(204)

    def _shown(self, job: Job) -> dict[str, Any]:
        state = job.state(self.now())
        shown: dict[str, Any] = {"job": job.id, "state": state}
        if state == "drawing":
            return shown | {"progress": 0.5}
        charged = 0 if job.refunded(self.now()) else job.price.amount
        if state == "failed" and job.fault is not None:
            shown["error"] = {"code": job.fault.params["code"], "message": "The machine that drew it broke down."}
        images = [self._image(job, data) for data in job.files] if state == "done" else []
        return shown | {"images": images, "charged_usd": str(charged)}

    def _image(self, job: Job, data: bytes) -> dict[str, str]:
        if job.fault is not None and job.has(Faults.EVIL_URL):
            return {"url": job.fault.params["url"]}
        if job.order.get("delivery") == "base64" and not job.has(Faults.URL_ONLY):
            return {"base64": base64.b64encode(data).decode()}
        path = f"/files/{job.id}-{next(self._serial)}.png"
        self._addresses[path] = (self.now() + ADDRESS_SECONDS, data)
        return {"url": f"{self.url}{path}"}

    def _download(self, path: str) -> Reply:
        until, data = self._addresses.get(path, (0.0, b""))
        if self.now() >= until:
            return Reply(410, b"this address has expired", {"Content-Type": "text/plain"})
        return Reply(200, data, {"Content-Type": "image/png"})


def invalid(order: Any) -> str | None:
    """What is wrong with the body of an order, or None."""
    if not isinstance(order, dict) or (unknown := sorted(set(order) - FIELDS)):
        return f"no such field: {', '.join(unknown)}" if isinstance(order, dict) else "the body is no object"
    if order.get("model") not in MODELS:
        return f"model is none of {', '.join(MODELS)}"
    _, longest, most = MODELS[order["model"]]
    if not isinstance(order.get("prompt"), str) or not 1 <= len(order["prompt"]) <= 500:
        return "prompt needs 1 to 500 characters"
    limits = {"width": (16, longest), "height": (16, longest), "count": (1, most), "seed": (0, 2**32 - 1)}
    for name, (low, high) in limits.items():
        if type(order.get(name)) is not int or not low <= order[name] <= high:
            return f"{name} is a whole number from {low} to {high}"
    if type(order.get("transparent", False)) is not bool:
        return "transparent is true or false"
    if order.get("delivery", "url") not in ("url", "base64") or order.get("outline", "thin") not in ("thin", "thick"):
        return "delivery is url or base64, outline is thin or thick"
    return None if order["model"] == "sprite" else not_base64(order.get("image"))


def not_base64(image: Any) -> str | None:
    """What is wrong with the picture that a turnaround starts from, or None."""
    try:
        return None if base64.b64decode(image, validate=True) else "image is empty"
    except (TypeError, ValueError, binascii.Error):
        return "image is base64, and a turnaround needs one"
