"""After a paid request is sent: what came of it reaches the disk, or the person is told everything that is known.

A ledger may be locked for long, or its disk full, just when the vendor's answer comes. The write is tried again for a
while. If it never succeeds, the row stays as it was (``sending`` or ``accepted``, its money held), so that the next run
finds it, and the error holds the vendor's id of the job. Pictures that came with the answer are put aside elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pixelrouter.errors import LedgerError, NotWrittenDown, StoreError, TakenOver
from pixelrouter.routing.effects import Sleep, Steps
from pixelrouter.types import Attempt, Delivery, Inline, Ticket

if TYPE_CHECKING:
    from pixelrouter.routing.collecting.collect import Collector

T = TypeVar("T")
KEEP_TRYING_S = 60.0
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds; the last one again and again


def write_down(write: Callable[[], T]) -> Steps[T]:
    """``write()``, again and again for KEEP_TRYING_S while the disk or the ledger refuses; then its error.

    An interruption meanwhile ends the waiting, after one more try.
    """
    until, tries = time.monotonic() + KEEP_TRYING_S, 0
    while True:
        try:
            return write()
        except (LedgerError, StoreError):
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            if time.monotonic() + pause > until:
                raise
        try:
            yield Sleep(pause)
        except BaseException:
            write()
            raise
        tries += 1


def ticket_for(collector: Collector, attempt: Attempt, answer: Ticket | Delivery) -> Steps[Ticket]:
    """The ticket of what a vendor took. Pictures that came with its answer are on disk when it is there.

    Raises NotWrittenDown, with the pictures, where no disk takes them.
    """
    if isinstance(answer, Ticket):
        return answer
    try:
        return (yield from write_down(lambda: collector.ticket_of(answer)))
    except StoreError:
        try:
            return collector.ticket_of(answer, aside=True)  # the next run brings them home
        except StoreError as error:
            lost = not_written(attempt, None, error)
            lost.images = tuple(item.data for item in answer.items if isinstance(item, Inline))
            raise lost from error


@contextmanager
def after_sending(attempt: Attempt, ticket: Ticket | None = None) -> Iterator[None]:
    """Around what follows a paid request: a LedgerError says that money may have moved, and which job it was."""
    try:
        yield
    except (NotWrittenDown, TakenOver):
        raise
    except LedgerError as error:
        raise not_written(attempt, ticket, error) from error


def not_written(attempt: Attempt, ticket: Ticket | None, error: LedgerError | StoreError) -> NotWrittenDown:
    """The error for a job that the ledger cannot take down."""
    job = f" {_named(attempt, ticket)}" if ticket else ""
    why = error.hint or ""
    return NotWrittenDown(
        f"A paid request was sent to {attempt.backend}, and what came of it cannot be written down:"
        f" {error.message}{job} {attempt.held} stays held (attempt {attempt.id[:12]}).",
        hint=f"{why} Then run the same call again, or `pixelrouter resume`: the job is looked for, not bought again."
        " Keep this message: with it the vendor can be asked.".strip(),
        attempt=attempt.id,
        ticket=ticket,
    )


def _named(attempt: Attempt, ticket: Ticket) -> str:
    """What is known of a job, in words: its id, or the stored pictures that came at once."""
    if "delivery" not in ticket.extra:
        return f"The vendor's id of the job: {ticket.extra.get('request_id') or attempt.vendor_request or ticket.id}."
    items = json.loads(ticket.extra["delivery"])["items"]
    return f"What came with the answer: {', '.join(item.get('raw') or item.get('url') for item in items)}."
