"""What is written into a row of the ledger: for a draft, a ticket, an error."""

from __future__ import annotations

import json
from typing import Any

from pixelrouter.errors import redact
from pixelrouter.money.budget import Purse
from pixelrouter.money.draft import Draft
from pixelrouter.types import Ticket


def of_draft(draft: Draft, purse: Purse, owner: str, now: float) -> dict[str, Any]:
    """A new row: reserved, with the draft's money held. ``now``: seconds since the epoch."""
    money = draft.hold.money
    return {
        "id": draft.id,
        "key": draft.key,
        "slot": f"{draft.key}#{draft.id}" if draft.fresh else draft.key,
        "backend": draft.backend,
        "model": draft.model,
        "state": "reserved",
        "unit": money.unit,
        "held": money.micros,
        "cost_source": draft.hold.source,
        "quoted_unit": money.unit,
        "quoted": money.micros,
        "quoted_source": draft.hold.source,
        "unit_price": None if draft.unit_price is None else draft.unit_price.micros,
        "seed": draft.seed,
        "body": draft.body,
        "prompt": draft.prompt,
        "wish": draft.wish,
        "asset": draft.labels.asset,
        "tags": json.dumps(list(draft.labels.tags)),
        "style_group": draft.labels.style_group,
        "evidence": json.dumps({"account": draft.account} if draft.account else {}),
        "owner": owner,
        "run": purse.run,
        "batch": purse.batch,
        "project": purse.project,
        "day": purse.day,
        "created_at": now,
        "updated_at": now,
    }


def of_ticket(ticket: Ticket) -> dict[str, str | None]:
    """How the vendor calls the job."""
    return {
        "ticket": ticket.dumps(),
        "ticket_id": _plain(ticket.id),
        "vendor_request": _plain(ticket.extra.get("request_id", ticket.id)),
        "error": None,
        "error_type": None,
    }


def of_failure(error: BaseException | None) -> dict[str, str | None]:
    """What went wrong, without secrets; emptied where nothing did."""
    if error is None:
        return {"error": None, "error_type": None}
    return {"error": _plain(redact(str(error)))[:2000], "error_type": type(error).__name__}


def _plain(text: str) -> str:
    """A text that every database takes: a vendor may write half a surrogate pair, and PostgreSQL takes no NUL."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
