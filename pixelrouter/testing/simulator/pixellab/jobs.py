"""One order that the vendor took: how far it is, what it drew, which bill it gets."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.images import Pixels
from pixelrouter.testing.simulator.pixellab import drawing, motion, worlds
from pixelrouter.testing.simulator.pixellab.endpoints import Endpoint, v3_size
from pixelrouter.types import Money

End = Literal["completed", "failed"]
#: What a poll shows: ``lag`` is a finished result under a status that still says "processing".
Shown = Literal["processing", "lag", "completed", "failed"]
_LARGEST_CANVAS = 256


def iso(at: float) -> str:
    """Seconds since the epoch as the vendor writes times: UTC with microseconds and a zone."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def resolved_seed(order: Any) -> int:
    """The seed that is used: a random one where the order names none (or 0, for animate-with-text)."""
    seed = getattr(order, "seed", None)
    if seed is None or (seed == 0 and isinstance(order, motion.AnimateWithText)):
        return secrets.randbelow(2**31)
    return int(seed)


def canvas(order: Any, growth: int) -> tuple[int, int] | None:
    """The size of a character's pictures, which may be larger than asked for; None for anything but a character.

    Seen in 2026: standard characters gain a fixed border, v3 characters are padded to about twice, at most 256.
    """
    if isinstance(order, worlds.CharacterV3):
        width, height = v3_size(order)
        if not growth:
            return width, height
        return max(width, min(_LARGEST_CANVAS, 2 * width)), max(height, min(_LARGEST_CANVAS, 2 * height))
    if isinstance(order, worlds.FourDirections):
        more = 0 if getattr(order, "mode", None) == "pro" else growth
        return order.image_size.width + more, order.image_size.height + more
    return None


@dataclass
class Job:
    """One order, of a synchronous endpoint too. ``price`` is what it will cost, None where it can only fail.

    It ends at ``done_at``, whoever asks. ``polls_left`` polls find it unfinished all the same; of these the last
    ``lag_polls`` show its result under the old status.
    """

    id: str
    endpoint: Endpoint
    order: Any
    body: Mapping[str, Any]
    seed: int
    price: Money | None
    created: float
    done_at: float
    polls_left: int
    lag_polls: int
    growth: int
    fault: Fault | None
    ids: dict[str, str]
    end: End | None = None
    bill: Money | None = None
    seen: int = 0
    _files: dict[str, bytes] | None = None
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    def has(self, name: str) -> bool:
        return self.fault is not None and self.fault.name == name

    @property
    def failing(self) -> bool:
        return self.price is None or self.has(Faults.JOB_FAILED)

    @property
    def failure_code(self) -> int:
        """Of a job that fails: the free tier's is 3007."""
        return int(self.fault.params["code"]) if self.fault is not None and self.has(Faults.JOB_FAILED) else 3007

    def ends(self, now: float) -> bool:
        return now >= self.done_at and not self.has(Faults.JOB_STUCK)

    def look(self) -> Shown:
        """What the next poll shows. Every call is a poll."""
        if self.polls_left <= 0 and self.end:
            return self.end
        self.seen += 1
        lagging = self.polls_left <= self.lag_polls and self.polls_left > 0
        if lagging and self.end is None:
            return "processing"
        self.polls_left -= 1
        return "lag" if lagging and self.end == "completed" else "processing"

    @property
    def ready(self) -> bool:
        """Whether a poll would show the end, without asking."""
        return self.end == "completed" and self.polls_left <= 0

    def files(self) -> dict[str, bytes]:
        """What the job made: PNGs by direction or by number, drawn once; spoilt where its fault says so."""
        with self._drawing:
            if self._files is None:
                self._files = self._draw()
            return self._files

    def _draw(self) -> dict[str, bytes]:
        plain = {name: value for name, value in self.body.items() if name != "seed"}
        identity = f"{self.endpoint.path}:{json.dumps(plain, sort_keys=True)}:{self.seed}"
        pictures = self.endpoint.draw(self.order, identity)
        size = canvas(self.order, self.growth)
        if size is not None:
            pictures = {name: drawing.padded(pixels, *size) for name, pixels in pictures.items()}
        if self.has(Faults.EMPTY_IMAGES):
            return {}
        if self.has(Faults.FEWER_IMAGES):
            pictures = dict(list(pictures.items())[:-1])
        if self.fault is not None and self.has(Faults.WRONG_SIZE):
            pictures = {name: _of_size(pixels, self.fault.params) for name, pixels in pictures.items()}
        files = {name: images.png(pixels).data for name, pixels in pictures.items()}
        if self.has(Faults.TRUNCATED_IMAGE):
            files = {name: data[: len(data) // 2] for name, data in files.items()}
        return files


def _of_size(pixels: Pixels, wanted: Mapping[str, Any]) -> Pixels:
    """The picture at the size that a fault names; twice as large where it names none."""
    return drawing.scaled(pixels, wanted["width"] or pixels.shape[1] * 2, wanted["height"] or pixels.shape[0] * 2)
