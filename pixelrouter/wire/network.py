"""The network below httpx: a time limit for a whole exchange, and names that must lead to public addresses.

httpx limits each read, which a server that sends a byte now and then never reaches, and leaves names to the resolver,
so that a public name may lead to a private address. Both are mended where bytes really move, in the network backend of
httpcore. What holds for an exchange, its :class:`Terms`, travels in a context variable: httpcore calls its backend in
the caller's own thread or task.

A name is resolved once, and the connection goes to an address that was checked: asking the resolver again would allow
it a second answer (DNS rebinding). Through a proxy, it is the proxy that resolves names, and its own rules hold.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

import httpcore
import httpx

from pixelrouter.errors import ForbiddenHost
from pixelrouter.wire import guard

_BLOCK = 16 * 1024  # bytes between two looks at the time while a request goes out
_Options = Iterable[Any] | None
_Failure = type[httpcore.TimeoutException]


@dataclass(frozen=True)
class Terms:
    """What holds for one exchange.

    ``end`` is when it must be over (monotonic seconds); ``public``: it may only reach addresses of the public internet;
    ``cap``: bytes that its answer may have.
    """

    end: float
    cap: int
    public: bool = False


_TERMS: ContextVar[Terms | None] = ContextVar("pixelrouter_terms", default=None)


@contextmanager
def under(terms: Terms) -> Iterator[None]:
    """Exchanges inside are held to ``terms``."""
    token = _TERMS.set(terms)
    try:
        yield
    finally:
        _TERMS.reset(token)


def terms() -> Terms | None:
    """What the exchange under way is held to."""
    return _TERMS.get()


class _NoCookies(CookieJar):
    """Takes none: requests carry no cookies, and a server could fill the memory with them."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Look at nothing."""


def client(limits: httpx.Limits, verify: ssl.SSLContext, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """An httpx client that keeps to the terms. Raises what httpx raises for proxies it cannot use.

    ``transport`` takes the place of the network; terms are its own business then.
    """
    made = httpx.Client(verify=verify, limits=limits, transport=transport, cookies=_NoCookies())
    if transport is not None:
        return made
    # httpx hands no network backend down to httpcore, whose own parameter this is.
    for number, transport in enumerate((made._transport, *made._mounts.values())):
        if isinstance(transport, httpx.HTTPTransport):
            pool = transport._pool
            pool._network_backend = Network(pool._network_backend, proxy=number > 0)
    return made


def async_client(
    limits: httpx.Limits, verify: ssl.SSLContext, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """See :func:`client`."""
    made = httpx.AsyncClient(verify=verify, limits=limits, transport=transport, cookies=_NoCookies())
    if transport is not None:
        return made
    for number, transport in enumerate((made._transport, *made._mounts.values())):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            pool = transport._pool
            pool._network_backend = AsyncNetwork(pool._network_backend, proxy=number > 0)
    return made


def _left(timeout: float | None, late: _Failure) -> float | None:
    """Seconds the next step may take. Raises ``late`` if there are none."""
    held = _TERMS.get()
    if held is None:
        return timeout
    left = held.end - time.monotonic()
    if left <= 0:
        raise late("the exchange took longer than it may")
    return left if timeout is None else min(timeout, left)


def _checked(host: str, found: list[Any], *, proxy: bool) -> list[str]:
    """The addresses of ``host`` that the terms allow. Raises ForbiddenHost if there are none."""
    every = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    held = _TERMS.get()
    if proxy or held is None or not held.public:
        return every
    allowed = [address for address in every if guard.is_public(address)]
    if not allowed:
        raise ForbiddenHost(
            f"An answer names {host} as the place of a result, and that name leads to a private address; nothing was "
            "read from there.",
            hint="Is the resolver of this network at fault, or the vendor's answer? The job is kept.",
        )
    return allowed


@contextmanager
def _told(error: Callable[[str], Exception]) -> Iterator[None]:
    """Turn what httpcore lets through (errors of TLS, of the resolver, of names) into its own classes."""
    try:
        yield
    except (OSError, UnicodeError) as cause:
        raise error(f"{type(cause).__name__}: {cause}") from cause


class Network(httpcore.NetworkBackend):
    """The synchronous network. ``proxy``: what is connected to is the user's own proxy, wherever that is."""

    def __init__(self, inner: httpcore.NetworkBackend, *, proxy: bool) -> None:
        self._inner, self._proxy = inner, proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _Options = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; each gets its share of the time."""
        with _told(httpcore.ConnectError):
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = _checked(host, found, proxy=self._proxy)
        for still, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            limit = _left(timeout, httpcore.ConnectTimeout)
            try:
                with _told(httpcore.ConnectError):
                    share = None if limit is None else limit / still
                    return Stream(self._inner.connect_tcp(address, port, share, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if still == 1:
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: _Options = None
    ) -> httpcore.NetworkStream:
        """As httpcore does; nothing here uses one."""
        return Stream(self._inner.connect_unix_socket(path, timeout, socket_options))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


class Stream(httpcore.NetworkStream):
    """A connection whose every step ends when the exchange has to."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises httpcore.ReadTimeout, ReadError."""
        with _told(httpcore.ReadError):
            return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Raises httpcore.WriteTimeout, WriteError."""
        for start in range(0, len(buffer), _BLOCK):
            with _told(httpcore.WriteError):
                self._inner.write(buffer[start : start + _BLOCK], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Raises httpcore.ConnectTimeout, ConnectError: no request has been sent yet."""
        with _told(httpcore.ConnectError):
            limit = _left(timeout, httpcore.ConnectTimeout)
            return Stream(self._inner.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of the socket."""
        return self._inner.get_extra_info(info)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """The asynchronous network; see :class:`Network`."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, *, proxy: bool) -> None:
        self._inner, self._proxy = inner, proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _Options = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; each gets its share of the time."""
        with _told(httpcore.ConnectError):
            limit = _left(timeout, httpcore.ConnectTimeout)
            try:
                asked = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = await asyncio.wait_for(asked, limit)
            except TimeoutError:
                raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from None
        addresses = _checked(host, found, proxy=self._proxy)
        for still, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            limit = _left(timeout, httpcore.ConnectTimeout)
            try:
                with _told(httpcore.ConnectError):
                    share = None if limit is None else limit / still
                    inner = await self._inner.connect_tcp(address, port, share, local_address, socket_options)
                    return AsyncStream(inner)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if still == 1:
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: _Options = None
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore does; nothing here uses one."""
        return AsyncStream(await self._inner.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


class AsyncStream(httpcore.AsyncNetworkStream):
    """A connection whose every step ends when the exchange has to."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises httpcore.ReadTimeout, ReadError."""
        with _told(httpcore.ReadError):
            return await self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Raises httpcore.WriteTimeout, WriteError."""
        with _told(httpcore.WriteError):
            await self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Raises httpcore.ConnectTimeout, ConnectError: no request has been sent yet."""
        with _told(httpcore.ConnectError):
            limit = _left(timeout, httpcore.ConnectTimeout)
            return AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of the socket."""
        return self._inner.get_extra_info(info)
