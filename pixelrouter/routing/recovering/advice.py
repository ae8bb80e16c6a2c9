"""What an attempt of the ledger waits for, in words: what became of it, and what a person can do about it now."""

from __future__ import annotations

from pixelrouter.types import Attempt


def advice(row: Attempt, *, worked_on: bool) -> str:
    """One sentence. ``worked_on``: a router that lives works on it. Empty where there is nothing to say."""
    short = row.id[:12]
    if row.state in ("released", "settled"):
        return f"{_ended(row)}{_how(row)}".strip()
    if worked_on:
        return "another process works on it: wait, or run the same there"
    if row.state == "reserved":
        return "nothing was sent: run the same again"
    if row.state == "accepted":
        return f"`pixelrouter resume {short}`, or run the same again: collected, not bought"
    known = f"likely {row.evidence['outcome']}; " if row.evidence.get("sure") == "likely" else ""
    return (
        f"the answer was lost: {known}`pixelrouter reconcile {short}` asks the vendor; if nobody can tell, look at its"
        f" bill and use `pixelrouter resume {short} --charged` or --not-charged"
    )


def _ended(row: Attempt) -> str:
    if row.state == "released":
        return "nothing was charged"
    kind = (row.error or "").partition(":")[0]
    if row.evidence.get("turned_down"):
        return "turned down by your own policy, and kept: finishing it anew is free"
    if row.raws:
        return "kept in the store, not all of it usable; fresh=True (--fresh) buys anew" if kind else ""
    if not row.cost.money:
        return "nothing was charged"
    if kind == "ResultExpired":
        return f"lost by the vendor: {_complain(row)}; fresh=True (--fresh) buys anew"
    if kind == "ChargedWithoutImage":
        return f"paid without an image: {_complain(row)}; fresh=True (--fresh) buys anew"
    return "paid, and no image came"


def _complain(row: Attempt) -> str:
    """With what a person can complain; a vendor whose answer was lost has named nothing."""
    named = row.vendor_request or (row.ticket and row.ticket.id)
    return f"complain with the vendor's id {named}" if named else "compare the vendor's bill (it named no id)"


def _how(row: Attempt) -> str:
    """How a lost outcome was found out, in brackets."""
    means, sure = row.evidence.get("means"), row.evidence.get("sure")
    ways = {"list": "by the vendor's list", "resend": "by its idempotency key", "balance": "by the balance"}
    return f" ({sure}, {ways[means]})" if sure and means in ways else ""
