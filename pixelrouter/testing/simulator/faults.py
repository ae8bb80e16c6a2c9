"""The ways a simulator can be told to misbehave, and the queue that hands each misbehaviour to the next request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

Phase = Literal["before", "after", "job"]
KINDS = ("submit", "quote", "poll", "list", "download", "balance", "styles", "status", "other", "any")


class Faults(StrEnum):
    """Every misbehaviour that all vendors share, by name; a vendor's simulator may know more (`vendor_faults`).

    ``sim.fault(Faults.LOSE_REPLY)`` and ``sim.fault("lose_reply")`` are the same.

    *before* the vendor took the request (nothing is charged): lose_before, rate_limit, no_balance, moderated,
    overloaded, server_error, bad_gateway_before, redirect, poll_502, download_502, expired_url.
    *after* it took and charged the request: lose_reply, late, bad_gateway_html, garbage_json, slow_drip, huge_body,
    truncated_download.
    *job*: the request is answered well, and what becomes of the job is wrong: job_failed, job_stuck, url_only,
    truncated_image, empty_images, fewer_images, wrong_size, evil_url.
    """

    LOSE_BEFORE = "lose_before"
    RATE_LIMIT = "rate_limit"
    NO_BALANCE = "no_balance"
    MODERATED = "moderated"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY_BEFORE = "bad_gateway_before"
    REDIRECT = "redirect"
    POLL_502 = "poll_502"
    DOWNLOAD_502 = "download_502"
    EXPIRED_URL = "expired_url"

    LOSE_REPLY = "lose_reply"
    LATE = "late"
    BAD_GATEWAY_HTML = "bad_gateway_html"
    GARBAGE_JSON = "garbage_json"
    SLOW_DRIP = "slow_drip"
    HUGE_BODY = "huge_body"
    TRUNCATED_DOWNLOAD = "truncated_download"

    JOB_FAILED = "job_failed"
    JOB_STUCK = "job_stuck"
    URL_ONLY = "url_only"
    TRUNCATED_IMAGE = "truncated_image"
    EMPTY_IMAGES = "empty_images"
    FEWER_IMAGES = "fewer_images"
    WRONG_SIZE = "wrong_size"
    EVIL_URL = "evil_url"


@dataclass(frozen=True)
class FaultSpec:
    """When a fault acts, on which kind of request unless told otherwise, and its parameters with their defaults."""

    phase: Phase
    on: str = "submit"
    params: Mapping[str, Any] = field(default_factory=dict)


_SPECS: dict[str, FaultSpec] = {
    Faults.LOSE_BEFORE: FaultSpec("before", params={"reset": False}),
    Faults.RATE_LIMIT: FaultSpec("before", params={"retry_after": 1, "http_date": False}),
    Faults.NO_BALANCE: FaultSpec("before"),
    Faults.MODERATED: FaultSpec("before"),
    Faults.OVERLOADED: FaultSpec("before", params={"retry_after": 3}),
    Faults.SERVER_ERROR: FaultSpec("before", params={"charged": False}),
    Faults.BAD_GATEWAY_BEFORE: FaultSpec("before"),
    Faults.REDIRECT: FaultSpec("before", params={"location": "http://elsewhere.invalid/", "status": 302}),
    Faults.POLL_502: FaultSpec("before", on="poll"),
    Faults.DOWNLOAD_502: FaultSpec("before", on="download"),
    Faults.EXPIRED_URL: FaultSpec("before", on="download", params={"gone": False}),
    Faults.LOSE_REPLY: FaultSpec("after", params={"reset": False}),
    Faults.LATE: FaultSpec("after", params={"seconds": 1.0}),
    Faults.BAD_GATEWAY_HTML: FaultSpec("after"),
    Faults.GARBAGE_JSON: FaultSpec("after"),
    Faults.SLOW_DRIP: FaultSpec("after", params={"chunk": 16, "delay": 0.05}),
    Faults.HUGE_BODY: FaultSpec("after", params={"size": 64 * 1024 * 1024}),
    Faults.TRUNCATED_DOWNLOAD: FaultSpec("after", on="download"),
    Faults.JOB_FAILED: FaultSpec("job", params={"code": "inference_failed", "status_code": 502, "refund": True}),
    Faults.JOB_STUCK: FaultSpec("job"),
    Faults.URL_ONLY: FaultSpec("job"),
    Faults.TRUNCATED_IMAGE: FaultSpec("job"),
    Faults.EMPTY_IMAGES: FaultSpec("job"),
    Faults.FEWER_IMAGES: FaultSpec("job"),
    Faults.WRONG_SIZE: FaultSpec("job", params={"width": None, "height": None}),
    Faults.EVIL_URL: FaultSpec("job", params={"url": "http://evil.invalid/sprite.png"}),
}


@dataclass(frozen=True)
class Fault:
    """One misbehaviour, ready to act. ``on`` is the kind of request it waits for; ``any`` matches every kind."""

    name: str
    phase: Phase
    on: str
    params: Mapping[str, Any]

    @classmethod
    def of(
        cls, name: str, on: str | None = None, own: Mapping[str, FaultSpec] = MappingProxyType({}), **params: Any
    ) -> Fault:
        """A fault by name: one of `Faults`, or of the vendor's ``own``.

        Raises ValueError for a name or a parameter that does not exist, and lists those that do.
        """
        every = {**_SPECS, **own}
        if name not in every:
            raise ValueError(f"no fault named {name!r}; there are: {', '.join(every)}")
        known, spec = str(name), every[name]
        unknown = sorted(set(params) - set(spec.params))
        if unknown:
            raise ValueError(f"{known} takes no {', '.join(unknown)}; it takes: {', '.join(spec.params) or 'nothing'}")
        if on is not None and spec.phase == "job":
            raise ValueError(f"{known} acts on the next job that is accepted; it takes no on=")
        if on is not None and on not in KINDS:
            raise ValueError(f"no kind of request named {on!r}; there are: {', '.join(KINDS)}")
        phase: Phase = "after" if params.get("charged") else spec.phase
        return cls(known, phase, on or spec.on, {**spec.params, **params})


class FaultQueue:
    """Faults in the order they were asked for; each is used up by the requests that it matches. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int]] = []

    def add(self, fault: Fault, times: int = 1) -> None:
        """Let ``fault`` act on the next ``times`` requests that it matches. Raises ValueError below 1."""
        if times < 1:
            raise ValueError(f"times={times}: a fault acts at least once")
        with self._lock:
            self._waiting.append((fault, times))

    def for_request(self, kind: str) -> Fault | None:
        """The first waiting fault that acts on the wire and matches this kind of request; it is used up once."""
        return self._take(lambda fault: fault.phase != "job" and fault.on in (kind, "any"))

    def for_job(self) -> Fault | None:
        """The first waiting fault that spoils a job; it is used up once."""
        return self._take(lambda fault: fault.phase == "job")

    def _take(self, wanted: Any) -> Fault | None:
        with self._lock:
            for index, (fault, times) in enumerate(self._waiting):
                if wanted(fault):
                    if times == 1:
                        del self._waiting[index]
                    else:
                        self._waiting[index] = (fault, times - 1)
                    return fault
        return None

    def clear(self) -> None:
        """Forget every waiting fault."""
        with self._lock:
            self._waiting.clear()

    def __len__(self) -> int:
        with self._lock:
            return sum(times for _, times in self._waiting)
