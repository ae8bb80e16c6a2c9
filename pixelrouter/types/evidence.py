"""What became of a paid request whose answer was lost: what was found out, how, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["found", "charged", "not charged", "unknown"]
Sure = Literal["certain", "likely", ""]
Means = Literal["list", "resend", "balance", "hand", ""]


@dataclass(frozen=True)
class Billing:
    """When a charge shows in what a vendor says is left on the account.

    ``told_s``: at most so many seconds after the vendor told what became of a job. ``lost_s``: after a request was sent
    of which nothing was heard. Few vendors document this: a backend says where its margins come from.
    """

    told_s: float
    lost_s: float


@dataclass(frozen=True)
class Evidence:
    """Why an outcome is what the ledger says it is.

    ``found``: the vendor's job is known, and collected. ``words`` are sentences for a person: what was tried, and what
    it showed. ``numbers`` are what the verdict rests on (amounts as exact decimal strings, times in seconds since the
    epoch, jobs by the vendor's ids). ``next``: what to do now. ``accepted``: a person took what is only likely.
    """

    outcome: Outcome
    sure: Sure = ""
    means: Means = ""
    words: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    next: str = ""
    accepted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "outcome": self.outcome,
            "sure": self.sure,
            "means": self.means,
            "words": list(self.words),
            "numbers": dict(self.numbers),
            "next": self.next,
            "accepted": self.accepted,
        }

    @property
    def text(self) -> str:
        """The words as one text."""
        return " ".join(self.words)
