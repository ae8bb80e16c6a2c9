"""The only code that sends: a paid call exactly once, a free call with retries.

``paid`` uses a client of its own that never keeps a connection: on a kept one the vendor may have hung up already, and
then nobody can tell whether the request was read. It follows no redirect, retries nothing, and lets httpx's own
exceptions through for ``routing.verdict`` to classify, stripped of the credential they carry.

``free`` is for calls that cost nothing however often they are made: quotes, polls, downloads.

Both build their ``httpx.Request`` by hand, so neither cookies nor netrc nor a client's defaults can add anything to it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import metadata
from typing import Any, Self

import httpx
import tenacity

from pixelrouter.errors import ConfigError, UnexpectedAnswer, WireError, redact, register_secret
from pixelrouter.types import HttpRequest, HttpResponse
from pixelrouter.wire import guard
from pixelrouter.wire.retry import ATTEMPTS, RetryBudget, Tries

__all__ = ["AsyncWire", "RetryBudget", "Wire"]

_PAID = httpx.Limits(max_connections=None, max_keepalive_connections=0)
_FREE = httpx.Limits(max_connections=None, max_keepalive_connections=20)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Settings:
    """What both wires share: how to build a request and how to read an answer. Sends nothing."""

    def __init__(
        self,
        *,
        user_agent: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[float], float] | None = None,
    ) -> None:
        self._user_agent = user_agent or f"pixelrouter/{_version()}"
        self._clock, self._wall = clock, wall
        self._jitter = jitter or (lambda high: random.uniform(0, high))  # noqa: S311 - spreads load, hides nothing
        self._lock = threading.Lock()

    def _api_request(self, request: HttpRequest, rules: guard.Rules, timeout_s: float) -> httpx.Request:
        """With the credential, which is why the host is checked here and nowhere earlier."""
        guard.check_api(request.url, rules)
        secrets = {name: _header_value(name, secret.get_secret_value()) for name, secret in request.secrets.items()}
        return self._build(request, request.url, secrets, timeout_s)

    def _download_request(self, request: HttpRequest, url: str, timeout_s: float) -> httpx.Request:
        return self._build(request, url, {}, timeout_s)

    def _build(self, request: HttpRequest, url: str, secrets: dict[str, str], timeout_s: float) -> httpx.Request:
        headers = httpx.Headers(
            {
                "User-Agent": self._user_agent,
                "Accept": "*/*",
                # Images are packed already, and an answer that was paid for must not be lost to an unpacking error.
                "Accept-Encoding": "identity",
            }
        )
        headers.update(request.all_headers)
        headers.update(secrets)
        timeout = httpx.Timeout(timeout_s).as_dict()
        return httpx.Request(
            request.method, url, headers=headers, content=request.body or None, extensions={"timeout": timeout}
        )

    def _tries(self, purpose: str, deadline: float | None, budget: RetryBudget, attempts: int | None) -> Tries:
        return Tries(purpose, deadline, budget, attempts or ATTEMPTS, self._clock, self._wall, self._jitter)


class _Body:
    """Collects an answer's body under a size cap and a time limit."""

    def __init__(self, response: httpx.Response, cap: int, clock: Callable[[], float], limit_s: float) -> None:
        self._response, self._cap, self._clock = response, cap, clock
        self._end = clock() + limit_s
        self._parts: list[bytes] = []
        self._size = 0
        guard.check_size(self._declared() or 0, cap)

    def _declared(self) -> int | None:
        text = self._response.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def add(self, part: bytes) -> None:
        """Raises WireError over the cap, ``httpx.ReadTimeout`` past the time limit."""
        self._size += len(part)
        guard.check_size(self._size, self._cap)
        self._parts.append(part)
        if self._clock() > self._end:  # httpx limits each read, which a trickle of bytes never reaches
            raise httpx.ReadTimeout("the answer trickled in for too long", request=self._response.request)

    def finish(self) -> HttpResponse:
        """The whole answer. Raises ``httpx.RemoteProtocolError`` if fewer bytes came than were declared."""
        response = self._response
        declared = self._declared()
        whole = response.request.method == "HEAD" or "content-encoding" in response.headers
        if declared is not None and not whole and declared != self._size:
            raise httpx.RemoteProtocolError(
                f"{declared} bytes were declared and {self._size} came", request=response.request
            )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status_code, headers, b"".join(self._parts), str(response.url))


class Wire(_Settings):
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
        self._clients: dict[bool, httpx.Client] = {}

    def paid(self, request: HttpRequest, rules: guard.Rules, *, timeout_s: float) -> HttpResponse:
        """Send once, on a fresh connection, and return whatever answer comes (redirects included).

        Raises ForbiddenHost or ConfigError before anything is sent; any ``httpx`` exception untouched except that its
        request is redacted; UnexpectedAnswer where an answer came but is larger than ``request.max_bytes``: the
        vendor has acted, and what that means for money is not known.
        """
        sent = self._api_request(request, rules, timeout_s)
        try:
            return self._exchange(True, sent, request.max_bytes, timeout_s)
        except WireError as error:
            raise _answered_too_much(error) from None

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
            return self._exchange(False, self._api_request(request, rules, limit), request.max_bytes, limit)

        retrying = tenacity.Retrying(
            retry=tries.again,
            wait=tries.wait,
            stop=tries.stop,
            retry_error_callback=tries.give_up,
            sleep=self._sleep,
        )
        try:
            return retrying(attempt)
        except httpx.HTTPError as error:
            raise _final(purpose, error) from error

    def _download(self, request: HttpRequest, rules: guard.Rules, tries: Tries, timeout_s: float) -> HttpResponse:
        url, hop = request.url, 0
        guard.check_delivery(url, rules)
        while True:
            limit = tries.time_left(timeout_s)
            response = self._exchange(False, self._download_request(request, url, limit), request.max_bytes, limit)
            if response.status not in _REDIRECTS:
                return response
            url, hop = guard.next_hop(url, response.headers.get("location"), rules, hop), hop + 1

    def _exchange(self, paid: bool, request: httpx.Request, cap: int, limit_s: float) -> HttpResponse:
        try:
            response = self._client(paid).send(request, stream=True, auth=None, follow_redirects=False)
            try:
                body = _Body(response, cap, self._clock, limit_s)
                for part in response.iter_bytes():
                    body.add(part)
            finally:
                response.close()
            return body.finish()
        except httpx.HTTPError as error:
            _strip(error)
            raise

    def _client(self, paid: bool) -> httpx.Client:
        with self._lock:
            if paid not in self._clients:
                self._clients[paid] = httpx.Client(
                    transport=self._transport, verify=_tls(), limits=_PAID if paid else _FREE
                )
            return self._clients[paid]

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


class AsyncWire(_Settings):
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
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def paid(self, request: HttpRequest, rules: guard.Rules, *, timeout_s: float) -> HttpResponse:
        """See :meth:`Wire.paid`."""
        sent = self._api_request(request, rules, timeout_s)
        try:
            return await self._exchange(True, sent, request.max_bytes, timeout_s)
        except WireError as error:
            raise _answered_too_much(error) from None

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
            return await self._exchange(False, self._api_request(request, rules, limit), request.max_bytes, limit)

        retrying = tenacity.AsyncRetrying(
            retry=tries.again,
            wait=tries.wait,
            stop=tries.stop,
            retry_error_callback=tries.give_up,
            sleep=self._sleep,
        )
        try:
            return await retrying(attempt)
        except httpx.HTTPError as error:
            raise _final(purpose, error) from error

    async def _download(self, request: HttpRequest, rules: guard.Rules, tries: Tries, timeout_s: float) -> HttpResponse:
        url, hop = request.url, 0
        guard.check_delivery(url, rules)
        while True:
            limit = tries.time_left(timeout_s)
            sent = self._download_request(request, url, limit)
            response = await self._exchange(False, sent, request.max_bytes, limit)
            if response.status not in _REDIRECTS:
                return response
            url, hop = guard.next_hop(url, response.headers.get("location"), rules, hop), hop + 1

    async def _exchange(self, paid: bool, request: httpx.Request, cap: int, limit_s: float) -> HttpResponse:
        try:
            response = await self._client(paid).send(request, stream=True, auth=None, follow_redirects=False)
            try:
                body = _Body(response, cap, self._clock, limit_s)
                async for part in response.aiter_bytes():
                    body.add(part)
            finally:
                await response.aclose()
            return body.finish()
        except httpx.HTTPError as error:
            _strip(error)
            raise

    def _client(self, paid: bool) -> httpx.AsyncClient:
        with self._lock:
            if paid not in self._clients:
                self._clients[paid] = httpx.AsyncClient(
                    transport=self._transport, verify=_tls(), limits=_PAID if paid else _FREE
                )
            return self._clients[paid]

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


def _header_value(name: str, secret: str) -> str:
    """The credential, checked here because httpx and h11 would quote a malformed one in their own message."""
    register_secret(secret)
    if not secret or not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigError(
            f"The key for the header {name} is empty, or holds a line break, an outer space or a non-ASCII character.",
            hint="Copy it again, without quotes or line breaks.",
        )
    return secret


def _strip(error: httpx.HTTPError) -> None:
    """Take the credential, the body and signed addresses out of an httpx exception, keeping its type and place.

    Nothing in here may raise: another exception in the place of this one would be another verdict about money.
    """
    error.args = tuple(redact(part) if isinstance(part, str) else part for part in error.args)
    if isinstance(error, httpx.RequestError) and error._request is not None:
        request = error._request
        error.request = httpx.Request(request.method, request.url.copy_with(query=None, fragment=None))


def _answered_too_much(error: WireError) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"The vendor answered a paid request, but: {error.message}")


def _final(purpose: str, error: httpx.HTTPError) -> WireError:
    return WireError(
        f"Could not {purpose}: {type(error).__name__}: {error}", hint="Check base_url and the proxy settings."
    )


@cache
def _version() -> str:
    try:
        return metadata.version("pixelrouter")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def _tls() -> ssl.SSLContext:
    """One context for all clients: loading the certificates takes longer than all the rest of a client."""
    return _tls_for(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _tls_for(*_environment: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _RedactUrls(logging.Filter):
    """httpx logs every address at INFO; a download's address carries its signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(redact(str(arg)) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


logging.getLogger("httpx").addFilter(_RedactUrls())
