"""What each fault of a simulator may lead to: the errors, and the states of the ledger, that tell the truth of it."""

from __future__ import annotations

from typing import Any

from pixelrouter.errors import (
    ChargedWithoutImage,
    ContentRefused,
    JobFailed,
    OutcomeUnknown,
    OutOfCredit,
    Overloaded,
    PixelRouterError,
    RateLimited,
    StillRunning,
)

#: Fault -> the errors it may end in (none: the image comes all the same), and the states it may leave in the ledger.
#: A lost answer may be found again, where the vendor's list or an idempotency key tells what became of it, or booked as
#: charged, where the balance does.
_LOST = ((OutcomeUnknown, ChargedWithoutImage), {"unknown", "settled"})
FAULTS: dict[str, tuple[tuple[type[PixelRouterError], ...], set[str]]] = {
    "lose_before": _LOST,
    "lose_reply": _LOST,
    "late": _LOST,
    "bad_gateway_html": _LOST,
    "bad_gateway_before": _LOST,
    "garbage_json": _LOST,
    "huge_body": _LOST,
    "server_error": ((OutcomeUnknown, JobFailed), {"unknown", "settled", "released"}),
    "redirect": _LOST,
    "rate_limit": ((RateLimited,), {"released"}),
    "overloaded": ((Overloaded, RateLimited, OutcomeUnknown), {"released", "unknown"}),
    "no_balance": ((OutOfCredit,), {"released"}),
    "moderated": ((ContentRefused,), {"released", "settled"}),
    "poll_502": ((), {"settled"}),
    "download_502": ((), {"settled"}),
    "expired_url": ((ChargedWithoutImage,), {"settled"}),
    "truncated_download": ((), {"settled"}),
    # A vendor that answers at once has no job: it fails, or is stuck, without an answer that tells.
    "job_failed": ((JobFailed, OutcomeUnknown), {"released", "settled", "unknown"}),
    "job_stuck": ((StillRunning, OutcomeUnknown), {"accepted", "unknown"}),
    "truncated_image": ((ChargedWithoutImage,), {"settled"}),
    "empty_images": ((ChargedWithoutImage, OutcomeUnknown, StillRunning), {"settled", "unknown", "accepted"}),
    "wrong_size": ((), {"settled"}),
    # Settled where the image came with the answer and the address beside it is not needed.
    "evil_url": ((StillRunning, OutcomeUnknown), {"accepted", "unknown", "settled"}),
}
#: How a fault is set up, where its own defaults would not do.
PARAMETERS: dict[str, dict[str, Any]] = {"late": {"seconds": 2.0}, "huge_body": {"size": 80 << 20}}
