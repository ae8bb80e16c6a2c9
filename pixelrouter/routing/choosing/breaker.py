"""The circuit breaker of a backend's model, worked out from how the last requests to it ended and what time it is.

Closed: requests go. Open: so many failed in a row that for a while none is sent. Half-open: afterwards one request
tries, and the others keep away until it has ended; its success closes the circuit, its failure opens it again. (The
pattern is Michael Nygard's, "Release It!", 2007.) Nothing is stored: the same rows and the same clock give the same
answer in every process and on every machine, and after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixelrouter.errors import CircuitOpen
from pixelrouter.money.history import Outcome

#: Error classes that say that a backend is not well. Refusals (key, credit, content, rate, the request itself) do not.
_SICK = frozenset(
    {
        "NotSent",
        "NotTaken",
        "Overloaded",
        "OutcomeUnknown",
        "JobFailed",
        "UnexpectedAnswer",
        "WireError",
        "ChargedWithoutImage",
    }
)
_WELL = frozenset({None, "IncompleteDelivery"})  # an image came
#: Why an outcome may be unknown without the vendor having done anything wrong: our own end.
_OURS = frozenset({None, "KeyboardInterrupt", "CancelledError", "GeneratorExit", "SystemExit", "Terminated"})
BUSY_S = 5.0  # when to ask again while somebody else tries


@dataclass(frozen=True)
class Health:
    """The state of the circuit. ``failures``: in a row; ``seconds``: until it is half-open; ``since``: the last one's
    time, in seconds since the epoch.
    """

    state: Literal["closed", "open", "half-open"]
    failures: int = 0
    seconds: float = 0.0
    since: float = 0.0


CLOSED = Health("closed")


def healthy(outcome: Outcome) -> bool | None:
    """Whether the backend did well; None where the outcome says nothing about that."""
    if outcome.state == "unknown":
        return None if outcome.error in _OURS else False
    if outcome.state == "settled" and outcome.error in _WELL:
        return True
    return False if outcome.error in _SICK else None


def health(outcomes: Sequence[Outcome], now: float, failures: int, open_s: float) -> Health:
    """The state of the circuit after these outcomes, in whatever order. ``failures`` 0: it is always closed.

    ``now`` in seconds since the epoch.
    """
    if not failures:
        return CLOSED
    row = 0
    last = 0.0
    for outcome in sorted(outcomes, key=lambda one: one.at, reverse=True):
        well = healthy(outcome)
        if well:
            break
        if well is False:
            row, last = row + 1, outcome.at if row == 0 else last
    if row < failures:
        return Health("closed", row, 0.0, last)
    # Another machine's clock may be ahead of ours; nobody is left alone for longer than the setting says.
    left = min(open_s, last + open_s - now)
    return Health("open", row, left, last) if left > 0 else Health("half-open", row, 0.0, last)


def closed_or_raise(backend: str, model: str | None, state: Health, *, tried: bool) -> None:
    """Raise CircuitOpen where a request must not go. ``tried``: another one is trying the half-open circuit."""
    if state.state == "closed" or (state.state == "half-open" and not tried):
        return
    failed = f"{backend} ({model}) has failed {state.failures} times in a row"
    if state.state == "open":
        again = f"it is left alone for another {state.seconds:.0f} s"
    else:
        again = "another request is trying whether it works again"
    raise CircuitOpen(
        f"{failed}, so {again}. Nothing was sent.",
        hint="Call again later, or name another backend (route=['a', 'b'] asks b instead). What failed:"
        f" `pixelrouter jobs --all`. [backends.{backend}] breaker_failures = 0 turns this off.",
        retry_after=state.seconds if state.state == "open" else BUSY_S,
    )
