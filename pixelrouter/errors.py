"""Every error pixelrouter raises, and for each one: did money move?

A build script that catches an error has one urgent question, so each class answers it in the class attribute
``money``: ``"no"`` (nothing was charged), ``"yes"`` (charged), ``"held"`` (it may have been charged: the amount stays
reserved in the ledger until that is known) or ``"see"`` (read the instance: ``error.charged``)::

    PixelRouterError
    ├── ConfigError                  config file, environment                                  no
    │   ├── MissingKey               no credential for a backend that needs one                no
    │   └── SpendForbidden           a test run's spend guard stopped a paid request           no
    ├── InvalidRequest (ValueError)  size, palette, options: refused before anything is sent   no
    │   ├── UnknownPalette                                                                     no
    │   ├── UnreadableImage          an image file that cannot, or must not, be decoded        no
    │   └── NoBackend                no configured backend can serve the request; says why     no
    ├── OverBudget                   the quote does not fit under a cap                        no
    ├── SpendingNotAllowed           a build would spend money, and nobody has allowed it      no
    ├── CircuitOpen                  the backend kept failing and is left alone for a while    no
    ├── NotSent                      DNS, connect, TLS, proxy: no byte of the request left     no
    │   └── NotTaken                 the answer was lost; it is known that nothing was charged  no
    ├── Refused                      the vendor said no                                        no
    │   ├── RequestRejected          the vendor does not accept the request as written         no
    │   ├── AuthFailed               key missing, wrong, expired                               no
    │   ├── OutOfCredit              the vendor's account is empty                             no
    │   ├── ContentRefused           the vendor will not draw this                             no
    │   ├── RateLimited              too many requests; ``retry_after`` seconds                no
    │   └── Overloaded               a documented "busy, nothing done"                         no
    ├── JobFailed                    the vendor took the job and says it failed                see
    │   └── ContentBlocked           a ContentRefused that came after the job was accepted     see
    ├── ChargedWithoutImage          paid, but no usable image                                 yes
    │   ├── ResultExpired            paid, drawn, and deleted by the vendor before we had it   yes
    │   └── IncompleteDelivery       paid, fewer images than asked; ``art`` holds what came    yes
    ├── QualityRejected              paid, stored, and turned down by your own quality policy  yes
    ├── StillRunning                 the job goes on at the vendor; the same call collects it  held
    ├── OutcomeUnknown               the answer was lost; never retried automatically          held
    ├── UnexpectedAnswer             an answer outside the vendor's documented contract        held
    ├── WireError                    a free call (quote, poll, download) kept failing          no
    │   ├── DeadlineExceeded                                                                   no
    │   └── ForbiddenHost            an address outside the backend's allow-list               no
    ├── LedgerError                  the ledger cannot be read or written                      no
    │   ├── ConnectionLost           to a team's ledger, maybe after it had written            no
    │   ├── TakenOver                this machine was away, and another one carries on         held
    │   └── NotWrittenDown           sent, and what came of it cannot be entered in the ledger held
    ├── StoreError                   an image cannot be stored or read back                    see
    ├── WorkerDied                   a process of a batch ended without an answer              no
    ├── CassetteMiss                 replay: no recorded response matches                      no
    └── AllFailed                    every candidate failed; ``errors`` lists them             see

Messages are redacted here, at the base, because a raise site added next year would not remember to do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pixelrouter.redaction import REDACTED as REDACTED
from pixelrouter.redaction import redact as redact
from pixelrouter.redaction import register_secret as register_secret

if TYPE_CHECKING:
    from decimal import Decimal

    from pixelrouter.types import Money, PixelArt, Ticket

MoneyMoved = Literal["no", "yes", "held", "see"]

_LONGEST = 4000  # characters of a message: no vendor's answer, and no list of reasons, fills a log


class PixelRouterError(Exception):
    """Base of every error raised on purpose.

    ``hint`` says what to do next and is part of ``str(error)``; ``money`` says whether money moved.
    """

    money: ClassVar[MoneyMoved] = "no"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = redact(message)
        self.message = message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"
        self.hint = redact(hint) if hint else None
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-ready data, for ``--json`` and logs."""
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint, "money": self.money}


class ConfigError(PixelRouterError):
    """A config file or environment variable cannot be used."""


class MissingKey(ConfigError):
    """A backend needs a credential that is not set."""


class SpendForbidden(ConfigError):
    """A paid request was about to leave where a test run's spend guard stands. Nothing was sent."""


class LockMismatch(ConfigError):
    """A locked or frozen build cannot give what the lock says. ``assets`` maps each asset to why."""

    def __init__(self, message: str, *, assets: Mapping[str, str] | None = None, hint: str | None = None) -> None:
        self.assets = {name: redact(why) for name, why in (assets or {}).items()}
        shown = [f"{name}: {why}" for name, why in self.assets.items()]
        more = [f"and {len(shown) - 20} more"] if shown[20:] else []
        super().__init__("\n  ".join([message, *shown[:20], *more]), hint=hint)

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "assets": self.assets}


class InvalidRequest(PixelRouterError, ValueError):
    """The request is refused before anything is sent."""


class UnknownPalette(InvalidRequest):
    """The palette is neither a built-in name, nor a readable file, nor a list of colours."""


class UnreadableImage(InvalidRequest):
    """An image cannot be decoded, or is refused before decoding because of what it declares."""


class NoBackend(InvalidRequest):
    """No candidate can serve the request. ``reasons`` maps each backend to why not."""

    def __init__(self, message: str, *, reasons: Mapping[str, str] | None = None, hint: str | None = None) -> None:
        self.reasons = {name: redact(why) for name, why in (reasons or {}).items()}
        detail = "; ".join(f"{name}: {why}" for name, why in self.reasons.items())
        super().__init__(f"{message} {detail}".strip(), hint=hint)

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "reasons": self.reasons}


class OverBudget(PixelRouterError):
    """The quote does not fit. ``scope`` names the cap, ``left`` what it still allows, ``quote`` what was needed."""

    def __init__(self, message: str, *, scope: str, quote: Money, left: Money, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.scope, self.quote, self.left = scope, quote, left

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "scope": self.scope, "quote": str(self.quote), "left": str(self.left)}


class SpendingNotAllowed(PixelRouterError):
    """A build would spend money that nobody has allowed it to. ``costs`` maps units to amounts."""

    def __init__(self, message: str, *, costs: Mapping[str, str] | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.costs = dict(costs or {})

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "costs": self.costs}


class CircuitOpen(PixelRouterError):
    """The backend has failed so often in a row that it is left alone. ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "retry_after": self.retry_after}


class NotSent(PixelRouterError):
    """No byte of the paid request left this machine, so it is safe to try again."""


class NotTaken(NotSent):
    """The answer to a paid request was lost, and it was found out that the vendor did not charge it."""


class Refused(PixelRouterError):
    """The vendor refused; nothing was charged. ``status`` is the HTTP status, ``code`` the vendor's own code."""

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.code = status, redact(code) if code else code

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "status": self.status, "code": self.code}


class RequestRejected(Refused):
    """The vendor does not accept the request as written: size, style, option."""


class AuthFailed(Refused):
    """The key is missing, wrong, expired or not allowed to do this."""


class OutOfCredit(Refused):
    """The vendor's account holds too little money."""


class ContentRefused(Refused):
    """The vendor's content policy refuses the prompt or image."""


class RateLimited(Refused):
    """Too many requests. ``retry_after`` is in seconds, None where the vendor did not say."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = 429,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status, code=code)
        self.retry_after = retry_after

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "retry_after": self.retry_after}


class Overloaded(RateLimited):
    """The vendor documents this answer as "busy, nothing was done"."""


class JobFailed(PixelRouterError):
    """The vendor accepted the job and reports that it failed.

    ``charged`` is what it kept: zero where it documents a refund, None where it does not say. ``units`` is the same in
    the vendor's own units, where it bills those.
    """

    money: ClassVar[MoneyMoved] = "see"

    def __init__(
        self,
        message: str,
        *,
        charged: Money | None = None,
        code: str | None = None,
        hint: str | None = None,
        units: Decimal | None = None,
    ) -> None:
        PixelRouterError.__init__(self, message, hint=hint)
        self.charged, self.code, self.units = charged, redact(code) if code else code, units

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "charged": None if self.charged is None else str(self.charged), "code": self.code}


class ContentBlocked(JobFailed, ContentRefused):
    """The vendor's content policy held back a job that it had accepted; ``charged`` says whether that cost money."""

    money: ClassVar[MoneyMoved] = "see"
    status: int | None = None


class ChargedWithoutImage(PixelRouterError):
    """Paid, but no usable image came. Whatever bytes came are kept: ``stored`` lists their hashes."""

    money: ClassVar[MoneyMoved] = "yes"

    def __init__(
        self, message: str, *, charged: Money | None = None, stored: Iterable[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.charged, self.stored = charged, tuple(stored)

    def as_dict(self) -> dict[str, Any]:
        charged = None if self.charged is None else str(self.charged)
        return {**super().as_dict(), "charged": charged, "stored": list(self.stored)}


class ResultExpired(ChargedWithoutImage):
    """Paid and drawn, but the vendor no longer has the file.

    To complain with: ``vendor_request`` is the vendor's own id, ``paid_at`` when it was bought (UTC), ``attempt`` the
    ledger's row, which stays booked as spent.
    """

    def __init__(
        self,
        message: str,
        *,
        attempt: str | None = None,
        vendor_request: str | None = None,
        paid_at: str | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(message, **rest)
        self.attempt, self.vendor_request, self.paid_at = attempt, vendor_request, paid_at

    def as_dict(self) -> dict[str, Any]:
        more = {"attempt": self.attempt, "vendor_request": self.vendor_request, "paid_at": self.paid_at}
        return {**super().as_dict(), **more}


class IncompleteDelivery(ChargedWithoutImage):
    """Paid for n images, fewer came. ``art`` holds the finished ones that did."""

    def __init__(self, message: str, *, art: PixelArt | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.art = art


class QualityRejected(PixelRouterError):
    """The image was paid for and stored, and the caller's own policy turned it down.

    ``policy="reject"`` and ``"reroute"`` turn down an image without a pixel grid, ``min_score=`` one that checks lower:
    then ``score`` is what it has, 0..100. ``stored`` lists the hashes of everything that was turned down; ``errors``,
    where a route was tried, holds one error a backend, in the order tried. ``charged`` is what this call paid for it:
    nothing where it was bought before; None where nobody was paid, or where dollars and generations cannot be added up.
    """

    money: ClassVar[MoneyMoved] = "yes"

    def __init__(
        self,
        message: str,
        *,
        stored: Iterable[str] = (),
        hint: str | None = None,
        score: float | None = None,
        errors: Iterable[PixelRouterError] = (),
        charged: Money | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.stored, self.score, self.errors, self.charged = tuple(stored), score, tuple(errors), charged

    def as_dict(self) -> dict[str, Any]:
        errors = [error.as_dict() for error in self.errors]
        more = {"stored": list(self.stored), "score": self.score, "errors": errors}
        return {**super().as_dict(), **more, "charged": None if self.charged is None else str(self.charged)}


class StillRunning(PixelRouterError):
    """Not a failure: the job goes on at the vendor. The same call again, or ``pixelrouter resume``, collects it."""

    money: ClassVar[MoneyMoved] = "held"

    def __init__(
        self, message: str, *, attempt: str | None = None, ticket: Ticket | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.attempt, self.ticket = attempt, ticket

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "attempt": self.attempt, "ticket": self.ticket and self.ticket.id}


class OutcomeUnknown(PixelRouterError):
    """The answer to a paid request was lost. The money stays held; nothing is sent again automatically."""

    money: ClassVar[MoneyMoved] = "held"

    def __init__(
        self, message: str, *, attempt: str | None = None, held: Money | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.attempt, self.held = attempt, held

    def as_dict(self) -> dict[str, Any]:
        held = None if self.held is None else str(self.held)
        return {**super().as_dict(), "attempt": self.attempt, "held": held}


class UnexpectedAnswer(PixelRouterError):
    """A vendor's answer is outside its documented contract. What it means for money, routing.verdict decides."""

    money: ClassVar[MoneyMoved] = "held"

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class WireError(PixelRouterError):
    """A free, repeatable call (quote, poll, download) failed for good."""


class DeadlineExceeded(WireError):
    """The next step would have ended after the caller's deadline."""


class ForbiddenHost(WireError):
    """An address outside the backend's allow-list, or a private one that a vendor's answer named."""


class LedgerError(PixelRouterError):
    """The ledger cannot be opened, read or written. Nothing is sent without it."""


class ConnectionLost(LedgerError):
    """The server of a team's ledger cannot be reached, or was lost on the way: maybe after it had written."""


class TakenOver(LedgerError):
    """The machine did not answer for so long that another one of the team carries on with the attempt."""

    money: ClassVar[MoneyMoved] = "held"


class NotWrittenDown(LedgerError):
    """A paid request was sent, and the ledger cannot take what came of it: the row stays as it was, its money held.

    ``ticket`` is the vendor's job, where there is one: the id to look for and to complain with; ``attempt`` the row.
    ``images`` are the pictures that came with the answer, as bytes, where no disk would take them.
    """

    money: ClassVar[MoneyMoved] = "held"

    def __init__(
        self,
        message: str,
        *,
        attempt: str | None = None,
        ticket: Ticket | None = None,
        images: Iterable[bytes] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.attempt, self.ticket, self.images = attempt, ticket, tuple(images)

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "attempt": self.attempt, "ticket": self.ticket and self.ticket.id}


class StoreError(PixelRouterError):
    """Raw bytes cannot be written, or what lies in the store is not what was put there."""

    money: ClassVar[MoneyMoved] = "see"


class WorkerDied(PixelRouterError):
    """The process that worked on one file of a batch ended without an answer: a crash, a kill, no memory left."""


class CassetteMiss(PixelRouterError):
    """Replay found no recorded response for this request; the message shows the closest one and how it differs."""


class AllFailed(PixelRouterError):
    """Every candidate was tried and failed. ``errors`` holds one error a candidate, in the order tried."""

    money: ClassVar[MoneyMoved] = "see"

    def __init__(self, message: str, *, errors: Iterable[PixelRouterError], hint: str | None = None) -> None:
        self.errors = tuple(errors)
        detail = " | ".join(f"{type(e).__name__}: {e}" for e in self.errors)
        super().__init__(f"{message} {detail}".strip(), hint=hint)

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "errors": [e.as_dict() for e in self.errors]}
