"""What an answer to a paid request means for money: one pure table.

*not sent* may be tried again; *refused* costs nothing; *accepted* is a job; *failed* is what the vendor says of a job
it took; *unknown* keeps the money held and is never retried. Whatever is not listed here is unknown: doubt holds money.
"""

from __future__ import annotations

from enum import Enum

import httpx

from pixelrouter.errors import (
    CircuitOpen,
    ConfigError,
    InvalidRequest,
    JobFailed,
    NotSent,
    OverBudget,
    PixelRouterError,
    Refused,
    WireError,
)

#: After these the next candidate of a route may be asked: nothing is open at the one before.
FALL_THROUGH = (NotSent, Refused, JobFailed, InvalidRequest, ConfigError, CircuitOpen, OverBudget, WireError)


class Verdict(Enum):
    """What became of a paid request."""

    NOT_SENT = "not sent"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"


#: Statuses that mean "refused, nothing charged" whatever the body says. 408 and 5xx are not among them: a gateway that
#: lost patience says nothing about the job behind it.
REFUSED_STATUSES = frozenset({400, 401, 402, 403, 404, 413, 422, 429})

#: Every exception class of httpx. Connecting, and waiting for a connection, happen before the first byte; everything
#: later may have reached the vendor.
EXCEPTIONS: dict[type[BaseException], Verdict] = {
    httpx.ConnectError: Verdict.NOT_SENT,  # DNS, refused, TLS
    httpx.ConnectTimeout: Verdict.NOT_SENT,
    httpx.PoolTimeout: Verdict.NOT_SENT,
    httpx.ProxyError: Verdict.NOT_SENT,  # the proxy would not open the tunnel
    httpx.UnsupportedProtocol: Verdict.NOT_SENT,
    httpx.InvalidURL: Verdict.NOT_SENT,
    httpx.CookieConflict: Verdict.UNKNOWN,
    httpx.ReadTimeout: Verdict.UNKNOWN,
    httpx.WriteTimeout: Verdict.UNKNOWN,  # some bytes left
    httpx.ReadError: Verdict.UNKNOWN,
    httpx.WriteError: Verdict.UNKNOWN,
    httpx.CloseError: Verdict.UNKNOWN,
    httpx.LocalProtocolError: Verdict.UNKNOWN,
    httpx.RemoteProtocolError: Verdict.UNKNOWN,  # the server hung up
    httpx.DecodingError: Verdict.UNKNOWN,
    httpx.TooManyRedirects: Verdict.UNKNOWN,
    httpx.HTTPStatusError: Verdict.UNKNOWN,
    httpx.StreamError: Verdict.UNKNOWN,
    httpx.StreamConsumed: Verdict.UNKNOWN,
    httpx.StreamClosed: Verdict.UNKNOWN,
    httpx.ResponseNotRead: Verdict.UNKNOWN,
    httpx.RequestNotRead: Verdict.UNKNOWN,
    # The bases, for whatever a later version derives from them.
    httpx.NetworkError: Verdict.UNKNOWN,
    httpx.TimeoutException: Verdict.UNKNOWN,
    httpx.ProtocolError: Verdict.UNKNOWN,
    httpx.TransportError: Verdict.UNKNOWN,
    httpx.RequestError: Verdict.UNKNOWN,
    httpx.HTTPError: Verdict.UNKNOWN,
}


def of_exception(error: BaseException) -> Verdict:
    """The verdict when the exchange ended in an exception. An unlisted class is judged by its nearest listed base."""
    for base in type(error).__mro__:
        if base in EXCEPTIONS:
            return EXCEPTIONS[base]
    return Verdict.UNKNOWN


def of_answer(status: int, error: PixelRouterError | None = None) -> Verdict:
    """The verdict when an answer came: its HTTP status, and what the backend's reader raised, if anything.

    The reader knows what the vendor documents (a 503 that means "busy, nothing done", a 500 that is refunded), so its
    Refused and JobFailed stand at any status; an answer it could not read is judged by the status alone.
    """
    if isinstance(error, JobFailed):
        return Verdict.FAILED
    if isinstance(error, Refused):
        return Verdict.REFUSED
    if status in REFUSED_STATUSES:
        return Verdict.REFUSED
    if error is None and 200 <= status < 300:
        return Verdict.ACCEPTED
    return Verdict.UNKNOWN
