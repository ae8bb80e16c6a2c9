"""Settles attempts whose outcome nobody knows, by each vendor's own means, and reports on each how sure that is.

Attempts of unknown outcome, and those that their router left while sending when it died. What another process works on
is left alone. Buys nothing; the one request that may leave, under an idempotency key, is charged once by contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pixelrouter.errors import InvalidRequest, PixelRouterError
from pixelrouter.routing import desk
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.events import Notify
from pixelrouter.types import Attempt, Evidence, PixelArt
from pixelrouter.types.evidence import Outcome

if TYPE_CHECKING:
    from pixelrouter.routing.workshop import Workshop

Accept = Literal["likely"]
OPEN = ("unknown", "sending")


@dataclass(frozen=True)
class Reconciled:
    """What became of one attempt. ``attempt`` is its row as it stands now.

    ``evidence`` says what was found, how surely, by what means, and what to do next. ``art`` are its images, where they
    were collected; ``error`` is why not, or what the ledger now says of it.
    """

    attempt: Attempt
    evidence: Evidence
    art: PixelArt | None = None
    error: PixelRouterError | None = None

    @property
    def settled(self) -> bool:
        """Whether its outcome is known now."""
        return self.attempt.state not in OPEN

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "attempt": self.attempt.as_dict(),
            **self.evidence.as_dict(),
            "art": self.art and self.art.as_dict(),
            "error": self.error and self.error.as_dict(),
        }


def unsettled(workshop: Workshop, attempt: str | None) -> list[Attempt]:
    """The attempts to reconcile, oldest first: the one named, else all. Raises InvalidRequest for a settled one."""
    if attempt is None:
        return [row for row in reversed(workshop.ledger.attempts(live_only=True)) if row.state in OPEN]
    row = desk.find(workshop.ledger, attempt)
    if row.state not in OPEN:
        then = "`pixelrouter resume` collects it." if row.state == "accepted" else "`pixelrouter jobs --all` shows it."
        raise InvalidRequest(f"The outcome of attempt {row.id[:12]} is known: it is {row.state}.", hint=then)
    return [row]


def reconcile(
    workshop: Workshop,
    attempt: str | None,
    accept: Accept | None,
    dry_run: bool,
    timeout_s: float | None,
    progress: Notify | None,
) -> Steps[list[Reconciled]]:
    """Find out what became of the attempts, and enter it; ``dry_run``: look only, and enter nothing."""
    if accept not in (None, "likely"):
        raise InvalidRequest(f"accept={accept!r} is not 'likely'.", hint="What is certain needs no word of yours.")
    done = []
    for row in unsettled(workshop, attempt):
        done.append((yield from _one(workshop, row, accept, dry_run, timeout_s, progress)))
    return done


def _one(
    workshop: Workshop,
    row: Attempt,
    accept: Accept | None,
    dry_run: bool,
    timeout_s: float | None,
    progress: Notify | None,
) -> Steps[Reconciled]:
    owner, body = workshop.ledger.owner_and_body(row.id)
    if owner and workshop.owner.alive(owner):
        words = ("Another process, or another call of this one, works on it.",)
        return Reconciled(row, Evidence("unknown", words=words, next="Wait for it to end."))
    try:
        if dry_run:
            return (yield from _look(workshop, row, body, timeout_s, progress))
        art = yield from workshop.finish_attempt(row, timeout_s, progress, accept=accept)
    except PixelRouterError as error:
        now = workshop.ledger.get(row.id) or row
        return Reconciled(now, evidence_of(now, error), getattr(error, "art", None), error)
    now = workshop.ledger.get(row.id) or row
    return Reconciled(now, evidence_of(now), art)


def _look(
    workshop: Workshop, row: Attempt, body: str, timeout_s: float | None, progress: Notify | None
) -> Steps[Reconciled]:
    ask = workshop.ask_of(row, timeout_s, progress)
    candidate = ask.candidates[0]
    if candidate.backend.kind != "remote":
        return Reconciled(row, Evidence("not charged", "certain", "", ("It was drawn on this machine.",)))
    candidate.need_key()
    recovery = workshop.engine.recovery
    finding = yield from recovery.find_out(ask, candidate.backend, row, candidate.request, body, look_only=True)
    return Reconciled(row, finding.evidence)


def evidence_of(attempt: Attempt, error: PixelRouterError | None = None) -> Evidence:
    """The evidence that the ledger keeps of an attempt; where there is none, what the error says."""
    kept: Mapping[str, Any] = attempt.evidence
    if "outcome" not in kept:
        state: Outcome = "not charged" if attempt.state == "released" else "unknown"
        words = (error.message,) if error else ()
        return Evidence(state, "certain" if attempt.state == "released" else "", "", words, {}, _hint(error))
    return Evidence(
        outcome=kept["outcome"],
        sure=kept.get("sure", ""),
        means=kept.get("means", ""),
        words=tuple(kept.get("words", ())),
        numbers=json.loads(json.dumps(kept.get("numbers", {}))),
        next=kept.get("next", ""),
        accepted=bool(kept.get("accepted")),
    )


def _hint(error: PixelRouterError | None) -> str:
    return (error.hint or "") if error else ""
