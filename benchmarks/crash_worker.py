"""A process that buys until it is done or killed, and says in a log what it passed and what was delivered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from failpoints import Failpoints, Log, Target
from market import KINDS, Request

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import PixelRouterError
from pixelrouter.money.sqlite import SQLite
from pixelrouter.types import PixelArt

Mode = Literal["one by one", "many", "async"]


@dataclass(frozen=True)
class Job:
    """What a worker is to do. ``options`` are the router's; ``resume``: collect what lies about before buying.

    ``batch_usd``: the cap of each batch that it buys as "many", and ``concurrency`` how many of it at once.
    """

    log: Path
    options: dict[str, Any]
    requests: tuple[Request, ...]
    mode: Mode = "one by one"
    resume: bool = False
    target: Target | None = None
    batch_usd: float | None = None
    concurrency: int = 3


def work(job: Job, gate: Any = None) -> None:
    """The body of the process. ``gate``: a barrier at which it waits for others before it begins."""
    log = Log(job.log)
    Failpoints(log, job.target).install(_databases(job.options))
    if gate is not None:
        gate.wait()
    for requests, options in _by_settings(job):
        if job.resume:
            with PixelRouter(**options) as router:
                router.resume(timeout_s=5)
        run = {"one by one": _one_by_one, "many": _many, "async": _awaited}[job.mode]
        for request, outcome in run(job, options, requests):
            if isinstance(outcome, PixelArt):
                pixels = hashlib.sha256(b"".join(image.tobytes() for image in outcome.images)).hexdigest()
                log.write(delivered=request.id, raws=outcome.raws, pixels=pixels)
            else:
                log.write(error=request.id, type=type(outcome).__name__, text=str(outcome))
    log.write(done=True)


def _databases(options: dict[str, Any]) -> tuple[type[Any], ...]:
    if not options.get("ledger"):
        return (SQLite,)
    from pixelrouter.money.postgres import Postgres

    return (SQLite, Postgres)


def _by_settings(job: Job) -> Iterator[tuple[list[Request], dict[str, Any]]]:
    """The requests that one router can serve, in their order, with its options."""
    requests: list[Request] = []
    sections: dict[str, dict[str, Any]] = {}
    for request in job.requests:
        kind = KINDS[request.kind]
        if sections.setdefault(kind.backend, kind.section) != kind.section:
            yield requests, _with(job.options, sections)
            requests, sections = [], {kind.backend: kind.section}
        requests.append(request)
    yield requests, _with(job.options, sections)


def _with(options: dict[str, Any], sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    backends = {name: {**section, **sections.get(name, {})} for name, section in options["backends"].items()}
    return {**options, "backends": backends}


Outcomes = Iterable[tuple[Request, PixelArt | PixelRouterError]]


def _one_by_one(job: Job, options: dict[str, Any], requests: list[Request]) -> Outcomes:
    with PixelRouter(**options) as router:
        for request in requests:
            try:
                yield request, router.generate(**request.arguments)
            except PixelRouterError as error:
                yield request, error


def _many(job: Job, options: dict[str, Any], requests: list[Request]) -> Outcomes:
    with PixelRouter(**options) as router:
        wanted = [request.arguments for request in requests]
        for result in router.generate_many(wanted, concurrency=job.concurrency, max_usd=job.batch_usd):
            outcome = result.art or result.error
            assert outcome is not None
            yield requests[result.index], outcome


def _awaited(job: Job, options: dict[str, Any], requests: list[Request]) -> Outcomes:
    async def run() -> list[Any]:
        async with AsyncPixelRouter(**options) as router:
            calls = (router.generate(**request.arguments) for request in requests)
            return await asyncio.gather(*calls, return_exceptions=True)

    for request, outcome in zip(requests, asyncio.run(run()), strict=True):
        if not isinstance(outcome, PixelArt | PixelRouterError):
            raise outcome
        yield request, outcome
