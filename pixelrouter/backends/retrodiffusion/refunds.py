"""A failed job's last question: was it refunded? The vendor says that it always is, and API Activity tells.

Facts: github.com/Retro-Diffusion/api-examples (README, contracts/v2), 2026-07 to 2026-09.
"""

from __future__ import annotations

from pixelrouter.backends._reading import clean
from pixelrouter.backends.retrodiffusion.answers import Activity
from pixelrouter.backends.retrodiffusion.failures import REJECTED_CODE, Problem
from pixelrouter.errors import ContentBlocked, JobFailed
from pixelrouter.types import Money, Ticket

STAGE = "failed"  # of a ticket whose job has failed: with the vendor's code


def failing(ticket: Ticket, problem: Problem) -> Ticket:
    """The ticket of a job that has failed, and of which only its refund is not known yet."""
    return Ticket(ticket.id, {**ticket.extra, STAGE: problem.code or "", "said": (clean(problem.message) or "")[:300]})


def failed_job(ticket: Ticket, item: Activity | None) -> JobFailed:
    """The error of a failed job; ``item`` is its entry in API Activity, None where that cannot be asked for.

    ``charged`` is None where the entry does not say: then it counts as charged.
    """
    charged: Money | None = Money(0)
    refund = "Failed jobs are refunded."
    if item is not None and item.charged is False:
        refund = "It is refunded."
    elif item is not None:
        kept = "does not say whether it is refunded" if item.charged is None else "shows it as charged still"
        charged = item.balance_cost if item.charged else None
        refund = f"API Activity {kept}: complain to the vendor with the id {ticket.extra.get('request_id')}."
    code = ticket.extra[STAGE] or None
    said = f"job {ticket.id} ({code or 'no code'}): {ticket.extra['said']} {refund}"
    if code == REJECTED_CODE:
        hint = "Reword the prompt, or change the image."
        return ContentBlocked(f"Retro Diffusion held back {said}", charged=charged, code=code, hint=hint)
    hint = "Try again, or with another style."
    return JobFailed(f"Retro Diffusion could not draw {said}", charged=charged, code=code, hint=hint)
