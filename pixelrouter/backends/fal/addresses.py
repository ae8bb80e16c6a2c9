"""Where a job lives: fal's path rule, and the check of the addresses that its answers name.

A job is submitted at its full id (``fal-ai/flux-2/klein/4b/base/edit/lora``) and followed at ``owner/app`` alone
(``fal-ai/flux-2/requests/ID``). fal advises to use the addresses of the submit's answer; every look at them carries the
key, so one that is not on the queue's own origin is not used, and the rule rebuilds it.
Source: fal.ai/docs/api-reference/inference-api, and ``AppId`` in fal_client 1.0.3 (2026-08).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pixelrouter.types import Ticket

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")  # safe as one segment of a path
_PATH = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+")
_NAMESPACES = ("workflows", "comfy")  # ids that begin with one of these have it before owner and app
_ENDINGS = {"response_url": "", "status_url": "/status", "cancel_url": "/cancel"}


def app_of(endpoint: str) -> str:
    """``owner/app`` of an endpoint's id, behind its namespace if it has one."""
    parts = endpoint.split("/")
    return "/".join(parts[: 3 if parts[0] in _NAMESPACES else 2])


def trusted(url: str | None, origin: str, request_id: str) -> str | None:
    """``url`` if it is a plain path of that job on ``origin``, where the key may go; else None."""
    if not url or not url.startswith(f"{origin}/"):
        return None
    path = url[len(origin) :]
    return url if _PATH.fullmatch(path) and request_id in path.split("/") else None


def kept(answer: Mapping[str, str | None], origin: str, request_id: str) -> dict[str, str]:
    """Those of the answer's three addresses that may be used."""
    found = {name: trusted(answer.get(name), origin, request_id) for name in _ENDINGS}
    return {name: url for name, url in found.items() if url}


def address(ticket: Ticket, name: str, origin: str, endpoint: str) -> str:
    """``response_url``, ``status_url`` or ``cancel_url`` of a job: the one the vendor named, else by the rule."""
    rule = f"{origin}/{app_of(ticket.extra.get('endpoint') or endpoint)}/requests/{ticket.id}{_ENDINGS[name]}"
    return trusted(ticket.extra.get(name), origin, ticket.id) or rule
