"""Animations of a stored character: which directions, how many frames, at which price; each direction is a job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pixelrouter.testing.simulator.pixellab import drawing, prices
from pixelrouter.testing.simulator.pixellab.endpoints import Endpoint, Pictures
from pixelrouter.testing.simulator.pixellab.fields import CLOCKWISE, FOUR, Size
from pixelrouter.testing.simulator.pixellab.jobs import Job, canvas
from pixelrouter.testing.simulator.pixellab.prices import Price
from pixelrouter.testing.simulator.pixellab.problems import Refused
from pixelrouter.testing.simulator.pixellab.worlds import CharacterAnimation, CharacterV3, EightDirections

_TEMPLATE_FRAMES = re.compile(r"-(\d+)-frames$")
_DEFAULT_FRAMES = 4  # of a template whose name tells no number, and of the pro mode: ours


@dataclass(frozen=True)
class Animation:
    """One direction of one animation of the character that ``source`` made."""

    order: CharacterAnimation
    source: Job
    direction: str

    @property
    def size(self) -> tuple[int, int]:
        return canvas(self.source.order, self.source.growth) or (0, 0)

    @property
    def frames(self) -> int:
        """How many pictures come: v3 keeps the first frame as one more unless told not to."""
        if self.order.way == "template":
            found = _TEMPLATE_FRAMES.search(self.order.template_animation_id or "")
            return int(found[1]) if found else _DEFAULT_FRAMES
        if self.order.way == "pro":
            return _DEFAULT_FRAMES
        return (self.order.frame_count or 8) + int(self.order.keep_first_frame)

    def price(self, _: CharacterAnimation) -> Price:
        """For this direction alone."""
        width, height = self.size
        if self.order.way == "template":
            return prices.TEMPLATE_ANIMATION
        if self.order.way == "pro":
            return prices.pro(Size(width=width, height=height))
        return prices.animation_v3(width, height, self.order.frame_count or 8)

    def draw(self, order: CharacterAnimation, identity: str) -> Pictures:
        """The character as it looks in this direction, moving."""
        still = drawing.sprite(f"{identity}:{self.direction}", *self.size, clear=True)
        return {str(number): pixels for number, pixels in enumerate(drawing.bobbing(still, self.frames))}

    @property
    def endpoint(self) -> Endpoint:
        """One direction, as something that can be bought."""
        return Endpoint("/characters/animations", CharacterAnimation, self.price, self.draw, "frames", job=True)


def rotations(order: Any) -> tuple[str, ...]:
    """The directions that a character has."""
    return CLOCKWISE if isinstance(order, EightDirections | CharacterV3) else FOUR


def directions(order: CharacterAnimation, source: Job) -> list[str]:
    """The directions to animate: all of the character's for a template, else south, unless the caller names them.

    Raises Refused(422) for a direction that the character has not.
    """
    known = list(rotations(source.order))
    if order.directions is None:
        return known if order.way == "template" else ["south"]
    strange = [name for name in order.directions if name not in known]
    if strange or not order.directions:
        raise Refused(422, f"directions must be among {', '.join(known)}")
    return order.directions
