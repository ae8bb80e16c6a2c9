"""fal's Platform API (api.fal.ai/v1): prices, estimates, the list of requests, what each was billed, the balance.

Shapes: fal's Platform API OpenAPI, 2026-08.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pixelrouter.testing.simulator.fal.endpoints import Endpoint
from pixelrouter.testing.simulator.fal.jobs import Job, Queue
from pixelrouter.testing.simulator.fal.problems import platform_error
from pixelrouter.testing.simulator.server import Received

_WINDOW, _LONG_WINDOW = 24 * 3600, 90 * 24 * 3600  # without a start; the longer one with a request_id
_STATUSES = ("success", "error", "user_error")


def iso(at: float) -> str:
    """Seconds since the epoch as fal writes times: UTC, microseconds, Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def prices(endpoints: Mapping[str, Endpoint], request: Received) -> dict[str, Any]:
    """Unit prices of up to 50 endpoints, named with commas between."""
    names = [name for name in request.query.get("endpoint_id", "").split(",") if name]
    if not 1 <= len(names) <= 50:
        raise platform_error("validation_error", "endpoint_id: 1 to 50 endpoint ids", 400)
    listed = [_known(endpoints, name) for name in names]
    items = [
        {"endpoint_id": each.id, "unit_price": float(each.price), "unit": each.unit, "currency": "USD"}
        for each in listed
    ]
    return {"prices": items, "next_cursor": None, "has_more": False}


def estimate(endpoints: Mapping[str, Endpoint], queue: Queue, body: Any) -> dict[str, Any]:
    """What a number of units costs, or a number of calls at this account's own average."""
    kind = body.get("estimate_type") if isinstance(body, dict) else None
    wanted = body.get("endpoints") if isinstance(body, dict) else None
    if kind not in ("unit_price", "historical_api_price") or not isinstance(wanted, dict) or not wanted:
        raise platform_error("validation_error", "estimate_type and endpoints are required", 400)
    name = "unit_quantity" if kind == "unit_price" else "call_quantity"
    total = Decimal(0)
    for endpoint_id, given in wanted.items():
        endpoint = _known(endpoints, endpoint_id)
        quantity = given.get(name) if isinstance(given, dict) else None
        if isinstance(quantity, bool) or not isinstance(quantity, int | float) or quantity <= 0:
            raise platform_error("validation_error", f"endpoints.{endpoint_id}.{name}: a number above 0", 400)
        total += Decimal(str(quantity)) * (Decimal(endpoint.price) * _units_per_call(queue, endpoint, kind))
    return {"estimate_type": kind, "total_cost": float(total), "currency": "USD"}


def _units_per_call(queue: Queue, endpoint: Endpoint, kind: str) -> Decimal:
    billed = [job.billed for job in queue.jobs.values() if job.endpoint_id == endpoint.id and job.billed]
    if kind == "unit_price" or not billed:
        return Decimal(1)
    return sum(billed, Decimal(0)) / len(billed)


def requests(
    endpoints: Mapping[str, Endpoint], queue: Queue, request: Received, now: float, *, queued: bool, lag: float
) -> Any:
    """The requests of one endpoint, newest first, with what was sent and answered if ``expand=payloads``.

    Whether a request that has not started is listed is not documented; ``queued`` says that it is. One is listed
    ``lag`` seconds after it came.
    """
    query = request.query
    endpoint = _known(endpoints, query.get("endpoint_id", ""))
    wanted = query.get("status")
    if wanted not in (None, *_STATUSES):
        raise platform_error("validation_error", f"status: one of {', '.join(_STATUSES)}", 400)
    first = _time(query, "start", now - (_LONG_WINDOW if "request_id" in query else _WINDOW))
    last = _time(query, "end", now)
    limit, start = _whole(query, "limit", 50), _cursor(query)
    jobs = [
        job
        for job in reversed(queue.jobs.values())
        if job.endpoint_id == endpoint.id
        and query.get("request_id") in (None, job.id)
        and first <= job.created <= min(last, now - lag)
        and (queued or job.done or now >= job.starts_at)
    ]
    items = [_item(job, now, payloads="payloads" in query.get("expand", "")) for job in jobs]
    found = [item for item, job in zip(items, jobs, strict=True) if wanted in (None, _outcome(job))]
    more = start + limit < len(found)
    return {
        "items": found[start : start + limit],
        "next_cursor": f"c{start + limit}" if more else None,
        "has_more": more,
    }


def _outcome(job: Job) -> str | None:
    if not job.done:
        return None
    if job.failure is None:
        return "success"
    return "user_error" if job.failure.status < 500 else "error"


def _item(job: Job, now: float, *, payloads: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "request_id": job.id,
        "endpoint_id": job.endpoint_id,
        "sent_at": iso(job.created),
        "started_at": iso(min(job.starts_at, now)),
    }
    if job.done and job.finished is not None:
        status = job.failure.status if job.failure else 200
        item |= {"ended_at": iso(job.finished), "status_code": status, "duration": job.finished - job.starts_at}
    if payloads:
        kept = job.stored
        output = job.failure.body if job.failure else job.result
        item |= {"json_input": job.body if kept else None, "json_output": output if kept and job.done else None}
    return item


def billing_events(queue: Queue, request: Received) -> dict[str, Any]:
    """What single requests were billed. The real one lags behind; this one does not."""
    queue.settle_all()
    wanted = request.query.get("request_id")
    events = []
    for job in queue.jobs.values():
        if job.billed is None or job.endpoint is None or wanted not in (None, job.id):
            continue
        cost = job.billed * Decimal(job.endpoint.price)
        events.append(
            {
                "request_id": job.id,
                "endpoint_id": job.endpoint_id,
                "output_units": float(job.billed),
                "unit_price": float(job.endpoint.price),
                "cost_total": float(cost),
                "cost_estimate_nano_usd": int(cost * 10**9),
            }
        )
    return {"billing_events": events, "next_cursor": None, "has_more": False}


def models(endpoints: Mapping[str, Endpoint], request: Received) -> dict[str, Any]:
    """The endpoints, or those named; with their input schemas if ``expand=openapi-3.0``."""
    names = [name for name in request.query.get("endpoint_id", "").split(",") if name] or list(endpoints)
    found: list[dict[str, Any]] = []
    for name in names:
        endpoint = _known(endpoints, name)
        item: dict[str, Any] = {"endpoint_id": endpoint.id}
        if "openapi-3.0" in request.query.get("expand", ""):
            schema = endpoint.schema.model_json_schema(ref_template="#/components/schemas/{model}")
            item["openapi"] = {"openapi": "3.0.4", "components": {"schemas": {"Input": schema}}}
        found.append(item)
    return {"models": found, "next_cursor": None, "has_more": False}


def _known(endpoints: Mapping[str, Endpoint], name: str) -> Endpoint:
    if name not in endpoints:
        raise platform_error("not_found", f"Endpoint '{name}' not found", 404)
    return endpoints[name]


def _time(query: Mapping[str, str], name: str, otherwise: float) -> float:
    if name not in query:
        return otherwise
    try:
        at = datetime.fromisoformat(query[name])
    except ValueError:
        raise platform_error("validation_error", f"{name}: an ISO 8601 time", 400) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _whole(query: Mapping[str, str], name: str, otherwise: int) -> int:
    text = query.get(name, str(otherwise))
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise platform_error("validation_error", f"{name}: 1 to 100", 400)
    return int(text)


def _cursor(query: Mapping[str, str]) -> int:
    text = query.get("cursor", "c0")
    if not re.fullmatch(r"c[0-9]{1,9}", text):
        raise platform_error("validation_error", "cursor: not one of ours", 400)
    return int(text[1:])
