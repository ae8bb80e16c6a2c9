"""Which exit code each error gets, so that a build script can decide without reading messages."""

from __future__ import annotations

from collections.abc import Iterable

from pixelrouter.errors import (
    AllFailed,
    CassetteMiss,
    ChargedWithoutImage,
    CircuitOpen,
    ConfigError,
    InvalidRequest,
    JobFailed,
    LedgerError,
    NoBackend,
    NotSent,
    OutcomeUnknown,
    OverBudget,
    PixelRouterError,
    QualityRejected,
    Refused,
    SpendingNotAllowed,
    StillRunning,
    StoreError,
    UnexpectedAnswer,
    WireError,
    WorkerDied,
)
from pixelrouter.routing.interrupts import Terminated

OK, BUG, CHECK_FAILED, INTERRUPTED, TERMINATED = 0, 1, 3, 130, 143

MEANINGS = {
    OK: "Done.",
    BUG: "A bug in pixelrouter; the traceback is on stderr.",
    2: "Wrong usage, or a request that is refused before anything is sent (size, palette, unreadable image).",
    CHECK_FAILED: "Configuration: wrong key or value, missing credential; a failed `doctor`, `check`, `verify`, "
    "`tile check`; a locked or frozen build whose lock says something else.",
    4: "Over budget, or a build would spend what nobody has allowed.",
    5: "The vendor refused: key, credit, content, rate limit. Nothing was charged.",
    6: "No usable image: the job failed, the image did not come, or your own quality policy turned it down.",
    7: "The outcome of a paid request is unknown; the money stays held. See `pixelrouter jobs`.",
    8: "The job is still running; `pixelrouter resume` collects it.",
    9: "No configured backend can serve the request.",
    10: "The network failed in a way that costs nothing, or a backend is left alone after failing too often.",
    11: "The ledger or the image store cannot be read or written.",
    12: "Replay: no recorded response matches.",
    13: "Every backend of the route failed.",
    INTERRUPTED: "Interrupted with Ctrl-C; `pixelrouter resume` collects a job that goes on.",
    TERMINATED: "Ended with SIGTERM; `pixelrouter resume` collects a job that goes on.",
}

# The nearest class in an error's ancestry decides.
CODES: dict[type[BaseException], int] = {
    PixelRouterError: BUG,
    InvalidRequest: 2,
    ConfigError: CHECK_FAILED,
    OverBudget: 4,
    SpendingNotAllowed: 4,
    Refused: 5,
    JobFailed: 6,
    ChargedWithoutImage: 6,
    QualityRejected: 6,
    WorkerDied: 6,
    OutcomeUnknown: 7,
    UnexpectedAnswer: 7,
    StillRunning: 8,
    NoBackend: 9,
    WireError: 10,
    NotSent: 10,
    CircuitOpen: 10,
    LedgerError: 11,
    StoreError: 11,
    CassetteMiss: 12,
    AllFailed: 13,
    Terminated: TERMINATED,
    KeyboardInterrupt: INTERRUPTED,
}


def exit_code(error: BaseException) -> int:
    """The exit code for an error; 1 for one that nobody raised on purpose."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), BUG)


def worst(errors: Iterable[BaseException]) -> int:
    """The code of the first error, 0 without any: of several files or jobs, one failure fails the command."""
    return next((exit_code(error) for error in errors), OK)
