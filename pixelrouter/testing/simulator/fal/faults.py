"""The ways only fal can misbehave, and the shared ones with fal's own parameters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pixelrouter.testing.simulator.fal import problems
from pixelrouter.testing.simulator.faults import Fault, Faults, FaultSpec
from pixelrouter.testing.simulator.server import Reply, spoil

#: Shared faults that fal has in a form of its own. ``moderated`` strikes on the runner: the submit is answered well.
_SHARED: dict[str, FaultSpec] = {
    Faults.RATE_LIMIT: FaultSpec("before", params={"retry_after": None, "http_date": False}),
    Faults.OVERLOADED: FaultSpec("before", params={"retry_after": None}),
    Faults.NO_BALANCE: FaultSpec("before", params={"reason": "Exhausted balance"}),
    Faults.MODERATED: FaultSpec("job", params={"units": 0, "header": False}),
    Faults.JOB_FAILED: FaultSpec("job", params={"code": "runner_disconnected", "status_code": 503, "refund": True}),
    Faults.JOB_STUCK: FaultSpec("job", params={"status": "IN_QUEUE"}),
}
_OWN: dict[str, FaultSpec] = {
    # The queue.
    "backwards_status": FaultSpec("job"),
    "completed_with_error": FaultSpec("job", params={"error_type": "runner_disconnected"}),
    "cancel_race": FaultSpec("job"),
    "foreign_status_url": FaultSpec("job", params={"origin": "http://evil.invalid"}),
    "bare_submit": FaultSpec("job"),
    "status_503_once": FaultSpec("before", on="poll"),
    "bare_status": FaultSpec("after", on="poll"),
    "unknown_status": FaultSpec("after", on="poll", params={"status": "FAILED"}),
    "result_504_once": FaultSpec("before", on="result"),
    "result_gone": FaultSpec("before", on="result"),
    # The output.
    "nsfw_black": FaultSpec("job"),
    "huge_seed": FaultSpec("job", params={"seed": 196619188014358660}),
    "missing_units": FaultSpec("job"),
    "missing_keys": FaultSpec("job"),
    "wrong_content_type": FaultSpec("after", on="download", params={"content_type": "text/html"}),
}
FAL_FAULTS: dict[str, FaultSpec] = {**_SHARED, **_OWN}


def spoilt(reply: Reply, fault: Fault | None) -> Reply:
    """A good reply after the faults of the phase *after*."""
    if fault is None or fault.phase != "after":
        return reply
    is_json = reply.headers.get("Content-Type") == "application/json"
    match fault.name:
        case Faults.SERVER_ERROR:
            return problems.request_failure("internal_error", "Internal Server Error").reply()
        case "bare_status" if is_json:
            return _changed(reply, drop=("queue_position", "logs", "metrics"))
        case "unknown_status" if is_json:
            return _changed(reply, status=fault.params["status"])
        case "wrong_content_type":
            return replace(reply, headers={**reply.headers, "Content-Type": fault.params["content_type"]})
    return spoil(reply, fault)


def _changed(reply: Reply, drop: tuple[str, ...] = (), **changes: Any) -> Reply:
    body = {name: value for name, value in json.loads(reply.body).items() if name not in drop}
    return replace(reply, body=json.dumps({**body, **changes}).encode())
