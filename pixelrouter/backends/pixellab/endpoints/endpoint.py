"""What one endpoint of PixelLab is: its paths, its limits, its fields; and the limits that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pixelrouter.backends._options import Check
from pixelrouter.backends.pixellab import pictures
from pixelrouter.backends.pixellab.wish import Part
from pixelrouter.types import GenerationRequest, ModelInfo

Limit = Callable[[GenerationRequest], str | None]

MOST_ACTION_PIXELS = 524_288  # width * height * frames of animate-with-text-v3

# The largest canvas of generate-image-v2 for each aspect ratio.
BUCKETS = (
    (384, 688),
    (424, 632),
    (448, 600),
    (464, 576),
    (512, 512),
    (576, 464),
    (600, 448),
    (632, 424),
    (688, 384),
    (792, 336),
)


@dataclass(frozen=True)
class Endpoint:
    """One way to buy something. ``v1`` is its path in version 1, None where it is new in version 2.

    ``parts`` are the fields that our own arguments fill; ``options`` those that pass through. ``lists`` names the
    directions of a result that comes as a plain list. ``kept`` is where the vendor keeps a result (path and the name
    of its id). ``in_background`` is the path that does the same as a job.
    """

    info: ModelInfo
    path: str
    parts: Mapping[str, Part]
    options: Mapping[str, Check]
    v1: str | None = None
    v2_only: frozenset[str] = frozenset()
    limits: tuple[Limit, ...] = ()
    lists: tuple[str, ...] = ()
    kept: tuple[str, str] | None = None
    needs: tuple[str, ...] = ()
    in_background: str | None = None
    zero_is_random: bool = False

    @property
    def id(self) -> str:
        """The model's id."""
        return self.info.id

    def path_in(self, version: str, *, jobs: bool = False) -> str:
        """The endpoint's path in ``version``; ``jobs``: the queued form, where there is one."""
        if version == "v1" and self.v1:
            return self.v1
        return (self.in_background if jobs else None) or self.path

    def why_not(self, request: GenerationRequest) -> str | None:
        """The first limit that ``request`` breaks, as a sentence, or None."""
        if reason := self.info.why_not(request):
            return reason
        broken = next((reason for limit in self.limits if (reason := limit(request))), None)
        if broken:
            return f"{self.id} {broken}"
        missing = [name for name in self.needs if name not in request.options]
        return f"{self.id} needs options={{{', '.join(f'{name!r}: ...' for name in missing)}}}" if missing else None


def opaque_when_large(request: GenerationRequest) -> str | None:
    """The vendor says that a transparent background comes out blank on a larger canvas."""
    if request.transparent and request.width * request.height > 200 * 200:
        return f"draws a transparent background up to 200x200 only, not at {request.width}x{request.height}"
    return None


def square_when_small(request: GenerationRequest) -> str | None:
    """A side under 32 pixels wants a square."""
    if min(request.size) < 32 and request.width != request.height:
        return f"draws squares only where a side is under 32 pixels, not {request.width}x{request.height}"
    return None


def fits_a_bucket(request: GenerationRequest) -> str | None:
    """Each aspect ratio has its largest canvas."""
    width, height = request.size
    if any(width <= most[0] and height <= most[1] for most in BUCKETS):
        return None
    spans = ", ".join(f"{w}x{h}" for w, h in BUCKETS)
    return f"draws no {width}x{height}: it must fit into one of {spans}"


def as_many_as_fit(request: GenerationRequest) -> str | None:
    """One request draws as many images as fit on the vendor's sheet."""
    side = max(request.size)
    count = next((count for most, count in ((42, 64), (85, 16), (170, 4)) if side <= most), 1)
    return None if request.n <= count else f"returns {count} images at {side} pixels, not {request.n}"


def frames_times_area(request: GenerationRequest) -> str | None:
    """All frames together have a limit."""
    area = request.width * request.height
    frames = request.frames or 8
    if area * frames <= MOST_ACTION_PIXELS:
        return None
    fitting = max((count for count in range(4, 17, 2) if area * count <= MOST_ACTION_PIXELS), default=0)
    return f"draws at most {fitting} frames at {request.width}x{request.height}, not {frames}"


def needs_action(request: GenerationRequest) -> str | None:
    """An animation from text needs to know what happens."""
    return None if (request.action or "").strip() else "needs an action: what the subject does"


def action_up_to(most: int) -> Limit:
    """The vendor's limit on the action's length."""

    def limit(request: GenerationRequest) -> str | None:
        length = len(request.action or "")
        return f"takes actions of at most {most} characters, not {length}" if length > most else None

    return limit


def needs_upper(request: GenerationRequest) -> str | None:
    """A border has two sides."""
    return None if (request.upper or "").strip() else "needs upper=: the ground that lies on the prompt's"


def tile_of(*sides: int) -> Limit:
    """Tiles come in a few sizes."""

    def limit(request: GenerationRequest) -> str | None:
        if request.width == request.height and request.width in sides:
            return None
        sizes = " or ".join(f"{side}x{side}" for side in sides)
        return f"draws tiles of {sizes}, not {request.width}x{request.height}"

    return limit


def transition_in_steps(request: GenerationRequest) -> str | None:
    """A transition has four sizes; shaped tilesets take any."""
    size = request.options.get("transition_size", 0)
    if "shape_style" in request.options or size in (0, 0.25, 0.5, 1):
        return None
    return f"takes a transition_size of 0, 0.25, 0.5 or 1, not {size!r}, unless shape_style is given"


def no_prompt(request: GenerationRequest) -> str | None:
    """Words would be paid for and left out."""
    return "takes no prompt, and would leave it out" if request.prompt.strip() else None


def picture_of(low: int, high: int) -> Limit:
    """How large the picture to work on may be, where it need not have the size asked for."""

    def limit(request: GenerationRequest) -> str | None:
        for data in request.images[:1]:
            side = pictures.read(data, "The picture").size
            if not all(low <= length <= high for length in side):
                return f"works on pictures of {low}x{low} to {high}x{high}, not {side[0]}x{side[1]}"
        return None

    return limit
