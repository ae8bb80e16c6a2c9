"""What a training set shall be: every wish in one frozen value, checked when it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pixelrouter.dataset.buckets import Placement, Size, as_it_is, bucket_sizes, place
from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import FinishSpec, Slicing, resolve_palette

LAYOUT = "d1"  # changes whenever the same picture at 1x and the same wishes would give another file

MAX_SIDE = 4096

Padding = Literal["auto", "ground", "border", "edge"]
Frames = Literal["first", "all"]
Dedupe = Literal["exact", "flipped", "none"]
CaptionFiles = Literal["both", "txt", "jsonl", "none"]

FIELDS = ("text", "name", "folder", "trigger", "colors", "width", "height", "palette")  # of a caption's template


@dataclass(frozen=True)
class DatasetSpec:
    """What the training set shall be. Raises InvalidRequest.

    ``finish``: how images become pixel art; its ``colors`` (or ``palette``) is the most that a file has, ground
    included. Its ``policy`` is "reject" (an image without a pixel grid is set aside) or "resample" (it is brought to
    ``resample_size`` pixels on its longer side, an eighth of the resolution where that is None).
    ``min_confidence``: set aside what lay on a grid less surely than that, 0..1.

    ``resolution``, ``bucket_step``, ``min_bucket``, ``max_bucket``: the trainer's own settings, in pixels, see
    :mod:`pixelrouter.dataset.buckets`. ``square``: one bucket of resolution x resolution. ``factors``: enlarge by one
    of these only. ``upscale`` False: files stay at 1x, without padding.
    ``ground``: what transparent pixels become: "#rrggbb", "none" to stay transparent, "auto" for white, or for the
    lightest colour of the palette. ``pad``: the room around the picture takes the "ground", the commonest colour of its
    own "border", or goes on with its "edge" pixels; "auto": the ground where the picture is transparent, else the
    border.

    ``frames``: of moving pictures take the "first" frame or "all". ``slicing``: cut each image as a sheet. ``trim``:
    cut off transparent margins at 1x. ``min_size``: the least that the shorter side may have at 1x, ``max_size`` the
    most of the longer one. ``dedupe``: of pictures whose pixels are the same keep one; "flipped": mirrored ones, too.
    ``validation``: the share, 0..1, that goes to the folder validation; which ones depends on their pixels alone.

    ``caption``: a template of the fields in FIELDS. ``trigger`` stands in front of every caption. ``names``: where no
    caption is found, the file's name is one. ``captions``: which files hold them. ``repeats``: pictures lie in a folder
    ``10_trigger``, as kohya's trainer counts repeats.
    """

    finish: FinishSpec = field(default_factory=lambda: FinishSpec(colors=32, policy="reject"))
    resample_size: int | None = None
    min_confidence: float = 0.0
    resolution: int = 1024
    bucket_step: int = 64
    min_bucket: int = 256
    max_bucket: int | None = None  # None: 1024, kohya's own, or the resolution where that is more
    square: bool = False
    factors: tuple[int, ...] | None = None
    upscale: bool = True
    ground: str = "auto"
    pad: Padding = "auto"
    frames: Frames = "first"
    slicing: Slicing | None = None
    trim: bool = False
    min_size: int = 8
    max_size: int | None = None
    dedupe: Dedupe = "exact"
    validation: float = 0.0
    caption: str = "{text}"
    trigger: str = ""
    names: bool = False
    captions: CaptionFiles = "both"
    palette_name: str = ""
    repeats: int | None = None

    def __post_init__(self) -> None:
        for name, values in (("pad", Padding), ("frames", Frames), ("dedupe", Dedupe), ("captions", CaptionFiles)):
            if getattr(self, name) not in get_args(values):
                raise InvalidRequest(
                    f"{name}={getattr(self, name)!r} is unknown.", hint=f"Use one of: {', '.join(get_args(values))}."
                )
        self._check_finish()
        self._check_sizes()
        self._check_ground()
        self._check_captions()
        if not 0 <= self.validation < 1:
            raise InvalidRequest(f"validation={self.validation} is no share.", hint="0.1 keeps about a tenth aside.")
        if not 0 <= self.min_confidence <= 1:
            raise InvalidRequest(f"min_confidence={self.min_confidence} is outside 0 to 1.")

    def _check_finish(self) -> None:
        wish = self.finish
        if wish.policy not in ("reject", "resample"):
            raise InvalidRequest(
                f"policy={wish.policy!r} is not for training sets.",
                hint="reject sets images without a grid aside, resample takes them as well.",
            )
        if wish.mode != "restore" or wish.size or wish.partial_alpha:
            raise InvalidRequest(
                "A training set has pictures at their own size, whole pixels and hard alpha.",
                hint="Convert photos first: pixelrouter finish --mode convert.",
            )
        if wish.palette is None and not wish.one_bit and (wish.colors or 0) < 2:
            raise InvalidRequest(f"colors={wish.colors} is outside 2 to 256.", hint="32 suits most sets.")
        if self.resample_size is not None and not 1 <= self.resample_size <= MAX_SIDE:
            raise InvalidRequest(f"resample_size={self.resample_size} is outside 1 to {MAX_SIDE}.")

    def _check_sizes(self) -> None:
        least, most, step = self.min_bucket, self.largest, self.bucket_step
        if not 1 <= step <= self.resolution <= MAX_SIDE or self.resolution % step:
            raise InvalidRequest(
                f"A resolution of {self.resolution} in steps of {step} is none.",
                hint=f"Use a multiple of the step up to {MAX_SIDE}: 512, 768, 1024.",
            )
        if least % step or most % step or not step <= least <= self.resolution <= most <= MAX_SIDE:
            raise InvalidRequest(
                f"Buckets from {least} to {most} pixels do not go with the resolution {self.resolution}.",
                hint=f"Both are multiples of {step}, with the resolution between them.",
            )
        if self.factors is not None and not (self.factors and all(1 <= one <= MAX_SIDE for one in self.factors)):
            raise InvalidRequest(f"factors={self.factors} are no whole factors.", hint="Give 8, or 8,16.")
        if self.min_size < 1 or (self.max_size is not None and self.max_size < self.min_size):
            raise InvalidRequest(f"No picture is between {self.min_size} and {self.max_size} pixels.")
        if self.repeats is not None and not 1 <= self.repeats <= 10_000:
            raise InvalidRequest(f"repeats={self.repeats} is outside 1 to 10000.", hint="10 is usual.")

    def _check_ground(self) -> None:
        if self.ground not in ("auto", "none"):
            object.__setattr__(self, "ground", resolve_palette([self.ground])[0])
        if self.ground == "none" and self.pad == "ground":
            raise InvalidRequest(
                "There is no ground to pad with.", hint="Give ground='#ffffff', or pad='border' or 'edge'."
            )

    def _check_captions(self) -> None:
        try:
            self.caption.format(**dict.fromkeys(FIELDS, ""))
        except (ValueError, LookupError, AttributeError) as error:
            raise InvalidRequest(
                f"caption={self.caption!r} is no template: {error}.",
                hint=f"Fields: {', '.join(f'{{{name}}}' for name in FIELDS)}.",
            ) from None
        if any(not char.isprintable() for char in self.trigger + self.caption):
            raise InvalidRequest("A caption is one line of text.")

    @property
    def largest(self) -> int:
        """The longest side of a bucket."""
        return self.max_bucket or max(1024, self.resolution)

    @property
    def buckets(self) -> tuple[Size, ...]:
        """Every bucket that files may have."""
        if self.square:
            return ((self.resolution, self.resolution),)
        return bucket_sizes(self.resolution, step=self.bucket_step, least=self.min_bucket, most=self.largest)

    def placement(self, size: Size) -> Placement | None:
        """How a picture of that size at 1x lies in its bucket; None where it fits into none."""
        return place(size, self.buckets, self.factors) if self.upscale else as_it_is(size)

    @property
    def ground_color(self) -> str | None:
        """The ground as "#rrggbb", None where it stays transparent."""
        if self.ground == "auto":
            return max(self.finish.palette, key=_lightness) if self.finish.palette else "#ffffff"
        return None if self.ground == "none" else self.ground

    @property
    def most_colors(self) -> int:
        """The most visible colours that a file has. A ground that is not in the palette is one more."""
        if self.finish.palette and not self.finish.one_bit:
            return len({*self.finish.palette, *([self.ground_color] if self.ground_color else [])})
        return max(2, self.finish.colors or 2) if not self.finish.one_bit else 3

    @property
    def folder(self) -> str:
        """The folder of the pictures below that of their split: "" or ``10_trigger``."""
        if self.repeats is None:
            return ""
        return f"{self.repeats}_{re.sub(r'[^0-9A-Za-z _-]+', '-', self.trigger).strip('- ') or 'pixelart'}"

    def finishing(self) -> dict[str, Any]:
        """Everything that decides what a picture at 1x is, JSON-ready."""
        padded = (self.upscale, self.buckets, self.factors) if self.pad == "ground" else None  # it costs a colour
        slicing = vars(self.slicing) if self.slicing else None
        more = (self.resample_size or self.resolution // 8) if self.finish.policy == "resample" else None
        return {
            **self.finish.key_parts(),
            "dataset": [LAYOUT, self.ground_color, padded, self.frames, slicing, self.trim, more],
        }


def _lightness(color: str) -> float:
    """Of "#rrggbb": Rec. 709 luma, close enough to tell which of a palette is lightest."""
    red, green, blue = bytes.fromhex(color[1:])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
