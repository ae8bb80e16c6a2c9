"""One HTTP exchange as plain values, shared by backends (which never send) and the wire (which does)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from pixelrouter.errors import UnexpectedAnswer
from pixelrouter.types import strict_json


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request as a value: nothing is sent by making one.

    ``secrets`` are headers that carry credentials; the wire adds them only for the backend's own API hosts, and no
    repr, log, cassette or dry run shows them.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    max_bytes: int = 64 * 1024 * 1024  # a larger answer is refused while it arrives

    @property
    def body(self) -> bytes:
        """The exact bytes of the body."""
        if self.json is not None:
            return json.dumps(self.json, ensure_ascii=False, separators=(",", ":")).encode()
        return self.content or b""

    @property
    def all_headers(self) -> dict[str, str]:
        """Headers without credentials, the content type included."""
        headers = dict(self.headers)
        if self.json is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers


@dataclass(frozen=True)
class HttpResponse:
    """One HTTP answer as a value. ``headers`` has lower-case names."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    url: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal. Raises UnexpectedAnswer if it is not JSON.

        What `strict_json.parse` refuses is not JSON either: it says too much, too deeply, or two things at once.
        """
        try:
            return strict_json.parse(self.content)
        except ValueError as error:
            kind = "".join(filter(str.isprintable, self.headers.get("content-type", "no content type")[:100]))
            why = f" ({error})" if type(error) is ValueError else ""  # json's own errors quote a position, no reason
            raise UnexpectedAnswer(
                f"The vendor answered {self.status} with {len(self.content)} bytes of {kind} instead of JSON{why}.",
                status=self.status,
            ) from None
