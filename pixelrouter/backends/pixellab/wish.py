"""One request on its way into a body: where each of the vendor's fields takes its value from.

Each function below takes a :class:`Wish` and returns the value of one field, or None for a field that is not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pixelrouter.backends.pixellab import pictures
from pixelrouter.backends.pixellab.pictures import Picture
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest

BALANCED_STYLE = 50  # the vendor's own word for it; its default is 0, with which a style image does nothing


@dataclass(frozen=True)
class Wish:
    """A request with the seed it is sent with."""

    request: GenerationRequest
    seed: int

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The reference images, read. Raises UnreadableImage."""
        return tuple(pictures.read(data, f"Image {i}") for i, data in enumerate(self.request.images, 1))

    @property
    def first(self) -> Picture | None:
        """The picture to work on, where one is given."""
        return self.pictures[0] if self.pictures else None

    def fits(self, picture: Picture, name: str) -> Picture:
        """``picture``, if it has the size asked for: the vendor has no other word for the size of these results."""
        if picture.size != self.request.size:
            raise InvalidRequest(
                f"{name} is {picture.width}x{picture.height}, but the request asks for "
                f"{self.request.width}x{self.request.height}.",
                hint="PixelLab draws this one at the picture's own size: ask for that, or resize the picture.",
            )
        return picture


Part = Callable[[Wish], Any]


def description(wish: Wish) -> Any:
    """What is to be drawn."""
    return wish.request.prompt


def hint(wish: Wish) -> Any:
    """The prompt, where the vendor can do without one."""
    return wish.request.prompt.strip() or None


def size(wish: Wish) -> Any:
    """The size asked for."""
    return {"width": wish.request.width, "height": wish.request.height}


def width(wish: Wish) -> Any:
    """The width asked for, in pixels."""
    return wish.request.width


def height(wish: Wish) -> Any:
    """The height asked for, in pixels."""
    return wish.request.height


def seed(wish: Wish) -> Any:
    """The seed: always sent, because some endpoints use 0 for every caller that sends none."""
    return wish.seed


def background(usual: bool | None) -> Part:
    """``no_background``: as asked, else what this endpoint does by itself, said aloud as the defaults differ."""

    def part(wish: Wish) -> Any:
        return usual if wish.request.transparent is None else wish.request.transparent

    return part


def picture(wish: Wish) -> Any:
    """The picture to work on."""
    return wish.first and wish.first.wire


def picture_size(wish: Wish) -> Any:
    """The size of the picture to work on."""
    return wish.first and wish.first.wire_size


def frame(wish: Wish) -> Any:
    """The picture to work on, which decides the size of what comes back."""
    return wish.first and wish.fits(wish.first, "The picture").wire


def referenced_frame(wish: Wish) -> Any:
    """The same, with its size beside it."""
    found = wish.first
    return found and {"image": wish.fits(found, "The picture").wire, **found.wire_size}


def mask(wish: Wish) -> Any:
    """White where it is to be drawn anew."""
    given = wish.request.mask
    return None if given is None else wish.fits(pictures.read(given, "The mask"), "The mask").wire


def references(wish: Wish) -> Any:
    """Pictures to look at, each with its size."""
    return [{"image": one.wire, "size": one.wire_size} for one in wish.pictures] or None


def south(wish: Wish) -> Any:
    """The subject seen from the front, kept as it is; the other directions are drawn to match."""
    return wish.first and {"south": wish.fits(wish.first, "The view from the south").wire}


def start(wish: Wish) -> Any:
    """The picture to start from (edits only)."""
    return picture(wish) if wish.request.task == "edit" else None


def start_strength(wish: Wish) -> Any:
    """Ours says how free the drawing is (0 to 1), the vendor's how much the picture counts (1 to 999)."""
    strength = wish.request.strength
    return None if strength is None else 999 - round(strength * 998)


def style(wish: Wish) -> Any:
    """A picture whose style is taken over: the first that is not the one to start from."""
    others = wish.pictures[1 if wish.request.task == "edit" else 0 :]
    return others[0].wire if others else None


def style_strength(wish: Wish) -> Any:
    """Sent with a style image, wherever that comes from."""
    return BALANCED_STYLE if style(wish) or "style_image" in wish.request.options else None


def action(wish: Wish) -> Any:
    """What the subject does."""
    return wish.request.action


def frames(usual: int) -> Part:
    """How many frames."""
    return lambda wish: wish.request.frames or usual


def upper(wish: Wish) -> Any:
    """The ground that lies on the other."""
    return wish.request.upper


def turn_method(wish: Wish) -> Any:
    """What the given picture is: a sprite to turn, unless the options say that it is concept art."""
    return wish.request.options.get("method", "rotate_character")


def turned_sprite(wish: Wish) -> Any:
    """The sprite to turn."""
    return referenced_frame(wish) if turn_method(wish) == "rotate_character" else None


def turned_concept(wish: Wish) -> Any:
    """The concept art to draw from, of any size up to 1024 pixels a side."""
    found = wish.first
    if not found or turn_method(wish) == "rotate_character":
        return None
    return {"image": found.wire, **found.wire_size}
