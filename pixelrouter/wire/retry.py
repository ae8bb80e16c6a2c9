"""When a free call is tried again: the rules, without sending or sleeping, shared by the sync and the async wire.

Paid calls never come here. The sources: full jitter is the "Full Jitter" of Marc Brooker, "Exponential Backoff and
Jitter" (AWS Architecture Blog, 2015); ``Retry-After`` in both forms is RFC 9110 section 10.2.3; the retry budget as a
token bucket is what the AWS SDKs call the standard retry mode.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx
import tenacity

from pixelrouter.errors import DeadlineExceeded, WireError
from pixelrouter.types import HttpResponse
from pixelrouter.watch import SILENT, Watch

ATTEMPTS = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 8.0
LONGEST_RETRY_AFTER_S = 300.0  # a vendor that asks for more has said "not now": the caller decides, not a sleeping loop
RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
# Faults of the request itself: the next try would end the same way.
_OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class RetryBudget:
    """A token bucket, one a backend, that stops all its calls from retrying at once when the vendor is down.

    It starts full (``capacity`` tokens); a retry takes ``cost``, a success gives one back. Thread-safe.
    """

    def __init__(self, capacity: int = 50, cost: int = 5) -> None:
        self._capacity, self._cost = capacity, cost
        self._tokens = capacity
        self._lock = threading.Lock()

    @property
    def tokens(self) -> int:
        """What is left."""
        return self._tokens

    def take(self) -> bool:
        """Pay for one retry; False if the bucket holds too little."""
        with self._lock:
            if self._tokens < self._cost:
                return False
            self._tokens -= self._cost
            return True

    def success(self) -> None:
        """Give one token back."""
        with self._lock:
            self._tokens = min(self._capacity, self._tokens + 1)


def retry_after(response: HttpResponse, now: float) -> float | None:
    """Seconds that ``Retry-After`` asks for, from either form; None if it is absent or makes no sense.

    ``now`` is Unix time, used for the date form where the answer has no ``Date`` of its own (which is the better
    base: it cancels the difference between the two machines' clocks).
    """
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    until = _unix(text)
    if until is None:
        return None
    sent = _unix(response.headers.get("date", ""))
    return max(0.0, until - (now if sent is None else sent))


def _unix(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


@dataclass
class Tries:
    """The life of one free call: may it be tried again, after how long, and what to say when it may not.

    ``deadline`` is on the monotonic ``clock``; ``jitter(high)`` picks a wait in 0..high seconds.
    """

    purpose: str
    deadline: float | None
    budget: RetryBudget
    attempts: int
    clock: Callable[[], float]
    wall: Callable[[], float]
    jitter: Callable[[float], float]
    why: Literal["attempts", "deadline", "budget", "asked to wait"] = "attempts"
    watch: Watch = SILENT

    def time_left(self, timeout_s: float) -> float:
        """Seconds the next exchange may take. Raises DeadlineExceeded if there are none."""
        if self.deadline is None:
            return timeout_s
        left = self.deadline - self.clock()
        if left <= 0:
            raise DeadlineExceeded(f"No time was left to {self.purpose}.", hint="It is free: call again to go on.")
        return min(timeout_s, left)

    def again(self, state: tenacity.RetryCallState) -> bool:
        """Whether this outcome is of a kind that may pass."""
        outcome = _outcome(state)
        if isinstance(outcome, HttpResponse):
            if outcome.status in RETRY_STATUSES:
                return True
            self.budget.success()
            return False
        passing = isinstance(outcome, httpx.TransportError | httpx.DecodingError)
        return passing and not isinstance(outcome, _OUR_FAULT)

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next try: what the vendor asks for, else full jitter over a doubling range."""
        outcome = _outcome(state)
        asked = retry_after(outcome, self.wall()) if isinstance(outcome, HttpResponse) else None
        if asked is not None:
            return asked
        doublings = min(state.attempt_number - 1, 32)
        return self.jitter(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**doublings))

    def stop(self, state: tenacity.RetryCallState) -> bool:
        """Whether to give up; pays for the retry otherwise. tenacity has computed the wait by now."""
        sleep = state.upcoming_sleep
        if state.attempt_number >= self.attempts:
            self.why = "attempts"
        elif self.deadline is not None and self.clock() + sleep >= self.deadline:
            self.why = "deadline"
        elif sleep > LONGEST_RETRY_AFTER_S:
            self.why = "asked to wait"
        elif not self.budget.take():
            self.why = "budget"
        else:
            self.watch.tell(
                "free.repeated",
                purpose=self.purpose,
                why=_said(_outcome(state)),
                tries=state.attempt_number,
                wait=round(sleep, 3),
            )
            return False
        return True

    def give_up(self, state: tenacity.RetryCallState) -> HttpResponse:
        """The last answer, for its reader to judge; or the error that says why there is none."""
        outcome = _outcome(state)
        if isinstance(outcome, HttpResponse):
            answer, said, cause = outcome, f"the vendor answered {outcome.status}", None
        else:
            answer, said, cause = None, _tell(outcome), outcome
        tried = f"{state.attempt_number} {'try' if state.attempt_number == 1 else 'tries'}"
        if self.why == "deadline":
            raise DeadlineExceeded(
                f"The deadline came before pixelrouter could {self.purpose} ({tried}; last, {said}).",
                hint="It is free: call again to go on.",
            ) from cause
        if self.why == "budget" and answer is None:  # an answer may be the verdict itself, which its reader knows
            raise WireError(
                f"Could not {self.purpose}: {said}. So many calls to this backend failed lately that none is retried.",
                hint="Wait a minute and call again.",
            ) from cause
        if answer is None:
            raise WireError(
                f"Could not {self.purpose} after {tried}: {said}.", hint="Check the network and call again."
            ) from cause
        return answer


def _outcome(state: tenacity.RetryCallState) -> HttpResponse | BaseException:
    assert state.outcome is not None  # noqa: S101 - tenacity sets it before it asks; this tells mypy
    error = state.outcome.exception()
    if error is not None:
        return error
    response: HttpResponse = state.outcome.result()
    return response


def _said(outcome: HttpResponse | BaseException) -> str:
    return f"status {outcome.status}" if isinstance(outcome, HttpResponse) else type(outcome).__name__


def _tell(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
