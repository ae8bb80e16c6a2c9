"""How a request is built and how an answer is read: the part that the sync and the async wire share. Sends nothing.

Requests are built by hand, not by an httpx client, so neither cookies nor netrc nor a client's defaults can add
anything to them.
"""

from __future__ import annotations

import io
import logging
import os
import random
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Self

import httpx

from pixelrouter.errors import ConfigError, UnexpectedAnswer, WireError, redact, register_secret
from pixelrouter.types import HttpRequest, HttpResponse
from pixelrouter.watch import SILENT, Watch
from pixelrouter.wire import guard, spending
from pixelrouter.wire.retry import ATTEMPTS, RetryBudget, Tries
from pixelrouter.wire.unpacking import unpack

_LENGTH_DIGITS = 20  # of a Content-Length; h11 takes no more either
PAID_FROM = "pixelrouter.state"  # the request extension of what is paid, for a transport that sends it on
_LONGEST, _LONGEST_LOG = 300, 2000  # characters of an exception's text, and of a line in a log


class Exchange:
    """What both wires share: how to build a request and how to read an answer. Sends nothing."""

    def __init__(
        self,
        *,
        user_agent: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[float], float] | None = None,
        watch: Watch = SILENT,
        state: Path | None = None,
    ) -> None:
        self._user_agent = user_agent or f"pixelrouter/{_version()}"
        self._clock, self._wall = clock, wall
        self._jitter = jitter or (lambda high: random.uniform(0, high))  # noqa: S311 - spreads load, hides nothing
        self._lock = threading.Lock()
        self._watch = watch
        self._state = state  # the folder of the ledger that keeps count of what is paid here

    def _ask_spend_guard(self, request: httpx.Request, transport: object) -> None:
        """Raise SpendForbidden where a paid request must not leave. Other transports send nothing or ask themselves."""
        if transport is None or isinstance(transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport):
            spending.check(str(request.url), self._state)
        request.extensions[PAID_FROM] = self._state

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
        extensions = {"timeout": httpx.Timeout(timeout_s).as_dict()}
        try:
            return httpx.Request(
                request.method, url, headers=headers, content=request.body or None, extensions=extensions
            )
        except ValueError as error:  # a malformed international host name, which is neither httpx's nor ours
            raise httpx.InvalidURL(f"the address cannot be used: {error}") from None

    def _tries(self, purpose: str, deadline: float | None, budget: RetryBudget, attempts: int | None) -> Tries:
        most = attempts or ATTEMPTS
        return Tries(purpose, deadline, budget, most, self._clock, self._wall, self._jitter, watch=self._watch)


class Body:
    """Collects an answer's body under a size cap, until ``end`` on the ``clock``.

    As it travels: httpx would unpack it without a bound. Used in a ``with``, which lets go of what has come: an
    exception's traceback would keep it, and the next answer would need its room beside it.
    """

    def __init__(self, response: httpx.Response, cap: int, clock: Callable[[], float], end: float) -> None:
        self._response, self._cap, self._clock, self._end = response, cap, clock, end
        self._here = response.is_stream_consumed  # by a transport that answers from memory; httpx has unpacked it
        self._unpacked = self._here and "content-encoding" in response.headers
        # No list of parts: of parts of a byte or two each, that would be forty times as large.
        self._data = io.BytesIO()
        guard.check_size(self._declared() or 0, cap)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._data.close()

    def _declared(self) -> int | None:
        text = self._response.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _LENGTH_DIGITS else None

    def parts(self) -> Iterable[bytes]:
        """The body as it arrives."""
        return [self._response.content] if self._here else self._response.iter_raw()

    async def async_parts(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        if self._here:
            yield self._response.content
            return
        async for part in self._response.aiter_raw():
            yield part

    def add(self, part: bytes) -> None:
        """Raises WireError over the cap, ``httpx.ReadTimeout`` past the time limit."""
        guard.check_size(self._data.tell() + len(part), self._cap)
        self._data.write(part)
        if self._clock() > self._end:  # httpx limits each read, which a trickle of bytes never reaches
            raise httpx.ReadTimeout("the answer trickled in for too long", request=self._response.request)

    def finish(self) -> HttpResponse:
        """The whole answer, unpacked.

        Raises ``httpx.RemoteProtocolError`` if fewer bytes came than were declared, ``httpx.DecodingError``, WireError.
        """
        response = self._response
        declared = self._declared()
        # Where the length says something else than the bytes that follow it (RFC 9110 section 8.6).
        other = response.request.method == "HEAD" or response.status_code in (204, 304)
        data = self._data.getvalue()  # no copy of it: what CPython's buffer holds is a bytes object already
        self._data.close()
        if declared not in (None, len(data)) and not other and not self._unpacked:
            raise httpx.RemoteProtocolError(
                f"{declared} bytes were declared and {len(data)} came", request=response.request
            )
        headers = {name.lower(): value for name, value in response.headers.items()}
        if not self._unpacked:
            data = unpack(data, response, self._cap)
        return HttpResponse(response.status_code, headers, data, str(response.url))


def _header_value(name: str, secret: str) -> str:
    """The credential, checked here because httpx and h11 would quote a malformed one in their own message."""
    register_secret(secret)
    if not secret or not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigError(
            f"The key for the header {name} is empty, or holds a line break, an outer space or a non-ASCII character.",
            hint="Copy it again, without quotes or line breaks.",
        )
    return secret


def strip(error: httpx.HTTPError) -> None:
    """Take the credential, the body and signed addresses out of an httpx exception, keeping its type and place.

    Nothing in here may raise: another exception in the place of this one would be another verdict about money.
    """
    error.args = tuple(short(part, _LONGEST) if isinstance(part, str) else part for part in error.args)
    if isinstance(error, httpx.RequestError) and error._request is not None:
        request = error._request
        error.request = httpx.Request(request.method, request.url.copy_with(query=None, fragment=None))


def short(text: str, most: int) -> str:
    """One printable line without secrets: h11 quotes whatever the server sent, which may be 100 kB."""
    text = "".join(each if each.isprintable() else " " for each in redact(text)[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def answered_too_much(error: WireError) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"The vendor answered a paid request, but: {error.message}")


def final_error(purpose: str, error: Exception) -> WireError:
    return WireError(
        f"Could not {purpose}: {type(error).__name__}: {error}", hint="Check base_url and the proxy settings."
    )


@cache
def _version() -> str:
    try:
        return metadata.version("pixelrouter")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


@contextmanager
def opening_client() -> Iterator[None]:
    """Raise ConfigError where the environment's proxies or certificates cannot be used: nothing was sent yet."""
    try:
        yield
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise ConfigError(
            f"The network cannot be set up as the environment asks: {type(error).__name__}: {error}",
            hint="Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from error


def tls() -> ssl.SSLContext:
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


class _Shorten(logging.Filter):
    """httpcore logs every header of an answer at DEBUG: up to 100 kB, signed addresses among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = short(record.getMessage(), _LONGEST_LOG), ()
        return True


logging.getLogger("httpx").addFilter(_RedactUrls())
for _name in ("connection", "http11", "proxy", "socks"):  # a filter acts on its own logger only, not on those below
    logging.getLogger(f"httpcore.{_name}").addFilter(_Shorten())
