"""Answers every request of a stand-in backend from memory: there is nobody to ask, and the backend draws by itself."""

from __future__ import annotations

import httpx

from pixelrouter.routing.standin.backend import LOST


def transport() -> httpx.MockTransport:
    """For both wires. A request that is marked as lost is never answered."""
    return httpx.MockTransport(_answer)


def _answer(request: httpx.Request) -> httpx.Response:
    if LOST in request.headers:
        raise httpx.ReadTimeout("the stand-in was told to lose this answer", request=request)
    return httpx.Response(200, json={}, request=request)
