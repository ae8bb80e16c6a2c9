"""A prediction as Replicate shows it, and the pages of the list of predictions."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from math import inf
from typing import Any
from urllib.parse import urlencode

from pixelrouter.testing.simulator.faults import Faults
from pixelrouter.testing.simulator.images import Output
from pixelrouter.testing.simulator.replicate import problems
from pixelrouter.testing.simulator.replicate.clock import instant, stamp
from pixelrouter.testing.simulator.replicate.outputs import PREFIX
from pixelrouter.testing.simulator.replicate.predictions import Prediction
from pixelrouter.testing.simulator.replicate.problems import Invalid
from pixelrouter.testing.simulator.server import Received

PAGE = 100


def body(prediction: Prediction, now: float, origin: str, *, removed: bool = False) -> dict[str, Any]:
    """The prediction without its output."""
    ended = prediction.ended
    api = f"{origin}/v1/predictions/{prediction.id}"
    found: dict[str, Any] = {
        "id": prediction.id,
        "model": prediction.order.model.path,
        "version": "hidden",  # what official models show since 2025
        "input": {} if removed else dict(prediction.order.input),
        "logs": None if ended == "canceled" else "",
        "output": None,
        "data_removed": removed,
        "error": prediction.error if ended == "failed" else None,
        "status": prediction.status(now),
        "created_at": stamp(prediction.created),
        "source": "api",
        "urls": {"get": api, "cancel": f"{api}/cancel", "web": f"{origin}/p/{prediction.id}"},
    }
    if prediction.deadline < inf:
        found["deadline"] = stamp(prediction.deadline)
    if prediction.has("unknown_status") and prediction.fault:
        found["status"] = prediction.fault.params["status"]
    return found


def created(prediction: Prediction, now: float, origin: str) -> dict[str, Any]:
    """The prediction in the answer to the request that made it and did not wait: nothing of its end, however near."""
    found = body(prediction, now, origin) | {"logs": "", "error": None}
    return found if prediction.has("unknown_status") else found | {"status": "starting"}


def times(prediction: Prediction, now: float) -> dict[str, Any]:
    """When it started, and the fields that an end adds."""
    over = prediction.completed if prediction.ended else now
    started = prediction.ended != "aborted" and prediction.starts <= over
    found: dict[str, Any] = {"started_at": stamp(prediction.starts) if started else None}
    if prediction.ended is None:
        return found
    run = prediction.completed - prediction.starts if started else 0.0
    whole = prediction.completed - prediction.created
    metrics: dict[str, Any] = {"predict_time": round(run, 6), "total_time": round(whole, 6)}
    if prediction.ended == "succeeded":
        metrics["image_output_count"] = prediction.order.n
    return found | {"completed_at": stamp(prediction.completed), "metrics": metrics}


def output(prediction: Prediction, files: Sequence[Output], origin: str, *, inline: bool) -> list[str]:
    """What ``output`` holds: the files' URLs, or the files themselves as data URIs."""
    if prediction.fault is not None and prediction.has(Faults.EVIL_URL):
        return [prediction.fault.params["url"]] * len(files)
    if inline:
        return [f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}" for file in files]
    folder = f"{origin}{PREFIX}{prediction.folder}"
    return [f"{folder}/output_{index}.{file.extension}" for index, file in enumerate(files)]


def page(request: Received, predictions: Sequence[Prediction], origin: str) -> tuple[list[Prediction], dict[str, Any]]:
    """The predictions (given oldest first) of one page, newest first, and the URLs of the pages beside it.

    A cursor names the newest prediction of its page, so that later ones move nothing. Raises Refused for a bad query.
    """
    after = instant("created_after", request.query.get("created_after"))
    before = instant("created_before", request.query.get("created_before"))
    wanted = [
        each
        for each in reversed(predictions)
        if (after is None or each.created >= after) and (before is None or each.created < before)
    ]
    newest = _newest(request.query["cursor"]) if "cursor" in request.query else len(predictions)
    older = [each for each in wanted if each.number <= newest]
    newer = [each for each in wanted if each.number > newest]
    shown, rest = older[:PAGE], older[PAGE:]

    def url(number: int) -> str:
        filters = {name: request.query[name] for name in ("created_after", "created_before") if name in request.query}
        cursor = base64.urlsafe_b64encode(json.dumps({"newest": number}).encode()).decode()
        return f"{origin}/v1/predictions?{urlencode({**filters, 'cursor': cursor})}"

    return shown, {
        "previous": url(newer[-PAGE:][0].number) if newer else None,
        "next": url(rest[0].number) if rest else None,
    }


def _newest(cursor: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(cursor))["newest"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise problems.invalid([Invalid("cursor", "format", "Invalid cursor")]) from None
