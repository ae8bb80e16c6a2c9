"""Every vendor's simulator at once, what is asked of them, and their own count of what they charged for what.

The scripts that judge by money (`crash.py`, `race.py`) share it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from pixelrouter.testing.simulator import SIMULATORS, Simulator, simulator_of
from pixelrouter.types import Money

KEYS = {name: simulator_of(name).default_keys[0] for name in SIMULATORS}
_TAG = re.compile(r"\[([\w-]+)\]")


@dataclass(frozen=True)
class Kind:
    """A way to buy: a backend, the call, its settings. ``steps``: purchases that one call takes.

    ``certain``: by the vendor's contract the outcome of every submit can be found out.
    """

    name: str
    backend: str
    call: dict[str, Any]
    steps: int = 1
    section: dict[str, Any] = field(default_factory=dict)
    certain: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("retrodiffusion-v2", "retrodiffusion", {"size": 32}, section={"api_version": "v2"}, certain=True),
        Kind("retrodiffusion-v1", "retrodiffusion", {"size": 32}, section={"api_version": "v1"}),
        Kind("replicate", "replicate", {"size": 64}),
        Kind("fal", "fal", {"size": 32}),
        Kind("fal-two-steps", "fal", {"size": 32, "task": "views", "views": "2x2"}, steps=2),
        Kind("pixellab", "pixellab", {"size": 64, "model": "pixflux"}),
        Kind("pixellab-job", "pixellab", {"size": 32, "model": "character-4", "task": "views", "views": "4"}),
        Kind("pixellab-tileset", "pixellab", {"size": 32, "task": "tileset", "tiles": "wang", "upper": "stone"}),
    )
}


@dataclass(frozen=True)
class Request:
    """One thing to be bought. Its ``id`` stands in the prompt, and so in the body of everything charged for it.

    ``more``: arguments of its own over its kind's.
    """

    id: str
    kind: str
    more: tuple[tuple[str, Any], ...] = ()

    @property
    def prompt(self) -> str:
        return f"a red potion [{self.id}]"

    @property
    def arguments(self) -> dict[str, Any]:
        """What ``generate`` takes."""
        kind = KINDS[self.kind]
        return {"prompt": self.prompt, "backend": kind.backend, **kind.call, **dict(self.more)}


def request_in(text: str) -> str:
    """The id of the request that a prompt, or a body as JSON, belongs to; empty where there is none."""
    found = _TAG.search(text)
    return found[1] if found else ""


class Market:
    """The simulators of some backends. A context manager; the router's options to buy there are picklable."""

    def __init__(self, backends: Iterable[str], **knobs: Any) -> None:
        self.simulators: dict[str, Simulator] = {
            name: simulator_of(name)(**{"balance": "1000", **knobs}) for name in dict.fromkeys(backends)
        }
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for simulator in self.simulators.values():
            self._stack.enter_context(simulator)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sections(self, **settings: Any) -> dict[str, dict[str, Any]]:
        """``[backends.NAME]`` for each; ``settings`` hold for all of them."""
        common = {"poll_s": 0.02, "timeout_s": 2.0, **settings}
        return {name: {**one.backend_settings(), **common} for name, one in self.simulators.items()}

    def calm(self) -> None:
        """No more faults."""
        for simulator in self.simulators.values():
            simulator.faults.clear()

    def charges(self) -> Counter[tuple[str, str]]:
        """How often was charged for each request and step, refunds left out.

        A step is told by the fields of its body: the second one of two carries the first one's picture.
        """
        return Counter(
            (request_in(text), " ".join(sorted(charge.body)))
            for simulator in self.simulators.values()
            for charge in simulator.charges
            if not charge.refunded
            for text in [json.dumps(dict(charge.body), default=str)]
        )

    def taken(self) -> dict[str, int]:
        """What all vendors charged and kept, in micro-units, by unit."""
        taken: Counter[str] = Counter()
        for simulator in self.simulators.values():
            for charge in simulator.charges:
                if not charge.refunded:
                    taken[charge.money.unit] += charge.money.micros
        return dict(taken)

    def paid_posts(self) -> int:
        """How many requests that cost money arrived."""
        return sum(simulator.paid_posts for simulator in self.simulators.values())


def in_words(micros: dict[str, int]) -> str:
    """Amounts by unit, as money."""
    return ", ".join(str(Money(amount, unit)) for unit, amount in sorted(micros.items())) or "nothing"  # type: ignore[arg-type]  # units come from charges
