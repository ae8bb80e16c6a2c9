"""A transport over real sockets that changes single answers on their way, for what no simulator's fault says."""

from __future__ import annotations

from collections.abc import Callable

import httpx

Change = Callable[[httpx.Request, httpx.Response], "httpx.Response | None"]


class Meddler(httpx.HTTPTransport):
    """Hands every exchange to ``change``, which returns the answer to give instead, or None for the real one."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        response.read()
        plain = {name: value for name, value in response.headers.items() if name.lower() != "content-encoding"}
        same = httpx.Response(response.status_code, headers=plain, content=response.content)
        response.close()
        return self._change(request, same) or same


def answer(response: httpx.Response, *, body: bytes | None = None, **headers: str | None) -> httpx.Response:
    """The answer with another body, or other headers (``x_fal_id=`` for X-Fal-Id; None leaves one out)."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in response.headers.items() if name not in (*changed, "content-length")}
    kept |= {name: value for name, value in changed.items() if value is not None}
    return httpx.Response(response.status_code, headers=kept, content=response.content if body is None else body)
