"""What fal answers when it refuses, and how a job can end without an output.

fal has three error shapes. A model error has a list under ``detail``; an infrastructure error has a text there and an
``error_type`` beside it; the Platform API has an envelope of its own. Source: fal.ai/docs (errors, request errors,
Platform API OpenAPI), 2026-08.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from pydantic import ValidationError

from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.server import Reply

#: Infrastructure errors: type -> status.
REQUEST_ERRORS = {
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_disconnected": 503,
    "runner_connection_refused": 503,
    "runner_connection_error": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "internal_error": 500,
    "client_disconnected": 499,
    "client_cancelled": 499,
    "bad_request": 400,
}
#: Model errors: type -> (status, whether a client may try again). Every other type is a 422 that it may not.
MODEL_ERRORS = {
    "internal_server_error": (500, True),
    "generation_timeout": (504, True),
    "downstream_service_error": (400, True),
    "downstream_service_unavailable": (500, True),
}
_POLICY = "The content was flagged by a content checker."


@dataclass(frozen=True)
class Failure:
    """How a job ended: the answer to its result GET, and what its status says."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    error_type: str | None = None

    def reply(self) -> Reply:
        return Reply.of_json(self.body, self.status, self.headers)

    def told(self) -> dict[str, str]:
        """The keys that it adds to a COMPLETED status."""
        told = {"error": self.error or f"Invalid status code: {self.status}"}
        return told | ({"error_type": self.error_type} if self.error_type else {})

    def with_header(self, name: str, value: str) -> Failure:
        return replace(self, headers={**self.headers, name: value})


class Failed(Exception):
    """Raised while a request is read; the job that it becomes ends with ``failure``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error)
        self.failure = failure


class Refused(Exception):
    """fal answers at once, and takes no job."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


def request_failure(error_type: str, text: str | None = None, status: int | None = None) -> Failure:
    """An infrastructure error: the platform's, not the model's."""
    text = text or error_type.replace("_", " ").capitalize()
    body = {"detail": text, "error_type": error_type}
    found = status or REQUEST_ERRORS.get(error_type, 500)
    return Failure(found, body, {"X-Fal-Error-Type": error_type}, text, error_type)


def model_failure(kind: str, loc: Sequence[str | int], message: str, given: Any = None) -> Failure:
    """A model error. Both spellings of the retry header are sent: the documentation has one in each edition."""
    status, retry = MODEL_ERRORS.get(kind, (422, False))
    url = f"https://docs.fal.ai/errors/#{kind}"
    item = {"loc": list(loc), "msg": message, "type": kind, "url": url, "input": given}
    headers = {"X-Fal-Retryable": str(retry).lower(), "X-Fal-Needs-Retry": str(int(retry))}
    return Failure(status, {"detail": [item]}, headers)


def named_failure(error_type: str) -> Failure:
    """A failure by its documented type, whichever shape that has."""
    if error_type in REQUEST_ERRORS:
        return request_failure(error_type)
    return model_failure(error_type, ["body"], error_type.replace("_", " ").capitalize())


def content_policy(prompt: str) -> Failure:
    return model_failure("content_policy_violation", ["body", "prompt"], _POLICY, prompt)


def invalid(error: ValidationError) -> Failure:
    """What the framework says of a body that does not fit the schema: pydantic 2's own list, and nothing billed."""
    issues = json.loads(error.json(include_url=True))
    detail = [{**issue, "loc": ["body", *issue["loc"]]} for issue in issues]
    headers = {"X-Fal-Billable-Units": "0", "X-Fal-Retryable": "false", "X-Fal-Needs-Retry": "0"}
    return Failure(422, {"detail": detail}, headers)


def no_path(path: str) -> Failure:
    """The application exists and has no such path: its own runner says so, so the queue does not know before."""
    return Failure(404, {"detail": f"Path /{path} not found"}, {"X-Fal-Billable-Units": "0"})


def detail(text: Any, status: int, headers: Mapping[str, str] | None = None) -> Refused:
    """The gateway's refusal."""
    return Refused(Reply.of_json({"detail": text}, status, headers))


def unknown_request() -> Refused:
    return Refused(Reply.of_json({"status": "NOT_FOUND"}, 404))


def locked(reason: str = "Exhausted balance") -> Refused:
    """No money: the whole account is locked. fal says so with 403, not 402."""
    action = " Top up your balance at fal.ai/dashboard/billing" if reason == "Exhausted balance" else ""
    return detail(f"User is locked. Reason: {reason}.{action}", 403)


def too_many(headers: Mapping[str, str] | None = None) -> Refused:
    """429: how the type is nested in the body is not documented."""
    kind = "concurrent_requests_limit"
    url = f"https://docs.fal.ai/errors/#{kind}"
    item = {"loc": ["body"], "msg": "Concurrent requests limit reached", "type": kind, "url": url}
    return detail([item], 429, {"X-Fal-Needs-Retry": "1", **(headers or {})})


def platform_error(kind: str, message: str, status: int) -> Refused:
    """The envelope of the Platform API."""
    return Refused(Reply.of_json({"error": {"type": kind, "message": message}}, status))


def nginx(status: int, words: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The ingress in front of fal: HTML, and no x-fal-request-id."""
    title = f"{status} {words}"
    page = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center><hr><center>nginx</center>"
    return Reply(status, f"{page}</body></html>\r\n".encode(), {"Content-Type": "text/html", **(headers or {})})


def refusal(fault: Fault) -> Reply | None:
    """The answer to a request that a fault stops before fal takes it; None for a fault of another kind."""
    params = fault.params
    match fault.name:
        case Faults.LOSE_BEFORE:
            return Reply.hung_up(fault)
        case Faults.BAD_GATEWAY_BEFORE | Faults.POLL_502 | Faults.DOWNLOAD_502:
            return Reply.nginx_502()
        case Faults.REDIRECT:
            return Reply(params["status"], b"", {"Location": params["location"]})
        case Faults.RATE_LIMIT:
            return too_many(_retry_after(fault)).reply
        case Faults.OVERLOADED:
            return nginx(503, "Service Temporarily Unavailable", _retry_after(fault))
        case Faults.SERVER_ERROR:
            return request_failure("internal_error", "Internal Server Error").reply()
        case Faults.NO_BALANCE:
            return locked(params["reason"]).reply
        case Faults.EXPIRED_URL | "result_gone":
            return Reply.of_json({"detail": "Not Found"}, 404)
        case "result_504_once":
            return request_failure("request_timeout").reply()
        case "status_503_once":
            return request_failure("runner_connection_error").reply()
    return None


def _retry_after(fault: Fault) -> dict[str, str]:
    """Retry-After, which fal itself does not document: only where the fault asks for it."""
    seconds = fault.params["retry_after"]
    if seconds is None:
        return {}
    if fault.params.get("http_date"):
        return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
    return {"Retry-After": str(seconds)}
