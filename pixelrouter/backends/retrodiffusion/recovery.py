"""Reads Retro Diffusion's list of recent jobs for one whose answer was lost.

The list (``GET /inferences/tasks``, newest first, v1 and v2) shows neither the seed nor the prompt nor the idempotency
key, so nothing in it can be recognised: every job of the time is one that the lost request *may* have made. What the
list does prove, read far enough back, is that there is none. Fields: github.com/Retro-Diffusion/api-examples, 2026-09.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pixelrouter.backends.protocol import Absence, Found
from pixelrouter.types import Mark, Ticket

LIMIT = 100  # entries of a page; the list has no second one
MARGIN_S = 300.0  # that this machine's clock may be ahead of the vendor's
LATEST_S = 3600.0  # after which no gateway hands on a request any more; our own margin
#: From when on absence counts. The vendor does not say that its list is immediate: the margin is ours.
ABSENT = Absence("likely", 60)


def moment(value: object) -> float | None:
    """Seconds since the epoch: the vendor writes integers in some documents, ISO text without a zone in others."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        return float(value)  # type: ignore[arg-type]  # whatever else it is, float() says so
    except (ValueError, TypeError, OverflowError):
        return None


def found(tasks: list[Any], mark: Mark, extra: Mapping[str, str], *, once: bool) -> Found:
    """What a page of the list says: the jobs that may be ours, and whether it reaches back to before the request.

    ``once``: it was sent at the mark's time only, and not again later under its idempotency key.
    """
    since = mark.at - MARGIN_S
    until = mark.at + LATEST_S if once else float("inf")
    entries = [task for task in tasks if isinstance(task, dict)]
    times = [moment(task.get("created_at")) for task in entries]
    perhaps = tuple(
        Ticket(task["task_id"], extra)
        for task, at in zip(entries, times, strict=True)
        if isinstance(task.get("task_id"), str) and (at is None or since <= at <= until)
    )
    readable = len(entries) == len(tasks) and all(isinstance(task.get("task_id"), str) for task in entries)
    reaches = len(tasks) < LIMIT or any(at is not None and at < since for at in times)
    return Found(perhaps=perhaps, absence=ABSENT if readable and reaches else None)
