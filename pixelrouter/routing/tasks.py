"""The router's methods by task. Each says what its task needs and asks ``generate`` for it, blocking or awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, Unpack

from pixelrouter.errors import InvalidRequest
from pixelrouter.routing.arguments import Common
from pixelrouter.types import Tiles, Views

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from pixelrouter.routing.pictures import ImageLike

R = TypeVar("R")


class TaskMethods(Generic[R]):
    """``edit``, ``inpaint``, ``rotate``, ``animate``, ``tileset``, ``remove_background``: all of them ``generate``.

    Every argument of ``generate`` holds for them too, and ``size`` is always that of one image, view, frame or tile.
    """

    if TYPE_CHECKING:
        generate: Callable[..., R]

    def edit(self, prompt: str, *, image: ImageLike, strength: float | None = None, **arguments: Unpack[Common]) -> R:
        """``image`` (bytes, path or Pillow image) changed as ``prompt`` says.

        ``strength`` 0..1: how far the result may go from the picture. ``size`` is the picture's own unless given.
        """
        return self.generate(prompt, **_on(image, arguments), task="edit", strength=strength)

    def inpaint(self, prompt: str, *, image: ImageLike, mask: ImageLike, **arguments: Unpack[Common]) -> R:
        """``image`` drawn anew where ``mask`` (an image of the same size) is white."""
        return self.generate(prompt, **_on(image, arguments), task="inpaint", mask=mask)

    def rotate(
        self,
        prompt: str = "",
        *,
        image: ImageLike | None = None,
        views: Views | Literal[4, 8] = "4",
        **arguments: Unpack[Common],
    ) -> R:
        """The subject of ``image``, or of ``prompt``, from several sides: ``art.views`` has them by name.

        ``views``: "4" (south, east, north, west), "8", or "2x2" (front-right, front-left, left, top).
        """
        _something(prompt, image, "rotate")
        return self.generate(prompt, **_on(image, arguments), task="views", views=views)

    def animate(
        self,
        prompt: str = "",
        *,
        action: str | None = None,
        image: ImageLike | None = None,
        frames: int | None = None,
        layout: Literal["frames", "sheet"] = "frames",
        **arguments: Unpack[Common],
    ) -> R:
        """The subject of ``image``, or of ``prompt``, doing ``action`` in ``frames`` images.

        ``layout`` "sheet" gives them as one image. ``art.save_animation("walk.gif")`` writes a moving picture.
        """
        _something(prompt, image, "animate")
        return self.generate(
            prompt, **_on(image, arguments), task="animation", action=action, frames=frames, layout=layout
        )

    def tileset(
        self, prompt: str, *, tiles: Tiles = "seamless", upper: str | None = None, **arguments: Unpack[Common]
    ) -> R:
        """Tiles of the ground ``prompt``: one "seamless" tile, or "wang": 16 tiles of its border with ``upper``."""
        return self.generate(prompt, **arguments, task="tileset", tiles=tiles, upper=upper)

    def remove_background(self, image: ImageLike, **arguments: Unpack[Common]) -> R:
        """The subject of ``image`` on transparent ground, in the picture's own size unless one is given."""
        arguments = {"transparent": True, **arguments}
        return self.generate("", **_on(image, arguments), task="remove_background")


def _on(image: ImageLike | None, arguments: Common) -> Common:
    """The arguments with ``image`` as the picture to work on, before any references."""
    if image is not None:
        arguments = {**arguments, "images": [image, *arguments.get("images", ())]}
    return arguments


def _something(prompt: str, image: ImageLike | None, method: str) -> None:
    if not prompt.strip() and image is None:
        raise InvalidRequest(f"{method} needs a prompt or an image.", hint=f'{method}("a red dragon", ...)')
