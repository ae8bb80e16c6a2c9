"""API Activity: how Retro Diffusion lists every call of an account, with its outputs under freshly signed URLs."""

from __future__ import annotations

import re
from typing import Any

from pixelrouter.testing.simulator.images import Output
from pixelrouter.testing.simulator.retrodiffusion.jobs import RETAINED_SECONDS, URL_SECONDS, Account, Job, Status, iso
from pixelrouter.testing.simulator.retrodiffusion.problems import Refused
from pixelrouter.testing.simulator.server import Received


def page(request: Received, statuses: tuple[str, ...]) -> tuple[int, str | None]:
    """``limit`` (1 to 100, 20 unless told) and ``status`` of a listing. Raises Refused for any other value."""
    limit, wanted = request.query.get("limit", "20"), request.query.get("status")
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:
        raise _bad("limit")
    if wanted is not None and wanted not in statuses:
        raise _bad("status")
    return int(limit), wanted


def _bad(name: str) -> Refused:
    return Refused("validation_error", issues=[(["query", name], "value_error", "value is not valid")])


def start(request: Received) -> int:
    """Where the page begins. Raises Refused for a cursor that this vendor did not hand out."""
    cursor = request.query.get("cursor", "c0")
    if not re.fullmatch(r"c[0-9]{1,9}", cursor):
        raise Refused("invalid_cursor")
    return int(cursor[1:])


def outputs(account: Account, job: Job, files: list[Output], origin: str, now: float) -> list[dict[str, Any]]:
    """The job's files, each with a new URL where the vendor still keeps it."""
    listed, until = [], now + URL_SECONDS
    for position, (file, url) in enumerate(zip(files, account.sign(job, files, origin, until), strict=True)):
        output: dict[str, Any] = {"position": position, "media_type": file.media_type, "available": url is not None}
        output["retained_until"] = iso(job.finished + RETAINED_SECONDS)
        if url is not None:
            output |= {"url": url, "url_expires_at": iso(until)}
        listed.append(output)
    return listed


def entry(
    account: Account, job: Job, status: Status, listed: list[dict[str, Any]], token_id: int, now: float
) -> dict[str, Any]:
    """One entry. Of the request only its style is told, as in the vendor's example: nothing to match a seed by."""
    refunded = any(charge.request_id == job.id and charge.refunded for charge in account.charges)
    finished = iso(job.finished) if job.settled else None
    return {
        "request_id": job.id,
        "operation": job.order.operation,
        "mode": job.mode,
        "status": status.replace("pending", "queued"),
        "http_status": 502 if status == "failed" else 200,
        "token_prefix": job.token[:8],
        "token_id": token_id,
        "charged": not refunded,
        "balance_cost": job.order.usd,
        "created_at": iso(job.created),
        "updated_at": finished or iso(now),
        "completed_at": finished,
        "output_status": "available" if any(output["available"] for output in listed) else "unavailable",
        "request": job.order.told,
        "outputs": listed,
    }
