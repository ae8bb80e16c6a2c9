"""What a caller's progress callback is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["reuse", "quote", "submit", "wait", "download", "draw", "finish"]


@dataclass(frozen=True)
class ProgressEvent:
    """One step of a request. ``fraction`` is 0..1 where somebody knows it; ``index`` numbers a batch's requests."""

    stage: Stage
    backend: str
    fraction: float | None = None
    message: str = ""
    index: int = 0


Notify = Callable[[ProgressEvent], None]


def ignore(event: ProgressEvent) -> None:
    """The callback of a caller who does not want to know."""
