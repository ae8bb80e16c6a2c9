"""The arguments that ``generate``, ``quote`` and ``dry_run`` share, each with its meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from pixelrouter.routing.events import Notify


class Arguments(TypedDict, total=False):
    """Every argument beside the prompt; all of them optional."""

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
    images: Sequence[bytes | str | Path]
    """Reference images, encoded or as paths."""
    max_usd: float | str | None
    """Most dollars this one call may cost."""
    timeout_s: float | None
    """Seconds to wait for the job; afterwards StillRunning, and the same call collects it."""
    on_unknown: Literal["raise", "spend_again"] | None
    """What to do when the answer to a paid request was lost."""
    policy: Literal["snap", "resample", "reject"] | None
    """What to do with an image that has no clear pixel grid."""
    pixel_size: float | None
    """Source pixels per sprite pixel, overriding detection."""
    progress: Notify | None
    """Called with a ProgressEvent at every step."""
    batch: str
    """Set by generate_many."""
    batch_usd: float | str | None
    """Set by generate_many."""
