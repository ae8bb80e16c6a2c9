"""A process that buys until it is done or killed, and says in a log what it passed and what was delivered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
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
    """What a worker is to do. ``options`` are the router's; ``resume``: collect what lies about before buying."""

    log: Path
    options: dict[str, Any]
    requests: tuple[Request, ...]
    mode: Mode = "one by one"
    resume: bool = False
    target: Target | None = None


def work(job: Job) -> None:
    """The body of the process."""
    log = Log(job.log)
    Failpoints(log, job.target).install(_databases(job.options))
    for requests, options in _by_settings(job):
        if job.resume:
            with PixelRouter(**options) as router:
                router.resume(timeout_s=5)
        run = {"one by one": _one_by_one, "many": _many, "async": _awaited}[job.mode]
        for request, outcome in run(options, requests):
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
    for section, group in groupby(job.requests, key=lambda request: KINDS[request.kind].section):
        requests = list(group)
        backends = {**job.options["backends"]}
        backend = KINDS[requests[0].kind].backend
        backends[backend] = {**backends[backend], **section}
        yield requests, {**job.options, "backends": backends}


Outcomes = Iterable[tuple[Request, PixelArt | PixelRouterError]]


def _one_by_one(options: dict[str, Any], requests: list[Request]) -> Outcomes:
    with PixelRouter(**options) as router:
        for request in requests:
            try:
                yield request, router.generate(**request.arguments)
            except PixelRouterError as error:
                yield request, error


def _many(options: dict[str, Any], requests: list[Request]) -> Outcomes:
    with PixelRouter(**options) as router:
        for result in router.generate_many([request.arguments for request in requests], concurrency=3):
            outcome = result.art or result.error
            assert outcome is not None
            yield requests[result.index], outcome


def _awaited(options: dict[str, Any], requests: list[Request]) -> Outcomes:
    async def run() -> list[Any]:
        async with AsyncPixelRouter(**options) as router:
            calls = (router.generate(**request.arguments) for request in requests)
            return await asyncio.gather(*calls, return_exceptions=True)

    for request, outcome in zip(requests, asyncio.run(run()), strict=True):
        if not isinstance(outcome, PixelArt | PixelRouterError):
            raise outcome
        yield request, outcome
