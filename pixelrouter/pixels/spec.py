"""What a finished image shall be: every wish in one frozen value, checked when it is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.colors.indexed import ENTRIES
from pixelrouter.pixels.colors.palette import resolve_palette

ALGORITHM = "f5"  # changes whenever the same input and spec would give another picture

MAX_SIDE = 4096  # pixels

Policy = Literal["snap", "resample", "reject", "reroute"]
Mode = Literal["restore", "convert"]
Dither = Literal["none", "bayer2", "bayer4", "bayer8", "floyd-steinberg", "atkinson", "yliluoma"]
Matte = Literal["key", "rembg"]
Quantizer = Literal["auto", "imagequant", "own"]


def _is_pair(value: Any) -> bool:
    """Whether a value is two numbers."""
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, float | int) for each in value)


@dataclass(frozen=True)
class FinishSpec:
    """What the finished image shall be. Raises InvalidRequest.

    ``size``: width and height in pixels, None for as many as the image has cells. ``colors``: the most visible
    colours, 1 to 256, None for as many as an indexed image holds; a ``palette`` ("#rrggbb", ...) takes its place.
    ``one_bit``: two colours, the darkest and the lightest of the palette, else black and white. ``dither`` names the
    pattern between colours. ``merge``: OKLab distance within which colours count as one, None to measure it by the
    noise, 0 for never. ``quantizer`` proposes the palette. ``pad_palette`` keeps palette colours that are not used.

    ``transparent``: None keeps the vendor's alpha, True insists (the background is cut out where there is none), False
    lays the picture over white. ``matte`` says how it is cut out: a solid background keyed from the border, or rembg.
    ``holes``: enclosed parts of a keyed background go as well. ``despill``: the background's tint is taken off the
    outline. ``partial_alpha`` keeps half-transparent pixels of images that are not snapped.

    ``mode``: "restore" the pixels of a picture that is pixel art, or "convert" a photo or painting. ``policy`` says
    what becomes of an image to restore: "snap" to its grid, or resample it with a warning where it has none; "resample"
    without looking for a grid; "reject" it (QualityRejected) where it has none; "reroute" the same, and a router asks
    the next backend. ``pixel_size``: source pixels a cell, one number or ``(x, y)``, and ``origin``: ``(x, y)`` of one
    corner of a cell in source pixels, both instead of detection. ``native``: the backend draws true 1x pixels.
    """

    size: tuple[int, int] | None = None
    colors: int | None = 32
    palette: tuple[str, ...] | None = None
    transparent: bool | None = None
    policy: Policy = "snap"
    pixel_size: float | tuple[float, float] | None = None
    origin: tuple[float, float] | None = None
    native: bool = False
    mode: Mode = "restore"
    one_bit: bool = False
    dither: Dither = "none"
    merge: float | None = None
    quantizer: Quantizer = "auto"
    pad_palette: bool = False
    matte: Matte = "key"
    holes: bool = False
    despill: bool = True
    partial_alpha: bool = False

    def __post_init__(self) -> None:
        for name in ("size", "pixel_size", "origin"):
            if isinstance(getattr(self, name), list):  # as JSON has it
                object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.size is None:
            if self.mode == "convert" and self.pixel_size is None:
                raise InvalidRequest(
                    "A conversion needs a size.",
                    hint="Give size=(64, 64) or --size 64; or pixel_size=10 or --pixel-size 10.",
                )
        elif not (_is_pair(self.size) and all(isinstance(s, int) and 1 <= s <= MAX_SIDE for s in self.size)):
            raise InvalidRequest(f"{self.size!r} is not a size.", hint=f"Give (width, height), each 1 to {MAX_SIDE}.")
        if self.colors is not None and not (isinstance(self.colors, int) and 1 <= self.colors <= ENTRIES):
            raise InvalidRequest(f"colors={self.colors} is outside 1 to {ENTRIES}.", hint="16 to 32 suit a sprite.")
        choices = {"policy": Policy, "mode": Mode, "dither": Dither, "matte": Matte, "quantizer": Quantizer}
        for name, values in choices.items():
            if getattr(self, name) not in get_args(values):
                known = ", ".join(get_args(values))
                raise InvalidRequest(f"{name}={getattr(self, name)!r} is unknown.", hint=f"Use one of: {known}.")
        if self.cell is not None and not (_is_pair(self.cell) and all(1 <= each <= MAX_SIDE for each in self.cell)):
            raise InvalidRequest(
                f"pixel_size={self.pixel_size} is outside 1 to {MAX_SIDE} source pixels.",
                hint="It says how many source pixels one pixel of the art has: 8, or (7.5, 8).",
            )
        if self.origin is not None and not (_is_pair(self.origin) and all(0 <= o < 1e6 for o in self.origin)):
            raise InvalidRequest(f"origin={self.origin!r} is not a place.", hint="Give (x, y) in source pixels.")
        if self.merge is not None and not (isinstance(self.merge, float | int) and 0 <= self.merge <= 1):
            raise InvalidRequest(f"merge={self.merge} is outside 0 to 1.", hint="0.02 merges what looks the same.")
        if self.palette is not None:
            object.__setattr__(self, "palette", resolve_palette(self.palette))

    @property
    def cell(self) -> tuple[float, float] | None:
        """``pixel_size`` as ``(x, y)``."""
        if self.pixel_size is None or isinstance(self.pixel_size, tuple):
            return self.pixel_size
        return (self.pixel_size, self.pixel_size)

    def key_parts(self) -> dict[str, Any]:
        """Everything that decides what comes out, JSON-ready: beside the hash of the image, the finishing key."""
        from pixelrouter.pixels.colors.quantize import quantizer

        wishes = asdict(self)
        if self.palette:
            wishes |= {"colors": None, "quantizer": None}
        else:
            wishes["quantizer"] = quantizer(self.quantizer)
        return {"algorithm": ALGORITHM, **wishes}
