"""May this paid request leave now? The breaker, a vendor's wish to be left alone, and the slots, in this order.

Asked twice: before money is held, to choose among backends, and once more inside the transaction that lets the request
leave, where the answer holds against every other thread, process and machine.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import DeadlineExceeded, RateLimited
from pixelrouter.money import history
from pixelrouter.money.database import Session
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.owner import Worker
from pixelrouter.money.slots import Limits, Wait, wait_for
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.choosing.breaker import CLOSED, Health, closed_or_raise, health
from pixelrouter.routing.choosing.choice import cooling_words
from pixelrouter.routing.effects import Sleep, Steps
from pixelrouter.types import Attempt

LONGEST_SLEEP_S = 5.0  # then look again: a setting of another process, or a clock, may have changed


class Admission:
    """Lets paid requests leave. Holds no state of its own beside the ledger's."""

    def __init__(self, ledger: Ledger, owner: Worker) -> None:
        self._ledger, self._owner = ledger, owner

    # --- before money is held ---

    def health(self, backend: RemoteBackend, model: str | None) -> tuple[Health, bool]:
        """The state of the model's circuit, and whether somebody is trying it."""
        if not backend.settings.breaker_failures:
            return CLOSED, False
        dead = self._dead(backend.name)
        with self._ledger.database.reading() as db:
            return _health(db, backend, model, time.time(), dead)

    def cooling(self, backend: str) -> float:
        """For how many seconds more the vendor asked to be left alone."""
        now = time.time()
        with self._ledger.database.reading() as db:
            return max(0.0, history.cooling_until(db, backend, now) - now)

    def check(self, ask: Ask, backend: RemoteBackend, model: str | None, *, patient: bool) -> None:
        """Raise CircuitOpen or RateLimited where a request would not leave. ``patient``: there is nobody else to ask,
        so it waits until its deadline.
        """
        state, tried = self.health(backend, model)
        closed_or_raise(backend.name, model, state, tried=tried)
        seconds = self.cooling(backend.name)
        if seconds > 0 and (not patient or _beyond(ask, seconds)):
            raise _left_alone(backend.name, seconds)

    # --- the request that is about to leave ---

    def admit(self, ask: Ask, backend: RemoteBackend, attempt: Attempt, *, patient: bool) -> Steps[None]:
        """Write a reserved attempt down as sending, once it may leave.

        Raises CircuitOpen; RateLimited where the vendor wants to be left alone for longer than the caller waits; and
        DeadlineExceeded where no slot becomes free in time. The attempt is as it was then, and nothing was sent.
        """
        told = ""
        while True:
            ask.left()
            wait = self._held_back(ask, backend, attempt, patient=patient)
            if wait is None:
                return
            left = ask.left()
            if wait.at_least > left:
                raise _no_slot(backend, wait)
            if told != wait.why:
                ask.tell("submit", backend.name, None, f"waiting for a free slot: {wait.why}")
                seconds = round(wait.seconds, 3)
                ask.watch.tell("slot.waiting", backend=backend.name, attempt=attempt, why=wait.why, seconds=seconds)
                told = wait.why
            try:
                yield Sleep(min(wait.seconds, left, LONGEST_SLEEP_S))
                ask.left()
            except DeadlineExceeded:
                raise _no_slot(backend, wait) from None

    def _held_back(self, ask: Ask, backend: RemoteBackend, attempt: Attempt, *, patient: bool) -> Wait | None:
        """None: it is written down as sending. Decided with everybody else kept out."""
        dead = self._dead(backend.name)  # asked before, as it may take a look at files or a message to a server
        settings = backend.settings
        limits = Limits(settings.concurrency, settings.per_minute)
        found: list[Wait] = []

        def pause(db: Session) -> float | None:
            now = time.time()
            state, tried = _health(db, backend, attempt.model, now, dead)
            closed_or_raise(backend.name, attempt.model, state, tried=tried)
            seconds = history.cooling_until(db, backend.name, now) - now
            if seconds > 0:
                if not patient or _beyond(ask, seconds):
                    raise _left_alone(backend.name, seconds)
                wait: Wait | None = Wait(seconds, seconds, cooling_words(seconds))
            else:
                wait = wait_for(db, attempt.id, backend.name, limits, now, dead)
            if wait is None:
                return None
            found.append(wait)
            return wait.seconds

        return found[-1] if self._ledger.sending(attempt.id, pause) else None

    def _dead(self, backend: str) -> set[str]:
        with self._ledger.database.reading() as db:
            owners = history.owners(db, backend)
        return {owner for owner in owners if not self._owner.alive(owner)}


def _health(
    db: Session, backend: RemoteBackend, model: str | None, now: float, dead: Collection[str]
) -> tuple[Health, bool]:
    failures, open_s = backend.settings.breaker_failures, backend.settings.breaker_s
    if not failures:
        return CLOSED, False
    since = now - max(history.LATELY_S, 2 * open_s)
    # Twice as many as needed: outcomes that say nothing, a refused key for instance, lie between those that do.
    seen = history.outcomes(db, backend.name, model, since, 2 * failures + 20)
    state = health(seen, now, failures, open_s)
    if state.state != "half-open":
        return state, False
    # Nothing left while the circuit was open, so whatever was sent since the last failure is the one that tries.
    tries = [owner for owner in history.under_way(db, backend.name, model, state.since) if owner not in dead]
    return state, bool(tries)


def _beyond(ask: Ask, seconds: float) -> bool:
    return time.monotonic() + seconds > ask.deadline


def _left_alone(backend: str, seconds: float) -> RateLimited:
    return RateLimited(
        f"{backend} has refused a request, and {cooling_words(seconds)}. Nothing was sent.",
        hint="Call again later, raise timeout_s to wait for it, or name another backend: route=['a', 'b'] asks b"
        " instead.",
        status=None,
        retry_after=seconds,
    )


def _no_slot(backend: RemoteBackend, wait: Wait) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"The time limit of this call was over before {backend.name} had a free slot ({wait.why}). Nothing was sent.",
        hint=f"Raise timeout_s, or [backends.{backend.name}] concurrency and per_minute.",
    )
