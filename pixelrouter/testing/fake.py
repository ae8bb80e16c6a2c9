"""A router for tests of build scripts: the real one, over stand-ins for every vendor. No keys, no network, no bill.

Sprites are drawn here, the same for the same request; prices are the lists', booked in a ledger of the test's own, so
caps, fallback, reuse and resuming behave as in earnest. ``PIXELROUTER_STAND_IN`` set to its folder makes every other
router, in this process or in one that the test starts, take part as well: the fixture does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrouter.routing.router import AsyncPixelRouter, PixelRouter
from pixelrouter.routing.standin import folder as standin
from pixelrouter.types import Attempt


@dataclass(frozen=True)
class FakeCall:
    """What a router was asked for. ``pictures`` counts the input images; ``backends`` are those it might have asked."""

    prompt: str
    size: tuple[int, int]
    task: str = "image"
    n: int = 1
    seed: int | None = None
    model: str | None = None
    backends: tuple[str, ...] = ()
    pictures: int = 0
    asset: str = ""
    tags: tuple[str, ...] = ()
    fresh: bool = False
    details: dict[str, Any] = field(default_factory=dict)  # whatever else was asked for: action, frames, options …

    @classmethod
    def of(cls, asked: dict[str, Any]) -> FakeCall:
        """From a line of the log."""
        rest = dict(asked)
        size = (rest.pop("width"), rest.pop("height"))
        several: dict[str, Any] = {name: tuple(rest.pop(name)) for name in ("backends", "tags")}
        plain = ("prompt", "task", "n", "seed", "model", "pictures", "asset", "fresh")
        known = {name: rest.pop(name) for name in plain if name in rest}
        return cls(size=size, **several, **known, details={name: value for name, value in rest.items() if value})


class _Fake:
    """What the two fakes add: a look at what was asked for, and errors to order."""

    folder: Path

    @property
    def calls(self) -> list[FakeCall]:
        """Every call for images so far, of this router and of all that share its folder, reused ones too."""
        return [FakeCall.of(asked) for asked in standin.calls(self.folder)]

    def fail_next(self, error: BaseException | type[BaseException], times: int = 1) -> None:
        """Let the next purchases (of any router that shares the folder) end in this error, as it would really come.

        ``Refused``, ``JobFailed`` and their kind come with the vendor's answer, ``OutcomeUnknown`` is a lost answer
        whose money stays held, ``ChargedWithoutImage`` an empty delivery that is paid for, ``StillRunning`` a job that
        is done when the same is asked for again; all others are raised before anything is sent. What is reused
        purchases nothing, and so cannot fail.
        """
        for _ in range(times):
            made = standin.made(error, f"{error.__name__}, as the test wants it.") if isinstance(error, type) else error
            standin.plan_failure(self.folder, made)


class FakePixelRouter(_Fake, PixelRouter):
    """A PixelRouter that buys from nobody. ``folder`` holds its state; ``options`` as for PixelRouter."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        super().__init__(stand_in=folder, **options)

    @property
    def bought(self) -> list[Attempt]:
        """The purchases so far, oldest first, with what the real vendor would have charged by its price list."""
        return list(reversed(self.attempts()))


class FakeAsyncPixelRouter(_Fake, AsyncPixelRouter):
    """An AsyncPixelRouter that buys from nobody; see FakePixelRouter."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        super().__init__(stand_in=folder, **options)

    @property
    def bought(self) -> list[Attempt]:
        """The purchases so far, oldest first, with what the real vendor would have charged by its price list."""
        return list(reversed(self.attempts()))
