"""What an attempt of the ledger waits for, in words: what became of it, and what a person can do about it now."""

from __future__ import annotations

from pixelrouter.types import Attempt


def advice(row: Attempt, *, worked_on: bool) -> str:
    """One sentence. ``worked_on``: a router that lives works on it. Empty where there is nothing to say."""
    short = row.id[:12]
    if row.state in ("released", "settled"):
        return _ended(row)
    if worked_on:
        return "another process works on it: wait, or run the same there"
    if row.state == "reserved":
        return "nothing was sent: run the same again"
    if row.state == "accepted":
        return f"`pixelrouter resume {short}`, or run the same again: collected, not bought"
    return (
        f"the answer was lost: `pixelrouter resume {short}` asks the vendor; if nobody can tell, look at its bill and"
        " add --charged or --not-charged"
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
        return f"lost by the vendor: complain with its id {row.vendor_request}; fresh=True (--fresh) buys anew"
    if kind == "ChargedWithoutImage":
        return f"paid without an image: complain with the vendor's id {row.vendor_request}; --fresh buys anew"
    return "paid, and no image came"
