"""What Retro Diffusion answers when it refuses: the one envelope of v2 and the four shapes of v1.

Codes, statuses and v2 messages are the vendor's published ones. Where the vendor publishes no v1 wording (sizes,
images, palettes, styles, 429, 503) the v1 body is the coded shape with the v2 message: a client must not read the
words.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.server import Reply

Version = str  # "v1" or "v2"


@dataclass(frozen=True)
class _Problem:
    """v2 status and message; the v1 status where it differs, and the v1 ``detail`` where it is known."""

    status: int
    message: str
    v1_status: int | None = None
    v1_detail: Any = None


_PROBLEMS: dict[str, _Problem] = {
    "invalid_token": _Problem(401, "Invalid or expired API token.", v1_detail="Invalid or expired API token"),
    "not_enough_balance": _Problem(402, "Not enough balance.", 400, [{"msg": "Not enough balance."}]),
    "not_found": _Problem(404, "The requested resource does not exist.", v1_detail="Not Found"),
    "method_not_allowed": _Problem(405, "Method not allowed.", v1_detail="Method Not Allowed"),
    "validation_error": _Problem(422, "The request could not be validated."),
    "bad_request": _Problem(400, "The request is invalid."),
    "invalid_dimensions": _Problem(400, "Invalid dimensions."),
    "missing_prompt": _Problem(400, "Missing prompt."),
    "missing_input": _Problem(400, "Missing input."),
    "invalid_image": _Problem(400, "Invalid image."),
    "invalid_image_size": _Problem(400, "Invalid image size."),
    "invalid_palette": _Problem(400, "Invalid palette."),
    "palette_too_large": _Problem(400, "Palette too large."),
    "invalid_cursor": _Problem(400, "Invalid cursor."),
    "idempotency_async_required": _Problem(400, "Idempotency async required."),
    "invalid_idempotency_key": _Problem(400, "Invalid idempotency key."),
    "idempotency_conflict": _Problem(409, "Idempotency conflict."),
    "generation_rejected": _Problem(403, "Generation rejected."),
    "style_not_found": _Problem(404, "Prompt style not found."),
    "api_activity_not_found": _Problem(404, "Api activity not found."),
    "tool_not_found": _Problem(404, "Tool not found."),
    "edit_task_not_found": _Problem(404, "Edit task not found."),
    "animated_input_not_supported": _Problem(400, "Animated input not supported."),
    "image_too_large": _Problem(413, "Image too large."),
    "payload_too_large": _Problem(413, "Payload too large."),
    "rate_limited": _Problem(429, "Too many requests."),
    "internal_error": _Problem(500, "An unexpected internal error occurred."),
    "inference_failed": _Problem(
        502, "Inference failed.", 500, {"code": "inference_failed", "message": "Unable to run inference."}
    ),
    "durable_dispatch_unavailable": _Problem(503, "Durable dispatch unavailable."),
}


class Refused(Exception):
    """The vendor says no. ``issues`` are (location, pydantic type, message) of a validation error."""

    def __init__(
        self,
        code: str,
        *,
        issues: Sequence[tuple[Sequence[str], str, str]] = (),
        headers: Mapping[str, str] | None = None,
        v1_status: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.issues = issues
        self.headers = dict(headers or {})
        self.v1_status = v1_status

    def reply(self, version: Version) -> Reply:
        """The refusal as this version of the API words it."""
        problem = _PROBLEMS[self.code]
        if version == "v1":
            detail = problem.v1_detail or {"code": self.code, "message": problem.message}
            if self.issues:
                detail = [{"loc": list(loc), "msg": text, "type": kind} for loc, kind, text in self.issues]
            status = self.v1_status or problem.v1_status or problem.status
            return Reply.of_json({"detail": detail}, status, self.headers)
        request_id = str(uuid.uuid4())
        error: dict[str, Any] = {"code": self.code, "message": problem.message, "request_id": request_id}
        if self.issues:
            issues = [{"location": list(loc), "code": kind, "message": text} for loc, kind, text in self.issues]
            error["details"] = {"issues": issues}
        return Reply.of_json({"error": error}, problem.status, {"X-Request-ID": request_id, **self.headers})


def missing_header() -> Refused:
    """v1 without X-RD-Token: 422 from the framework, not 401."""
    return Refused("validation_error", issues=[(["header", "X-RD-Token"], "value_error.missing", "field required")])


def task_error(version: Version, fault: Fault, request_id: str) -> dict[str, Any]:
    """The ``error`` of a failed task, which is read with HTTP 200."""
    code, status = fault.params["code"], fault.params["status_code"]
    problem = _PROBLEMS.get(code, _Problem(status, code.replace("_", " ").capitalize() + "."))
    if version == "v1":
        detail = problem.v1_detail or {"code": code, "message": problem.message}
        return {"status_code": problem.v1_status or status, "detail": detail}
    return {"status_code": status, "code": code, "message": problem.message, "request_id": request_id}


def refusal(fault: Fault, version: Version) -> Reply | None:
    """The answer to a request that a fault stops before the vendor takes it; None for a fault of another kind."""
    match fault.name:
        case Faults.LOSE_BEFORE:
            return Reply.hung_up(fault)
        case Faults.BAD_GATEWAY_BEFORE | Faults.POLL_502 | Faults.DOWNLOAD_502:
            return Reply.nginx_502()
        case Faults.REDIRECT:
            return Reply(fault.params["status"], b"", {"Location": fault.params["location"]})
        case Faults.RATE_LIMIT:
            return Refused("rate_limited", headers=_retry_after(fault)).reply(version)
        case Faults.OVERLOADED:
            return Refused("durable_dispatch_unavailable", headers=_retry_after(fault)).reply(version)
        case Faults.SERVER_ERROR:
            return Refused("internal_error").reply(version)
        case Faults.NO_BALANCE:
            return Refused("not_enough_balance").reply(version)
        case Faults.MODERATED:
            return Refused("generation_rejected").reply(version)
    return None


def _retry_after(fault: Fault) -> dict[str, str]:
    """Retry-After as seconds or as an HTTP date; nothing where the fault says None."""
    seconds = fault.params["retry_after"]
    if seconds is None:
        return {}
    if fault.params.get("http_date"):
        return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
    return {"Retry-After": str(seconds)}
