"""Files that a client uploaded, to use them as inputs: kept for a day, served by their URL."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Any

from pixelrouter.testing.simulator.replicate import problems
from pixelrouter.testing.simulator.replicate.clock import stamp
from pixelrouter.testing.simulator.replicate.problems import Invalid, Refused
from pixelrouter.testing.simulator.server import Received

MAX_BYTES = 100_000_000
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Upload:
    """One uploaded file."""

    id: str
    name: str
    media_type: str
    data: bytes
    metadata: dict[str, Any]
    created: float

    def body(self, origin: str) -> dict[str, Any]:
        """The file as Replicate shows it."""
        sums = {kind: hashlib.new(kind, self.data, usedforsecurity=False).hexdigest() for kind in ("sha256", "md5")}
        return {
            "id": self.id,
            "name": self.name,
            "content_type": self.media_type,
            "size": len(self.data),
            "etag": sums["md5"],
            "checksums": sums,
            "metadata": self.metadata,
            "created_at": stamp(self.created),
            "expires_at": stamp(self.created + KEPT_SECONDS),
            "urls": {"get": f"{origin}/v1/files/{self.id}"},
        }


def received(request: Received, now: float) -> Upload:
    """The upload in a multipart request. Raises Refused where it is none, or too large."""
    if len(request.body) > MAX_BYTES:
        raise Refused(413, "Files must be less than 100MB in size")
    kind = request.headers.get("content-type", "")
    parts = _parts(kind, request.body)
    content = parts.get("content")
    if content is None:
        raise problems.invalid([Invalid("body", "required", "content is required")])
    try:
        metadata = json.loads(_data(parts["metadata"])) if "metadata" in parts else {}
    except ValueError:
        raise problems.invalid([Invalid("metadata", "invalid_type", "metadata must be valid JSON")]) from None
    name = content.get_filename() or "file"
    return Upload(secrets.token_hex(13), name, content.get_content_type(), _data(content), metadata, now)


def _parts(kind: str, body: bytes) -> dict[str, Message]:
    """The parts of a form by their names; empty for a body that is no form."""
    whole = BytesParser().parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    if whole.get_content_type() != "multipart/form-data" or not whole.is_multipart():
        return {}
    parts = [part for part in whole.get_payload() if isinstance(part, Message)]
    return {str(part.get_param("name", header="content-disposition")): part for part in parts}


def _data(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
