"""Every vendor's simulator at once, what is asked of them, and their own count of what they charged for what.

The scripts that judge by money (`crash.py`, `race.py`) share it.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from PIL import Image, ImageDraw

from pixelrouter.testing.simulator import SIMULATORS, Simulator, simulator_of
from pixelrouter.types import Money

KEYS = {name: simulator_of(name).default_keys[0] for name in SIMULATORS}


def _picture() -> bytes:
    image = Image.new("RGB", (32, 32), "#e8e0c8")
    ImageDraw.Draw(image).ellipse((8, 12, 23, 27), fill="#c02030")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()
#: A PixelLab account that pays with generations: the simulator's arguments, and the settings to go with it.
PLAN_ACCOUNT = {"account": "subscription", "generations": "2000"}
PLAN_SECTION = {"account": "subscription", "price_usd": None}
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
        # With a picture: what was sent cannot be sent again from the ledger alone, which keeps its hash.
        Kind("retrodiffusion-edit", "retrodiffusion", {"size": 32, "task": "edit", "images": (PICTURE,)}, certain=True),
        Kind("replicate-edit", "replicate", {"size": 32, "task": "edit", "images": (PICTURE,)}),
        Kind("fal-edit", "fal", {"size": 32, "task": "edit", "images": (PICTURE,)}),
        Kind("pixellab-edit", "pixellab", {"size": 32, "task": "edit", "images": (PICTURE,)}),
        Kind("pixellab-film", "pixellab", {"size": 64, "task": "animation", "action": "walk"}, steps=2),
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
        call = {**kind.call, **dict(self.more)}
        if "action" in call:  # a film's second step is sent the action, and not the prompt
            call["action"] += f" [{self.id}]"
        return {"prompt": self.prompt, "backend": kind.backend, **call}


def request_in(text: str) -> str:
    """The id of the request that a prompt, or a body as JSON, belongs to; empty where there is none."""
    found = _TAG.search(text)
    return found[1] if found else ""


class Market:
    """The simulators of some backends. A context manager; the router's options to buy there are picklable.

    ``generations``: PixelLab's account pays with a plan's generations. ``knobs`` are arguments of all simulators.
    """

    def __init__(self, backends: Iterable[str], *, generations: bool = False, **knobs: Any) -> None:
        self._generations = generations
        own = {"pixellab": PLAN_ACCOUNT} if generations else {}
        self.simulators: dict[str, Simulator] = {
            name: simulator_of(name)(**{"balance": "1000", **knobs, **own.get(name, {})})
            for name in dict.fromkeys(backends)
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
        own = {"pixellab": PLAN_SECTION} if self._generations else {}
        return {
            name: {**one.backend_settings(), **common, **own.get(name, {})} for name, one in self.simulators.items()
        }

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
