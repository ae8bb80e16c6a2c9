"""Record and replay as an httpx transport: give it to a wire, and nothing else knows.

    Wire(transport=RecordingTransport(Cassette("cassettes/retrodiffusion/success")))

A replay needs neither network nor keys. A recording sends over a client of its own that keeps no connection, so what a
paid call promises holds while recording too.
"""

from __future__ import annotations

import time
from contextlib import aclosing, closing

import httpx

from pixelrouter.types import HttpRequest, HttpResponse
from pixelrouter.wire import network, spending
from pixelrouter.wire.cassette import Cassette, Mode
from pixelrouter.wire.exchange import PAID_FROM, Body, opening_client, tls

__all__ = ["Cassette", "Mode", "RecordingTransport"]

_LONGEST_S = 300.0  # of an exchange outside a wire, which names no limit
_FRESH = httpx.Limits(max_connections=None, max_keepalive_connections=0)
# They describe the bytes on the way, which are unpacked and whole by now.
_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})


def _collecting(response: httpx.Response) -> Body:
    """The body of an answer that is recorded, under the cap and the time limit of the call that it answers."""
    terms = network.terms() or network.Terms(time.monotonic() + _LONGEST_S, HttpRequest("GET", "").max_bytes)
    return Body(response, terms.cap, time.monotonic, terms.end)


def _ask_spend_guard(request: httpx.Request) -> None:
    """Raise SpendForbidden for a paid request that must not leave."""
    if PAID_FROM in request.extensions:
        spending.check(str(request.url), request.extensions[PAID_FROM])


class RecordingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers from the cassette, or sends and records, as the cassette's mode says. Serves both wires."""

    def __init__(self, cassette: Cassette) -> None:
        self.cassette = cassette
        self._client: httpx.Client | None = None
        self._async_client: httpx.AsyncClient | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises CassetteMiss in a replay without a match, and whatever httpx raises while recording."""
        body = request.read()
        if answer := self._recorded(request, body):
            return answer
        _ask_spend_guard(request)
        if self._client is None:
            with opening_client():
                self._client = network.client(_FRESH, tls())
        response = self._client.send(request, stream=True, auth=None, follow_redirects=False)
        with closing(response), _collecting(response) as whole:
            for part in whole.parts():
                whole.add(part)
            return self._keep(request, body, whole.finish())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See :meth:`handle_request`."""
        body = await request.aread()
        if answer := self._recorded(request, body):
            return answer
        _ask_spend_guard(request)
        if self._async_client is None:
            with opening_client():
                self._async_client = network.async_client(_FRESH, tls())
        response = await self._async_client.send(request, stream=True, auth=None, follow_redirects=False)
        async with aclosing(response):
            with _collecting(response) as whole:
                async for part in whole.async_parts():
                    whole.add(part)
                return self._keep(request, body, whole.finish())

    def _recorded(self, request: httpx.Request, body: bytes) -> httpx.Response | None:
        if self.cassette.mode == "record":
            return None
        found: HttpResponse | None = self.cassette.find(request.method, str(request.url), body)
        if found is not None:
            return httpx.Response(found.status, headers=dict(found.headers), content=found.content, request=request)
        if self.cassette.mode == "replay":
            raise self.cassette.miss(request.method, str(request.url), body)
        return None

    def _keep(self, request: httpx.Request, body: bytes, response: HttpResponse) -> httpx.Response:
        self.cassette.append(
            request.method,
            str(request.url),
            body,
            status=response.status,
            headers=response.headers,
            content=response.content,
        )
        headers = {name: value for name, value in response.headers.items() if name not in _TRANSFER}
        return httpx.Response(response.status, headers=headers, content=response.content, request=request)

    def close(self) -> None:
        """Close the recording client, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def aclose(self) -> None:
        """Close the recording client, if there is one."""
        if self._async_client is not None:
            await self._async_client.aclose()
            self._async_client = None
