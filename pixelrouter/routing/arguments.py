"""The arguments of the router's methods, each with its meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from pixelrouter.routing.events import Notify
from pixelrouter.types import Task, Tiles, Views

if TYPE_CHECKING:
    from pixelrouter.routing.pictures import ImageLike


class Finishing(TypedDict, total=False):
    """How the image is finished: free to change, since none of it is a part of what is bought. All of it optional."""

    policy: Literal["snap", "resample", "reject", "reroute"] | None
    """What to do with an image that has no clear pixel grid."""
    pixel_size: float | Sequence[float] | None
    """Source pixels per sprite pixel, one number or (x, y), overriding detection."""
    origin: Sequence[float] | None
    """(x, y) of one corner of a cell in source pixels, overriding detection."""
    mode: Literal["restore", "convert"] | None
    """restore the pixels of pixel art, or convert a photo or painting."""
    dither: Literal["none", "bayer2", "bayer4", "bayer8", "floyd-steinberg", "atkinson", "yliluoma"] | None
    """The pattern between two colours."""
    one_bit: bool | None
    """Two colours only."""
    merge: float | None
    """OKLab distance within which colours count as one, 0 for never; None measures it by the noise."""
    quantizer: Literal["auto", "imagequant", "own"] | None
    """What proposes the palette."""
    pad_palette: bool | None
    """Keep palette colours that are not used."""
    matte: Literal["key", "rembg"] | None
    """How a background is cut out: a solid one keyed from the border, or by a model."""
    holes: bool | None
    """Cut out enclosed parts of a solid background too."""
    despill: bool | None
    """Take the background's tint off the outline."""


class Common(Finishing, total=False):
    """The arguments beside the prompt that every task has; all of them optional."""

    size: int | str | Sequence[int] | None
    """The sprite's own pixels: 32, "32x48" or (32, 48)."""
    colors: int | None
    """Most visible colours, 1..256; transparency is not counted."""
    palette: str | Path | Sequence[str] | Sequence[Sequence[int]] | None
    """A built-in name, a palette file, or colours; only these are used."""
    seed: int | None
    """What the vendor draws from; None lets the router derive one from the request."""
    n: int
    """How many images, in one purchase."""
    transparent: bool | None
    """True insists on a transparent background, False on an opaque one, None keeps what the backend draws."""
    model: str | None
    """The vendor's model or style."""
    backend: str | None
    """The one backend to use."""
    route: Sequence[str] | None
    """Backends to try in order; the next only after the one before has refused or failed, with nothing open."""
    fresh: bool
    """True buys anew what was bought before."""
    options: Mapping[str, Any] | None
    """The vendor's own parameters, under its own names."""
    images: Sequence[ImageLike]
    """Reference images: encoded bytes, paths or Pillow images."""
    max_usd: float | str | None
    """Most dollars this one call may cost."""
    max_generations: float | str | None
    """Most "generations" this one call may cost, where the vendor's account is in those."""
    commercial: bool
    """True refuses every model whose licence does not clearly allow commercial use of what it draws."""
    strategy: Literal["in_order", "cheapest", "fastest", "weighted"] | None
    """Which backend of the route is asked first."""
    style_group: str | None
    """The set of sprites it belongs to: a set keeps the backend that drew its first image."""
    restyle: bool
    """True lets a style group change its backend."""
    asset: str | None
    """What it is for, in your words; costs can be added up by it."""
    tags: Sequence[str]
    """More such words."""
    timeout_s: float | None
    """Seconds to wait for the job; afterwards StillRunning, and the same call collects it."""
    on_unknown: Literal["raise", "spend_again"] | None
    """What to do when the answer to a paid request was lost."""
    min_score: float | None
    """0 to 100: images whose check scores lower are turned down, and the next backend of the route is asked."""
    progress: Notify | None
    """Called with a ProgressEvent at every step."""
    batch: str
    """Set by generate_many."""
    batch_usd: float | str | None
    """Set by generate_many."""


class Arguments(Common, total=False):
    """Every argument of ``generate``, ``quote`` and ``dry_run``: the common ones and those of one task or another."""

    task: Task
    """What is wanted: image, edit, inpaint, views, animation, tileset or remove_background."""
    strength: float | None
    """edit: 0 keeps the picture, 1 is free of it."""
    mask: ImageLike | None
    """inpaint: an image of the same size, white where it is to be drawn anew."""
    views: Views | int | None
    """views: "2x2", "4" or "8"."""
    action: str | None
    """animation: what is done."""
    frames: int | None
    """animation: in how many frames."""
    layout: Literal["frames", "sheet"]
    """animation, views, tileset: separate images, or all of them on one."""
    tiles: Tiles | None
    """tileset: "seamless" or "wang"."""
    upper: str | None
    """tileset: the ground that lies on the prompt's."""
