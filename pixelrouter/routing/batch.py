"""Many requests at once, results as they come, under one shared budget."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from pixelrouter.errors import InvalidRequest, PixelRouterError
from pixelrouter.routing.events import Notify, ProgressEvent
from pixelrouter.types import PixelArt

DEFAULT_CONCURRENCY = 8
MAX_CONCURRENCY = 256


@dataclass(frozen=True)
class BatchResult:
    """One request's outcome: ``art``, or the ``error`` that stopped it. ``index`` is its place in the input."""

    index: int
    prompt: str
    art: PixelArt | None = None
    error: PixelRouterError | None = None

    def unwrap(self) -> PixelArt:
        """The art; raises the error if there is none."""
        if self.art is None:
            raise self.error or InvalidRequest("This request has neither art nor error.")
        return self.art


def prepare(
    requests: Iterable[str | Mapping[str, Any]],
    common: Mapping[str, Any],
    max_usd: Any,
    progress: Notify | None,
    batch: str | None = None,
) -> Iterable[dict[str, Any]]:
    """The arguments of each request: its own over the common ones, all in one batch under one budget.

    Requests that come from an iterator are looked at when their turn comes, so any number of them costs no memory;
    mistakes in a list are told before anything is sent.
    """
    ready = _prepared(requests, common, max_usd, progress, batch or uuid.uuid4().hex)
    return ready if isinstance(requests, Iterator) else list(ready)


def _prepared(
    requests: Iterable[str | Mapping[str, Any]],
    common: Mapping[str, Any],
    max_usd: Any,
    progress: Notify | None,
    batch: str,
) -> Iterator[dict[str, Any]]:
    lock = threading.Lock()
    for index, request in enumerate(requests):
        own = {"prompt": request} if isinstance(request, str) else dict(request)
        if "prompt" not in own:
            raise InvalidRequest(f"Request {index} of the batch has no prompt.", hint='Write {"prompt": "…", …}.')
        arguments = {**common, **own, "batch": batch, "batch_usd": max_usd}
        if progress is not None:
            arguments["progress"] = _numbered(progress, index, lock)
        yield arguments


def _numbered(progress: Notify, index: int, lock: threading.Lock) -> Notify:
    def notify(event: ProgressEvent) -> None:
        with lock:  # a caller's callback need not be thread-safe
            progress(replace(event, index=index))

    return notify


def _workers(concurrency: int | None) -> int:
    wanted = DEFAULT_CONCURRENCY if concurrency is None else concurrency
    if not 1 <= wanted <= MAX_CONCURRENCY:
        raise InvalidRequest(f"concurrency={wanted} is outside 1..{MAX_CONCURRENCY}.")
    return wanted


def run_blocking(
    ready: Iterable[dict[str, Any]],
    concurrency: int | None,
    generate: Callable[[threading.Event, dict[str, Any]], PixelArt],
) -> Iterator[BatchResult]:
    """Run the requests on worker threads and yield each outcome when it is there.

    Breaking off, Ctrl-C too, starts nothing new and sets the event: jobs that run are left at the vendor, to be
    collected. What the interruption left behind is told in its notes.
    """
    stop = threading.Event()
    workers = _workers(concurrency)
    waiting = iter(enumerate(ready))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="pixelrouter")
    running: dict[Future[PixelArt], tuple[int, str]] = {}
    try:
        while True:
            # No more than the workers can take is ever handed over, so that breaking off starts nothing new.
            while len(running) < workers and (task := next(waiting, None)) is not None:
                running[pool.submit(generate, stop, task[1])] = (task[0], task[1]["prompt"])
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                index, prompt = running.pop(future)
                try:
                    result = BatchResult(index, prompt, art=future.result())
                except PixelRouterError as error:
                    result = BatchResult(index, prompt, error=error)
                yield result
    except KeyboardInterrupt as interruption:
        stop.set()
        for future in wait(running).done:
            for note in getattr(future.exception(), "__notes__", ()):
                interruption.add_note(note)
        raise
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


async def run_async(
    ready: Iterable[dict[str, Any]], concurrency: int | None, generate: Callable[..., Awaitable[PixelArt]]
) -> AsyncIterator[BatchResult]:
    """Run the requests as tasks of the running loop and yield each outcome when it is there."""
    workers = _workers(concurrency)
    waiting = iter(enumerate(ready))
    running: set[asyncio.Task[BatchResult]] = set()
    left: list[str] = []

    async def one(index: int, arguments: dict[str, Any]) -> BatchResult:
        try:
            return BatchResult(index, arguments["prompt"], art=await generate(**arguments))
        except asyncio.CancelledError as cancelled:
            left.extend(getattr(cancelled, "__notes__", ()))
            raise
        except PixelRouterError as error:
            return BatchResult(index, arguments["prompt"], error=error)

    try:
        while True:
            while len(running) < workers and (task := next(waiting, None)) is not None:
                running.add(asyncio.create_task(one(*task)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                yield finished.result()
    except asyncio.CancelledError as cancelled:
        await _cancel(running)
        for note in left:
            cancelled.add_note(note)
        raise
    finally:
        await _cancel(running)


async def _cancel(tasks: Iterable[asyncio.Task[BatchResult]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
