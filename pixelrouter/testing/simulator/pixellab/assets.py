"""Finished pictures at URLs: no key is asked for, and the host may be another one than the API's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.pixellab.jobs import Job
from pixelrouter.testing.simulator.pixellab.problems import refusal
from pixelrouter.testing.simulator.server import Received, Reply, Simulator, spoil
from pixelrouter.types import Money

PREFIX = "/_assets/sim-user/"


@dataclass
class Shelf:
    """What is to be had at which path."""

    origin: str = ""
    _known: dict[str, tuple[Job, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, job: Job, name: str, path: str) -> str:
        """Put the job's picture of that name at ``path``, and say where that is."""
        if job.fault is not None and job.has(Faults.EVIL_URL):
            return str(job.fault.params["url"])
        with self._lock:
            self._known[PREFIX + path] = (job, name)
        return f"{self.origin}{PREFIX}{path}?t={int(job.done_at)}"

    def forget(self, path_start: str = "") -> int:
        """Take away everything whose path begins so. Returns how much it was."""
        with self._lock:
            gone = [path for path in self._known if path.startswith(PREFIX + path_start)]
            for path in gone:
                del self._known[path]
        return len(gone)

    def serve(self, request: Received, fault: Fault | None) -> Reply:
        """The answer to a download, spoilt by ``fault``."""
        if fault is not None and fault.phase == "before":
            if fault.name == Faults.EXPIRED_URL:
                if fault.params["gone"]:
                    self.forget(request.path.removeprefix(PREFIX))
                return Reply(403, b"this link has expired", {"Content-Type": "text/plain"})
            stopped = refusal(fault, job=False)
            if stopped is not None:
                return stopped
        with self._lock:
            job, name = self._known.get(request.path, (None, ""))
        data = None if job is None else job.files().get(name)
        if data is None or request.method != "GET":
            return Reply(404, b"not found", {"Content-Type": "text/plain"})
        headers = {"Content-Type": "image/png", "Cache-Control": "max-age=31536000"}
        good = Reply(200, data, headers)
        return good if fault is None else spoil(good, fault)


class AssetHost(Simulator):
    """A second port that only hands out pictures. Its ``requests`` show whether a key was sent there."""

    vendor = "pixellab"
    key_variable = "PIXELLAB_SECRET"
    default_keys = ()

    def __init__(self, download: Callable[[Received], Reply], *, host: str) -> None:
        self.keys = ()
        self._download = download
        super().__init__(host=host)

    def answer(self, request: Received) -> Reply:
        return self._download(request)

    @property
    def charges(self) -> list[Charge]:
        """None: a download costs nothing."""
        return []

    @property
    def charged_total(self) -> Money:
        """Zero."""
        return Money(0)

    @property
    def paid_posts(self) -> int:
        """Zero."""
        return 0

    def state(self) -> dict[str, Any]:
        with_key = sum("authorization" in request.headers for request in self.requests)
        return {"requests": len(self.requests), "requests_with_key": with_key}

    def forget(self) -> None:
        """There is nothing but the requests."""
