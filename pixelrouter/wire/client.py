"""The only code that sends: a paid call exactly once, a free call with retries.

``paid`` uses a client of its own that never keeps a connection: on a kept one the vendor may have hung up already, and
then nobody can tell whether the request was read. It follows no redirect, retries nothing, and lets httpx's own
exceptions through for ``routing.verdict`` to classify, stripped of the credential they carry.

``free`` is for calls that cost nothing however often they are made: quotes, polls, downloads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, closing
from typing import Any, Literal, Self

import httpx
import tenacity

from pixelrouter.errors import WireError
from pixelrouter.types import HttpRequest, HttpResponse
from pixelrouter.wire import guard, network
from pixelrouter.wire.exchange import Body, Exchange, answered_too_much, final_error, opening_client, strip, tls
from pixelrouter.wire.retry import RetryBudget, Tries

__all__ = ["AsyncWire", "RetryBudget", "Wire"]

_FRESH = httpx.Limits(max_connections=None, max_keepalive_connections=0)
_KEPT = httpx.Limits(max_connections=None, max_keepalive_connections=20)
# Downloads from addresses that an answer named have connections of their own: one that leads to a private API host
# must not be there to be used again.
_Pool = Literal["paid", "free", "public"]
_LIMITS: dict[_Pool, httpx.Limits] = {"paid": _FRESH, "free": _KEPT, "public": _KEPT}
#: The end of the trace event's name: https://www.encode.io/httpcore/extensions/#trace
_LEAVES = ".send_request_headers.started"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Wire(Exchange):
    """The sync wire. Thread-safe; clients are made on first use and ``close`` lets go of their connections.

    ``transport`` replaces the network (a recording, say); without it, proxies from the environment are used.
    ``sleep``, ``clock`` (monotonic seconds), ``wall`` (Unix time) and ``jitter(high)`` are there for tests.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._transport, self._sleep = transport, sleep
        self._clients: dict[_Pool, httpx.Client] = {}

    def paid(
        self, request: HttpRequest, rules: guard.Rules, *, timeout_s: float, ready: Callable[[], None] | None = None
    ) -> HttpResponse:
        """Send once, on a fresh connection, and return whatever answer comes (redirects included).

        ``ready`` is called when the connection stands, right before the first byte leaves; what it raises stops that.
        Raises ForbiddenHost or ConfigError before anything is sent; any ``httpx`` exception untouched except that its
        request is redacted; UnexpectedAnswer where an answer came but is larger than ``request.max_bytes``: the
        vendor has acted, and what that means for money is not known.
        """
        sent = self._api_request(request, rules, timeout_s)
        self._ask_spend_guard(sent, self._transport)

        def trace(event: str, info: object) -> None:
            if ready is not None and event.endswith(_LEAVES):
                ready()

        sent.extensions["trace"] = trace
        try:
            return self._exchange("paid", sent, request.max_bytes, timeout_s)
        except WireError as error:
            raise answered_too_much(error) from None

    def free(
        self,
        request: HttpRequest,
        rules: guard.Rules,
        *,
        timeout_s: float,
        deadline: float | None,
        budget: RetryBudget,
        purpose: str,
        download: bool = False,
        attempts: int | None = None,
    ) -> HttpResponse:
        """Send until an answer comes that is not of the passing kind, or trying is over; then return the last answer.

        ``purpose`` completes "could not ..." in errors. ``deadline`` is on the monotonic clock and never slept past.
        ``download`` sends no credential, allows delivery hosts and follows up to three redirects, each one checked.
        Raises DeadlineExceeded, ForbiddenHost, and WireError where no answer came or it was too large.
        """
        tries = self._tries(purpose, deadline, budget, attempts)

        def attempt() -> HttpResponse:
            limit = tries.time_left(timeout_s)
            if download:
                return self._download(request, rules, tries, timeout_s)
            return self._exchange("free", self._api_request(request, rules, limit), request.max_bytes, limit)

        retrying = tenacity.Retrying(
            retry=tries.again,
            wait=tries.wait,
            stop=tries.stop,
            retry_error_callback=tries.give_up,
            sleep=self._sleep,
        )
        try:
            return retrying(attempt)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise final_error(purpose, error) from error

    def _download(self, request: HttpRequest, rules: guard.Rules, tries: Tries, timeout_s: float) -> HttpResponse:
        url, hop = request.url, 0
        guard.check_delivery(url, rules)
        while True:
            limit = tries.time_left(timeout_s)
            pool: _Pool = "free" if guard.is_own(url, rules) else "public"
            response = self._exchange(pool, self._download_request(request, url, limit), request.max_bytes, limit)
            if response.status not in _REDIRECTS:
                return response
            url, hop = guard.next_hop(url, response.headers.get("location"), rules, hop), hop + 1

    def _exchange(self, pool: _Pool, request: httpx.Request, cap: int, limit_s: float) -> HttpResponse:
        end = self._clock() + limit_s
        try:
            with network.under(network.Terms(time.monotonic() + limit_s, cap, pool == "public")):
                response = self._client(pool).send(request, stream=True, auth=None, follow_redirects=False)
                with closing(response), Body(response, cap, self._clock, end) as body:
                    for part in body.parts():
                        body.add(part)
                    return body.finish()
        except httpx.HTTPError as error:
            strip(error)
            raise

    def _client(self, pool: _Pool) -> httpx.Client:
        with self._lock:
            if pool not in self._clients:
                with opening_client():
                    self._clients[pool] = network.client(_LIMITS[pool], tls(), self._transport)
            return self._clients[pool]

    def close(self) -> None:
        """Close all connections. A later call opens new ones."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncWire(Exchange):
    """The async wire: the same surface as :class:`Wire`, to be used from one event loop."""

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._transport, self._sleep = transport, sleep
        self._clients: dict[_Pool, httpx.AsyncClient] = {}

    async def paid(
        self, request: HttpRequest, rules: guard.Rules, *, timeout_s: float, ready: Callable[[], None] | None = None
    ) -> HttpResponse:
        """See :meth:`Wire.paid`; ``ready`` is called in a worker thread."""
        sent = self._api_request(request, rules, timeout_s)
        self._ask_spend_guard(sent, self._transport)

        async def trace(event: str, info: object) -> None:
            if ready is not None and event.endswith(_LEAVES):
                await asyncio.to_thread(ready)

        sent.extensions["trace"] = trace
        try:
            return await self._exchange("paid", sent, request.max_bytes, timeout_s)
        except WireError as error:
            raise answered_too_much(error) from None

    async def free(
        self,
        request: HttpRequest,
        rules: guard.Rules,
        *,
        timeout_s: float,
        deadline: float | None,
        budget: RetryBudget,
        purpose: str,
        download: bool = False,
        attempts: int | None = None,
    ) -> HttpResponse:
        """See :meth:`Wire.free`."""
        tries = self._tries(purpose, deadline, budget, attempts)

        async def attempt() -> HttpResponse:
            limit = tries.time_left(timeout_s)
            if download:
                return await self._download(request, rules, tries, timeout_s)
            return await self._exchange("free", self._api_request(request, rules, limit), request.max_bytes, limit)

        retrying = tenacity.AsyncRetrying(
            retry=tries.again,
            wait=tries.wait,
            stop=tries.stop,
            retry_error_callback=tries.give_up,
            sleep=self._sleep,
        )
        try:
            return await retrying(attempt)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise final_error(purpose, error) from error

    async def _download(self, request: HttpRequest, rules: guard.Rules, tries: Tries, timeout_s: float) -> HttpResponse:
        url, hop = request.url, 0
        guard.check_delivery(url, rules)
        while True:
            limit = tries.time_left(timeout_s)
            sent = self._download_request(request, url, limit)
            pool: _Pool = "free" if guard.is_own(url, rules) else "public"
            response = await self._exchange(pool, sent, request.max_bytes, limit)
            if response.status not in _REDIRECTS:
                return response
            url, hop = guard.next_hop(url, response.headers.get("location"), rules, hop), hop + 1

    async def _exchange(self, pool: _Pool, request: httpx.Request, cap: int, limit_s: float) -> HttpResponse:
        end = self._clock() + limit_s
        try:
            with network.under(network.Terms(time.monotonic() + limit_s, cap, pool == "public")):
                response = await self._client(pool).send(request, stream=True, auth=None, follow_redirects=False)
                async with aclosing(response):
                    with Body(response, cap, self._clock, end) as body:
                        async for part in body.async_parts():
                            body.add(part)
                        return body.finish()
        except httpx.HTTPError as error:
            strip(error)
            raise

    def _client(self, pool: _Pool) -> httpx.AsyncClient:
        with self._lock:
            if pool not in self._clients:
                with opening_client():
                    self._clients[pool] = network.async_client(_LIMITS[pool], tls(), self._transport)
            return self._clients[pool]

    async def aclose(self) -> None:
        """Close all connections. A later call opens new ones."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
